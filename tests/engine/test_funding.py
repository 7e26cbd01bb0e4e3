import pytest

from liqwatch.engine.funding import HOUR_MS, KNOWN_MS, Rate, told, weighted
from liqwatch.events import Funding

NOW_MS = 1_791_565_200_000


def event(rate: float, hours: float | None = None, next_time: int | None = None) -> Funding:
    return Funding(
        "v", "BTC", "BTCUSDT", NOW_MS, NOW_MS * 10**6, rate, hours, next_time
    )  # fmt: skip


@pytest.mark.parametrize(("hours", "pct_8h"), [(8.0, 0.01), (4.0, 0.02), (1.0, 0.08)])
def test_rates_are_compared_over_eight_hours(hours: float, pct_8h: float) -> None:
    assert told(event(1e-4, hours), NOW_MS, None).pct_8h == pytest.approx(pct_8h)


def test_an_interval_that_is_not_told_is_eight_hours_until_two_payments_are_known() -> None:
    first = told(event(1e-4, next_time=4 * HOUR_MS), NOW_MS, None)
    second = told(event(1e-4, next_time=8 * HOUR_MS), NOW_MS, first)
    third = told(event(2e-4, next_time=8 * HOUR_MS), NOW_MS, second)

    assert [one.hours for one in (first, second, third)] == [8, 4, 4]


@pytest.mark.parametrize("next_ms", [0, 28 * HOUR_MS], ids=["back", "after days"])
def test_payments_that_were_missed_do_not_make_an_interval(next_ms: int) -> None:
    before = Rate(1e-4, NOW_MS, 4.0, 4 * HOUR_MS)

    assert told(event(1e-4, next_time=next_ms), NOW_MS, before).hours == 4


def test_the_mean_goes_by_open_interest_and_so_does_its_age() -> None:
    rates = {
        "a|X": Rate(1e-4, NOW_MS - 10_000),
        "b|X": Rate(-3e-4, NOW_MS - 50_000),
        "c|X": Rate(9e-4, NOW_MS),
    }
    mean = weighted(rates, {"a|X": 30.0, "b|X": 10.0}, NOW_MS)

    assert mean is not None
    assert mean.pct_8h == pytest.approx(0.0)
    assert mean.age_ms == pytest.approx(20_000)


def test_without_a_fresh_rate_or_open_interest_nothing_is_known() -> None:
    old, fresh = Rate(1e-4, NOW_MS - KNOWN_MS - 1), Rate(1e-4, NOW_MS)

    assert weighted({"a|X": old}, {"a|X": 1.0}, NOW_MS) is None
    assert weighted({"a|X": fresh}, {"b|X": 1.0}, NOW_MS) is None
    assert weighted({}, {}, NOW_MS) is None
