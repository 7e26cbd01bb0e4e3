"""How levered the holders of open interest are believed to be, and how far from its entry each
part of it is liquidated.
"""

from functools import lru_cache
from math import log

from liqwatch.engine.margin import Terms
from liqwatch.events import Position

# Share of levered open interest, bottom-heavy: most of it is never liquidated (Hyperliquid,
# December 2025: 36 % below 3x, 48 % at 3-7x; arXiv 2102.04591: those who are liquidated average
# 60x).
LEVERAGE_SHARE = {3: 0.32, 5: 0.22, 10: 0.20, 20: 0.11, 25: 0.06, 50: 0.06, 100: 0.03}

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


@lru_cache(maxsize=2048)
def distances(terms: Terms, position: Position) -> tuple[tuple[float, float], ...]:
    """Return (log distance from entry, share of open interest) of all that can be liquidated.

    The distance is the way that price must go against the position. Nearest first.
    """
    sign = -1 if position is Position.LONG else 1
    levered, highest = 1 - HEDGED_SHARE[position], terms.max_leverage(TYPICAL_USD)
    shares: dict[float, float] = {}
    for leverage, share in LEVERAGE_SHARE.items():
        for effective, part in EFFECTIVE_LEVERAGE:
            ratio = terms.liquidation_ratio(
                position,
                leverage=max(1.0, min(leverage, highest) * effective),
                notional_usd=TYPICAL_USD,
            )
            if ratio is not None and (distance := sign * log(ratio)) > 0:
                shares[distance] = shares.get(distance, 0.0) + levered * share * part
    return tuple(sorted(shares.items()))
