"""The doctor against the simulated exchange, on real sockets, with each fault switched on.

The market runs three times as fast as the doctor, so that a second shows enough of it.
"""

import asyncio
import io
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fake_bot_api import BOT, TOKEN, FakeBotApi, bad_gateway, flood
from msgspec.structs import replace
from structlog.testing import capture_logs
from telegram import ChatMemberAdministrator, ChatMemberRestricted
from websockets.asyncio.server import serve

from liqwatch.clock import ScaledClock, WallClock
from liqwatch.config import Config, NotifySettings, VenueSettings
from liqwatch.doctor import diagnose, doctor
from liqwatch.doctor.clocks import compare
from liqwatch.doctor.headroom import headroom
from liqwatch.doctor.reach import reach
from liqwatch.doctor.report import Check, Finding, Heard, Report, VenueReport, Verdict
from liqwatch.doctor.surroundings import disk, state, telegram, webhook
from liqwatch.doctor.text import show
from liqwatch.engine.settings import SymbolSettings
from liqwatch.exchanges.base import Channel
from liqwatch.memory import alone_in
from liqwatch.simulator import VENUES, Faults, SimulatedExchange
from liqwatch.sinks import TelegramSettings, WebhookSettings
from liqwatch.sources.recorder import RecordingSettings

START_NS = 1_791_565_200_000_000_000
SPEED = 3
SECONDS = 2.4
BINANCE, BYBIT, OKX = VENUES
CHAT, GROUP = 7, -5


def config(
    exchange: SimulatedExchange, state: Path, venues: tuple[str, ...], *coins: str
) -> Config:
    there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
    return Config(
        symbols=dict.fromkeys(coins or ("BTC", "ETH"), SymbolSettings()),
        venues=dict.fromkeys(venues, there),
        state=state,
    )


async def examine(state: Path, venues: tuple[str, ...], *coins: str, **faults: Faults) -> Report:
    """Let the doctor look at a simulated exchange with these faults."""
    clock = ScaledClock(start_ns=START_NS, speed=SPEED)
    by_venue = {name.replace("_", "-"): those for name, those in faults.items()}
    async with SimulatedExchange("demo", 1, clock, faults=by_venue) as exchange:
        return await diagnose(
            config(exchange, state, venues, *coins),
            name="c.yaml",
            seconds=SECONDS,
            clock=clock,
            random=Random(1),
        )


async def look_at(state: Path, venue: str, *coins: str, faults: Faults) -> VenueReport:
    name = venue.replace("-", "_")
    (report,) = (await examine(state, (venue,), *coins, **{name: faults})).venues
    return report


def path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def said(venue: VenueReport) -> list[tuple[Verdict, str]]:
    """What was found, without the port, which is another each time."""
    port = str(venue.reach[0].port)
    return [(one.verdict, one.says.replace(f"127.0.0.1:{port}", "HOST")) for one in venue.findings]


def heard(venue: VenueReport, channel: Channel) -> Heard:
    return next(one.heard for one in venue.channels if one.channel == channel)


async def test_a_healthy_exchange_is_ok_in_every_respect(tmp_path: Path) -> None:
    report = await examine(tmp_path, VENUES)

    assert report.verdict is Verdict.OK
    assert [one.name for one in report.checks] == [
        "configuration", "state folder", "disk", "network", "clock",
    ]  # fmt: skip
    assert [one.venue for one in report.venues] == list(VENUES)
    for venue in report.venues:
        assert (venue.verdict, venue.findings) == (Verdict.OK, [])
        assert venue.listened_s < SECONDS
        assert (venue.instruments, venue.coins_listed, venue.coins_missing) == (2, 2, [])
        assert set(venue.contract_sizes.values()) == ({0.01, 0.1} if venue.venue == OKX else {1.0})
        (route,) = venue.routes
        assert (route.opened, route.delivered, route.silent, route.lost) == (1, 1, 0, None)
        assert 0 < route.wanted == route.acknowledged
        assert (route.refused, route.unanswered) == ([], [])
        for must in venue.channels:
            if must.channel in {Channel.TRADES, Channel.MARK_PRICE}:
                assert must.events > 0
                assert must.first_after_s is not None
                assert must.newest_age_s is not None
                assert 0 <= must.newest_age_s < SECONDS * SPEED
        assert heard(venue, Channel.LIQUIDATIONS) in {Heard.YES, Heard.NOT_YET}
        assert venue.clock_offset_ms is not None
        assert abs(venue.clock_offset_ms) < 1000
        assert venue.connects == 1


