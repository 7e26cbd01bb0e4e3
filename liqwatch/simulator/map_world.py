"""A perpetual whose every liquidation price is known: what an estimated map is held against.

One instrument of one venue in steps of a minute. Volatility, trading and appetite come and go; each
minute newcomers enter on terms of their own along the way price took, others leave; stops and
liquidations go off where the mark reaches them, and part of their counterparts close as well. A
contract always has a long and a short, so handing one over leaves open interest as it is: about 15
% of volume opens positions and as much closes some, and open interest shows only the difference.

Shared with the estimator: the arithmetic of an isolated linear liquidation, and that some accounts
hold spare margin. Its own, and drawn anew for every world: who borrows how much (a power law,
snapped to what a slider offers, not the estimator's table), how much spare margin (exponential),
hedgers, stops, how long positions are kept, how bursts of openings come.

Measured over 12 worlds: 11 to 18 % of open interest levered above 7x (16 % on Hyperliquid, December
2025, phemex.com), 1.3 to 3.1 % of it liquidated a day (5.4 % on BitMEX, both sides, where people
borrow more, arXiv 2102.04591), longs mostly more than shorts; of that, a feed of one order a second
shows a quarter to three quarters.

Not modelled: forced orders that move the price, margin added on the way, partial liquidation,
moves inside a minute, late or missing samples.
"""

import math
from operator import mul
from statistics import fmean
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.simulator.map_course import MINUTES_PER_DAY, Course
from liqwatch.simulator.map_holders import (
    HEDGERS_KEPT,
    KEPT_H,
    SIGN,
    Ended,
    Habits,
    Side,
    Trader,
    draw_trader,
)
from liqwatch.simulator.seeds import Random

_EARLIER_DAYS = 3  # lived before the first minute told, so that recent swings have left their mark

_TRADERS = 10_000  # a side; they come again and again, on their own terms
_NEWCOMERS = 10  # a minute and side, each standing for many alike
_FIRST_SPREAD = 0.05  # of earlier entries around the first price, log


class Sides(NamedTuple):
    """USD of both sides."""

    long: float
    short: float


class Minute(NamedTuple):
    """What a venue publishes of one minute, as it stands at its end."""

    price: float
    mark: float
    taker_price: float  # the takers' average
    volume_usd: float
    open_size: float  # open interest, coins
    forced_usd: Sides  # liquidated, all of it
    visible_usd: Sides  # the same on a feed of one order a second


class Character(NamedTuple):
    """What makes one world differ from another."""

    open_interest_usd: float
    turnover: float  # volume a day over open interest
    churn: float  # share of volume that opens a position, on average
    volatility_day: float
    counterparts: float  # who close where others are stopped or liquidated
    patience: float  # hedgers are so much rarer among takers, and more common among makers
    forced_order_usd: float  # mean size
    habits: dict[Position, Habits]


def draw_character(rng: Random) -> Character:
    """Draw a world."""
    tail, hedged = rng.uniform(0.7, 1.1), rng.uniform(0.05, 0.25)
    cross, spare, stops = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.6)
    return Character(
        open_interest_usd=rng.uniform(0.5e9, 8e9),
        turnover=rng.uniform(2.0, 5.0),
        churn=rng.uniform(0.10, 0.20),
        volatility_day=rng.uniform(0.02, 0.045),
        counterparts=rng.uniform(0.4, 0.8),
        patience=rng.uniform(0.0, 0.5),
        forced_order_usd=rng.uniform(5e3, 3e4),
        habits={
            Position.LONG: Habits(tail, hedged, cross, spare, stops),
            Position.SHORT: Habits(
                tail + rng.uniform(0.0, 0.15), hedged + rng.uniform(0.05, 0.2), cross, spare, stops
            ),
        },
    )


