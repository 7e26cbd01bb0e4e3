"""The futures protocol of Binance, which several markets speak: combined websocket streams, and
REST for what no stream brings.

What the markets differ in stands at the head of `BinanceLike`: addresses, names, limits, and the
methods about units, which are those of linear contracts here.
"""

from collections.abc import Collection, Sequence
from typing import ClassVar, Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import UNSET, Raw

from liqwatch.events import (
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
    PriceBar,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges import binance_wire as on_wire
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
from liqwatch.exchanges.binance_wire import (
    AggTrade,
    ContractInfo,
    ForceOrder,
    Listing,
    MarkPriceUpdate,
    Payload,
    SingleTrade,
)
from liqwatch.exchanges.history import named, open_interest_history, price_bar, price_history
from liqwatch.exchanges.seen import Newest, SeenIds, SeenKeys, remember
from liqwatch.exchanges.symbols import choose, coin_of
from liqwatch.exchanges.wire import UNREADABLE, batches, each_good, ignore, read, read_rows

FORCED_ORDERS, CONTRACT_INFO = "!forceOrder@arr", "!contractInfo"

# A request of more than 4,088 bytes is not answered, and neither is what follows it:
# github.com/binance/binance-connector-rust/issues/27, thrasher-corp/gocryptotrader/pull/670.
_STREAMS_PER_REQUEST = 100
_POLLS_PER_S = 8  # of weight 1, so a fifth of the 2,400 a minute that an address may use
# No replay is documented, and in a crash this feed may lag the mark prices: be generous.
_HISTORY_MS = 60_000

_OPEN_INTEREST_PAST = "/futures/data/openInterestHist"
_PAST = "15m&limit=500"  # five days: the most bars that one answer of open interest has
_PAST_INTERVAL_MS = 900_000

_LINEAR = ContractType.LINEAR
_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_ORIGINS = {"INSURANCE_FUND": "insurance_fund", "ADL": "adl", "NA": "na"}
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class BinanceLike(Exchange):
    """One market that speaks Binance's protocol.

    Since 2026-06-30 the all-market streams of Binance's two markets carry both, in different
    units: what is the other's is counted as `not_this_market` and dropped.
    """

    websocket: ClassVar[str]
    routes: ClassVar[tuple[str, ...]] = ()
    rest: ClassVar[str]  # with the version
    suffix: ClassVar[str]  # of the perpetuals to listen to
    contract_type: ClassVar[ContractType] = _LINEAR
    market: ClassVar[int] = 1  # `st` of its events
    numbers_without_holes: ClassVar[bool] = True  # so a hole in aggregate ids is a gap
    market_streams: ClassVar[tuple[str, ...]] = (FORCED_ORDERS,)  # for all symbols at once
    streams_per_connection: ClassVar[int]

    channels = frozenset(
        {
            Channel.TRADES,
            Channel.LIQUIDATIONS,
            Channel.OPEN_INTEREST,
            Channel.MARK_PRICE,
            Channel.FUNDING,
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self._aggregates = SeenIds()
        self._singles = SeenIds()
        self._orders = SeenKeys()
        self._funding: dict[str, tuple[float, int]] = {}  # rate and next time by instrument
        self._marks: dict[str, float] = {}  # by instrument, as the venue writes them
        self._newest = Newest()
        self._contracts: dict[str, tuple[str, float]] = {}  # found so far, to find them faster

    # -- names and units ---------------------------------------------------------------------------

    def _terms(self, name: str) -> tuple[str, float] | None:
        """Coin and contract size of a perpetual of this market, None for anything else."""
        return coin_of(name)

    def _forced_terms(self, name: str) -> tuple[str, float] | None:
        """The same for whatever may be liquidated."""
        return self._terms(name)

    def _listed_terms(self, listing: Listing) -> tuple[str, float] | None:
        """The same, as exchangeInfo has it. Raises MalformedFrame."""
        return coin_of(listing.symbol)

    def _per_coin(self, price: float, contract_size: float) -> float:
        return price / contract_size

    def _worth(
        self, price: float, quantity: float, contract_size: float
    ) -> tuple[float, float, float]:
        """Price of a coin, coins and dollars of a quantity as the venue writes it."""
        return price / contract_size, quantity * contract_size, quantity * price

    def _contract(self, name: str) -> tuple[str, float] | None:
        terms = self._terms(name)
        if terms is not None:
            remember(self._contracts, name, terms)
        return terms

    # -- asking ------------------------------------------------------------------------------------

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of instruments."""
        return [Poll(url=f"{self.rest}/exchangeInfo", interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Spread trades, mark prices and the streams of the whole market over connections."""
        names = [name.lower() for name in self._names(symbols)]
        if not names:
            return []
        topics = list(self.market_streams)
        for name in names:
            topics += [f"{name}@aggTrade", f"{name}@markPrice@1s"]
        connections = -(-len(topics) // self.streams_per_connection)
        return [self._endpoint(part) for part in batches(topics, -(-len(topics) // connections))]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Ask for open interest, which no stream brings, symbol by symbol."""
        names = self._names(symbols)
        interval_s = max(10.0, len(names) / _POLLS_PER_S)
        url = f"{self.rest}/openInterest?symbol="
        return [
            *self.bootstrap(),
            *(Poll(url=url + quote(name), interval_s=interval_s) for name in names),
        ]

    def history(self, instrument: str) -> Sequence[Poll]:
        """Ask for the prices and the open interest of the last five days."""
        if self.history_per_s is None or instrument not in self.instruments:
            return ()
        name, host = quote(instrument), self.rest.removesuffix(urlsplit(self.rest).path)
        asked = self._past_of(name)
        return [
            Poll(url=f"{self.rest}/klines?symbol={name}&interval={_PAST}", interval_s=0),
            Poll(url=f"{host}{_OPEN_INTEREST_PAST}?{asked}&period={_PAST}", interval_s=0),
        ]

    def _past_of(self, name: str) -> str:
        """How the past of open interest is asked for."""
        return f"symbol={name}"

    def _past_name(self, query: str) -> str:
        """Which instrument that was, by the query."""
        return named(query, "symbol")

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(
            symbols,
            self.instruments,
            suffix=self.suffix,
            trading="TRADING",
            contract_type=self.contract_type,
        )

    def _endpoint(self, topics: Sequence[str]) -> Endpoint:
        requests = [
            msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": number}).decode()
            for number, part in enumerate(batches(topics, _STREAMS_PER_REQUEST), start=1)
        ]
        return Endpoint(
            url=self.websocket,
            routes=self.routes,
            requests=tuple(requests),
            topics=tuple(topics),
            request_gap_s=0.25,  # 10 frames a second are allowed, pings and pongs included
            protocol_ping_s=20,
            silent_after_s=30,  # mark prices come every second, on every connection
            rotate_after_s=23 * 3600 + 50 * 60,  # cut by the venue after 24 h
        )

    # -- listening ---------------------------------------------------------------------------------

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame, combined, raw or an array of raw ones, into events."""
        try:
            payload = on_wire.combined.decode(frame).data
        except UNREADABLE:
            return self._second_look(frame, received)
        if type(payload) is AggTrade:  # nine frames of ten
            return self._trade(payload, self._aggregates, received)
        return self._events(payload, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn an exchangeInfo or openInterest answer into events."""
        path, query = urlsplit(url).path, urlsplit(url).query
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        match path.removeprefix(urlsplit(self.rest).path):
            case "/exchangeInfo":
                return self._instruments(text, received)
            case "/openInterest":
                return self._open_interest(text, received)
            case "/klines":
                return self._price_history(named(query, "symbol"), text, received)
            case past if past == _OPEN_INTEREST_PAST:
                return self._open_interest_history(self._past_name(query), text, received)
            case _:
                ignore(self.counts, path)
                return _NO_EVENTS

    def snapshot(self) -> bytes:
        """Instruments, ids and orders already seen, funding and mark prices last told."""
        return msgspec.msgpack.encode(
            on_wire.State(
                instruments=self.instruments,
                aggregates=self._aggregates,
                singles=self._singles,
                orders=self._orders.keys(),
                funding=self._funding,
                marks=self._marks,
                newest=self._newest,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = on_wire.state.decode(state)
        self.instruments = saved.instruments
        self._contracts.clear()
        self._aggregates = saved.aggregates
        self._singles = saved.singles
        self._orders = SeenKeys(saved.orders)
        self._funding = saved.funding
        self._marks = saved.marks
        self._newest = saved.newest

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not one combined payload of interest, row by row."""
        outer = read(on_wire.outer, frame)
        rows: Sequence[str | bytes | Raw] = [frame]
        if isinstance(outer, list):
            rows = outer
        elif controls := control(outer):
            return controls
        elif outer.data is not UNSET:
            is_array = bytes(outer.data).lstrip().startswith(b"[")
            rows = read_rows(outer.data) if is_array else [outer.data]
        return each_good(rows, lambda row: self._row(row, received), self.counts)

    def _row(self, row: str | bytes | Raw, received: int) -> Sequence[MarketEvent]:
        kind = read(on_wire.kind, row).kind
        if kind not in on_wire.KINDS:
            ignore(self.counts, kind)
            return _NO_EVENTS
        return self._events(read(on_wire.payload, row), received)

    def _events(self, payload: Payload, received: int) -> Sequence[MarketEvent]:
        match payload:
            case AggTrade():
                return self._trade(payload, self._aggregates, received)
            case SingleTrade():
                return self._single_trade(payload, received)
            case ForceOrder():
                return self._liquidation(payload, received)
            case MarkPriceUpdate():
                return self._mark_price(payload, received)
            case ContractInfo():
                return self._margin_tiers(payload, received)

    def _dropped(self, name: str, market: int) -> Sequence[MarketEvent]:
        ours = name.endswith(self.suffix) and market in {0, self.market}
        self.counts["unknown_instrument" if ours else "not_this_market"] += 1
        return _NO_EVENTS

    def _trade(
        self, trade: AggTrade | SingleTrade, seen: SeenIds, received: int
    ) -> Sequence[MarketEvent]:
        name = trade.symbol
        contract = self._contracts.get(name) or self._contract(name)
        if contract is None or (trade.market != self.market and trade.market):
            return self._dropped(name, trade.market)
        in_turn = seen.newest.get(name) == trade.id - 1
        missed = 0 if in_turn else seen.gap(name, trade.id)
        if not seen.add(name, trade.id):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        if missed and seen is self._aggregates and self.numbers_without_holes:
            self.counts["gap"] += missed
        symbol, contract_size = contract
        if self.contract_type is _LINEAR:  # as `_worth`, without the call
            price, size = trade.price / contract_size, trade.size * contract_size
        else:
            price, size, _ = self._worth(trade.price, trade.size, contract_size)
        return (
            Trade(
                self.venue,
                symbol,
                name,
                trade.time,
                received,
                price,
                size,
                # The buyer's order waited in the book: the taker sold.
                _SELL if trade.buyer_is_maker else _BUY,
                str(trade.id),
            ),
        )

    def _single_trade(self, trade: SingleTrade, received: int) -> Sequence[MarketEvent]:
        if trade.origin not in {"MARKET", "RPI"}:
            # INSURANCE_FUND and ADL: liquidations the book could not take. Not market trades.
            self.counts[f"not_a_trade:{_ORIGINS.get(trade.origin, 'other')}"] += 1
            return _NO_EVENTS
        if trade.price == 0 or trade.size == 0:
            raise MalformedFrame("bad_field", "trade without price or size")
        return self._trade(trade, self._singles, received)

    def _liquidation(self, forced: ForceOrder, received: int) -> Sequence[MarketEvent]:
        order = forced.order
        # `st` stands inside the order in production, beside it in the official client's model.
        market = order.market or forced.market
        contract = self._forced_terms(order.symbol)
        if contract is None or market not in {0, self.market}:
            return self._dropped(order.symbol, market)
        if order.filled == 0:
            self.counts["unfilled"] += 1
            return _NO_EVENTS
        if order.average_price == 0:
            raise MalformedFrame("bad_field", "filled order without average price")
        key = f"{order.symbol} {order.time} {order.side} {order.filled} {order.average_price}"
        if not self._orders.add(key):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        symbol, contract_size = contract
        price, size, notional_usd = self._worth(order.average_price, order.filled, contract_size)
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=order.symbol,
                time=order.time,
                received=received,
                # The side is that of the forced order: selling closes a long.
                position=Position.LONG if order.side == "SELL" else Position.SHORT,
                size=size,
                price=price,
                price_kind=PriceKind.FILL,
                notional_usd=notional_usd,
                completeness=self.completeness,
                history=self._newest.is_history(order.time, received, age_ms=_HISTORY_MS),
            ),
        )

    def _mark_price(self, mark: MarkPriceUpdate, received: int) -> Sequence[MarketEvent]:
        name = mark.symbol
        contract = self._terms(name)
        if contract is None or mark.market not in {0, self.market}:
            return self._dropped(name, mark.market)
        self._newest.stamp(mark.time, received)
        remember(self._marks, name, mark.price)
        symbol, contract_size = contract
        about = (self.venue, symbol, name, mark.time, received)
        index = self._per_coin(mark.index_price, contract_size) if mark.index_price else None
        price = self._per_coin(mark.price, contract_size)
        events: list[MarketEvent] = [MarkPrice(*about, price, index)]
        if mark.rate != "" and self._funding.get(name) != (mark.rate, mark.next_time):
            remember(self._funding, name, (mark.rate, mark.next_time))
            events.append(Funding(*about, mark.rate, next_time=mark.next_time or None))
        return events

    def _margin_tiers(self, info: ContractInfo, received: int) -> Sequence[MarketEvent]:
        contract = self._terms(info.symbol)
        if contract is None or info.market not in {0, self.market}:
            return self._dropped(info.symbol, info.market)
        if not info.brackets or CONTRACT_INFO not in self.market_streams:
            ignore(self.counts, "contractInfo")
            return _NO_EVENTS
        return (
            MarginTiers(
                venue=self.venue,
                symbol=contract[0],
                instrument=info.symbol,
                time=info.time,
                received=received,
                unit="usd",
                tiers=tuple(
                    MarginTier(each.cap, each.rate, each.max_leverage, each.amount)
                    for each in sorted(info.brackets, key=lambda bracket: bracket.cap)
                ),
            ),
        )

    def _open_interest(self, text: str, received: int) -> Sequence[MarketEvent]:
        answer = read(on_wire.open_interest, text)
        contract = self._terms(answer.symbol)
        if contract is None:
            return self._dropped(answer.symbol, 0)
        symbol, contract_size = contract
        mark = self._marks.get(answer.symbol)
        if mark is not None:
            _, size, notional_usd = self._worth(mark, answer.size, contract_size)
        elif self.contract_type is _LINEAR:
            size, notional_usd = answer.size * contract_size, None
        else:
            self.counts["no_price_yet"] += 1  # for what it is worth in coins
            return _NO_EVENTS
        about = (self.venue, symbol, answer.symbol, answer.time, received)
        return [OpenInterest(*about, size, notional_usd)]

    def _price_history(self, name: str, text: str, received: int) -> Sequence[MarketEvent]:
        rows, instrument = read(on_wire.rows, text), self.instruments.get(name)
        if instrument is None:
            return self._dropped(name, 0)
        size = instrument.contract_size
        bars = each_good(rows, lambda row: [self._bar(read(on_wire.kline, row), size)], self.counts)
        return [price_history(instrument, bars, interval_ms=_PAST_INTERVAL_MS, received=received)]

    def _bar(self, row: on_wire.Kline, contract_size: float) -> PriceBar:
        prices = (row.low, row.high, row.close)
        low, high, last = (self._per_coin(price, contract_size) for price in prices)
        worth, volume = row.turnover, row.volume * contract_size
        linear = self.contract_type is _LINEAR
        paid, coins = (worth, volume) if linear else (volume, worth)
        return price_bar(row.time, (low, high, last), paid=paid, coins=coins)

    def _open_interest_history(self, name: str, text: str, received: int) -> Sequence[MarketEvent]:
        rows, instrument = read(on_wire.rows, text), self.instruments.get(name)
        if instrument is None:
            return self._dropped(name, 0)
        told = each_good(rows, lambda row: [read(on_wire.open_interest_point, row)], self.counts)
        points = ((each.time, each.size * instrument.contract_size) for each in told)
        unit: Literal["coin", "usd"] = "coin" if self.contract_type is _LINEAR else "usd"
        return [open_interest_history(instrument, points, unit=unit, received=received)]

    def _instruments(self, text: str, received: int) -> Sequence[MarketEvent]:
        rows = read(on_wire.exchange_info, text).symbols
        listed = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        self._contracts.clear()
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(on_wire.listing, row)
        contract = self._listed_terms(listing)
        if contract is None or not listing.contract_type.endswith("PERPETUAL"):
            return ()
        symbol, contract_size = contract
        tick_size = next((each.tick_size for each in listing.filters if each.tick_size), None)
        status = listing.status or listing.contract_status
        if tick_size is None or status is None:
            raise MalformedFrame("bad_field", f"{listing.symbol} without tick size or status")
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.symbol,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=self.contract_type,
                contract_size=float(contract_size),
                tick_size=self._per_coin(tick_size, contract_size),
                status=status,
            ),
        )


def control(outer: on_wire.Envelope) -> Sequence[Control]:
    """Return what a frame says about the connection itself, which is nothing where it has data."""
    if (error := outer.error or outer).msg is not UNSET:  # written in either place
        return [Refused(f"{error.code} {error.msg}".strip())]
    return [] if outer.result is UNSET else [Acknowledged(tuple(outer.result or ()))]
