"""Restarts: how soon, how often, and what is said about them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from liqwatch.sources.supervise import MOST_TOLD, Budget, Once, full_jitter, keep_running
from liqwatch.sources.transport import ConnectionLost

RunOnce = Callable[[Callable[[], None]], Awaitable[None]]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


async def supervise(
    *outcomes: BaseException | None, healthy_at: tuple[int, ...] = (), **kwargs: Any
) -> tuple[list[float], list[Any]]:
    """Run a stream through these outcomes; return what was slept and what was logged."""
    time = Time()
    left = list(outcomes)

    async def run_once(healthy: Callable[[], None]) -> None:
        if len(outcomes) - len(left) in healthy_at:
            healthy()
        if (outcome := left.pop(0)) is not None:
            raise outcome

    with capture_logs() as logs:
        await keep_running(
            run_once,
            name="v/1",
            log=structlog.get_logger().bind(venue="v"),
            backoff=kwargs.pop("backoff", lambda attempt: 2**attempt),
            sleep=time.sleep,
            **kwargs,
        )
    assert left == []
    return time.slept, logs


def lost(reason: str = "gone", **kwargs: Any) -> ConnectionLost:
    return ConnectionLost(reason, **kwargs)


def test_jitter_is_drawn_from_the_whole_of_a_doubling_range_up_to_a_minute() -> None:
    random = Random(7)
    for attempt, limit_s in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60]):
        draws = [full_jitter(random, attempt) for _ in range(500)]
        assert 0 <= min(draws) < 0.05 * limit_s
        assert 0.95 * limit_s < max(draws) <= limit_s
    assert full_jitter(random, 10**9) <= 60


def test_jitter_repeats_with_its_seed() -> None:
    one, two = (partial(full_jitter, Random(1)) for _ in range(2))

    assert [one(n) for n in range(9)] == [two(n) for n in range(9)]


async def test_a_stream_that_returns_is_done() -> None:
    assert await supervise(None) == ([], [])


async def test_the_wait_grows_with_every_attempt() -> None:
    slept, _ = await supervise(*[lost()] * 5, None)

    assert slept == [1, 2, 4, 8, 16]


async def test_only_good_data_makes_the_wait_short_again() -> None:
    slept, _ = await supervise(*[lost()] * 6, None, healthy_at=(3,))

    assert slept == [1, 2, 4, 8, 1, 2]


async def test_the_venue_may_ask_for_a_longer_wait() -> None:
    slept, _ = await supervise(lost(retry_after_s=600), lost(retry_after_s=0.5), None)

    assert slept == [600, 2]


async def test_what_does_not_change_is_said_once() -> None:
    _, logs = await supervise(*[lost("refused")] * 50, lost("TLS"), *[lost("TLS")] * 9, None)

    assert logs == [
        {"event": "stream lost", "log_level": "warning", "venue": "v", "stream": "v/1"}
        | {"reason": reason}
        for reason in ("refused", "TLS")
    ]


async def test_coming_up_and_going_down_are_each_said() -> None:
    _, logs = await supervise(lost(), lost(), lost(), None, healthy_at=(0, 2))

    assert [log["event"] for log in logs] == [
        "stream is up",
        "stream lost",
        "stream is up",
        "stream lost",
    ]


async def test_a_bug_is_logged_with_its_traceback_once_and_the_stream_restarted() -> None:
    slept, logs = await supervise(*[KeyError("T")] * 3, None)

    assert slept == [1, 2, 4]
    assert len(logs) == 1
    assert logs[0]["log_level"] == "error"
    assert isinstance(logs[0]["exc_info"], KeyError)


async def test_a_bug_of_one_stream_leaves_the_others_alone() -> None:
    frames = []

    async def broken(_: Callable[[], None]) -> None:
        raise KeyError("T")

    async def sound(_: Callable[[], None]) -> None:
        for n in range(20):
            await asyncio.sleep(0)
            frames.append(n)

    run = partial(keep_running, log=structlog.get_logger(), backoff=lambda _: 0)
    with capture_logs():
        restarted = asyncio.create_task(run(broken, name="broken"))
        await run(sound, name="sound")
        restarted.cancel()

    assert frames == list(range(20))


async def test_what_is_named_fatal_is_raised() -> None:
    class EngineBugError(Exception):
        pass

    with pytest.raises(EngineBugError):
        await supervise(lost(), EngineBugError(), fatal=(EngineBugError,))


async def test_cancelling_ends_it() -> None:
    async def forever(_: Callable[[], None]) -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(
        keep_running(forever, name="v/1", log=structlog.get_logger(), backoff=lambda _: 0)
    )
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_budget_spaces_whoever_shares_it() -> None:
    time = Time()
    budget = Budget(3, now=time.now, sleep=time.sleep)
    taken = []

    async def connect() -> None:
        await budget.take()
        taken.append(time.now_s)

    await asyncio.gather(*(connect() for _ in range(7)))

    assert taken == pytest.approx([n / 3 for n in range(7)])


async def test_a_pause_holds_everybody_even_those_who_wait_already() -> None:
    time = Time()
    budget = Budget(1, now=time.now, sleep=time.sleep)
    taken = []

    async def connect() -> None:
        await budget.take()
        taken.append(time.now_s)
        if len(taken) == 2:
            budget.pause(600)

    await asyncio.gather(*(connect() for _ in range(4)))

    assert taken == pytest.approx([0, 1, 601, 602])


async def test_who_gives_up_waiting_leaves_the_budget_to_the_others() -> None:
    time = Time()
    budget = Budget(1, now=time.now, sleep=time.sleep)
    await budget.take()
    first = asyncio.create_task(budget.take())
    first.cancel()

    await budget.take()

    assert time.now_s == 1


async def test_accept_and_drop_for_an_hour_stays_within_the_budget() -> None:
    """A venue that accepts and drops at once: an hour brings some 120 attempts, not thousands."""
    time = Time()
    budget = Budget(3, now=time.now, sleep=time.sleep)
    attempts = 0

    async def accept_and_drop(_: Callable[[], None]) -> None:
        nonlocal attempts
        await budget.take()
        attempts += 1
        if time.now_s < 3_600:
            raise lost("the venue closed the connection: 1006")

    with capture_logs() as logs:
        await keep_running(
            accept_and_drop,
            name="v/1",
            log=structlog.get_logger(),
            backoff=partial(full_jitter, Random(3)),
            sleep=time.sleep,
        )

    assert 90 < attempts < 180
    assert len(logs) == 1


def test_once_is_once_for_each_event_about_each_thing() -> None:
    with capture_logs() as logs:
        once = Once(structlog.get_logger())
        for _ in range(3):
            once.warning("refused", "a", reason="no")
            once.info("refused", "b")
            once.info("taken", "a")

    assert [(log["event"], log["log_level"], log.get("reason")) for log in logs] == [
        ("refused", "warning", "no"),
        ("refused", "info", None),
        ("taken", "info", None),
    ]


def test_a_venue_that_invents_reasons_does_not_flood_the_log() -> None:
    with capture_logs() as logs:
        once = Once(structlog.get_logger())
        for number in range(3 * MOST_TOLD):
            once.warning("refused", f"reason {number}")

    assert len(logs) == MOST_TOLD
