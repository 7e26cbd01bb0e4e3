from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine.liquidation_map import Ladder

BUCKET = 0.001

prices = st.floats(0.7, 1.4)
adds = st.tuples(st.just("add"), prices, st.floats(0, 1e9))
scales = st.tuples(st.just("scale"), st.floats(0.01, 1.0), st.just(0.0))
sweeps = st.tuples(st.just("sweep"), prices, prices)


@given(st.lists(st.one_of(adds, scales, sweeps), max_size=60))
def test_a_ladder_is_a_sorted_dictionary_of_buckets(steps: list[tuple[str, float, float]]) -> None:
    ladder, plain = Ladder.around(1.0, BUCKET), dict[int, float]()
    for what, a, b in steps:
        if what == "add":
            ladder.add(a, b)
            plain[ladder.key(a)] = plain.get(ladder.key(a), 0.0) + b
        elif what == "scale":
            ladder.scale(a)
            plain = {key: usd * a for key, usd in plain.items()}
        else:
            low, high = min(a, b), max(a, b)
            gone = {k for k in plain if low <= exp(k * BUCKET) <= high}
            swept = ladder.sweep(low, high)
            assert swept == pytest.approx(sum(plain[k] for k in gone), rel=1e-6, abs=1e-3)
            plain = {key: usd for key, usd in plain.items() if key not in gone}
        ladder.check()

    got = ladder.items()
    assert list(got) == sorted(got)
    for key, usd in plain.items():
        assert got.get(key, 0.0) == pytest.approx(usd, rel=1e-6, abs=1e-3)
    assert ladder.total() == pytest.approx(sum(plain.values()), rel=1e-6, abs=1e-2)


def test_a_thousand_halvings_do_not_lose_what_is_added_later() -> None:
    ladder = Ladder.around(1.0, BUCKET)
    for _ in range(1000):
        ladder.scale(0.5)
    ladder.add(1.1, 100.0)

    assert ladder.total() == pytest.approx(100.0)


def test_the_window_follows_the_price_and_keeps_the_mass() -> None:
    ladder = Ladder.around(100.0, BUCKET)
    ladder.add(140.0, 7.0)
    ladder.recentre(100.0 * exp(0.3))

    assert ladder.total() == pytest.approx(7.0)
    ladder.add(100.0 * exp(0.7), 5.0)
    assert ladder.total() == pytest.approx(12.0)
    ladder.check()


def test_dense_reads_any_window_with_zeros_where_nothing_is() -> None:
    ladder = Ladder.around(100.0, BUCKET)
    ladder.add(101.0, 7.0)
    key = ladder.key(101.0)

    assert ladder.dense(key - 1, key + 2) == [0.0, 7.0, 0.0]
    assert ladder.dense(ladder.base - 5, ladder.base - 2) == [0.0] * 3
    assert ladder.dense(ladder.base - 2, ladder.base + 2) == [0.0] * 4
    assert len(ladder.dense(ladder.base + 1020, ladder.base + 1030)) == 10


def test_what_lies_beyond_the_ends_is_left_out() -> None:
    ladder = Ladder.around(100.0, BUCKET)
    ladder.add(1000.0, 5.0)
    ladder.add(10.0, 5.0)

    assert ladder.total() == 0
