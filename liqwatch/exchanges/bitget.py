"""Bitget's USDT perpetuals over v3 (unified account): one websocket with text pings, and REST.

Documentation: bitget.com/api-doc/uta, pages websocket/public (Liquidation-Channel,
New-Trades-Channel, Tickers-Channel), public (Instruments, Get-Position-Tier-Data,
Get-Liquidations) and bitget.com/api-doc/common/websocket-intro. One payload per topic, each inside
{"action":"update","arg":{"instType":"usdt-futures","topic":…,"symbol":…},"data":[…],"ts":…}:

    publicTrade {"i":"1432912492051054592","p":"60000.1","v":"0.01","S":"buy",
                 "T":"1700000000000","L":"1432912492051054593","isRPI":"no"}
    ticker      {"markPrice":"60001.5","indexPrice":"60001.2","openInterest":"29539.3",
                 "fundingRate":"0.0001","nextFundingTime":"1700006400000","lastPrice":"60000.1"}
    liquidation {"symbol":"BTCUSDT","side":"buy","price":"59400.12","amount":"5940.012",
                 "ts":"1700000000000"}

The amount of a liquidation is USDT, its side that of the position: "buy" was a long. The v2
channel of that name acknowledges and stays silent. Unverified: whether the amount is USDT or coins
over REST, where the documentation names no unit; rows that meet their row of the stream decide.
"""

from collections.abc import Collection, Sequence
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct

from liqwatch.events import (
    Completeness,
    ContractType,
    Funding,
    Instrument,
    MarginTier,
    MarginTiers,
    MarketEvent,
    MarkPrice,
    OpenInterest,
    Side,
    Trade,
)
from liqwatch.exchanges import bitget_wire as wire
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
from liqwatch.exchanges.bitget_liquidations import Liquidations, LiquidationsState
from liqwatch.exchanges.seen import Newest, SeenKeys, remember
from liqwatch.exchanges.symbols import choose, coin_of
from liqwatch.exchanges.wire import UNREADABLE, batches, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://ws.bitget.com/v3/ws/public"
_MARKET = "https://api.bitget.com/api/v3/market"
_INSTRUMENTS = f"{_MARKET}/instruments?category=USDT-FUTURES"
_TIERS = f"{_MARKET}/position-tier?category=USDT-FUTURES&symbol="
_LIQUIDATIONS = f"{_MARKET}/liquidations?category=USDT-FUTURES&limit=100"
# 1,000 are allowed, below 50 advised. Even if each channel counted as one of the 240 subscriptions
# an hour may have, this many could be asked for.
_CHANNELS_PER_CONNECTION = 200
_ARGS_PER_REQUEST = 20
_LATE_MS = 30_000  # rows come up to 20 s late and out of order
_BACKFILLED = 50  # coins asked for one by one


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: list[str]
    liquidations: LiquidationsState
    newest: Newest
    funding: dict[str, tuple[float, int | None]]
    funding_hours: dict[str, float]


