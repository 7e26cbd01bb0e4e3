"""The daemon inside the test's own loop, on a market that is faster than real time."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import structlog
from fake_bot_api import TOKEN, FakeBotApi
from msgspec.structs import replace

from liqwatch import daemon as daemon_module
from liqwatch import memory
from liqwatch.alerts import Alert, Kind, Verdict
from liqwatch.clock import ScaledClock
from liqwatch.config import Config, NotifySettings, VenueSettings, load
from liqwatch.daemon import Daemon, Order
from liqwatch.engine.map_layers import Layer
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness, Connect, Trade
from liqwatch.exchanges.base import Control
from liqwatch.pipeline import EngineError
from liqwatch.records import Record
from liqwatch.simulator import VENUES, SimulatedExchange, write_tape
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.simulate import START_MS
from liqwatch.sinks import ConsoleSettings, TelegramSettings
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.sources.tape import TapeReader
from liqwatch.store import Database

CHAT = 4711
QUIET = NotifySettings(console=ConsoleSettings(enabled=False))
NO_VENUES = Config(symbols=None, venues={}, notify=QUIET)  # fed by hand


class Kept(list[Alert]):
    write = list.append

    def of(self, kind: Kind) -> list[Alert]:
        return [alert for alert in self if alert.kind is kind]


class TapeClock:
    """The clock of whoever received the tape."""

    def __init__(self) -> None:
        self.now = START_MS * 1_000_000

    def now_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[None]:
    """Run a daemon inside the block, and stop it as a signal would."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    task = asyncio.create_task(daemon.run(orders))
    await asyncio.sleep(0)
    yield
    orders.put_nowait(Order.STOP)
    await asyncio.wait_for(task, 5)


async def until(true: Callable[[], Any], seconds: float = 8) -> None:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "waited in vain"
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """A market with one cascade, as received."""
    path = tmp_path_factory.mktemp("tape") / "cascade.jsonl"
    write_tape(path, scenario="cascade", seed=1)
    return list(TapeReader(path))


