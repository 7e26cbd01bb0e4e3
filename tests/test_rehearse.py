"""`liqwatch rehearse` says what the outbox would send, and sends nothing."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_bot_api import TOKEN, FakeBotApi
from msgspec.structs import replace
from recorder import Recorder, running

from liqwatch import cli, recorded
from liqwatch.alerting.rules import Budget, Route, Rules
from liqwatch.alerts import Alert, Kind
from liqwatch.app import DATABASE_FILE
from liqwatch.clock import WallClock
from liqwatch.config import Config, NotifySettings, VenueSettings
from liqwatch.demo import _PatientClock
from liqwatch.engine.settings import SymbolSettings
from liqwatch.records import Record
from liqwatch.rehearse import listen, rehearse, rehearse_live
from liqwatch.replay import assemble, replay
from liqwatch.simulator import VENUES, SimulatedExchange, write_tape
from liqwatch.simulator.simulate import START_MS
from liqwatch.sinks import ConsoleSettings, TelegramSettings, WebhookSettings
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.timing import Timing
from liqwatch.sources.tape import TapeReader, TapeWriter
from liqwatch.store import Database, StoreError

CHAT = 7
LEVELS = (88_000.0, 88_300.0, 88_600.0, 88_900.0, 89_200.0)  # around the price at the start
# Few messages, an early digest: each fate comes up within the half hour.
RULES = Rules(
    budget=Budget(per_symbol_hour=4),
    kinds={Kind.LEVEL_VERDICT: Route.DIGEST},
    digest_every_s=600,
)
EVERYBODY = Config(
    symbols=None,
    venues=dict.fromkeys(VENUES, VenueSettings()),
    notify=NotifySettings(
        telegram=TelegramSettings(chat=CHAT, token_file=str(Path("/nowhere")), rules=RULES),
        webhook=WebhookSettings(url="https://example.org/secret", rules=RULES),
    ),
)
NOBODY = NotifySettings(console=ConsoleSettings(enabled=False))
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  (\S+) +(\S.*?)  +(.*) \((.*)\)")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tapes") / "demo.jsonl.zst"
    write_tape(path, scenario="demo", seed=7)
    return path


@pytest.fixture(scope="module")
def short(tape: Path) -> Path:
    """The first minutes, in which a level is approached."""
    return cut(tape, "short.jsonl", lambda minute: minute < 8)


def cut(tape: Path, name: str, keep: Callable[[float], bool]) -> Path:
    """Write the minutes of a tape that are to be kept beside it."""
    with TapeWriter(tape.with_name(name), note="", created_ns=0) as writer:
        for record in TapeReader(tape):
            if keep((record.at / 1e6 - START_MS) / 60_000):
                writer.write(record)
    return tape.with_name(name)


@pytest.fixture(scope="module")
def said(tape: Path) -> str:
    """What is said of a console, a chat and a program."""
    out = StringIO()
    with redirect_stdout(out):
        assert rehearse([tape], config=EVERYBODY, state=None) == 0
    return out.getvalue()


def configured(folder: Path, **more: Any) -> Config:
    return replace(EVERYBODY, state=folder / "state", **more)


def lines(out: str, receiver: str) -> list[tuple[str, str]]:
    """What a receiver gets: loudness and role, and the words."""
    found = (LINE.fullmatch(line) for line in out.splitlines())
    return [(one[3], one[4]) for one in found if one and one[2] == receiver]


def total(out: str, receiver: str) -> list[int]:
    """The last line of a receiver's table, as far as it counts."""
    table = out.partition(f"\n\n{receiver} ")[2].splitlines()
    return next([int(cell) for cell in line.split()[1:6]] for line in table if line[:4] == "all ")


_LASTS = re.compile(r" \d+:\d\d(?= ·)")


async def sent(tape: Path) -> list[tuple[str, str]]:
    """What the outbox sends to the chat, through all of delivery, at the pace of the market."""
    now_ms = 0
    sink = Recorder()
    sink.receiver, sink.rules, sink.edit_gap_s = f"telegram:{CHAT}", RULES, 0.0
    decided: list[Alert] = []
    pipeline = assemble(EVERYBODY, None, on_alerts=decided.extend, on_event=None)
    with closing(Database(None)) as database:
        outbox = Outbox(database, [sink], timing=Timing(now_ms=lambda: now_ms))
        async with running(outbox):
            for record in TapeReader(tape):
                pipeline.ingest(record)
                due = record.at // 1_000_000 >= now_ms + 1000
                if not decided and not due:
                    continue
                now_ms = record.at // 1_000_000
                outbox.put(decided)
                decided.clear()
                if due:
                    outbox.pass_time(now_ms)
                    outbox.follow(pipeline.engine.running())
                assert await outbox.drain(5.0)
    return [
        (
            f"{'reply' if one.reply_to else 'message'}, {'silent' if one.silent else 'loud'}",
            one.text.plain().partition("\n")[0],
        )
        for one in sink.got
        if one.edit is None
    ]