def moved_from_to(old: str, new: str) -> str:
    return f"ws://HOST{old} takes the subscriptions and stays silent; ws://HOST{new} delivers"


async def test_the_silent_route_of_binance_is_found_and_named(tmp_path: Path) -> None:
    moved = Faults(silent=("/market/stream",))
    report = await look_at(tmp_path, BINANCE, faults=moved)

    assert said(report) == [(Verdict.ATTENTION, moved_from_to("/market/stream", "/stream"))]
    assert [(path(one.url), one.delivered, one.silent) for one in report.routes] == [
        ("/market/stream", 0, 1),
        ("/stream", 1, 0),
    ]
    assert heard(report, Channel.TRADES) is Heard.YES


async def test_an_old_installation_finds_the_way_off_the_unrouted_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binance = "liqwatch.exchanges.binance.BinanceUsdm"
    monkeypatch.setattr(f"{binance}.websocket", "wss://fstream.binance.com/stream")
    monkeypatch.setattr(f"{binance}.routes", ("wss://fstream.binance.com/market/stream",))
    report = await look_at(tmp_path, BINANCE, faults=Faults())

    assert said(report) == [(Verdict.ATTENTION, moved_from_to("/stream", "/market/stream"))]


async def test_what_says_nothing_readable_has_failed_and_no_quiet_market_explains_it(
    tmp_path: Path,
) -> None:
    silent, garbled = await asyncio.gather(
        look_at(tmp_path, BINANCE, faults=Faults(silent=("/market/stream", "/stream"))),
        look_at(tmp_path, BINANCE, faults=Faults(garbled=True)),
    )

    assert said(silent) == [
        (Verdict.FAILED, f"ws://HOST{one} takes the subscriptions and stays silent")
        for one in ("/market/stream", "/stream")
    ]
    ((verdict, says),) = said(garbled)
    assert verdict is Verdict.FAILED
    assert says.startswith("frames that cannot be read: not_json ")
    assert garbled.unreadable["not_json"] > 0
    assert [(one.delivered, one.silent) for one in garbled.routes] == [(0, 0)]
    for one in (silent, garbled):
        assert heard(one, Channel.LIQUIDATIONS) is Heard.MISSING


async def test_who_is_turned_away_is_told_why_and_what_to_do(tmp_path: Path) -> None:
    elsewhere = "remove the venue from the configuration or run elsewhere"
    expected = {
        451: (None, elsewhere),
        403: (None, elsewhere),
        429: (30, "leave it alone for 30 s"),
        418: (120, "leave it alone for 120 s"),
    }
    reports = await asyncio.gather(
        *(
            look_at(tmp_path, BYBIT, faults=Faults(websocket_status=one, retry_after_s=seconds))
            for one, (seconds, _) in expected.items()
        )
    )

    for report, (status, (_, advice)) in zip(reports, expected.items(), strict=True):
        assert said(report) == [(Verdict.FAILED, f"ws://HOST/v5/public/linear: HTTP {status}")]
        assert advice in report.findings[0].advice
        assert report.listened_s < SECONDS  # nothing is to be hoped for


async def test_without_its_list_of_instruments_a_venue_has_failed(tmp_path: Path) -> None:
    expected = {
        "HTTP 451": Faults(rest_status=451),
        "HTTP 429": Faults(rest_status=429, retry_after_s=10),
        "HTTP 503: not the answer expected": Faults(rest_status=503),
        "cannot connect: Server disconnected": Faults(rest_down=True),
    }
    reports = await asyncio.gather(
        *(look_at(tmp_path, OKX, faults=faults) for faults in expected.values())
    )

    for report, says in zip(reports, expected, strict=True):
        assert said(report) == [(Verdict.FAILED, f"http://HOST/api/v5/public/instruments: {says}")]
        assert (report.instruments, report.routes, report.connects) == (0, [], 0)


async def test_who_hangs_up_at_once_is_not_stormed_and_who_shows_no_trades_has_failed(
    tmp_path: Path,
) -> None:
    drops, no_trades = await asyncio.gather(
        look_at(tmp_path, BYBIT, faults=Faults(drops=True)),
        look_at(tmp_path, OKX, faults=Faults(refuses="trades")),
    )

    closed = "ws://HOST/v5/public/linear: the venue closed the connection: 1001 (going away)"
    assert said(drops) == [(Verdict.FAILED, closed)]
    assert 1 <= drops.connects <= 1 + SECONDS * 1.6
    refused = "refused: 2 of 9 topics (trades:BTC-USDT-SWAP, trades:ETH-USDT-SWAP)"
    assert said(no_trades) == [(Verdict.FAILED, refused)]


