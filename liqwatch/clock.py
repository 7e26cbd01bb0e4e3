"""Where the edge gets its time from. Pure code never sees a clock: it gets times in events."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

# Counts through a suspended laptop where the system can (Linux); never set by anybody.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SLEW = 20  # one part in so many: 5 %


class Clock(Protocol):
    """A wall clock that never runs backwards, and a way to wait on it."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never decreases."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        ...


class WallClock:
    """The machine's clock, made steady: somebody who sets it neither jumps nor freezes the market.

    It runs with elapsed time. Where the machine's clock then says something else, the difference
    is caught up by at most 5 % of the time that passes: a second in twenty, an hour in a day.
    """

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        elapsed_ns: Callable[[], int] = lambda: time.clock_gettime_ns(_ELAPSED),
    ) -> None:
        self._wall_ns = wall_ns
        self._elapsed_ns = elapsed_ns
        self._seen_ns = elapsed_ns()
        self._now_ns = wall_ns()

    def now_ns(self) -> int:
        """Return the time, never less than before."""
        elapsed_ns = self._elapsed_ns()
        passed_ns = elapsed_ns - self._seen_ns
        self._seen_ns = elapsed_ns
        most_ns = passed_ns // _SLEW
        off_ns = self._wall_ns() - (self._now_ns + passed_ns)
        self._now_ns += passed_ns + max(-most_ns, min(most_ns, off_ns))
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


class ScaledClock:
    """Market time that begins at `start_ns` and runs `speed` times as fast as real time."""

    def __init__(self, *, start_ns: int, speed: float) -> None:
        self._start_ns = start_ns
        self._speed = speed
        self._begun = time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the market time."""
        return self._start_ns + int((time.monotonic_ns() - self._begun) * self._speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of market time."""
        await asyncio.sleep(seconds / self._speed)
