"""What happens to a market whether or not anybody is liquidated: news, traders, new positions.

A market and its twin get the same of it, step by step.
"""

import math
from typing import NamedTuple

from liqwatch.simulator.positions import MAINTENANCE_RATE, Book, Holding, Terms
from liqwatch.simulator.scenarios import Plan
from liqwatch.simulator.seeds import Random

STEP_S = 0.25
STEP_MS = 250
VENUE_SHARES = (0.45, 0.30, 0.25)  # Binance, Bybit, OKX: of trading and of open interest
_VENUES = range(len(VENUE_SHARES))

# Most open interest is little levered; what dies is the small, highly levered rest.
_LEVERAGES, _OPEN_INTEREST_SHARES = (1, 5, 10, 20, 25, 50), (0.40, 0.36, 0.14, 0.06, 0.03, 0.01)
_CROWD_LEVERAGES, _CROWD_SHARES = (10, 20, 25, 50), (0.05, 0.12, 0.28, 0.55)
_CROWD_LEVERAGE = 50  # the highest of the crowd: its liquidations stand nearest
_CROWD_BAND = 0.002  # the crowd enters this much, as a share of price, beyond its nearest entry
_CROWD_PRINTED = (
    0.5  # of its entries; the rest are block trades, which public trade feeds leave out
)
_QUIET_RADIUS = 0.018  # recent swings have liquidated everything nearer than this
_PRINTS_PER_STEP = 1.1  # of ordinary traders, per venue
_OPENING_SHARE = 0.15  # of ordinary trading opens contracts; as much closes some
_PULL_S = 130.0  # how fast price returns while it stays around a place


class Take(NamedTuple):
    """A taker's trade of ordinary size: USD bought (sold: negative), so many ms into the step."""

    venue: int
    offset_ms: int
    usd: float


class Opening(NamedTuple):
    """New contracts between two newcomers."""

    venue: int
    usd: float
    long: Terms
    short: Terms


class Closing(NamedTuple):
    """Contracts that a long and a short close; the picks in [0, 1) say which."""

    venue: int
    usd: float
    long_pick: float
    short_pick: float


class Orders(NamedTuple):
    """All of one step."""

    shock: float  # of the log price
    basis: tuple[float, ...]  # log price of each venue against the coin's
    takes: list[Take]
    openings: list[Opening]
    closings: list[Closing]


class Outside:
    """The world around one coin. `direction` +1: the story goes up."""

    def __init__(self, plan: Plan, direction: int, rng: Random) -> None:
        self._plan, self._direction, self._rng = plan, direction, rng
        self._story = Story(plan, direction, rng)
        self._usd_per_step = plan.coin.volume_usd_day / 86_400 * STEP_S
        self._sigma = plan.coin.volatility_day / math.sqrt(86_400 / STEP_S)
        self._log_volatility = 0.0
        self._basis = [rng.gauss(0, 1.5e-4) for _ in _VENUES]
        self._crowd_usd = plan.crowd_usd
        self._crowd_steps = self._story.first_act_s / STEP_S * 0.9

    def step(self, price: float) -> Orders:
        """Live one step from a price that knows nothing of forced orders: the twin's."""
        rng = self._rng
        self._log_volatility += -self._log_volatility * STEP_S / 600 + 0.008 * rng.gauss(0, 1)
        noise = rng.gauss(0, 1)
        shock = self._story.drift(price) + self._sigma * math.exp(self._log_volatility) * noise
        self._basis = [b * (1 - STEP_S / 300) + 0.6e-5 * rng.gauss(0, 1) for b in self._basis]
        orders = Orders(shock, tuple(self._basis), self._takes(noise), [], [])
        self._trade_ordinarily(orders)
        if self._crowd_usd > 0:
            self._let_crowd_enter(price, orders)
        return orders

    def _takes(self, noise: float) -> list[Take]:
        # Takers lean the way the price goes.
        rng = self._rng
        buying = 0.5 + 0.2 * math.tanh(noise)
        size = self._usd_per_step * (1 - 2 * _OPENING_SHARE) / _PRINTS_PER_STEP
        return [
            Take(
                venue,
                int(rng.random() * STEP_MS),
                math.copysign(size * share * rng.lognormvariate(-0.72, 1.2), buying - rng.random()),
            )
            for venue, share in enumerate(VENUE_SHARES)
            for _ in range(_poisson(_PRINTS_PER_STEP, rng))
        ]

    def _trade_ordinarily(self, orders: Orders) -> None:
        rng = self._rng
        for positions in (orders.openings, orders.closings):
            if rng.random() >= 0.2:
                continue
            usd = self._usd_per_step * _OPENING_SHARE / 0.2 * rng.lognormvariate(-0.5, 1)
            venue = draw_venue(rng)
            if positions is orders.openings:
                orders.openings.append(Opening(venue, usd, draw_terms(rng), draw_terms(rng)))
            else:
                orders.closings.append(Closing(venue, usd, rng.random(), rng.random()))
            self._print(orders, venue, usd)

    def _let_crowd_enter(self, price: float, orders: Orders) -> None:
        self._crowd_steps -= 1
        if (
            not 0
            <= self._direction * math.log(price / crowd_entry(self._plan, self._direction))
            <= _CROWD_BAND
        ):
            return
        rng = self._rng
        usd = self._crowd_usd / max(1.0, 0.8 * self._crowd_steps) * rng.lognormvariate(-0.3, 0.8)
        usd = min(usd, self._crowd_usd)
        self._crowd_usd -= usd
        venue = draw_venue(rng)
        orders.openings.append(Opening(venue, usd, *crowd_terms(self._direction, rng)))
        self._print(orders, venue, usd * _CROWD_PRINTED)

    def _print(self, orders: Orders, venue: int, usd: float) -> None:
        side = self._rng.choice((1, -1))
        orders.takes.append(Take(venue, int(self._rng.random() * STEP_MS), side * usd))


