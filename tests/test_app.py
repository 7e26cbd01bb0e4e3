"""The daemon as people run it: a process of its own, real sockets, real signals."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_bot_api import TOKEN, FakeBotApi, bad_gateway

from liqwatch import memory
from liqwatch.app import DATABASE_FILE
from liqwatch.clock import WallClock
from liqwatch.replay import replay
from liqwatch.simulator import SimulatedExchange
from liqwatch.sources.tape import TapeReader
from liqwatch.store import Database

ROOT = Path(__file__).parents[1]
VENUES = ("binance-usdm", "bybit-linear", "okx-swap")
CHAT = 4711

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Program:
    """A liqwatch command in a process of its own; its log and output are files in `folder`."""

    def __init__(self, folder: Path, number: int) -> None:
        self._log = folder / f"log-{number}.txt"
        self._out = folder / f"out-{number}.txt"
        self.process: asyncio.subprocess.Process

    async def start(self, *arguments: str, **environment: str) -> None:
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=ROOT,
                env={**os.environ, "LIQWATCH_CONFIG": "", **environment},
                stdout=out,
                stderr=log,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def lines(self, venue: str) -> list[dict[str, Any]]:
        """What the log says of a venue."""
        entries = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry.get("venue") == venue]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 5)


Start = Callable[..., Awaitable[Program]]


@pytest.fixture
async def start(tmp_path: Path, exchange: SimulatedExchange) -> AsyncIterator[Start]:
    """Start `python -m liqwatch …`; whatever still runs at the end is killed."""
    assert exchange.url, "it outlives the programs: closing it does not wait for them"
    programs: list[Program] = []

    async def start(*arguments: str, **environment: str) -> Program:
        program = Program(tmp_path, len(programs))
        programs.append(program)
        if arguments[0] != "-c":
            arguments = ("-m", "liqwatch", *arguments)
        await program.start(*arguments, **environment)
        return program

    yield start
    for program in programs:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.wait()


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange("demo", 1, WallClock()) as exchange:
        yield exchange


async def until(true: Callable[[], Any], what: str = "", seconds: float = 20) -> None:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, what or "waited in vain"
        await asyncio.sleep(0.02)


def json_lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    assert text == "" or text.endswith("\n"), "half a line"
    return [json.loads(line) for line in text.splitlines()]


def configured(folder: Path, exchange: SimulatedExchange, **more: Any) -> Path:
    """A configuration file: the simulated venues, one coin, state in `folder`."""
    there = {"websocket": exchange.websocket_url, "rest": exchange.url}
    settings = {
        "symbols": ["BTC"],
        "venues": dict.fromkeys(VENUES, there),
        "state": str(folder / "state"),
        **more,
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(settings))  # JSON is YAML, too
    return path


def heard(path: Path) -> set[str]:
    return {event["venue"] for event in json_lines(path) if event["kind"] == "trade"}


async def test_it_hears_every_venue_writes_live_and_goes_on_where_it_stopped(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config, events = configured(tmp_path, exchange), tmp_path / "events.jsonl"
    arguments = ("run", "--config", str(config), "--events", str(events))
    program = await start(*arguments)
    await until(lambda: heard(events) == set(VENUES), "a venue is not heard")
    assert await program.end(signal.SIGTERM) == 0
    assert "Traceback" not in program.log
    written = len(json_lines(events))
    with closing(Database(tmp_path / "state" / DATABASE_FILE)) as database:
        first = memory.load(database)
    assert first is not None
    assert set(first[1].venues) == set(VENUES)
    assert {source.venue for source in first[1].symbols["BTC"].sources.values()} == set(VENUES)

    program = await start(*arguments)
    await until(lambda: len(json_lines(events)) > written + 20, "nothing was added")
    assert await program.end(signal.SIGINT) == 0
    with closing(Database(tmp_path / "state" / DATABASE_FILE)) as database:
        second = memory.load(database)
    assert second is not None
    assert second[1].now_ms > first[1].now_ms


async def test_without_configuration_it_wants_nothing_but_a_state_folder(
    start: Start, tmp_path: Path
) -> None:
    # Without a network, every venue is unreachable: said, and nothing else happens.
    program = await start("run", XDG_STATE_HOME=str(tmp_path))
    await until(lambda: "stream lost" in program.log)
    assert await program.end() == 0
    assert (tmp_path / "liqwatch" / DATABASE_FILE).exists()


class Reloading:
    """A running daemon whose configuration is edited."""

    def __init__(self, program: Program, config: Path, alerts: Path) -> None:
        self.program, self.config, self.alerts = program, config, alerts
        self.settings: dict[str, Any] = json.loads(config.read_text())

    async def signal(self) -> dict[str, Any]:
        """Send SIGHUP; return the alert that answers it."""
        count = len(json_lines(self.alerts))
        self.program.process.send_signal(signal.SIGHUP)
        await until(lambda: len(json_lines(self.alerts)) > count, "no answer to SIGHUP")
        return json_lines(self.alerts)[count]

    async def edit(self, **settings: Any) -> dict[str, Any]:
        self.settings |= settings
        self.config.write_text(json.dumps(self.settings))
        return await self.signal()


@pytest.fixture
async def reloading(start: Start, exchange: SimulatedExchange, tmp_path: Path) -> Reloading:
    config, alerts = configured(tmp_path, exchange), tmp_path / "alerts.jsonl"
    program = await start(
        *("run", "--config", str(config), "--alerts", str(alerts)),
        *("--events", str(tmp_path / "events.jsonl")),
    )
    await until(lambda: heard(tmp_path / "events.jsonl") == set(VENUES))
    return Reloading(program, config, alerts)


async def test_sighup_applies_what_changed_and_says_it(
    reloading: Reloading, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    told = await reloading.edit(
        detection={"drift_z30": 5}, symbols={"BTC": {"watch_levels": ["85k"]}}
    )
    assert told["kind"] == "config_applied"
    changes = "\n".join(told["evidence"]["changes"])
    assert "detection.drift_z30 4 → 5" in changes
    assert "watch_levels none → 85,000" in changes

    venues = reloading.settings["venues"]
    told = await reloading.edit(venues={"okx-swap": venues["okx-swap"]}, symbols=["BTC", "ETH"])
    assert "symbols BTC → BTC, ETH" in told["evidence"]["changes"]
    seen = len(json_lines(events))
    await until(lambda: "ETH" in {event.get("symbol") for event in json_lines(events)[seen:]})
    assert {event["venue"] for event in json_lines(events)[seen:]} == {"okx-swap"}

    told = await reloading.edit(venues=venues)
    assert told["kind"] == "config_applied"
    seen = len(json_lines(events))
    await until(
        lambda: {event["venue"] for event in json_lines(events)[seen:]} == set(VENUES),
        "a venue that came back is not heard",
    )
    assert await reloading.program.end() == 0
    assert "Traceback" not in reloading.program.log


async def test_another_venue_is_added_without_disturbing_those_that_run(
    reloading: Reloading, tmp_path: Path
) -> None:
    venues = reloading.settings["venues"]
    await reloading.edit(venues={"okx-swap": venues["okx-swap"]})
    await reloading.edit(venues=venues)

    lost = [e for e in json_lines(tmp_path / "events.jsonl") if e["kind"] == "disconnect"]
    assert {event["venue"] for event in lost} == {"binance-usdm", "bybit-linear"}


async def test_a_faulty_file_is_refused_and_the_running_settings_stay(
    reloading: Reloading, tmp_path: Path
) -> None:
    reloading.config.write_text("symbols: [BTC]\nvenues: [okx-swap\n")
    told = await reloading.signal()
    assert told["kind"] == "config_rejected"
    assert [error.startswith(f"{reloading.config}:") for error in told["evidence"]["errors"]]
    assert ":2:" in told["text"] or ":3:" in told["text"]

    reloading.config.unlink()
    told = await reloading.signal()
    assert told["kind"] == "config_rejected"
    assert "No such file" in told["text"]

    told = await reloading.edit(notify={"telegram": {"chat": 1, "token_file": "/nowhere/token"}})
    assert told["kind"] == "config_rejected"
    assert "/nowhere/token" in told["text"]

    told = await reloading.edit(notify={})
    assert told["evidence"]["changes"] == ["nothing differs"]
    seen = len(json_lines(tmp_path / "events.jsonl"))
    await until(lambda: len(json_lines(tmp_path / "events.jsonl")) > seen)


async def test_another_state_folder_waits_for_a_restart(
    reloading: Reloading, tmp_path: Path
) -> None:
    for _ in range(2):  # and it is not forgotten
        told = await reloading.edit(state=str(tmp_path / "elsewhere"))
        (change,) = told["evidence"]["changes"]
        assert change.endswith("after a restart")
    assert not (tmp_path / "elsewhere").exists()


async def test_new_receivers_hear_of_their_own_arrival(
    reloading: Reloading, serve: "Serve"
) -> None:
    posted: list[dict[str, Any]] = []

    async def hook(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.Response()

    await reloading.edit(notify={"webhook": {"url": f"{await serve(hook)}/hook"}})
    await until(lambda: posted)
    assert posted[0]["kind"] == "config_applied"
    assert await reloading.program.end() == 0
    assert "possible duplicate" not in reloading.program.out


Serve = Callable[[Answer], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def serve(answer: Answer) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runners.append(runner := web.AppRunner(app, shutdown_timeout=0.1))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refusing(status: int) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    return answer


async def test_a_venue_that_cannot_be_reached_is_one_line_with_its_cause(
    start: Start, serve: Serve, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    # One cause a venue; the third is turned away at the websocket only.
    blocked = (await serve(refusing(403))).replace("http", "ws")
    config = configured(
        tmp_path,
        exchange,
        venues={
            "binance-usdm": {"rest": f"http://127.0.0.1:{closed_port()}"},
            "bybit-linear": {"rest": await serve(refusing(451))},
            "okx-swap": {"rest": exchange.url, "websocket": blocked},
        },
    )
    program = await start("run", "--config", str(config))
    await until(lambda: all(program.lines(venue) for venue in VENUES))
    await asyncio.sleep(1.5)  # some more attempts are made in this time
    assert await program.end() == 0

    assert "Traceback" not in program.log
    causes = {venue: [line["reason"] for line in program.lines(venue)] for venue in VENUES}
    assert [len(reasons) for reasons in causes.values()] == [1, 1, 1]
    assert "cannot connect" in causes["binance-usdm"][0]
    assert causes["bybit-linear"][0].startswith("HTTP 451: the venue does not serve this address")
    assert causes["okx-swap"][0].startswith("HTTP 403: the venue does not serve this address")


async def test_a_venue_whose_name_does_not_resolve_leaves_the_others_alone(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    there = {"websocket": exchange.websocket_url, "rest": exchange.url}
    venues = {
        "binance-usdm": {"rest": "http://nowhere.invalid"},
        "bybit-linear": {**there, "websocket": "ws://nowhere.invalid"},
        "okx-swap": there,
    }
    config, events = configured(tmp_path, exchange, venues=venues), tmp_path / "events.jsonl"
    program = await start("run", "--config", str(config), "--events", str(events))
    await until(lambda: program.lines("binance-usdm") and program.lines("bybit-linear"))
    await until(lambda: heard(events) == {"okx-swap"})
    assert await program.end() == 0

    for venue in ("binance-usdm", "bybit-linear"):
        (line,) = program.lines(venue)
        assert "cannot be resolved" in line["reason"]
    assert "Traceback" not in program.log


async def test_a_coin_that_is_not_listed_is_named(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config = configured(tmp_path, exchange, symbols=["BTC", "BTCC"])
    program = await start("run", "--config", str(config))
    await until(lambda: all(program.lines(venue) for venue in VENUES))

    for venue in VENUES:
        assert program.lines(venue)[0]["symbols"] == ["BTCC"]


async def test_killed_while_telegram_is_down_it_loses_nothing(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    async with FakeBotApi(CHAT) as telegram:
        telegram.faults.extend([bad_gateway] * 1000)
        config = configured(
            tmp_path,
            exchange,
            notify={
                "telegram": {
                    "chat": CHAT,
                    "token_file": str(token),
                    "base_url": telegram.base_url,
                }
            },
        )
        alerts = tmp_path / "alerts.jsonl"
        arguments = ("run", "--config", str(config), "--alerts", str(alerts))
        program = await start(*arguments)
        await until(lambda: '"watching"' in program.log)
        daemon = Reloading(program, config, alerts)
        for drift in (5, 4, 3):
            await daemon.edit(detection={"drift_z30": drift})
        await until(lambda: telegram.calls)
        await program.end(signal.SIGKILL)
        assert telegram.messages[CHAT] == {}

        telegram.faults.clear()
        program = await start(*arguments)
        await until(lambda: len(telegram.messages[CHAT]) == 3)
        assert await program.end() == 0
        texts = [message["text"] for message in telegram.messages[CHAT].values()]
    for text, change in zip(texts, ("4 → 5", "5 → 4", "4 → 3"), strict=True):
        assert change in text
    assert TOKEN not in program.log


BROKEN_ENGINE = """
from liqwatch import cli
from liqwatch.engine import Engine
from liqwatch.events import Trade

