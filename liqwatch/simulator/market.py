"""A levered market of one coin on three venues, or its twin in which forced orders move nothing.

Taker flow moves the log price, partly for good. A position whose liquidation price the mark reaches
is closed by market orders, which move the price on; impact rises while makers are nervous. What
an insurance fund cannot pay for is closed against winners, and moves nothing. Not modelled: the
order book, one coin's forced orders moving another (what moves all of them comes from outside).
"""

import math
from typing import NamedTuple

from liqwatch.simulator.outside import STEP_S, Orders
from liqwatch.simulator.positions import Book, Drained, Fund
from liqwatch.simulator.scenarios import Plan
from liqwatch.simulator.traders import VENUE_SHARES, start_price

_PERMANENT_SHARE = 0.6  # of impact; the rest decays
_TRANSIENT_S = 150.0
_MARK_S = (5.0, 4.0, 6.0)  # the venues' marks follow their last price with these time constants
_DRAIN_S = 12.0  # a venue works off its liquidations with this time constant …
_DRAIN_USD = 15_000.0  # … and at least so much a step
_STRESS_S = 15.0
_STRESS_FLOW = 25.0  # one-sided flow over usual volume that makes makers as nervous as they get
_STRESS_IMPACT = 1.4  # … which raises impact by this share


class Pressed(NamedTuple):
    """What a market did to itself in a step, by venue."""

    stops_usd: list[float]  # bought; sold: negative
    drained: list[Drained]
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
        self._funds = [Fund(plan.fund_usd * share) for share in VENUE_SHARES]
        self._transient = 0.0
        self.basis: tuple[float, ...] = (0.0,) * len(books)  # log price of venues against the coin
        self._log_marks = [self.log_price] * len(books)
        self._pressure_usd_s = 0.0
        self.stress = 0.0  # 0 calm … 1 panic

    @property
    def price(self) -> float:
        """The coin's price, before the venues' bases."""
        return math.exp(self.log_price)

    def last(self, venue: int) -> float:
        """Return the last price of a venue."""
        return math.exp(self.log_price + self.basis[venue])

    def mark(self, venue: int) -> float:
        """Return the price at which a venue judges margin."""
        return math.exp(self._log_marks[venue])

    def step(self, orders: Orders) -> Pressed:
        """Live a quarter of a second with these orders from outside."""
        price = self.price
        self._settle_ordinary(orders, price)
        stops_usd = [book.trigger(self.mark(v)) * price for v, book in enumerate(self.books)]
        drained = [
            book.drain(
                max(_DRAIN_USD / price, book.queued * STEP_S / _DRAIN_S), self.last(venue), fund
            )
            for venue, (book, fund) in enumerate(zip(self.books, self._funds, strict=True))
        ]
        forced_usd = -price * sum(h.sign * coins for one in drained for h, coins in one.sold)
        ordinary_usd = sum(take.usd for take in orders.takes) + sum(stops_usd)
        impulse = self._impact(forced_usd) if self._forced_impact else 0.0
        self._move(orders, self._impact(ordinary_usd) + impulse)
        self._feel(forced_usd * self._forced_impact + sum(stops_usd))
        return Pressed(stops_usd, drained, impulse)

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
        self.basis = orders.basis
        for venue, basis in enumerate(self.basis):
            gap = self.log_price + basis - self._log_marks[venue]
            self._log_marks[venue] += gap * STEP_S / _MARK_S[venue]

    def _feel(self, one_sided_usd: float) -> None:
        self._pressure_usd_s += (one_sided_usd / STEP_S - self._pressure_usd_s) * STEP_S / _STRESS_S
        usual_usd_s = self._coin.volume_usd_day / 86_400
        self.stress = min(1.0, abs(self._pressure_usd_s) / (_STRESS_FLOW * usual_usd_s))
