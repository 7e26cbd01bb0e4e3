"""From an empty state to a map, against the simulated exchange, which tells its past."""

import asyncio
import time
from contextlib import closing
from random import Random
from typing import NamedTuple

import pytest

from liqwatch.clock import ScaledClock
from liqwatch.config import Config, NotifySettings, VenueSettings
from liqwatch.daemon import Daemon, Order
from liqwatch.engine import Engine
from liqwatch.engine.snapshot import EngineState
from liqwatch.engine.warm_start import COLD_MS
from liqwatch.exchanges import EXCHANGES
from liqwatch.map_view import MapShown
from liqwatch.pipeline import Pipeline, promises
from liqwatch.records import Record
from liqwatch.simulator import VENUES, SimulatedExchange
from liqwatch.simulator.simulate import START_MS
from liqwatch.sinks import ConsoleSettings
from liqwatch.store import Database

QUIET = NotifySettings(console=ConsoleSettings(enabled=False))
SPEED = 40


class Tape(list[Record]):
    write = list.append

    def flush(self) -> None:
        """It is in memory."""


def shown(engine: Engine) -> MapShown:
    seen = engine.show_map("BTC")
    assert seen is not None
    return seen


class Started(NamedTuple):
    """What was heard, and what was made of it until then."""

    tape: Tape
    state: EngineState
    shown: MapShown
    until_ns: int


async def warm(daemon: Daemon, within_s: float = 20.0) -> None:
    """Run a daemon until all it follows has its past."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    running = asyncio.create_task(daemon.run(orders))
    begun, state = time.monotonic(), daemon.pipeline.engine.state
    while sum(len(one.map.recalled) for one in state.symbols.values()) < 2 * len(VENUES):
        assert time.monotonic() - begun < within_s, "no map from the past"
        await asyncio.sleep(0.02)
    orders.put_nowait(Order.STOP)
    await asyncio.wait_for(running, 5)


@pytest.fixture(scope="module")
def started() -> Started:
    """What was heard until all books were warm, and the map of then."""
    tape, clock = Tape(), ScaledClock(start_ns=START_MS * 1_000_000, speed=SPEED)

    async def start() -> Daemon:
        async with SimulatedExchange("demo", 1, clock) as exchange:
            there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
            config = Config(symbols=None, venues=dict.fromkeys(VENUES, there), notify=QUIET)
            with closing(Database(None)) as database:
                daemon = Daemon(config, database, clock=clock, random=Random(1), tape=tape)
                await warm(daemon)
                return daemon

    pipeline = asyncio.run(start()).pipeline
    engine = pipeline.engine
    return Started(tape, engine.state, shown(engine), pipeline._next_tick_ns - 1)


def test_a_first_map_stands_within_minutes_and_says_that_it_is_of_the_past(
    started: Started,
) -> None:
    seen = started.shown
    history = seen.map.history

    assert history is not None
    assert history.share == 1.0
    assert 90 < history.hours < 130  # four to five days
    assert history.live_hours * 3_600_000 < COLD_MS
    mass_usd = sum(one.long_usd + one.short_usd for one in seen.map.buckets)
    assert mass_usd > 1e9  # of eleven that are open; what was followed live has opened 20 million
    assert seen.map.clusters


def test_each_past_is_asked_for_once(started: Started) -> None:
    tape, state = started.tape, started.state
    asked = [record.get for record in tape if record.get is not None and "limit=" in record.get]
    pasts = [url for url in asked if "instruments-info" not in url]

    assert len(pasts) == len(set(pasts)) == 2 * 2 * len(VENUES)
    assert not any(one.map.cold for one in state.symbols.values())
    assert all(venue.implausible_history == 0 for venue in state.venues.values())


def test_a_replay_of_it_shows_the_same_map(started: Started) -> None:
    engine = Engine(Config().engine, watch=None, promises=promises(EXCHANGES))
    pipeline = Pipeline(
        engine, {venue: EXCHANGES[venue]() for venue in VENUES}, on_alerts=lambda _: None
    )
    for record in started.tape:
        pipeline.ingest(record)
    pipeline.advance(started.until_ns)

    assert shown(engine) == started.shown
