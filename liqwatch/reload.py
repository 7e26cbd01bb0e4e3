"""Read the configuration of a running daemon again: all of it is good, or nothing changes."""

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from liqwatch.alerting.message import worded
from liqwatch.alerts import MARKET, Alert, Kind, Severity
from liqwatch.config import Config, ConfigError, describe_changes, load
from liqwatch.people import Ways, ways
from liqwatch.sinks import SinkError
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database


class Reloaded(NamedTuple):
    """What a file says now. `to` are the ways to people, None where the old ones stay."""

    config: Config
    to: Ways | None
    changes: list[str]


def read_again(path: Path, running: Config, database: Database, timing: Timing) -> Reloaded:
    """Read `path`, and say what differs from what is running.

    The state folder is in use until the end; another one is only spoken of. Raises ConfigError and
    SinkError.
    """
    new = load(path)
    to = ways(new.notify, database, timing) if new.notify != running.notify else None
    changes = [
        f"{change} after a restart" if change.startswith("state ") else change
        for change in describe_changes(running, new)
    ]
    return Reloaded(replace(new, state=running.state), to, changes)


def applied(changes: list[str], now_ms: int) -> Alert:
    """Tell of settings that are in force now."""
    return _told(Kind.CONFIG_APPLIED, Severity.INFO, now_ms, changes=changes or ["nothing differs"])


def rejected(error: ConfigError | SinkError, now_ms: int) -> Alert:
    """Tell of a file that was refused, and why."""
    return _told(Kind.CONFIG_REJECTED, Severity.WARNING, now_ms, errors=str(error).split("\n"))


def _told(kind: Kind, severity: Severity, now_ms: int, **evidence: list[str]) -> Alert:
    return worded(
        Alert(
            id=f"{kind}-{now_ms}",
            episode=None,
            kind=kind,
            symbol=MARKET,
            position=None,
            direction=None,
            time=now_ms,
            price=None,
            severity=severity,
            evidence=dict(evidence),
            thresholds={},
        )
    )
