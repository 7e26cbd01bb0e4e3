"""A levered market of one coin on three venues, and its twin in which forced orders move nothing.

Taker flow moves the log price, partly for good. A position whose liquidation price the mark reaches
is closed by market orders, which move the price on; impact rises while makers are nervous. Not
modelled: the order book, insurance funds, auto-deleveraging, one coin's fall dragging another.
"""

import math
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.simulator.outside import STEP_MS, STEP_S, Orders, Outside
from liqwatch.simulator.positions import Book, Holding
from liqwatch.simulator.scenarios import Coin, Plan, Scenario
from liqwatch.simulator.seeds import Random, generator
from liqwatch.simulator.traders import VENUE_SHARES, first_books, start_price

_PERMANENT_SHARE = 0.6  # of impact; the rest decays
_TRANSIENT_S = 150.0
_MARK_S = (5.0, 4.0, 6.0)  # the venues' marks follow their last price with these time constants
_DRAIN_S = 12.0  # a venue works off its liquidations with this time constant …
_DRAIN_USD = 15_000.0  # … and at least so much a step
_STRESS_S = 15.0
_STRESS_FLOW = (
    25.0  # one-sided flow of so many times the usual volume makes makers as nervous as they get
)
_STRESS_IMPACT = 1.4  # … and raises impact by this share
_FORCED_ORDER_MEDIAN_USD, _FORCED_ORDER_SIGMA = 900.0, 2.09  # mean about 8,000


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


class Step(NamedTuple):
    """A quarter of a second of one coin; `time_ms` is its end."""

    symbol: str
    time_ms: int
    index_price: float
    displacement: float  # log price pushed by forced orders: the market against its twin
    forced_impulse: float  # the same as pushed in this step, before any of it decays
    venues: tuple[VenueStep, ...]


class Pressed(NamedTuple):
    """What a market did to itself in a step, by venue."""

    stops_usd: list[float]  # bought; sold: negative
    forced: list[list[tuple[Holding, float]]]  # coins of positions
    forced_impulse: float  # on the log price


class Market:
    """One course of the world. `forced_impact` False makes the twin."""

    def __init__(
        self, plan: Plan, direction: int, books: list[Book], *, forced_impact: bool
    ) -> None:
        self._coin, self._plan, self._direction = plan.coin, plan, direction
        self._forced_impact = forced_impact
        self._log_origin = math.log(plan.origin)
        self.books = books
        self.log_price = math.log(start_price(plan, direction))
        self._transient = 0.0
        self._basis: tuple[float, ...] = (0.0,) * len(books)
        self._log_marks = [self.log_price] * len(books)
        self._pressure_usd_s = 0.0
        self.stress = 0.0  # 0 calm … 1 panic

    @property
    def price(self) -> float:
        """The coin's price, before the venues' bases."""
        return math.exp(self.log_price)

    def last(self, venue: int) -> float:
        """Return the last price of a venue."""
        return math.exp(self.log_price + self._basis[venue])

    def mark(self, venue: int) -> float:
        """Return the price at which a venue judges margin."""
        return math.exp(self._log_marks[venue])

    def step(self, orders: Orders) -> Pressed:
        """Live a quarter of a second with these orders from outside."""
        price = self.price
        self._settle_ordinary(orders, price)
        stops_usd = [book.trigger(self.mark(v)) * price for v, book in enumerate(self.books)]
        forced = [
            list(book.drain(max(_DRAIN_USD / price, book.queued * STEP_S / _DRAIN_S)))
            for book in self.books
        ]
        forced_usd = -price * sum(h.sign * coins for part in forced for h, coins in part)
        ordinary_usd = sum(take.usd for take in orders.takes) + sum(stops_usd)
        impulse = self._impact(forced_usd) if self._forced_impact else 0.0
        self._move(orders, self._impact(ordinary_usd) + impulse)
        self._feel(forced_usd * self._forced_impact + sum(stops_usd))
        return Pressed(stops_usd, forced, impulse)

    def _settle_ordinary(self, orders: Orders, price: float) -> None:
        for opening in orders.openings:
            self.books[opening.venue].open(opening.usd / price, price, opening.long, opening.short)
        for closing in orders.closings:
            self.books[closing.venue].close(
                closing.usd / price, closing.long_pick, closing.short_pick
            )

    def _impact(self, usd: float) -> float:
        beyond_level = self._direction * (self.log_price - self._log_origin)
        at_wall = usd * self._direction > 0 and beyond_level * 1e4 > self._plan.wall_bp
        walled = self._plan.wall_impact if at_wall else 1.0
        return self._coin.impact_per_usd * (1 + _STRESS_IMPACT * self.stress) * walled * usd

    def _move(self, orders: Orders, impulse: float) -> None:
        decayed = self._transient * STEP_S / _TRANSIENT_S
        self._transient += (1 - _PERMANENT_SHARE) * impulse - decayed
        self.log_price += orders.shock + impulse - decayed
        self._basis = orders.basis
        for venue, basis in enumerate(self._basis):
            gap = self.log_price + basis - self._log_marks[venue]
            self._log_marks[venue] += gap * STEP_S / _MARK_S[venue]

    def _feel(self, one_sided_usd: float) -> None:
        self._pressure_usd_s += (one_sided_usd / STEP_S - self._pressure_usd_s) * STEP_S / _STRESS_S
        usual_usd_s = self._coin.volume_usd_day / 86_400
        self.stress = min(1.0, abs(self._pressure_usd_s) / (_STRESS_FLOW * usual_usd_s))