async def test_a_chat_is_said_to_get_what_the_outbox_sends(tape: Path, said: str) -> None:
    of_chat = lines(said, f"telegram:{CHAT}")
    told = [(kind, line) for kind, line in of_chat if kind.startswith(("message", "reply"))]

    # How long a story lasts is told by the clock of its sending.
    assert [(kind, _LASTS.sub("", line)) for kind, line in told] == [
        (kind, _LASTS.sub("", line)) for kind, line in await sent(tape)
    ]
    assert any(kind == "reply, loud" for kind, _ in told)
    assert any(line.startswith("Digest: ") for _, line in told)


def test_it_counts_what_a_chat_gets_and_how_near_its_budget_it_came(said: str) -> None:
    kinds = [kind for kind, _ in lines(said, f"telegram:{CHAT}")]
    edits = [kind.removeprefix("edit").strip(" ×") for kind in kinds if kind.startswith("edit")]
    held = kinds.count("held")
    pressure = re.search(r"Fullest hour: (\d) of BTC \(budget 4\). Held back: (.*);", said)

    loud, silent = (sum(kind.endswith(word) for kind in kinds) for word in ("loud", "silent"))
    counted = [loud, silent, sum(int(count or 1) for count in edits), held, 0]
    assert total(said, f"telegram:{CHAT}") == counted
    assert 0 not in counted[:4]
    assert pressure is not None
    assert int(pressure[1]) >= 4
    assert sum(map(int, re.findall(r"\d+", pressure[2]))) == held


