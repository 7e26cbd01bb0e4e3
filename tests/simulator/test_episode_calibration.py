"""Once a week comes about once a week, whatever a feed shows."""

import pytest

from liqwatch.engine.start import DetectionSettings
from liqwatch.simulator.episodes.calibration import COUNTING_DAYS, FEEDS, candidates
from liqwatch.simulator.episodes.feeds import Feed

SEEDS = range(5)


@pytest.mark.parametrize("feed", [feed for _, feed in FEEDS], ids=[name for name, _ in FEEDS])
def test_a_feeds_own_history_sets_the_rarity_that_is_asked_for(feed: Feed) -> None:
    settings = DetectionSettings()
    hours = settings.return_hours_throttled if feed.throttled else settings.complete_return_hours
    expected = len(SEEDS) * COUNTING_DAYS * 24 / hours
    found = sum(candidates(feed, hours, seed) for seed in SEEDS)

    assert 0.4 <= found / expected <= 1.9
