from random import Random

import pytest

from liqwatch.engine.rarity import RENORMALISE_AT, History, market_prior


def learned(maxima: list[float]) -> History:
    history = History()
    for maximum in maxima:
        history.add_block(maximum)
    return history


def lognormal_blocks(days: float, seed: int = 3) -> list[float]:
    rng = Random(seed)
    return [
        rng.lognormvariate(5.0, 0.8) if rng.random() < 0.6 else 0.0 for _ in range(int(days * 288))
    ]


def test_a_level_is_exceeded_about_once_in_its_return_time() -> None:
    level = learned(lognormal_blocks(28)).level(24)
    later = lognormal_blocks(28, seed=4)

    exceeded = sum(maximum >= level for maximum in later)

    assert 12 <= exceeded <= 56


def test_a_longer_return_time_is_a_higher_level() -> None:
    history = learned(lognormal_blocks(14))

    assert history.level(6) < history.level(24) < history.level(168) < history.level(336)


def test_a_common_factor_of_flow_and_history_cancels() -> None:
    blocks = lognormal_blocks(14)
    visible = [maximum * 0.1 for maximum in blocks]

    ratio = learned(blocks).level(168) / learned(visible).level(168)

    assert ratio == pytest.approx(10, rel=0.13)


def test_it_is_armed_after_six_hours_with_five_blocks_that_were_not_zero() -> None:
    assert not learned([100.0] * 70).armed
    assert learned([100.0] * 74).armed
    assert not learned([0.0] * 200 + [100.0] * 4).armed


def test_zero_blocks_make_the_same_flow_rarer() -> None:
    busy, calm = [100.0, 200.0] * 100, [100.0, 200.0] * 100 + [0.0] * 2000

    assert learned(calm).level(24) < learned(busy).level(24)


def test_old_blocks_count_less() -> None:
    history = learned([5000.0] * 288 + [100.0] * 288 * 60)

    assert history.level(24) < 1000


def test_renormalising_changes_no_level() -> None:
    history = learned(lognormal_blocks(3))
    before = history.level(24), history.hours
    history.weight *= 1  # the state is consistent at any scale
    scale = RENORMALISE_AT / history.weight
    history.bins = [held * scale for held in history.bins]
    history.blocks *= scale
    history.positive *= scale
    history.weight *= scale
    history.add_block(0.0)

    assert history.weight == pytest.approx(1.0)
    assert history.level(24) == pytest.approx(before[0], rel=0.01)
    assert history.hours == pytest.approx(before[1], rel=0.01)


def test_a_calm_feed_whose_rank_falls_among_its_zeros_still_has_a_level() -> None:
    calm = learned([0.0] * 6000 + [100.0] * 10)

    assert calm.level(24) > 0
    assert calm.level(24) <= calm.level(168)


def test_without_history_there_is_no_level() -> None:
    assert History().level(24) == 0


def test_the_market_prior_stands_where_it_was_measured() -> None:
    prior = market_prior()

    assert prior.hours == pytest.approx(9)
    assert prior.level(24) == pytest.approx(4200, rel=0.15)
