"""Replay as a user meets it: several tapes, machine files, broken input, kept state, pace."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import frames_binance
import frames_bybit
import frames_okx
import msgspec
import pytest
from structlog.testing import capture_logs

from liqwatch import events as kinds
from liqwatch.alerts import Kind
from liqwatch.app import DATABASE_FILE
from liqwatch.config import Config, ConfigError, VenueSettings
from liqwatch.pipeline import STATE_VERSION
from liqwatch.records import Close, Record
from liqwatch.replay import replay
from liqwatch.simulator import write_tape
from liqwatch.sources.tape import TapeError, TapeWriter
from liqwatch.store import StoreError

START_NS = frames_binance.RECEIVED
SECOND_NS = 1_000_000_000
BINANCE = frames_binance.VENUE

# The shapes of the machine files.
COMMON = {"kind", "venue", "symbol", "instrument", "time", "received"}
EVENT_KEYS = {
    "trade": COMMON | {"price", "size", "side", "id"},
    "liquidation": COMMON
    | {"position", "size", "price", "price_kind", "notional_usd", "completeness", "mechanism"},
    "open_interest": COMMON | {"size", "notional_usd"},
    "mark_price": COMMON | {"price", "index_price"},
    "funding": COMMON | {"rate", "interval_hours", "next_time"},
    "instrument": COMMON | {"contract_type", "contract_size", "tick_size", "status"},
    "disconnect": {"kind", "venue", "time", "received", "stream", "reason"},
}
ALERT_KEYS = {
    *("id", "episode", "kind", "symbol", "position", "direction", "time", "price", "severity"),
    *("level", "against_map", "evidence", "thresholds", "text"),
}
OWN_KEYS = {
    Kind.CASCADE_ENDED: {"outcome"},
    Kind.LEVEL_APPROACHED: {"approach"},
    Kind.LEVEL_VERDICT: {"verdict", "approach"},
}


def trade(number: int, *, at: int) -> Record:
    # Aggregate-Trade-Streams of developers.binance.com, USDⓈ-M futures.
    text = (
        f'{{"e":"aggTrade","E":{at // 10**6},"a":{number},"s":"BTCUSDT","p":"60000.10",'
        f'"q":"0.250","f":1,"l":1,"T":{at // 10**6},"m":true,"st":1}}'
    )
    return Record(at=at, venue=BINANCE, stream="s/1", text=text)


def every_frame() -> Iterable[Record]:
    """All that the frames written by hand hold, and the end of a connection."""
    for module in (frames_binance, frames_bybit, frames_okx):
        venue, at = module.VENUE, module.RECEIVED
        for url, text, _ in module.REST.values():
            yield Record(at=at, venue=venue, get=url, status=200, text=text)
        for text, _ in module.FRAMES.values():
            yield Record(at=at, venue=venue, stream=f"{venue}/1", text=text)
        yield Record(at=at, venue=venue, stream=f"{venue}/1", close=Close(1006))


def write(path: Path, records: Iterable[Record]) -> Path:
    with TapeWriter(path, note="", created_ns=START_NS) as tape:
        for record in records:
            tape.write(record)
    return path


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Replay tapes and return what the event file holds."""

    def run(*tapes: Path, **options: Any) -> list[dict[str, Any]]:
        given = {"config": None, "alerts": None, "state": None, "speed": None, **options}
        assert replay(tapes, events=tmp_path / "events.jsonl", **given) == 0
        return rows(tmp_path / "events.jsonl")

    return run


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tapes") / "cascade.jsonl.zst"
    write_tape(path, scenario="cascade", seed=1)
    return path


# -- the machine files


def test_the_event_file_has_exactly_the_keys_of_its_contract(run: Run, tmp_path: Path) -> None:
    found: dict[str, set[frozenset[str]]] = {}
    for row in run(write(tmp_path / "tape.jsonl", every_frame())):
        found.setdefault(row["kind"], set()).add(frozenset(row) - {"history"})
        assert row.get("history", True) is True, "said only where it is so"

    assert found == {kind: {frozenset(keys)} for kind, keys in EVENT_KEYS.items()}


def test_events_are_written_as_the_venue_file_gave_them(run: Run, tmp_path: Path) -> None:
    expected = [
        event
        for module in (frames_binance, frames_bybit, frames_okx)
        for told in (module.REST, module.FRAMES)
        for *_, events in told.values()
        for event in events
    ]
    assert expected
    written = run(write(tmp_path / "tape.jsonl", every_frame()))

    liquidations = [row for row in written if row["kind"] == "liquidation"]
    gave = [msgspec.to_builtins(each) for each in expected if isinstance(each, kinds.Liquidation)]
    for row in (*liquidations, *gave):
        row.pop("history", None)  # on one tape, the frames of a venue are each other's past
    assert liquidations == gave


