"""What to type to decide again what was decided in a story."""

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liqwatch.alerts import Kind
from liqwatch.control.vocabulary import ReplayAnswer
from liqwatch.control.why import find_story
from liqwatch.store import Database

BEFORE = timedelta(minutes=10)  # what a detector needs to know of the market first
AFTER = timedelta(minutes=2)


def how_to_replay(
    database: Database, word: str, tapes: Path, config_path: Path | None
) -> ReplayAnswer:
    """Return the tapes of a story's time and the command. Raises ControlError."""
    alerts = find_story(database, word)
    first, last = alerts[0], alerts[-1]
    begun, over = (datetime.fromtimestamp(one.time / 1000, UTC) for one in (first, last))
    there = tapes_of(tapes, begun - BEFORE, over + AFTER)
    config = ["--config", str(config_path)] if config_path is not None else []
    return ReplayAnswer(
        subject=first.symbol,
        begun=first.time,
        over=last.time,
        tapes=tuple(map(str, there)),
        command=shlex.join(["liqwatch", "replay", *map(str, there), *config]) if there else "",
        ended=last if last.kind is Kind.CASCADE_ENDED else None,
    )


def tapes_of(folder: Path, since: datetime, until: datetime) -> list[Path]:
    """Return the tapes kept of the hours from `since` to `until`.

    Their names begin with the hour, in UTC.
    """
    first, last = (f"{moment:%Y-%m-%dT%H}" for moment in (since, until))
    return sorted(
        tape for tape in folder.glob("*.jsonl.zst") if first <= tape.name[: len(first)] <= last
    )
