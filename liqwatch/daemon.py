"""The daemon: every task, from a record that arrives to an alert that leaves, start and stop.

One asyncio loop. The engine is called in line, so there is no queue before it; the outbox is the
only queue behind it. A bug of one venue restarts that stream, a bug of the engine ends the process.
"""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from liqwatch import memory, systemd
from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerts import Alert
from liqwatch.clock import Clock, WallClock
from liqwatch.config import Config, ConfigError, VenueSettings, state_folder
from liqwatch.control import Control, Settings, Workings
from liqwatch.engine import Engine
from liqwatch.events import Disconnect, Event, MarketEvent
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Control as Feeding
from liqwatch.imports import CoinGlassSettings, FileImport
from liqwatch.keeping import TAPES
from liqwatch.map_import import ImportedMap, as_record
from liqwatch.people import People, Ways, ways
from liqwatch.pipeline import EngineError, Pipeline, promises
from liqwatch.records import Record
from liqwatch.reload import applied, read_again, rejected
from liqwatch.sinks import SinkError
from liqwatch.sinks.mutes import Mutes
from liqwatch.sinks.timing import Timing
from liqwatch.sources.imports import watch_imports
from liqwatch.sources.venue import watch_venue
from liqwatch.store import Database
from liqwatch.store.overrides import Overrides

TICK_S = 0.25
WATCHDOG_S = 1.0
FLUSH_S = 1.0
STATUS_S = 10.0
SAVE_S = 60.0
WARM_S = 60.0
SWAP_DRAIN_S = 1.0
STOP_DRAIN_S = 10.0
TIMINGS = 10_000  # commit times kept, the newest

log = structlog.get_logger("liqwatch")

T_contra = TypeVar("T_contra", contravariant=True)


class Order(Enum):
    """What a running daemon may be told."""

    RELOAD = auto()
    STOP = auto()


class Writes(Protocol[T_contra]):
    """What keeps things one after the other."""

    def write(self, one: T_contra, /) -> None:
        """Keep one."""
        ...


class Tape(Writes[Record], Protocol):
    """What takes every record before it is decided on."""

    def flush(self) -> None:
        """Make sure what was kept survives us: called every second."""
        ...


class _Listening(NamedTuple):
    """How a venue is listened to, and by whom."""

    how: tuple[VenueSettings, tuple[str, ...] | None]
    task: asyncio.Task[None]


class _Importing(NamedTuple):
    """Whose maps are taken in for which coins, and by whom."""

    what: tuple[tuple[FileImport, ...], CoinGlassSettings | None, tuple[str, ...] | None]
    task: asyncio.Task[None]


