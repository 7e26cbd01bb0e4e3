"""The demonstration as people see it, only faster."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from liqwatch.demo import _PatientClock
from liqwatch.sources.tape import TapeReader

ROOT = Path(__file__).parents[1]
SPEED = 400
MARKET_S = 2040 / SPEED

Demo = subprocess.Popen[str]


def start(folder: Path, *arguments: str, config: str = "") -> Demo:
    """Start the demonstration; its temporary files go to `folder`."""
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-m", "liqwatch", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "LIQWATCH_CONFIG": config},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where temporary files go; nothing may be left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def test_it_says_what_it_shows_and_ends_with_what_truly_happened(
    temporary: Path, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.jsonl"
    with start(temporary, "--speed", str(SPEED), "--record", str(tape)) as demo:
        out, err = demo.communicate(timeout=90)

    assert (demo.returncode, err) == (0, "")
    out, _, chat = out.partition("\n\nWhat a Telegram chat looks like")
    introduction, *alerts_and_map, conclusion, table = out.split("\n\n")
    assert "on this machine alone" in introduction
    assert f"{SPEED} times as fast as real time: about 5 s" in introduction
    heading = alerts_and_map.index(f"What liqwatch map BTC --from {tape} shows at the end:")
    alerts, last_map = alerts_and_map[:heading], "\n\n".join(alerts_and_map[heading + 1 :])
    for said in ("BTC APPROACHES 90,000", "BTC MAP TILTS TO SHORTS", "BTC MAP DIGEST"):
        assert any(said in alert for alert in alerts), said
    assert conclusion.startswith("The market is over.")
    assert "cascade from" in table
    assert table.splitlines()[-1].startswith("from frame to alert on disk: at most")
    assert "(pinned)" in chat
    assert "BTC" in chat  # so fast, most of it comes late, and is summed up
    assert {record.venue for record in TapeReader(tape)} == {
        "binance-usdm",
        "bybit-linear",
        "okx-swap",
    }
    assert liqwatch("replay", tape) == "\n\n".join(alerts) + "\n\n", "its settings are on it"
    assert liqwatch("map", "BTC", "--from", tape) == last_map + "\n"


def liqwatch(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "liqwatch", *map(str, arguments)]
    return subprocess.run(  # noqa: S603 - our own code
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_market_time_waits_for_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    real_ns = 0
    monkeypatch.setattr(time, "monotonic_ns", lambda: real_ns)
    clock = _PatientClock(start_ns=0, speed=40)
    steps: list[int] = []
    for passed_ns in (2_500_000, 50_000_000, 2_500_000):
        real_ns += passed_ns
        before_ns = steps[-1] if steps else 0
        steps.append(clock.now_ns())
        assert steps[-1] - before_ns <= 200_000_000

    assert steps == [100_000_000, 300_000_000, 400_000_000]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_quietly(temporary: Path, ending: signal.Signals) -> None:
    with start(temporary) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith("A simulated exchange")
        time.sleep(0.3)
        demo.send_signal(ending)
        _, err = demo.communicate(timeout=5)

    assert demo.returncode == 130
    assert err.strip() == ""


def test_who_is_told_is_what_the_users_own_configuration_says(
    temporary: Path, tmp_path: Path
) -> None:
    config = tmp_path / "own.yaml"
    config.write_text("notify: {telegram: {chat: 1, token_file: /nowhere/token}}")
    with start(temporary, config=str(config)) as demo:
        _, err = demo.communicate(timeout=10)

    assert demo.returncode == 2
    assert "/nowhere/token" in err
    assert err.count("\n") == 1


def test_a_tape_that_exists_is_not_touched(temporary: Path, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    tape.write_text("precious")
    with start(temporary, "--record", str(tape)) as demo:
        out, err = demo.communicate(timeout=10)

    assert (demo.returncode, out) == (1, "")
    assert err == f"{tape}: File exists\n"
    assert tape.read_text() == "precious"
