"""Keep streams running: restarts with backoff, within what each venue allows."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from structlog.typing import FilteringBoundLogger

from liqwatch.sources.transport import ConnectionLost

MOST_TOLD = 1_000

Sleep = Callable[[float], Awaitable[None]]


class Budget:
    """How often a venue may be asked, shared by everything that asks it: `per_s` times a second.

    Real time, as the venue counts it. `taken` says how often it was asked.
    """

    def __init__(
        self,
        per_s: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._gap_s = 1 / per_s
        self._now = now
        self._sleep = sleep
        self._free_at = now()
        self._queue = asyncio.Lock()
        self.taken = 0

    async def take(self) -> None:
        """Wait for our turn."""
        async with self._queue:
            while (wait_s := self._free_at - self._now()) > 0:
                await self._sleep(wait_s)
            self._free_at = self._now() + self._gap_s
            self.taken += 1

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so long."""
        self._free_at = max(self._free_at, self._now() + seconds)


def full_jitter(random: Random, attempt: int) -> float:
    """Return the seconds to wait before retry number `attempt` (from 0): up to 1, 2, 4 … 60.

    Drawn from the whole range, so that the many who lost one venue at once do not come back at
    once: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return random.uniform(0, min(60, 2 ** min(attempt, 6)))


class Once:
    """Log what every reconnect would only repeat: each event about the same thing once."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._told: set[tuple[str, str]] = set()

    def info(self, event: str, about: str, **facts: Any) -> None:
        """Log news, unless it was told."""
        if self._is_new(event, about):
            self._log.info(event, **facts)

    def warning(self, event: str, about: str, **facts: Any) -> None:
        """Log what somebody should look at, unless it was told."""
        if self._is_new(event, about):
            self._log.warning(event, **facts)

    def _is_new(self, event: str, about: str) -> bool:
        # What a venue says is bounded by nothing: one that invents reasons must not flood the log.
        if (event, about) in self._told or len(self._told) >= MOST_TOLD:
            return False
        self._told.add((event, about))
        return True


async def keep_running(
    run_once: Callable[[Callable[[], None]], Awaitable[None]],
    *,
    name: str,
    log: FilteringBoundLogger,
    backoff: Callable[[int], float],
    sleep: Sleep = asyncio.sleep,
    fatal: tuple[type[Exception], ...] = (),
) -> None:
    """Run a stream until it returns; whenever it raises, wait and run it again.

    `run_once` gets a function to call when good data has flowed for a while: only then does the
    backoff start anew, so that a venue that accepts and drops is not stormed. A lost connection
    is one log line, any other exception (a bug in the file of one venue) a traceback, and neither
    is repeated until something else happens. Exceptions in `fatal` end it all and are raised.
    """
    attempt = 0
    said = ""

    def say(news: str) -> bool:
        nonlocal said
        is_new, said = news != said, news
        return is_new

    def healthy() -> None:
        nonlocal attempt
        attempt = 0
        if say("up"):
            log.info("stream is up", stream=name)

    while True:
        wait_s = backoff(attempt)
        attempt += 1
        try:
            return await run_once(healthy)
        except fatal:
            raise
        except ConnectionLost as lost:
            wait_s = max(wait_s, lost.retry_after_s)
            if say(lost.reason):
                log.warning("stream lost", stream=name, reason=lost.reason)
        except Exception as bug:  # one venue's bug must not silence the others
            if say(repr(bug)):
                log.error("stream failed", stream=name, exc_info=bug)
        await sleep(wait_s)