def test_the_console_is_said_to_get_what_replay_shows(
    tape: Path, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replay([tape], config=EVERYBODY, alerts=None, events=None, state=None, speed=None)
    shown = capsys.readouterr().out.split("\n\n")[:-1]

    firsts = [one.partition("\n")[0].partition(" UTC  ")[2] for one in shown]
    assert [line for _, line in lines(said, "console")] == firsts
    assert sum(total(said, "console")) == len(firsts)


def test_it_says_what_that_rests_on(said: str) -> None:
    assert "34 min of market, 2026-10-09 17:00 to 17:34 UTC:" in said
    assert "34 min say little" in said
    assert "Learning: no feed that shows every liquidation had the 6 h" in said


def test_a_program_gets_no_summaries_and_its_address_stays_secret(said: str) -> None:
    assert total(said, "webhook")[3] > 0
    assert not any(line.startswith("Digest") for _, line in lines(said, "webhook"))
    assert "secret" not in said


def test_the_same_tape_gives_the_same_bytes(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = []
    for _ in range(2):
        rehearse([short], config=EVERYBODY, state=None)
        outs.append(capsys.readouterr().out)
    assert "BTC APPROACHES" in outs[0]
    assert outs[0] == outs[1]


def test_nobody_to_tell_is_said(short: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rehearse([short], config=replace(EVERYBODY, notify=NOBODY), state=None)
    assert "Nobody is told" in capsys.readouterr().out


def test_interrupted_it_sums_up_what_was_so_far(
    tape: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(readers: list[TapeReader]) -> Iterator[Record]:
        for record in readers[0]:
            if record.at >= (START_MS + 480_000) * 1_000_000:
                raise KeyboardInterrupt
            yield record

    monkeypatch.setattr(recorded, "merge_tapes", broken_off)
    assert rehearse([tape], config=EVERYBODY, state=None) == 0
    out = capsys.readouterr().out

    assert "8 min of market" in out
    assert total(out, "console") == [0, 1, 0, 0, 0]


def test_without_tapes_it_takes_those_of_the_state_folder(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = configured(tmp_path)
    rehearse([short], config=settings, state=None)
    of_tape = capsys.readouterr().out
    own = tmp_path / "state" / "tapes"
    own.mkdir(parents=True)
    (own / "2026-10-09T17.jsonl.zst").write_bytes(short.read_bytes())
    rehearse([], config=settings, state=None)

    assert capsys.readouterr().out == of_tape
    assert len(list((tmp_path / "state").rglob("*"))) == 2, "nothing is added"


def test_it_goes_on_from_what_replay_left_and_leaves_that_alone(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = cut(short, "first.jsonl", lambda minute: minute < 5)
    second = cut(short, "second.jsonl", lambda minute: minute >= 5)
    rehearse([short], config=EVERYBODY, state=None)
    whole = lines(capsys.readouterr().out, "console")
    replay([first], config=EVERYBODY, alerts=None, events=None, state=tmp_path, speed=None)
    assert capsys.readouterr().out == "", "what is said is said of the second part"
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    rehearse([second], config=EVERYBODY, state=tmp_path)

    assert lines(capsys.readouterr().out, "console") == whole != []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_in_which_nothing_is_remembered_is_an_error(short: Path, tmp_path: Path) -> None:
    with closing(Database(tmp_path / DATABASE_FILE)):
        with pytest.raises(StoreError, match=r"no state there that liqwatch replay --state"):
            rehearse([short], config=EVERYBODY, state=tmp_path)
        with pytest.raises(StoreError, match=r"no state there that liqwatch run has left"):
            rehearse_live(EVERYBODY, 10, state=tmp_path)
    with pytest.raises(StoreError, match="unable to open"):
        rehearse([short], config=EVERYBODY, state=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rehearse"], 1, "no tapes there yet"),
        (["tune"], 1, "no tapes there yet"),
        (["rehearse", "--live", "5x"], 2, "also written 45s, 10m"),
        (["rehearse", "--live", "10m", "a.jsonl"], 2, "takes no tapes"),
        (["rehearse", "/nowhere.jsonl"], 1, "/nowhere.jsonl: No such file"),
        (["tune", "/nowhere.jsonl"], 1, "/nowhere.jsonl: No such file"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("LIQWATCH_CONFIG", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("liqwatch.log.configure", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["liqwatch", *arguments])
    with pytest.raises(SystemExit) as leaving:
        cli.main()

    out, err = capsys.readouterr()
    assert (leaving.value.code, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# -- live --------------------------------------------------------------------------------------


@pytest.fixture
async def asked() -> AsyncIterator[tuple[str, list[str]]]:
    """A webhook that somebody listens at, and what came."""
    came: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(await request.text())
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", came
    await runner.cleanup()


async def test_live_it_listens_and_asks_nobody_to_tell_anything(
    tmp_path: Path, asked: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, came = asked
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    clock = _PatientClock(start_ns=START_MS * 1_000_000, speed=400)
    async with SimulatedExchange("demo", 7, clock) as exchange, FakeBotApi(CHAT) as api:
        there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
        chat = TelegramSettings(chat=CHAT, token_file=str(token), base_url=api.base_url)
        settings = configured(
            tmp_path,
            symbols={"BTC": SymbolSettings(watch_levels=LEVELS)},
            venues=dict.fromkeys(VENUES, there),
            notify=NotifySettings(telegram=chat, webhook=WebhookSettings(url=url)),
        )
        with closing(Database(None)) as database:
            await listen(settings, 600, database, clock)
        assert (api.calls, came) == ([], [])
    out = capsys.readouterr().out

    assert out.startswith("Listening for 10:00; nothing is sent.")
    for receiver in ("console", f"telegram:{CHAT}", "webhook"):
        assert any("BTC APPROACHES" in line for _, line in lines(out, receiver))
        assert sum(total(out, receiver)) > 0
    assert names(tmp_path) == ["token"]


async def test_a_signal_ends_it_with_what_was_heard_so_far(tmp_path: Path) -> None:
    async with SimulatedExchange("demo", 7, WallClock()) as exchange:
        venues = {
            name: {"websocket": exchange.websocket_url, "rest": exchange.url} for name in VENUES
        }
        file = tmp_path / "config.yaml"
        file.write_text(
            json.dumps({"symbols": ["BTC"], "venues": venues, "state": str(tmp_path / "state")})
        )
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liqwatch", "rehearse"),
            *("--live", "10m", "--config", str(file)),
            cwd=Path(__file__).parents[1],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert program.stdout is not None
        assert (await program.stdout.readline()).startswith(b"Listening for 10:00")
        await asyncio.sleep(0.5)
        program.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(program.communicate(), 10)

    assert (program.returncode, err) == (0, b"")
    assert b"console " in out
    assert names(tmp_path) == ["config.yaml"]
