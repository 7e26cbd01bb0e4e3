"""REST against a real server on loopback."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, NoReturn

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from liqwatch.clock import WallClock
from liqwatch.events import Completeness, ContractType, Instrument, MarketEvent
from liqwatch.exchanges.base import Control, Endpoint, Exchange, Poll
from liqwatch.records import Close, Record
from liqwatch.sources import poll as poll_module
from liqwatch.sources.poll import MOST_BACKFILL, Rest
from liqwatch.sources.supervise import Budget
from liqwatch.sources.transport import ConnectionLost, rewrite_url

DOCUMENTED = "https://fapi.example.com"
BTC = Instrument(
    venue="fake", symbol="BTC", instrument="BTCUSDT", time=0, received=0,
    contract_type=ContractType.LINEAR, contract_size=1, tick_size=0.1, status="trading",
)  # fmt: skip


class FakeExchange(Exchange):
    """Lists its instruments on as many pages as the server has."""

    venue = "fake"
    title = "Fake"
    completeness = Completeness.FULL
    limits = ""
    connects_per_s = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.first_page = Poll(url=f"{DOCUMENTED}/instruments?page=1", interval_s=60)
        self.pages = [self.first_page]
        self.wanted: list[Poll] = []

    def bootstrap(self) -> Sequence[Poll]:
        return self.pages

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        raise NotImplementedError

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - as set
        return self.wanted

    def decode(self, frame: str | bytes, received: int) -> NoReturn:
        raise NotImplementedError

    def decode_rest(self, *_: object) -> Sequence[MarketEvent]:
        raise NotImplementedError

    def learn(self, text: str) -> None:
        if text.startswith("next "):
            self.pages.append(Poll(url=DOCUMENTED + text.removeprefix("next "), interval_s=60))
        if text == "BTC":
            self.instruments["BTCUSDT"] = BTC

    def snapshot(self) -> bytes:
        raise NotImplementedError

    def restore(self, state: bytes) -> None:
        raise NotImplementedError


class Bench:
    """A venue's REST on loopback: `answers` by path, and what came of asking."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.answers: dict[str, Callable[[], web.Response]] = {}
        self.asked: Counter[str] = Counter()
        self.posted: list[tuple[str, str]] = []
        self.told_of_instruments = 0
        self.records: list[Record] = []
        self.exchange = FakeExchange()
        self.clock = WallClock()
        self.budget = Budget(1e6)
        self.base = ""
        self.rest = Rest(
            self.exchange,
            self.ingest,
            session=session,
            clock=self.clock,
            budget=self.budget,
            backoff=lambda _: 0.01,
            on_instruments=self.on_instruments,
            rewrite=lambda url: rewrite_url(url, self.base),
        )

    def on_instruments(self) -> None:
        self.told_of_instruments += 1

    def ingest(self, record: Record) -> Sequence[Control]:
        self.records.append(record)
        self.exchange.learn(record.text or "")
        return ()

    async def handle(self, request: web.Request) -> web.Response:
        self.asked[request.path_qs] += 1
        if request.method == "POST":
            self.posted.append((request.content_type, await request.text()))
        return self.answers[request.path_qs]()

    async def poll_for(self, seconds: float, *polls: Poll) -> list[Any]:
        self.exchange.wanted = list(polls)
        with capture_logs() as logs, pytest.raises(TimeoutError):
            await asyncio.wait_for(self.rest.poll(None), seconds)
        return logs


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with aiohttp.ClientSession() as session:
        bench = Bench(session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", bench.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        bench.base = f"http://{host}:{port}"
        yield bench
        await runner.cleanup()


def says(text: str, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(
        text=text, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


async def failing(asking: Awaitable[None]) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as raised:
        await asking
    return raised.value


async def test_an_answer_becomes_a_record_with_the_address_really_asked(bench: Bench) -> None:
    bench.answers["/oi?symbol=BTCUSDT"] = says('{"openInterest":"1"}')
    before_ns = bench.clock.now_ns()

    await bench.rest.ask(f"{DOCUMENTED}/oi?symbol=BTCUSDT")

    (record,) = bench.records
    assert before_ns < record.at <= bench.clock.now_ns()
    assert record == Record(
        at=record.at,
        venue="fake",
        get=f"{bench.base}/oi?symbol=BTCUSDT",
        status=200,
        text='{"openInterest":"1"}',
    )


async def test_garbage_is_passed_on_as_it_came(bench: Bench) -> None:
    bench.answers["/oi"] = lambda: web.Response(body=b"\x00\xffgarbage")

    await bench.rest.ask(f"{DOCUMENTED}/oi")

    assert bench.records[0].text == "\x00�garbage"


async def test_why_an_address_fails_is_kept_until_it_answers_again(bench: Bench) -> None:
    bench.answers["/oi?symbol=BTCUSDT"] = says("busy", 503)
    bench.answers["/oi?symbol=ETHUSDT"] = says("1")

    await failing(bench.rest.ask(f"{DOCUMENTED}/oi?symbol=BTCUSDT"))
    ((address, lost),) = bench.rest.lost.items()
    assert (address, lost.reason) == (f"{bench.base}/oi", "HTTP 503: not the answer expected")

    await bench.rest.ask(f"{DOCUMENTED}/oi?symbol=ETHUSDT")
    assert bench.rest.lost == {}


async def test_the_last_word_on_the_limits_is_kept(bench: Bench) -> None:
    bench.answers["/oi"] = says("1", X_MBX_USED_WEIGHT_1M="7", X_Bapi_Limit="50", X_Other="1")
    bench.answers["/silent"] = says("1")

    await bench.rest.ask(f"{DOCUMENTED}/oi")
    await bench.rest.ask(f"{DOCUMENTED}/silent")

    assert bench.rest.limits == {"x-mbx-used-weight-1m": "7", "x-bapi-limit": "50"}


@pytest.mark.parametrize("status", [302, 404, 500, 502])
async def test_a_failure_is_recorded_and_told(bench: Bench, status: int) -> None:
    bench.answers["/oi"] = says("<html>", status, Location="/elsewhere")

    lost = await failing(bench.rest.ask(f"{DOCUMENTED}/oi"))

    assert lost.reason.startswith(f"HTTP {status}: ")
    assert [(r.status, r.text) for r in bench.records] == [(status, "<html>")]
    assert bench.asked == {"/oi": 1}


@pytest.mark.parametrize(
    ("status", "headers", "pause_s"),
    [
        (429, {"Retry_After": "30"}, 30),
        (418, {"Retry_After": "7200"}, 7200),
        (503, {"Retry_After": "5"}, 5),
        (451, {}, 600),
        (403, {}, 600),
    ],
)
async def test_where_the_venue_wants_peace_nothing_more_is_asked(
    bench: Bench, status: int, headers: dict[str, str], pause_s: float
) -> None:
    bench.answers = {f"/oi?{n}": says("no", status, **headers) for n in range(5)}
    polls = [Poll(url=f"{DOCUMENTED}/oi?{n}", interval_s=0.001) for n in range(5)]

    logs = await bench.poll_for(0.2, *polls)

    assert bench.asked == {"/oi?0": 1}
    assert [log["event"] for log in logs] == ["REST failed"]
    assert logs[0]["venue"] == "fake"
    assert bench.budget._free_at - bench.budget._now() == pytest.approx(pause_s, abs=1)


async def test_what_failed_is_asked_again_and_its_recovery_told(bench: Bench) -> None:
    answers = iter([says("busy", 503, Retry_After="0"), says("", 500), says("", 500)])

    def answer() -> web.Response:
        return next(answers, says("1"))()

    bench.answers["/oi"] = answer

    logs = await bench.poll_for(0.2, Poll(url=f"{DOCUMENTED}/oi", interval_s=0.02))

    assert [record.status for record in bench.records[:5]] == [503, 500, 500, 200, 200]
    assert [(log["event"], log.get("reason")) for log in logs] == [
        ("REST failed", "HTTP 503: not the answer expected"),
        ("REST failed", "HTTP 500: not the answer expected"),
        ("REST answers again", None),
    ]


async def test_a_body_without_end_is_cut_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_module, "MAX_BODY_BYTES", 1 << 20)
    bench.answers["/oi"] = says("x" * (1 << 20))
    bench.answers["/huge"] = says("x" * ((1 << 20) + 1))

    await bench.rest.ask(f"{DOCUMENTED}/oi")
    lost = await failing(bench.rest.ask(f"{DOCUMENTED}/huge"))

    assert lost.reason == "an answer of more than 1 MiB"
    assert len(bench.records) == 1


async def test_a_refused_connection_is_told(bench: Bench, refusing_port: int) -> None:
    bench.base = f"http://127.0.0.1:{refusing_port}"

    lost = await failing(bench.rest.ask(f"{DOCUMENTED}/oi"))

    assert lost.reason.startswith("cannot connect: ")
    assert "Connect call failed" in lost.reason
    assert [record.close for record in bench.records] == [Close(1006, lost.reason)]


async def test_a_name_that_does_not_resolve_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    bench.base = "http://fapi.example"

    lost = await failing(bench.rest.ask(f"{DOCUMENTED}/oi"))

    assert lost.reason == "the host name cannot be resolved: Name or service not known"


async def test_an_answer_that_never_comes_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        bench.base = f"http://127.0.0.1:{deaf.getsockname()[1]}"

        lost = await failing(bench.rest.ask(f"{DOCUMENTED}/oi"))

    assert lost.reason == "no answer in time"


async def test_every_address_is_asked_at_its_own_interval(bench: Bench) -> None:
    bench.answers = {"/slow": says("1"), "/quick": says("1")}

    await bench.poll_for(
        0.5,
        Poll(url=f"{DOCUMENTED}/slow", interval_s=0.2),
        Poll(url=f"{DOCUMENTED}/quick", interval_s=0.05),
    )

    assert 2 <= bench.asked["/slow"] <= 3
    assert 4 <= bench.asked["/quick"] <= 10


async def test_the_first_round_is_spread_over_the_interval(bench: Bench) -> None:
    bench.answers = {f"/{n}": says("1") for n in range(5)}
    begun_ns = bench.clock.now_ns()

    await bench.poll_for(0.45, *(Poll(url=f"{DOCUMENTED}/{n}", interval_s=0.5) for n in range(5)))

    waited_s = [(record.at - begun_ns) / 1e9 for record in bench.records]
    assert all(0 <= waited - n / 10 < 0.1 for n, waited in enumerate(waited_s))


async def test_an_address_that_fails_does_not_stop_the_others(bench: Bench) -> None:
    bench.answers = {"/delisted": says("unknown symbol", 400), "/listed": says("1")}

    logs = await bench.poll_for(
        0.2,
        Poll(url=f"{DOCUMENTED}/delisted", interval_s=0.02),
        Poll(url=f"{DOCUMENTED}/listed", interval_s=0.02),
    )

    assert bench.asked["/listed"] >= 3
    assert bench.asked["/delisted"] >= 3
    assert [(log["event"], log["url"]) for log in logs] == [
        ("REST failed", f"{DOCUMENTED}/delisted")
    ]


async def test_bootstrap_asks_page_after_page_once_each(bench: Bench) -> None:
    bench.answers = {
        "/instruments?page=1": says("next /instruments?page=2"),
        "/instruments?page=2": says("next /instruments?page=3"),
        "/instruments?page=3": says("BTC"),
    }

    await bench.rest.bootstrap()

    assert bench.asked == dict.fromkeys(bench.answers, 1)
    assert bench.exchange.instruments == {"BTCUSDT": BTC}


async def test_bootstrap_that_brings_no_instruments_has_failed(bench: Bench) -> None:
    bench.answers["/instruments?page=1"] = says("<html>maintenance</html>")

    lost = await failing(bench.rest.bootstrap())

    assert lost.reason == "no instruments in the answers of the venue"


async def test_a_venue_that_needs_no_bootstrap_is_not_asked(bench: Bench) -> None:
    bench.exchange.pages = []

    await bench.rest.bootstrap()

    assert bench.asked == {}
    assert bench.told_of_instruments == 1


async def test_a_fragment_is_posted_as_json_and_stays_in_the_record(bench: Bench) -> None:
    bench.answers["/info"] = says("[]")
    body = '{"type":"clearinghouseState","user":"0x1#2","text":"a b%20Ⓢ"}'

    await bench.rest.ask(f"{DOCUMENTED}/info#{body}")

    assert bench.posted == [("application/json", body)]
    assert [record.get for record in bench.records] == [f"{bench.base}/info#{body}"]


async def test_what_is_to_be_asked_is_looked_up_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_module, "REVISE_S", 0.05)
    bench.answers = {"/old": says("1"), "/kept": says("1"), "/new": says("1")}
    old, kept, new = (
        Poll(url=f"{DOCUMENTED}/{name}", interval_s=0.02) for name in ("old", "kept", "new")
    )
    polling = asyncio.create_task(bench.poll_for(0.4, old, kept))
    await asyncio.sleep(0.1)

    bench.exchange.wanted = [kept, new]
    await asyncio.sleep(0.1)
    old_so_far = bench.asked["/old"]
    await polling

    assert bench.asked["/old"] == old_so_far > 0
    assert bench.asked["/new"] > 3
    assert bench.asked["/kept"] > bench.asked["/new"]


async def test_the_instruments_are_reloaded_whole_and_change_what_is_asked(bench: Bench) -> None:
    bench.answers = {
        "/instruments?page=1": says("next /instruments?page=2"),
        "/instruments?page=2": says("BTC"),
        "/tiers?BTCUSDT": says("1"),
    }
    first = Poll(url=bench.exchange.first_page.url, interval_s=0.1)
    bench.exchange.pages = [first]
    polling = asyncio.create_task(bench.poll_for(0.25, first))
    await asyncio.sleep(0.05)
    assert bench.asked == {}, "they were asked before"

    bench.exchange.wanted = [first, Poll(url=f"{DOCUMENTED}/tiers?BTCUSDT", interval_s=60)]
    await polling

    assert bench.asked["/instruments?page=1"] == bench.asked["/instruments?page=2"] >= 1
    assert bench.told_of_instruments == bench.asked["/instruments?page=1"]
    assert bench.asked["/tiers?BTCUSDT"] == 1


async def test_a_gap_is_asked_for_once_and_what_fails_is_dropped(bench: Bench) -> None:
    bench.answers = {f"/past?{n}": says("1") for n in range(4)}
    bench.answers["/past?1"] = bench.answers["/past?2"] = says("no such symbol", 400)

    with capture_logs() as logs:
        await bench.rest.backfill(
            [Poll(url=f"{DOCUMENTED}/past?{n}", interval_s=0) for n in range(4)]
        )

    assert bench.asked == {f"/past?{n}": 1 for n in range(4)}
    assert [(log["event"], log["url"]) for log in logs] == [
        ("backfill failed", f"{DOCUMENTED}/past?1")
    ]


async def test_a_backfill_ends_where_the_venue_wants_peace(bench: Bench) -> None:
    bench.answers["/past?0"] = says("slow down", 429)

    with capture_logs() as logs:
        await bench.rest.backfill(
            [Poll(url=f"{DOCUMENTED}/past?{n}", interval_s=0) for n in range(4)]
        )

    assert bench.asked == {"/past?0": 1}
    assert [log["event"] for log in logs] == ["backfill failed"]


async def test_a_backfill_has_an_end(bench: Bench) -> None:
    polls = [Poll(url=f"{DOCUMENTED}/past?{n}", interval_s=0) for n in range(MOST_BACKFILL + 1)]
    bench.answers = {f"/past?{n}": says("1") for n in range(MOST_BACKFILL)}

    with capture_logs() as logs:
        await bench.rest.backfill(polls)

    assert bench.asked.total() == MOST_BACKFILL
    assert [(log["event"], log["of"]) for log in logs] == [
        ("backfill is incomplete", MOST_BACKFILL + 1)
    ]


async def test_the_past_of_an_instrument_is_asked_in_order_and_only_whole(bench: Bench) -> None:
    def history(instrument: str) -> Sequence[Poll]:
        paths = (f"/prices?{instrument}", f"/open?{instrument}")
        return [Poll(url=DOCUMENTED + path, interval_s=0) for path in paths]

    bench.exchange.history = history  # type: ignore[method-assign]  # of this one
    bench.answers = {"/prices?BTC": says("1"), "/open?BTC": says("2"), "/prices?X": says("", 400)}

    with capture_logs() as logs:
        for instrument in ("BTC", "X", "X"):
            await bench.rest.recall(instrument, Budget(1e6))

    assert list(bench.asked) == ["/prices?BTC", "/open?BTC", "/prices?X"]
    assert [(log["event"], log["of"]) for log in logs] == [("no history", "X")]  # told once
