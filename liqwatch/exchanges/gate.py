"""Gate's USDT perpetuals: one kind of websocket, and REST for contract sizes and liquidations.

Documentation: gate.com/docs/developers/futures/ws (ping, tickers, trades, public liquidates;
change log of 2026-08-20) and gate.com/docs/developers/apiv4 (list-all-futures-contracts,
retrieve-liquidation-history, list-risk-limit-tiers, futures-market-k-line-chart,
futures-statistics). One payload per channel, each inside
{"time":…,"time_ms":…,"channel":…,"event":"update","result":[…]}:

    futures.trades            {"contract":"BTC_USDT","id":27753479,"size":"-108.5",
                               "price":"60000.1","create_time":1700000000,
                               "create_time_ms":1700000000000,"is_internal":true}
    futures.tickers           {"contract":"BTC_USDT","mark_price":"60001.5",
                               "index_price":"60001.2","total_size":"73648.5",
                               "funding_rate":"0.0001","t":1700000000000}
    futures.public_liquidates {"contract":"BTC_USDT","price":"59400","size":"-124.5",
                               "time":1700000000123}
    /futures/usdt/liq_orders  {"contract":"BTC_USDT","size":165,"order_size":-165,"left":0,
                               "order_price":"59400","fill_price":"59550","time":1700000000}
    /…/risk_limit_tiers       {"contract":"BTC_USDT","tier":1,"risk_limit":"1000000",
                               "maintenance_rate":"0.004","leverage_max":"125"}
    /futures/usdt/candlesticks {"t":1700002800,"v":100000,"o":"60000","h":"60100","l":"59900",
                               "c":"60050","sum":"600100"}
    /…/contract_stats          {"time":1700002800,"open_interest":124724,"mark_price":"60050"}

Sizes are contracts of `quanto_multiplier` coins. Unverified: whether the sign of the stream's
liquidations is that of the position or of the order. Over REST it is the position's; so rows of
the stream are no events before enough of them have met their row over REST.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from urllib.parse import urlsplit

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
    PriceBar,
    Side,
    Trade,
)
from liqwatch.exchanges import gate_wire as wire
from liqwatch.exchanges.base import (
    Acknowledged,
    Alive,
    Channel,
    Control,
    Endpoint,
    Exchange,
    Heartbeat,
    MalformedFrame,
    Notice,
    Poll,
    Refused,
)
from liqwatch.exchanges.gate_liquidations import Liquidations, LiquidationsState
from liqwatch.exchanges.history import (
    HOUR_MS,
    named,
    open_interest_history,
    price_bar,
    price_history,
)
from liqwatch.exchanges.seen import Newest, SeenIds, remember
from liqwatch.exchanges.symbols import choose
from liqwatch.exchanges.wire import UNREADABLE, batches, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://fx-ws.gateio.ws/v4/ws/usdt"
_REST = "https://api.gateio.ws/api/v4/futures/usdt"
_CONTRACTS_PER_CONNECTION = 200  # 400 streams; the venue names no limit, but allows 300 connections
_CONTRACTS_PER_REQUEST = 50
_ROWS = 1000  # the most that one answer of liq_orders has
_WINDOW_S = 600  # up to 3,600 are allowed, but a cascade fills an answer sooner
_PAST_ROWS = 100  # hours; the venue names no limit of contract_stats
_MARKETS_PER_PAGE = 100  # of margin tiers
# A request must carry a time. The documentation's own examples send this one whatever the clock
# says, and nothing is signed.
_REQUEST_TIME = 123456


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: SeenIds
    liquidations: LiquidationsState
    newest: Newest
    funding: dict[str, tuple[float, int | None]]
    funding_times: dict[str, tuple[int, int]]


_state = msgspec.msgpack.Decoder(_State)

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()
_UNKNOWN_CONTRACT = re.compile(r"unknown contract (\S+)")


class GateUsdt(Exchange):
    """Gate's perpetuals margined in USDT.

    While the sign of the stream's liquidations is not decided, they are counted as
    `uncertain_side`, and the same liquidations over REST are events of history.
    """

    venue = "gate-usdt"
    title = "Gate USDT"
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
    limits = (
        "every liquidation is shown, at its order price; live only once their side is settled "
        "by matches with REST"
    )
    connects_per_s = 1.0
    history_per_s = 3.0  # of 20 for each address

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenIds()
        self._liquidations = Liquidations(self.counts)
        self._newest = Newest()
        self._funding: dict[str, tuple[float, int | None]] = {}  # rate and next time
        self._funding_times: dict[str, tuple[int, int]] = {}  # interval and one time of many, ms

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the contracts and their sizes."""
        return [Poll(url=f"{_REST}/contracts", interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Spread trades and tickers over connections; the first hears all liquidations, too."""
        endpoints: list[Endpoint] = []
        names = choose(symbols, self.instruments, suffix="_USDT", trading="trading")
        for part in batches(names, _CONTRACTS_PER_CONNECTION):
            asked = [
                (channel, some)
                for channel in ("futures.trades", "futures.tickers")
                for some in batches(part, _CONTRACTS_PER_REQUEST)
            ]
            if not endpoints:
                asked.append(("futures.public_liquidates", ["!all"]))
            endpoints.append(_endpoint(asked))
        return endpoints

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - the whole market at once
        """Reload contracts and margin tiers; ask for liquidations, often while their side is open.

        The stream's liquidations go on being compared once it is decided.
        """
        pages = range(0, len(self.instruments), _MARKETS_PER_PAGE)
        tiers = f"{_REST}/risk_limit_tiers?limit={_MARKETS_PER_PAGE}&offset="
        return [
            Poll(
                url=f"{_REST}/liq_orders?limit={_ROWS}",
                interval_s=30 if self._liquidations.side.verdict is None else 600,
            ),
            *(Poll(url=f"{tiers}{offset}", interval_s=3600) for offset in pages),
            *self.bootstrap(),
        ]

    def backfill(
        self,
        symbols: Collection[str] | None,  # noqa: ARG002 - the whole market at once
        since_ms: int,
        until_ms: int,
    ) -> Sequence[Poll]:
        """Ask for the liquidations of the whole market, ten minutes at a time."""
        first_s, last_s = since_ms // 1000, -(-until_ms // 1000)
        return [
            Poll(
                url=f"{_REST}/liq_orders?limit={_ROWS}&from={start}"
                f"&to={min(start + _WINDOW_S, last_s)}",
                interval_s=3600,
            )
            for start in range(first_s, last_s, _WINDOW_S)
        ]

    def history(self, instrument: str) -> Sequence[Poll]:
        """Ask for the prices and the open interest of the last four days."""
        if instrument not in self.instruments:
            return ()
        about = f"contract={instrument}&interval=1h&limit={_PAST_ROWS}"
        return [
            Poll(url=f"{_REST}/candlesticks?{about}", interval_s=0),
            Poll(url=f"{_REST}/contract_stats?{about}", interval_s=0),
        ]

    def open_questions(self) -> Sequence[str]:
        """Whether the side of the stream's liquidations is still open."""
        if self._liquidations.side.verdict is not None:
            return ()
        return (f"side of liquidations: {self._liquidations.side.progress()}",)

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        return self._market_trades(trades.result, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn a list of contracts, liquidations or margin tiers, or the past, into events."""
        path, query = urlsplit(url).path, urlsplit(url).query
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        takers: dict[str, Callable[[list[Raw], int], Sequence[MarketEvent]]] = {
            "/api/v4/futures/usdt/contracts": self._instruments,
            "/api/v4/futures/usdt/liq_orders": self._liquidation_orders,
            "/api/v4/futures/usdt/risk_limit_tiers": self._margin_tiers,
            "/api/v4/futures/usdt/candlesticks": partial(self._candles, query),
            "/api/v4/futures/usdt/contract_stats": partial(self._stats, query),
        }
        take = takers.get(path)
        if take is None:
            ignore(self.counts, path)
            return _NO_EVENTS
        return take(read(wire.rows, text), received)

    def snapshot(self) -> bytes:
        """Contracts, what was already seen, funding last told, the state of the calibration."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades,
                liquidations=self._liquidations.state(),
                newest=self._newest,
                funding=self._funding,
                funding_times=self._funding_times,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = saved.trades
        self._liquidations.restore(saved.liquidations)
        self._newest = saved.newest
        self._funding = saved.funding
        self._funding_times = saved.funding_times

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        message = read(wire.envelope, frame)
        if message.channel == "futures.pong":
            return [Alive()]
        if message.event == "subscribe":
            return [_answer(message)]
        if message.channel == "futures.system":
            return self._system(message)
        told: Counter[str] = Counter()
        time_ms = message.time_ms or int(message.time * 1000)
        decode_row = {
            "futures.trades": lambda row: self._market_trades([read(wire.trade, row)], received),
            "futures.tickers": lambda row: self._ticker(read(wire.ticker, row), time_ms, received),
            "futures.public_liquidates": lambda row: self._liquidation(
                read(wire.liquidation, row), told, received
            ),
        }.get(message.channel)
        if decode_row is None:
            ignore(self.counts, message.channel or message.event)
            return _NO_EVENTS
        if message.result is UNSET:
            raise MalformedFrame("bad_field", f"{message.channel} without result")
        return each_good(read_rows(message.result), decode_row, self.counts)

    def _system(self, message: wire.Envelope) -> Sequence[Control]:
        said = read(wire.system, message.result) if message.result is not UNSET else wire.System()
        if said.type != "upgrade":
            ignore(self.counts, f"futures.system {said.type}")
            return ()
        return [Notice(said.msg or said.type)]

    def _listed(self, name: str) -> Instrument | None:
        """The contract of that name, or None, counted."""
        instrument = self.instruments.get(name)
        if instrument is None:
            known = wire.coin_of(name) is not None
            self.counts["unknown_instrument" if known else "not_this_market"] += 1
        return instrument

    def _market_trades(self, trades: list[wire.Trade], received: int) -> Sequence[MarketEvent]:
        events: list[MarketEvent] = []
        for trade in trades:
            instrument = self._listed(trade.contract)
            if instrument is None:
                continue
            time = wire.to_ms(trade.create_time_ms or trade.create_time)
            self._newest.stamp(time, received)
            if not self._trades.add(trade.contract, trade.id):
                self.counts["duplicate"] += 1
            elif trade.is_internal:
                # The insurance fund or auto-deleveraging took a position over: no market match.
                self.counts["not_a_trade:internal"] += 1
            elif wire.is_none(trade.size):
                self.counts["no_size"] += 1
            else:
                events.append(
                    Trade(
                        self.venue,
                        instrument.symbol,
                        trade.contract,
                        time,
                        received,
                        trade.price / wire.multiplier_of(trade.contract),
                        abs(trade.size) * instrument.contract_size,
                        _BUY if trade.size > 0 else _SELL,
                        str(trade.id),
                    )
                )
        return events

    def _ticker(self, ticker: wire.Ticker, time_ms: int, received: int) -> Sequence[MarketEvent]:
        instrument = self._listed(ticker.contract)
        if instrument is None:
            return _NO_EVENTS
        time = ticker.t or time_ms
        if time == 0:
            raise MalformedFrame("bad_field", "ticker without time")
        self._newest.stamp(time, received)
        multiplier = wire.multiplier_of(ticker.contract)
        about = (self.venue, instrument.symbol, ticker.contract, time, received)
        events: list[MarketEvent] = []
        if ticker.mark_price:
            index = ticker.index_price / multiplier if ticker.index_price else None
            events.append(MarkPrice(*about, ticker.mark_price / multiplier, index))
        if ticker.total_size != "":  # positions of one side, as in position_size of the contracts
            events.append(OpenInterest(*about, ticker.total_size * instrument.contract_size))
        if ticker.funding_rate != "":
            interval_ms, next_time = self._next_funding(ticker.contract, time)
            now = (ticker.funding_rate, next_time)
            if self._funding.get(ticker.contract) != now:
                remember(self._funding, ticker.contract, now)
                hours = interval_ms / 3_600_000 if interval_ms else None
                events.append(Funding(*about, ticker.funding_rate, hours, next_time))
        return events

    def _next_funding(self, contract: str, time_ms: int) -> tuple[int | None, int | None]:
        """Interval and next time, from the list of contracts, which is up to an hour old."""
        if contract not in self._funding_times:
            return None, None
        interval_ms, known_ms = self._funding_times[contract]
        passed = max(0, -(-(time_ms - known_ms) // interval_ms))
        return interval_ms, known_ms + passed * interval_ms

    def _liquidation(
        self, row: wire.Liquidation, told: Counter[str], received: int
    ) -> Sequence[MarketEvent]:
        instrument = self._listed(row.contract)
        if instrument is None:
            return _NO_EVENTS
        history = self._newest.is_history(wire.to_ms(row.time), received)
        return self._liquidations.of_stream(row, instrument, told, received, history=history)

    def _liquidation_orders(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        told: Counter[str] = Counter()
        return each_good(
            rows,
            lambda row: self._liquidation_order(read(wire.liquidation_order, row), told, received),
            self.counts,
        )

    def _liquidation_order(
        self, row: wire.LiquidationOrder, told: Counter[str], received: int
    ) -> Sequence[MarketEvent]:
        instrument = self._listed(row.contract)
        if instrument is None:
            return _NO_EVENTS
        if not self._newest.is_settled(wire.to_ms(row.time), received):
            self.counts["left_to_stream"] += 1
            return _NO_EVENTS
        return self._liquidations.of_rest(row, instrument, told, received)

    def _candles(self, query: str, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        instrument = self._listed(named(query, "contract"))
        if instrument is None:
            return _NO_EVENTS
        bars = each_good(rows, lambda row: [_bar(row, instrument)], self.counts)
        return [price_history(instrument, bars, interval_ms=HOUR_MS, received=received)]

    def _stats(self, query: str, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        instrument = self._listed(named(query, "contract"))
        if instrument is None:
            return _NO_EVENTS
        told = each_good(rows, lambda row: [read(wire.stat, row)], self.counts)
        points = (
            (wire.to_ms(each.time), each.open_interest * instrument.contract_size) for each in told
        )
        return [open_interest_history(instrument, points, received=received)]

    def _instruments(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        listings = each_good(rows, lambda row: [read(wire.listing, row)], self.counts)
        listed = [event for each in listings for event in self._instrument(each, received)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of contracts")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        self._funding_times = {
            each.name: (each.funding_interval * 1000, round(each.funding_next_apply * 1000))
            for each in listings
            if each.name in self.instruments and each.funding_interval and each.funding_next_apply
        }
        return listed

    def _instrument(self, listing: wire.Listing, received: int) -> Sequence[Instrument]:
        coin = wire.coin_of(listing.name)
        if coin is None:
            return ()
        if wire.is_none(listing.quanto_multiplier):
            self.counts["no_contract_size"] += 1
            return ()
        symbol, multiplier = coin
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.name,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR,
                contract_size=listing.quanto_multiplier * multiplier,
                tick_size=listing.order_price_round / multiplier,
                status="delisting" if listing.in_delisting else listing.status,
            ),
        )

    def _margin_tiers(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        tables: dict[str, list[Raw]] = {}
        for row in rows:
            tables.setdefault(read(wire.named, row).contract, []).append(row)
        return each_good(
            tables.items(), lambda table: self._margin_table(*table, received), self.counts
        )

    def _margin_table(self, name: str, rows: list[Raw], received: int) -> Sequence[MarginTiers]:
        instrument = self._listed(name)
        if instrument is None:
            return ()
        tiers = [read(wire.tier, row) for row in rows]
        return (
            MarginTiers(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=name,
                time=received // 1_000_000,
                received=received,
                unit="usd",
                tiers=tuple(
                    MarginTier(
                        tier.risk_limit, tier.maintenance_rate, tier.leverage_max, tier.deduction
                    )
                    for tier in sorted(tiers, key=lambda tier: tier.risk_limit)
                ),
            ),
        )


def _bar(row: Raw, instrument: Instrument) -> PriceBar:
    candle, multiplier = read(wire.candle, row), wire.multiplier_of(instrument.instrument)
    return price_bar(
        wire.to_ms(candle.t),
        (candle.low / multiplier, candle.high / multiplier, candle.close / multiplier),
        paid=candle.paid,
        coins=candle.volume * instrument.contract_size,
    )


def _answer(message: wire.Envelope) -> Control:
    if message.error is None:
        return Acknowledged(tuple(f"{message.channel}:{name}" for name in message.payload or ()))
    unknown = _UNKNOWN_CONTRACT.search(message.error.message)
    topics = (f"{message.channel}:{unknown[1]}",) if unknown else ()
    return Refused(f"{message.error.code} {message.error.message}", topics)


def _endpoint(asked: Sequence[tuple[str, Sequence[str]]]) -> Endpoint:
    requests = [
        {"time": _REQUEST_TIME, "channel": channel, "event": "subscribe", "payload": names}
        for channel, names in asked
    ]
    return Endpoint(
        url=_WEBSOCKET,
        headers=(("X-Gate-Size-Decimal", "1"),),  # without it sizes are rounded down, also to 0
        requests=tuple(msgspec.json.encode(request).decode() for request in requests),
        topics=tuple(f"{channel}:{name}" for channel, names in asked for name in names),
        heartbeat=Heartbeat(
            text=f'{{"time":{_REQUEST_TIME},"channel":"futures.ping"}}', interval_s=15
        ),
        silent_after_s=30,
    )
