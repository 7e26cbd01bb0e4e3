"""Files that change under us, and a CoinGlass on loopback."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from liqwatch.clock import ScaledClock
from liqwatch.imports import CoinGlassSettings, FileImport
from liqwatch.imports.coinglass import REQUESTS_PER_MINUTE
from liqwatch.imports.errors import Refused
from liqwatch.map_import import ImportedMap, MapLevel
from liqwatch.sources import coinglass as coinglass_module
from liqwatch.sources.coinglass import CoinGlass, read_key
from liqwatch.sources.imports import Take, watch_imports
from liqwatch.sources.supervise import Budget

KEY = "0123456789abcdef0123456789abcdef"
START_NS = 1_791_565_600 * 10**9
PREFIX = "/api/futures/liquidation/"
CSV = "price,long_usd,short_usd\n60000,1,0\n84000,0,2\n"
PLAN = "the plan of this API key is too small: the map needs Professional or higher"

Answer = tuple[int, Any, dict[str, str]]


def good(data: Any) -> Answer:
    return 200, {"code": "0", "msg": "success", "data": data}, {}


def split(long_usd: float, short_usd: float) -> Answer:
    sums = {"long_liquidation_usd": long_usd, "short_liquidation_usd": short_usd}
    return good([{"exchange": "All", **sums}, {"exchange": "Binance", **sums}])


ORDERS = good([{"side": 2, "usd_value": 5000.0}] * 20)
MAP = good({"data": {"60000": [[60000, 3, None, None]], "84000": [[84000, 4, None, None]]}})


class FakeCoinGlass:
    """Answers by endpoint, and remembers what it was asked with which key."""

    def __init__(self) -> None:
        self.answers = {
            "exchange-list": split(8e6, 1e6),
            "order": ORDERS,
            "aggregated-map": MAP,
        }
        self.asked: list[str] = []
        self.keys: Counter[str | None] = Counter()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        endpoint = request.path.removeprefix(PREFIX)
        self.asked.append(f"{endpoint} {request.query['symbol']}")
        self.keys[request.headers.get("CG-API-KEY")] += 1
        status, body, headers = self.answers[endpoint]
        return web.json_response(body, status=status, headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[FakeCoinGlass]:
    fake = FakeCoinGlass()
    application = web.Application()
    application.router.add_get("/{path:.*}", fake.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


class Taken(list[ImportedMap]):
    """The maps that were taken."""

    async def until(self, count: int) -> None:
        await until(lambda: len(self) >= count)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - it may be the server's state
            await asyncio.sleep(0.005)


async def watching(
    body: Awaitable[Any],
    taken: Take,
    *,
    files: tuple[FileImport, ...] = (),
    coinglass: CoinGlassSettings | None = None,
    price_of: Callable[[str], float | None] = {"BTC": 71450.0, "ETH": 71450.0}.get,
    speed: float = 5_000,
) -> list[Any]:
    """Watch while `body` runs, in a market time that runs fast; return what was logged."""
    clock = ScaledClock(start_ns=START_NS, speed=speed)
    with capture_logs() as logs:
        watch = asyncio.create_task(
            watch_imports(
                files, coinglass, taken, clock=clock, price_of=price_of, budget=Budget(1e6)
            )
        )
        try:
            await body
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
    assert KEY not in str(logs)
    return [(entry["event"], entry.get("reason")) for entry in logs]


# -- files --------------------------------------------------------------------------------------


def written(folder: Path, name: str, text: str) -> FileImport:
    path = folder / name
    path.write_text(text)
    os.utime(path, ns=(START_NS, START_NS))
    return FileImport(file=path, symbol="BTC", covers=("okx-swap",))


async def test_a_file_is_taken_at_once_and_again_only_when_it_changes(tmp_path: Path) -> None:
    one, taken = written(tmp_path, "map.csv", CSV), Taken()

    async def change() -> None:
        await taken.until(1)
        await asyncio.sleep(0.03)  # five looks at it
        assert len(taken) == 1
        one.file.write_text(CSV.replace("84000", "85000"))
        await taken.until(2)

    logs = await watching(change(), taken.append, files=(one,))

    assert logs == []
    assert taken[0].as_of_ms == START_NS // 1_000_000
    assert [found.levels[1].low for found in taken] == [84000, 85000]


async def test_a_bad_file_is_said_once_and_the_others_live_on(tmp_path: Path) -> None:
    bad = written(tmp_path, "bad.csv", CSV.replace("84000,0,2", "84000,0,-2"))
    good_one, taken = written(tmp_path, "good.csv", CSV), Taken()

    async def mend() -> None:
        await taken.until(1)
        await asyncio.sleep(0.03)
        bad.file.write_text(CSV)
        await taken.until(2)

    logs = await watching(mend(), taken.append, files=(bad, good_one))

    assert logs == [
        ("map import failed", f"{bad.file}:3: short_usd is negative"),
        ("map import works again", None),
    ]
    assert [found.source for found in taken] == [str(good_one.file), str(bad.file)]


async def test_a_missing_file_is_said_once_and_taken_when_it_comes(tmp_path: Path) -> None:
    path, taken = tmp_path / "late.csv", Taken()
    late = FileImport(file=path, symbol="BTC", covers=("okx-swap",))

    async def come() -> None:
        await asyncio.sleep(0.05)
        path.write_text(CSV)
        await taken.until(1)

    logs = await watching(come(), taken.append, files=(late,))

    assert logs[0] == ("map import failed", f"{path}: cannot be read: No such file or directory")
    assert len(logs) == 2


async def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = FileImport(file=tmp_path / "pipe", symbol="BTC", covers=("okx-swap",))

    logs = await watching(asyncio.sleep(0.05), Taken().append, files=(pipe,))

    assert logs == [("map import failed", f"{pipe.file}: not a file")]


async def test_what_the_taker_raises_is_raised(tmp_path: Path) -> None:
    def take(_: ImportedMap) -> None:
        raise RuntimeError("a bug of the engine")

    with pytest.raises(BaseExceptionGroup) as caught:
        await watch_imports(
            [written(tmp_path, "map.csv", CSV)],
            None,
            take,
            clock=ScaledClock(start_ns=START_NS, speed=1),
            price_of={"BTC": 71450.0}.get,
        )

    assert caught.group_contains(RuntimeError, match="a bug of the engine")


# -- CoinGlass ----------------------------------------------------------------------------------


async def test_the_map_of_coinglass_is_taken_at_its_interval(
    server: FakeCoinGlass, key_file: Path
) -> None:
    taken = Taken()
    settings = CoinGlassSettings(key_file=key_file, base_url=server.url, symbols=("BTC",))

    logs = await watching(taken.until(2), taken.append, coinglass=settings)

    assert logs == [("side coding is decided", None)]
    assert server.asked[:5] == [
        "exchange-list BTC",
        "order BTC",
        "aggregated-map BTC",
        "exchange-list BTC",
        "aggregated-map BTC",
    ]
    assert set(server.keys) == {KEY}
    assert taken[0].levels == (MapLevel(60000, 60000, 3, 0), MapLevel(84000, 84000, 0, 4))
    assert taken[0].venues == {"binance-usdm", "binance-coinm"}
    assert taken[1].as_of_ms - taken[0].as_of_ms >= settings.every_s * 1000


async def test_until_sides_are_decided_nothing_is_taken_and_the_reason_is_said_once(
    server: FakeCoinGlass, key_file: Path
) -> None:
    taken = Taken()
    settings = CoinGlassSettings(key_file=key_file, base_url=server.url)
    server.answers["exchange-list"] = split(1e6, 1e6)

    async def decide() -> None:
        await until(lambda: server.asked.count("order ETH") == 3)
        assert taken == []
        server.answers["exchange-list"] = split(8e6, 1e6)
        await taken.until(2)

    logs = await watching(decide(), taken.append, coinglass=settings)

    failures = [reason for event, reason in logs if event == "map import failed"]
    assert len(failures) == 1
    assert failures[0].startswith("which positions its sides mean is undecided")
    assert ("map import works again", None) in logs


async def test_a_plan_that_is_too_small_is_one_line_for_all_coins(
    server: FakeCoinGlass, key_file: Path
) -> None:
    server.answers["aggregated-map"] = 200, {"code": "401", "msg": "Upgrade plan"}, {}
    settings = CoinGlassSettings(key_file=key_file, base_url=server.url)

    asked_for_long = until(lambda: server.asked.count("aggregated-map ETH") >= 3)
    logs = await watching(asked_for_long, Taken().append, coinglass=settings)

    assert [one for one in logs if one[0] == "map import failed"] == [("map import failed", PLAN)]


async def test_a_coin_without_a_price_is_not_asked_for(
    server: FakeCoinGlass, key_file: Path
) -> None:
    prices: dict[str, float] = {}
    taken = Taken()
    settings = CoinGlassSettings(key_file=key_file, base_url=server.url, symbols=("BTC",))

    async def learn_the_price() -> None:
        await asyncio.sleep(0.03)
        assert server.asked == []
        prices["BTC"] = 71450.0
        await taken.until(1)

    await watching(learn_the_price(), taken.append, coinglass=settings, price_of=prices.get)


class Paces:
    """Time that passes only while somebody waits for a turn."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.budget = Budget(1e6, now=lambda: self.now_s, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


