import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.events import Position
from liqwatch.simulator.map_score import (
    BUCKET,
    BUCKETS,
    emd_pct,
    judge,
    ladder,
    spearman,
    top_share,
)

PRICE = 50_000.0
FLAT = [1.0] * BUCKETS
RISING = [float(n + 1) for n in range(BUCKETS)]


def only(*full: int) -> list[float]:
    return [1.0 if index in full else 0.0 for index in range(BUCKETS)]


@pytest.mark.parametrize(("position", "sign"), [(Position.LONG, -1), (Position.SHORT, 1)])
def test_buckets_are_counted_from_the_price_outwards(position: Position, sign: int) -> None:
    at = [PRICE * math.exp(sign * BUCKET * (n + 1.5)) for n in (-1, 0, 7, BUCKETS - 1, BUCKETS)]
    found = ladder(((price, price, 5.0) for price in at), PRICE, position)

    assert found == [5.0 * value for value in only(0, 7, BUCKETS - 1)]


def test_the_wrong_side_of_the_price_is_not_in_a_ladder() -> None:
    assert sum(ladder([(PRICE * 0.95, PRICE * 0.95, 1.0)], PRICE, Position.SHORT)) == 0
    assert sum(ladder([(PRICE * 1.05, PRICE * 1.05, 1.0)], PRICE, Position.LONG)) == 0


def test_mass_across_an_edge_is_shared_and_what_lies_outside_is_left_out() -> None:
    low, high = (PRICE * math.exp(BUCKET * edge) for edge in (2.75, 3.25))
    assert ladder([(low, high, 8.0)], PRICE, Position.SHORT)[1:3] == pytest.approx([4.0, 4.0])

    low, high = (PRICE * math.exp(BUCKET * edge) for edge in (0.0, 4.0))
    assert sum(ladder([(low, high, 8.0)], PRICE, Position.SHORT)) == pytest.approx(6.0)


# Ends stand between the edges of buckets, where rounding cannot decide.
ends = st.integers(-15_000, 15_000).map(lambda number: (number + 0.5) * 1e-5)
masses = st.lists(st.tuples(ends, ends, st.floats(0.0, 1e9)), max_size=30)


@given(masses)
def test_longs_and_shorts_are_judged_as_mirror_images(
    found: list[tuple[float, float, float]],
) -> None:
    def mirrored(position: Position, sign: int) -> list[float]:
        prices = ((PRICE * math.exp(sign * a), PRICE * math.exp(sign * b), w) for a, b, w in found)
        return ladder(((min(a, b), max(a, b), usd) for a, b, usd in prices), PRICE, position)

    shorts, longs = mirrored(Position.SHORT, 1), mirrored(Position.LONG, -1)
    assert shorts == pytest.approx(longs, rel=1e-6, abs=1e-3)


def test_a_perfect_map_scores_perfectly_at_any_scale() -> None:
    score = judge([3.0 * value for value in RISING], RISING)

    assert score.spearman == pytest.approx(1.0)
    assert score.top_share == pytest.approx(1.0)
    assert score.emd_pct == pytest.approx(0.0, abs=1e-12)
    assert score.ln_scale == pytest.approx(math.log(3.0))


def test_the_opposite_map_scores_worst() -> None:
    score = judge(RISING[::-1], RISING)

    assert score.spearman == pytest.approx(-1.0)
    assert score.top_share == pytest.approx((1 + 2 + 3 + 4) / (36 + 37 + 38 + 39))


def test_rank_correlation_is_that_of_the_textbook_ties_at_their_mean_rank() -> None:
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 × 5).
    assert spearman([1, 5, 5, 9], [10, 20, 30, 40]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman([3, 1, 2], [30, 10, 20]) == pytest.approx(1.0)
    assert spearman([7, 7, 7], [1, 2, 3]) == 0.0


def test_the_top_decile_is_four_buckets_held_against_the_best_four() -> None:
    assert top_share(only(0, 1, 2, 3), only(2, 3, 20, 21)) == pytest.approx(0.5)


def test_a_map_that_tells_nothing_apart_captures_what_chance_would() -> None:
    assert top_share(FLAT, only(5)) == pytest.approx(4 / BUCKETS)
    assert top_share(only(5), only(5)) == pytest.approx(1.0)
    assert top_share(only(6), only(5)) == pytest.approx(3 / (BUCKETS - 1))


def test_mass_is_carried_over_the_distance_in_percent_of_price() -> None:
    assert emd_pct(only(10), only(14)) == pytest.approx(4 * 0.25)
    assert emd_pct([2.0 * value for value in only(10)], only(8, 12)) == pytest.approx(0.5)


def test_an_empty_map_is_one_that_tells_nothing_and_has_no_scale() -> None:
    empty, flat = judge([0.0] * BUCKETS, RISING), judge(FLAT, RISING)

    assert empty[:3] == flat[:3]
    assert empty.ln_scale is None