class Daemon:
    """Everything that runs. `commit_ms` holds, per batch of alerts, the time from frame to disk.

    `clock` is that of the market, `timing` that of the receivers.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        config_path: Path | None = None,
        clock: Clock | None = None,
        timing: Timing = Timing(),  # noqa: B008 - frozen
        random: Random | None = None,
        alert_file: Writes[Alert] | None = None,
        event_file: Writes[MarketEvent | Disconnect] | None = None,
        tape: Tape | None = None,
        archive: Writes[Event] | None = None,
    ) -> None:
        self.commit_ms: deque[float] = deque(maxlen=TIMINGS)
        self._settings = Settings(config, Overrides(database), on_change=self._configure)
        self._config = self._settings.in_force
        self._config_path = config_path
        self._database = database
        self._clock = clock or WallClock()
        self._timing = timing
        self._orders: asyncio.Queue[Order] | None = None
        self._random = random or Random()  # noqa: S311 - spreads retries, guards nothing
        self._alert_file = alert_file
        self._tape = tape
        self._begun_ns = 0
        self._decided = asyncio.Event()
        self._listening: dict[str, _Listening] = {}
        self._importing: _Importing | None = None
        to = ways(config.notify, database, timing)
        self.pipeline = self._new_pipeline(event_file, archive)
        self.control = Control(
            self.pipeline.engine,
            self.status,
            Workings(
                database=database,
                settings=self._settings,
                receivers=Mutes(lambda: self._people.outbox, self._now_ms),
                reload=self._reload_soon,
                now_ms=self._now_ms,
                tapes=state_folder(config) / TAPES,
                config_path=config_path,
            ),
        )
        self._people = self._told(to)

    def _new_pipeline(
        self,
        event_file: Writes[MarketEvent | Disconnect] | None,
        archive: Writes[Event] | None,
    ) -> Pipeline:
        remembered = memory.load(self._database)
        pipeline = Pipeline(
            Engine(
                self._config.engine,
                watch=self._config.symbols,
                promises=promises(EXCHANGES),
                state=remembered[1] if remembered else None,
            ),
            {name: exchange() for name, exchange in EXCHANGES.items()},
            on_alerts=self._on_alerts,
            on_event=_each(event_file, archive),
            on_connect=archive.write if archive else None,
            language=self._config.notify.language,
        )
        if remembered:
            try:
                pipeline.resume(remembered[0], connected=False)
            except ValueError as error:
                log.warning("what a venue had told is lost, it is asked again", reason=str(error))
        return pipeline

    def _told(self, to: Ways) -> People:
        return People(
            to,
            self._database,
            self.pipeline.engine,
            clock=self._clock,
            ask=self.control.answer,
            status=self.status_message,
            timing=self._timing,
        )

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000

    # -- the one path in ------------------------------------------------------------------------

    def ingest(self, record: Record) -> Sequence[Feeding]:
        """Take one record from outside: keep it, decide on it."""
        self._begun_ns = time.perf_counter_ns()
        if self._tape is not None:
            self._tape.write(record)
        return self.pipeline.ingest(record)

    def _tick(self) -> None:
        self._begun_ns = time.perf_counter_ns()
        self.pipeline.advance(self._clock.now_ns())

    def _on_alerts(self, alerts: Sequence[Alert]) -> None:
        self._people.outbox.put(alerts)
        self.commit_ms.append((time.perf_counter_ns() - self._begun_ns) / 1e6)
        self._decided.set()
        if self._alert_file is not None:
            for alert in alerts:
                self._alert_file.write(alert)

    # -- running --------------------------------------------------------------------------------

    async def run(self, orders: "asyncio.Queue[Order]") -> None:
        """Run until ordered to stop. A bug of the engine is raised as EngineError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._run(tasks, orders)
        except BaseExceptionGroup as group:
            bug = _first(group)
            raise bug from bug.__cause__

    async def _run(self, tasks: asyncio.TaskGroup, orders: "asyncio.Queue[Order]") -> None:
        self._orders = orders
        self._tick()
        jobs = (self._pass_time(), self._save_often(), self._flush(), self._report(), _settle())
        around = [tasks.create_task(job) for job in jobs]
        delivering = tasks.create_task(self._people.run())
        await self._listen(tasks)
        await self._import(tasks)
        systemd.notify("READY=1")
        while await orders.get() is Order.RELOAD:
            systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            delivering = await self._reload(tasks, delivering)
            systemd.notify("READY=1")
        for (venue, kind), count in self.pipeline.skipped().items():
            log.info("frames skipped", venue=venue, kind=kind, count=count)
        systemd.notify("STOPPING=1")
        log.info("stopping, once what is due is sent")
        await _end(*around)  # time first: what is decided after the last record is not on its tape
        if self._importing is not None:
            await _end(self._importing.task)
        await _end(*(one.task for one in self._listening.values()))
        memory.save(self._database, self.pipeline.snapshot())
        if not await self._people.outbox.drain(STOP_DRAIN_S):
            log.warning("stopped with messages unsent, they go out after the next start")
        delivering.cancel()

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        """Listen to what is configured; a venue to which nothing changed is left alone."""
        coins = None if self._config.symbols is None else tuple(self._config.symbols)
        wanted = {name: (settings, coins) for name, settings in self._config.venues.items()}
        running = self._listening
        over = [name for name, one in running.items() if wanted.get(name) != one.how]
        await _end(*(running.pop(name).task for name in over))
        for name, how in wanted.items():
            if name not in running:
                running[name] = _Listening(how, tasks.create_task(self._watch(name, *how)))

    async def _watch(self, name: str, venue: VenueSettings, coins: Collection[str] | None) -> None:
        await watch_venue(
            self.pipeline.exchanges[name],
            coins,
            self.ingest,
            websocket=venue.websocket,
            rest=venue.rest,
            clock=self._clock,
            random=self._random,
            fatal=(EngineError,),
            cold=lambda: self.pipeline.engine.cold(name),
        )

    async def _import(self, tasks: asyncio.TaskGroup) -> None:
        """Take in the maps that are configured, and let go of those that no longer are."""
        settings, coins = self._config.map, self._config.symbols
        what = (settings.imports, settings.coinglass, None if coins is None else tuple(coins))
        if self._importing is not None:
            if self._importing.what == what:
                return
            await _end(self._importing.task)
        for coin in self.pipeline.engine.state.symbols:
            if (known := self.pipeline.engine.map_of(coin)) is not None:
                known.keep_imports(_sources(coin, *what[:2]))
        importing = watch_imports(
            *what[:2], self._take_import, clock=self._clock, price_of=self._price_of
        )
        self._importing = _Importing(what, tasks.create_task(importing))

    def _take_import(self, imported: ImportedMap) -> None:
        self.ingest(as_record(imported, self._clock.now_ns()))

    def _price_of(self, coin: str) -> float | None:
        known = self.pipeline.engine.state.symbols.get(coin)
        return known.price.price or None if known is not None else None

    async def _pass_time(self) -> None:
        """Tick, and tell the watchdog that deciding goes on."""
        every_s = min(WATCHDOG_S, systemd.watchdog_interval_s() or WATCHDOG_S)
        told_s = 0.0
        while True:
            await self._clock.sleep(TICK_S)
            self._tick()
            if time.monotonic() - told_s >= every_s:
                told_s = time.monotonic()
                systemd.notify("WATCHDOG=1")

    async def _save_often(self) -> None:
        """Save every minute, and soon after an alert: its story must outlive even a kill."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAVE_S):
                    await self._decided.wait()
            self._decided.clear()
            await memory.save_in_passing(self._database, self.pipeline.snapshot())
            await asyncio.sleep(1.0)

    async def _flush(self) -> None:
        while self._tape is not None:
            await asyncio.sleep(FLUSH_S)
            self._tape.flush()

    async def _report(self) -> None:
        told = set[tuple[str, str]]()
        while True:
            self._expire()
            systemd.notify(f"STATUS={self.status()}")
            for venue, kind in self.pipeline.skipped().keys() - told:
                told.add((venue, kind))  # once: how often is told at the end
                newest = list(self.pipeline.samples.get(venue, ()))[-1:]
                log.info("skipping what cannot be used", venue=venue, kind=kind, of=newest)
            await asyncio.sleep(STATUS_S)

    def status(self) -> str:
        """Say in one line how it is."""
        trouble = self._people.outbox.trouble()
        return (
            f"{self._live()}/{len(self._config.venues)} venues live"
            f" · {self._prices() or 'no price yet'} · {self._running()} cascades"
            f" · outbox {self._people.outbox.pending}{f' · {trouble}' if trouble else ''}"
        )

    def status_message(self, language: Language) -> str:
        """Say how it is to those who keep it in sight."""
        venues = phrase(
            "status-venues", language, live=self._live(), venues=len(self._config.venues)
        )
        cascades = phrase("status-cascades", language, running=self._running())
        return "\n".join(filter(None, [venues, self._prices(), cascades]))

    def _live(self) -> int:
        venues = self.pipeline.engine.state.every_venue
        return sum(venues[one].healthy for one in self._config.venues if one in venues)

    def _prices(self) -> str:
        first = list(self.pipeline.engine.state.symbols.values())[:3]
        return " · ".join(f"{one.name} {one.price.price:,.6g}" for one in first)

    def _running(self) -> int:
        return len(self.pipeline.engine.running())

    async def _reload(
        self, tasks: asyncio.TaskGroup, delivering: asyncio.Task[None]
    ) -> asyncio.Task[None]:
        """Take the file's new content, or keep the old and say why; return who delivers now."""
        if self._config_path is None:
            log.info("no configuration file was given, nothing to read again")
            return delivering
        try:
            new = read_again(
                self._config_path, self._settings.of_file, self._database, self._timing
            )
        except (ConfigError, SinkError) as error:
            log.warning("configuration rejected", errors=str(error).split("\n"))
            self._tell(rejected(error, self._now_ms()))
            return delivering
        if new.to is not None:
            await self._people.outbox.drain(SWAP_DRAIN_S)  # what is under way may not go out twice
            await _end(delivering)
            self._people = self._told(new.to)
            delivering = tasks.create_task(self._people.run())
        self._configure(self._settings.take(new.config))
        await self._listen(tasks)
        await self._import(tasks)
        log.info("configuration applied", changes=new.changes)
        self._tell(applied(new.changes, self._now_ms()))
        return delivering

    def _configure(self, config: Config) -> None:
        """Decide by other settings from now on."""
        self._config = config
        self.pipeline.language = config.notify.language
        self.pipeline.configure(config.engine, config.symbols, venues=config.venues)

    def _expire(self) -> None:
        """Let go of what was changed for a while that is over."""
        if changes := self._settings.expire(self._now_ms()):
            log.info("configuration applied", changes=changes)
            self._tell(applied(changes, self._now_ms()))

    def _reload_soon(self) -> None:
        if self._orders is not None:
            self._orders.put_nowait(Order.RELOAD)

    def _tell(self, alert: Alert) -> None:
        self._begun_ns = time.perf_counter_ns()
        self._on_alerts([alert])


def _each(*writers: Writes[Any] | None) -> Callable[[Any], None] | None:
    """Write to all of them that there are."""
    writes = [one.write for one in writers if one is not None]
    if len(writes) < 2:
        return writes[0] if writes else None

    def write(event: Any) -> None:
        for one in writes:
            one(event)

    return write


def _sources(
    coin: str, files: Sequence[FileImport], coinglass: CoinGlassSettings | None
) -> set[str]:
    """Return what the maps of a coin are called that are taken in."""
    sources = {str(one.file) for one in files if one.symbol == coin}
    if coinglass is not None and coin in coinglass.symbols:
        sources.add(f"coinglass-{coinglass.product}")
    return sources


async def _settle() -> None:
    """Once warm, spare the collector of garbage what will stay: it need not walk it again."""
    await asyncio.sleep(WARM_S)
    gc.collect()
    gc.freeze()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