async def asked(
    server: FakeCoinGlass,
    key_file: Path,
    *,
    paces: Paces | None = None,
    price_of: Callable[[str], float | None] = {"BTC": 71450.0}.get,
) -> ImportedMap:
    settings = CoinGlassSettings(key_file=key_file, base_url=server.url)
    async with aiohttp.ClientSession() as session:
        client = CoinGlass(
            settings,
            session=session,
            clock=ScaledClock(start_ns=START_NS, speed=1),
            budget=(paces or Paces()).budget,
        )
        return await client.map_of("BTC", price_of)


@pytest.mark.parametrize(
    ("headers", "wait_s"), [({"Retry-After": "7"}, 7), ({}, 60), ({"Retry-After": "soon"}, 60)]
)
async def test_too_many_requests_let_nobody_ask_for_as_long_as_it_says(
    server: FakeCoinGlass, key_file: Path, headers: dict[str, str], wait_s: float
) -> None:
    paces = Paces()
    server.answers["exchange-list"] = 429, {"code": "429", "msg": "Too Many Requests"}, headers

    with pytest.raises(Refused) as caught:
        await asked(server, key_file, paces=paces)
    server.answers["exchange-list"] = split(8e6, 1e6)
    await asked(server, key_file, paces=paces)

    assert (caught.value.reason, caught.value.wait_s) == ("too many requests", wait_s)
    assert paces.now_s == pytest.approx(wait_s, abs=0.01)


