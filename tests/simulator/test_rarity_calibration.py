"""Flow that a feed's history calls once a week must come about once a week."""

from collections.abc import Callable

import numpy as np
import pytest

from liqwatch.engine.forced_flow import BlockMaximum, MarketFeed
from liqwatch.engine.rarity import History, market_prior
from liqwatch.engine.start import DetectionSettings
from liqwatch.simulator.episodes.calibration import (
    LEARNING_BLOCKS,
    SAME_BURST_S,
    SECONDS,
    Scope,
    candidates,
    measure,
    scopes,
    table,
)
from liqwatch.simulator.episodes.orders import root_sums
from liqwatch.simulator.episodes.worlds import Floats

SCOPES = {scope.name: scope for scope in scopes(DetectionSettings())}
MONTHS = 6
DAY_S = 86_400


def flat(bursts_at_s: list[int]) -> Callable[[np.random.Generator], Floats]:
    """Two ordinary bursts an hour, and far larger ones."""

    def root_sums_of(_: np.random.Generator) -> Floats:
        sums = np.zeros(SECONDS)
        sums[::1800] = 100.0
        sums[bursts_at_s] = 10_000.0
        return sums

    return root_sums_of


def once_a_week(bursts_at_s: list[int]) -> Scope:
    return Scope("flat", 168.0, 0.4, History, flat(bursts_at_s))


@pytest.mark.parametrize("name", ["100%", "10%", "1%", "throttled"])
def test_as_many_bursts_reach_the_level_as_it_says(name: str) -> None:
    """Bounds far from what `liqwatch eval --calibration` measures, 0.8 to 1.1."""
    row = measure(SCOPES[name], MONTHS)

    assert 0.5 < row.seen < 1.5, table(iter([row]))
    assert row.low <= row.seen <= row.high


def test_as_many_bursts_of_the_whole_market_reach_the_level_as_it_says() -> None:
    (row,) = (measure(one, 2) for one in SCOPES.values() if one.begin is market_prior)

    assert 0.5 < row.seen < 1.5, table(iter([row]))


def test_bursts_within_a_quarter_of_an_hour_are_one() -> None:
    begin = 10 * DAY_S
    assert candidates(once_a_week([begin, begin + SAME_BURST_S - 1]), 0) == 1
    assert candidates(once_a_week([begin, begin + SAME_BURST_S]), 0) == 2


def test_what_comes_while_a_feed_learns_is_not_counted() -> None:
    assert candidates(once_a_week([LEARNING_BLOCKS * 300 - 1]), 0) == 0
    assert candidates(once_a_week([LEARNING_BLOCKS * 300 + 1]), 0) == 1


def test_the_market_is_measured_by_the_root_sums_that_the_engine_forms() -> None:
    rng = np.random.default_rng(3)
    shown = {coin: rng.lognormal(8, 2, 120) * (rng.random(120) < 0.2) for coin in "abc"}
    feed, formed = MarketFeed(past=BlockMaximum()), []
    for second in range(120):
        for coin, usd in shown.items():
            if usd[second]:
                feed.add(second * 1000, coin, float(usd[second]))
        feed.close_second(second, counts_since_s=None)
        formed.append(feed.root_sum)

    every = np.sum([np.sqrt(usd) for usd in shown.values()], axis=0)
    assert root_sums(every, 10) == pytest.approx(formed)
