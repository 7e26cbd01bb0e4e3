"""Whether what one instrument tells can be true, held against others and against itself."""

from collections.abc import Iterable, Mapping
from math import exp
from statistics import median

import msgspec

MINUTE_S = 60
HEARD_MS = 15_000  # trades that pause for longer say nothing of what was traded
SAMPLE_FRESH_MS = 600_000  # open interest older than this says nothing about now
MATERIAL_SHARE = 0.001  # of open interest; less forced flow than this is not worth a quarrel
MATERIAL_USD = 10_000.0
MATERIAL_OPEN_USD = 1e6  # of open interest; what has just been listed grows by leaps
LEAST_WITNESSES = 2
_KEEP = exp(-1 / MINUTE_S)


class Conduct(msgspec.Struct):
    """What is held against one instrument: sums of about the last minute, and how long it is off.

    A forced order is a trade, so in a minute no more can be forced than is traded: in simulated
    cascades the ratio came to 0.9 at most. It is wrong for venues whose trades are only partly
    heard, or which close positions beside the book and say nothing of it; so it takes a multiple.
    """

    traded_usd: float = 0.0
    forced_usd: float = 0.0
    heard_s: int = 0  # for so long trades have come without a pause
    off_s: int = 0  # for so long the price was far from that of the others
    mark_off_since_ms: int | None = None
    open_size: float | None = None  # as told last
    told_ms: int = 0

    def close_second(self, traded_usd: float, *, heard: bool) -> None:
        """Take a second's trades; `heard`: the last one is not long ago."""
        if heard:
            self.heard_s += 1
            self.traded_usd = self.traded_usd * _KEEP + traded_usd
            self.forced_usd *= _KEEP
        else:
            self.heard_s = 0
            self.traded_usd = self.forced_usd = 0.0

    def force(self, usd: float, traded_since_usd: float) -> float | None:
        """Take a forced order; return how many times the minute's trades are forced by now.

        `traded_since_usd` was traded since the second closed. None while that is not known.
        """
        self.forced_usd += usd
        traded_usd = self.traded_usd + traded_since_usd
        if self.heard_s < MINUTE_S or traded_usd <= 0:
            return None
        return self.forced_usd / traded_usd

    def open_share(self, price: float, time_ms: int) -> float | None:
        """Return what share of open interest the minute's forced orders are; None: not known."""
        open_usd = (self.open_size or 0.0) * price
        fresh = time_ms - self.told_ms <= SAMPLE_FRESH_MS
        return self.forced_usd / open_usd if fresh and open_usd > 0 else None

    def leaps(self, open_size: float, price: float, time_ms: int, times: float) -> float | None:
        """Take a sample of open interest; return the one before if no market gets from there to
        here between two samples.
        """
        before, fresh = self.open_size, time_ms - self.told_ms <= SAMPLE_FRESH_MS
        self.open_size, self.told_ms = open_size, time_ms
        if before is None or not fresh or max(before, open_size) * price < MATERIAL_OPEN_USD:
            return None
        return None if near(open_size, before, times - 1) else before


def material(forced_usd: float, open_share: float) -> bool:
    """Return whether forced flow is large enough to be worth a verdict."""
    return forced_usd >= MATERIAL_USD and open_share >= MATERIAL_SHARE


def near(price: float, other: float, limit: float) -> bool:
    """Return whether two prices differ by no more than a limit (0.2: a fifth), either way."""
    return other <= price * (1 + limit) and price <= other * (1 + limit)


def price_of_others(
    venue: str, prices: Mapping[str, Iterable[float]], limit: float
) -> float | None:
    """Return the median of the other venues' prices; None without two that agree, and a majority.

    Of two venues that differ nobody knows which one errs.
    """
    others = [median(those) for name, those in prices.items() if name != venue]
    if len(others) < LEAST_WITNESSES:
        return None
    middle = median(others)
    agree = sum(near(other, middle, limit / 2) for other in others)
    return middle if agree >= LEAST_WITNESSES and 2 * agree > len(others) else None
