"""A market beside its twin, told step by step in the words of the venues: trades, forced orders."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.simulator.market import Market, Pressed
from liqwatch.simulator.outside import STEP_MS, Orders, Outside
from liqwatch.simulator.positions import Drained, Holding
from liqwatch.simulator.scenarios import Coin, Plan, Scenario
from liqwatch.simulator.seeds import Random, generator
from liqwatch.simulator.traders import VENUE_SHARES, first_books, start_price

_ORDER_MEDIAN_USD, _ORDER_SIGMA = 900.0, 2.09  # of forced orders, log-normal: mean about 8,000


class Fill(NamedTuple):
    """Trades of one taker side reported as one print."""

    time_ms: int
    price: float
    coins: float
    buy: bool


class ForcedOrder(NamedTuple):
    """A market order that closed (a part of) a position."""

    time_ms: int
    position: Position
    coins: float
    price: float
    bankruptcy_price: float


class VenueStep(NamedTuple):
    """What one venue saw in a step; the forced orders are in the trades as well."""

    price: float
    mark_price: float
    open_interest: float  # coins, one side
    trades: list[Fill]
    forced: list[ForcedOrder]
    deleveraged_usd: float = 0.0  # closed beside the book: aggTrade leaves it out, others unknown


class Step(NamedTuple):
    """A quarter of a second of one coin; `time_ms` is its end."""

    symbol: str
    time_ms: int
    index_price: float
    displacement: float  # log price pushed by forced orders: the market against its twin
    forced_impulse: float  # the same as pushed in this step, before any of it decays
    venues: tuple[VenueStep, ...]


class World:
    """A coin's market beside its twin, told step by step."""

    def __init__(self, plan: Plan, direction: int, *, seed: int, start_ms: int) -> None:
        self.plan, self.direction = plan, direction
        self.time_ms = start_ms
        own, shared = generator(seed, plan.coin.symbol, "outside"), generator(seed, "market")
        self._outside = Outside(plan, direction, own, shared)
        begin = start_price(plan, direction)
        self.market, self.twin = (
            Market(
                plan,
                direction,
                first_books(plan, direction, begin, generator(seed, plan.coin.symbol, "books")),
                forced_impact=forced_impact,
            )
            for forced_impact in (True, False)
        )
        self._report = _Reporter(plan.coin, generator(seed, plan.coin.symbol, "report"))

    def step(self) -> Step:
        """Live a quarter of a second."""
        orders = self._outside.step(self.twin.price)
        before = self.market.log_price
        self.twin.step(orders)
        pressed = self.market.step(orders)
        venues = self._report.venues(self.market, before, self.time_ms, orders, pressed)
        self.time_ms += STEP_MS
        return Step(
            self.plan.coin.symbol,
            self.time_ms,
            self.market.price,
            self.market.log_price - self.twin.log_price,
            pressed.forced_impulse,
            venues,
        )


def worlds(scenario: Scenario, *, seed: int, start_ms: int) -> list[World]:
    """Make the coins of a scenario; the same seed gives the same course, shifted to `start_ms`."""
    drawn = generator(seed, "direction").choice((1, -1))
    direction = drawn if scenario.direction is None else scenario.direction
    return [World(plan, direction, seed=seed, start_ms=start_ms) for plan in scenario.plans]


class _Reporter:
    # Turns what a market did into what its venues print.

    def __init__(self, coin: Coin, rng: Random) -> None:
        self._coin, self._rng = coin, rng

    def venues(
        self, market: Market, before: float, begin_ms: int, orders: Orders, pressed: Pressed
    ) -> tuple[VenueStep, ...]:
        # Other traders' two-sided business grows with the panic; it moves nothing.
        activity = 1 + 3 * market.stress
        takes: list[list[tuple[int, float]]] = [[] for _ in VENUE_SHARES]
        for take in orders.takes:
            takes[take.venue].append((take.offset_ms, take.usd * activity))
        for venue, usd in enumerate(pressed.stops_usd):
            if usd:
                takes[venue].append((self._offset(), usd))
        reports = []
        for venue, book in enumerate(market.books):
            basis = market.basis[venue]
            path = _Path(begin_ms, before + basis, market.log_price + basis)
            forced = [
                order
                for holding, coins in pressed.drained[venue].sold
                for order in self._orders(holding, coins, path)
            ]
            fills = [self._fill(path, *take) for take in takes[venue]]
            reports.append(
                VenueStep(
                    market.last(venue),
                    market.mark(venue),
                    book.open_interest,
                    sorted(fills + _prints(forced)),
                    sorted(forced, key=lambda order: order.time_ms),
                    _deleveraged_usd(pressed.drained[venue]),
                )
            )
        return tuple(reports)

    def _fill(self, path: "_Path", offset_ms: int, usd: float) -> Fill:
        price = path.price(offset_ms) + math.copysign(self._coin.tick / 2, usd)
        return Fill(path.begin_ms + offset_ms, price, abs(usd) / price, usd > 0)

    def _orders(self, holding: Holding, coins: float, path: "_Path") -> Iterator[ForcedOrder]:
        while coins > 0:
            offset_ms = self._offset()
            price = path.price(offset_ms)
            usd = _ORDER_MEDIAN_USD * self._rng.lognormvariate(0, _ORDER_SIGMA)
            size = min(coins, usd / price)
            coins -= size
            time_ms = path.begin_ms + offset_ms
            yield ForcedOrder(time_ms, holding.position, size, price, holding.bankruptcy_price)

    def _offset(self) -> int:
        return int(self._rng.random() * STEP_MS)


class _Path(NamedTuple):
    # A venue's log price inside a step: a straight line.

    begin_ms: int
    before: float
    after: float

    def price(self, offset_ms: int) -> float:
        return math.exp(self.before + (self.after - self.before) * offset_ms / STEP_MS)


def _deleveraged_usd(drained: Drained) -> float:
    return sum(coins * holding.bankruptcy_price for holding, coins in drained.deleveraged)


def _prints(forced: list[ForcedOrder]) -> list[Fill]:
    # Venues report many small matches as one print: here, those of one side within 125 ms.
    sums: dict[tuple[int, bool], tuple[int, float, float]] = {}
    for order in forced:
        key = (order.time_ms * 2 // STEP_MS, order.position is Position.SHORT)
        time_ms, coins, usd = sums.get(key, (0, 0.0, 0.0))
        usd += order.coins * order.price
        sums[key] = (max(time_ms, order.time_ms), coins + order.coins, usd)
    return [
        Fill(time_ms, usd / coins, coins, buy) for (_, buy), (time_ms, coins, usd) in sums.items()
    ]