decide = Engine.update
Engine.update = lambda self, event: 1 / 0 if type(event) is Trade else decide(self, event)
cli.main()
"""


async def test_a_bug_of_the_engine_ends_the_process_with_its_traceback(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config = configured(tmp_path, exchange)
    program = await start("-c", BROKEN_ENGINE, "run", "--config", str(config))

    assert await asyncio.wait_for(program.process.wait(), 8) == 1
    assert "ZeroDivisionError" in program.log
    assert "EngineError: the engine failed on Trade" in program.log


async def test_what_run_hears_is_kept_and_a_kill_costs_at_most_the_last_second(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config, events = configured(tmp_path, exchange), tmp_path / "events.jsonl"
    program = await start("run", "--config", str(config), "--events", str(events))
    await until(lambda: heard(events) == set(VENUES), "a venue is not heard")
    await asyncio.sleep(1.5)
    program.process.kill()
    await program.process.wait()

    def tapes() -> set[Path]:
        return set((tmp_path / "state" / "tapes").glob("*.jsonl.zst"))

    killed = tapes()
    newest_ns = max(record.at for tape in killed for record in TapeReader(tape))
    with events.open() as lines:
        heard_ns = max(json.loads(line)["received"] for line in lines if line.endswith("\n"))
    assert heard_ns - newest_ns < 1.2e9

    program = await start("run", "--config", str(config))
    await until(lambda: tapes() > killed, "the next run keeps nothing")
    assert await program.end() == 0
    gaps = tmp_path / "gaps.csv"
    program = await start("export", "--config", str(config), "--gaps", "--out", str(gaps))
    assert await program.process.wait() == 0
    assert ",not running" in gaps.read_text()


async def test_a_running_daemon_shows_its_map_and_takes_its_socket_away(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config = configured(tmp_path, exchange)
    daemon = await start("run", "--config", str(config))
    await until(lambda: "watching" in daemon.log)

    async def shown() -> Program:
        program = await start("map", "BTC", "--json", "--config", str(config))
        await program.process.wait()
        return program

    asked = await shown()
    while "no coin has a price yet" in asked.log:
        asked = await shown()
    assert json.loads(asked.out)["symbol"] == "BTC"
    assert asked.log == ""
    assert await daemon.end() == 0
    assert not (tmp_path / "state" / "control.sock").exists()
    left = await shown()
    assert "no liqwatch is running" in left.log
    assert json.loads(left.out)["time"] >= json.loads(asked.out)["time"]


async def test_what_record_keeps_can_be_replayed(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config, tapes = configured(tmp_path, exchange), tmp_path / "tapes"
    program = await start("record", "--config", str(config), "--out", str(tapes))
    await asyncio.sleep(1.8)
    assert await program.end() == 0
    assert "Traceback" not in program.log
    assert not (tmp_path / "state").exists()

    assert (
        replay(
            sorted(tapes.iterdir()),
            config=None,
            alerts=tmp_path / "alerts.jsonl",
            events=tmp_path / "events.jsonl",
            state=None,
            speed=None,
        )
        == 0
    )
    assert heard(tmp_path / "events.jsonl") == set(VENUES)


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "says"),
    [
        (["run"], {"state": "{}/file/state"}, 1, "/file/state: Not a directory"),
        (["run", "--alerts", "/nowhere/a"], {}, 1, "/nowhere/a: No such file or directory"),
        (["record", "--out", "/proc/tapes"], {}, 1, "/proc/tapes: No such file or directory"),
        (["record", "--out", "/sys"], {}, 1, "/sys"),
        (
            ["run"],
            {"notify": {"telegram": {"chat": 1, "token_file": "/nowhere/t"}}},
            2,
            "/nowhere/t",
        ),
    ],
)
async def test_what_cannot_work_is_one_line(
    start: Start,
    exchange: SimulatedExchange,
    tmp_path: Path,
    arguments: list[str],
    settings: dict[str, Any],
    code: int,
    says: str,
) -> None:
    (tmp_path / "file").touch()
    config = configured(tmp_path, exchange, **settings)
    config.write_text(config.read_text().replace("{}", str(tmp_path)))
    program = await start(*arguments, "--config", str(config))

    assert await asyncio.wait_for(program.process.wait(), 8) == code
    assert says in program.log
    assert program.log.count("\n") == 1


async def test_only_one_daemon_works_in_a_state_folder(
    start: Start, exchange: SimulatedExchange, tmp_path: Path
) -> None:
    config, state = configured(tmp_path, exchange), tmp_path / "state"
    first = await start("run", "--config", str(config))
    await until(lambda: '"watching"' in first.log)
    second = await start("run", "--config", str(config))

    assert await asyncio.wait_for(second.process.wait(), 8) == 1
    assert second.log == f"{state}: another liqwatch works in this state folder\n"
    await first.end(signal.SIGKILL)
    third = await start("run", "--config", str(config))
    await until(lambda: '"watching"' in third.log)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


async def test_systemd_hears_ready_alive_reloading_and_stopping(
    start: Start, exchange: SimulatedExchange, tmp_path: Path, systemd: socket.socket
) -> None:
    told: list[str] = []

    async def listen() -> None:
        while True:
            told.append((await asyncio.get_running_loop().sock_recv(systemd, 4096)).decode())

    listening = asyncio.create_task(listen())
    config = configured(tmp_path, exchange)
    program = await start(
        *("run", "--config", str(config)),
        NOTIFY_SOCKET=str(tmp_path / "notify"),
        WATCHDOG_USEC="30000000",
    )
    await until(lambda: "READY=1" in told)
    assert (tmp_path / "state" / DATABASE_FILE).exists()
    begun = time.monotonic()
    await until(lambda: told.count("WATCHDOG=1") == 3)
    assert 1.5 < time.monotonic() - begun < 4

    before_us = time.monotonic_ns() // 1000
    program.process.send_signal(signal.SIGHUP)
    await until(lambda: told.count("READY=1") == 2)
    (reloading,) = [one for one in told if one.startswith("RELOADING=1\n")]
    since_us = int(reloading.removeprefix("RELOADING=1\nMONOTONIC_USEC="))
    assert before_us <= since_us <= time.monotonic_ns() // 1000
    assert await program.end() == 0
    await until(lambda: "STOPPING=1" in told)
    listening.cancel()

    (status,) = [one for one in told if one.startswith("STATUS=")]
    assert status.startswith("STATUS=0/3 venues live")
    order = [one for one in told if one in {"READY=1", "STOPPING=1", reloading}]
    assert order == ["READY=1", reloading, "READY=1", "STOPPING=1"]