async def test_a_refused_topic_is_named_and_no_quiet_market_explains_it(tmp_path: Path) -> None:
    report = await look_at(tmp_path, OKX, faults=Faults(refuses="liquidation-orders"))

    refused = "refused: 1 of 9 topics (liquidation-orders:SWAP)"
    assert said(report) == [(Verdict.ATTENTION, refused)]
    assert report.routes[0].refused == ["liquidation-orders:SWAP"]
    assert heard(report, Channel.LIQUIDATIONS) is Heard.MISSING


async def test_coins_that_are_not_listed_are_told(tmp_path: Path) -> None:
    one, other = await asyncio.gather(
        look_at(tmp_path, BYBIT, "BTC", "NOPE", faults=Faults()),
        look_at(tmp_path, BYBIT, "NOPE", faults=Faults()),
    )

    assert (one.verdict, one.coins_listed, one.coins_missing) == (Verdict.OK, 1, ["NOPE"])
    assert said(other) == [(Verdict.ATTENTION, "none of the coins is listed here")]


async def test_the_one_venue_whose_clock_is_wrong_is_told_from_the_others(tmp_path: Path) -> None:
    report = await examine(tmp_path, VENUES, okx_swap=Faults(clock_off_ms=-7_000))

    by_venue = {one.venue: one for one in report.venues}
    ((verdict, says),) = said(by_venue[OKX])
    assert verdict is Verdict.ATTENTION
    assert says.startswith("its trades are received 7.")
    assert [by_venue[one].verdict for one in (BINANCE, BYBIT)] == [Verdict.OK, Verdict.OK]
    assert report.verdict is Verdict.ATTENTION


# -- clocks and limits, without a network ----------------------------------------------------------

WELL = VenueReport(
    venue="v", title="V", verdict=Verdict.OK, findings=[], listened_s=1, reach=[], instruments=1,
    coins_listed=1, coins_missing=[], contract_sizes={}, routes=[], channels=[], unreadable={},
    clock_offset_ms=None, clock_trades=0, limit_headers={}, headroom_pct=None, connects=1,
    connects_allowed=300, open_questions=[],
)  # fmt: skip


def clocks(*offsets_ms: float | None) -> tuple[list[Check], list[Verdict]]:
    checks, venues = compare([replace(WELL, clock_offset_ms=one) for one in offsets_ms])
    return checks, [one.verdict for one in venues]


def test_a_clock_that_differs_from_all_venues_is_this_machines() -> None:
    (check,), verdicts = clocks(4_000.0, 4_100.0, None, 3_900.0)

    assert check.finding.verdict is Verdict.ATTENTION
    assert check.finding.says.startswith("+4.0 s ")
    assert "NTP" in check.finding.advice
    assert set(verdicts) == {Verdict.OK}


def test_of_two_clocks_nobody_knows_which_is_wrong() -> None:
    assert clocks(-4_000.0, 50.0) == ([], [Verdict.ATTENTION, Verdict.OK])


def test_without_trades_there_is_nothing_to_compare() -> None:
    assert clocks(None, None) == ([], [Verdict.OK, Verdict.OK])


@pytest.mark.parametrize(
    ("headers", "pct"),
    [
        ({"x-mbx-used-weight-1m": "600"}, 75.0),
        ({"x-bapi-limit-status": "45", "x-bapi-limit": "50"}, 90.0),
        ({"x-gate-ratelimit-requests-remain": "20", "x-gate-ratelimit-limit": "200"}, 10.0),
        ({"ratelimit-remaining": "99", "ratelimit-limit": "100, 100;w=10"}, 99.0),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-limit": "zero"}, None),
        ({}, None),
    ],
)
def test_headroom_is_read_from_what_venues_say(headers: dict[str, str], pct: float | None) -> None:
    assert headroom(headers) == pct


async def test_a_host_without_a_name_or_a_listener_is_told_apart() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = await reach(f"ws://127.0.0.1:{port}/ws")
    no_tls = await reach(f"wss://127.0.0.1:{port}/ws", within_s=0.3)
    server.close()
    await server.wait_closed()
    gone = await reach(f"ws://127.0.0.1:{port}/ws")
    nameless = await reach("https://no-such-host.invalid/")

    assert (there.problem, there.tls_ms) == (None, None)
    assert no_tls.problem == "no answer in time"
    assert no_tls.connect_ms is not None
    assert gone.problem is not None
    assert gone.problem.startswith("cannot connect")
    assert (gone.dns_ms is None, gone.connect_ms) == (False, None)
    assert nameless.problem is not None
    assert nameless.problem.startswith("the host name cannot be resolved")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
