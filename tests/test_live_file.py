import json
import sys
from pathlib import Path

import pytest
import structlog

from liqwatch.events import Side, Trade
from liqwatch.live_file import LiveFile

TRADE = Trade(
    venue="okx-swap",
    symbol="BTC",
    instrument="BTC-USDT-SWAP",
    time=1_791_565_200_000,
    received=1_791_565_200_030_000_000,
    price=90_000.0,
    size=0.5,
    side=Side.BUY,
)


def test_every_line_is_there_at_once(tmp_path: Path) -> None:
    with LiveFile(tmp_path / "events") as file:
        for count in (1, 2, 3):
            file.write(TRADE)
            lines = (tmp_path / "events").read_text().splitlines()
            assert [json.loads(line)["price"] for line in lines] == [90_000.0] * count


def test_a_restart_goes_on_after_what_is_there(tmp_path: Path) -> None:
    for _ in range(2):
        with LiveFile(tmp_path / "events") as file:
            file.write(TRADE)

    assert len((tmp_path / "events").read_text().splitlines()) == 2


def test_a_full_disk_is_said_once_and_stops_nothing() -> None:
    with structlog.testing.capture_logs() as logs, LiveFile(Path("/dev/full")) as file:
        for _ in range(3):
            file.write(TRADE)

    assert [entry["file"] for entry in logs] == ["/dev/full"]
    assert "No space left" in logs[0]["reason"]


def test_standard_output_is_left_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with LiveFile(Path("-")) as file:
        file.write(TRADE)
    sys.stdout.write("still there\n")
    sys.stdout.flush()

    assert capfdbinary.readouterr().out.splitlines()[1:] == [b"still there"]
