"""Maps of others stand on the tape: what was shown and decided with them comes again."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from liqwatch.alerts import Alert
from liqwatch.config import load
from liqwatch.control import find_map
from liqwatch.daemon import Daemon, Order
from liqwatch.map_import import MOST_LEVELS, ImportedMap, MapLevel, as_record, read_record
from liqwatch.map_view import MapShown
from liqwatch.pipeline import Pipeline
from liqwatch.records import Record
from liqwatch.replay import assemble
from liqwatch.simulator import write_tape
from liqwatch.sources.tape import TapeReader, TapeWriter
from liqwatch.store import Database

BEFORE, ENOUGH = 2_000, 20_000  # records of the market: with prices, and clusters found anew
NOWHERE = '{websocket: "ws://127.0.0.1:9", rest: "http://127.0.0.1:9"}'
MAP = ImportedMap(
    source="coinglass-map",
    symbol="BTC",
    as_of_ms=1_791_565_600_000,
    venues=frozenset({"okx-swap", "binance-usdm"}),
    levels=(MapLevel(84_000.0, 84_100.0, 3e6, 0.0), MapLevel(95_000.0, 95_000.0, 0.0, 41e6)),
    relative=True,
)


class Told(list[Alert]):
    write = list.append


class Kept(list[Record]):
    write = list.append

    def flush(self) -> None:
        """Keep nothing more."""


class TapeClock:
    """The clock of whoever received the tape."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    path = tmp_path_factory.mktemp("tape") / "cascade.jsonl"
    write_tape(path, scenario="cascade", seed=1)
    return list(TapeReader(path))[:ENOUGH]


def settings(folder: Path) -> Path:
    """A configuration with somebody's map of BTC, which speaks for two of the venues."""
    (folder / "btc.csv").write_text(
        "low,high,long_usd,short_usd\n86000,86100,50e6,0\n92000,92100,0,70e6\n"
    )
    path = folder / "liqwatch.yaml"
    path.write_text(
        f"symbols: all\nvenues: {{okx-swap: {NOWHERE}}}\nnotify: {{console: {{enabled: false}}}}\n"
        f"map: {{imports: [{{file: {folder}/btc.csv, symbol: BTC,"
        " covers: [okx-swap, binance-usdm]}]}\n"
    )
    return path


async def live(folder: Path, market: list[Record]) -> tuple[Kept, Told, MapShown]:
    """Run the daemon on a market, with a file that is taken in while it runs."""
    tape, told, clock = Kept(), Told(), TapeClock(market[0].at)
    orders: asyncio.Queue[Order] = asyncio.Queue()

    def play(records: list[Record]) -> None:
        for record in records:
            clock.now = record.at
            daemon.ingest(record)

    with closing(Database(folder / "db")) as database:
        daemon = Daemon(load(settings(folder)), database, clock=clock, alert_file=told, tape=tape)
        play(market[:BEFORE])
        task = asyncio.create_task(daemon.run(orders))
        begun = time.monotonic()
        while not daemon.pipeline.engine.state.symbols["BTC"].map.layers:
            assert time.monotonic() - begun < 8, "waited in vain"
            await asyncio.sleep(0.01)
        play(market[BEFORE:])
        orders.put_nowait(Order.STOP)
        await asyncio.wait_for(task, 5)
        return tape, told, find_map(daemon.pipeline.engine, "BTC")


def replayed(records: list[Record]) -> tuple[Pipeline, list[Alert]]:
    told: list[Alert] = []
    pipeline = assemble(None, None, on_alerts=told.extend, on_event=None)
    for record in records:
        pipeline.ingest(record)
    return pipeline, told


async def test_a_replay_without_the_file_shows_and_decides_what_the_live_run_did(
    market: list[Record], tmp_path: Path
) -> None:
    tape, told, shown = await live(tmp_path, market)
    (tmp_path / "btc.csv").unlink()
    with TapeWriter(tmp_path / "t.jsonl", note="", created_ns=tape[0].at) as writer:
        for record in tape:
            writer.write(record)
    pipeline, told_again = replayed(list(TapeReader(tmp_path / "t.jsonl")))

    assert any("imported" in cluster.sources for cluster in shown.map.clusters)
    assert find_map(pipeline.engine, "BTC") == shown
    assert told_again == told != []
    assert [one.venue for one in tape if one.venue.startswith("import:")] == [
        f"import:{tmp_path}/btc.csv"
    ]


def test_a_map_comes_off_the_tape_as_it_went_on_it() -> None:
    record = as_record(MAP, 5)

    assert (record.at, record.venue, record.stream) == (5, "import:coinglass-map", "BTC")
    assert read_record(record) == MAP
    assert '["binance-usdm","okx-swap"]' in (record.text or ""), "the same each time"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{}",
        as_record(MAP, 5).text[:-9],  # type: ignore[index]  # it has a text
        as_record(MAP, 5).text.replace("84000", "-1"),  # type: ignore[union-attr]  # likewise
    ],
)
def test_what_is_no_map_on_a_tape_is_counted_and_the_rest_lives(
    market: list[Record], text: str | None
) -> None:
    torn = Record(at=market[BEFORE].at, venue="import:x", stream="BTC", text=text)
    pipeline, _ = replayed([*market[:BEFORE], torn, as_record(MAP, market[BEFORE].at)])

    assert pipeline.skipped()["import:x", "map"] == 1
    assert list(pipeline.engine.state.symbols["BTC"].map.layers) == ["coinglass-map"]


def test_a_map_of_a_coin_that_nobody_watches_is_passed_over(market: list[Record]) -> None:
    of_another = replace(MAP, symbol="DOGE")
    pipeline, _ = replayed([*market[:BEFORE], as_record(of_another, market[BEFORE].at)])

    assert "DOGE" not in pipeline.engine.state.symbols


@pytest.mark.parametrize(
    "level",
    [
        (0.0, 1.0, 1.0, 0.0), (2.0, 1.0, 1.0, 0.0), (1.0, 2.0, -1.0, 0.0), (1.0, 1e9, 1.0, 0.0),
        (1.0, float("inf"), 1.0, 0.0), (1.0, float("nan"), 1.0, 0.0),
        (1.0, 2.0, 0.0, float("nan")), (1.0, 2.0, float("inf"), 0.0),
    ],
)  # fmt: skip
def test_what_is_no_level_is_refused(level: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"coinglass-map: .* is no level"):
        replace(MAP, levels=(MapLevel(*level),))


def test_too_many_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 20,000 levels"):
        replace(MAP, levels=(MAP.levels[0],) * (MOST_LEVELS + 1))
