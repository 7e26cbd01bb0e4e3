from math import sqrt

import pytest

from liqwatch.engine.burst import FRESH_S, OVER_S, Burst
from liqwatch.engine.start import Rarity


def rarity(ratio: float) -> Rarity:
    return Rarity("rarity", ratio, 168.0, ["bybit-linear"])


def test_run_on_counts_from_where_flow_was_half_way_to_being_rare() -> None:
    burst = Burst(began_x=0.010, flow_ms=0)

    assert burst.run_on_z(0.016, 2e-4, 1) == pytest.approx(0.006 / (2e-4 * sqrt(30)))
    assert burst.run_on_z(0.004, 2e-4, -1) == pytest.approx(0.006 / (2e-4 * sqrt(30)))


def test_rare_flow_is_remembered_while_its_feed_is_lost() -> None:
    burst = Burst(began_x=0.0, flow_ms=0)
    burst.see(rarity(1.2), 1_000)
    burst.see(None, 2_000)

    assert burst.fresh(1_000 + FRESH_S * 1000) == rarity(1.2)
    assert burst.fresh(1_001 + FRESH_S * 1000) is None


def test_flow_that_is_half_way_to_being_rare_keeps_a_burst_alive_and_is_not_rare() -> None:
    burst = Burst(began_x=0.0, flow_ms=0)
    burst.see(rarity(0.6), 20_000)

    assert burst.fresh(20_000) is None
    assert not burst.over(20_000 + OVER_S * 1000)
    assert burst.over(20_001 + OVER_S * 1000)


def test_ordinary_flow_lets_a_burst_end() -> None:
    burst = Burst(began_x=0.0, flow_ms=0)
    burst.see(rarity(0.4), 20_000)

    assert burst.over(OVER_S * 1000 + 1)
