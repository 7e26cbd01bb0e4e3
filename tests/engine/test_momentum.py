from random import Random

import pytest

from liqwatch.engine.momentum import VOLATILITY_FLOOR, Momentum


def walked(seconds: int, sigma: float, seed: int = 1) -> Momentum:
    rng, momentum = Random(seed), Momentum()
    for _ in range(seconds):
        momentum.update(rng.gauss(0, sigma))
    return momentum


def test_sigma_finds_the_volatility_of_a_random_walk() -> None:
    assert walked(7200, 2e-4).sigma == pytest.approx(2e-4, rel=0.1)


def test_drift_scores_of_a_driftless_walk_have_unit_variance() -> None:
    rng, momentum = Random(7), Momentum()
    scores = []
    for second in range(20_000):
        momentum.update(rng.gauss(0, 2e-4))
        if second > 2000 and second % 60 == 0:
            scores.append(momentum.z(30))

    variance = sum(z * z for z in scores) / len(scores)

    assert 0.7 < variance < 1.4


def test_a_run_shows_in_drift_new_extremes_and_acceleration_with_its_sign() -> None:
    momentum = walked(900, 1e-4)
    for _ in range(20):
        momentum.update(-3e-4)

    assert momentum.z(30) < -6
    assert momentum.z(10) < -6
    assert momentum.new_extreme_share(-1) == pytest.approx(1.0, abs=0.15)
    assert momentum.new_extreme_share(1) == 0
    assert momentum.acceleration < 0
    assert momentum.speed_bp_per_min < 0


def test_one_jump_is_not_a_run_of_new_extremes() -> None:
    momentum = walked(900, 1e-4)
    momentum.update(60e-4)
    for _ in range(15):
        momentum.update(0.0)

    assert momentum.new_extreme_share(1) < 0.4


def test_a_jump_does_not_become_the_new_normal() -> None:
    momentum = walked(3600, 1e-4)
    before = momentum.sigma
    momentum.update(500e-4)

    assert momentum.sigma < 1.02 * before


def test_a_dead_price_keeps_the_volatility_floor() -> None:
    momentum = Momentum()
    for _ in range(20_000):
        momentum.update(0.0)

    assert momentum.sigma == VOLATILITY_FLOOR


def test_after_a_gap_the_run_is_forgotten_and_the_volatility_kept() -> None:
    momentum = walked(900, 1e-4)
    for _ in range(20):
        momentum.update(5e-4)
    sigma = momentum.sigma
    momentum.restart()

    assert momentum.z(10) == momentum.z(30) == momentum.z(60) == 0
    assert momentum.new_extreme_share(1) == 0
    assert momentum.sigma == sigma


def test_it_is_warm_after_ten_minutes() -> None:
    assert not walked(599, 1e-4).warm
    assert walked(600, 1e-4).warm


def test_a_run_is_the_way_of_the_last_seconds_as_far_as_they_are_known() -> None:
    momentum = Momentum()
    assert momentum.run(30) == 0.0
    for _ in range(10):
        momentum.update(1e-4)
    assert momentum.run(30) == pytest.approx(9e-4)
    for _ in range(50):
        momentum.update(-1e-4)
    assert momentum.run(30) == pytest.approx(-30e-4)