async def test_a_minute_that_is_used_up_is_waited_out(
    server: FakeCoinGlass, key_file: Path
) -> None:
    paces = Paces()
    status, body, _ = server.answers["order"]
    used_up = {"API-KEY-MAX-LIMIT": "30", "API-KEY-USE-LIMIT": "30"}
    server.answers["order"] = status, body, used_up

    await asked(server, key_file, paces=paces)

    assert paces.now_s == pytest.approx(60, abs=0.01)


async def test_by_itself_it_asks_no_faster_than_the_smallest_plan_allows(key_file: Path) -> None:
    async with aiohttp.ClientSession() as session:
        client = CoinGlass(
            CoinGlassSettings(key_file=key_file),
            session=session,
            clock=ScaledClock(start_ns=START_NS, speed=1),
        )

    assert client._budget._gap_s == 60 / REQUESTS_PER_MINUTE == 2


async def test_a_redirect_is_not_followed_with_the_key(
    server: FakeCoinGlass, key_file: Path
) -> None:
    server.answers["exchange-list"] = 302, {}, {"Location": f"{server.url}{PREFIX}order?symbol=X"}

    with pytest.raises(Refused, match=r"it answered 302 \(HTTP 302\)"):
        await asked(server, key_file)

    assert len(server.asked) == 1


async def test_the_key_is_not_repeated_when_the_server_repeats_it(
    server: FakeCoinGlass, key_file: Path
) -> None:
    server.answers["exchange-list"] = 200, {"code": "400", "msg": f"bad {KEY}"}, {}

    with pytest.raises(Refused) as caught:
        await asked(server, key_file)

    assert caught.value.reason == "it answered 400 (HTTP 200) bad ***"
    assert caught.value.__cause__ is None


async def test_sides_go_by_the_price_of_the_moment_the_map_arrives(
    server: FakeCoinGlass, key_file: Path
) -> None:
    def price_of(_: str) -> float | None:
        return 83_999.0 if "aggregated-map BTC" in server.asked else 60_001.0

    server.answers["aggregated-map"] = good(
        {"data": {str(price): [[price, 1]] for price in (60000, 71000, 84000)}}
    )

    found = await asked(server, key_file, price_of=price_of)

    assert found.levels[1] == MapLevel(71000, 71000, 1, 0)


async def test_without_a_price_longs_and_shorts_are_not_told_apart(
    server: FakeCoinGlass, key_file: Path
) -> None:
    with pytest.raises(Refused, match="the price is unknown"):
        await asked(server, key_file, price_of=dict[str, float]().get)


async def test_an_endless_answer_is_cut_off(
    server: FakeCoinGlass, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coinglass_module, "MAX_BODY_BYTES", 100)

    with pytest.raises(Refused, match="an answer of more than"):
        await asked(server, key_file)


async def test_a_server_that_is_not_there_is_one_line(
    server: FakeCoinGlass, key_file: Path, refusing_port: int
) -> None:
    server.url = f"http://127.0.0.1:{refusing_port}"

    with pytest.raises(Refused, match="cannot connect"):
        await asked(server, key_file)


# -- the key ------------------------------------------------------------------------------------


def key_refusal(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        read_key(path)
    return caught.value.reason


def test_the_key_is_read_and_shown_to_nobody(key_file: Path) -> None:
    key = read_key(key_file)

    assert key.reveal() == KEY
    assert KEY not in f"{key} {key!r} {CoinGlassSettings(key_file=key_file)}"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o644])
def test_a_key_that_others_may_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)

    assert key_refusal(key_file) == (f"{key_file}: others may read the CoinGlass key; chmod 600 it")


@pytest.mark.parametrize("text", ["", "short", "two words", "kéy" * 8, "x" * 300])
def test_what_is_no_key_is_refused_without_being_repeated(key_file: Path, text: str) -> None:
    key_file.write_text(text)

    assert key_refusal(key_file) == (
        f"{key_file}: this is not a CoinGlass key (one word, from their API page)"
    )


def test_a_missing_key_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert key_refusal(missing) == f"{missing}: no CoinGlass key: No such file or directory"
    assert key_refusal(tmp_path) == f"{tmp_path}: no file with an API key"
