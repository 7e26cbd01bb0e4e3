"""Maps as others draw them, to be judged beside ours on the same minutes.

Sources: taihey5555/btc-liquidation-heatmap-dashboard (backend/app/services/liquidation_models.py)
for open interest times leverage at spot; mgcha85/crypto-liquidation-map
(src/liquidation_map/analysis/liquidation_map.py) for growth of open interest by candle.
"""

import math
from collections import defaultdict
from typing import Protocol

from liqwatch.events import Position
from liqwatch.simulator.map_holders import SIGN
from liqwatch.simulator.map_score import BUCKETS, ladder
from liqwatch.simulator.map_world import Minute

_STATIC_SHARES = {5: 0.10, 10: 0.20, 25: 0.30, 50: 0.25, 100: 0.15}
_STATIC_SIDES = {Position.LONG: 0.52, Position.SHORT: 0.48}
_STATIC_BUFFER = 0.004
_CANDLE_SHARES = {10: 0.30, 25: 0.35, 50: 0.25, 100: 0.10}
_ROUND, _ROUNDER = 1_000, 5_000  # prices people name; the rounder ones count three times
_REACH = 0.11  # of the price: covers all that is judged
_CELL = 0.0005  # log price


class Estimator(Protocol):
    """Draws a map from what is public."""

    in_usd: bool
    """Whether its totals mean dollars."""

    def update(self, minute: Minute) -> None:
        """Take the next minute."""

    def ladder(self, position: Position) -> list[float]:
        """Return one side of the map around the last price, in the buckets of the score."""


class Uniform:
    """Everywhere the same."""

    in_usd = False

    def update(self, minute: Minute) -> None:
        """Learn nothing."""

    def ladder(self, position: Position) -> list[float]:  # noqa: ARG002 - both sides look alike
        """Return the same for every bucket."""
        return [1.0] * BUCKETS


class RoundNumbers:
    """At prices that people name."""

    in_usd = False

    def update(self, minute: Minute) -> None:
        """Take the price."""
        self._price = minute.price

    def ladder(self, position: Position) -> list[float]:
        """Return the round prices within reach."""
        lowest = int(self._price * (1 - _REACH)) // _ROUND * _ROUND
        prices = range(lowest, int(self._price * (1 + _REACH)), _ROUND)
        return ladder(
            ((p, p, 1.0 if p % _ROUNDER else 3.0) for p in prices if p), self._price, position
        )


class VolumeProfile:
    """Where most was traded."""

    in_usd = False

    def __init__(self) -> None:
        self._volume_usd = _Cells()

    def update(self, minute: Minute) -> None:
        """Add the minute's volume at the takers' price."""
        self._price = minute.price
        self._volume_usd.add(minute.taker_price, minute.volume_usd)

    def ladder(self, position: Position) -> list[float]:
        """Return the volume traded at the prices of that side."""
        return self._volume_usd.ladder(self._price, position)


class StaticLeverage:
    """All open interest as if entered now, at invented shares of leverage."""

    in_usd = True

    def update(self, minute: Minute) -> None:
        """Take price and open interest."""
        self._price, self._usd = minute.price, minute.open_size * minute.price

    def ladder(self, position: Position) -> list[float]:
        """Return open interest at the liquidation prices of its leverages."""
        sign, usd = SIGN[position], self._usd * _STATIC_SIDES[position]
        ends = {
            self._price * (1 - sign * (1 / leverage - _STATIC_BUFFER)): usd * share
            for leverage, share in _STATIC_SHARES.items()
        }
        return ladder(((end, end, part) for end, part in ends.items()), self._price, position)


class GrowthByCandle:
    """Growth of open interest as longs in a rising minute, as shorts in a falling one.

    Nothing is ever closed; what price crosses is gone.
    """

    in_usd = True

    def __init__(self) -> None:
        self._sides = {position: _Cells() for position in Position}
        self._last: Minute | None = None

    def update(self, minute: Minute) -> None:
        """Add what open interest grew by, drop what price crossed."""
        before, self._last = self._last or minute, minute
        for cells in self._sides.values():
            cells.cross(before.price, minute.price)
        usd = (minute.open_size - before.open_size) * minute.price
        if usd <= 0:
            return
        position = Position.LONG if minute.price > before.price else Position.SHORT
        for leverage, share in _CANDLE_SHARES.items():
            end = minute.price * (1 - SIGN[position] / leverage)
            self._sides[position].add(end, usd * share)

    def ladder(self, position: Position) -> list[float]:
        """Return what is left of one side."""
        if self._last is None:
            return [0.0] * BUCKETS
        return self._sides[position].ladder(self._last.price, position)


BASELINES: dict[str, type[Estimator]] = {
    "uniform": Uniform,
    "round numbers": RoundNumbers,
    "volume profile": VolumeProfile,
    "open interest × leverage at spot": StaticLeverage,
    "growth by candle side, no closes": GrowthByCandle,
}


class _Cells:
    # USD by narrow price cell, however far away.

    def __init__(self) -> None:
        self._usd: defaultdict[int, float] = defaultdict(float)

    def add(self, price: float, usd: float) -> None:
        self._usd[math.floor(math.log(price) / _CELL)] += usd

    def cross(self, start: float, end: float) -> None:
        first, last = sorted(math.floor(math.log(price) / _CELL) for price in (start, end))
        for cell in range(first, last + 1):
            self._usd.pop(cell, None)

    def ladder(self, price: float, position: Position) -> list[float]:
        masses = (
            (math.exp(cell * _CELL), math.exp((cell + 1) * _CELL), usd)
            for cell, usd in self._usd.items()
        )
        return ladder(masses, price, position)
