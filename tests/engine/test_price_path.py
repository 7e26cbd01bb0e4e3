import pytest

from liqwatch.engine.price_path import MINUTES, PricePath


def walked(*seconds: int) -> PricePath:
    path = PricePath()
    for second in seconds:
        path.update(second, float(second))
    return path


def test_it_keeps_the_first_price_of_each_minute() -> None:
    assert walked(65, 66, 119, 120, 185).points() == (
        (60_000, 65.0),
        (120_000, 120.0),
        (180_000, 185.0),
    )


def test_minutes_without_a_price_are_left_out() -> None:
    assert walked(0, 600).points() == ((0, 0.0), (600_000, 600.0))


@pytest.mark.parametrize("step_s", [60, 100 * 3600])
def test_it_forgets_what_is_older_than_some_hours(step_s: int) -> None:
    path = walked(*range(0, 600 * step_s, step_s))

    assert len(path.prices) == MINUTES
    oldest_ms, _ = path.points()[0]
    newest_ms, _ = path.points()[-1]
    assert newest_ms == 599 * step_s * 1000 // 60_000 * 60_000
    assert newest_ms - oldest_ms < MINUTES * 60_000


def test_time_that_runs_back_changes_nothing() -> None:
    assert walked(600, 60).points() == ((600_000, 600.0),)