async def test_tls_is_a_step_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    files = "-addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    subprocess.run(  # noqa: ASYNC221, S603 - a moment
        ["openssl", *make.split(), *files.split()],  # noqa: S607 - the tester's
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with serve(lambda socket: socket.wait_closed(), "localhost", 0, ssl=tls) as server:
        url = f"wss://localhost:{server.sockets[0].getsockname()[1]}/ws"
        doubted = await reach(url)
        monkeypatch.setattr(
            "liqwatch.doctor.reach._trust",
            lambda: ssl.create_default_context(cafile=tmp_path / "cert.pem"),
        )
        trusted = await reach(url)

    assert doubted.problem == "TLS certificate refused: self-signed certificate"
    assert (doubted.connect_ms is None, doubted.tls_ms) == (False, None)
    assert trusted.problem is None
    assert trusted.tls_ms is not None


# -- what is around the venues ---------------------------------------------------------------------


def test_a_daemon_at_work_is_told_and_keeps_its_folder(tmp_path: Path) -> None:
    settings = Config(state=tmp_path)
    assert "no daemon is at work" in state(settings).finding.says
    with alone_in(tmp_path):
        found = state(settings).finding
        again = state(settings).finding

    assert (found.verdict, "a daemon is at work" in found.says) == (Verdict.OK, True)
    assert again == found


def test_a_state_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"

    assert state(Config(state=folder)).finding == Finding(Verdict.OK, f"{folder} will be made")
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_used_has_failed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert state(Config(state=file)).finding.verdict is Verdict.FAILED
    assert state(Config(state=file / "below")).finding.verdict is Verdict.FAILED


@pytest.mark.parametrize(("keep_gb", "verdict"), [(0, Verdict.OK), (1e6, Verdict.ATTENTION)])
def test_a_disk_with_less_than_is_kept_free_wants_attention(
    tmp_path: Path, keep_gb: float, verdict: Verdict
) -> None:
    settings = Config(state=tmp_path / "later", recording=RecordingSettings(min_free_gb=keep_gb))

    assert disk(settings).finding.verdict is verdict


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(CHAT, GROUP) as api:
        yield api
        assert api.complaints == []


def secret_file(folder: Path, token: str) -> str:
    file = folder / "token"
    file.write_text(token)
    file.chmod(0o600)
    return str(file)


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    return secret_file(tmp_path, TOKEN)


# Every right that the Bot API names for such a member, and none of them granted.
NO_RIGHTS = {
    name: False
    for kind in (ChatMemberAdministrator, ChatMemberRestricted)
    for name in kind.__slots__
    if name.startswith(("can_", "is_"))
}


@pytest.mark.parametrize(
    ("chat", "about", "member", "refusal"),
    [
        (CHAT, {}, {}, None),
        (GROUP, {}, {"status": "member"}, None),
        (GROUP, {"type": "supergroup"}, {"status": "administrator", **NO_RIGHTS}, None),
        (GROUP, {"type": "channel"}, {"status": "administrator", **NO_RIGHTS}, "may not send"),
        (GROUP, {"type": "channel"}, {"status": "member"}, "may not send"),
        (GROUP, {"permissions": {"can_send_messages": False}}, {"status": "member"}, "may not"),
        (GROUP, {}, {"status": "restricted", "until_date": 0, **NO_RIGHTS}, "may not send"),
        (GROUP, {}, {"status": "left"}, "not in the chat"),
        (GROUP, {}, {"status": "kicked", "until_date": 0}, "not in the chat"),
    ],
)  # fmt: skip
async def test_telegram_is_asked_whether_the_bot_may_send_and_nothing_is_sent(
    api: FakeBotApi,
    token_file: str,
    chat: int,
    about: dict[str, Any],
    member: dict[str, Any],
    refusal: str | None,
) -> None:
    api.chats[chat].about = about
    api.chats[chat].member |= member
    settings = TelegramSettings(chat=chat, token_file=token_file, base_url=api.base_url)
    found = (await telegram(settings)).finding

    assert found.verdict is (Verdict.OK if refusal is None else Verdict.FAILED)
    assert found.says.startswith(f"@{BOT['username']}")
    assert (refusal or "may send to its chat") in found.says
    assert bool(found.advice) is (refusal is not None)
    assert {method for method, _ in api.calls} <= {"getMe", "getChat", "getChatMember"}


