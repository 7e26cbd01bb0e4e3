"""The last forty minutes of a coin in steps of five seconds: nothing is decided by them, the
picture of a cascade shows them.
"""

from array import array
from math import isnan, nan

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.liquidation_map import Cells

STEP_S = 5
STEPS = 480


def _cells() -> Cells:
    return array("f")


class Recent(msgspec.Struct):
    """The last price of each step, and the visible forced USD that was shown in it.

    >>> recent = Recent()
    >>> shown = {Direction.UP: 0.0, Direction.DOWN: 0.0}
    >>> for second, price, up_usd in ((0, 100.0, 0.0), (4, 101.0, 50.0), (7, 102.0, 80.0)):
    ...     recent.update(second, price, shown | {Direction.UP: up_usd})
    >>> recent.prices_by_time(), recent.forced_by_time(Direction.UP)
    (((0, 101.0), (5000, 102.0)), ((0, 50.0), (5000, 30.0)))
    """

    step: int = 0  # the newest
    prices: Cells = msgspec.field(default_factory=_cells)  # nan: not known
    forced_usd: dict[Direction, Cells] = msgspec.field(
        default_factory=lambda: {direction: _cells() for direction in Direction}
    )
    told_usd: dict[Direction, float] = msgspec.field(default_factory=dict)  # up to now

    def update(self, second: int, price: float, total_usd: dict[Direction, float]) -> None:
        """Take a second: its price, and all forced USD ever shown up to it."""
        step = second // STEP_S
        if self.prices and step < self.step:
            return
        if not self.prices or step > self.step:
            self._begin(step)
        self.prices[-1] = price
        for direction, usd in total_usd.items():
            self.forced_usd[direction][-1] += max(0.0, usd - self.told_usd.get(direction, usd))
            self.told_usd[direction] = usd

    def _begin(self, step: int) -> None:
        missed = min(step - self.step - 1, STEPS) if self.prices else 0
        self.prices.extend([nan] * (missed + 1))
        del self.prices[:-STEPS]
        for cells in self.forced_usd.values():
            cells.extend([0.0] * (missed + 1))
            del cells[:-STEPS]
        self.step = step

    def prices_by_time(self) -> tuple[tuple[int, float], ...]:
        """Return time (ms, when its step began) and price, oldest first, where it is known."""
        return tuple(one for one in self._timed(self.prices) if not isnan(one[1]))

    def forced_by_time(self, direction: Direction) -> tuple[tuple[int, float], ...]:
        """Return time (ms) and visible forced USD of the steps that had any, oldest first."""
        return tuple(one for one in self._timed(self.forced_usd[direction]) if one[1] > 0)

    def _timed(self, cells: Cells) -> list[tuple[int, float]]:
        first = self.step - len(cells) + 1
        return [(step * STEP_S * 1000, value) for step, value in enumerate(cells, first)]
