"""When data is missing, by the connections that brought it."""

import pytest

from liqwatch.sources.gaps import Gaps

MS = 1_000_000


@pytest.fixture
def told() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def gaps(told: list[tuple[int, int]]) -> Gaps:
    return Gaps(lambda *gap: told.append(gap))


def test_the_first_data_of_all_ends_no_gap(gaps: Gaps, told: list[tuple[int, int]]) -> None:
    gaps.begin(5 * MS)

    assert told == []


def test_a_gap_is_from_the_last_data_to_the_next(gaps: Gaps, told: list[tuple[int, int]]) -> None:
    gaps.begin(5 * MS)
    gaps.end(7 * MS)
    gaps.begin(9 * MS)
    gaps.end(11 * MS)
    gaps.begin(12 * MS)

    assert told == [(7, 9), (11, 12)]


def test_where_one_takes_over_from_another_there_is_no_gap(
    gaps: Gaps, told: list[tuple[int, int]]
) -> None:
    gaps.begin(5 * MS)
    gaps.begin(6 * MS)
    gaps.end(7 * MS)
    gaps.begin(8 * MS)

    assert told == []


def test_the_last_data_of_all_counts_whoever_brought_it(
    gaps: Gaps, told: list[tuple[int, int]]
) -> None:
    gaps.begin(5 * MS)
    gaps.begin(6 * MS)
    gaps.end(8 * MS)
    gaps.end(7 * MS)
    gaps.begin(9 * MS)

    assert told == [(8, 9)]
