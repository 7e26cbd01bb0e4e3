"""What holding a position costs: funding rates as the venues tell them, at one interval."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from liqwatch.events import Funding

HOUR_MS = 3_600_000
COMMON_HOURS = 8.0  # what most venues pay at, and what is assumed of one that does not tell
KNOWN_MS = 9 * HOUR_MS  # some tell a rate only when it changes, at the next payment at the latest


class Rate(msgspec.Struct, frozen=True):
    """The funding rate of one instrument: a share of the position's value per interval."""

    rate: float
    time_ms: int  # when it was told
    hours: float = COMMON_HOURS
    next_ms: int | None = None

    @property
    def pct_8h(self) -> float:
        """Percent in eight hours; positive: longs pay shorts."""
        return 100 * self.rate * COMMON_HOURS / self.hours


class WeightedRate(NamedTuple):
    """The mean of several rates and of their ages."""

    pct_8h: float
    age_ms: float


def told(event: Funding, time_ms: int, before: Rate | None) -> Rate:
    """Return the rate that a venue tells.

    Where it leaves out the interval, that is the time from one payment to the next, once two are
    known.
    """
    hours = event.interval_hours
    if hours is None and before is not None:
        hours = _hours_between(before.next_ms, event.next_time) or before.hours
    return Rate(event.rate, time_ms, hours or COMMON_HOURS, event.next_time)


def _hours_between(payment_ms: int | None, next_ms: int | None) -> float | None:
    if payment_ms is None or next_ms is None:
        return None
    hours = (next_ms - payment_ms) / HOUR_MS
    return hours if 1 <= hours <= COMMON_HOURS else None


def weighted(
    rates: Mapping[str, Rate], open_sizes: Mapping[str, float], now_ms: int
) -> WeightedRate | None:
    """Return the mean rate by open interest; None if no rate that is known has any."""
    known = [
        (size, one)
        for key, one in rates.items()
        if now_ms - one.time_ms <= KNOWN_MS and (size := open_sizes.get(key, 0.0)) > 0
    ]
    total = sum(size for size, _ in known)
    if not total:
        return None
    return WeightedRate(
        sum(size * one.pct_8h for size, one in known) / total,
        sum(size * max(0, now_ms - one.time_ms) for size, one in known) / total,
    )
