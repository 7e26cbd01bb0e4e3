import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from liqwatch import systemd

UNIT = Path(__file__).parents[1] / "systemd" / "liqwatch.service"


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(2)
        listening.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listening


def test_the_state_arrives_as_one_datagram(receiver: socket.socket) -> None:
    systemd.notify("READY=1\nSTATUS=3/3 feeds live · BTC 71,450")

    assert receiver.recv(4096).decode() == "READY=1\nSTATUS=3/3 feeds live · BTC 71,450"


def test_an_abstract_socket_is_reached_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(2)
        listening.bind(f"\0liqwatch-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@liqwatch-test-{os.getpid()}")
        systemd.notify("WATCHDOG=1")

        assert listening.recv(4096) == b"WATCHDOG=1"


def test_a_socket_that_is_gone_does_not_stop_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    systemd.notify("WATCHDOG=1")


def test_without_systemd_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was opened"))
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("limit_us", "pid", "interval_s"),
    [
        ("30000000", None, 15.0),
        ("30000000", os.getpid(), 15.0),
        ("30000000", os.getpid() + 1, None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_limit(
    monkeypatch: pytest.MonkeyPatch,
    limit_us: str | None,
    pid: int | None,
    interval_s: float | None,
) -> None:
    for name, value in (("WATCHDOG_USEC", limit_us), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, str(value))

    assert systemd.watchdog_interval_s() == interval_s


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(  # noqa: S603 - a fixed tool on a file of ours
        [tool, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_finds_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    # verify wants the commands to exist: /bin/true stands in for the installed venv.
    # Older versions exit 0 on a key they do not know, so any complaint counts.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/liqwatch/bin/python", "/bin/true"))
    said = analyze("verify", str(unit)).stderr.splitlines()

    assert [line for line in said if "liqwatch" in line] == []


def test_the_unit_is_a_tight_sandbox() -> None:
    # 1.1 of 10 is what remains when a service may use the network at all.
    verdict = analyze("security", "--offline=true", "--threshold=13", str(UNIT))

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
