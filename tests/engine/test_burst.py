from math import sqrt

import pytest

from liqwatch.engine.burst import FRESH_S, OVER_S, Burst
from liqwatch.engine.start import Rarity


def rarity(ratio: float) -> Rarity:
    return Rarity("rarity", ratio, 168.0, ["bybit-linear"])


def test_run_on_counts_from_where_flow_became_rare() -> None:
    burst = Burst(0.010, rarity(1.2), 0)

    assert burst.run_on_z(0.016, 2e-4, 1) == pytest.approx(0.006 / (2e-4 * sqrt(30)))
    assert burst.run_on_z(0.004, 2e-4, -1) == pytest.approx(0.006 / (2e-4 * sqrt(30)))


def test_rare_flow_is_remembered_while_its_feed_is_lost() -> None:
    burst = Burst(0.0, rarity(1.1), 0)
    burst.see(rarity(1.2), 1_000)
    burst.see(None, 2_000)

    assert burst.fresh(1_000 + FRESH_S * 1000) == rarity(1.2)
    assert burst.fresh(1_001 + FRESH_S * 1000) is None


def test_ordinary_flow_lets_a_burst_end() -> None:
    burst = Burst(0.0, rarity(1.2), 0)
    burst.see(rarity(0.9), 20_000)

    assert not burst.over(OVER_S * 1000)
    assert burst.over(OVER_S * 1000 + 1)
