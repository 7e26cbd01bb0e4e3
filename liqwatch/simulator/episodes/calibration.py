"""Does a feed's own history make its threshold the rarity that it says? A month of ordinary
liquidations, week by week.

"Once in 168 hours" must come about once a week, whatever share of the liquidations a feed shows.
The floors in dollars, which keep more out, are left aside.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from liqwatch.engine.forced_flow import MARKET_WINDOW_S, SYMBOL_WINDOW_S
from liqwatch.engine.rarity import (
    BLOCK_S,
    BLOCKS_PER_HOUR,
    TAIL_EXPONENT,
    History,
    market_prior,
)
from liqwatch.engine.start import WEEK_HOURS, DetectionSettings, tail_exponent
from liqwatch.simulator.episodes.feeds import Feed, complete
from liqwatch.simulator.episodes.orders import HOUR_S, background, root_sums, roots, throttle
from liqwatch.simulator.episodes.worlds import Floats

LEARNING_DAYS, COUNTING_DAYS = 7, 28
SECONDS = (LEARNING_DAYS + COUNTING_DAYS) * 24 * HOUR_S
LEARNING_BLOCKS = LEARNING_DAYS * 24 * BLOCKS_PER_HOUR
SAME_BURST_S = 900
LARGEST_SIZE, SMALLEST_SIZE = 1.0, 0.1  # of orders, against those of BTC
MARKET_COINS = 20  # each by itself: they have no day in common
MONTHS = 60

THROTTLED = Feed("binance-usdm", 0.6, throttled=True)


class Scope(NamedTuple):
    """What is held against its own past: one coin of a feed, or all coins of it."""

    name: str
    return_hours: float
    tail_exponent: float
    begin: Callable[[], History]
    root_sums: Callable[[np.random.Generator], Floats]  # each second, of one side


class Row(NamedTuple):
    """One scope. Candidates are bursts that reach the level, of one side."""

    name: str
    return_hours: float
    a_week: float  # expected
    seen: float  # of the expected
    low: float
    high: float


def report() -> Iterator[str]:
    """Yield what is being done, then the table, for a document."""
    yield (
        f"{MONTHS} times {LEARNING_DAYS} days of learning and {COUNTING_DAYS} days of counting,"
        f" one side; bursts less than {SAME_BURST_S // 60} minutes apart are one."
    )
    yield table(measure(scope, MONTHS) for scope in scopes(DetectionSettings()))


def scopes(settings: DetectionSettings) -> Iterator[Scope]:
    """Yield what the start rule looks at, at every share of the liquidations that a feed shows."""
    hours, exponent = settings.complete_return_hours, tail_exponent(complete=True)
    for name, feeds in map(complete, (1.0, 0.3, 0.1, 0.03, 0.01)):
        yield Scope(name, hours, exponent, History, _coin(feeds[0]))
    hours, exponent = settings.return_hours_throttled, tail_exponent(complete=False)
    yield Scope("throttled", hours, exponent, History, _coin(THROTTLED))
    name, hours = f"throttled, {MARKET_COINS} coins", settings.return_hours_market
    yield Scope(name, hours, TAIL_EXPONENT, market_prior, _market)


def measure(scope: Scope, seeds: int) -> Row:
    """Walk through so many months."""
    a_week = WEEK_HOURS / scope.return_hours
    counts = np.array([candidates(scope, seed) for seed in range(seeds)])
    rates = counts * 7 / COUNTING_DAYS / a_week
    drawn = np.random.default_rng(1).choice(rates, (1000, seeds)).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Row(scope.name, scope.return_hours, a_week, float(rates.mean()), float(low), float(high))


def candidates(scope: Scope, seed: int) -> int:
    """Count the bursts of four weeks that are as rare as asked for, after a week of learning."""
    sums = scope.root_sums(np.random.default_rng([seed, 5]))
    history = scope.begin()
    found, last = 0, -SAME_BURST_S
    for number, block in enumerate(sums.reshape(-1, BLOCK_S)):
        maximum = float(block.max())
        level = history.level(scope.return_hours, scope.tail_exponent) if maximum > 0 else np.inf
        if number >= LEARNING_BLOCKS and maximum >= level:
            for second in (number * BLOCK_S + np.nonzero(block >= level)[0]).tolist():
                found += second - last >= SAME_BURST_S
                last = second
        history.add_block(maximum)
    return found


def table(rows: Iterator[Row]) -> str:
    """Return the measure as a table to paste into a document."""
    lines = [
        "| feed | once in | expected a week | **seen / expected** (95 %) |",
        "|---|---|---|---|",
    ]
    lines += (
        f"| {row.name} | {row.return_hours:.0f} h | {row.a_week:.1f}"
        f" | **{row.seen:.2f}** ({row.low:.2f}–{row.high:.2f}) |"
        for row in rows
    )
    return "\n".join(lines)


def _coin(feed: Feed) -> Callable[[np.random.Generator], Floats]:
    return lambda rng: root_sums(_shown(feed, rng), SYMBOL_WINDOW_S)


def _market(rng: np.random.Generator) -> Floats:
    every = np.zeros(SECONDS)
    for _ in range(MARKET_COINS):
        every += _shown(THROTTLED, rng)
    return root_sums(every, MARKET_WINDOW_S)


def _shown(feed: Feed, rng: np.random.Generator) -> Floats:
    """Return the root of what a feed shows of one coin, each second."""
    size = float(np.exp(rng.uniform(np.log(SMALLEST_SIZE), np.log(LARGEST_SIZE))))
    orders = background(SECONDS, size, rng)
    told = orders.only(rng.random(len(orders.usd)) < feed.share)
    return roots(throttle(told) if feed.throttled else told, SECONDS)
