"""The hours in which a receiver sleeps, by its own clock."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from liqwatch.alerts import Severity

TimeOfDay = Annotated[
    str,
    Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="a time of day such as 23:00"),
]


class QuietHours(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """When you sleep, and what may wake you.

    Raises ValueError if the time zone is unknown, or the hours end as they begin.
    """

    from_: TimeOfDay = "23:00"
    """Quiet from this time of day …"""

    to: TimeOfDay = "07:00"
    """… to this one, of the next day if it is the earlier."""

    time_zone: str = "UTC"
    """The time zone of both, by its name in the tz database: Europe/Berlin."""

    floor: Severity = Severity.CRITICAL
    """What is at least so grave sounds as by day."""

    below: Literal["silent", "held"] = "silent"
    """The rest comes without a sound, or is held and summed up in the morning."""

    def __post_init__(self) -> None:
        if self.from_ == self.to:
            raise ValueError("quiet hours that end as they begin are none")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of zones
            raise ValueError(f"{self.time_zone} is no time zone such as Europe/Berlin") from None

    def until_ms(self, now_ms: int) -> int | None:
        """Return when the quiet hours end that it is now; None: it is none. Since the Unix epoch.

        A time of day that clocks repeat counts once, the first time; one that they skip counts as
        if they had not been changed yet.
        """
        zone = ZoneInfo(self.time_zone)
        today = datetime.fromtimestamp(now_ms / 1000, zone).date()
        overnight = timedelta(days=self.to < self.from_)
        for evening in (today - timedelta(days=1), today):
            ends_ms = _at(evening + overnight, self.to, zone)
            if _at(evening, self.from_, zone) <= now_ms < ends_ms:
                return ends_ms
        return None


def _at(day: date, clock: str, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time.fromisoformat(clock), zone).timestamp() * 1000)
