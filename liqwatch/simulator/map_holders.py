"""Who holds positions in a map world, on which terms, and at which mark price each of them ends.

Positions that are alike in how long they are kept fade by one common factor, so a minute costs as
much as it opens, however many are open.
"""

import math
from bisect import bisect
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import msgspec

from liqwatch.events import Position
from liqwatch.simulator.seeds import Random

SIGN = {Position.LONG: 1, Position.SHORT: -1}

# How long positions are kept, mean hours before a world stretches them; from scalpers to holders.
KEPT_H = (2.0, 12.0, 72.0, 300.0)
# Below 4x, below 12x, above: who borrows more stays less. Shares of what is opened, by `KEPT_H`.
_KEPT_SHARES = ((0.15, 0.25, 0.40, 0.20), (0.25, 0.35, 0.30, 0.10), (0.40, 0.35, 0.20, 0.05))
_KEPT_UP_TO = (4.0, 12.0)
HEDGERS_KEPT = _KEPT_SHARES[0]
_CUMULATED = tuple(tuple(sum(row[: i + 1]) for i in range(3)) for row in _KEPT_SHARES)

_OFFERED = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 75.0, 100.0)
_BETWEEN_OFFERED = tuple(math.sqrt(a * b) for a, b in pairwise(_OFFERED))
_LEAST_LEVERAGE = 2.5
_TAIL_OF_HEADS = 0.6  # power law of how many borrow how much: many small ones borrow most
_ROUND_SHARE = 0.7  # take a leverage that the venue's slider offers
_MAINTENANCE = (0.004, 0.004, 0.004, 0.005, 0.01)  # a few are so big that a higher tier holds
_NEGLIGIBLE = 1e-7  # of the side's coins; what has faded so far is gone


class Habits(NamedTuple):
    """What traders of one side do in one world."""

    leverage_tail: float  # share of levered openings above a leverage L: L to minus this
    hedged: float  # share of openings that no price liquidates
    cross: float  # share of accounts that hold more margin than the position shows …
    spare: float  # … by this share of it, on average
    stops: float  # share of positions that close by themselves on the way


class Trader(NamedTuple):
    """How somebody trades: size against others, prices as ratios to the entry price."""

    size: float
    kept: int  # index of KEPT_H
    leverage: float
    liquidation: float | None  # None: no price liquidates it
    stop: float | None


def draw_trader(sign: int, habits: Habits, rng: Random) -> Trader:
    """Draw somebody who borrows."""
    random = rng.random
    wish = (1 - random()) ** (-1 / _TAIL_OF_HEADS)  # over the least
    size = math.exp(rng.gauss(0, 1)) * wish ** (_TAIL_OF_HEADS - habits.leverage_tail)
    maintenance = _MAINTENANCE[int(random() * len(_MAINTENANCE))]
    leverage = min(_LEAST_LEVERAGE * wish, _OFFERED[-1], 0.5 / maintenance)
    if random() < _ROUND_SHARE:
        leverage = _OFFERED[bisect(_BETWEEN_OFFERED, leverage)]
    margin = 1 / leverage
    if random() < habits.cross:
        margin *= 1 + rng.expovariate(1 / habits.spare)
    kept = bisect(_CUMULATED[bisect(_KEPT_UP_TO, leverage)], random())
    liquidation = (1 - sign * margin) / (1 - sign * maintenance)
    if liquidation <= 0:
        return Trader(size, kept, leverage, None, None)
    stops = random() < habits.stops
    stop = 1 + (0.3 + 0.65 * random()) * (liquidation - 1) if stops else None
    return Trader(size, kept, leverage, liquidation, stop)


class Lot(msgspec.Struct, order=True, gc=False):
    """One trader's position. Sorts by the mark price that ends it, nearest first."""

    exit_key: float  # minus sign × price
    liquidation: float
    leverage: float
    kept: int
    stops: bool
    stored: float  # coins at the factor of its kind


class Ended(NamedTuple):
    """Coins that price ended in a minute."""

    stopped: float
    forced: float


class Side:
    """All longs or all shorts."""

    def __init__(self, position: Position) -> None:
        self._sign = SIGN[position]
        self._coins = [0.0] * len(KEPT_H)  # hedgers included
        self._factor = [1.0] * len(KEPT_H)
        self._lots: list[Lot] = []  # a heap

    @property
    def coins(self) -> float:
        """What is open on this side."""
        return math.fsum(self._coins)

    def hedge(self, coins: float) -> None:
        """Take in hedgers."""
        for kept, share in enumerate(HEDGERS_KEPT):
            self._coins[kept] += coins * share

    def open(self, coins: float, entry: float, trader: Trader) -> None:
        """Take in somebody who borrows."""
        _, kept, leverage, liquidation, stop = trader
        self._coins[kept] += coins
        if liquidation is None:
            return
        end = entry * (liquidation if stop is None else stop)
        stored = coins / self._factor[kept]
        key, stops = -self._sign * end, stop is not None
        heappush(self._lots, Lot(key, entry * liquidation, leverage, kept, stops, stored))

    def close(self, kept: int, share: float) -> float:
        """Let a share of those who stay so long leave of their own will; return their coins."""
        closed = self._coins[kept] * share
        self._coins[kept] -= closed
        self._factor[kept] *= 1 - share
        return closed

    def close_all_alike(self, share: float) -> float:
        """Let the same share of everybody leave; return their coins."""
        return math.fsum(self.close(kept, share) for kept in range(len(KEPT_H)))

    def reach(self, mark: float) -> Ended:
        """End every position whose price the mark has reached."""
        ended = [0.0, 0.0]
        lots, limit = self._lots, -self._sign * mark
        while lots and lots[0].exit_key <= limit:
            lot = heappop(lots)
            coins = min(lot.stored * self._factor[lot.kept], self._coins[lot.kept])
            self._coins[lot.kept] -= coins
            ended[not lot.stops] += coins
        return Ended(*ended)

    def lots(self) -> Iterator[tuple[Lot, float]]:
        """Every levered position that is still open, with its coins."""
        return ((lot, lot.stored * self._factor[lot.kept]) for lot in self._lots)

    def forget_dust(self) -> None:
        """Drop what has faded away and start the factors anew."""
        least, factor = _NEGLIGIBLE * self.coins, self._factor
        for lot in self._lots:
            lot.stored *= factor[lot.kept]
        self._lots = [lot for lot in self._lots if lot.stored > least]
        heapify(self._lots)
        self._factor = [1.0] * len(KEPT_H)
