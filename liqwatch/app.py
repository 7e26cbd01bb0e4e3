"""The composition root: builds the daemon from a Config, owns every task, shuts it down.

One asyncio loop. The engine is called in line, so there is no queue before it; the outbox is the
only queue behind it. A bug of one venue restarts that stream, a bug of the engine ends the process.
"""

import asyncio
import gc
import signal
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec
import structlog

from liqwatch import systemd
from liqwatch.alerting.message import worded
from liqwatch.alerts import Alert, Kind, Severity
from liqwatch.clock import Clock, WallClock
from liqwatch.config import (
    Config,
    ConfigError,
    NotifySettings,
    describe_changes,
    load,
    state_folder,
)
from liqwatch.engine import Engine
from liqwatch.exchanges import COMPLETENESS, EXCHANGES
from liqwatch.exchanges.base import Control
from liqwatch.jsonl import JsonLines
from liqwatch.pipeline import EngineError, Pipeline, read_snapshot
from liqwatch.records import Record
from liqwatch.sinks import ConsoleSettings, SinkError, build
from liqwatch.sinks.base import Sink
from liqwatch.sinks.outbox import Outbox
from liqwatch.sources.tape import Recorder
from liqwatch.sources.venue import watch_venue
from liqwatch.store import Database

DATABASE_FILE = "liqwatch.sqlite3"
SNAPSHOT = "daemon"
SNAPSHOT_VERSION = 1
SNAPSHOT_EVERY_S = 60.0
TICK_S = 0.25
REPORT_EVERY_S = 10.0
FREEZE_AFTER_S = 60.0
DRAIN_S = 10.0
TIMINGS = 10_000  # commit times kept, the newest

log = structlog.get_logger("liqwatch")


class Tape(Protocol):
    """What takes every record before it is decided on."""

    def write(self, record: Record) -> None:
        """Keep one record."""
        ...

    def flush(self) -> None:
        """Make sure what was kept survives us."""
        ...


class Daemon:
    """Everything that runs. `commit_ms` holds, per batch of alerts, the time from frame to disk."""

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        config_path: Path | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        alert_file: JsonLines | None = None,
        event_file: JsonLines | None = None,
        tape: Tape | None = None,
    ) -> None:
        self.commit_ms: deque[float] = deque(maxlen=TIMINGS)
        self.alerts: deque[Alert] = deque(maxlen=TIMINGS)
        self._config = config
        self._config_path = config_path
        self._database = database
        self._clock = clock or WallClock()
        self._random = random or Random()  # noqa: S311 - spreads retries, guards nothing
        self._alert_file = alert_file
        self._tape = tape
        self._outbox = self._new_outbox(build(config.notify, database))
        self._begun_ns = 0
        self.pipeline = self._new_pipeline(event_file)

    def _new_pipeline(self, event_file: JsonLines | None) -> Pipeline:
        saved = self._database.load_snapshot(SNAPSHOT)
        state = None
        if saved is not None:
            try:
                state = read_snapshot(saved.blob)
            except ValueError as error:
                log.warning("the saved state cannot be read, starting anew", reason=str(error))
        pipeline = Pipeline(
            Engine(
                self._config.engine,
                watch=self._config.symbols,
                completeness=COMPLETENESS,
                state=state[1] if state else None,
            ),
            {name: exchange() for name, exchange in EXCHANGES.items()},
            on_alerts=self._on_alerts,
            on_event=event_file.write if event_file else None,
        )
        if state:
            pipeline.resume(state[0], connected=False)
        return pipeline

    def _new_outbox(self, sinks: Sequence[Sink]) -> Outbox:
        return Outbox(self._database, sinks, now_ms=lambda: self._clock.now_ns() // 1_000_000)

    # -- the one path in ------------------------------------------------------------------------

    def ingest(self, record: Record) -> Sequence[Control]:
        """Take one record from outside: keep it, decide on it."""
        self._begun_ns = time.perf_counter_ns()
        if self._tape is not None:
            self._tape.write(record)
        return self.pipeline.ingest(record)

    def _on_alerts(self, alerts: Sequence[Alert]) -> None:
        self._outbox.put(alerts)
        self.commit_ms.append((time.perf_counter_ns() - self._begun_ns) / 1e6)
        self.alerts.extend(alerts)
        if self._alert_file is not None:
            for alert in alerts:
                self._alert_file.write(alert)

    # -- running --------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Run until `stop` is set; read the configuration again whenever `reload` is."""
        async with asyncio.TaskGroup() as tasks:
            around = [
                tasks.create_task(job)
                for job in (self._pass_time(), self._save_often(), self._report())
            ]
            delivering = tasks.create_task(self._outbox.run())
            listening = tasks.create_task(self._listen())
            while await _either(stop, reload) is reload:
                reload.clear()
                before = self._config
                sinks = self._reload()
                if sinks is not None:
                    await _end(delivering)
                    self._outbox = self._new_outbox(sinks)
                    delivering = tasks.create_task(self._outbox.run())
                if _sources(self._config) != _sources(before):
                    await _end(listening)
                    listening = tasks.create_task(self._listen())
            systemd.notify("STOPPING=1")
            await _end(listening)
            self._save()
            if not await self._outbox.drain(DRAIN_S):
                log.warning("stopped with messages unsent; they go out after the next start")
            for task in (delivering, *around):
                task.cancel()

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, settings in self._config.venues.items():
                tasks.create_task(
                    watch_venue(
                        self.pipeline.exchanges[name],
                        _coins(self._config),
                        self.ingest,
                        websocket=settings.websocket,
                        rest=settings.rest,
                        clock=self._clock,
                        random=self._random,
                        fatal=(EngineError,),
                    )
                )
            systemd.notify("READY=1")

    async def _pass_time(self) -> None:
        """Tick, and tell the watchdog that deciding goes on."""
        while True:
            await self._clock.sleep(TICK_S)
            self._begun_ns = time.perf_counter_ns()
            self.pipeline.advance(self._clock.now_ns())
            systemd.notify("WATCHDOG=1")

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_EVERY_S)
            self._save()

    def _save(self) -> None:
        self._database.save_snapshot(SNAPSHOT, SNAPSHOT_VERSION, self.pipeline.snapshot())

    async def _report(self) -> None:
        """Keep the tape flushed and the status line true."""
        begun = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            if self._tape is not None:
                self._tape.flush()
            if FREEZE_AFTER_S <= time.monotonic() - begun < FREEZE_AFTER_S + 1:
                gc.freeze()  # what is there by now stays: the collector need not walk it again
            systemd.notify(f"STATUS={self.status()}")

    def status(self) -> str:
        """Say in one line how it is."""
        state = self.pipeline.engine.state
        live = sum(venue.healthy for venue in state.venues.values())
        prices = " · ".join(
            f"{one.name} {one.price.price:,.6g}" for one in list(state.symbols.values())[:3]
        )
        running = sum(len(one.episodes) for one in state.symbols.values())
        return (
            f"{live}/{len(self._config.venues)} venues live · {prices or 'no price yet'}"
            f" · {running} cascades · outbox {self._outbox.pending}"
        )

    # -- configuration --------------------------------------------------------------------------

    def _reload(self) -> list[Sink] | None:
        """Take the file's new content, or keep the old and say why; return the sinks if others."""
        if self._config_path is None:
            log.info("no configuration file was given, nothing to read again")
            return None
        sinks = None
        systemd.notify("RELOADING=1")
        try:
            new = load(self._config_path)
            if new.notify != self._config.notify:
                sinks = build(new.notify, self._database)
        except (ConfigError, SinkError) as error:
            self._tell_config(Kind.CONFIG_REJECTED, Severity.WARNING, errors=str(error).split("\n"))
        else:
            changes = describe_changes(self._config, new)
            self._config = new
            self.pipeline.engine.configure(new.engine, new.symbols)
            self._tell_config(Kind.CONFIG_APPLIED, Severity.INFO, changes=changes)
        systemd.notify("READY=1")
        return sinks

    def _tell_config(self, kind: Kind, severity: Severity, **evidence: list[str]) -> None:
        now_ms = self._clock.now_ns() // 1_000_000
        self._begun_ns = time.perf_counter_ns()
        self._on_alerts(
            [
                worded(
                    Alert(
                        id=f"{kind}-{now_ms}",
                        episode=None,
                        kind=kind,
                        symbol="MARKET",
                        position=None,
                        direction=None,
                        time=now_ms,
                        price=None,
                        severity=severity,
                        evidence=dict(evidence),
                        thresholds={},
                    )
                )
            ]
        )