class MapWorld:
    """Two weeks, or as long as one steps, of one world."""

    def __init__(self, rng: Random) -> None:
        self.character = draw_character(rng)
        self._rng = rng
        price = rng.uniform(30_000.0, 90_000.0)
        self._course = Course(price, self.character.volatility_day, rng)
        self.sides = {position: Side(position) for position in Position}
        self._traders = {
            position: [draw_trader(SIGN[position], habits, rng) for _ in range(_TRADERS)]
            for position, habits in self.character.habits.items()
        }
        size = self.character.open_interest_usd / price
        self._volume_minute = size * self.character.turnover / MINUTES_PER_DAY  # coins
        self._rates = self._leaving_rates()
        self._settle_first_holders(size)
        self._minutes = 0
        for _ in range(_EARLIER_DAYS * MINUTES_PER_DAY):
            self.step()

    def _leaving_rates(self) -> list[float]:
        # Stretch all stays so that what is opened each day keeps open interest where it is.
        mean_h = fmean(self._mean_stay_h(position) for position in Position)
        opened_day = self.character.churn * self.character.turnover  # over open interest
        return [opened_day * mean_h / 24 / (60 * hours) for hours in KEPT_H]

    def _mean_stay_h(self, position: Position) -> float:
        traders = self._traders[position]
        levered_h = fmean((KEPT_H[one.kept] for one in traders), [one.size for one in traders])
        hedgers_h = math.fsum(map(mul, KEPT_H, HEDGERS_KEPT))
        hedged = self.character.habits[position].hedged
        return hedged * hedgers_h + (1 - hedged) * levered_h

    def _settle_first_holders(self, size: float) -> None:
        # Who is met at any one time has stayed: hedgers and holders more than scalpers.
        rng, price = self._rng, self._course.price
        for position, side in self.sides.items():
            holders: list[tuple[float, float, Trader]] = []
            for one in self._traders[position]:
                entry = price * math.exp(rng.gauss(0, _FIRST_SPREAD))
                end = one.stop or one.liquidation
                if end is None or SIGN[position] * (price - entry * end) > 0:
                    holders.append((one.size * KEPT_H[one.kept], entry, one))
            hedged = self.character.habits[position].hedged
            side.hedge(size * hedged)
            part = size * (1 - hedged) / math.fsum(stock for stock, _, _ in holders)
            for stock, entry, one in holders:
                side.open(part * stock, entry, one)

    @property
    def open_size(self) -> float:
        """Open interest in coins."""
        return self.sides[Position.LONG].coins

    def step(self) -> Minute:
        """Live a minute."""
        course = self._course
        before = course.price
        course.step()
        ended = {position: side.reach(course.mark) for position, side in self.sides.items()}
        self._open(before, self._close(ended))
        self._minutes += 1
        if self._minutes % MINUTES_PER_DAY == 0:
            for side in self.sides.values():
                side.forget_dust()
        price = course.price
        forced_usd = Sides(*(price * ended[position].forced for position in Position))
        ended_coins = math.fsum(map(math.fsum, ended.values()))
        return Minute(
            price=price,
            mark=course.mark,
            taker_price=before * (price / before) ** self._rng.uniform(0.3, 0.7),
            volume_usd=price * (self._volume_minute * course.activity + ended_coins),
            open_size=self.open_size,
            forced_usd=forced_usd,
            visible_usd=self._throttle(forced_usd),
        )

    def _close(self, ended: dict[Position, Ended]) -> dict[Position, float]:
        """Let people leave beside those whom price has ended; return coins closed in all."""
        closed = {}
        for position, other in zip(Position, reversed(Position), strict=True):
            side, hurry = self.sides[position], self._course.activity * self._course.burst()
            leaving = [
                side.close(kept, 1 - math.exp(-hurry * r)) for kept, r in enumerate(self._rates)
            ]
            met = self.character.counterparts * math.fsum(ended[other])
            leaving.append(side.close_all_alike(min(0.5, met / side.coins)))
            closed[position] = math.fsum([*leaving, *ended[position]])
        return closed

    def _open(self, before: float, closed: dict[Position, float]) -> None:
        """Let people enter. Leavers of one side who meet none of the other hand over to them."""
        rng, course, character = self._rng, self._course, self.character
        wanted = self._volume_minute * character.churn * course.appetite * course.burst()
        change = max(wanted - math.fsum(closed.values()) / 2, -min(closed.values()))
        way = course.price / before
        taking = math.copysign(1, way - 1)  # +1: longs enter as takers
        for position, side in self.sides.items():
            coins, hedged = change + closed[position], character.habits[position].hedged
            hedged *= 1 - character.patience * SIGN[position] * taking
            side.hedge(coins * hedged)
            traders = self._traders[position]
            found = [traders[int(rng.random() * _TRADERS)] for _ in range(_NEWCOMERS)]
            part = coins * (1 - hedged) / math.fsum(one.size for one in found)
            for one in found:
                entry = before * way ** rng.random() * (1 + course.noise * rng.gauss(0, 1))
                side.open(part * one.size, entry, one)

    def _throttle(self, forced_usd: Sides) -> Sides:
        # Poisson arrivals: only the seconds with any order show one, of mean size.
        orders = math.fsum(forced_usd) / self.character.forced_order_usd
        shown = 60 * (1 - math.exp(-orders / 60)) / orders if orders else 1.0
        return Sides(forced_usd.long * shown, forced_usd.short * shown)
