from math import sqrt
from random import Random

import pytest

from liqwatch.engine.impact import FLOOR_SHARE, Impact

SIGMA = 1e-4


def traded(true_impact: float, seconds: int, seed: int = 5) -> Impact:
    rng, impact = Random(seed), Impact()
    for _ in range(seconds):
        flow = rng.gauss(0, 50_000_000)  # moves price by some 6 bp in five seconds
        impact.update(true_impact * flow + rng.gauss(0, SIGMA / 3), flow, 2_000_000)
    return impact


def test_half_an_hour_of_large_flows_finds_the_true_impact() -> None:
    assert traded(6e-12, 1800).per_usd(SIGMA) == pytest.approx(6e-12, rel=0.1)


def test_the_first_seconds_rest_on_the_square_root_law() -> None:
    impact = Impact()
    impact.update(0.0, 0.0, 15e9 / 86_400)

    expected = SIGMA * sqrt(86_400) / sqrt(15e9 * 45e6)
    assert impact.per_usd(SIGMA) == pytest.approx(expected, rel=1e-6)


def test_impact_never_falls_below_its_floor() -> None:
    impact = traded(-1e-9, 3600)
    prior = SIGMA * sqrt(86_400) / (2_000_000 * 86_400 * sqrt(0.003))

    assert impact.per_usd(SIGMA) == pytest.approx(FLOOR_SHARE * prior)


def test_without_trades_there_is_no_impact() -> None:
    assert Impact().per_usd(SIGMA) == 0


def test_without_flows_the_way_to_a_price_is_known_within_half_and_twice() -> None:
    impact = Impact()
    impact.update(0.0, 0.0, 15e9 / 86_400)
    usd, low, high = impact.usd_to_move(0.01, SIGMA) or (0, 0, 0)

    assert usd == pytest.approx(0.01 / impact.per_usd(SIGMA))
    assert (low, high) == pytest.approx((usd / 2, usd * 2), rel=0.01)


def test_flows_narrow_the_range_and_it_holds_the_truth() -> None:
    held = 0
    for seed in range(20):
        impact = traded(6e-12, 1800, seed=seed)
        _, low, high = impact.usd_to_move(0.01, SIGMA) or (0, 0, 0)
        assert high / low < 1.5
        held += low <= 0.01 / 6e-12 <= high

    assert held >= 16, "four times in five"


def test_without_trades_nobody_knows_the_way() -> None:
    assert Impact().usd_to_move(0.01, SIGMA) is None
