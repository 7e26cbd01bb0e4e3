"""The price of the last hours, minute by minute: nothing is decided by it, pictures show it."""

from array import array
from math import isnan, nan

import msgspec

from liqwatch.engine.liquidation_map import Cells

MINUTES = 480
MINUTE_MS = 60_000


class PricePath(msgspec.Struct):
    """One price a minute, the first that was known in it.

    >>> path = PricePath()
    >>> for second, price in ((0, 100.0), (30, 105.0), (180, 101.5)):
    ...     path.update(second, price)
    >>> path.points()
    ((0, 100.0), (180000, 101.5))
    """

    last_minute: int = 0
    prices: Cells = msgspec.field(default_factory=lambda: array("f"))  # nan: not known

    def update(self, second: int, price: float) -> None:
        """Take the price of a second."""
        minute = second // 60
        if self.prices and minute <= self.last_minute:
            return
        missed = minute - self.last_minute - 1 if self.prices else 0
        self.prices.extend([nan] * min(missed, MINUTES))
        self.prices.append(price)
        del self.prices[:-MINUTES]
        self.last_minute = minute

    def points(self) -> tuple[tuple[int, float], ...]:
        """Return time (ms) and price of the minutes that are known."""
        first = self.last_minute - len(self.prices) + 1
        return tuple(
            (minute * MINUTE_MS, price)
            for minute, price in enumerate(self.prices, first)
            if not isnan(price)
        )
