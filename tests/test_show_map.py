"""`liqwatch map` as a user meets it: of a tape, of a running daemon, of what one left."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from liqwatch import cli, memory
from liqwatch.app import DATABASE_FILE
from liqwatch.control import Control
from liqwatch.control_socket import SOCKET_FILE, answering
from liqwatch.pipeline import Pipeline
from liqwatch.records import Record
from liqwatch.replay import assemble
from liqwatch.sources.tape import TapeWriter
from liqwatch.store import Database

VENUE, PRICE = "binance-usdm", 60_000.0
START_MS = 1_791_565_600_000
SECONDS = 200
PNG = b"\x89PNG"


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.delenv("LIQWATCH_CONFIG", raising=False)
    monkeypatch.setattr(cli, "_log", lambda _: None)  # logging belongs to the whole test run

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["liqwatch", "map", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return Said(int(leaving.value.code or 0), *capsys.readouterr())

    return run


def market(start_ms: int = START_MS) -> Iterator[Record]:
    """A price that stands still while open interest rises by half, all within three minutes."""
    # Aggregate-Trade-Streams and Open-Interest of developers.binance.com, USDⓈ-M futures.
    for second in range(SECONDS):
        ms = start_ms + 1000 * second
        trade = (
            f'{{"e":"aggTrade","E":{ms},"a":{second},"s":"BTCUSDT","p":"{PRICE:.2f}",'
            f'"q":"0.250","f":1,"l":1,"T":{ms},"m":true,"st":1}}'
        )
        yield Record(at=ms * 10**6, venue=VENUE, stream=f"{VENUE}/1", text=trade)
        if second % 10 == 0:
            size = 10_000 * (1 + second / 2 / SECONDS)
            told = f'{{"openInterest":"{size:.3f}","symbol":"BTCUSDT","time":{ms}}}'
            url = "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"
            yield Record(at=ms * 10**6 + 1, venue=VENUE, get=url, status=200, text=told)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    with TapeWriter(path := tmp_path / "t.jsonl", note="", created_ns=0) as tape:
        for record in market():
            tape.write(record)
    return path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose state folder has a name short enough for a socket."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.yaml"
    path.write_text("state: state\nsymbols: {BTC: {watch_levels: [61k]}}\n")
    (tmp_path / "state").mkdir()
    return path


def live(start_ms: int = START_MS) -> Pipeline:
    pipeline = assemble(None, None, on_alerts=lambda _: None, on_event=None)
    for record in market(start_ms):
        pipeline.ingest(record)
    return pipeline


def test_the_map_of_a_tape_is_a_ladder(run: Run, tape: Path) -> None:
    said = run("BTC", "--from", tape)

    assert said.code == 0
    assert said.out.startswith("BTC liquidation map · 2026-10-09 17:09:")
    assert "60,000 ────" in said.out
    assert "est. $" in said.out


def test_as_json_it_has_all_of_the_map(run: Run, tape: Path) -> None:
    said = run("btc", "--from", tape, "--json")
    view = json.loads(said.out)

    assert said.code == 0
    assert view["symbol"] == "BTC"
    assert view["price"] == PRICE
    assert view["venues"] == {VENUE: 1.0}
    assert sum(bucket["short_usd"] for bucket in view["buckets"]) > 50e6
    assert {cluster["position"] for cluster in view["clusters"]} == {"long", "short"}
    assert run("BTC", "--from", tape, "--json").out == said.out, "the same again"


@pytest.mark.parametrize("moment", [START_MS + 60_000, "2026-10-09T17:07:40"])
def test_a_tape_is_stopped_at_a_time(run: Run, tape: Path, moment: object) -> None:
    whole = json.loads(run("BTC", "--from", tape, "--json").out)
    part = json.loads(run("BTC", "--from", tape, "--json", "--at", moment).out)

    assert START_MS + 55_000 < part["time"] <= START_MS + 60_000 < whole["time"]
    assert len(part["buckets"]) > 0
    assert _short_usd(part) < 0.5 * _short_usd(whole)


def _short_usd(view: dict[str, list[dict[str, float]]]) -> float:
    return sum(bucket["short_usd"] for bucket in view["buckets"])


def test_a_picture_is_written_in_either_theme(run: Run, tape: Path, tmp_path: Path) -> None:
    dark, light = tmp_path / "dark.png", tmp_path / "light.png"

    assert run("BTC", "--from", tape, "--png", dark).out == f"{dark}: the map of BTC\n"
    both = run("BTC", "--from", tape, "--png", light, "--light", "--json")
    assert json.loads(both.out)["symbol"] == "BTC"
    assert dark.read_bytes().startswith(PNG)
    assert light.read_bytes().startswith(PNG)
    assert dark.read_bytes() != light.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["XYZ", "--from", "t.jsonl"], 1, "no map of XYZ; known: BTC\n"),
        (["BTC", "--from", "t.jsonl", "--at", "5"], 1, "no map of BTC: no coin has a price yet\n"),
        (["BTC", "--from", "none.jsonl"], 1, "none.jsonl: No such file or directory\n"),
        (["BTC", "--from", "t.jsonl", "--png", "/nowhere/p.png"], 1, "/nowhere/p.png: No such"),
        (["BTC", "--at", "5"], 2, "--at needs a tape: --from TAPE. See liqwatch map --help.\n"),
        (["BTC", "--config", "c.yaml"], 1, "no liqwatch is running on state, nor has one left a"),
    ],
)
@pytest.mark.usefixtures("tape", "config")
def test_what_cannot_be_shown_is_one_line(
    run: Run, arguments: list[str], code: int, says: str
) -> None:
    said = run(*arguments)

    assert said.code == code
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


async def test_a_running_daemon_is_asked(run: Run, config: Path, tmp_path: Path) -> None:
    control = Control(live().engine, str)
    async with answering(Path("state") / SOCKET_FILE, control.answer):
        said = await asyncio.to_thread(run, "BTC", "--config", config)
        assert said.code == 0
        assert "price 60,000" in said.out
        drawn = await asyncio.to_thread(run, "BTC", "--config", config, "--png", "p.png")
        assert drawn.err == ""
        assert (tmp_path / "p.png").read_bytes().startswith(PNG)
        unknown = await asyncio.to_thread(run, "XYZ", "--config", config)
        assert unknown == (1, "", "no map of XYZ; known: BTC\n")


def test_where_no_daemon_runs_the_map_it_left_is_shown_with_its_age(
    run: Run, config: Path, tmp_path: Path
) -> None:
    two_hours_ago_ms = time.time_ns() // 10**6 - 2 * 3_600_000
    with closing(Database(tmp_path / "state" / DATABASE_FILE)) as database:
        memory.save(database, live(two_hours_ago_ms).snapshot())
    said = run("BTC", "--config", config)

    assert said.code == 0
    assert said.err == "no liqwatch is running on state: this is the map of 2 h ago\n"
    assert "price 60,000" in said.out
    assert "61,000" in said.out
    assert "your level" in said.out


def test_a_terminal_without_such_signs_gets_question_marks(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_log", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["liqwatch", "map", "BTC", "--from", str(tape)])
    with (tmp_path / "out.txt").open("w", encoding="ascii") as ascii_only:
        monkeypatch.setattr(sys, "stdout", ascii_only)
        with pytest.raises(SystemExit) as leaving:
            cli.main()

    assert leaving.value.code == 0
    assert "BTC liquidation map ? 2026" in (tmp_path / "out.txt").read_text()
