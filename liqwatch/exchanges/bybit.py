"""Bybit v5 perpetuals, linear and inverse: websockets with text pings, and REST for the rest.

Documentation: bybit-exchange.github.io/docs/v5, pages ws/connect, websocket/public/trade,
websocket/public/ticker, websocket/public/all-liquidation, market/instrument, market/risk-limit,
market/kline, market/open-interest.
One payload per topic and address:

    publicTrade.BTCUSDT    {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1700000000005,
                            "data":[{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"0.010",
                            "p":"60000.10","L":"PlusTick","i":"6f1c…","BT":false,"RPI":false}]}
    allLiquidation.BTCUSDT {"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1700000000500,
                            "data":[{"T":1700000000100,"s":"BTCUSDT","S":"Buy","v":"0.300",
                            "p":"59400.00"}]}
    tickers.BTCUSDT        {"topic":"tickers.BTCUSDT","type":"delta","ts":1700000000100,
                            "data":{"symbol":"BTCUSDT","markPrice":"60001.00",
                            "singleOpenInterest":"24000.5","fundingRate":"0.0001"}}
    /v5/market/risk-limit  {"id":1,"symbol":"BTCUSDT","riskLimitValue":"2000000",
                            "maintenanceMargin":"0.005","initialMargin":"0.01","isLowestRisk":1,
                            "maxLeverage":"100.00","mmDeduction":""}
    /v5/market/kline       ["1700001000000","60000","60100","59900","60050","10","600100"]
    /v5/…/open-interest    {"openInterest":"48001.0","singleOpenInterest":"24000.5",
                            "timestamp":"1700001000000"}

Every push of trades and liquidations says `snapshot`, which here does not mean history. Sizes and
open interest of inverse perpetuals are USD. Unverified: that risk limits of linear perpetuals are
in USD and those of inverse ones in coins; whether their rates come as decimals or, as in the
documentation's sample, in percent (decided row by row).
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar, Literal
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct

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
    PriceBar,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges import bybit_wire as wire
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
from liqwatch.exchanges.history import named, open_interest_history, price_bar, price_history
from liqwatch.exchanges.seen import SeenKeys, remember
from liqwatch.exchanges.symbols import choose, coin_of
from liqwatch.exchanges.wire import (
    UNREADABLE,
    batches,
    each_good,
    ignore,
    read,
    read_rows,
)

_WEBSOCKET = "wss://stream.bybit.com/v5/public/"
_MARKET = "https://api.bybit.com/v5/market/"
_PAGES = 20  # more than any list has; a cursor that never ends must not keep us
_CHARACTERS_PER_CONNECTION = 21_000  # of all topics; the stricter reading of the documented limit
_REFUSED_KEPT = 1000
_TOPICS_PER_REQUEST = 30  # one bad topic fails its whole request, so they stay modest
_TIERS_EVERY_S = 14_400
_PAST_INTERVAL_MS = 1_800_000  # four days, of the 200 points that one answer has


class _Funding(Struct, frozen=True):
    """What the tickers of a symbol have told so far."""

    rate: float | None = None
    interval_hours: float | None = None
    next_time: int | None = None


class _State(Struct):
    instruments: dict[str, Instrument]
    next_cursors: dict[str, str]
    relisted: list[str]
    trades: list[str]
    liquidations: list[str]
    funding: dict[str, _Funding]
    marks: dict[str, float]


_state = msgspec.msgpack.Decoder(_State)

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_LINEAR = ContractType.LINEAR
_UNKNOWN_FUNDING = _Funding()
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class _Bybit(Exchange):
    """One category of Bybit's perpetuals.

    The list of instruments comes in pages: while an answer names a further page, `bootstrap`
    asks for that one, too, so ask again until it has nothing new.
    """

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
    limits = "every liquidation is shown, at its bankruptcy price instead of its fill"
    connects_per_s = 1.6  # 500 in 5 minutes
    history_per_s = 5.0  # of 120 that are allowed
    category: ClassVar[str]
    contract_type: ClassVar[ContractType]
    listed_as: ClassVar[str]  # the venue's word for the perpetuals of this category
    suffix: ClassVar[str]  # of the contracts listened to
    tier_unit: ClassVar[Literal["usd", "coin"]]

    def __init__(self) -> None:
        super().__init__()
        self._next_cursors: dict[str, str] = {}  # of each page of instruments, by its own cursor
        self._refused: set[str] = set()  # of this run: another may ask again
        self._relisted: list[str] = []  # what the pages of this round have named so far
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._funding: dict[str, _Funding] = {}
        self._marks: dict[str, float] = {}  # of inverse perpetuals: what a USD of them is in coins

    @abstractmethod
    def _coin(self, name: str) -> tuple[str, int] | None:
        """Coin and multiplier of a perpetual of this category, None for anything else."""

    @abstractmethod
    def _coin_listed(self, name: str) -> tuple[str, int] | None:
        """The same by the name alone, for what the list calls a perpetual."""

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of instruments: the first page, and every further one known so far."""
        return [Poll(url=url, interval_s=3600) for url in self._pages()]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to trades, tickers and liquidations of each coin on the same connection.

        So each connection that may rightly be silent about liquidations has others that may not.
        A topic that was refused took its whole request with it: it is not asked for again.
        """
        topics: list[str] = []
        endpoints: list[Endpoint] = []
        for name in self._names(symbols):
            more = [f"{kind}.{name}" for kind in ("publicTrade", "tickers", "allLiquidation")]
            more = [topic for topic in more if topic not in self._refused]
            if len(msgspec.json.encode(topics + more)) >= _CHARACTERS_PER_CONNECTION:
                endpoints.append(self._endpoint(topics))
                topics = []
            topics += more
        if topics:
            endpoints.append(self._endpoint(topics))
        return endpoints

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Reload the instruments, and the margin tiers of these coins."""
        risk_limits = f"{_MARKET}risk-limit?category={self.category}&symbol="
        return [
            *self.bootstrap(),
            # By symbol, since all together come 15 to a page, each known from the one before.
            *(Poll(url=risk_limits + n, interval_s=_TIERS_EVERY_S) for n in self._names(symbols)),
        ]

    def history(self, instrument: str) -> Sequence[Poll]:
        """Ask for the prices and the open interest of the last four days."""
        if instrument not in self.instruments:
            return ()
        about = f"category={self.category}&symbol={instrument}&limit=200"
        return [
            Poll(url=f"{_MARKET}kline?{about}&interval=30", interval_s=0),
            Poll(url=f"{_MARKET}open-interest?{about}&intervalTime=30min", interval_s=0),
        ]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        if not trades.topic.startswith("publicTrade."):
            return self._second_look(frame, received)
        return self._market_trades(trades.rows, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn one page of instruments, or margin tiers or the past of one, into events."""
        parts = urlsplit(url)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        kind = parts.path.removeprefix("/v5/market/")
        ours = parse_qs(parts.query).get("category") == [self.category]
        if kind not in {"instruments-info", "risk-limit", "kline", "open-interest"} or not ours:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        answer = read(wire.answer, text)
        if answer.code != 0 or answer.result is UNSET:
            raise MalformedFrame("api_error", f"{answer.code} {answer.message[:200]}")
        if kind == "risk-limit":
            return self._margin_tiers(read(wire.risk_limits, answer.result).rows, received)
        if kind in {"kline", "open-interest"}:
            rows = read(wire.past, answer.result).rows
            return self._past(kind, named(parts.query, "symbol"), rows, received)
        cursor = parts.query.partition("&cursor=")[2]
        return self._instruments(read(wire.page, answer.result), cursor, received)

    def snapshot(self) -> bytes:
        """Instruments and their pages, trades and liquidations already seen, funding and marks."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                next_cursors=self._next_cursors,
                relisted=self._relisted,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                funding=self._funding,
                marks=self._marks,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._next_cursors = saved.next_cursors
        self._relisted = saved.relisted
        self._trades = SeenKeys(saved.trades)
        self._liquidations = SeenKeys(saved.liquidations)
        self._funding = saved.funding
        self._marks = saved.marks

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(
            symbols,
            self.instruments,
            suffix=self.suffix,
            trading="Trading",
            contract_type=self.contract_type,
        )

    def _endpoint(self, topics: Sequence[str]) -> Endpoint:
        requests = [
            msgspec.json.encode({"op": "subscribe", "args": part}).decode()
            for part in batches(topics, _TOPICS_PER_REQUEST)
        ]
        return Endpoint(
            url=_WEBSOCKET + self.category,
            requests=tuple(requests),
            topics=tuple(topics),
            heartbeat=Heartbeat(text='{"op":"ping"}', interval_s=20),
            silent_after_s=30,
        )

    def _pages(self) -> Iterator[str]:
        first = f"{_MARKET}instruments-info?category={self.category}&limit=1000"
        yield first
        cursor = ""
        for _ in range(_PAGES):
            cursor = self._next_cursors.get(cursor, "")
            if not cursor:
                return
            yield f"{first}&cursor={cursor}"

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        message = read(wire.envelope, frame)
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
            return self._ticker(read(wire.ticker, message.data), message.ts, received)
        rows = read_rows(message.data)
        if kind == "publicTrade":
            return each_good(
                rows,
                lambda row: self._market_trades([read(wire.trade, row)], received),
                self.counts,
            )
        told: Counter[str] = Counter()
        return each_good(
            rows,
            lambda row: self._liquidation(read(wire.liquidation, row), told, received),
            self.counts,
        )

    def _control(self, message: wire.Envelope) -> Sequence[Control]:
        if not message.success:
            # error:handler not found,topic:liquidation.BTCUSDT
            topic = message.ret_msg.partition("topic:")[2]
            if topic and len(self._refused) < _REFUSED_KEPT:
                self._refused.add(topic)
            return [Refused(message.ret_msg, (topic,) if topic else ())]
        if message.op == "subscribe":
            return [Acknowledged()]
        if message.op in {"ping", "pong"}:
            return [Alive()]
        ignore(self.counts, message.op)
        return ()

    def _dropped(self, name: str) -> Sequence[MarketEvent]:
        known = name.endswith(self.suffix)
        self.counts["unknown_instrument" if known else "not_this_market"] += 1
        return _NO_EVENTS

    def _market_trades(self, trades: list[wire.Trade], received: int) -> Sequence[MarketEvent]:
        events: list[MarketEvent] = []
        linear = self.contract_type is _LINEAR
        for trade in trades:
            coin = self._coin(trade.symbol)
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
                        trade.size * multiplier if linear else trade.size / trade.price,
                        _BUY if trade.side == "Buy" else _SELL,
                        trade.id,
                    )
                )
        return events

    def _liquidation(
        self, row: wire.Liquidation, told: Counter[str], received: int
    ) -> Sequence[MarketEvent]:
        coin = self._coin(row.symbol)
        if coin is None:
            return self._dropped(row.symbol)
        # Equal rows of one frame are several liquidations; the same frame again is a repetition.
        key = f"{row.symbol} {row.time} {row.side} {row.size} {row.price}"
        told[key] += 1
        if not self._liquidations.add(f"{key} {told[key]}"):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        linear = self.contract_type is _LINEAR
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=row.symbol,
                time=row.time,
                received=received,
                # The side is that of the position, unlike at most venues: "Buy" was a long.
                position=Position.LONG if row.side == "Buy" else Position.SHORT,
                size=row.size * multiplier if linear else row.size / row.price,
                price=row.price / multiplier,
                price_kind=PriceKind.BANKRUPTCY,
                notional_usd=row.size * row.price if linear else row.size,
                completeness=self.completeness,
            ),
        )

    def _ticker(self, ticker: wire.Ticker, time: int, received: int) -> Sequence[MarketEvent]:
        """Tell what this ticker brings: in a delta, an absent field means unchanged."""
        coin = self._coin(ticker.symbol)
        if coin is None:
            return self._dropped(ticker.symbol)
        symbol, multiplier = coin
        about = (self.venue, symbol, ticker.symbol, time, received)
        events: list[MarketEvent] = []
        if ticker.mark_price:
            index = ticker.index_price / multiplier if ticker.index_price else None
            events.append(MarkPrice(*about, ticker.mark_price / multiplier, index))
            if self.contract_type is not _LINEAR:
                remember(self._marks, ticker.symbol, ticker.mark_price)
        events += self._open_interest(ticker, about, multiplier)
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

    def _open_interest(
        self, ticker: wire.Ticker, about: tuple[str, str, str, int, int], multiplier: int
    ) -> Sequence[MarketEvent]:
        size = ticker.open_once()
        if size is None:
            return _NO_EVENTS
        if self.contract_type is _LINEAR:
            return (OpenInterest(*about, size * multiplier, ticker.open_value_once()),)
        # USD; the value in coins beside it has two decimals only, and not every delta has it.
        mark = self._marks.get(ticker.symbol)
        if mark is None:
            self.counts["no_mark_price_yet"] += 1
            return _NO_EVENTS
        return (OpenInterest(*about, size / mark, size),)

    def _instruments(self, page: wire.Page, cursor: str, received: int) -> Sequence[MarketEvent]:
        listed = each_good(page.rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        if not cursor:
            self._next_cursors, self._relisted = {}, []
        self.instruments |= {instrument.instrument: instrument for instrument in listed}
        self._relisted += [instrument.instrument for instrument in listed]
        if page.next_cursor and len(self._next_cursors) < _PAGES:
            # The venue's cursors come escaped, and are sent back as they are.
            self._next_cursors[cursor] = quote(page.next_cursor, safe="%")
        else:  # the list is whole: what it does not name is gone
            self.instruments = {name: self.instruments[name] for name in self._relisted}
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(wire.listing, row)
        coin = self._coin_listed(listing.symbol)
        if coin is None or listing.contract_type != self.listed_as:
            return ()
        symbol, multiplier = coin
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.symbol,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=self.contract_type,
                contract_size=float(multiplier),
                tick_size=listing.price_filter.tick_size / multiplier,
                status=listing.status,
            ),
        )

    def _past(
        self, kind: str, name: str, rows: Sequence[Raw], received: int
    ) -> Sequence[MarketEvent]:
        instrument = self.instruments.get(name)
        if instrument is None:
            return self._dropped(name)
        size = instrument.contract_size
        if kind == "kline":
            bars = each_good(
                rows, lambda row: [self._bar(read(wire.kline, row), size)], self.counts
            )
            told = price_history(instrument, bars, interval_ms=_PAST_INTERVAL_MS, received=received)
            return [told]
        points = each_good(rows, lambda row: self._point(row, size), self.counts)
        unit: Literal["coin", "usd"] = "coin" if self.contract_type is _LINEAR else "usd"
        return [open_interest_history(instrument, points, unit=unit, received=received)]

    def _bar(self, row: wire.Kline, multiplier: float) -> PriceBar:
        volume, turnover = row.volume * multiplier, row.turnover
        linear = self.contract_type is _LINEAR
        paid, coins = (turnover, volume) if linear else (volume, turnover)
        prices = (row.low / multiplier, row.high / multiplier, row.close / multiplier)
        return price_bar(row.time, prices, paid=paid, coins=coins)

    def _point(self, row: Raw, multiplier: float) -> Sequence[tuple[int, float]]:
        point = read(wire.open_interest_point, row)
        size = point.open_once()
        return [(point.timestamp, size * multiplier)] if size else []

    def _margin_tiers(self, rows: Sequence[wire.RiskLimit], received: int) -> Sequence[MarketEvent]:
        """Put together the ladders; one bad row refuses them all, since a hole would be a lie."""
        ladders: dict[str, list[MarginTier]] = {}
        for row in rows:
            ladders.setdefault(row.symbol, []).append(row.tier())
        events: list[MarketEvent] = []
        for name, tiers in ladders.items():
            instrument = self.instruments.get(name)
            if instrument is None:
                self._dropped(name)
                continue
            events.append(
                MarginTiers(
                    venue=self.venue,
                    symbol=instrument.symbol,
                    instrument=name,
                    time=received // 1_000_000,
                    received=received,
                    unit=self.tier_unit,
                    tiers=tuple(sorted(tiers, key=lambda tier: tier.cap)),
                )
            )
        return events


class BybitLinear(_Bybit):
    """Bybit's linear perpetuals (USDT and USDC); dated futures are counted and dropped."""

    venue = "bybit-linear"
    title = "Bybit linear"
    category = "linear"
    contract_type = ContractType.LINEAR
    listed_as = "LinearPerpetual"
    suffix = "USDT"
    tier_unit = "usd"

    def _coin(self, name: str) -> tuple[str, int] | None:
        return coin_of(name)

    _coin_listed = _coin


class BybitInverse(_Bybit):
    """Bybit's inverse perpetuals; dated futures (`BTCUSDZ26`) are counted and dropped.

    Only what the list of instruments calls a perpetual is one, since the names do not tell.
    """

    venue = "bybit-inverse"
    title = "Bybit inverse"
    category = "inverse"
    contract_type = ContractType.INVERSE
    listed_as = "InversePerpetual"
    suffix = "USD"
    tier_unit = "coin"

    def _coin(self, name: str) -> tuple[str, int] | None:
        instrument = self.instruments.get(name)
        return None if instrument is None else (instrument.symbol, 1)

    def _coin_listed(self, name: str) -> tuple[str, int] | None:
        coin = name.removesuffix("USD")
        return (coin, 1) if coin and coin != name else None