class Story:
    """Where the acts of a plan pull the price; each seed tells it at its own pace."""

    def __init__(self, plan: Plan, direction: int, rng: Random) -> None:
        self._origin = plan.level or plan.coin.price
        self._direction = direction
        self._acts = [
            (
                act.to_bp,
                act.speed_bp_s * rng.uniform(0.9, 1.1),
                act.hold_s * rng.uniform(0.95, 1.05),
            )
            for act in plan.acts
        ]
        self.first_act_s = self._acts[0][2]
        self._side: float | None = (
            None  # from which side the act's place is run at; None: it is held
        )

    def drift(self, price: float) -> float:
        """Log-price drift of the next step."""
        here_bp = self._direction * math.log(price / self._origin) * 1e4
        to_bp, speed_bp_s, hold_s = self._acts[0]
        if self._side is not None and self._side * (to_bp - here_bp) > 0:
            drift_bp = self._side * speed_bp_s * STEP_S
        else:
            self._side = None
            drift_bp = (to_bp - here_bp) * STEP_S / _PULL_S
            self._acts[0] = (to_bp, speed_bp_s, hold_s - STEP_S)
            if hold_s <= 0 and len(self._acts) > 1:
                self._acts.pop(0)
                self._side = math.copysign(1, self._acts[0][0] - here_bp)
        return self._direction * drift_bp / 1e4


def first_books(plan: Plan, direction: int, start_price: float, rng: Random) -> list[Book]:
    """Fill the venues' books with what was opened before the first frame."""
    books = [Book() for _ in VENUE_SHARES]
    for book, share in zip(books, VENUE_SHARES, strict=True):
        coins = plan.coin.open_interest_usd * share / start_price
        for _ in range(400):
            entry = start_price * math.exp(rng.gauss(0, 0.03))
            long, short = (_survivor(sign, entry, start_price, rng) for sign in (1, -1))
            book.open(coins / 400, entry, long, short)
        if plan.crowd_before_usd:
            for _ in range(400):
                entry = crowd_entry(plan, direction) * (1 + direction * _CROWD_BAND * rng.random())
                usd = plan.crowd_before_usd * share / 400
                book.open(usd / entry, entry, *crowd_terms(direction, rng))
    return books


def start_price(plan: Plan, direction: int) -> float:
    """Where the first act takes place."""
    origin = plan.level or plan.coin.price
    return origin * math.exp(direction * plan.acts[0].to_bp / 1e4)


def crowd_entry(plan: Plan, direction: int) -> float:
    """The entry whose liquidation at the crowd's highest leverage stands on the level."""
    level = plan.level or plan.coin.price
    return level * (1 + direction * MAINTENANCE_RATE) / (1 + direction / _CROWD_LEVERAGE)


def crowd_terms(direction: int, rng: Random) -> tuple[Terms, Terms]:
    """How the crowd holds, and how its counterparts do, as (long, short)."""
    spare = rng.random() if rng.random() < 0.5 else 0.0
    stop = rng.uniform(0.5, 0.9) if rng.random() < 0.05 else None
    crowd = Terms(rng.choices(_CROWD_LEVERAGES, _CROWD_SHARES)[0], spare, stop)
    other = Terms(rng.choices((1, 5), (0.6, 0.4))[0])
    return (other, crowd) if direction > 0 else (crowd, other)


def draw_terms(rng: Random) -> Terms:
    """How an ordinary newcomer holds: half keep spare margin, a fifth sets a stop."""
    return Terms(
        rng.choices(_LEVERAGES, _OPEN_INTEREST_SHARES)[0],
        rng.random() if rng.random() < 0.5 else 0.0,
        rng.uniform(0.3, 0.9) if rng.random() < 0.2 else None,
    )


def draw_venue(rng: Random) -> int:
    """Pick a venue by its share."""
    return rng.choices(_VENUES, VENUE_SHARES)[0]


def _survivor(sign: int, entry: float, price: float, rng: Random) -> Terms:
    # Terms under which a position of that entry has outlived the recent swings around `price`.
    for _ in range(20):
        terms = draw_terms(rng)
        if terms.leverage <= 1:
            return terms
        away = sign * math.log(price / Holding(sign, entry, terms, 0.0).exit_price)
        if away > _QUIET_RADIUS:
            return terms
    return Terms(1)


def _poisson(mean: float, rng: Random) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
