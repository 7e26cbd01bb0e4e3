"""`liqwatch why --symbol COIN --at TIME` as a user meets it: of a tape, a daemon, what one left."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from liqwatch import cli, cli_telegram, memory
from liqwatch.app import DATABASE_FILE
from liqwatch.control import Answer, Question
from liqwatch.control.vocabulary import AskWhyNot
from liqwatch.control.why_not import explain_silence, past_moment_ms
from liqwatch.control_socket import SOCKET_FILE, answering
from liqwatch.keeping import TAPES
from liqwatch.pipeline import Pipeline
from liqwatch.replay import replay_until
from liqwatch.simulator import write_tape
from liqwatch.simulator.simulate import START_MS
from liqwatch.sources.tape import TapeReader
from liqwatch.store import Database

NEWS_AT = "17:13:30"  # price falls, and nobody is forced
NEWS_MOMENT = f"2026-10-09T{NEWS_AT}"
CASCADE_AT = "2026-10-09T17:20"


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.delenv("LIQWATCH_CONFIG", raising=False)
    monkeypatch.setattr(cli_telegram, "quietly", lambda: None)  # logging is the whole run's

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["liqwatch", "why", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return Said(int(leaving.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tapes")
    for scenario in ("news", "cascade"):
        write_tape(folder / f"{scenario}.jsonl.zst", scenario=scenario, seed=1)
    return folder


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose state folder has a name short enough for a socket."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.yaml"
    path.write_text("state: state\nsymbols: [BTC]\n")
    (tmp_path / "state").mkdir()
    return path


# -- of a tape -------------------------------------------------------------------------------------


def test_a_fall_that_no_forced_orders_drove_is_a_miss_of_the_flow(run: Run, tapes: Path) -> None:
    said = run("--symbol", "btc", "--at", NEWS_AT, "--tape", tapes / "news.jsonl.zst")
    title, nearest, *numbers = said.out.splitlines()

    assert (said.code, said.err) == (0, "")
    assert title == "BTC 2026-10-09 17:13:30 UTC: no cascade was called within 5 min"
    assert nearest.startswith("Nearest at 17:13:3")
    assert " down, 50% of the way: flow of all feeds against the move" in nearest
    assert "forced_usd_30s 0 of 1,000: short by 100%" in numbers
    assert any(re.fullmatch("drift_z .* of 4.0: reached", line) for line in numbers)
    assert any(line.startswith("Too little history to call their flow rare: ") for line in numbers)


def test_a_cascade_that_was_called_is_named(run: Run, tapes: Path) -> None:
    said = run("--symbol", "BTC", "--at", CASCADE_AT, "--tape", tapes / "cascade.jsonl.zst")

    assert said.code == 0
    assert "17:20:00 UTC: a cascade ran or was called within 5 min" in said.out
    assert "LONG CASCADE STARTED" in said.out
    assert "Its numbers: why BTC-down-" in said.out
    assert "Nearest" not in said.out


def test_a_time_at_which_nothing_happened_was_ordinary(run: Run, tapes: Path) -> None:
    said = run("--symbol", "BTC", "--at", "17:05", "--tape", tapes / "news.jsonl.zst")

    assert "Nothing came near a start." in said.out
    assert "Price moved by 0." in said.out
    assert "Forced orders shown in that time: $" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--at", "2026-10-09T18:00"], 1, "which goes from 2026-10-09 17:00:00 to 2026-10-09 17:2"),
        (["--at", "16:59"], 1, "16:59 is not on the tape, which goes from "),
        (["--at", "17:05", "--symbol", "XYZ"], 1, "nothing is known of XYZ; known: BTC\n"),
        (["--at", "soon"], 2, "'soon' is no time such as 14:05 or 2026-11-22T14:05"),
        ([], 2, "--symbol and --at go together. See liqwatch why --help.\n"),
        (["--at", "17:05", "BTC-up-1"], 2, "Either an ID, or --symbol and --at. See "),
        (["--at", "17:05", "--tape", "none.jsonl"], 1, "none.jsonl: No such file or directory\n"),
    ],
)
def test_what_cannot_be_told_of_a_tape_is_one_line(
    run: Run, tapes: Path, arguments: list[str], code: int, says: str
) -> None:
    tape = [] if "--tape" in arguments else ["--tape", tapes / "news.jsonl.zst"]
    said = run("--symbol", "BTC", *arguments, *tape)

    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert said.err.count("\n") == 1


def test_an_empty_tape_tells_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"tape":1}\n')
    said = run("--symbol", "BTC", "--at", "17:05", "--tape", tmp_path / "t.jsonl")

    assert said == (1, "", "there is nothing on the tape\n")


def test_a_tape_alone_is_no_question(run: Run) -> None:
    assert run("--tape", "t.jsonl") == (
        2,
        "",
        "--tape needs --symbol and --at. See liqwatch why --help.\n",
    )


# -- of a daemon, or of what it left ---------------------------------------------------------------


@pytest.fixture(scope="module")
def news(tapes: Path) -> Pipeline:
    return replay_until([TapeReader(tapes / "news.jsonl.zst")], None)


@pytest.fixture
def database(config: Path) -> Iterator[Database]:
    with closing(Database(config.parent / "state" / DATABASE_FILE)) as database:
        yield database


async def test_a_running_daemon_is_asked(run: Run, config: Path, news: Pipeline) -> None:
    def answer(question: Question) -> Answer:
        assert isinstance(question, AskWhyNot)
        at_ms = past_moment_ms(question.at, START_MS + 86_400_000)
        return explain_silence(news.engine, question.symbol, at_ms, ())

    def asked(at: str) -> Said:
        return run("--symbol", "BTC", "--at", at, "--config", config)

    async with answering(Path("state") / SOCKET_FILE, answer):
        said = await asyncio.to_thread(asked, NEWS_AT)
        later = await asyncio.to_thread(asked, "2100-01-01")

    assert said.out.startswith("BTC 2026-10-09 17:13:30 UTC: no cascade")
    assert "Nearest at 17:13:3" in said.out
    assert later == (1, "", "2100-01-01 is still to come\n")


def test_where_no_daemon_runs_what_one_left_is_told(
    run: Run, config: Path, tapes: Path, news: Pipeline, database: Database
) -> None:
    asked = ("--symbol", "BTC", "--at", NEWS_MOMENT, "--config", config)
    nothing_left = run(*asked)
    memory.save(database, news.snapshot())

    assert nothing_left == (1, "", "no liqwatch is running on state\n")
    assert run(*asked) == run(*asked, "--tape", tapes / "news.jsonl.zst")


def test_what_it_does_not_remember_is_decided_again_from_the_tapes_it_kept(
    run: Run, config: Path, tapes: Path, database: Database
) -> None:
    until_ns = (START_MS + 100_000) * 1_000_000
    early = replay_until([TapeReader(tapes / "news.jsonl.zst")], None, until_ns)
    memory.save(database, early.snapshot())
    asked = ("--symbol", "BTC", "--at", NEWS_MOMENT, "--config", config)
    without = run(*asked)
    kept = Path("state") / TAPES / f"{NEWS_MOMENT[:13]}.jsonl.zst"
    kept.parent.mkdir()
    kept.symlink_to(tapes / "news.jsonl.zst")
    said = run(*asked)

    assert "is not remembered. A tape of that time tells" in without.out
    assert said.err == "not remembered: decided again from the tapes kept of that time\n"
    assert "Nearest at 17:13:3" in said.out
