import doctest

import msgspec
import pytest

from liqwatch.engine import volatility_rank
from liqwatch.engine.volatility_rank import HOURS, VolatilityRank


def hours(*sigmas: float, first: int = 0) -> VolatilityRank:
    past = VolatilityRank()
    for hour, sigma in enumerate(sigmas, first):
        past.update(3600 * hour, sigma)
    return past


def test_the_example_holds() -> None:
    assert tuple(doctest.testmod(volatility_rank)) == (0, 3)


def test_nothing_is_said_before_a_day_is_known() -> None:
    assert hours(*[1e-4] * 23).rank_pct(2e-4) is None
    assert hours(*[1e-4] * 24).rank_pct(2e-4) == 100


def test_one_value_counts_for_an_hour() -> None:
    past = hours(*[1e-4] * 24)
    for second in range(3600):
        past.update(23 * 3600 + second, 9e-4)

    assert past.rank_pct(2e-4) == 100


def test_hours_in_which_nobody_listened_count_for_nothing() -> None:
    past = hours(*[1e-4] * 24)
    past.update(3600 * 100, 3e-4)

    assert past.rank_pct(2e-4) == pytest.approx(100 * 24 / 25)


@pytest.mark.parametrize("apart", [1, 10 * HOURS])
def test_a_month_is_remembered_and_no_more(apart: int) -> None:
    past = hours(*[1e-4] * HOURS)
    for hour in range(HOURS + apart, 2 * HOURS + apart):
        past.update(3600 * hour, 3e-4)

    assert len(past.sigmas) == HOURS
    assert past.rank_pct(2e-4) == 0


def test_a_clock_that_steps_back_changes_nothing() -> None:
    past = hours(*[1e-4] * 24, first=100)
    past.update(3600 * 50, 9e-4)

    assert past == hours(*[1e-4] * 24, first=100)
    assert msgspec.structs.asdict(past)["last_hour"] == 123