_state = msgspec.msgpack.Decoder(_State)

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class BitgetUsdt(Exchange):
    """Bitget's perpetuals margined in USDT.

    While the unit of the liquidations over REST is not decided, they are counted as
    `uncertain_unit`; those of the stream are certain.
    """

    venue = "bitget-usdt"
    title = "Bitget USDT"
    completeness = Completeness.SAMPLED
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
    limits = (
        "of each second only the largest long and the largest short per symbol are shown, at a "
        "computed price and up to 20 s late, so totals are a floor"
    )
    connects_per_s = 1.0  # 300 in 5 minutes
    rest_per_s = 2.5  # 5 of liquidations

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenKeys()
        self._liquidations = Liquidations(self.counts)
        self._newest = Newest()
        self._funding: dict[str, tuple[float, int | None]] = {}  # rate and next time
        self._funding_hours: dict[str, float] = {}

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of instruments."""
        return [Poll(url=_INSTRUMENTS, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Spread trades and tickers over connections; the first hears all liquidations, too."""
        names = self._names(symbols)
        if not names:
            return []
        topics = [f"{topic}:{name}" for name in names for topic in ("publicTrade", "ticker")]
        # Early enough to fall on the first connection, after the trades that date it.
        topics.insert(2, "liquidation:usdt-futures")
        return [_endpoint(part) for part in batches(topics, _CHANNELS_PER_CONNECTION)]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Reload instruments and margin tiers, and ask for the liquidations of the whole market:
        often while the unit of their amounts is open.
        """
        return [
            Poll(
                url=_LIQUIDATIONS, interval_s=60 if self._liquidations.unit.verdict is None else 600
            ),
            *(Poll(url=_TIERS + quote(name), interval_s=3600) for name in self._names(symbols)),
            *self.bootstrap(),
        ]

    def backfill(
        self,
        symbols: Collection[str] | None,
        since_ms: int,  # noqa: ARG002 - the venue takes no times, and goes back three days
        until_ms: int,  # noqa: ARG002
    ) -> Sequence[Poll]:
        """Ask for the last 100 liquidations: of each coin if they are few, else of all together."""
        names = self._names(symbols)
        if len(names) > _BACKFILLED:
            return [Poll(url=_LIQUIDATIONS, interval_s=3600)]
        url = f"{_LIQUIDATIONS}&symbol="
        return [Poll(url=url + quote(name), interval_s=3600) for name in names]

    def open_questions(self) -> Sequence[str]:
        """Whether the unit of the liquidations over REST is still open."""
        if self._liquidations.unit.verdict is not None:
            return ()
        return (f"unit of liquidations over REST: {self._liquidations.unit.progress()}",)

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        return self._market_trades(trades.arg.symbol, trades.data, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn a list of instruments, liquidations or margin tiers into events."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        take = {
            "/api/v3/market/instruments": self._instruments,
            "/api/v3/market/liquidations": self._liquidation_page,
            "/api/v3/market/position-tier": self._margin_tiers,
        }.get(parts.path)
        if take is None or query.get("category") != ["USDT-FUTURES"]:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        answer = read(wire.answer, text)
        if answer.code != "00000" or answer.data is UNSET:
            raise MalformedFrame("api_error", f"{answer.code} {answer.msg[:200]}")
        return take(answer.data, query.get("symbol", [""])[0], received)

    def snapshot(self) -> bytes:
        """Instruments, what was already seen, funding last told, the state of the calibration."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades.keys(),
                liquidations=self._liquidations.state(),
                newest=self._newest,
                funding=self._funding,
                funding_hours=self._funding_hours,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = SeenKeys(saved.trades)
        self._liquidations.restore(saved.liquidations)
        self._newest = saved.newest
        self._funding = saved.funding
        self._funding_hours = saved.funding_hours

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(symbols, self.instruments, suffix="USDT", trading="online")

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        if frame == ("pong" if isinstance(frame, str) else b"pong"):
            return [Alive()]
        message = read(wire.envelope, frame)
        if message.event:
            return self._control(message)
        topic, symbol = message.arg.topic, message.arg.symbol
        decode_row = {
            "publicTrade": lambda row: self._trade(symbol, row, message.action, received),
            "ticker": lambda row: self._ticker(
                symbol, read(wire.ticker, row), message.ts, received
            ),
            "liquidation": lambda row: self._liquidation(read(wire.liquidation, row), received),
        }.get(topic)
        if decode_row is None:
            ignore(self.counts, topic or message.arg.channel)
            return _NO_EVENTS
        if message.arg.inst_type != "usdt-futures":
            self.counts["not_this_market"] += 1
            return _NO_EVENTS
        if message.data is UNSET:
            raise MalformedFrame("bad_field", f"{topic} without data")
        return each_good(read_rows(message.data), decode_row, self.counts)

    def _control(self, message: wire.Envelope) -> Sequence[Control]:
        topics = (message.arg.named(),) if message.arg.topic else ()
        match message.event:
            case "subscribe":
                return [Acknowledged(topics)]
            case "error":
                return [Refused(f"{message.code} {message.msg}", topics)]
            case _:
                ignore(self.counts, message.event)
                return ()

    def _coin(self, name: str) -> tuple[str, int] | None:
        """Coin and multiplier of that name, or None, counted."""
        coin = coin_of(name)
        if coin is None:
            self.counts["not_this_market"] += 1
        return coin

    def _trade(self, name: str, row: Raw, action: str, received: int) -> Sequence[MarketEvent]:
        trade = read(wire.trade, row)
        if action == "snapshot":
            # The first push after subscribing repeats old trades. They are not remembered: there
            # are thousands, and the newest may be news to a connection that is about to end.
            self.counts["history"] += 1
            return _NO_EVENTS
        return self._market_trades(name, [trade], received)

    def _market_trades(
        self, name: str, trades: list[wire.Trade], received: int
    ) -> Sequence[MarketEvent]:
        coin = self._coin(name)
        if coin is None:
            return _NO_EVENTS
        symbol, multiplier = coin
        events: list[MarketEvent] = []
        for trade in trades:
            self._newest.stamp(trade.time, received)
            if not self._trades.add(trade.id):
                self.counts["duplicate"] += 1
                continue
            events.append(
                Trade(
                    self.venue,
                    symbol,
                    name,
                    trade.time,
                    received,
                    trade.price / multiplier,
                    trade.size * multiplier,
                    _BUY if trade.side == "buy" else _SELL,
                    trade.id,
                )
            )
        return events

    def _ticker(
        self, name: str, ticker: wire.Ticker, time: int, received: int
    ) -> Sequence[MarketEvent]:
        coin = self._coin(name)
        if coin is None:
            return _NO_EVENTS
        if time == 0:
            raise MalformedFrame("bad_field", "ticker without time")
        self._newest.stamp(time, received)
        symbol, multiplier = coin
        about = (self.venue, symbol, name, time, received)
        events: list[MarketEvent] = []
        if ticker.mark_price:
            index = ticker.index_price / multiplier if ticker.index_price else None
            events.append(MarkPrice(*about, ticker.mark_price / multiplier, index))
        if ticker.open_interest != "":
            events.append(OpenInterest(*about, ticker.open_interest * multiplier))
        if ticker.funding_rate != "":
            now = (ticker.funding_rate, ticker.next_funding_time or None)
            if self._funding.get(name) != now:
                remember(self._funding, name, now)
                events.append(Funding(*about, now[0], self._funding_hours.get(name), now[1]))
        return events

    def _liquidation(self, row: wire.Liquidation, received: int) -> Sequence[MarketEvent]:
        if self._coin(row.symbol) is None:
            return _NO_EVENTS
        history = self._newest.is_history(row.ts, received, age_ms=_LATE_MS)
        return self._liquidations.of_stream(row, received, history=history)

    def _liquidation_page(self, data: Raw, _: str, received: int) -> Sequence[MarketEvent]:
        return each_good(
            read(wire.page, data).rows,
            lambda row: self._liquidation_of_rest(read(wire.liquidation, row), received),
            self.counts,
        )

    def _liquidation_of_rest(self, row: wire.Liquidation, received: int) -> Sequence[MarketEvent]:
        if self._coin(row.symbol) is None:
            return _NO_EVENTS
        if not self._newest.is_history(row.ts, received, age_ms=_LATE_MS):
            self.counts["left_to_stream"] += 1
            return _NO_EVENTS
        return self._liquidations.of_rest(row, received)

    def _instruments(self, data: Raw, _: str, received: int) -> Sequence[MarketEvent]:
        rows = read_rows(data)
        listings = each_good(rows, lambda row: [read(wire.listing, row)], self.counts)
        listed = [event for each in listings for event in self._instrument(each, received)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        self._funding_hours = {
            each.symbol: each.fund_interval for each in listings if each.fund_interval
        }
        return listed

    def _instrument(self, listing: wire.Listing, received: int) -> Sequence[Instrument]:
        coin = coin_of(listing.symbol)
        if coin is None or listing.type != "perpetual":
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
                tick_size=listing.price_multiplier / multiplier,
                status=listing.status,
            ),
        )

    def _margin_tiers(self, data: Raw, name: str, received: int) -> Sequence[MarginTiers]:
        coin = self._coin(name)
        if coin is None:
            return ()
        tiers = [read(wire.tier, row) for row in read_rows(data)]
        if not tiers:
            raise MalformedFrame("empty_list", f"no margin tier of {name}")
        return (
            MarginTiers(
                venue=self.venue,
                symbol=coin[0],
                instrument=name,
                time=received // 1_000_000,
                received=received,
                unit="usd",
                tiers=tuple(
                    MarginTier(tier.max_tier_value, tier.mmr, tier.leverage or None)
                    for tier in sorted(tiers, key=lambda tier: tier.max_tier_value)
                ),
            ),
        )


def _endpoint(topics: Sequence[str]) -> Endpoint:
    requests = [
        msgspec.json.encode({"op": "subscribe", "args": [_argument(t) for t in part]}).decode()
        for part in batches(topics, _ARGS_PER_REQUEST)
    ]
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(requests),
        topics=tuple(topics),
        heartbeat=Heartbeat(text="ping", interval_s=25),  # every 30 s; cut after 2 minutes
        silent_after_s=30,
        rotate_after_s=23 * 3600 + 50 * 60,  # cut by the venue after 24 h
    )


def _argument(topic: str) -> dict[str, str]:
    kind, _, name = topic.partition(":")
    argument = {"instType": "usdt-futures", "topic": kind}
    return argument if kind == "liquidation" else {**argument, "symbol": name}
