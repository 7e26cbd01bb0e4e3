"""Bybit v5 linear perpetuals: one kind of websocket with text pings, and REST for the instruments.

Documentation: bybit-exchange.github.io/docs/v5, pages ws/connect, websocket/public/trade,
websocket/public/ticker, websocket/public/all-liquidation, market/instrument. One payload per topic:

    publicTrade.BTCUSDT    {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1700000000005,
                            "data":[{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"0.010",
                            "p":"60000.10","L":"PlusTick","i":"6f1c…","BT":false,"RPI":false}]}
    allLiquidation.BTCUSDT {"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1700000000500,
                            "data":[{"T":1700000000100,"s":"BTCUSDT","S":"Buy","v":"0.300",
                            "p":"59400.00"}]}
    tickers.BTCUSDT        {"topic":"tickers.BTCUSDT","type":"delta","ts":1700000000100,
                            "data":{"symbol":"BTCUSDT","markPrice":"60001.00",
                            "singleOpenInterest":"24000.5","fundingRate":"0.0001"}}

Every push of trades and liquidations says `snapshot`, which here does not mean history.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

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
    Alive,
    Channel,
    Control,
    Endpoint,
    Exchange,
    Heartbeat,
    MalformedFrame,
    Poll,
    Refused,
)
from liqwatch.exchanges.seen import SeenKeys, remember
from liqwatch.exchanges.symbols import choose, coin_of
from liqwatch.exchanges.wire import (
    UNREADABLE,
    Amount,
    Blank,
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

_WEBSOCKET = "wss://stream.bybit.com/v5/public/linear"
_INSTRUMENTS = "https://api.bybit.com/v5/market/instruments-info?category=linear&limit=1000"
_PAGES = 20  # more than any list has; a cursor that never ends must not keep us
_CHARACTERS_PER_CONNECTION = 21_000  # of all topics; the stricter reading of the documented limit
_TOPICS_PER_REQUEST = 30  # one bad topic fails its whole request, so they stay modest


class _Trade(Struct, gc=False):
    time: Millis = field(name="T")
    symbol: str = field(name="s")
    side: Literal["Buy", "Sell"] = field(name="S")
    size: Positive = field(name="v")
    price: Positive = field(name="p")
    id: str = field(name="i")
    block: bool = field(name="BT", default=False)


class _Trades(Struct, gc=False):
    topic: str
    rows: list[_Trade] = field(name="data")


class _Liquidation(Struct, gc=False):
    time: Millis = field(name="T")
    symbol: str = field(name="s")
    side: Literal["Buy", "Sell"] = field(name="S")
    size: Positive = field(name="v")
    price: Positive = field(name="p")


class _Ticker(Struct, gc=False, rename="camel"):
    symbol: str
    mark_price: Amount | Blank | None = None
    index_price: Amount | Blank | None = None
    open_interest: Amount | Blank | None = None
    open_interest_value: Amount | Blank | None = None
    single_open_interest: Amount | Blank | None = None
    single_open_interest_value: Amount | Blank | None = None
    funding_rate: Rate | Blank | None = None
    funding_interval_hour: Amount | Blank | None = None
    next_funding_time: Moment | Blank | None = None


class _Funding(Struct, frozen=True):
    """What the tickers of a symbol have told so far."""

    rate: float | None = None
    interval_hours: float | None = None
    next_time: int | None = None


class _Envelope(Struct):
    topic: str = ""
    ts: Millis | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    op: str = ""
    success: bool = True
    ret_msg: str = ""


class _PriceFilter(Struct, rename="camel"):
    tick_size: Positive


class _Listing(Struct, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    price_filter: _PriceFilter


class _Page(Struct):
    rows: list[Raw] = field(name="list")
    next_cursor: str = field(name="nextPageCursor", default="")


class _Answer(Struct):
    code: int = field(name="retCode")
    message: str = field(name="retMsg", default="")
    result: Raw | UnsetType = UNSET


class _State(Struct):
    instruments: dict[str, Instrument]
    next_cursors: dict[str, str]
    trades: list[str]
    liquidations: list[str]
    funding: dict[str, _Funding]


_trades = msgspec.json.Decoder(_Trades, strict=False)
_trade = msgspec.json.Decoder(_Trade, strict=False)
_liquidation = msgspec.json.Decoder(_Liquidation, strict=False)
_ticker = msgspec.json.Decoder(_Ticker, strict=False)
_envelope = msgspec.json.Decoder(_Envelope, strict=False)
_answer = msgspec.json.Decoder(_Answer)
_page = msgspec.json.Decoder(_Page)
_listing = msgspec.json.Decoder(_Listing, strict=False)
_state = msgspec.msgpack.Decoder(_State)

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_UNKNOWN_FUNDING = _Funding()
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class BybitLinear(Exchange):
    """Bybit's linear perpetuals (USDT and USDC); dated futures are counted and dropped.

    The list of instruments comes in pages: while an answer names a further page, `bootstrap`
    asks for that one, too, so ask again until it has nothing new.
    """

    venue = "bybit-linear"
    title = "Bybit linear"
    completeness = Completeness.FULL
    channels = frozenset(
        {
            Channel.TRADES,
            Channel.LIQUIDATIONS,
            Channel.OPEN_INTEREST,
            Channel.MARK_PRICE,
            Channel.FUNDING,
        }
    )
    limits = "every liquidation is shown, at its bankruptcy price instead of its fill"
    connects_per_s = 1.6  # 500 in 5 minutes

    def __init__(self) -> None:
        super().__init__()
        self._next_cursors: dict[str, str] = {}  # of each page of instruments, by its own cursor
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._funding: dict[str, _Funding] = {}

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of instruments: the first page, and every further one known so far."""
        return [Poll(url=url, interval_s=3600) for url in self._pages()]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to trades, tickers and liquidations of each coin on the same connection."""
        topics: list[str] = []
        endpoints: list[Endpoint] = []
        for name in self._names(symbols):
            more = [f"{kind}.{name}" for kind in ("publicTrade", "tickers", "allLiquidation")]
            if len(msgspec.json.encode(topics + more)) >= _CHARACTERS_PER_CONNECTION:
                endpoints.append(_endpoint(topics))
                topics = []
            topics += more
        if topics:
            endpoints.append(_endpoint(topics))
        return endpoints

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the instruments; streams bring everything else."""
        return self.bootstrap()

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = _trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        if not trades.topic.startswith("publicTrade."):
            return self._second_look(frame, received)
        return self._market_trades(trades.rows, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn one page of instruments into events."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if parts.path != "/v5/market/instruments-info" or query.get("category") != ["linear"]:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        answer = read(_answer, text)
        if answer.code != 0 or answer.result is UNSET:
            raise MalformedFrame("api_error", f"{answer.code} {answer.message[:200]}")
        cursor = query.get("cursor", [""])[0]
        return self._instruments(read(_page, answer.result), cursor, received)

    def snapshot(self) -> bytes:
        """Instruments and their pages, trades and liquidations already seen, funding last told."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                next_cursors=self._next_cursors,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                funding=self._funding,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._next_cursors = saved.next_cursors
        self._trades = SeenKeys(saved.trades)
        self._liquidations = SeenKeys(saved.liquidations)
        self._funding = saved.funding

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(symbols, self.instruments, suffix="USDT", trading="Trading")

    def _pages(self) -> Iterator[str]:
        yield _INSTRUMENTS
        cursor = ""
        for _ in range(_PAGES):
            cursor = self._next_cursors.get(cursor, "")
            if not cursor:
                return
            yield f"{_INSTRUMENTS}&cursor={quote(cursor, safe='')}"

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        message = read(_envelope, frame)
        if not message.topic:
            return self._control(message)
        kind = message.topic.partition(".")[0]
        if kind not in {"publicTrade", "allLiquidation", "tickers"}:
            ignore(self.counts, kind)
            return _NO_EVENTS
        if message.data is UNSET:
            raise MalformedFrame("bad_field", f"{kind} without data")
        if kind == "tickers":
            if message.ts is UNSET:
                raise MalformedFrame("bad_field", "ticker without time")
            return self._ticker(read(_ticker, message.data), message.ts, received)
        rows = read_rows(message.data)
        if kind == "publicTrade":
            return each_good(
                rows, lambda row: self._market_trades([read(_trade, row)], received), self.counts
            )
        told: Counter[str] = Counter()
        return each_good(
            rows,
            lambda row: self._liquidation(read(_liquidation, row), told, received),
            self.counts,
        )

    def _control(self, message: _Envelope) -> Sequence[Control]:
        if not message.success:
            # error:handler not found,topic:liquidation.BTCUSDT
            topic = message.ret_msg.partition("topic:")[2]
            return [Refused(message.ret_msg, (topic,) if topic else ())]
        if message.op == "subscribe":
            return [Acknowledged()]
        if message.op in {"ping", "pong"}:
            return [Alive()]
        ignore(self.counts, message.op)
        return ()

    def _dropped(self, name: str) -> Sequence[MarketEvent]:
        self.counts["not_this_market" if "-" in name else "unknown_instrument"] += 1
        return _NO_EVENTS

    def _market_trades(self, trades: list[_Trade], received: int) -> Sequence[MarketEvent]:
        events: list[MarketEvent] = []
        for trade in trades:
            coin = coin_of(trade.symbol)
            if coin is None:
                self._dropped(trade.symbol)
            elif trade.block:
                self.counts["block_trade"] += 1
            elif not self._trades.add(trade.id):
                self.counts["duplicate"] += 1
            else:
                symbol, multiplier = coin
                events.append(
                    Trade(
                        self.venue,
                        symbol,
                        trade.symbol,
                        trade.time,
                        received,
                        trade.price / multiplier,
                        trade.size * multiplier,
                        _BUY if trade.side == "Buy" else _SELL,
                        trade.id,
                    )
                )
        return events

    def _liquidation(
        self, row: _Liquidation, told: Counter[str], received: int
    ) -> Sequence[MarketEvent]:
        coin = coin_of(row.symbol)
        if coin is None:
            return self._dropped(row.symbol)
        # Equal rows of one frame are several liquidations; the same frame again is a repetition.
        key = f"{row.symbol} {row.time} {row.side} {row.size} {row.price}"
        told[key] += 1
        if not self._liquidations.add(f"{key} {told[key]}"):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=row.symbol,
                time=row.time,
                received=received,
                # The side is that of the position, unlike at most venues: "Buy" was a long.
                position=Position.LONG if row.side == "Buy" else Position.SHORT,
                size=row.size * multiplier,
                price=row.price / multiplier,
                price_kind=PriceKind.BANKRUPTCY,
                notional_usd=row.size * row.price,
                completeness=self.completeness,
            ),
        )

    def _ticker(self, ticker: _Ticker, time: int, received: int) -> Sequence[MarketEvent]:
        """Tell what this ticker brings: in a delta, an absent field means unchanged."""
        coin = coin_of(ticker.symbol)
        if coin is None:
            return self._dropped(ticker.symbol)
        symbol, multiplier = coin
        about = (self.venue, symbol, ticker.symbol, time, received)
        events: list[MarketEvent] = []
        if ticker.mark_price:
            index = ticker.index_price / multiplier if ticker.index_price else None
            events.append(MarkPrice(*about, ticker.mark_price / multiplier, index))
        size = _single_sided(ticker.single_open_interest, ticker.open_interest)
        if size is not None:
            value = _single_sided(ticker.single_open_interest_value, ticker.open_interest_value)
            events.append(OpenInterest(*about, size * multiplier, value))
        before = self._funding.get(ticker.symbol, _UNKNOWN_FUNDING)
        now = _Funding(
            ticker.funding_rate if isinstance(ticker.funding_rate, float) else before.rate,
            ticker.funding_interval_hour or before.interval_hours,
            ticker.next_funding_time or before.next_time,
        )
        if now != before:
            remember(self._funding, ticker.symbol, now)
            if now.rate is not None:
                events.append(Funding(*about, now.rate, now.interval_hours, now.next_time))
        return events

    def _instruments(self, page: _Page, cursor: str, received: int) -> Sequence[MarketEvent]:
        listed = each_good(page.rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        if not cursor:
            self.instruments, self._next_cursors = {}, {}
        self.instruments |= {instrument.instrument: instrument for instrument in listed}
        if page.next_cursor and len(self._next_cursors) < _PAGES:
            self._next_cursors[cursor] = page.next_cursor
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(_listing, row)
        coin = coin_of(listing.symbol)
        if coin is None or listing.contract_type != "LinearPerpetual":
            return ()
        symbol, multiplier = coin
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.symbol,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR,
                contract_size=float(multiplier),
                tick_size=listing.price_filter.tick_size / multiplier,
                status=listing.status,
            ),
        )


def _single_sided(single: Amount | Blank | None, double: Amount | Blank | None) -> float | None:
    """`openInterest` counts long and short; since 2026-06-11 there is a field that counts once."""
    if isinstance(single, float):
        return single
    return double / 2 if isinstance(double, float) else None


def _endpoint(topics: Sequence[str]) -> Endpoint:
    requests = [
        msgspec.json.encode({"op": "subscribe", "args": part}).decode()
        for part in batches(topics, _TOPICS_PER_REQUEST)
    ]
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(requests),
        topics=tuple(topics),
        heartbeat=Heartbeat(text='{"op":"ping"}', interval_s=20),
    )
