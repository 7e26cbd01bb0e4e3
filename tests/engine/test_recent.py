import pytest

from liqwatch.alerts import Direction
from liqwatch.engine.recent import STEP_S, STEPS, Recent

NOTHING = {Direction.UP: 0.0, Direction.DOWN: 0.0}


def test_what_was_forced_before_the_first_second_belongs_to_no_step() -> None:
    recent = Recent()
    recent.update(100, 1.0, NOTHING | {Direction.DOWN: 7e6})
    recent.update(105, 1.0, NOTHING | {Direction.DOWN: 7.5e6})

    assert recent.forced_by_time(Direction.DOWN) == ((105_000, 5e5),)
    assert recent.forced_by_time(Direction.UP) == ()


def test_steps_without_a_price_are_left_out() -> None:
    recent = Recent()
    for second in (0, 20):
        recent.update(second, float(second), NOTHING)

    assert recent.prices_by_time() == ((0, 0.0), (20_000, 20.0))


@pytest.mark.parametrize("hours_away", [0, 500])
def test_it_forgets_what_is_older_than_forty_minutes(hours_away: int) -> None:
    recent = Recent()
    for second in range(0, 2 * STEPS * STEP_S, STEP_S):
        recent.update(second, 1.0, NOTHING)
    recent.update(2 * STEPS * STEP_S + hours_away * 3600, 2.0, NOTHING)

    assert len(recent.prices) == len(recent.forced_usd[Direction.UP]) == STEPS
    assert recent.prices_by_time()[-1][1] == 2.0
    assert len(recent.prices_by_time()) == (1 if hours_away else STEPS)


def test_time_that_runs_back_changes_nothing() -> None:
    recent = Recent()
    recent.update(600, 2.0, NOTHING)
    recent.update(60, 1.0, NOTHING | {Direction.UP: 9.0})

    assert recent.prices_by_time() == ((600_000, 2.0),)
    assert recent.forced_by_time(Direction.UP) == ()
