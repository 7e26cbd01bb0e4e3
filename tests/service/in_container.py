"""What the unit promises, seen from inside the container that boot.sh makes.

A simulated exchange and a Bot API are the world; the service is driven by systemctl and signals.
It runs on from one test to the next, so what can be measured on one process costs one start.
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fake_bot_api import TOKEN, FakeBotApi, flood

from liqwatch.app import DATABASE_FILE
from liqwatch.clock import WallClock
from liqwatch.simulator import VENUES, SimulatedExchange

CONFIG = Path("/etc/liqwatch/config.yaml")
TOKEN_FILE = Path("/etc/liqwatch/telegram-token")
CREDENTIAL = Path("/run/credentials/liqwatch.service/telegram-token")
STATE = Path("/var/lib/private/liqwatch")
CHAT = 1
DYNAMIC_USERS = range(61184, 65520)  # systemd.exec(5), DynamicUser=
START_S = 10  # two starts of Python, on a machine that may be busy
WATCHDOG_S = 3  # boot.sh
RESTART_S = 1


async def sh(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def systemctl(verb: str) -> None:
    status, said = await sh("systemctl", verb, "liqwatch")
    assert status == 0, said + await journal()


async def show(name: str) -> str:
    return (await sh("systemctl", "show", "-P", name, "liqwatch"))[1].strip()


def configure(text: str) -> None:
    CONFIG.write_text(text)


def user_of(process: int) -> int:
    return Path(f"/proc/{process}").stat().st_uid


def owner_and_mode(path: Path) -> tuple[int, str]:
    return path.stat().st_uid, oct(path.stat().st_mode)


async def journal() -> str:
    return (await sh("journalctl", "--no-pager", "-o", "cat", "-u", "liqwatch"))[1]


async def becomes(name: str, wanted: Callable[[str], object], within_s: float) -> None:
    give_up_s = time.monotonic() + within_s
    while not wanted(value := await show(name)):
        assert time.monotonic() < give_up_s, f"{name} is {value}\n{await journal()}"
        await asyncio.sleep(0.1)


async def comes_back(pid: int, within_s: float) -> None:
    """Wait until another process than this one is ready."""
    await becomes("MainPID", lambda now: now not in {"0", str(pid)}, within_s)
    await becomes("ActiveState", "active".__eq__, START_S)


async def told(api: FakeBotApi, part: str) -> None:
    give_up_s = time.monotonic() + 5
    while not any(part in text for text in api.texts(CHAT)):
        assert time.monotonic() < give_up_s, f"{api.texts(CHAT)}\n{await journal()}"
        await asyncio.sleep(0.05)


@pytest.fixture(scope="session")
async def exchange() -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange("demo", 1, WallClock()) as playing:
        yield playing


@pytest.fixture(scope="session")
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(CHAT) as answering:
        yield answering


@pytest.fixture(scope="session", autouse=True)
def _token() -> None:
    TOKEN_FILE.write_text(TOKEN + "\n")


@pytest.fixture(scope="session")
async def config(exchange: SimulatedExchange, api: FakeBotApi) -> str:
    where = f'{{websocket: "{exchange.websocket_url}", rest: "{exchange.url}"}}'
    venues = ", ".join(f"{venue}: {where}" for venue in VENUES)
    return (
        "symbols: [BTC]\n"
        f"venues: {{{venues}}}\n"
        f'notify: {{telegram: {{chat: {CHAT}, base_url: "{api.base_url}"}}}}\n'
    )


@pytest.fixture
async def pid(config: str) -> int:
    """The main process of the service, started if it does not run."""
    if await show("ActiveState") != "active":
        configure(config)
        await systemctl("start")
    return int(await show("MainPID"))


@pytest.mark.usefixtures("pid")
async def test_it_becomes_ready_and_says_how_it_is() -> None:
    assert await show("ActiveState") == "active"
    await becomes("StatusText", re.compile("^0/3 venues live · no price yet · ").match, 5)
    await becomes("StatusText", re.compile(r"^3/3 venues live · BTC [\d,.]+ · ").match, 15)


async def test_the_state_belongs_to_a_user_made_for_it(pid: int) -> None:
    assert user_of(pid) in DYNAMIC_USERS
    assert owner_and_mode(STATE) == (user_of(pid), "0o40700")
    assert owner_and_mode(STATE / DATABASE_FILE) == (user_of(pid), "0o100600")


async def test_a_reload_changes_the_settings_and_keeps_the_process(
    pid: int, api: FakeBotApi, config: str
) -> None:
    configure(config.replace("[BTC]", "[BTC, ETH]"))
    await systemctl("reload")
    await told(api, "symbols BTC → BTC, ETH")

    configure(config)
    await systemctl("reload")
    await told(api, "symbols BTC, ETH → BTC")
    assert int(await show("MainPID")) == pid


async def test_a_broken_file_is_told_and_changes_nothing(
    pid: int, api: FakeBotApi, config: str
) -> None:
    configure(config + "map: [\n")
    await systemctl("reload")

    await told(api, f"{CONFIG}:5:1: ")
    assert "configuration rejected" in await journal()
    assert (await show("ActiveState"), int(await show("MainPID"))) == ("active", pid)
    configure(config)
    await systemctl("reload")
    await told(api, "nothing differs")


async def test_only_the_service_reads_the_token(pid: int) -> None:
    # That it does read it was seen above: this Bot API takes nothing without.
    assert owner_and_mode(CREDENTIAL) == (user_of(pid), "0o100400")
    status, said = await sh("setpriv", "--reuid=nobody", "--clear-groups", "cat", str(CREDENTIAL))
    assert (status, "Permission denied" in said) == (1, True)
    for place in (f"/proc/{pid}/environ", f"/proc/{pid}/cmdline"):
        assert TOKEN not in (await sh("cat", place))[1]
    assert TOKEN not in await journal()


async def test_killed_it_is_started_again_and_goes_on(
    pid: int, api: FakeBotApi, config: str
) -> None:
    await becomes("StatusText", lambda status: "BTC" in status, 15)
    api.faults.extend([flood(1)] * 100)
    already_called = len(api.calls)
    configure(config.replace("[BTC]", "[BTC, SOL]"))
    await systemctl("reload")
    async with asyncio.timeout(5):
        await api.calls_reach(already_called + 1)
    await asyncio.sleep(1)  # news are followed by a snapshot of the state
    os.kill(pid, signal.SIGKILL)
    api.faults.clear()

    await comes_back(pid, START_S)
    # It remembers the market before it can have heard of it, and whom it owes a message.
    await becomes("StatusText", re.compile("^0/3 venues live · BTC ").match, 5)
    await told(api, "symbols BTC → BTC, SOL")


async def test_hung_it_is_ended_by_the_watchdog_and_started_again(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)

    await comes_back(pid, WATCHDOG_S + START_S)
    assert f"Watchdog timeout (limit {WATCHDOG_S}s)" in await journal()


@pytest.mark.usefixtures("pid")
async def test_told_to_stop_it_sends_what_is_due_and_ends_in_time(
    api: FakeBotApi, config: str
) -> None:
    api.faults.append(flood(1))
    configure(config.replace("[BTC]", "[XRP]"))
    await systemctl("reload")
    await systemctl("stop")

    assert "→ XRP" in api.texts(CHAT)[-1]
    # Out of time the result would be "timeout", and the state "failed".
    assert [await show(name) for name in ("ActiveState", "Result")] == ["inactive", "success"]


async def test_a_wrong_configuration_ends_it_and_is_not_tried_again(config: str) -> None:
    await systemctl("stop")
    configure(config.replace("[BTC]", "[BTCUSDT]"))
    failed, _ = await sh("systemctl", "start", "liqwatch")
    assert failed

    await asyncio.sleep(RESTART_S + 0.5)
    names = ("ActiveState", "Result", "ExecMainStatus", "NRestarts")
    assert [await show(name) for name in names] == ["failed", "exit-code", "2", "0"]
    assert f"{CONFIG}:1:11: " in await journal()


async def test_the_sandbox_is_tight() -> None:
    status, table = await sh("systemd-analyze", "security", "--threshold=13", "liqwatch.service")

    assert status == 0, table
