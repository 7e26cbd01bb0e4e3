from math import exp, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine.forced_flow import BlockMaximum, DecayingSum, Feed, MarketFeed, forced_impact_z
from liqwatch.events import Completeness


def feed() -> Feed:
    return Feed(venue="v", completeness=Completeness.FULL)


@given(st.lists(st.tuples(st.integers(0, 60_000), st.floats(0, 1e6)), max_size=30), st.randoms())
def test_a_decaying_sum_does_not_depend_on_the_order_of_arrival(
    amounts: list[tuple[int, float]], rng: Random
) -> None:
    shuffled = amounts[:]
    rng.shuffle(shuffled)
    straight, mixed = DecayingSum(tau_s=30.0), DecayingSum(tau_s=30.0)
    for at, usd in sorted(amounts):
        straight.add(at, usd)
    for at, usd in shuffled:
        mixed.add(at, usd)

    expected = sum(usd * exp(-(60_000 - at) / 30_000) for at, usd in amounts)
    assert straight.at(60_000) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert mixed.at(60_000) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_root_sum_adds_roots_of_seconds_not_of_orders() -> None:
    one = feed()
    for usd in (40_000.0, 60_000.0):
        one.add(5_000, usd)
    one.add(6_500, 10_000.0)
    one.close_second(6, counts_since_s=0)

    assert one.root_sum == pytest.approx(sqrt(100_000) + sqrt(10_000))
    assert one.visible_usd(6, 30) == 110_000


def test_the_root_sum_forgets_after_thirty_seconds() -> None:
    one = feed()
    one.add(5_000, 40_000.0)
    one.close_second(34, counts_since_s=0)
    within = one.root_sum
    one.close_second(35, counts_since_s=0)

    assert within == 200
    assert one.root_sum == 0
    assert one.visible_usd(35, 60) == 40_000


def test_one_whale_weighs_less_than_many_orders_of_the_same_sum() -> None:
    whale, many = feed(), feed()
    whale.add(10_000, 900_000.0)
    for second in range(10, 19):
        many.add(second * 1000, 100_000.0)
    whale.close_second(18, counts_since_s=0)
    many.close_second(18, counts_since_s=0)

    assert many.root_sum == pytest.approx(3 * whale.root_sum)


def test_one_account_on_many_coins_is_ordinary_in_the_market_sum() -> None:
    market = MarketFeed(past=BlockMaximum())
    for number in range(63):
        market.add(7_000, f"COIN{number}", 37.0)
    market.close_second(7, counts_since_s=0)

    assert market.root_sum < 400
    total, without_largest = market.usd()
    assert total == pytest.approx(63 * 37)
    assert without_largest == pytest.approx(62 * 37)


def test_a_block_counts_only_when_the_feed_was_healthy_from_its_start() -> None:
    past = BlockMaximum()
    for second in range(300, 900):
        past.close_second(second, 50.0, counts_since_s=400)
    past.close_second(900, 0.0, counts_since_s=400)

    assert past.history.hours == pytest.approx(1 / 12)


def test_a_deaf_feed_learns_nothing() -> None:
    past = BlockMaximum()
    for second in range(300, 1500):
        past.close_second(second, 0.0, counts_since_s=None)

    assert past.history.hours == 0


def test_forced_impact_is_the_move_in_sigmas() -> None:
    assert forced_impact_z(3e-11, 100e6, 1e-4) == pytest.approx(3e-3 / (1e-4 * sqrt(30)))
