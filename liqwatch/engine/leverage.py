"""How levered the holders of open interest are believed to be, and how far from its entry each
part of it is liquidated.
"""

from functools import lru_cache
from math import floor, log, sqrt

from liqwatch.engine.margin import Terms
from liqwatch.events import Position

# Share of what is opened with borrowed money above a leverage L: (L / LEAST_LEVERAGE) ** -TAIL.
# Bottom-heavy: most of it is never liquidated. On Hyperliquid, December 2025, 64 % of what is open
# lies above 3x and 16 % above 7x (phemex.com), a tail of 1.6. What is opened is more levered, for
# who borrows more stays less, and on BitMEX the liquidated average 60x (arXiv 2102.04591).
TAIL = 1.2
LEAST_LEVERAGE, MOST_LEVERAGE = 2.5, 100.0
LEVERAGE_STEPS = 39  # of ten per cent

# Many take the nearest leverage that order forms offer by a touch; how many is assumed.
OFFERED = (3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0)
AT_OFFERED = 0.4

# Held without leverage, or against coins that are owned. More so by shorts, who hedge: on BitMEX
# 3.5 % of longs, but 1.9 % of shorts were liquidated in a day (arXiv 2102.04591). The two figures
# themselves are assumed.
HEDGED_SHARE = {Position.LONG: 0.2, Position.SHORT: 0.35}

# Cross margin holds more than the position shows, so half of each tier lies farther away than its
# leverage says.
EFFECTIVE_LEVERAGE = ((1.0, 0.5), (0.9, 0.125), (0.75, 0.125), (0.6, 0.125), (0.5, 0.125))

# The size for which margin tiers are looked up, assumed: most dollars are in positions large enough
# for the first tiers to make no difference, and too small for the last ones.
TYPICAL_USD = 100_000.0

GRAIN = 0.001  # log distance; what lies closer is told as one, for entries are spread wider


@lru_cache(maxsize=2048)
def distances(terms: Terms, position: Position) -> tuple[tuple[float, float], ...]:
    """Return (log distance from entry, share of open interest) of all that can be liquidated.

    The distance is the way that price must go against the position. Nearest first.
    """
    sign = -1 if position is Position.LONG else 1
    levered, highest = 1 - HEDGED_SHARE[position], terms.max_leverage(TYPICAL_USD)
    shares: dict[int, float] = {}
    for leverage, share in leverage_shares().items():
        for effective, part in EFFECTIVE_LEVERAGE:
            ratio = terms.liquidation_ratio(
                position,
                leverage=max(1.0, min(leverage, highest) * effective),
                notional_usd=TYPICAL_USD,
            )
            if ratio is not None and (distance := sign * log(ratio)) > 0:
                grain = floor(distance / GRAIN)
                shares[grain] = shares.get(grain, 0.0) + levered * share * part
    return tuple(((grain + 0.5) * GRAIN, share) for grain, share in sorted(shares.items()))


def leverage_shares() -> dict[float, float]:
    """Return which share of what is opened with borrowed money is at which leverage."""
    step = (MOST_LEVERAGE / LEAST_LEVERAGE) ** (1 / LEVERAGE_STEPS)
    shares = {MOST_LEVERAGE: _above(MOST_LEVERAGE)}
    for number in range(LEVERAGE_STEPS):
        low = LEAST_LEVERAGE * step**number
        wished, share = low * sqrt(step), _above(low) - _above(low * step)
        offered = min(OFFERED, key=lambda one: abs(log(one / wished)))
        shares[wished] = shares.get(wished, 0.0) + share * (1 - AT_OFFERED)
        shares[offered] = shares.get(offered, 0.0) + share * AT_OFFERED
    return shares


def _above(leverage: float) -> float:
    return float((leverage / LEAST_LEVERAGE) ** -TAIL)
