"""Payloads as in coinglass-api-docs (rest/Futures/Liquidation), with numbers of our own."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode
from msgspec.structs import replace

from liqwatch.events import Position
from liqwatch.exchanges import EXCHANGES
from liqwatch.imports import CoinGlassSettings
from liqwatch.imports import coinglass as module
from liqwatch.imports.coinglass import (
    Order,
    Split,
    exchange_list_path,
    map_path,
    orders_path,
    position_of_side_1,
    read_exchange_list,
    read_map,
    read_orders,
    unwrap,
)
from liqwatch.imports.errors import Refused
from liqwatch.map_import import MOST_LEVELS, ImportedMap, MapLevel

NOW_MS = 1_791_565_600_000
MAP = CoinGlassSettings(key_file=Path("key"))
HEATMAP = replace(MAP, product="heatmap", days=1)

# liquidation-aggregated-map.md: by price, [price, level, null, null]; the data are nested twice.
BY_PRICE = {
    "data": {
        "60000": [[60000, 1579370.77, None, None], [60000, "20000.23", None, None]],
        "84105.5": [[84105.5, 500.0, None, None]],
        "70000": [[70000, 0, None, None]],
    }
}
# What clients with a key report instead: such a map for each exchange.
BY_EXCHANGE = {
    "data": [
        {"instrument": {"exName": "OKX"}, "liqMapV2": {"60000": [[60000, 1, None, None]]}},
        {
            "instrument": {"exName": "Bybit", "instrumentId": "BTCUSDT"},
            "liqMapV2": {"60000": [[60000, 2, 25, None]], "84000": [[84000, 4, None, None]]},
        },
    ],
    "last_price": 71450,
}
# liquidation-aggregate-heatmap.md: [x, y, level]; candles in seconds, as text.
CELLS = {
    "y_axis": [60000, 70000, 72000, 80000],
    "liquidation_leverage_data": [[0, 0, 99.0], [1, 3, 5.5], [1, 0, "2.5"], [1, 1, 7], [1, 2, 0]],
    "price_candlesticks": [[1722676500, "61486", "61596.4", "61434.4", "61539.9", "63753192.1"]],
}


def read(
    answer: Any, settings: CoinGlassSettings = MAP, exchanges: tuple[str, ...] = ("Binance", "CME")
) -> ImportedMap:
    return read_map(
        msgspec.Raw(encode(answer)),
        settings,
        "BTC",
        exchanges=exchanges,
        price=71450.0,
        now_ms=NOW_MS,
    )


def refusal(answer: Any, settings: CoinGlassSettings = MAP, **options: Any) -> str:
    with pytest.raises(Refused) as caught:
        read(answer, settings, **options)
    return caught.value.reason


def test_levels_above_the_price_are_shorts_and_those_below_are_longs() -> None:
    assert read(BY_PRICE) == ImportedMap(
        source="coinglass-map",
        symbol="BTC",
        as_of_ms=NOW_MS,
        venues=frozenset({"binance-usdm", "binance-coinm"}),
        levels=(MapLevel(60000, 60000, 1599371.0, 0), MapLevel(84105.5, 84105.5, 0, 500)),
        relative=True,
    )


def test_maps_of_several_exchanges_are_one_and_it_covers_those() -> None:
    found = read(BY_EXCHANGE)

    assert found.venues == {"okx-swap", "bybit-linear", "bybit-inverse"}
    assert found.levels == (MapLevel(60000, 60000, 3, 0), MapLevel(84000, 84000, 0, 4))


def test_the_newest_column_of_the_heatmap_counts_and_cells_reach_half_way() -> None:
    found = read(CELLS, HEATMAP)

    assert found.source == "coinglass-heatmap"
    assert found.levels == (
        MapLevel(60000, 65000, 2.5, 0),
        MapLevel(65000, 71000, 7, 0),
        MapLevel(76000, 80000, 0, 5.5),
    )


WRONG = "its answer is not as documented: Expected"
TOO_MANY = {str(at): [[at, 1]] for at in range(60_000, 60_001 + MOST_LEVELS)}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"data": {}}, "its map is empty"),
        (
            {"data": {"84000": [[84000, 1]]}},
            "all its levels are on one side of the price: another coin or another unit",
        ),
        ({"data": TOO_MANY}, "its map has more than 20,000 levels: ask for fewer days"),
        ({"data": {"1": [[1, -5]]}}, f"{WRONG} `float` >= 0.0 - at `$.data[...][0][1]`"),
        ({"data": {"1": [[1, "nan"]]}}, f"{WRONG} `float` >= 0.0 - at `$.data[...][0][1]`"),
        ([], f"{WRONG} `object`, got `array`"),
        (None, f"{WRONG} `object`, got `null`"),
    ],
)
def test_a_map_that_cannot_be_one_is_refused(answer: Any, reason: str) -> None:
    assert refusal(answer) == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"y_axis": [60000, 70000]}, "a cell beyond the price axis"),
        ({"y_axis": [60000, 72000, 70000, 80000]}, "the price axis does not rise in steps"),
        ({"y_axis": [1, 72000, 73000, 80000]}, "the price axis does not rise in steps"),
    ],
)
def test_a_heatmap_that_cannot_be_one_is_refused(change: dict[str, Any], reason: str) -> None:
    assert refusal(CELLS | change, HEATMAP) == f"its heatmap is not as documented: {reason}"


def test_a_map_of_unknown_exchanges_only_is_refused() -> None:
    reason = refusal(BY_PRICE, exchanges=("CME",))

    assert reason == "it covers none of the venues known here"


def test_every_exchange_name_stands_for_venues_of_the_registry() -> None:
    assert {venue for venues in module._VENUES.values() for venue in venues} <= set(EXCHANGES)


def test_addresses_are_those_of_the_documents() -> None:
    prefix = "/api/futures/liquidation"

    assert map_path(MAP, "BTC") == f"{prefix}/aggregated-map?symbol=BTC&range=7d"
    assert map_path(HEATMAP, "A&B") == (
        f"{prefix}/aggregated-heatmap/model1?symbol=A%26B&range=24h"
    )
    assert exchange_list_path("BTC") == f"{prefix}/exchange-list?symbol=BTC&range=1h"
    assert orders_path("BTC", "Binance", NOW_MS) == (
        f"{prefix}/order?exchange=Binance&symbol=BTC&min_liquidation_amount=1000"
        "&start_time=1791562000000&end_time=1791565600000"
    )


# -- what went wrong ----------------------------------------------------------------------------

PLAN = "the plan of this API key is too small: the map needs Professional or higher"
KEY = "the API key is not accepted: put a valid one into key_file"


@pytest.mark.parametrize(
    ("status", "text", "retry_after", "reason", "wait_s"),
    [
        (200, b'{"code":"401","msg":"Upgrade plan"}', None, PLAN, 0),
        (403, b'{"code":"40001","msg":"Upgrade plan"}', None, PLAN, 0),
        (200, b'{"code":"400","msg":"API key missing."}', None, KEY, 0),
        (401, b"", None, KEY, 0),
        (200, b'{"code":"429","msg":"Too Many Requests"}', None, "too many requests", 60),
        (429, b"slow down", "7", "too many requests", 7),
        (429, b"", "Wed, 21 Oct 2026 07:28:00 GMT", "too many requests", 60),
        (
            200,
            b'{"code":400,"msg":"symbol\\nis wrong"}',
            None,
            "it answered 400 (HTTP 200) symbolis wrong",
            0,
        ),
        (500, b"<html>", "30", "it answered 500 (HTTP 500)", 30),
        (200, b"<html>", None, "it answered unreadable (HTTP 200)", 0),
        (302, b'{"code":"0","data":{}}', None, "it answered 0 (HTTP 302)", 0),
    ],
)
def test_errors_say_what_is_needed_whatever_the_http_status(
    status: int, text: bytes, retry_after: str | None, reason: str, wait_s: float
) -> None:
    with pytest.raises(Refused) as caught:
        unwrap(status, text, retry_after)

    assert (caught.value.reason, caught.value.wait_s) == (reason, wait_s)


def test_success_is_the_code_0_as_text() -> None:
    assert bytes(unwrap(200, b'{"code":"0","msg":"success","data":[1]}', None)) == b"[1]"


@given(st.binary(max_size=300))
def test_no_answer_is_beyond_words(text: bytes) -> None:
    reasons = []
    for reader in (
        lambda: unwrap(200, text, None),
        lambda: read_orders(msgspec.Raw(text)),
        lambda: read_map(msgspec.Raw(text), MAP, "BTC", exchanges=(), price=1.0, now_ms=NOW_MS),
    ):
        try:
            reader()
        except Refused as refused:
            reasons.append(refused.reason)

    assert all(reason.isprintable() and len(reason) <= 160 for reason in reasons)


# -- sides --------------------------------------------------------------------------------------


def orders(of_1: float, of_2: float, *, count: int = 10) -> list[Order]:
    one, two = Order(1, 2 * of_1 / count), Order(2, 2 * of_2 / count)
    return [one, two] * (count // 2)


LONGS = Split(exchange="Bybit", long_usd=8e6, short_usd=1e6)
SHORTS = Split(exchange="Bybit", long_usd=1e6, short_usd=8e6)
NEITHER = Split(exchange="Bybit", long_usd=5e6, short_usd=5e6)


@pytest.mark.parametrize(
    ("split", "found", "expected"),
    [
        (LONGS, orders(8e5, 1e5), Position.LONG),
        (LONGS, orders(1e5, 8e5), Position.SHORT),
        (SHORTS, orders(8e5, 1e5), Position.SHORT),
        (SHORTS, orders(1e5, 8e5), Position.LONG),
        (NEITHER, orders(1e5, 8e5), None),
        (LONGS, orders(5e5, 4e5), None),
        (LONGS, orders(8e5, 1e5, count=8), None),
        (LONGS, [], None),
        (Split(exchange="Bybit", long_usd=0, short_usd=0), orders(1e5, 8e5), None),
    ],
)
def test_a_side_is_decided_by_an_hour_in_which_one_clearly_outweighs(
    split: Split, found: list[Order], expected: Position | None
) -> None:
    assert position_of_side_1(split, found) is expected


def test_exchange_list_and_orders_are_read_as_documented() -> None:
    # liquidation-exchange-list.md and liquidation-order.md
    listed = [
        {"exchange": "All", "long_liquidation_usd": 1, "short_liquidation_usd": 2},
        {"exchange": "Bybit", "long_liquidation_usd": "1.5", "short_liquidation_usd": 2},
    ]
    ordered = [
        {"exchange_name": "BINANCE", "symbol": "BTCUSDT", "base_asset": "BTC", "price": 87535.9,
         "usd_value": 205534.2932, "side": 2, "time": 1745216319263},
    ]  # fmt: skip

    assert read_exchange_list(msgspec.Raw(encode(listed))) == [Split("Bybit", 1.5, 2.0)]
    assert read_orders(msgspec.Raw(encode(ordered))) == [Order(2, 205534.2932)]
