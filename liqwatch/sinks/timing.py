"""Where the delivering parts take their times and their chance from."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import msgspec


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """`now_ms` is market time since the Unix epoch, by which messages age. Receivers are waited for
    in seconds of `monotonic`, as `sleep` passes them; over a restart in those of `wall_s`.
    """

    now_ms: Callable[[], int] = _wall_ms
    monotonic: Callable[[], float] = time.monotonic
    wall_s: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
