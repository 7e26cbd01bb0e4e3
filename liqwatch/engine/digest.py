"""Once a day, at a time of day that the user names: when a summary of the map is due, and what
happened at its levels since the last one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta

from liqwatch.alerts import Alert, Kind, Level, Verdict

MOST_JUDGED = 64  # of one coin between two digests, the latest
SEVERAL = 3  # clusters reached, none of which activated: the map is not activating


class DigestSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When each coin's map is summed up. Raises ValueError if the time zone is unknown."""

    at: (
        Annotated[
            str,
            Meta(
                pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
                description="a time of day such as 08:00",
            ),
        ]
        | None
    ) = None
    """Time of day. None: there is no digest."""

    time_zone: str = "UTC"
    """The time zone of `at`, by its name in the tz database: Europe/Berlin."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of zones
            raise ValueError(f"{self.time_zone} is no time zone such as Europe/Berlin") from None

    def day(self, now_ms: int) -> int | None:
        """Return the day that the last due digest belongs to, as a number; None if there is none.

        A time of day that clocks skip is due when they have jumped over it, one that they repeat
        is due the first time.
        """
        if self.at is None:
            return None
        hours, minutes = map(int, self.at.split(":"))
        shown = datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(self.time_zone))
        since = shown.replace(tzinfo=None) - timedelta(hours=hours, minutes=minutes)
        return since.toordinal()


class Judged(msgspec.Struct, frozen=True):
    """An approach to a level and what came of it."""

    level: Level
    cluster: bool  # of the map; else a price the user watches
    reached: bool
    verdict: Verdict
    time_ms: int


class Diary(msgspec.Struct):
    """Which day's digest of one coin is done, and what happened since."""

    day: int | None = None
    since_ms: int | None = None  # the last digest
    judged: list[Judged] = msgspec.field(default_factory=list)

    def note(self, alerts: Iterable[Alert]) -> None:
        """Remember the verdicts among these alerts."""
        for alert in alerts:
            if alert.kind is Kind.LEVEL_VERDICT and alert.level and alert.verdict is not UNSET:
                self.judged.append(_judged(alert, alert.level, alert.verdict))
        del self.judged[:-MOST_JUDGED]

    def due(self, now_ms: int, settings: DigestSettings) -> bool:
        """Return whether a digest is due, once a day; a day that had begun before us is not."""
        day = settings.day(now_ms)
        if day is None:
            self.day = self.since_ms = None
            self.judged.clear()
            return False
        if self.day is None or day <= self.day:
            self.day = day if self.day is None else self.day
            return False
        self.day = day
        return True

    def close(self, now_ms: int) -> dict[str, Any]:
        """Return what happened since the last digest, as evidence, and begin anew."""
        judged, since_ms = self.judged, self.since_ms
        self.judged, self.since_ms = [], now_ms
        reached = {(one.level.low, one.level.high) for one in judged if one.cluster and one.reached}
        activated = sum(one.verdict is Verdict.ACCELERATED for one in judged)
        return {
            "hours": None if since_ms is None else round((now_ms - since_ms) / 3_600_000, 2),
            "approaches": len(judged),
            "activated": activated,
            "clusters_reached": len(reached),
            "map_not_activating": len(reached) >= SEVERAL
            and not any(one.cluster and one.verdict is Verdict.ACCELERATED for one in judged),
            "levels_reached": [
                msgspec.to_builtins(one.level) | {"verdict": one.verdict.value, "time": one.time_ms}
                for one in judged
                if one.reached
            ],
        }


def _judged(alert: Alert, level: Level, verdict: Verdict) -> Judged:
    return Judged(
        level=level,
        cluster=alert.position is not None,
        reached=alert.evidence.get("reached") is True,
        verdict=verdict,
        time_ms=alert.time,
    )
