"""Does a feed's own history make its threshold the rarity that it says? A month of ordinary
liquidations, week by week.

"Once in 168 hours" must come about once a week, whatever share of the liquidations a feed shows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from liqwatch.engine.forced_flow import SYMBOL_WINDOW_S
from liqwatch.engine.rarity import BLOCK_S, BLOCKS_PER_HOUR, History
from liqwatch.engine.start import DetectionSettings, tail_exponent
from liqwatch.simulator.episodes.feeds import Feed, complete
from liqwatch.simulator.episodes.orders import HOUR_S, background, block_maxima, throttle

LEARNING_DAYS, COUNTING_DAYS = 7, 28
SAME_BURST_BLOCKS = 3  # a quarter of an hour
WEEK_HOURS = 168
LARGEST_SIZE, SMALLEST_SIZE = 1.0, 0.1  # of orders, against those of BTC

FEEDS = (
    *((one.name, one.feeds[0]) for one in map(complete, (1.0, 0.3, 0.1, 0.03, 0.01))),
    ("throttled", Feed("binance-usdm", 0.6, throttled=True)),
)


class Row(NamedTuple):
    """One kind of feed. Candidates are bursts that reach the level, of one side."""

    name: str
    return_hours: float
    a_week: float  # expected
    seen: float  # of the expected
    low: float
    high: float


def measure(seeds: int, settings: DetectionSettings) -> Iterator[Row]:
    """Walk every kind of feed through so many months."""
    for name, feed in FEEDS:
        hours = (
            settings.return_hours_throttled if feed.throttled else settings.complete_return_hours
        )
        a_week = WEEK_HOURS / hours
        counts = np.array([candidates(feed, hours, seed) for seed in range(seeds)])
        rates = counts * 7 / COUNTING_DAYS / a_week
        drawn = np.random.default_rng(1).choice(rates, (1000, seeds)).mean(axis=1)
        low, high = np.percentile(drawn, (2.5, 97.5))
        yield Row(name, hours, a_week, float(rates.mean()), float(low), float(high))


def candidates(feed: Feed, return_hours: float, seed: int) -> int:
    """Count the bursts of four weeks that are as rare as asked for, after a week of learning."""
    rng = np.random.default_rng([seed, 5])
    size = float(np.exp(rng.uniform(np.log(SMALLEST_SIZE), np.log(LARGEST_SIZE))))
    seconds = (LEARNING_DAYS + COUNTING_DAYS) * 24 * HOUR_S
    orders = background(seconds, size, rng)
    told = orders.only(rng.random(len(orders.usd)) < feed.share)
    told = throttle(told) if feed.throttled else told
    history, exponent = History(), tail_exponent(complete=not feed.throttled)
    found, last = 0, -SAME_BURST_BLOCKS
    for block, maximum in enumerate(block_maxima(told, seconds, SYMBOL_WINDOW_S, BLOCK_S)):
        counts = block >= LEARNING_DAYS * 24 * BLOCKS_PER_HOUR
        if counts and maximum > 0 and maximum >= history.level(return_hours, exponent):
            found += block - last >= SAME_BURST_BLOCKS
            last = block
        history.add_block(maximum)
    return found


def table(seeds: int = 14) -> str:
    """Return the measure as a table to paste into a document."""
    lines = [
        "| feed | once in | expected a week | **seen / expected** (95 %) |",
        "|---|---|---|---|",
    ]
    lines += (
        f"| {row.name} | {row.return_hours:.0f} h | {row.a_week:.1f}"
        f" | **{row.seen:.2f}** ({row.low:.2f}–{row.high:.2f}) |"
        for row in measure(seeds, DetectionSettings())
    )
    return "\n".join(lines)
