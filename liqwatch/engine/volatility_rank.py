"""Whether the market is calm or wild, by its own last month."""

from array import array
from math import isnan, nan

import msgspec

from liqwatch.engine.liquidation_map import Cells

HOURS = 720
LEAST_HOURS = 24


class VolatilityRank(msgspec.Struct):
    """One volatility an hour for thirty days, the first that was known in it.

    >>> past = VolatilityRank()
    >>> for hour in range(24):
    ...     past.update(3600 * hour, 1e-4 + 1e-6 * hour)
    >>> past.rank_pct(1.055e-4)
    25.0
    """

    last_hour: int = 0
    sigmas: Cells = msgspec.field(default_factory=lambda: array("f"))  # nan: not known

    def update(self, second: int, sigma: float) -> None:
        """Take the volatility of a second."""
        hour = second // 3600
        if self.sigmas and hour <= self.last_hour:
            return
        missed = hour - self.last_hour - 1 if self.sigmas else 0
        self.sigmas.extend([nan] * min(missed, HOURS))
        self.sigmas.append(sigma)
        del self.sigmas[:-HOURS]
        self.last_hour = hour

    def rank_pct(self, sigma: float) -> float | None:
        """Return the percentage of the hours that were calmer; None before a day of them."""
        known = [one for one in self.sigmas if not isnan(one)]
        if len(known) < LEAST_HOURS:
            return None
        return 100 * sum(one < sigma for one in known) / len(known)
