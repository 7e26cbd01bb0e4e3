"""Binance USDⓈ-M perpetuals: one combined websocket of the routed `/market` class, and REST.

Documentation: developers.binance.com/docs/derivatives/usds-margined-futures, pages
websocket-market-streams (Aggregate-Trade-Streams, All-Market-Liquidation-Order-Streams,
Mark-Price-Stream, Important-WebSocket-Change-Notice), market-data/rest-api (Exchange-Information,
Open-Interest), and derivatives/change-log. One payload per channel:

    <symbol>@aggTrade     {"e":"aggTrade","E":1700000000120,"a":5933014,"s":"BTCUSDT",
                           "p":"60000.10","q":"0.250","f":100,"l":105,"T":1700000000000,"m":true,"st":1}
    !forceOrder@arr       {"e":"forceOrder","E":1700000001050,"o":{"s":"BTCUSDT","S":"SELL",
                           "o":"LIMIT","f":"IOC","q":"0.500","p":"59500.00","ap":"59990.00",
                           "X":"FILLED","l":"0.100","z":"0.400","T":1700000000050,"st":1}}
    <symbol>@markPrice@1s {"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT","p":"60001.00",
                           "i":"60000.50","P":"60000.00","r":"0.00010000","T":1700006400000}
    /fapi/v1/openInterest {"openInterest":"10659.509","symbol":"BTCUSDT","time":1700000000000}

The old unrouted paths still open and acknowledge, and deliver nothing: never use them here.
"""

