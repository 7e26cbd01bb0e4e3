"""Which address is due when."""

import pytest

from liqwatch.exchanges.base import Poll
from liqwatch.sources.schedule import Schedule

S = 1_000_000_000


def polls(names: str, interval_s: float) -> list[Poll]:
    return [Poll(url=name, interval_s=interval_s) for name in names]


def rounds(schedule: Schedule, count: int) -> list[tuple[float, str]]:
    """Ask `count` times in time; return when (in s) and what."""
    asked = []
    for _ in range(count):
        due_ns, poll = schedule.next()
        assert poll is not None
        asked.append((due_ns / S, poll.url))
        schedule.postpone(poll, poll.interval_s, due_ns)
    return asked


@pytest.mark.parametrize(("interval_s", "gap_s"), [(60, 20), (4 * 3600, 100)])
def test_the_first_round_is_spread_over_the_interval_but_not_over_hours(
    interval_s: float, gap_s: float
) -> None:
    schedule = Schedule()

    schedule.revise(polls("abc", interval_s), 7 * S)

    assert rounds(schedule, 4) == [
        (7, "a"),
        (7 + gap_s, "b"),
        (7 + 2 * gap_s, "c"),
        (7 + interval_s, "a"),
    ]


def test_the_new_are_added_the_gone_dropped_and_the_rest_left_in_peace() -> None:
    schedule = Schedule()
    schedule.revise(polls("abc", 60), 0)
    rounds(schedule, 1)

    schedule.revise(polls("bcde", 60), 10 * S)

    assert rounds(schedule, 5) == [(10, "d"), (20, "b"), (40, "c"), (40, "e"), (70, "d")]


def test_what_is_wanted_more_often_is_due_sooner_and_never_later() -> None:
    schedule = Schedule()
    schedule.revise(polls("a", 600), 0)
    rounds(schedule, 1)

    schedule.revise(polls("a", 30), 10 * S)
    assert schedule.next()[0] == 40 * S
    schedule.revise(polls("a", 600), 20 * S)

    assert schedule.next()[0] == 40 * S


def test_an_empty_schedule_has_nothing_due() -> None:
    schedule = Schedule()
    schedule.revise(polls("a", 60), 0)

    schedule.revise([], 0)

    assert schedule.next()[1] is None
