"""What happens to a market whether or not anybody is liquidated: news, traders, new positions.

A market and its twin get the same of it, step by step.
"""

import math
from typing import NamedTuple

from liqwatch.simulator.positions import Terms
from liqwatch.simulator.scenarios import Plan
from liqwatch.simulator.seeds import Random
from liqwatch.simulator.traders import (
    VENUE_SHARES,
    crowd_enters_at,
    crowd_terms,
    draw_terms,
    draw_venue,
)

STEP_S = 0.25
STEP_MS = 250
# Half of the crowd's entries are block trades, which public trade feeds leave out.
_CROWD_PRINTED = 0.5
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
    """The world around one coin. `direction` +1: the story goes up.

    `market` draws the same for every coin: what moves them all, and the pace of a story they share.
    """

    def __init__(self, plan: Plan, direction: int, rng: Random, market: Random) -> None:
        self._plan, self._direction, self._rng, self._market = plan, direction, rng, market
        self._story = Story(plan, direction, market if plan.common_share else rng)
        self._usd_per_step = plan.coin.volume_usd_day / 86_400 * STEP_S
        self._sigma = plan.coin.volatility_day / math.sqrt(86_400 / STEP_S)
        self._log_volatility = 0.0
        self._basis = [rng.gauss(0, 1.5e-4) for _ in VENUE_SHARES]
        self._crowd_usd = plan.crowd_usd
        self._crowd_steps = self._story.first_act_s / STEP_S * 0.9

    def step(self, price: float) -> Orders:
        """Live one step from a price that knows nothing of forced orders: the twin's."""
        rng = self._rng
        self._log_volatility += -self._log_volatility * STEP_S / 600 + 0.008 * rng.gauss(0, 1)
        noise = self._noise()
        shock = self._story.drift(price) + self._sigma * math.exp(self._log_volatility) * noise
        self._basis = [b * (1 - STEP_S / 300) + 0.6e-5 * rng.gauss(0, 1) for b in self._basis]
        orders = Orders(shock, tuple(self._basis), self._takes(noise), [], [])
        self._trade_ordinarily(orders)
        if self._crowd_usd > 0:
            self._let_crowd_enter(price, orders)
        return orders

    def _noise(self) -> float:
        own, common = self._rng.gauss(0, 1), self._plan.common_share
        if not common:
            return own
        return math.sqrt(common) * self._market.gauss(0, 1) + math.sqrt(1 - common) * own

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
        if not crowd_enters_at(price, self._plan, self._direction):
            return
        rng = self._rng
        usd = self._crowd_usd / max(1.0, 0.8 * self._crowd_steps) * rng.lognormvariate(-0.3, 0.8)
        usd = min(usd, self._crowd_usd)
        self._crowd_usd -= usd
        venue = draw_venue(rng)
        orders.openings.append(Opening(venue, usd, *crowd_terms(self._plan, self._direction, rng)))
        self._print(orders, venue, usd * _CROWD_PRINTED)

    def _print(self, orders: Orders, venue: int, usd: float) -> None:
        side = self._rng.choice((1, -1))
        orders.takes.append(Take(venue, int(self._rng.random() * STEP_MS), side * usd))


class Story:
    """Where the acts of a plan pull the price; each seed tells it at its own pace."""

    def __init__(self, plan: Plan, direction: int, rng: Random) -> None:
        self._origin = plan.origin
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
        self._side: float | None = None  # +1 running up, -1 down, None: there

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


def _poisson(mean: float, rng: Random) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
