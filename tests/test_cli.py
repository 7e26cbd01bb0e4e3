import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from liqwatch import __version__, cli
from liqwatch.config import Config, ConfigError
from liqwatch.sources.tape import TapeError

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with these arguments and return its exit code."""
    monkeypatch.delenv("LIQWATCH_CONFIG", raising=False)
    monkeypatch.setattr(cli, "_log", lambda _: None)  # logging belongs to the whole test run

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["liqwatch", *arguments])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return int(leaving.value.code or 0)

    return run


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for what the commands call, and keep the arguments."""
    kept: dict[str, Any] = {}

    def keep(*positional: Any, **named: Any) -> int:
        kept.update(named, positional=positional)
        return int(kept.get("answer", 0))

    demo = ModuleType("liqwatch.demo")
    demo.__dict__["demo"] = keep
    monkeypatch.setitem(sys.modules, "liqwatch.demo", demo)
    for called in (
        "app.run",
        "app.record",
        "doctor.doctor",
        "replay.replay",
        "simulator.simulate",
    ):
        monkeypatch.setattr(f"liqwatch.{called}", keep)
    return kept


COMMANDS = sorted(cli.commands.commands)


def test_the_commands_are_those_of_the_contract() -> None:
    assert COMMANDS == [
        "check",
        "demo",
        "doctor",
        "eval",
        "export",
        "map",
        "notify-test",
        "record",
        "rehearse",
        "replay",
        "run",
        "score",
        "simulate",
        "status",
        "telegram",
        "tune",
        "why",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_speaks_of_every_option(
    run: Run, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(command, "--help") == 0
    said = capsys.readouterr().out

    for parameter in cli.commands.commands[command].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in said
            assert parameter.help


def test_version(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"liqwatch {__version__}\n"


def test_run_without_a_file_takes_the_defaults(run: Run, called: dict[str, Any]) -> None:
    assert run("run") == 0
    assert called == {
        "positional": (Config(),),
        "config_path": None,
        "alerts": None,
        "events": None,
    }


def test_run_takes_its_files(run: Run, called: dict[str, Any], tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("symbols: [ADA]")

    assert run("run", "--config", str(config), "--alerts", "a.jsonl", "--events", "-") == 0
    assert list(called["positional"][0].symbols) == ["ADA"]
    assert called["config_path"] == config
    assert called["alerts"] == Path("a.jsonl")
    assert called["events"] == Path("-")


def test_the_option_wins_over_the_environment(
    run: Run, called: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("symbols: [ADA]")
    other.write_text("symbols: [SOL]")
    monkeypatch.setenv("LIQWATCH_CONFIG", str(one))

    run("run")
    assert called["config_path"] == one
    run("run", "--config", str(other))
    assert called["config_path"] == other


@pytest.mark.parametrize(("option", "speed"), [([], None), (["--speed", "10"], 10.0)])
def test_replay_merges_tapes_at_a_speed(
    run: Run, called: dict[str, Any], option: list[str], speed: float | None
) -> None:
    assert run("replay", "a.jsonl", "b.jsonl.zst", "--state", "kept", *option) == 0
    assert called == {
        "positional": ((Path("a.jsonl"), Path("b.jsonl.zst")),),
        "config": None,
        "alerts": None,
        "events": None,
        "state": Path("kept"),
        "speed": speed,
    }


def test_demo_simulate_and_record_hand_over_their_options(run: Run, called: dict[str, Any]) -> None:
    assert run("demo", "--seed", "7", "--speed", "60", "--record", "t") == 0
    assert called == {"positional": (), "seed": 7, "speed": 60.0, "record": Path("t"), "chat": None}
    called.clear()

    assert run("simulate", "--seed", "7", "--scenario", "demo", "--out", "t", "--truth", "u") == 0
    assert called == {
        "positional": (),
        "seed": 7,
        "scenario": "demo",
        "out": Path("t"),
        "truth": Path("u"),
    }
    called.clear()

    assert run("record", "--out", "tapes") == 0
    assert called == {"positional": (Config(),), "out": Path("tapes")}


@pytest.mark.parametrize(
    ("options", "as_json", "seconds"),
    [([], False, 45.0), (["--json", "--seconds", "20"], True, 20.0)],
)
def test_the_doctor_looks_at_what_is_configured(
    run: Run, called: dict[str, Any], options: list[str], as_json: bool, seconds: float
) -> None:
    assert run("doctor", *options) == 0
    assert called == {
        "positional": (Config(),),
        "name": "built-in defaults",
        "as_json": as_json,
        "seconds": seconds,
    }


def test_the_answer_of_a_command_is_the_exit_code(run: Run, called: dict[str, Any]) -> None:
    called["answer"] = 1
    assert run("run") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["rum"],
        ["run", "--cofig", "x"],
        ["replay"],
        ["replay", "t", "--speed", "5"],
        ["record"],
        ["simulate", "--seed", "1", "--scenario", "dem", "--out", "t", "--truth", "u"],
        ["check", "/nowhere/c.yaml"],
        ["doctor", "--config", "/nowhere/c.yaml"],
        ["doctor", "--seconds", "1"],
        ["run", "--config", "/nowhere/c.yaml"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr()

    assert said.out == ""
    assert said.err.count("\n") == 1


def test_a_faulty_configuration_names_every_place(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("symbls: [BTC]\ndetection: {drift_z30: 900}\n")

    assert run("check", str(config)) == 2
    assert [line.split(" ")[0] for line in capsys.readouterr().err.splitlines()] == [
        f"{config}:1:1:",
        f"{config}:2:24:",
    ]


def test_a_good_configuration_is_told_so(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("{symbols: all, venues: [okx-swap]}")

    assert run("check", str(config)) == 0
    assert capsys.readouterr().out == f"{config}: ok, every coin on okx-swap\n"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ConfigError(["c.yaml:1:1: why"]), 2, "c.yaml:1:1: why\n"),
        (TapeError("t.jsonl:7: no JSON"), 1, "t.jsonl:7: no JSON\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: Permission denied\n"),
        (OSError("bot123456:AAF-fakeFakeFakeFakeFake is no address"), 1, "bot*** is no address\n"),
        (KeyboardInterrupt(), 130, "\n"),  # ends the line on which the terminal wrote ^C
        (BrokenPipeError(), 1, ""),
    ],
)
@pytest.mark.usefixtures("called")
def test_what_fails_outside_is_one_line_and_no_traceback(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    says: str,
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr("liqwatch.app.run", fail)
    keep_stdout = os.dup(1)
    try:
        assert run("run") == code
    finally:
        os.dup2(keep_stdout, 1)
        os.close(keep_stdout)
    assert capfd.readouterr().err == says


@pytest.mark.usefixtures("called")
def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("liqwatch.app.run", fail)
    monkeypatch.setattr(cli, "_log", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["liqwatch", "run"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def python(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments],
        cwd=Path(cli.__file__).parents[1],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = python("-m", "liqwatch", "check", stdout=writing)
    finally:
        os.close(writing)

    assert done.stderr == ""
    assert done.returncode == 1


def test_help_needs_none_of_the_parts() -> None:
    program = (
        "import sys, liqwatch.cli\n"
        "heavy = {'aiohttp', 'telegram', 'ruamel.yaml', 'structlog', 'websockets'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = python("-c", program)

    assert done.stderr == ""
    assert done.returncode == 0


def test_a_score_holds_an_alert_file_against_the_truth_of_its_tape(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tape, truth, alerts = (str(tmp_path / name) for name in ("t.jsonl", "truth.json", "a.jsonl"))
    run("simulate", "--seed", "5", "--scenario", "cascade", "--out", tape, "--truth", truth)
    run("replay", tape, "--alerts", alerts)
    code = run("score", "--alerts", alerts, "--truth", truth)

    assert code == 0
    assert "1 of 1 found, 0 false" in capsys.readouterr().out


def test_a_score_of_the_wrong_file_is_one_line(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wrong = tmp_path / "truth.json"
    wrong.write_text("{}")

    assert run("score", "--alerts", str(wrong), "--truth", str(wrong)) == 1
    assert capsys.readouterr().err.startswith(f"{wrong}: Object missing required field `id`")
