"""The detectors of river, where it is installed."""

import numpy as np
import pytest

from liqwatch.simulator.episodes.course import SECONDS
from liqwatch.simulator.episodes.orders import Orders
from liqwatch.simulator.episodes.rivals import Rival, Seen
from liqwatch.simulator.episodes.river_rivals import RIVER_RIVALS

pytest.importorskip("river", reason="an optional rival of liqwatch eval")

BURST_S = 1200


def seen(*, burst: bool) -> Seen:
    """A forced order a minute, and for a minute ten a second."""
    usual = np.arange(0.5, SECONDS, 60)
    wild = np.arange(BURST_S, BURST_S + 60, 0.1) if burst else np.empty(0)
    time_s = np.concatenate([usual, wild])
    return Seen(Orders(time_s, np.full(len(time_s), 5e3)), np.zeros(SECONDS), 1e9)


@pytest.mark.parametrize("rival", RIVER_RIVALS, ids=lambda rival: rival.name)
def test_at_some_threshold_a_burst_is_heard_within_its_minute_and_nothing_before(
    rival: Rival,
) -> None:
    calm, wild = rival.listen(seen(burst=False)), rival.listen(seen(burst=True))
    heard = [wild(each)[0] for each in rival.thresholds if not calm(each) and wild(each)]

    assert any(BURST_S <= first < BURST_S + 60 for first in heard)
