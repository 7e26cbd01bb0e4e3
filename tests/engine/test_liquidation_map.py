from math import exp, floor, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine.liquidation_map import Ladder
from liqwatch.events import Position

LONG, SHORT = Position.LONG, Position.SHORT
BUCKET = 0.001
CLOSE = 1e-5  # buckets have the precision of 32 bits

# Log prices in the direction in which price sets the ladder off, and how far it has come that way.
places = st.floats(-0.05, 0.45)
adds = st.tuples(st.just("add"), places, st.floats(0, 1e9))
scales = st.tuples(st.just("scale"), st.floats(0.01, 1.0), st.just(0.0))
sweeps = st.tuples(st.just("sweep"), places, st.just(0.0))


def ladder(position: Position = SHORT, price: float = 1.0) -> Ladder:
    return Ladder.around(position, price, bucket=BUCKET)


@given(st.sampled_from([LONG, SHORT]), st.lists(st.one_of(adds, scales, sweeps), max_size=60))
def test_a_ladder_is_a_sorted_dictionary_of_buckets(
    position: Position, steps: list[tuple[str, float, float]]
) -> None:
    """Price stops on the edges of buckets here, where no bucket is swept in part."""
    one, plain = ladder(position), dict[int, float]()
    for what, a, b in steps:
        middle = (floor(a / BUCKET) + 0.5) * BUCKET
        if what == "add":
            one.add(exp(one.sign * middle), b)
            key = one.key(exp(one.sign * middle))
            plain[key] = plain.get(key, 0.0) + b
        elif what == "scale":
            one.scale(a)
            plain = {key: usd * a for key, usd in plain.items()}
        else:
            edge = middle + 0.5 * BUCKET - 1e-9
            gone = {k for k in plain if one.sign * (k + 0.5) * BUCKET < edge}
            swept = one.sweep(exp(one.sign * edge))
            assert swept == pytest.approx(sum(plain[k] for k in gone), rel=CLOSE, abs=1e4)
            plain = {key: usd for key, usd in plain.items() if key not in gone}
        one.check()

    got = one.items()
    assert list(got) == sorted(got)
    for key, usd in plain.items():
        assert got.get(key, 0.0) == pytest.approx(usd, rel=CLOSE, abs=1e4)
    assert one.total() == pytest.approx(sum(plain.values()), rel=CLOSE, abs=1e4)


def test_a_thousand_halvings_do_not_lose_what_is_added_later() -> None:
    one = ladder()
    for _ in range(1000):
        one.scale(0.5)
    one.add(1.1, 100.0)

    assert one.total() == pytest.approx(100.0)


@pytest.mark.parametrize(("position", "sign"), [(SHORT, 1), (LONG, -1)])
def test_a_bucket_is_swept_by_as_much_of_it_as_price_has_passed(
    position: Position, sign: int
) -> None:
    one = ladder(position)
    one.add(exp(sign * 10.000001e-3), 100.0)

    def at(place_bp: float) -> float:
        return one.sweep(exp(sign * place_bp / 1e4))

    assert at(102.5) == pytest.approx(25.0, rel=1e-4)
    assert at(100.0) == 0.0  # price has gone back, and comes again over the same ground
    assert at(102.5) == 0.0
    assert at(107.5) == pytest.approx(50.0, rel=1e-4)
    assert one.total() == pytest.approx(25.0, rel=1e-4)
    assert at(200.0) == pytest.approx(25.0, rel=1e-4)


def test_price_sweeps_only_on_the_side_it_is_coming_for() -> None:
    longs, shorts = ladder(LONG), ladder(SHORT)
    longs.add(0.95, 10.0)
    shorts.add(1.05, 10.0)

    assert longs.sweep(1.06) == 0.0
    assert shorts.sweep(0.94) == 0.0
    assert longs.sweep(0.94) == pytest.approx(10.0)


def test_what_has_come_near_its_own_liquidation_gives_up_and_the_rest_stays() -> None:
    one = ladder()
    one.spread(1.0, 100.0, ((0.05, 1.0),))  # 20x: price has done none of the way
    one.spread(exp(-0.05), 100.0, ((0.2, 1.0),))  # 5x: price has done a quarter
    one.give_up(1.0, 0.5)
    assert one.total() == pytest.approx(200.0)

    one.give_up(exp(0.031), 0.5)  # past half the way of the first
    near, far = (one.dense(key, key + 1)[0] for key in (50, 150))
    assert near == pytest.approx(50.0)
    assert far == pytest.approx(100.0)
    one.give_up(exp(0.051), 0.5)
    assert one.dense(150, 151) == [pytest.approx(50.0)]


@pytest.mark.parametrize("position", [SHORT, LONG])
def test_the_window_follows_the_price_and_keeps_the_mass(position: Position) -> None:
    one = ladder(position, 100.0)
    sign = one.sign
    one.add(100.0 * exp(sign * 0.4), 7.0)
    one.recentre(100.0 * exp(sign * 0.3))
    assert one.total() == pytest.approx(7.0)

    one.add(100.0 * exp(sign * 0.7), 5.0)
    one.recentre(100.0 * exp(sign * 0.25))
    assert one.total() == pytest.approx(12.0)
    one.recentre(100.0 * exp(sign * 5))
    assert one.total() == 0
    one.check()


def test_a_window_that_need_not_move_does_not() -> None:
    one = ladder(price=100.0)
    base = one.base
    one.recentre(104.0)
    one.recentre(96.0)

    assert one.base == base


@pytest.mark.parametrize("position", [SHORT, LONG])
def test_dense_reads_any_window_with_zeros_where_nothing_is(position: Position) -> None:
    one = ladder(position, 100.0)
    one.add(101.0, 7.0)
    key = floor(log(101.0) / BUCKET)

    assert one.dense(key - 1, key + 2) == [0.0, 7.0, 0.0]
    assert one.dense(key - 1, key + 2, weight=0.5) == [0.0, 3.5, 0.0]
    assert sum(one.dense(key - 3000, key + 3000)) == 7.0
    assert len(one.dense(key - 3000, key + 3000)) == 6000
    assert one.dense(key + 3000, key + 3003) == [0.0] * 3
    assert one.dense(key - 3003, key - 3000) == [0.0] * 3


def test_what_lies_beyond_the_ends_is_left_out() -> None:
    one = ladder(price=100.0)
    one.add(1000.0, 5.0)
    one.add(10.0, 5.0)

    assert one.total() == 0