async def test_a_group_that_became_a_supergroup_is_followed(
    api: FakeBotApi, token_file: str
) -> None:
    api.moves(-1, GROUP)
    api.chats[GROUP].about = {"type": "supergroup"}
    settings = TelegramSettings(chat=-1, token_file=token_file, base_url=api.base_url)

    assert (await telegram(settings)).finding.says.endswith("may send to its chat (supergroup)")


@pytest.mark.parametrize(
    ("chat", "fault", "token", "says", "advice"),
    [
        (99, None, TOKEN, "Chat not found", "check notify.telegram.chat"),
        (CHAT, None, TOKEN.replace("AA", "BB"), "Telegram refuses the token", "try again later"),
        (CHAT, None, "nonsense", "this is not a Telegram token", ""),
        (CHAT, flood(9), TOKEN, "Telegram's flood limit", "try again later"),
        (CHAT, bad_gateway, TOKEN, "Telegram: NetworkError", "check the network"),
    ],
)
async def test_what_telegram_refuses_is_told_without_the_token(
    api: FakeBotApi, tmp_path: Path, chat: int, fault: Any, token: str, says: str, advice: str
) -> None:
    token_file = secret_file(tmp_path, token)
    api.faults.extend([fault] if fault else [])
    settings = TelegramSettings(chat=chat, token_file=token_file, base_url=api.base_url)
    found = (await telegram(settings)).finding

    assert found.verdict is Verdict.FAILED
    assert says in found.says
    assert found.advice.startswith(advice)
    assert token not in repr(found)


async def test_of_a_webhook_only_the_host_is_told(unused_port: int) -> None:
    url = f"http://127.0.0.1:{unused_port}/hooks/secret"
    found = (await webhook(WebhookSettings(url=url))).finding

    assert found.verdict is Verdict.FAILED
    assert found.says.startswith("127.0.0.1: cannot connect")
    assert "secret" not in repr(found)


@pytest.fixture
async def unused_port() -> int:
    """A port where nobody listens any more."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


# -- the command -----------------------------------------------------------------------------------


async def run(
    state: Path, faults: Mapping[str, Faults], *, as_json: bool, notify: Any = None
) -> int:
    """Run the command as it is, in a thread, at the pace of the clock on the wall."""
    async with SimulatedExchange("demo", 1, WallClock(), faults=faults) as exchange:
        settings = replace(config(exchange, state, VENUES), notify=notify or NotifySettings())
        with capture_logs():  # which belong to the whole test run, and by default to stdout
            return await asyncio.to_thread(
                doctor, settings, name="c.yaml", as_json=as_json, seconds=4.0
            )


async def test_the_command_writes_one_object_and_ends_well_when_all_is(
    api: FakeBotApi, token_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = TelegramSettings(chat=CHAT, token_file=token_file, base_url=api.base_url)
    state = tmp_path / "state"
    code = await run(state, {}, as_json=True, notify=NotifySettings(telegram=to))
    out, err = capsys.readouterr()
    report = json.loads(out)

    assert (code, report["verdict"]) == (0, "ok")
    assert [one["venue"] for one in report["venues"]] == list(VENUES)
    assert set(report) == set(Report.__struct_fields__)
    assert set(report["venues"][0]) == set(VenueReport.__struct_fields__)
    assert "nothing is recorded or alerted" in err
    assert TOKEN not in out + err
    assert not state.exists()


async def test_the_command_says_what_failed_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await run(tmp_path, {BYBIT: Faults(websocket_status=451)}, as_json=False)
    lines = capsys.readouterr().out.splitlines()

    assert code == 1
    assert lines[-1] == f"failed: {BYBIT}"
    at = next(n for n, line in enumerate(lines) if line.startswith("failed     bybit-linear   ws:"))
    assert lines[at + 1].strip().startswith("→ the venue does not serve this address")


def test_people_read_verdict_name_matter_and_advice_in_columns() -> None:
    trouble = Finding(Verdict.ATTENTION, "it limps", "rest it")
    report = Report(
        version="1", time=0, verdict=Verdict.ATTENTION,
        checks=[Check("disk", Finding(Verdict.OK, "bot123456:AAF-fakeFakeFakeFakeFake"))],
        venues=[replace(WELL, findings=[trouble], verdict=Verdict.ATTENTION)],
    )  # fmt: skip
    stream = io.StringIO()
    show(report, stream)

    assert stream.getvalue().splitlines() == [
        "ok         disk  bot***",
        "",
        "attention  v     it limps",
        "                 → rest it",
        "                 coins   1 of 1 listed · 1 instruments, each with its contract size",
        "                 limits  1 of 300 connections in 5 minutes",
        "",
        "attention: v",
    ]
