"""`liqwatch tune` counts what a replay with each other threshold would say."""

from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from liqwatch import recorded
from liqwatch.alerting.numbers import duration
from liqwatch.alerts import Alert, Kind
from liqwatch.app import DATABASE_FILE
from liqwatch.config import Config, loads
from liqwatch.engine.rarity import BLOCKS_PER_HOUR
from liqwatch.pipeline import STATE_VERSION
from liqwatch.records import Record
from liqwatch.replay import SNAPSHOT, assemble
from liqwatch.simulator import write_tape
from liqwatch.simulator.simulate import START_MS
from liqwatch.sources.tape import TapeError, TapeReader, TapeWriter
from liqwatch.store import Database
from liqwatch.tune import _varied, tune

HEARD_MINUTE, LAST_MINUTE = START_MS / 60_000 + 10, START_MS / 60_000 + 22  # a cascade between

# Of the two ways to start, one needs history: the other is shut, so that to open it tells.
CONFIG = loads(
    """\
symbols:
  BTC:
  ETH: {detection: {drift_z30: 7}}
venues: [binance-usdm, bybit-linear, okx-swap]
detection: {forced_impact_z_learning: 10000}
""",
    "test",
)


class Row(NamedTuple):
    in_force: bool
    starts: int
    critical: int
    busiest: str
    to_stall: str


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tapes")
    whole, tape = folder / "whole.jsonl.zst", folder / "tape.jsonl.zst"
    write_tape(whole, scenario="cascade", seed=3)
    with TapeWriter(tape, note="", created_ns=0) as writer:
        for record in TapeReader(whole):
            if record.at < LAST_MINUTE * 60e9:
                writer.write(record)
    return tape


@pytest.fixture(scope="module")
def said(tape: Path) -> str:
    out = StringIO()
    with redirect_stdout(out):
        assert tune([tape], config=CONFIG, symbol=None, state=None) == 0
    return out.getvalue()


def rows(out: str, threshold: str) -> dict[str, Row]:
    """The table of a threshold, by its values."""
    _, _, table = out.partition(f"\n{threshold} ")
    found = {}
    for line in table.partition("\n\n")[0].splitlines()[1:]:
        mark, cells = line[:3].strip(), line[3:].split()
        value, starts, _, critical, *busiest, stall = cells
        found[value] = Row(mark == ">", int(starts), int(critical), " ".join(busiest), stall)
    return found


def replayed(tape: Path, config: Config) -> list[Alert]:
    alerts: list[Alert] = []
    pipeline = assemble(config, None, on_alerts=alerts.extend, on_event=None)
    for record in TapeReader(tape):
        pipeline.ingest(record)
    return alerts


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        ("forced_impact_z_learning", 0.5),
        ("forced_impact_z_learning", 2.0),
        ("drift_z30", 6.0),
        ("preset", "early"),
    ],
)
def test_it_counts_as_separate_replays_do(
    tape: Path, said: str, threshold: str, value: str | float
) -> None:
    alerts = replayed(tape, _varied(CONFIG, threshold, value))
    starts = [one for one in alerts if one.kind is Kind.CASCADE_STARTED]
    stalls = [one for one in alerts if one.kind is Kind.CASCADE_STALLED]
    row = rows(said, threshold)[str(value).removesuffix(".0")]

    assert row.starts == len(starts)
    assert row.critical == sum(one.severity == "critical" for one in starts)
    if threshold == "forced_impact_z_learning":
        assert starts, "else this test would tell nothing"
        assert row.busiest == f"BTC {len(starts)}"
        assert row.to_stall == duration((stalls[0].time - starts[0].time) / 1000)


def test_each_threshold_is_tried_at_its_values_and_the_one_in_force(said: str) -> None:
    tried = {
        "preset": ("normal", ["normal", "early"]),
        "return_hours": ("168", ["24", "72", "168", "336", "720"]),
        "forced_impact_z": ("3", ["2", "3", "4", "6"]),
        "forced_impact_z_learning": ("10000", ["0.2", "0.5", "1", "2", "10000"]),
        "run_on_z": ("5.5", ["3", "5.5", "8"]),
        "drift_z30": ("4", ["3", "4", "6"]),
    }
    for threshold, (in_force, values) in tried.items():
        table = rows(said, threshold)
        assert list(table) == values
        assert [value for value, row in table.items() if row.in_force] == [in_force]
        assert table[in_force] == (True, 0, 0, "·", "·")


def test_it_says_what_that_rests_on(said: str) -> None:
    assert said.startswith("22 min of market, 2026-10-09 17:00 to 17:21 UTC.")
    assert "22 min say little" in said
    assert "Learning: no feed that shows every liquidation had the 6 h" in said


def test_a_threshold_of_a_coins_own_stays() -> None:
    varied = _varied(CONFIG, "drift_z30", 4.0)
    assert varied.detection.drift_z30 == 4.0
    assert varied.symbols is not None
    eth = varied.symbols["ETH"].detection
    assert eth is not None
    assert eth.drift_z30 == 7.0
    other = _varied(CONFIG, "forced_impact_z", 4.0).symbols
    assert other is not None
    assert other["ETH"].detection == replace(eth, forced_impact_z=4.0)


def test_of_one_coin_it_tells_that_coin(
    tape: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(readers: list[TapeReader]) -> Iterator[Record]:
        for number, record in enumerate(readers[0]):
            if number == 2000:
                raise KeyboardInterrupt
            yield record

    monkeypatch.setattr(recorded, "merge_tapes", broken_off)
    assert tune([tape], config=CONFIG, symbol="btc", state=None) == 0
    assert "min of market" in capsys.readouterr().out
    with pytest.raises(TapeError, match="no trade of SHIB on these tapes"):
        tune([tape], config=CONFIG, symbol="SHIB", state=None)


def test_what_has_been_learned_is_taken_up_and_left_alone(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = assemble(CONFIG, None, on_alerts=lambda _: None, on_event=None)
    rest = tmp_path / "rest.jsonl"
    with TapeWriter(rest, note="", created_ns=0) as writer:
        for record in TapeReader(tape):
            if record.at < HEARD_MINUTE * 60e9:
                pipeline.ingest(record)
            else:
                writer.write(record)
    for feeds in pipeline.engine.state.symbols["BTC"].feeds.values():
        for feed in feeds.values():
            for _ in range(10 * BLOCKS_PER_HOUR):
                feed.past.history.add_block(200.0)
    state = tmp_path / "state"
    with closing(Database(state / DATABASE_FILE)) as database:
        database.save_snapshot(SNAPSHOT, STATE_VERSION, pipeline.snapshot())
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    tune([rest], config=CONFIG, symbol="BTC", state=state)
    out = capsys.readouterr().out

    assert [row.starts for row in rows(out, "return_hours").values()] == [1] * 5
    assert "the longest history of a feed that shows every liquidation is 10 h" in out
    assert "what is seen once in 30 d is extrapolated" in out
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before
