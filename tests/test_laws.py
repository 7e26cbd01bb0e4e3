"""The laws of the tape, on a simulated market with a cascade: one test or more for each."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace as changed

from liqwatch.alerts import Alert, Kind
from liqwatch.clock import ScaledClock
from liqwatch.config import Config, NotifySettings, VenueSettings
from liqwatch.daemon import Daemon, Order
from liqwatch.pipeline import read_snapshot
from liqwatch.records import Record
from liqwatch.replay import assemble, replay
from liqwatch.simulator import VENUES, SimulatedExchange, write_tape
from liqwatch.simulator.simulate import START_MS
from liqwatch.sinks import ConsoleSettings
from liqwatch.sources.tape import TapeReader, TapeWriter
from liqwatch.store import Database

SCENARIO, SEED = "cascade", 1
WEEK_MS = 7 * 86_400_000
SPEED = 150  # faster, and frames are late by more market time than is believed


class Decided(NamedTuple):
    """What a replay left: the alert file and the event file."""

    alerts: bytes
    events: bytes


def decide(
    tapes: Sequence[Path], folder: Path, *, config: Config | None = None, state: Path | None = None
) -> Decided:
    alerts, events = folder / "alerts.jsonl", folder / "events.jsonl"
    replay(tapes, config=config, alerts=alerts, events=events, state=state, speed=None)
    return Decided(alerts.read_bytes(), events.read_bytes())


def read_alerts(lines: bytes) -> list[Alert]:
    return [msgspec.json.decode(line, type=Alert) for line in lines.splitlines()]


def write(path: Path, records: Sequence[Record]) -> Path:
    with TapeWriter(path, note="", created_ns=records[0].at) as tape:
        for record in records:
            tape.write(record)
    return path


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tapes") / "cascade.jsonl.zst"
    write_tape(path, scenario=SCENARIO, seed=SEED)
    return path


@pytest.fixture(scope="module")
def whole(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """What the uninterrupted replay decides."""
    decided = decide([tape], tmp_path_factory.mktemp("whole"))
    kinds = {alert.kind for alert in read_alerts(decided.alerts)}
    assert {"cascade_started", "cascade_stalled", "cascade_ended"} <= kinds, "nothing to prove on"
    return decided


# -- 1. Replaying a tape twice gives byte-identical alert files.


def test_law_1_the_same_tape_twice_gives_the_same_bytes(
    tape: Path, whole: Decided, tmp_path: Path
) -> None:
    assert decide([tape], tmp_path) == whole


# -- 2. A live run that records, and a replay of what it recorded, give the same alerts.


class Alerts(list[Alert]):
    """What was decided; the end of the cascade is the end of the run."""

    def __init__(self, orders: "asyncio.Queue[Order]") -> None:
        self._orders = orders

    def write(self, alert: Alert) -> None:
        self.append(alert)
        if alert.kind is Kind.CASCADE_ENDED:
            self._orders.put_nowait(Order.STOP)


async def live(database: Database, path: Path) -> tuple[Config, list[Alert]]:
    """Run the daemon against the simulated exchange, and record, until the cascade ends."""
    clock = ScaledClock(start_ns=START_MS * 1_000_000, speed=SPEED)
    orders: asyncio.Queue[Order] = asyncio.Queue()
    alerts = Alerts(orders)
    async with SimulatedExchange(SCENARIO, SEED, clock) as exchange:
        there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
        config = Config(
            symbols=None,
            venues=dict.fromkeys(VENUES, there),
            notify=NotifySettings(console=ConsoleSettings(enabled=False)),
        )
        with TapeWriter(path, note="", created_ns=clock.now_ns()) as tape:
            daemon = Daemon(
                config, database, clock=clock, random=Random(SEED), alert_file=alerts, tape=tape
            )
            market = asyncio.create_task(exchange.finished())
            market.add_done_callback(lambda _: orders.put_nowait(Order.STOP))
            await daemon.run(orders)
            market.cancel()
    return config, list(alerts)


def test_law_2_a_replay_of_what_a_live_run_recorded_decides_as_it_did(tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl.zst"
    with closing(Database(tmp_path / "live.sqlite3")) as database:
        config, alerts = asyncio.run(live(database, path))
    assert alerts, "nothing to prove on"

    assert read_alerts(decide([path], tmp_path, config=config).alerts) == alerts


# -- 3. Cutting a tape anywhere, snapshotting, and continuing gives the alerts of the whole.


def receipt_of(moment: str, whole: Decided) -> int:
    """When something happened, or a while before or after, on the receiver's clock in ns."""
    kind, after_s = {
        "before the cascade": ("cascade_started", -200),
        "as it starts": ("cascade_started", 1),
        "during the cascade": ("cascade_stalled", -20),
        "while it is stalled": ("cascade_stalled", 20),
        "after the cascade": ("cascade_ended", 10),
    }[moment]
    happened_ms = next(a.time for a in read_alerts(whole.alerts) if a.kind == kind)
    return (happened_ms + after_s * 1000) * 1_000_000


