"""dYdX v4 perpetuals: the indexer's websocket for trades and oracle prices, its REST for the list.

Documentation: docs.dydx.xyz, pages indexer-client/websockets and indexer-client/http (list of
perpetual markets); limits and types of trades after github.com/dydxprotocol/v4-chain,
indexer/services/socks/src/config.ts and indexer/packages/postgres/src/types/trade-types.ts. One
payload per channel:

    v4_trades   {"type":"channel_data","connection_id":"3a2e…","message_id":424,"id":"BTC-USD",
                 "channel":"v4_trades","version":"2.1.0","contents":{"trades":[{"id":"0165e5e4…",
                 "size":"0.002","price":"60000","side":"BUY","type":"LIMIT",
                 "createdAt":"2023-11-14T22:13:20.000Z"}]}}
    v4_markets  {"type":"channel_data","connection_id":"3a2e…","message_id":425,
                 "channel":"v4_markets","version":"1.0.0","contents":{
                 "oraclePrices":{"BTC-USD":{"oraclePrice":"60001.5","marketId":0,
                 "effectiveAt":"2023-11-14T22:13:20.000Z","effectiveAtHeight":"12345679"}},
                 "trading":{"BTC-USD":{"id":"0","openInterest":"381.7"}}}}

`channel_batch_data` brings a list of such contents, `subscribed` the latest of the past. A trade of
type LIQUIDATED is a liquidation, whose taker is the account that is liquidated. Whose position a
DELEVERAGED trade closes is not documented, so those are only counted.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from liqwatch.events import (
    Completeness,
    ContractType,
    Funding,
    Instrument,
    Liquidation,
    MarginTier,
    MarginTiers,
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
from liqwatch.exchanges.seen import Newest, SeenKeys, remember
from liqwatch.exchanges.symbols import choose
from liqwatch.exchanges.wire import (
    NO_CAP,
    Amount,
    Blank,
    Id,
    Positive,
    Rate,
    Share,
    UtcTime,
    batches,
    each_good,
    ignore,
    milliseconds,
    read,
    read_rows,
)

_WEBSOCKET = "wss://indexer.dydx.trade/v4/ws"
_LIST = "https://indexer.dydx.trade/v4/perpetualMarkets"
_MARKETS_PER_CONNECTION = 32


class _Message(Struct):
    type: str = ""
    channel: str = ""
    id: str | int = ""
    connection_id: str = ""
    message_id: Id | None = None
    contents: Raw = Raw(b"{}")
    message: str = ""


class _Trade(Struct, gc=False, rename="camel"):
    created_at: UtcTime
    side: Literal["BUY", "SELL"]
    size: Positive
    price: Positive
    id: str = ""  # neither id nor type in the documentation's sample of 2023
    type: str = "LIMIT"


class _Trades(Struct):
    trades: list[Raw]


class _Facts(Struct, rename="camel"):
    oracle_price: Amount | Blank | None = None
    open_interest: Amount | Blank | None = None
    next_funding_rate: Rate | Blank | None = None
    effective_at: UtcTime | None = None


class _Markets(Struct, rename="camel"):
    markets: dict[str, Raw] = {}
    oracle_prices: dict[str, Raw] = {}
    trading: dict[str, Raw] = {}


class _Listing(Struct, rename="camel"):
    ticker: str
    status: str
    tick_size: Positive
    initial_margin_fraction: Share
    maintenance_margin_fraction: Share


class _List(Struct):
    markets: dict[str, Raw]


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: list[str]
    liquidations: list[str]
    newest: Newest
    funding: dict[str, float]
    message_ids: dict[str, int]


_message = msgspec.json.Decoder(_Message)
_trades = msgspec.json.Decoder(_Trades)
_trade = msgspec.json.Decoder(_Trade, strict=False)
_facts = msgspec.json.Decoder(_Facts, strict=False)
_markets = msgspec.json.Decoder(_Markets)
_listing = msgspec.json.Decoder(_Listing, strict=False)
_list = msgspec.json.Decoder(_List)
_state = msgspec.msgpack.Decoder(_State)

_MATCHES = {"LIMIT", "MARKET", "TWAP_SUBORDER", "LIQUIDATED"}
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class Dydx(Exchange):
    """dYdX's perpetuals, margined by their oracle price, which is told as the mark price.

    Every message names its connection and counts up there: ids left out are counted as `gap`.
    """

    venue = "dydx"
    title = "dYdX"
    completeness = Completeness.FULL
    channels = frozenset(
        {
            Channel.TRADES,
            Channel.LIQUIDATIONS,
            Channel.OPEN_INTEREST,
            Channel.MARK_PRICE,
            Channel.FUNDING,
            Channel.MARGIN_TIERS,
        }
    )
    limits = "every liquidation is shown, at its fill, large ones in parts over several blocks"
    connects_per_s = 1.0  # no limit is documented
    rest_per_s = 5.0  # 100 in 10 s

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._newest = Newest()
        self._funding: dict[str, float] = {}
        self._message_ids: dict[str, int] = {}  # the last one, by connection

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of markets."""
        return [Poll(url=_LIST, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the trades of 32 coins a connection, on the first to all oracle prices, too."""
        names = choose(symbols, self.instruments, suffix="-USD", trading="ACTIVE")
        parts = [
            [f"v4_trades:{name}" for name in part]
            for part in batches(names, _MARKETS_PER_CONNECTION)
        ]
        # Oracle prices first: their time tells which trades of the past are history.
        return [_endpoint(["v4_markets", *part]) for part in parts[:1]] + [
            _endpoint(part) for part in parts[1:]
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the list with its margins; streams bring everything else."""
        return self.bootstrap()

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        message = read(_message, frame)
        self._count_gap(message)
        match message.type:
            case "channel_data":
                return self._contents(message, [message.contents], received)
            case "channel_batch_data":
                return self._contents(message, read_rows(message.contents), received)
            case "subscribed":
                events = self._contents(message, [message.contents], received)
                return [Acknowledged(_topics(message)), *events]
            case _:
                return self._control(message)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn the list of markets into instruments, margins and what else it tells of them."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path != "/v4/perpetualMarkets":
            ignore(self.counts, path)
            return _NO_EVENTS
        rows = read(_list, text).markets.values()
        events = each_good(rows, lambda row: self._listed(row, received), self.counts)
        listed = [event for event in events if isinstance(event, Instrument)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of markets")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return events

    def snapshot(self) -> bytes:
        """Instruments, trades already seen, newest time, funding and message ids last told."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                newest=self._newest,
                funding=self._funding,
                message_ids=self._message_ids,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = SeenKeys(saved.trades)
        self._liquidations = SeenKeys(saved.liquidations)
        self._newest = saved.newest
        self._funding = saved.funding
        self._message_ids = saved.message_ids

    def _count_gap(self, message: _Message) -> None:
        if not message.connection_id or message.message_id is None:
            return
        last = self._message_ids.get(message.connection_id)
        if last is not None and message.message_id > last + 1:
            self.counts["gap"] += message.message_id - last - 1
        remember(self._message_ids, message.connection_id, message.message_id)

    def _control(self, message: _Message) -> Sequence[Control]:
        if message.type in {"connected", "pong"}:
            return [Alive()]
        if message.message:  # an error; {"message":"Rate limited"} has no type
            return [Refused(message.message, _topics(message))]
        ignore(self.counts, message.type)
        return ()

    def _contents(
        self, message: _Message, parts: Iterable[Raw], received: int
    ) -> Sequence[MarketEvent]:
        match message.channel:
            case "v4_trades":
                rows = each_good(parts, lambda part: read(_trades, part).trades, self.counts)
                return self._tape(message, rows, received)
            case "v4_markets":
                return each_good(
                    parts, lambda part: self._market_facts(part, received), self.counts
                )
            case _:
                ignore(self.counts, message.channel)
                return _NO_EVENTS

    def _tape(self, message: _Message, rows: Iterable[Raw], received: int) -> Sequence[MarketEvent]:
        name, is_replay = str(message.id), message.type == "subscribed"
        symbol = _coin(name)
        if symbol is None:
            self.counts["not_this_market"] += 1
            return _NO_EVENTS
        about = (self.venue, symbol, name)
        trades = each_good(rows, lambda row: [read(_trade, row)], self.counts)
        trades.sort(key=lambda trade: trade.created_at)  # the past comes newest first
        return each_good(
            trades,
            lambda trade: self._traded(about, trade, received, is_replay=is_replay),
            self.counts,
        )

    def _traded(
        self, about: tuple[str, str, str], row: _Trade, received: int, *, is_replay: bool
    ) -> Sequence[MarketEvent]:
        if row.type not in _MATCHES:
            kind = "deleveraged" if row.type == "DELEVERAGED" else "other"
            self.counts[f"not_a_trade:{kind}"] += 1
            return _NO_EVENTS
        time = milliseconds(row.created_at)
        is_old = self._newest.is_past(time, received, replayed=is_replay)
        key = row.id or f"{about[2]} {time} {row.side} {row.size} {row.price}"
        events: list[MarketEvent] = []
        if is_replay and is_old:
            # Not remembered: the past of all markets would push what is live out of memory.
            if row.type != "LIQUIDATED":
                self.counts["history"] += 1
        elif not self._trades.add(key):
            self.counts["duplicate"] += 1
        else:
            side = Side.BUY if row.side == "BUY" else Side.SELL
            events.append(Trade(*about, time, received, row.price, row.size, side, row.id or None))
        if row.type == "LIQUIDATED":
            if self._liquidations.add(key):
                events.append(self._liquidation(about, time, row, received, history=is_old))
            else:
                self.counts["duplicate"] += 1
        return events

    def _liquidation(
        self,
        about: tuple[str, str, str],
        time: int,
        row: _Trade,
        received: int,
        *,
        history: bool,
    ) -> Liquidation:
        return Liquidation(
            *about,
            time,
            received,
            # The taker is liquidated: selling closes a long.
            position=Position.LONG if row.side == "SELL" else Position.SHORT,
            size=row.size,
            price=row.price,
            price_kind=PriceKind.FILL,
            notional_usd=row.size * row.price,
            completeness=self.completeness,
            history=history,
        )

    def _market_facts(self, contents: Raw, received: int) -> Sequence[MarketEvent]:
        told = read(_markets, contents)
        markets = [*told.markets.items(), *told.oracle_prices.items(), *told.trading.items()]
        return each_good(
            markets,
            lambda market: self._facts(market[0], read(_facts, market[1]), received),
            self.counts,
        )

    def _facts(self, name: str, facts: _Facts, received: int) -> Sequence[MarketEvent]:
        symbol = _coin(name)
        if symbol is None:
            self.counts["not_this_market"] += 1
            return _NO_EVENTS
        time = received // 1_000_000
        if facts.effective_at is not None:
            time = milliseconds(facts.effective_at)
            self._newest.stamp(time, received)
        about = (self.venue, symbol, name, time, received)
        events: list[MarketEvent] = []
        if facts.oracle_price:
            events.append(MarkPrice(*about, facts.oracle_price))
        if isinstance(facts.open_interest, float):
            events.append(OpenInterest(*about, facts.open_interest))
        rate = facts.next_funding_rate
        if isinstance(rate, float) and self._funding.get(name) != rate:
            remember(self._funding, name, rate)
            events.append(Funding(*about, rate, interval_hours=1.0))
        return events

    def _listed(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        listing = read(_listing, row)
        symbol = _coin(listing.ticker)
        if symbol is None:
            return ()
        about = (self.venue, symbol, listing.ticker, received // 1_000_000, received)
        tier = MarginTier(
            cap=NO_CAP,
            rate=listing.maintenance_margin_fraction,
            max_leverage=1 / listing.initial_margin_fraction,
        )
        return (
            Instrument(
                *about,
                contract_type=ContractType.LINEAR,
                contract_size=1.0,
                tick_size=listing.tick_size,
                status=listing.status,
            ),
            MarginTiers(*about, unit="usd", tiers=(tier,)),
            *self._facts(listing.ticker, read(_facts, row), received),
        )


def _coin(ticker: str) -> str | None:
    """The coin of a ticker, None where it is not quoted in dollars.

    None, too, for markets that anyone may list, which are named after a pool
    (`COIN,UNISWAP_V3,0X4C1B…-USD`): any token may call itself BTC.
    """
    base = ticker.removesuffix("-USD")
    return base.upper() if base not in {"", ticker} and "," not in base else None


def _topics(message: _Message) -> tuple[str, ...]:
    if not message.channel:
        return ()
    return (f"{message.channel}:{message.id}" if message.id else message.channel,)


def _endpoint(topics: Sequence[str]) -> Endpoint:
    requests = []
    for topic in topics:
        channel, _, name = topic.partition(":")
        request = {"type": "subscribe", "channel": channel, "batched": True}
        requests.append(msgspec.json.encode(request | ({"id": name} if name else {})).decode())
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(requests),
        topics=tuple(topics),
        request_gap_s=0.6,  # 2 a second are allowed
        heartbeat=Heartbeat(text='{"type":"ping","id":1}', interval_s=20),
        silent_after_s=60.0 if "v4_markets" in topics else None,
    )
