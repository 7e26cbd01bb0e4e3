import asyncio
import time

import pytest

from liqwatch.clock import ScaledClock, WallClock

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_791_565_200 * SECOND


class Machine:
    """A machine whose wall clock can be set, and whose elapsed time nobody touches."""

    def __init__(self) -> None:
        self.wall_ns = START
        self.elapsed_ns = 17 * SECOND
        self.clock = WallClock(wall_ns=lambda: self.wall_ns, elapsed_ns=lambda: self.elapsed_ns)

    def pass_ns(self, ns: int) -> None:
        self.wall_ns += ns
        self.elapsed_ns += ns


def test_without_trouble_it_is_the_machines_clock() -> None:
    machine = Machine()
    for _ in range(1000):
        machine.pass_ns(250_000_000)
        assert machine.clock.now_ns() == machine.wall_ns


@pytest.mark.parametrize("step_ns", [HOUR, -HOUR])
def test_a_step_neither_jumps_nor_freezes_it(step_ns: int) -> None:
    machine = Machine()
    machine.wall_ns += step_ns
    before = machine.clock.now_ns()
    assert before == START

    for _ in range(1000):
        machine.pass_ns(10_000_000)
        now = machine.clock.now_ns()
        assert 9_500_000 <= now - before <= 10_500_000
        before = now


@pytest.mark.parametrize("step_ns", [HOUR, -HOUR])
def test_a_step_is_caught_up_in_twenty_times_its_length(step_ns: int) -> None:
    machine = Machine()
    machine.wall_ns += step_ns
    for _ in range(19 * 60):
        machine.pass_ns(60 * SECOND)
        machine.clock.now_ns()
    assert abs(machine.wall_ns - machine.clock.now_ns()) == HOUR // 20
    for _ in range(2 * 60):
        machine.pass_ns(60 * SECOND)
        machine.clock.now_ns()

    assert machine.clock.now_ns() == machine.wall_ns


def test_a_clock_that_is_off_by_a_few_parts_in_a_million_is_followed() -> None:
    machine = Machine()
    for _ in range(1000):
        machine.pass_ns(SECOND)
        machine.wall_ns += 500_000  # the most that NTP slews: 500 ppm
        assert machine.clock.now_ns() == machine.wall_ns


def test_asked_twice_at_once_it_answers_the_same() -> None:
    machine = Machine()
    machine.wall_ns -= SECOND

    assert machine.clock.now_ns() == machine.clock.now_ns()


async def test_the_real_clock_tells_the_time_and_waits() -> None:
    clock = WallClock()
    begun = clock.now_ns()
    await clock.sleep(0.02)

    assert 0.02 <= (clock.now_ns() - begun) / SECOND < 0.5
    assert abs(clock.now_ns() - time.time_ns()) < SECOND


async def test_a_scaled_clock_runs_and_waits_faster() -> None:
    clock = ScaledClock(start_ns=START, speed=100)
    begun = time.monotonic()
    await asyncio.wait_for(clock.sleep(2), 1)

    assert 0.02 <= time.monotonic() - begun < 0.5
    assert 2 <= (clock.now_ns() - START) / SECOND < 50