@pytest.mark.parametrize(
    "moment",
    [
        "before the cascade",
        "as it starts",
        "during the cascade",
        "while it is stalled",
        "after the cascade",
    ],
)
def test_law_3_two_halves_of_a_tape_give_the_files_of_the_whole(
    tape: Path, whole: Decided, tmp_path: Path, moment: str
) -> None:
    records = list(TapeReader(tape))
    cut_ns = receipt_of(moment, whole)
    cut = next(number for number, record in enumerate(records) if record.at >= cut_ns)
    first = decide([write(tmp_path / "1.jsonl", records[:cut])], tmp_path, state=tmp_path / "s")
    second = decide([write(tmp_path / "2.jsonl", records[cut:])], tmp_path, state=tmp_path / "s")

    assert first.events
    assert second.events
    assert first.alerts + second.alerts == whole.alerts
    assert first.events + second.events == whole.events


def remembered(snapshot: bytes) -> object:
    state, engine = read_snapshot(snapshot)
    return changed(state, engine=b""), engine


def test_law_3_many_cuts_leave_the_same_alerts_and_the_same_state(
    tape: Path, whole: Decided
) -> None:
    records = list(TapeReader(tape))
    cuts = sorted({0, len(records), *Random(SEED).sample(range(1, len(records)), 30)})
    alerts: list[Alert] = []
    uncut = assemble(None, None, on_alerts=lambda _: None, on_event=None)
    snapshot = None
    for begin, end in pairwise(cuts):
        part = assemble(None, snapshot, on_alerts=alerts.extend, on_event=None)
        for record in records[begin:end]:
            part.ingest(record)
            uncut.ingest(record)
        snapshot = part.snapshot()
        assert remembered(snapshot) == remembered(uncut.snapshot()), f"from {begin} to {end}"

    assert alerts == read_alerts(whole.alerts)


# -- 4. Replay takes time only from the tape: no wall clock, no sleeping.


def test_law_4_a_replay_asks_no_clock_and_never_sleeps(
    tape: Path, whole: Decided, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a replay asked for the time of day")

    with monkeypatch.context() as patch:
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"):
            patch.setattr(time, name, fail)
        again = decide([tape], tmp_path)

    assert again == whole


@pytest.mark.parametrize("weeks", [-1500, 1500], ids=["in 1998", "in 2055"])
def test_law_4_the_same_market_at_another_time_is_decided_on_alike(
    whole: Decided, tmp_path: Path, weeks: int
) -> None:
    path = tmp_path / "tape.jsonl"
    write_tape(path, scenario=SCENARIO, seed=SEED, start_ms=START_MS + weeks * WEEK_MS)

    def told(alert: Alert, shift_ms: int) -> Alert:
        return changed(alert, id="", episode=None, text="", time=alert.time - shift_ms)

    alerts = [told(a, weeks * WEEK_MS) for a in read_alerts(decide([path], tmp_path).alerts)]
    assert alerts == [told(alert, 0) for alert in read_alerts(whole.alerts)]


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_law_4_the_venues_times_decide_even_where_our_clock_is_wrong(
    tape: Path, whole: Decided, tmp_path: Path, ahead_s: int
) -> None:
    shifted = [changed(record, at=record.at + ahead_s * 10**9) for record in TapeReader(tape)]
    alerts = decide([write(tmp_path / "tape.jsonl", shifted)], tmp_path).alerts

    assert [alert.id for alert in read_alerts(alerts)] == [
        alert.id for alert in read_alerts(whole.alerts)
    ]