class World:
    """A coin's market beside its twin, told step by step."""

    def __init__(self, plan: Plan, direction: int, *, seed: int, start_ms: int) -> None:
        self.plan, self.direction = plan, direction
        self.time_ms = start_ms
        self._outside = Outside(plan, direction, generator(seed, plan.coin.symbol, "outside"))
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
        path = _Path(begin_ms, before, market.log_price)
        # Other traders' two-sided business grows with the panic; it moves nothing.
        activity = 1 + 3 * market.stress
        takes: list[list[tuple[int, float]]] = [[] for _ in VENUE_SHARES]
        for take in orders.takes:
            takes[take.venue].append((take.offset_ms, take.usd * activity))
        for venue, usd in enumerate(pressed.stops_usd):
            if usd:
                takes[venue].append((self._offset(), usd))
        return tuple(
            self._venue(market, venue, path, takes[venue], pressed.forced[venue])
            for venue in range(len(VENUE_SHARES))
        )

    def _venue(
        self,
        market: Market,
        venue: int,
        path: "_Path",
        takes: list[tuple[int, float]],
        parts: list[tuple[Holding, float]],
    ) -> VenueStep:
        ratio = market.last(venue) / market.price
        forced = [order for part in parts for order in self._orders(*part, path, ratio)]
        fills = [self._fill(path, ratio, offset, usd) for offset, usd in takes]
        fills += _prints(forced)
        fills.sort()
        forced.sort(key=lambda order: order.time_ms)
        return VenueStep(
            market.last(venue), market.mark(venue), market.books[venue].open_interest, fills, forced
        )

    def _fill(self, path: "_Path", ratio: float, offset_ms: int, usd: float) -> Fill:
        price = path.price(offset_ms) * ratio + math.copysign(self._coin.tick / 2, usd)
        return Fill(path.begin_ms + offset_ms, price, abs(usd) / price, usd > 0)

    def _orders(
        self, holding: Holding, coins: float, path: "_Path", ratio: float
    ) -> list[ForcedOrder]:
        orders = []
        while coins > 0:
            offset_ms = self._offset()
            price = path.price(offset_ms) * ratio
            size = min(
                coins,
                _FORCED_ORDER_MEDIAN_USD / price * self._rng.lognormvariate(0, _FORCED_ORDER_SIGMA),
            )
            coins -= size
            orders.append(
                ForcedOrder(
                    path.begin_ms + offset_ms,
                    holding.position,
                    size,
                    price,
                    holding.bankruptcy_price,
                )
            )
        return orders

    def _offset(self) -> int:
        return int(self._rng.random() * STEP_MS)


class _Path(NamedTuple):
    # the log price inside a step: a straight line

    begin_ms: int
    before: float
    after: float

    def price(self, offset_ms: int) -> float:
        return math.exp(self.before + (self.after - self.before) * offset_ms / STEP_MS)


def _prints(forced: list[ForcedOrder]) -> list[Fill]:
    # Venues report many small matches as one print: here, those of one side within 125 ms.
    sums: dict[tuple[int, bool], tuple[int, float, float]] = {}
    for order in forced:
        key = (order.time_ms * 2 // STEP_MS, order.position is Position.SHORT)
        time_ms, coins, usd = sums.get(key, (0, 0.0, 0.0))
        sums[key] = (
            max(time_ms, order.time_ms),
            coins + order.coins,
            usd + order.coins * order.price,
        )
    return [
        Fill(time_ms, usd / coins, coins, buy) for (_, buy), (time_ms, coins, usd) in sums.items()
    ]
