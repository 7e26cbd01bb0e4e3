"""Who holds what, before the first frame and on entering: leverage, spare margin, stops."""

import math

from liqwatch.simulator.positions import MAINTENANCE_RATE, Book, Holding, Terms
from liqwatch.simulator.scenarios import Plan
from liqwatch.simulator.seeds import Random

VENUE_SHARES = (0.45, 0.30, 0.25)  # Binance, Bybit, OKX: of trading and of open interest

# Most open interest is little levered; what dies is the small, highly levered rest.
_LEVERAGES, _OPEN_INTEREST_SHARES = (1, 5, 10, 20, 25, 50), (0.40, 0.36, 0.14, 0.06, 0.03, 0.01)
_CROWD_LEVERAGES, _CROWD_SHARES = (10, 20, 25, 50), (0.05, 0.12, 0.28, 0.55)
_CROWD_BAND = 0.002  # the crowd enters so far, in log price, beyond its nearest entry
_LARGE_STEPS = 2
_QUIET_RADIUS = 0.018  # recent swings have closed everything nearer than this
_FIRST_HOLDINGS = 400  # per venue and side


def first_books(plan: Plan, direction: int, start_price: float, rng: Random) -> list[Book]:
    """Fill the venues' books with what was opened before the first frame."""
    books = [Book() for _ in VENUE_SHARES]
    for book, share in zip(books, VENUE_SHARES, strict=True):
        coins = plan.coin.open_interest_usd * share / start_price
        for _ in range(_FIRST_HOLDINGS):
            entry = start_price * math.exp(rng.gauss(0, 0.03))
            long, short = (_survivor(sign, entry, start_price, rng) for sign in (1, -1))
            book.open(coins / _FIRST_HOLDINGS, entry, long, short)
        if plan.crowd_before_usd:
            for _ in range(_FIRST_HOLDINGS):
                entry = crowd_entry(plan, direction) * (1 + direction * _CROWD_BAND * rng.random())
                usd = plan.crowd_before_usd * share / _FIRST_HOLDINGS
                book.open(usd / entry, entry, *crowd_terms(plan, direction, rng))
    return books


def start_price(plan: Plan, direction: int) -> float:
    """Where the first act takes place."""
    return plan.origin * math.exp(direction * plan.acts[0].to_bp / 1e4)


def crowd_entry(plan: Plan, direction: int) -> float:
    """The entry whose liquidation at the crowd's highest leverage stands on the level."""
    return plan.origin * (1 + direction * MAINTENANCE_RATE) / (1 + direction / _CROWD_LEVERAGES[-1])


def crowd_enters_at(price: float, plan: Plan, direction: int) -> bool:
    """Say whether the crowd likes this price."""
    return 0 <= direction * math.log(price / crowd_entry(plan, direction)) <= _CROWD_BAND


def crowd_terms(plan: Plan, direction: int, rng: Random) -> tuple[Terms, Terms]:
    """How the crowd holds, and how its counterparts do, as (long, short)."""
    spare = rng.random() if rng.random() < 0.5 else 0.0
    stop = rng.uniform(0.5, 0.9) if rng.random() < 0.05 else None
    leverage = rng.choices(_CROWD_LEVERAGES, _CROWD_SHARES)[0]
    large = plan.large_share > 0 and rng.random() < plan.large_share
    crowd = Terms(leverage, spare, stop, _LARGE_STEPS if large else 0)
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
    return rng.choices(range(len(VENUE_SHARES)), VENUE_SHARES)[0]


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
