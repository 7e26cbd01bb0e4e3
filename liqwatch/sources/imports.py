"""Maps that others made, taken in while the daemon runs: files when they change, CoinGlass in turn.

Nothing here ends the rest: what cannot be had is said once, and what was taken before stays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import aiohttp
import structlog

from liqwatch.clock import Clock
from liqwatch.imports import CoinGlassSettings, FileImport
from liqwatch.imports.errors import Refused
from liqwatch.imports.files import read_map
from liqwatch.imports.tables import MAX_BYTES
from liqwatch.map_import import ImportedMap
from liqwatch.sources.coinglass import CoinGlass
from liqwatch.sources.supervise import Budget

LOOK_S = 30.0  # how often files are looked at
PRICE_S = 5.0  # how often a price is asked for that nobody knows yet

log = structlog.get_logger("liqwatch")

Take = Callable[[ImportedMap], object]


async def watch_imports(
    files: Sequence[FileImport],
    coinglass: CoinGlassSettings | None,
    take: Take,
    *,
    clock: Clock,
    price_of: Callable[[str], float | None],
    budget: Budget | None = None,
) -> None:
    """Take in maps until cancelled: `take` gets each file's as soon as the coin has a price and
    whenever it changes, and those of CoinGlass at their interval.

    `price_of` returns the price of a coin, None as long as it is unknown; it tells CoinGlass'
    longs from its shorts. `budget` is that of CoinGlass. Only what `take` raises is raised.
    """
    watch = _Watch(take, clock, price_of)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for one in files:
            tasks.create_task(watch.file(one))
        if coinglass is not None:
            client = CoinGlass(coinglass, session=session, clock=clock, budget=budget)
            for symbol in coinglass.symbols:
                tasks.create_task(watch.coin(client, symbol, coinglass.every_s))


class _Stamp(NamedTuple):
    """What tells one content of a file from another without reading it."""

    changed_ns: int
    size: int
    inode: int


class _Watch:
    def __init__(self, take: Take, clock: Clock, price_of: Callable[[str], float | None]) -> None:
        self._take = take
        self._clock = clock
        self._price_of = price_of
        self._failing: dict[str, str] = {}  # by source: why

    async def file(self, wanted: FileImport) -> None:
        source, known = f"{wanted.file} ({wanted.symbol})", None
        while True:
            stamp = await asyncio.to_thread(_stamp, wanted.file)
            if stamp is None or stamp != known:
                known = stamp
                await self._take_in(source, asyncio.to_thread(_read, wanted))
            await self._clock.sleep(LOOK_S)

    async def coin(self, client: CoinGlass, symbol: str, every_s: float) -> None:
        while True:
            await self._priced(symbol)
            reading = client.map_of(symbol, self._price_of)
            wait_s = await self._take_in(f"CoinGlass ({symbol})", reading)
            await self._clock.sleep(max(every_s, wait_s))

    async def _take_in(self, source: str, reading: Awaitable[ImportedMap]) -> float:
        """Return how long the source wants to be left alone."""
        try:
            imported = await reading
        except Refused as refused:
            if self._is_news(source, refused.reason):
                log.warning("map import failed", source=source, reason=refused.reason)
            return refused.wait_s
        except Exception as bug:  # one map must not end the others
            if self._is_news(source, repr(bug)):
                log.error("map import failed", source=source, exc_info=bug)
            return 0.0
        if self._failing.pop(source, None) is not None:
            log.info("map import works again", source=source)
        await self._priced(imported.symbol)
        self._take(imported)
        return 0.0

    async def _priced(self, symbol: str) -> None:
        """Wait until the coin has a price: before that nothing is known of it."""
        while self._price_of(symbol) is None:
            await self._clock.sleep(PRICE_S)

    def _is_news(self, source: str, reason: str) -> bool:
        """Note why a source fails; return whether no source failed for that reason before."""
        is_news = reason not in self._failing.values()
        self._failing[source] = reason
        return is_news


def _stamp(path: Path) -> _Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return _Stamp(stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _read(wanted: FileImport) -> ImportedMap:
    path = wanted.file
    try:
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            raise Refused(f"{path}: not a file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}") from None
    return read_map(content, wanted, changed_ms=stat.st_mtime_ns // 1_000_000)