from collections.abc import Collection, Sequence
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from liqwatch.events import (
    Completeness,
    ContractType,
    Funding,
    Instrument,
    Liquidation,
    MarketEvent,
    MarkPrice,
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import (
    Acknowledged,
    Channel,
    Control,
    Endpoint,
    Exchange,
    MalformedFrame,
    Poll,
    Refused,
)
from liqwatch.exchanges.seen import SeenIds, SeenKeys, remember
from liqwatch.exchanges.symbols import choose, coin_of
from liqwatch.exchanges.wire import (
    UNREADABLE,
    Amount,
    Blank,
    Id,
    Millis,
    Moment,
    Positive,
    Rate,
    batches,
    each_good,
    ignore,
    read,
    read_rows,
)

_WEBSOCKET = "wss://fstream.binance.com/market/stream"
_REST = "https://fapi.binance.com"
_STREAMS_PER_CONNECTION = 1000  # 1,024 documented
_STREAMS_PER_REQUEST = 200
_POLLS_PER_S = 20  # weight 1 each: half of the 2,400 a minute an address may use


class _AggTrade(Struct, gc=False, tag_field="e", tag="aggTrade"):
    symbol: str = field(name="s")
    id: Id = field(name="a")
    price: Positive = field(name="p")
    size: Positive = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")
    market: int = field(name="st", default=1)


class _SingleTrade(Struct, gc=False, tag_field="e", tag="trade"):
    symbol: str = field(name="s")
    id: Id = field(name="t")
    price: Amount = field(name="p")
    size: Amount = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")
    origin: str = field(name="X", default="MARKET")  # the form of 2019 has none
    market: int = field(name="st", default=1)


class _Order(Struct, gc=False):
    symbol: str = field(name="s")
    side: Literal["BUY", "SELL"] = field(name="S")
    average_price: Amount = field(name="ap")
    filled: Amount = field(name="z")
    time: Millis = field(name="T")
    market: int = field(name="st", default=1)


class _ForceOrder(Struct, gc=False, tag_field="e", tag="forceOrder"):
    order: _Order = field(name="o")
    market: int = field(name="st", default=1)


class _MarkPriceUpdate(Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    symbol: str = field(name="s")
    time: Millis = field(name="E")
    price: Positive = field(name="p")
    index_price: Amount | Blank = field(name="i", default="")
    rate: Rate | Blank = field(name="r", default="")
    next_time: Moment = field(name="T", default=0)
    market: int = field(name="st", default=1)


_Payload = _AggTrade | _SingleTrade | _ForceOrder | _MarkPriceUpdate


class _Combined(Struct, gc=False):
    data: _Payload


class _Error(Struct):
    code: int = 0
    msg: str = ""


class _Envelope(Struct):
    """Any frame that is an object: combined, raw, or the answer to a request."""

    data: Raw | UnsetType = UNSET
    result: list[str] | UnsetType | None = UNSET
    error: _Error | UnsetType = UNSET


class _Kind(Struct):
    kind: str = field(name="e", default="")


class _Filter(Struct, rename="camel"):
    tick_size: Positive | None = None  # of PRICE_FILTER only


class _Listing(Struct, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    filters: list[_Filter]


class _ExchangeInfo(Struct):
    symbols: list[Raw]


class _OpenInterest(Struct):
    symbol: str
    time: Millis
    size: Amount = field(name="openInterest")


class _State(Struct):
    instruments: dict[str, Instrument]
    aggregates: SeenIds
    singles: SeenIds
    orders: list[str]
    funding: dict[str, tuple[float, int]]


_combined = msgspec.json.Decoder(_Combined, strict=False)
_payload = msgspec.json.Decoder(_Payload, strict=False)
_outer = msgspec.json.Decoder(_Envelope | list[Raw])
_kind = msgspec.json.Decoder(_Kind)
_exchange_info = msgspec.json.Decoder(_ExchangeInfo)
_listing = msgspec.json.Decoder(_Listing, strict=False)
_open_interest = msgspec.json.Decoder(_OpenInterest, strict=False)
_state = msgspec.msgpack.Decoder(_State)

_KINDS = frozenset({"aggTrade", "trade", "forceOrder", "markPriceUpdate"})
_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class BinanceUsdm(Exchange):
    """Binance's dollar-margined perpetuals.

    Since 2026-06-30 all-market streams carry coin-margined contracts as well, in other units:
    those (`st` 2, or a `_` in the name) are counted as `not_this_market` and dropped.
    """

    venue = "binance-usdm"
    title = "Binance USDⓈ-M"
    completeness = Completeness.SAMPLED
    channels = frozenset(
        {
            Channel.TRADES,
            Channel.LIQUIDATIONS,
            Channel.OPEN_INTEREST,
            Channel.MARK_PRICE,
            Channel.FUNDING,
        }
    )
    usual_liquidations_per_h = 1500
    limits = "at most one liquidation per symbol and second is shown, so totals are a floor"
    connects_per_s = 1.0  # 300 in 5 minutes

    def __init__(self) -> None:
        super().__init__()
        self._aggregates = SeenIds()
        self._singles = SeenIds()
        self._orders = SeenKeys()
        self._funding: dict[str, tuple[float, int]] = {}  # rate and next time by instrument

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of instruments."""
        return [Poll(url=f"{_REST}/fapi/v1/exchangeInfo", interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Spread trades, mark prices and the one all-market liquidation stream over connections."""
        names = [name.lower() for name in self._names(symbols)]
        if not names:
            return []
        topics = ["!forceOrder@arr"]
        for name in names:
            topics += [f"{name}@aggTrade", f"{name}@markPrice@1s"]
        connections = -(-len(topics) // _STREAMS_PER_CONNECTION)
        return [_endpoint(part) for part in batches(topics, -(-len(topics) // connections))]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Ask for open interest, which no stream brings, within half of the weight allowed."""
        names = self._names(symbols)
        interval_s = max(10.0, len(names) / _POLLS_PER_S)
        url = f"{_REST}/fapi/v1/openInterest?symbol="
        return [
            *self.bootstrap(),
            *(Poll(url=url + quote(name), interval_s=interval_s) for name in names),
        ]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame, combined, raw or an array of raw ones, into events."""
        try:
            payload = _combined.decode(frame).data
        except UNREADABLE:
            return self._second_look(frame, received)
        if type(payload) is _AggTrade:  # nine frames of ten
            return self._trade(payload, self._aggregates, received)
        return self._events(payload, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn an exchangeInfo or openInterest answer into events."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path == "/fapi/v1/exchangeInfo":
            return self._instruments(text, received)
        if path == "/fapi/v1/openInterest":
            return self._open_interest(text, received)
        ignore(self.counts, path)
        return _NO_EVENTS

    def snapshot(self) -> bytes:
        """Instruments, ids and orders already seen, funding last told."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                aggregates=self._aggregates,
                singles=self._singles,
                orders=self._orders.keys(),
                funding=self._funding,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._aggregates = saved.aggregates
        self._singles = saved.singles
        self._orders = SeenKeys(saved.orders)
        self._funding = saved.funding

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(symbols, self.instruments, suffix="USDT", trading="TRADING")

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not one combined payload of interest, row by row."""
        outer = read(_outer, frame)
        rows: Sequence[str | bytes | Raw] = [frame]
        if isinstance(outer, list):
            rows = outer
        elif outer.error is not UNSET:
            return [Refused(f"{outer.error.code} {outer.error.msg}".strip())]
        elif outer.result is not UNSET:
            return [Acknowledged(tuple(outer.result or ()))]
        elif outer.data is not UNSET:
            is_array = bytes(outer.data).lstrip().startswith(b"[")
            rows = read_rows(outer.data) if is_array else [outer.data]
        return each_good(rows, lambda row: self._row(row, received), self.counts)

    def _row(self, row: str | bytes | Raw, received: int) -> Sequence[MarketEvent]:
        kind = read(_kind, row).kind
        if kind not in _KINDS:
            ignore(self.counts, kind)
            return _NO_EVENTS
        return self._events(read(_payload, row), received)

    def _events(self, payload: _Payload, received: int) -> Sequence[MarketEvent]:
        match payload:
            case _AggTrade():
                return self._trade(payload, self._aggregates, received)
            case _SingleTrade():
                return self._single_trade(payload, received)
            case _ForceOrder():
                return self._liquidation(payload, received)
            case _MarkPriceUpdate():
                return self._mark_price(payload, received)

    def _dropped(self, name: str, market: int) -> Sequence[MarketEvent]:
        other = market != 1 or "_" in name
        self.counts["not_this_market" if other else "unknown_instrument"] += 1
        return _NO_EVENTS

    def _trade(
        self, trade: _AggTrade | _SingleTrade, seen: SeenIds, received: int
    ) -> Sequence[MarketEvent]:
        coin = coin_of(trade.symbol)
        if coin is None or trade.market != 1:
            return self._dropped(trade.symbol, trade.market)
        if not seen.add(trade.symbol, trade.id):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        return (
            Trade(
                self.venue,
                symbol,
                trade.symbol,
                trade.time,
                received,
                trade.price / multiplier,
                trade.size * multiplier,
                # The buyer's order waited in the book: the taker sold.
                _SELL if trade.buyer_is_maker else _BUY,
                str(trade.id),
            ),
        )

    def _single_trade(self, trade: _SingleTrade, received: int) -> Sequence[MarketEvent]:
        if trade.origin not in {"MARKET", "RPI"}:
            # INSURANCE_FUND and ADL: liquidations the book could not take. Not market trades.
            self.counts[f"not_a_trade:{_ORIGINS.get(trade.origin, 'other')}"] += 1
            return _NO_EVENTS
        if trade.price == 0 or trade.size == 0:
            raise MalformedFrame("bad_field", "trade without price or size")
        return self._trade(trade, self._singles, received)

    def _liquidation(self, forced: _ForceOrder, received: int) -> Sequence[MarketEvent]:
        order = forced.order
        # `st` stands inside the order in production, beside it in the official client's model.
        coin = coin_of(order.symbol)
        if coin is None or max(order.market, forced.market) != 1:
            return self._dropped(order.symbol, max(order.market, forced.market))
        if order.filled == 0:
            self.counts["unfilled"] += 1
            return _NO_EVENTS
        if order.average_price == 0:
            raise MalformedFrame("bad_field", "filled order without average price")
        key = f"{order.symbol} {order.time} {order.side} {order.filled} {order.average_price}"
        if not self._orders.add(key):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=order.symbol,
                time=order.time,
                received=received,
                # The side is that of the forced order: selling closes a long.
                position=Position.LONG if order.side == "SELL" else Position.SHORT,
                size=order.filled * multiplier,
                price=order.average_price / multiplier,
                price_kind=PriceKind.FILL,
                notional_usd=order.filled * order.average_price,
                completeness=self.completeness,
            ),
        )

    def _mark_price(self, mark: _MarkPriceUpdate, received: int) -> Sequence[MarketEvent]:
        coin = coin_of(mark.symbol)
        if coin is None or mark.market != 1:
            return self._dropped(mark.symbol, mark.market)
        symbol, multiplier = coin
        events: list[MarketEvent] = [
            MarkPrice(
                venue=self.venue,
                symbol=symbol,
                instrument=mark.symbol,
                time=mark.time,
                received=received,
                price=mark.price / multiplier,
                index_price=mark.index_price / multiplier if mark.index_price else None,
            )
        ]
        if mark.rate != "" and self._funding.get(mark.symbol) != (mark.rate, mark.next_time):
            remember(self._funding, mark.symbol, (mark.rate, mark.next_time))
            events.append(
                Funding(
                    venue=self.venue,
                    symbol=symbol,
                    instrument=mark.symbol,
                    time=mark.time,
                    received=received,
                    rate=mark.rate,
                    next_time=mark.next_time or None,
                )
            )
        return events

    def _open_interest(self, text: str, received: int) -> Sequence[MarketEvent]:
        answer = read(_open_interest, text)
        coin = coin_of(answer.symbol)
        if coin is None:
            return self._dropped(answer.symbol, 1)
        symbol, multiplier = coin
        return [
            OpenInterest(
                venue=self.venue,
                symbol=symbol,
                instrument=answer.symbol,
                time=answer.time,
                received=received,
                size=answer.size * multiplier,
            )
        ]

    def _instruments(self, text: str, received: int) -> Sequence[MarketEvent]:
        rows = read(_exchange_info, text).symbols
        listed = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(_listing, row)
        coin = coin_of(listing.symbol)
        if coin is None or not listing.contract_type.endswith("PERPETUAL"):
            return ()
        symbol, multiplier = coin
        tick_size = next((each.tick_size for each in listing.filters if each.tick_size), None)
        if tick_size is None:
            raise MalformedFrame("bad_field", f"{listing.symbol} has no tick size")
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.symbol,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR,
                contract_size=float(multiplier),
                tick_size=tick_size / multiplier,
                status=listing.status,
            ),
        )


_ORIGINS = {"INSURANCE_FUND": "insurance_fund", "ADL": "adl", "NA": "na"}


def _endpoint(topics: Sequence[str]) -> Endpoint:
    requests = [
        msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": number}).decode()
        for number, part in enumerate(batches(topics, _STREAMS_PER_REQUEST), start=1)
    ]
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(requests),
        topics=tuple(topics),
        request_gap_s=0.25,  # 10 frames a second are allowed, pings and pongs included
        protocol_ping_s=20,
        rotate_after_s=23 * 3600 + 50 * 60,  # cut by the venue after 24 h
    )
