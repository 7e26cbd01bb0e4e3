"""How well an amount of the map is known: as well as the scale of our own estimate is."""

from liqwatch.engine.calibration import Scale
from liqwatch.engine.clusters import Zone
from liqwatch.engine.map_layers import in_force
from liqwatch.engine.merged import Side
from liqwatch.engine.symbol import Symbol
from liqwatch.map_view import Range


class Ranges:
    """Ranges for the amounts of one coin's map, as it is calibrated now.

    They hold the scale only: how much lies in this cluster rather than in the next is less sure.
    What others tell in USD, published positions or imports, is as they tell it.
    """

    def __init__(self, symbol: Symbol) -> None:
        self._scale: Scale | None = symbol.map.scale()
        layers = in_force(symbol.state.map.layers)
        self._imports_are_scaled = any(layer.relative for layer in layers)

    def of(self, usd: float, side: Side, low: float, high: float) -> Range | None:
        """Return the range of an amount that lies between two prices; None while it is relative."""
        if self._scale is None:
            return None
        shares = side.shares(low, high)
        scaled = shares.get("estimate", 0.0)
        if self._imports_are_scaled:
            scaled += shares.get("imported", 0.0)
        lowest, highest = (
            usd * (1 - scaled + scaled * end / self._scale.value)
            for end in (self._scale.low, self._scale.high)
        )
        return Range(round(lowest, 2), round(highest, 2))

    def of_zone(self, zone: Zone, side: Side) -> Range | None:
        """Return the range of what a cluster holds; None of one that you named yourself."""
        if zone.notional_usd is None or zone.source == "user":
            return None
        return self.of(zone.notional_usd, side, zone.low, zone.high)
