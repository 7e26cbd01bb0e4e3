"""Where the edge gets its time from. Pure code never sees a clock: it gets times in events."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A wall clock that never runs backwards, and a way to wait on it."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never decreases."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        ...


class WallClock:
    """The machine's clock. A step back is held until real time has caught up."""

    def __init__(self) -> None:
        self._last = 0

    def now_ns(self) -> int:
        """Return the wall time, never less than before."""
        self._last = max(self._last, time.time_ns())
        return self._last

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
