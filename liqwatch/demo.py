"""The whole daemon on this machine alone, against a simulated exchange on loopback."""

import asyncio
import os
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import click
import structlog
from msgspec.structs import replace

from liqwatch.app import DATABASE_FILE, Daemon
from liqwatch.clock import ScaledClock
from liqwatch.config import Config, NotifySettings, VenueSettings, load
from liqwatch.simulator import SimulatedExchange, Truth, summary
from liqwatch.simulator.simulate import START_MS
from liqwatch.sources.tape import TapeWriter
from liqwatch.store import Database

SCENARIO = "demo"
LAST_WORD_S = 1.0  # real time for what is on its way when the market ends
log = structlog.get_logger("liqwatch")


def demo(*, seed: int, speed: float, record: Path | None) -> int:
    """Run the daemon against the simulated exchange until its market ends; say how it did.

    Alerts go to the console, and to whatever the configuration named by $LIQWATCH_CONFIG notifies.
    Raises ConfigError, SinkError and OSError.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="liqwatch-demo-")))
        database = stack.enter_context(closing(Database(folder / DATABASE_FILE)))
        clock = ScaledClock(start_ns=START_MS * 1_000_000, speed=speed)
        tape = None
        if record is not None:
            note = f"demo, seed {seed}"
            tape = stack.enter_context(TapeWriter(record, note=note, created_ns=clock.now_ns()))
        daemon, truth = asyncio.run(_play(seed, clock, database, tape))
    click.echo(f"{summary(daemon.alerts, truth)}\n{_timing(daemon)}")
    return 0


async def _play(
    seed: int, clock: ScaledClock, database: Database, tape: TapeWriter | None
) -> tuple[Daemon, Truth]:
    async with SimulatedExchange(SCENARIO, seed, clock) as exchange:
        daemon = Daemon(_config(exchange), database, clock=clock, random=Random(seed), tape=tape)  # noqa: S311 - spreads retries, guards nothing
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(daemon.run(stop, asyncio.Event()))
            await exchange.finished()
            await asyncio.sleep(LAST_WORD_S)
            stop.set()
        return daemon, exchange.truth()


def _config(exchange: SimulatedExchange) -> Config:
    """Every coin of the simulated venues, default thresholds; who is told is the user's choice."""
    own = os.environ.get("LIQWATCH_CONFIG")
    there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
    return Config(
        symbols=None,
        venues=dict.fromkeys(Config().venues, there),
        notify=load(Path(own)).notify if own else NotifySettings(),
    )


def _timing(daemon: Daemon) -> str:
    times = sorted(daemon.commit_ms)
    if not times:
        return "no alert was raised"
    p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
    return f"from frame to alert on disk: at most {times[-1]:.1f} ms, p99 {p99:.1f} ms"
