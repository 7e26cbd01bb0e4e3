from collections.abc import Iterator
from math import exp, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine import leverage
from liqwatch.engine.margin import Terms, Tier
from liqwatch.engine.positions import PASS_S, STALE_MS, STOP_OUT_S, PositionBook
from liqwatch.events import ContractType, Position

LONG, SHORT = Position.LONG, Position.SHORT


def book(terms: Terms = Terms()) -> PositionBook:  # noqa: B008 - frozen
    return PositionBook.begin(1000.0, 50_000.0, 0.001, terms)


def test_what_was_open_before_the_first_sample_is_not_in_the_map() -> None:
    one = book()

    assert one.longs.total() == one.shorts.total() == 0


@pytest.mark.parametrize("position", [LONG, SHORT])
def test_new_contracts_go_to_both_sides_at_the_takers_price(position: Position) -> None:
    one = book()
    one.sample(1100.0, 50_000.0)

    levered = 1 - leverage.HEDGED_SHARE[position]
    assert one.side(position).total() == pytest.approx(levered * 100 * 50_000, rel=0.25)
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


def test_price_sweeps_what_it_passes_and_remembers_how_much_and_where() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    total = one.shorts.total()
    (swept,) = one.sweep(51_500.0)

    assert swept.position is SHORT
    assert 50_000 < swept.low < swept.high == 51_500
    assert 0 < swept.usd < total
    assert one.swept_usd == {SHORT: swept.usd, LONG: 0}
    assert one.shorts.total() == pytest.approx(total - swept.usd)
    assert one.sweep(51_500.0) == ()
    assert [gone.position for gone in one.sweep(30_000.0)] == [LONG]


def test_who_entered_where_price_is_no_more_is_swept_at_once() -> None:
    one = book()
    one.sweep(49_000.0)
    one.sample(1200.0, 50_000.0)

    assert [gone.position for gone in one.sweep(49_000.0)] == [LONG]
    one.longs.check()


def test_within_a_day_most_of_those_close_to_liquidation_give_up() -> None:
    one = book(Terms((Tier(float("inf"), 0.0125, max_leverage=5),)))
    one.sample(1200.0, 50_000.0)
    near = 50_000 * exp(leverage.distances(one.terms, SHORT)[0][0] * 0.7)
    key = one.shorts.key(near)
    before = sum(one.shorts.dense(key, key + 300))
    longs = one.longs.total()
    for _ in range(STOP_OUT_S // PASS_S):
        one.pass_time(near, 1.0)

    assert sum(one.shorts.dense(key, key + 100)) < 0.45 * before
    assert one.longs.total() == pytest.approx(longs)


@pytest.mark.parametrize("wrong", [1_200_000.0, 0.0, 2400.0])
def test_a_sample_out_of_all_proportion_changes_nothing(wrong: float) -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    shorts, longs = one.shorts.total(), one.longs.total()
    one.sample(wrong, 50_000.0)
    assert one.frozen(0)
    one.sample(1200.0, 50_000.0)

    assert (one.shorts.total(), one.longs.total()) == (shorts, longs)
    assert one.open_size == 1200.0
    assert not one.frozen(0)


def test_a_jump_that_stays_is_where_counting_goes_on_and_adds_no_positions() -> None:
    one = book()
    one.sample(1200.0, 50_000.0)
    total = one.shorts.total()
    one.sample(2400.0, 50_000.0)
    one.sample(2410.0, 50_000.0)

    assert one.open_size == 2410.0
    assert one.shorts.total() == total


def test_a_book_whose_open_interest_is_missing_is_frozen() -> None:
    one = book()
    one.sampled_ms = 1_000_000

    assert not one.frozen(1_000_000 + STALE_MS)
    assert one.frozen(1_000_001 + STALE_MS)


def course(random: Random) -> Iterator[tuple[str, float, float]]:
    """What may befall a book: log prices here, of which the mirror sees the opposite."""
    for _ in range(random.randint(1, 40)):
        what = random.choice(("open", "open", "close", "price", "minute"))
        yield what, random.uniform(-0.2, 0.2), random.random()


def befall(book: PositionBook, what: str, x: float, share: float) -> None:
    match what:
        case "open":
            book.open(1e6 * share, exp(x))
        case "close":
            book.close(share / 2)
        case "price":
            book.sweep(exp(x))
        case _:
            book.pass_time(exp(x), 1 - share / 100)


@given(st.integers(0, 2**32))
def test_longs_and_shorts_are_alike_in_the_mirror(seed: int) -> None:
    """Linear contracts at a price are inverse ones of the other side at one over that price.

    Drawn as plain random numbers: on the very edge of a bucket rounding decides.
    """
    tiers = (Tier(50_000, 0.004), Tier(1e9, 0.005, 50))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leverage, "HEDGED_SHARE", dict.fromkeys(Position, 0.3))
        leverage.distances.cache_clear()
        here, mirrored = (
            PositionBook.begin(1.0, 1.0, 0.001, Terms(tiers, contract_type=kind))
            for kind in (ContractType.LINEAR, ContractType.INVERSE)
        )
        for what, x, share in course(Random(seed)):
            befall(here, what, x, share)
            befall(mirrored, what, -x, share)
        leverage.distances.cache_clear()

    for position, other in ((LONG, SHORT), (SHORT, LONG)):
        left, right = here.side(position), mirrored.side(other)
        left.check()
        assert list(left.cells) == pytest.approx(list(right.cells), rel=1e-4, abs=1e-3)
        assert left.factor == right.factor
        assert here.swept_usd[position] == pytest.approx(mirrored.swept_usd[other], rel=1e-5)


def test_the_mirror_is_one_of_log_price() -> None:
    longs, shorts = book().longs, book().shorts
    longs.add(50_000 * exp(-0.05), 3.0)
    shorts.add(50_000 * exp(0.05), 3.0)
    (low,), (high,) = longs.items(), shorts.items()

    assert (low + high + 1) * 0.001 / 2 == pytest.approx(log(50_000), abs=0.001)
