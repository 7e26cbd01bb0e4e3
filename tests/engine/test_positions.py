import pytest

from liqwatch.engine.positions import DISTANCES, LEVERAGE_SHARE, PositionBook
from liqwatch.events import Position


def book() -> PositionBook:
    return PositionBook.begin(1000.0, 50_000.0, 0.001)


def test_the_leverage_prior_shares_out_all_open_interest_bottom_heavy() -> None:
    assert sum(LEVERAGE_SHARE.values()) == pytest.approx(1.0)
    assert sum(share for leverage, share in LEVERAGE_SHARE.items() if leverage <= 10) > 0.6


def test_longs_liquidate_below_their_entry_and_shorts_above() -> None:
    assert all(distance < 0 for distance, _ in DISTANCES[Position.LONG])
    assert all(distance > 0 for distance, _ in DISTANCES[Position.SHORT])


def test_what_was_open_before_the_first_sample_is_not_in_the_map() -> None:
    one = book()

    assert one.longs.total() == one.shorts.total() == 0


def test_new_contracts_go_to_both_sides_at_the_takers_price() -> None:
    one = book()
    one.sample(1100.0, 50_000.0)

    assert one.shorts.total() == pytest.approx(100 * 50_000, rel=0.25)
    assert one.longs.total() == pytest.approx(100 * 50_000, rel=0.25)
    key_of_50x = one.shorts.key(50_000 * (1 + 0.02) / 1.004)
    assert one.shorts.dense(key_of_50x, key_of_50x + 1) > [0.0]


def test_closes_take_from_both_sides_in_proportion() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    before = one.shorts.total()
    one.sample(900.0, 50_000.0)

    assert one.shorts.total() == pytest.approx(before * 0.75)
    assert one.longs.total() < before


def test_closes_that_were_liquidations_are_not_taken_twice() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    before = one.shorts.total()
    one.forced_usd = 300 * 50_000.0
    one.sample(900.0, 50_000.0)

    assert one.shorts.total() == pytest.approx(before)


def test_price_sweeps_what_it_passes_and_remembers_how_much() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    total = one.shorts.total()
    one.sweep(51_500.0)

    swept = one.swept_usd[Position.SHORT]
    assert 0 < swept < total
    assert one.shorts.total() == pytest.approx(total - swept)
    assert one.swept_usd[Position.LONG] == 0
    one.sweep(30_000.0)
    assert one.swept_usd[Position.LONG] > 0


@pytest.mark.parametrize("wrong", [1_200_000.0, 0.0])
def test_a_sample_out_of_all_proportion_changes_nothing(wrong: float) -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    shorts, longs = one.shorts.total(), one.longs.total()
    one.sample(wrong, 50_000.0)
    one.sample(1200.0, 50_000.0)

    assert (one.shorts.total(), one.longs.total()) == (shorts, longs)
    assert one.open_size == 1200.0


def test_a_jump_that_stays_is_where_counting_goes_on_and_adds_no_positions() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    total = one.shorts.total()
    one.sample(2400.0, 50_000.0)
    one.sample(2410.0, 50_000.0)

    assert one.open_size == 2410.0
    assert one.shorts.total() == total
