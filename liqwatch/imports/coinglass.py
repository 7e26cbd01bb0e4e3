"""CoinGlass API v4: its liquidation map and heatmap, and what its sides mean.

https://github.com/coinglass-api/coinglass-api-docs (rest/Futures/Liquidation): aggregated map,
aggregated heatmap model 1, exchange list, liquidation order; errors-rate-limits; and, for limits a
minute and response headers, https://github.com/coinglass-official/coinglass-api-skills.

The amounts are a modelled intensity without a documented unit: larger and smaller, no dollars. A
level carries no side; shorts are liquidated above the price, longs below.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from liqwatch.events import Position
from liqwatch.imports.errors import Refused
from liqwatch.imports.settings import CoinGlassSettings
from liqwatch.map_import import MOST_LEVELS, WIDEST, ImportedMap, MapLevel

REQUESTS_PER_MINUTE = 30  # of the smallest plan, so within every plan

_FOLDER = "/api/futures/liquidation/"
_HEATMAP_RANGES = {1: "24h", 7: "7d", 30: "30d"}
_HOUR_MS = 3_600_000
_RATE_LIMIT_PAUSE_S = 60.0  # limits are counted by the minute
_LEAST_ORDERS = 10
_LEAN = 0.65  # share of one side from which on an hour has leant that way

# Their names, in lower case, of the venues we have; the other exchanges are none of ours.
_VENUES = {
    "aster": ("aster",),
    "binance": ("binance-usdm", "binance-coinm"),
    "bitfinex": ("bitfinex",),
    "bitget": ("bitget-usdt",),
    "bybit": ("bybit-linear", "bybit-inverse"),
    "deribit": ("deribit",),
    "dydx": ("dydx",),
    "gate": ("gate-usdt",),
    "gate.io": ("gate-usdt",),
    "htx": ("htx-linear",),
    "hyperliquid": ("hyperliquid",),
    "kraken": ("kraken-futures",),
    "lighter": ("lighter",),
    "okx": ("okx-swap",),
    "paradex": ("paradex",),
}

_Price = Annotated[float, Meta(gt=0, lt=1e15)]
_Amount = Annotated[float, Meta(ge=0, lt=1e15)]
_Index = Annotated[int, Meta(ge=0)]

T = TypeVar("T")


# -- questions ----------------------------------------------------------------------------------


def map_path(settings: CoinGlassSettings, symbol: str) -> str:
    """Return where the map of a coin is asked for."""
    if settings.product == "map":
        return _path("aggregated-map", symbol=symbol, range=f"{settings.days}d")
    ranges = _HEATMAP_RANGES[settings.days]
    return _path("aggregated-heatmap/model1", symbol=symbol, range=ranges)


def exchange_list_path(symbol: str) -> str:
    """Return where the longs and shorts of the last hour are asked for, by exchange."""
    return _path("exchange-list", symbol=symbol, range="1h")


def orders_path(symbol: str, exchange: str, now_ms: int) -> str:
    """Return where the single liquidations of the last hour are asked for."""
    return _path(
        "order",
        exchange=exchange,
        symbol=symbol,
        min_liquidation_amount="1000",
        start_time=now_ms - _HOUR_MS,
        end_time=now_ms,
    )


def _path(endpoint: str, **query: str | int) -> str:
    return f"{_FOLDER}{endpoint}?{urlencode(query)}"


# -- the envelope -------------------------------------------------------------------------------


class _Envelope(msgspec.Struct):
    code: str | int
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


def unwrap(status: int, text: bytes, retry_after: str | None) -> msgspec.Raw:
    """Return the data of an answer: errors, too, may come with HTTP 200. Raises Refused."""
    try:
        envelope = msgspec.json.decode(text, type=_Envelope)
    except (ValueError, RecursionError):
        envelope = _Envelope(code=status if status != 200 else "unreadable")
    code, said = str(envelope.code), envelope.msg.casefold()
    if status == 200 and code == "0":
        return envelope.data
    if "429" in (str(status), code):
        raise Refused("too many requests", wait_s=_seconds(retry_after) or _RATE_LIMIT_PAUSE_S)
    if "upgrade" in said or "plan" in said.split():  # {"code":"401","msg":"Upgrade plan"}
        raise Refused("the plan of this API key is too small: the map needs Professional or higher")
    if status == 401 or code == "401" or "api key" in said:
        raise Refused("the API key is not accepted: put a valid one into key_file")
    shown = "".join(letter for letter in envelope.msg[:80] if letter.isprintable())
    raise Refused(
        f"it answered {code} (HTTP {status}) {shown}".rstrip(), wait_s=_seconds(retry_after)
    )


def _seconds(retry_after: str | None) -> float:
    # Only the form in seconds; a date is taken as unknown.
    given = retry_after or ""
    return min(float(given), 86_400.0) if given.isascii() and given.isdigit() else 0.0


# -- what its sides mean ------------------------------------------------------------------------


class Split(msgspec.Struct, frozen=True):
    """What was liquidated on one exchange in the last hour."""

    exchange: str
    long_usd: _Amount = msgspec.field(name="long_liquidation_usd")
    short_usd: _Amount = msgspec.field(name="short_liquidation_usd")


def read_exchange_list(data: msgspec.Raw) -> list[Split]:
    """Return the exchanges that CoinGlass covers. Raises Refused."""
    return [one for one in _read(data, list[Split]) if one.exchange != "All"]


class Order(msgspec.Struct, frozen=True):
    """One liquidation. Its `side` is documented both as the order's and as the position's."""

    side: int
    usd_value: _Amount


def read_orders(data: msgspec.Raw) -> list[Order]:
    """Return single liquidations. Raises Refused."""
    return _read(data, list[Order])


def position_of_side_1(split: Split, orders: Collection[Order]) -> Position | None:
    """Return whose liquidations have side 1, as the exchange list of the same hour has it.

    REST documents 1 as a buy order, so a short; the websocket documents 1 as a long. Only an hour
    in which one side clearly outweighs the other tells; None where this one does not.
    """
    of_1 = sum(order.usd_value for order in orders if order.side == 1)
    of_2 = sum(order.usd_value for order in orders if order.side == 2)
    leaning, longs_lean = _leaning(of_1, of_2), _leaning(split.long_usd, split.short_usd)
    if len(orders) < _LEAST_ORDERS or not leaning * longs_lean:
        return None
    return Position.LONG if leaning == longs_lean else Position.SHORT


def _leaning(one: float, other: float) -> int:
    """Return 1 where the first clearly outweighs, -1 where the second does, else 0."""
    share = one / (one + other) if one + other else 0.5
    return (share >= _LEAN) - (share <= 1 - _LEAN)


# -- the map ------------------------------------------------------------------------------------


class _Level(msgspec.Struct, array_like=True):
    price: _Price
    amount: _Amount


_Levels = dict[str, list[_Level]]


class _Instrument(msgspec.Struct):
    exchange: str = msgspec.field(name="exName")


class _OfExchange(msgspec.Struct):
    instrument: _Instrument
    levels: _Levels = msgspec.field(name="liqMapV2")


class _Map(msgspec.Struct):
    # Documented as levels by price; clients with a key report one such map for each exchange.
    data: list[_OfExchange] | _Levels


class _Cell(msgspec.Struct, array_like=True):
    x: _Index
    y: _Index
    amount: _Amount


class _Heatmap(msgspec.Struct):
    y_axis: list[_Price]
    cells: list[_Cell] = msgspec.field(name="liquidation_leverage_data")


def read_map(
    data: msgspec.Raw,
    settings: CoinGlassSettings,
    symbol: str,
    *,
    exchanges: Iterable[str],
    price: float,
    now_ms: int,
) -> ImportedMap:
    """Read the answer to `map_path`: levels above `price` are shorts, those below are longs.

    It covers the exchanges it names, else all `exchanges` of the list. Raises Refused.
    """
    if settings.product == "heatmap":
        levels = _heatmap_levels(_read(data, _Heatmap))
    else:
        answer = _read(data, _Map).data
        levels = _map_levels(answer)
        if isinstance(answer, list):
            exchanges = [one.instrument.exchange for one in answer]
    if not levels:
        raise Refused("its map is empty")
    if len(levels) > MOST_LEVELS:
        raise Refused(f"its map has more than {MOST_LEVELS:,} levels: ask for fewer days")
    if not levels[0][0] < price < levels[-1][1]:
        raise Refused("all its levels are on one side of the price: another coin or another unit")
    venues = {venue for name in exchanges for venue in _VENUES.get(name.casefold(), ())}
    if not venues:
        raise Refused("it covers none of the venues known here")
    return ImportedMap(
        source=f"coinglass-{settings.product}",
        symbol=symbol,
        as_of_ms=now_ms,
        venues=frozenset(venues),
        levels=tuple(_level(*level, price) for level in levels),
        relative=True,
    )


def _map_levels(answer: list[_OfExchange] | _Levels) -> list[tuple[float, float, float]]:
    amounts: defaultdict[float, float] = defaultdict(float)
    for levels in [one.levels for one in answer] if isinstance(answer, list) else [answer]:
        for rows in levels.values():
            for level in rows:
                amounts[level.price] += level.amount
    return [(price, price, amount) for price, amount in sorted(amounts.items()) if amount]


def _heatmap_levels(heatmap: _Heatmap) -> list[tuple[float, float, float]]:
    """The newest column; a cell reaches half-way to its neighbours."""
    y, newest = heatmap.y_axis, max((cell.x for cell in heatmap.cells), default=0)
    amounts: defaultdict[int, float] = defaultdict(float)
    for cell in heatmap.cells:
        if cell.y >= len(y):
            raise Refused("its heatmap is not as documented: a cell beyond the price axis")
        if cell.x == newest and cell.amount:
            amounts[cell.y] += cell.amount
    if any(not low < high < WIDEST * low for low, high in pairwise(y)):
        raise Refused("its heatmap is not as documented: the price axis does not rise in steps")
    edges = [*y[:1], *((low + high) / 2 for low, high in pairwise(y)), *y[-1:]]
    return [(edges[at], edges[at + 1], amount) for at, amount in sorted(amounts.items())]


def _level(low: float, high: float, amount: float, price: float) -> MapLevel:
    is_short = (low + high) / 2 > price
    return MapLevel(low, high, 0.0 if is_short else amount, amount if is_short else 0.0)


def _read(data: msgspec.Raw, kind: type[T]) -> T:
    # Numbers are text in some of its answers and numbers in others.
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (ValueError, RecursionError) as error:
        raise Refused(f"its answer is not as documented: {error}"[:160]) from None