@pytest.fixture(scope="module")
def touch_and_break(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """A market that touches a level, falls back, and breaks it later."""
    path = tmp_path_factory.mktemp("tape") / "demo.jsonl"
    write_tape(path, scenario="demo", seed=1)
    return list(TapeReader(path))


def play(daemon: Daemon, clock: TapeClock, records: Sequence[Record]) -> None:
    for record in records:
        clock.now = record.at
        daemon.ingest(record)


def story(daemon: Daemon, clock: TapeClock, kept: Kept, records: Sequence[Record]) -> int:
    """Play until a cascade has started; return how many records that took."""

    def before(record: Record) -> bool:
        play(daemon, clock, [record])
        return not kept.of(Kind.CASCADE_STARTED)

    return 1 + sum(1 for _ in takewhile(before, records))


async def test_a_restart_in_mid_cascade_goes_on_with_the_same_story(
    cascade: list[Record], tmp_path: Path
) -> None:
    kept, clock, file = Kept(), TapeClock(), tmp_path / "db"
    with closing(Database(file)) as database:
        daemon = Daemon(NO_VENUES, database, clock=clock, alert_file=kept)
        async with running(daemon):
            told = story(daemon, clock, kept, cascade)
        histories = hours(daemon)
    with closing(Database(file)) as database:
        daemon = Daemon(NO_VENUES, database, clock=clock, alert_file=kept)
        assert hours(daemon) == histories
        async with running(daemon):
            play(daemon, clock, cascade[told:])

    (start,) = kept.of(Kind.CASCADE_STARTED)
    (end,) = kept.of(Kind.CASCADE_ENDED)
    assert start.episode is not None
    assert end.episode == start.episode


def hours(daemon: Daemon) -> dict[str, list[float]]:
    """Hours of history by venue: what a restart must not lose."""
    return {
        name: [feed.past.history.hours for feed in venue.market.values()]
        for name, venue in daemon.pipeline.engine.state.venues.items()
    }


async def test_a_level_remembers_its_approaches_through_a_restart(
    touch_and_break: list[Record], tmp_path: Path
) -> None:
    kept, clock, file = Kept(), TapeClock(), tmp_path / "db"
    level = SCENARIOS["demo"].plans[0].level
    assert level is not None
    config = replace(NO_VENUES, symbols={"BTC": SymbolSettings(watch_levels=(level,))})

    def verdicts() -> list[Alert]:
        said = kept.of(Kind.LEVEL_VERDICT)
        return [alert for alert in said if alert.level and alert.level.low == level]

    left = iter(touch_and_break)
    for enough in (1, 2):
        with closing(Database(file)) as database:
            daemon = Daemon(config, database, clock=clock, alert_file=kept)
            async with running(daemon):
                for record in takewhile(lambda _: len(verdicts()) < enough, left):  # noqa: B023 - within the loop
                    play(daemon, clock, [record])

    touched, broken = verdicts()
    assert (touched.verdict, touched.approach) == (Verdict.REVERSED, 1)
    assert (broken.verdict, broken.approach) == (Verdict.ACCELERATED, 2)
    assert (touched.evidence["activated"], broken.evidence["activated"]) == (0, 1)


async def test_a_story_is_saved_soon_after_it_began(cascade: list[Record], tmp_path: Path) -> None:
    # A kill comes without warning, and the next minute's snapshot would be too late.
    kept, clock = Kept(), TapeClock()
    with closing(Database(tmp_path / "db")) as database:
        daemon = Daemon(NO_VENUES, database, clock=clock, alert_file=kept)
        async with running(daemon):
            story(daemon, clock, kept, cascade)
            (start,) = kept.of(Kind.CASCADE_STARTED)
            await until(lambda: start.episode in episodes(database), seconds=3)


def episodes(database: Database) -> set[str]:
    saved = memory.load(database)
    symbols = saved[1].symbols.values() if saved else ()
    return {episode.id for symbol in symbols for episode in symbol.episodes.values()}


async def test_one_cascade_is_one_message_with_replies_at_its_turns(
    cascade: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The limits of a chat have tests of their own, and would take seconds here.
    monkeypatch.setattr(TelegramSink, "wait_s", lambda _, urgent: 0.0 * urgent)
    monkeypatch.setattr("liqwatch.sinks.telegram.sender.EDIT_GAP_S", 0.0)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    kept, clock = Kept(), TapeClock()
    async with FakeBotApi(CHAT) as telegram:
        settings = TelegramSettings(chat=CHAT, token_file=str(token), base_url=telegram.base_url)
        config = replace(NO_VENUES, notify=replace(QUIET, telegram=settings))
        with closing(Database(tmp_path / "db")) as database:
            daemon = Daemon(config, database, clock=clock, alert_file=kept)
            async with running(daemon):
                told = story(daemon, clock, kept, cascade)
                await until(lambda: telegram.messages[CHAT])
                play(daemon, clock, cascade[told:])
                await until(lambda: telegram.sent("editMessageText"))
        shown = list(telegram.messages[CHAT].values())
        assert telegram.complaints == []

    turns = len(kept.of(Kind.CASCADE_STALLED)) + len(kept.of(Kind.CASCADE_RESUMED)) + 1
    (root,) = [
        message
        for message in shown
        if "CASCADE" in message["text"] and "reply_to_message" not in message
    ]
    replies = [message for message in shown if "reply_to_message" in message]
    assert len(replies) == turns
    assert {reply["reply_to_message"]["message_id"] for reply in replies} == {root["message_id"]}
    assert "CASCADE ENDED" in root["text"]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon on the simulated exchange; the test runs it."""
    clock = ScaledClock(start_ns=START_MS * 1_000_000, speed=20)
    async with SimulatedExchange("demo", 1, clock) as exchange:
        there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
        config = Config(symbols=None, venues=dict.fromkeys(VENUES, there), notify=QUIET)
        with closing(Database(tmp_path / "db")) as database:
            yield Daemon(config, database, clock=clock)


def trading(daemon: Daemon) -> set[str]:
    """The venues whose trades arrived."""
    symbols = daemon.pipeline.engine.state.symbols.values()
    return {source.venue for symbol in symbols for source in symbol.sources.values()}


async def test_a_bug_in_one_venues_file_restarts_that_stream_only(
    live: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    bybit = live.pipeline.exchanges["bybit-linear"]
    decode, bugs = bybit.decode, 0
    opened: list[str] = []
    ingest = live.ingest

    def buggy(frame: str | bytes, received_ns: int) -> Any:
        nonlocal bugs
        bugs += 1
        if bugs == 5:
            raise KeyError("a field nobody knew")
        return decode(frame, received_ns)

    def watched(record: Record) -> Sequence[Control]:
        if record.open is not None:
            opened.append(record.venue)
        return ingest(record)

    monkeypatch.setattr(bybit, "decode", buggy)
    monkeypatch.setattr(live, "ingest", watched)
    monkeypatch.setattr("liqwatch.sources.supervise.full_jitter", lambda *_: 0.05)
    with structlog.testing.capture_logs() as logs:
        async with running(live):
            await until(lambda: bugs > 20 and trading(live) == set(VENUES))

    failed = [entry for entry in logs if entry["event"] == "stream failed"]
    assert [entry["venue"] for entry in failed] == ["bybit-linear"]
    again = {venue: opened.count(venue) for venue in opened}
    assert again.pop("bybit-linear") > min(again.values())


@pytest.mark.parametrize("place", ["a frame", "a tick"])
async def test_a_bug_of_the_engine_ends_everything_and_names_its_cause(
    live: Daemon, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    engine = live.pipeline.engine
    decide = engine.update

    def broken(event: Any) -> Any:
        wanted = isinstance(event, Trade) if place == "a frame" else bool(trading(live))
        return 1 / 0 if wanted else decide(event)

    monkeypatch.setattr(engine, "update", broken)
    with pytest.raises(EngineError) as bug:
        await asyncio.wait_for(live.run(asyncio.Queue()), 8)

    assert isinstance(bug.value.__cause__, ZeroDivisionError)


async def test_once_warm_the_collector_is_spared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(daemon_module, "WARM_S", 0.01)
    with closing(Database(tmp_path / "db")) as database:
        async with running(Daemon(NO_VENUES, database)):
            await until(lambda: frozen)

    assert frozen == [True]


async def test_the_state_of_long_ago_that_cannot_be_read_is_forgotten(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "db")) as database:
        database.save_snapshot(memory.SNAPSHOT, memory.SNAPSHOT_VERSION, b"of another world")
        with structlog.testing.capture_logs() as logs:
            daemon = Daemon(NO_VENUES, database)
        assert [entry["log_level"] for entry in logs] == ["warning"]
        async with running(daemon):
            pass
        assert memory.load(database) is not None


async def test_a_venue_whose_liquidations_do_not_come_is_not_counted_as_live(
    tmp_path: Path,
) -> None:
    with closing(Database(tmp_path / "db")) as database:
        daemon = Daemon(Config(notify=QUIET), database)
        engine = daemon.pipeline.engine
        for venue in Config().venues:
            engine.update(Connect(venue, START_MS, START_MS * 1_000_000, "s/1"))
        before = daemon.status()
        engine.state.venues["okx-swap"].see(START_MS, blind=True)

        many = len(Config().venues)
        assert before.startswith(f"{many}/{many} venues live")
        assert daemon.status().startswith(f"{many - 1}/{many} venues live")


async def test_a_spot_venue_is_counted_as_live(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "db")) as database:
        daemon = Daemon(Config(notify=QUIET), database)
        state = daemon.pipeline.engine.state
        state.spot_venues["okx-swap"] = Venue("okx-swap", Completeness.UNKNOWN, healthy_since_ms=1)

        assert daemon.status().startswith(f"1/{len(Config().venues)} venues live")


async def test_a_map_in_a_file_is_taken_in_and_let_go_when_the_settings_no_longer_name_it(
    cascade: list[Record], tmp_path: Path
) -> None:
    file, settings = tmp_path / "btc.csv", tmp_path / "liqwatch.yaml"
    file.write_text("low,high,long_usd,short_usd\n1000,1000,5e6,0\n900000,900000,0,7e6\n")
    nowhere = '{websocket: "ws://127.0.0.1:9", rest: "http://127.0.0.1:9"}'
    without = f"venues: {{okx-swap: {nowhere}}}\nnotify: {{console: {{enabled: false}}}}\n"
    settings.write_text(
        f"{without}map: {{imports: [{{file: {file}, symbol: BTC, covers: [okx-swap]}}]}}\n"
    )
    clock, orders = TapeClock(), asyncio.Queue[Order]()
    with closing(Database(tmp_path / "db")) as database:
        daemon = Daemon(load(settings), database, config_path=settings, clock=clock)
        play(daemon, clock, cascade[:2000])

        def layers() -> dict[str, Layer]:
            return daemon.pipeline.engine.state.symbols["BTC"].map.layers

        task = asyncio.create_task(daemon.run(orders))
        await until(layers)
        assert {name: layer.venues for name, layer in layers().items()} == {str(file): ["okx-swap"]}

        settings.write_text(without)
        orders.put_nowait(Order.RELOAD)
        await until(lambda: not layers())
        orders.put_nowait(Order.STOP)
        await asyncio.wait_for(task, 5)
