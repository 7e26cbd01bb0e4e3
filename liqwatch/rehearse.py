"""Try a configuration out: what it would send, over tapes or live, with nobody told but you."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from msgspec.structs import replace

from liqwatch import memory
from liqwatch.alerting.numbers import duration
from liqwatch.alerts import Alert
from liqwatch.app import DATABASE_FILE, SIGNALS
from liqwatch.clock import Clock, WallClock
from liqwatch.config import Config, NotifySettings
from liqwatch.daemon import Daemon, Order
from liqwatch.engine import Engine
from liqwatch.grounds import Grounds, cautions
from liqwatch.people import PASS_S
from liqwatch.recorded import Recorded, snapshot_in
from liqwatch.rehearsal import Rehearsal, receivers
from liqwatch.rehearsal_report import Report
from liqwatch.replay import assemble, tell_what_was_skipped
from liqwatch.sinks import ConsoleSettings
from liqwatch.store import Database, StoreError

NOBODY = NotifySettings(console=ConsoleSettings(enabled=False))


def rehearse(tapes: Sequence[Path], *, config: Config | None, state: Path | None) -> int:
    """Say what would have been sent over tapes; without any, over those of the daemon.

    Ctrl-C ends it early. Raises TapeError, ConfigError, StoreError and OSError.
    """
    recorded = Recorded(tapes, config)
    stage = _Stage(recorded.config or Config())
    try:
        pipeline = assemble(
            recorded.config,
            snapshot_in(state),
            on_alerts=stage.rehearsal.put,
            on_event=stage.grounds.write,
        )
    except ValueError as error:
        raise StoreError(f"{state}: its state cannot be taken up: {error}") from error
    with suppress(KeyboardInterrupt):
        for record in recorded:
            pipeline.ingest(record)
            stage.pass_time(record.at, pipeline.engine)
    stage.sum_up(pipeline.engine)
    tell_what_was_skipped(pipeline, recorded.readers)
    return 0


def rehearse_live(config: Config, seconds: float, *, state: Path | None) -> int:
    """Listen to the venues for so long and say what would be sent; SIGINT and SIGTERM end it early.

    Nothing is kept, and no receiver is made. With a state folder it begins as the daemon there
    would, from a copy. Raises StoreError.
    """
    with closing(_memory(state)) as database:
        asyncio.run(listen(config, seconds, database, WallClock()))
    return 0


async def listen(config: Config, seconds: float, database: Database, clock: Clock) -> None:
    """Run a daemon that tells nobody for so many seconds of `clock`, and say what it would tell."""
    stage = _Stage(config)
    alone = replace(config, notify=NOBODY)
    daemon = Daemon(alone, database, clock=clock, alert_file=stage, event_file=stage.grounds)
    orders: asyncio.Queue[Order] = asyncio.Queue()
    for number, order in SIGNALS.items():
        asyncio.get_running_loop().add_signal_handler(number, orders.put_nowait, order)

    async def pass_time() -> None:
        end_ns = clock.now_ns() + int(seconds * 1e9)
        while (now_ns := clock.now_ns()) < end_ns:
            stage.pass_time(now_ns, daemon.pipeline.engine)
            await clock.sleep(PASS_S)
        orders.put_nowait(Order.STOP)

    _say(f"Listening for {duration(seconds)}; nothing is sent. Ctrl-C ends it.\n")
    async with asyncio.TaskGroup() as tasks:
        passing = tasks.create_task(pass_time())
        await daemon.run(orders)
        passing.cancel()
    stage.sum_up(daemon.pipeline.engine)


def _memory(state: Path | None) -> Database:
    """Return a copy of what a daemon has left in a folder; without one, nothing."""
    if state is None:
        return Database(None)
    copy = Database.copy_of(state / DATABASE_FILE)
    if copy.load_snapshot(memory.SNAPSHOT) is None:
        copy.close()
        raise StoreError(f"{state}: no state there that liqwatch run has left")
    return copy


class _Stage:
    """The receivers of a configuration, all of them played by standard output."""

    def __init__(self, config: Config) -> None:
        to = receivers(config.notify)
        self.grounds = Grounds()
        self._return_hours = config.detection.complete_return_hours
        self._report = Report(to, _say)
        self.rehearsal = Rehearsal(to, self._report.tell)

    def pass_time(self, now_ns: int, engine: Engine) -> None:
        self.rehearsal.pass_time(now_ns // 1_000_000, engine.running)

    def write(self, alert: Alert) -> None:
        self.rehearsal.put([alert])

    def sum_up(self, engine: Engine) -> None:
        self._report.sum_up(self.rehearsal.seats, self.grounds)
        for caution in cautions(self.grounds, engine, self._return_hours):
            _say(f"\n{caution}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