def test_the_alert_file_has_exactly_the_keys_of_its_contract(cascade: Path, tmp_path: Path) -> None:
    alerts = tmp_path / "alerts.jsonl"
    replay([cascade], config=None, alerts=alerts, events=None, state=None, speed=None)

    found = {row["kind"]: set(row) - ALERT_KEYS for row in rows(alerts)}
    assert found == {kind: OWN_KEYS.get(Kind(kind), set()) for kind in found}
    assert {"level_verdict", "cascade_started", "cascade_stalled", "cascade_ended"} <= set(found)
    assert all(set(row) >= ALERT_KEYS and row["text"] for row in rows(alerts))
    assert len({row["id"] for row in rows(alerts)}) == len(rows(alerts))


def test_without_an_alert_file_people_read_the_alerts(
    cascade: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts = tmp_path / "alerts.jsonl"
    for file in (alerts, None):
        replay([cascade], config=None, alerts=file, events=None, state=None, speed=None)

    screen = capsys.readouterr().out
    for row in rows(alerts):
        assert row["text"].split("\n")[0] in screen


def test_a_dash_is_standard_output(tmp_path: Path, capfdbinary: Any, run: Run) -> None:
    tape = write(tmp_path / "tape.jsonl", every_frame())
    with capture_logs():  # the command line sends these to standard error
        expected = run(tape)
        replay([tape], config=None, alerts=None, events=Path("-"), state=None, speed=None)

    assert [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()] == expected


def test_events_on_standard_output_are_alone_there(cascade: Path, capfdbinary: Any) -> None:
    replay([cascade], config=None, alerts=None, events=Path("-"), state=None, speed=None)
    said = capfdbinary.readouterr()

    assert all(line.startswith(b'{"kind":') for line in said.out.splitlines())
    assert b"CASCADE STARTED" in said.err


# -- tapes


def test_several_tapes_are_merged_by_time(run: Run, tmp_path: Path) -> None:
    times = [START_NS + number * 100_000_000 for number in range(9)]
    records = [trade(number, at=at) for number, at in enumerate(times)]
    odd = write(tmp_path / "odd.jsonl", records[1::2])
    even = write(tmp_path / "even.jsonl.zst", records[::2])

    assert [row["received"] for row in run(odd, even)] == times


def test_a_configuration_chooses_the_venues(run: Run, tmp_path: Path) -> None:
    tape = write(tmp_path / "tape.jsonl", every_frame())
    config = Config(venues={"okx-swap": VenueSettings()}, symbols=None)
    with capture_logs():
        assert {row["venue"] for row in run(tape, config=config)} == {"okx-swap"}


def test_a_tape_that_names_its_configuration_is_decided_by_it_unless_told_otherwise(
    run: Run, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.jsonl"
    with TapeWriter(tape, note="", created_ns=0, config="venues: [okx-swap]") as writer:
        for record in every_frame():
            writer.write(record)
    own = Config(venues={"bybit-linear": VenueSettings()}, symbols=None)

    with capture_logs():
        assert {row["venue"] for row in run(tape)} == {"okx-swap"}
        assert {row["venue"] for row in run(tape, config=own)} == {"bybit-linear"}


def test_a_tape_that_names_a_faulty_configuration_says_where(run: Run, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    with TapeWriter(tape, note="", created_ns=0, config="venues: [mtgox]"):
        pass

    with pytest.raises(ConfigError, match=r"tape\.jsonl, config:1:10: mtgox is no venue"):
        run(tape)


def test_a_broken_line_is_named_and_what_came_before_it_is_kept(tmp_path: Path) -> None:
    tape = write(tmp_path / "tape.jsonl", [trade(1, at=START_NS)])
    with tape.open("a") as file:
        file.write("no JSON\n")
    events = tmp_path / "events.jsonl"
    with pytest.raises(TapeError, match=rf"{tape}:3: "):
        replay([tape], config=None, alerts=None, events=events, state=None, speed=None)

    assert len(rows(events)) == 1


def test_a_tape_that_was_cut_off_replays_with_a_warning(run: Run, tmp_path: Path) -> None:
    whole = write(tmp_path / "tape.jsonl.zst", [trade(n, at=START_NS + n) for n in range(50_000)])
    cut = tmp_path / "cut.jsonl.zst"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with capture_logs() as logs:
        heard = run(cut)

    assert 0 < len(heard) < 50_000
    assert [entry["log_level"] for entry in logs] == ["warning"] * len(logs)
    assert str(cut) in logs[0]["event"]


def test_what_was_skipped_is_told_with_its_count(run: Run, tmp_path: Path) -> None:
    bad = Record(at=START_NS, venue=BINANCE, stream="s/1", text="no JSON")
    unknown = Record(at=START_NS, venue="a-venue-of-tomorrow", stream="x/1", text="{}")
    tape = write(tmp_path / "tape.jsonl", [bad, bad, unknown])
    with tape.open("a") as file:
        file.write(f'{{"at":{START_NS},"venue":"v","smell":"smoke"}}\n')
    with capture_logs() as logs:
        run(tape)

    assert [(entry.get("venue"), entry.get("kind"), entry["count"]) for entry in logs] == [
        (None, None, 1),
        (BINANCE, "not_json", 2),
        ("a-venue-of-tomorrow", "unknown_venue", 1),
    ]


# -- state


def test_a_tape_that_goes_on_does_not_connect_or_count_again(run: Run, tmp_path: Path) -> None:
    first = write(tmp_path / "1.jsonl", [trade(1, at=START_NS)])
    second = write(
        tmp_path / "2.jsonl",
        [
            trade(1, at=START_NS + SECOND_NS),
            trade(2, at=START_NS + SECOND_NS),
            Record(at=START_NS + SECOND_NS, venue=BINANCE, stream="s/1", close=Close(1006)),
        ],
    )
    run(first, state=tmp_path / "state")

    assert [row["kind"] for row in run(second, state=tmp_path / "state")] == ["trade", "disconnect"]
    assert [row["kind"] for row in run(second)] == ["trade", "trade", "disconnect"]


@pytest.mark.parametrize("damage", ["garbage", "another version", "a venue's part"])
def test_state_that_cannot_be_taken_up_is_one_clear_error_and_stays(
    run: Run, tmp_path: Path, damage: str
) -> None:
    tape = write(tmp_path / "tape.jsonl", [trade(1, at=START_NS)])
    state = tmp_path / "state"
    run(tape, state=state)
    database = sqlite3.connect(state / DATABASE_FILE)
    ((blob,),) = database.execute("SELECT blob FROM snapshots").fetchall()
    content = msgspec.msgpack.decode(blob)
    if damage == "another version":
        content["version"] = STATE_VERSION + 1
    if damage == "a venue's part":
        content["exchanges"][BINANCE] = b"\xc1"
    broken = b"\xc1" if damage == "garbage" else msgspec.msgpack.encode(content)
    with database:
        database.execute("UPDATE snapshots SET blob = ?", (broken,))

    with pytest.raises(StoreError, match=str(state)):
        run(tape, state=state)
    assert database.execute("SELECT blob FROM snapshots").fetchall() == [(broken,)]
    database.close()


def test_a_broken_tape_leaves_the_state_as_it_was(run: Run, tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", [trade(1, at=START_NS)])
    broken = write(tmp_path / "broken.jsonl", [trade(2, at=START_NS + SECOND_NS)])
    with broken.open("a") as file:
        file.write("no JSON\n")
    state = tmp_path / "state"
    run(good, state=state)
    with pytest.raises(TapeError):
        run(broken, state=state)

    again = write(tmp_path / "again.jsonl", [trade(2, at=START_NS + SECOND_NS)])
    assert len(run(again, state=state)) == 1, "trade 2 was not remembered"


# -- pace


@pytest.mark.parametrize(("speed", "lasts_s"), [(None, 0.0), (1.0, 30.0), (10.0, 3.0)])
def test_a_pace_is_kept_by_waiting(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float | None, lasts_s: float
) -> None:
    tape = write(
        tmp_path / "tape.jsonl", [trade(n, at=START_NS + n * SECOND_NS) for n in range(31)]
    )
    now_ns = 7_000_000_000
    waited_s = []

    def sleep(seconds: float) -> None:
        nonlocal now_ns
        waited_s.append(seconds)
        now_ns += round(seconds * SECOND_NS)

    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns)
    monkeypatch.setattr(time, "sleep", sleep)

    assert len(run(tape, speed=speed)) == 31
    assert sum(waited_s) == pytest.approx(lasts_s)
