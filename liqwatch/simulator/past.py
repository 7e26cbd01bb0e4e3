"""What a coin's markets did before the first frame: made up backwards from there, and told by REST.

Price wanders to where the scenario begins. Whoever holds a levered position then opened it when
price last stood at his entry, or on one of the earlier occasions since it stood at his exit; so a
map made from this past tells of the same people as the market that follows.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

from liqwatch.simulator.positions import Book
from liqwatch.simulator.scenarios import Coin
from liqwatch.simulator.seeds import Random, generator
from liqwatch.simulator.traders import VENUE_SHARES
from liqwatch.simulator.world import World

BAR_MS = 900_000
BARS = 500
_STEPS = 3  # of price within a bar
_DAY_MS = 86_400_000


class PastBar(NamedTuple):
    """An interval of one venue."""

    begin_ms: int
    open: float
    low: float
    high: float
    close: float
    coins: float  # traded
    open_interest: float  # at its end, coins, one side

    @property
    def paid(self) -> float:
        """USD that were paid for what was traded."""
        return self.coins * (self.low + self.high + self.close) / 3


class _Holder(NamedTuple):
    entry: float
    exit: float
    coins: float


class Past:
    """One venue's past of one coin, up to the first frame. `path` is the coin's price by bars."""

    def __init__(self, coin: Coin, share: float, book: Book, path: "Path", rng: Random) -> None:
        self._coins_per_bar = coin.volume_usd_day * share / coin.price * BAR_MS / _DAY_MS
        self._open_interest = book.open_interest
        self._holders = [_Holder(h.entry, h.exit_price, h.coins) for h in book.holdings()]
        self._path, self._rng = path, rng

    def bars(self, interval_ms: int, most: int) -> list[PastBar]:
        """Return the last bars of this length, oldest first; the newest may not be over."""
        grouped = groupby(self._bars, key=lambda bar: bar.begin_ms // interval_ms)
        whole = [_together(list(bars), number * interval_ms) for number, bars in grouped]
        return whole[-most:]

    def points(self, interval_ms: int, most: int) -> list[tuple[int, float]]:
        """Return (time, open interest in coins) of the last moments so far apart, oldest first."""
        bars = self.bars(interval_ms, most + 1)
        return [(after.begin_ms, bar.open_interest) for bar, after in pairwise(bars)]

    @cached_property
    def _bars(self) -> list[PastBar]:
        opened = [0.0] * len(self._path.ranges)
        for holder in self._holders:
            visits = self._path.visits(holder.entry, since=holder.exit)
            opened[self._rng.choice(visits) if visits else 0] += holder.coins / 2  # a side each
        opened[0] += self._open_interest - math.fsum(opened)
        return [
            PastBar(*prices, self._traded(), size)
            for prices, size in zip(self._path.ranges, accumulate(opened), strict=True)
        ]

    def _traded(self) -> float:
        return self._coins_per_bar * self._rng.lognormvariate(-0.32, 0.8)


class Path:
    """A coin's price before the first frame, as (begin, open, low, high, close) of bars."""

    def __init__(self, coin: Coin, price: float, start_ms: int, rng: Random) -> None:
        sigma = coin.volatility_day * math.sqrt(BAR_MS / _STEPS / _DAY_MS)
        last_ms = start_ms // BAR_MS * BAR_MS
        self.ranges: list[tuple[int, float, float, float, float]] = []
        for number in range(BARS):
            prices = [price]
            for _ in range(_STEPS):
                price *= math.exp(sigma * rng.gauss(0, 1))
                prices.append(price)
            begin_ms = last_ms - number * BAR_MS
            self.ranges.append((begin_ms, price, min(prices), max(prices), prices[0]))
        self.ranges.reverse()

    def visits(self, price: float, *, since: float) -> Sequence[int]:
        """Return which bars reached a price, after the last one that reached the other."""
        found = []
        for number in range(len(self.ranges) - 1, -1, -1):
            _, _, low, high, _ = self.ranges[number]
            if low <= since <= high:
                break
            if low <= price <= high:
                found.append(number)
        return found


def pasts(world: World, *, seed: int) -> list[Past]:
    """Return the past of each venue of a world that has not begun."""
    coin, market = world.plan.coin, world.market
    rng = generator(seed, coin.symbol, "past")
    path = Path(coin, market.price, world.time_ms, rng)
    shares = zip(VENUE_SHARES, market.books, strict=True)
    return [Past(coin, share, book, path, rng) for share, book in shares]


def _together(bars: Sequence[PastBar], begin_ms: int) -> PastBar:
    return PastBar(
        begin_ms,
        bars[0].open,
        min(bar.low for bar in bars),
        max(bar.high for bar in bars),
        bars[-1].close,
        math.fsum(bar.coins for bar in bars),
        bars[-1].open_interest,
    )