def run(
    config: Config, *, config_path: Path | None, alerts: Path | None, events: Path | None
) -> int:
    """Run the daemon until SIGTERM or SIGINT. Raises SinkError, StoreError and OSError."""
    with ExitStack() as stack:
        daemon = Daemon(
            config,
            stack.enter_context(closing(Database(state_folder(config) / DATABASE_FILE))),
            config_path=config_path,
            alert_file=stack.enter_context(JsonLines(alerts, live=True)) if alerts else None,
            event_file=stack.enter_context(JsonLines(events, live=True)) if events else None,
        )
        log.info(
            "watching",
            venues=list(config.venues),
            symbols=list(config.symbols) if config.symbols is not None else "all",
        )
        asyncio.run(until_stopped(daemon))
    return 0


def record(config: Config, *, out: Path) -> int:
    """Keep what the venues send, and decide nothing, until SIGTERM or SIGINT."""
    with ExitStack() as stack:
        recorder = Recorder(out, note="recorded", log=log)
        stack.callback(recorder.close)
        daemon = Daemon(
            msgspec.structs.replace(
                config, notify=NotifySettings(console=ConsoleSettings(enabled=False))
            ),
            stack.enter_context(closing(Database(None))),
            tape=recorder,
        )
        log.info("recording", folder=str(out), venues=list(config.venues))
        asyncio.run(until_stopped(daemon))
    return 0


async def until_stopped(daemon: Daemon) -> None:
    """Run the daemon until a signal stops it; SIGHUP reads its configuration again."""
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reload)):
        loop.add_signal_handler(number, event.set)
    await daemon.run(stop, reload)


def _coins(config: Config) -> Collection[str] | None:
    return None if config.symbols is None else list(config.symbols)


def _sources(config: Config) -> tuple[object, ...]:
    """What a change of makes the connections be made anew."""
    return _coins(config), config.venues


async def _either(*events: asyncio.Event) -> asyncio.Event:
    """Wait for the first of some events; return it."""
    waiting = {asyncio.ensure_future(event.wait()): event for event in events}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    return waiting[done.pop()]


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
