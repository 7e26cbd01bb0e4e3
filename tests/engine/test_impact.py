from math import sqrt
from random import Random

import pytest

from liqwatch.engine.impact import FLOOR_SHARE, Impact

SIGMA = 1e-4


def traded(true_impact: float, seconds: int) -> Impact:
    rng, impact = Random(5), Impact()
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
