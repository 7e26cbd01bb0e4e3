"""What lies between price and a zone of the map: a distance, and the taker flow that covers it."""

from math import log
from typing import NamedTuple

from liqwatch.alerts import Direction
from liqwatch.engine.clusters import Zone
from liqwatch.engine.symbol import Symbol
from liqwatch.map_view import Range


class TakerFlow(NamedTuple):
    """Net taker flow, and the range that holds it four times in five."""

    usd: float
    range_usd: Range


def distance_pct(symbol: Symbol, zone: Zone, direction: Direction) -> float:
    """Return how far price is from a zone's near edge, positive above; 0 within it."""
    away = 100 * (zone.near_edge(direction) / symbol.state.price.price - 1)
    return max(0.0, away) if direction is Direction.UP else min(0.0, away)


def taker_flow(symbol: Symbol, zone: Zone, direction: Direction) -> TakerFlow | None:
    """Return what would move price to a zone's near edge at the impact of now, 0 within it; None
    before any trade.
    """
    price, sigma = symbol.state.price.price, symbol.state.price.momentum.sigma
    log_distance = max(0.0, direction.sign * log(zone.near_edge(direction) / price))
    usd = symbol.state.impact.usd_to_move(log_distance, sigma)
    if usd is None:
        return None
    middle, low, high = (float(f"{one:.3g}") for one in usd)
    return TakerFlow(middle, Range(low, high))
