"""Lighter perpetuals: one websocket for the tapes and statistics of all markets, REST for the list.

Documentation: apidocs.lighter.xyz/docs, pages websocket-reference and rate-limits, and
apidocs.lighter.xyz/reference/orderbookdetails. One payload per channel:

    trade/1           {"type":"update/trade","channel":"trade:1","trades":[{"trade_id":401,
                       "type":"trade","market_id":1,"size":"0.5","price":"60000.0",
                       "ask_account_id":12,"bid_account_id":65,"is_maker_ask":true,
                       "timestamp":1700000000000,"taker_position_size_before":"1.5",
                       "taker_entry_quote_before":"90600.0",
                       "taker_initial_margin_fraction_before":500,
                       "maker_position_size_before":"-0.5","maker_entry_quote_before":"30100.0",
                       "maker_initial_margin_fraction_before":400}],"liquidation_trades":null}
    market_stats/all  {"type":"update/market_stats","channel":"market_stats:all",
                       "timestamp":1700000000000,"market_stats":{"1":{"market_id":1,
                       "mark_price":"60001.0","index_price":"60002.0",
                       "open_interest":"90000000.0","current_funding_rate":"0.0012"}}}

A liquidation is a row of type `liquidation`, whose taker is the account that is liquidated; it
stands in `liquidation_trades`, some have seen it in `trades`. What follows a subscription is a
replay. Inferred, not documented: that the funding rate is in percent an hour (its resting value is
0.0012, an eighth of 0.01 %), and that `deleverage` and `market-settlement` are no market trades.
"""

from collections.abc import Collection, Iterable, Sequence
from math import log
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from liqwatch.events import (
    AccountPosition,
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
from liqwatch.exchanges import lighter_wire as wire
from liqwatch.exchanges.base import (
    Acknowledged,
    Alive,
    Channel,
    Control,
    Endpoint,
    Exchange,
    MalformedFrame,
    Notice,
    Poll,
    Refused,
    Reply,
)
from liqwatch.exchanges.lighter_positions import positions_after
from liqwatch.exchanges.seen import Newest, SeenKeys, remember
from liqwatch.exchanges.symbols import choose, split_multiplier
from liqwatch.exchanges.wire import NO_CAP, UNREADABLE, batches, each_good, ignore, read

_WEBSOCKET = "wss://mainnet.zklighter.elliot.ai/stream"
_LIST = "https://mainnet.zklighter.elliot.ai/api/v1/orderBookDetails"
_SUBSCRIPTIONS = 500  # per connection
_STATISTICS = "market_stats/all"
_CLEAR = log(4)  # coins and dollars of a coin this far from $1 cannot be mistaken for each other


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: list[str]
    liquidations: list[str]
    newest: Newest
    funding: dict[str, float]
    listed_interest: dict[str, float]
    interest_in_usd: bool | None


_state = msgspec.msgpack.Decoder(_State)

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class Lighter(Exchange):
    """Lighter's perpetuals; instruments go by the venue's market id."""

    venue = "lighter"
    title = "Lighter"
    completeness = Completeness.FULL
    channels = frozenset(
        {
            Channel.TRADES,
            Channel.LIQUIDATIONS,
            Channel.OPEN_INTEREST,
            Channel.MARK_PRICE,
            Channel.FUNDING,
            Channel.MARGIN_TIERS,
            Channel.POSITIONS,
        }
    )
    limits = (
        "every liquidation is shown, at its fill; positions only of accounts that trade while we "
        "listen, without liquidation price"
    )
    connects_per_s = 2.0  # 255 a minute
    rest_per_s = 0.5  # 60 a minute

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._newest = Newest()
        self._funding: dict[str, float] = {}
        self._listed_interest: dict[str, float] = {}
        self._interest_in_usd: bool | None = None  # as streamed

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of markets."""
        return [Poll(url=_LIST, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the statistics of all markets and the tape of each coin on one connection."""
        # Channels are asked for by market id, which only the list tells.
        listed = self.instruments
        names = choose(symbols, listed, suffix="", trading="active") if listed else []
        if not names:
            return []
        # Statistics first: their time tells which rows of the replays are history.
        topics = [_STATISTICS, *(f"trade/{name}" for name in names)]
        return [_endpoint(part) for part in batches(topics, _SUBSCRIPTIONS)]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the list with its margins and open interest; streams bring everything else."""
        return self.bootstrap()

    def open_questions(self) -> Sequence[str]:
        """Name the unit of the streamed open interest until it is known."""
        return ("unit of the streamed open interest",) if self._interest_in_usd is None else ()

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            tape = wire.tape.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        if tape.type != "update/trade":
            return self._second_look(frame, received)
        rows = [*(tape.trades or ()), *(tape.liquidation_trades or ())]
        return self._traded(rows, received, replayed=False)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn the list of markets into instruments and margins."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path != "/api/v1/orderBookDetails":
            ignore(self.counts, path)
            return _NO_EVENTS
        answer = read(wire.answer, text)
        if answer.code != 200:
            raise MalformedFrame("api_error", f"{answer.code} {answer.message[:200]}")
        markets = each_good(answer.markets, lambda row: [read(wire.listing, row)], self.counts)
        perpetuals = {str(row.market_id): row for row in markets if row.market_type == "perp"}
        if not perpetuals:
            raise MalformedFrame("empty_list", "no perpetual in the list of markets")
        listed = {name: self._instrument(row, received) for name, row in perpetuals.items()}
        self.instruments = listed
        self._listed_interest = {name: row.open_interest for name, row in perpetuals.items()}
        margins = [_margin(listed[name], row) for name, row in perpetuals.items()]
        return [*listed.values(), *margins]

    def snapshot(self) -> bytes:
        """Instruments, trades already seen, newest time, funding, and what tells units apart."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                newest=self._newest,
                funding=self._funding,
                listed_interest=self._listed_interest,
                interest_in_usd=self._interest_in_usd,
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
        self._listed_interest = saved.listed_interest
        self._interest_in_usd = saved.interest_in_usd

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a live tape of good rows."""
        message = read(wire.message, frame)
        # Channels are asked for as trade/1 and named as trade:1.
        topic = message.channel.replace(":", "/")
        match message.type.partition("/"):
            case "update", _, "trade":
                return self._rows(message, received, replayed=False)
            case "subscribed", _, "trade":
                return [Acknowledged((topic,)), *self._rows(message, received, replayed=True)]
            case "update", _, "market_stats" if topic == _STATISTICS:
                return self._statistics(message, received)
            case "subscribed", _, "market_stats" if topic == _STATISTICS:
                return [Acknowledged((topic,)), *self._statistics(message, received)]
            case _:
                return self._control(message)

    def _control(self, message: wire.Message) -> Sequence[Control]:
        if message.error is not None:
            return [Refused(f"{message.error.code} {message.error.message}".strip())]
        match message.type:
            case "ping":
                return [Reply('{"type":"pong"}')]
            case "connected" | "pong":
                return [Alive()]
            case "shutdown":
                return [Notice("shutdown")]
            case _:
                ignore(self.counts, message.type)
                return ()

    def _listed(self, market_id: int) -> Instrument | None:
        """The instrument of that id, or None, counted."""
        instrument = self.instruments.get(str(market_id))
        if instrument is None:
            self.counts["unknown_instrument"] += 1
        return instrument

    def _rows(
        self, message: wire.Message, received: int, *, replayed: bool
    ) -> Sequence[MarketEvent]:
        rows = [*(message.trades or ()), *(message.liquidation_trades or ())]
        good = each_good(rows, lambda row: [read(wire.trade, row)], self.counts)
        return self._traded(good, received, replayed=replayed)

    def _traded(
        self, rows: Iterable[wire.Trade], received: int, *, replayed: bool
    ) -> Sequence[MarketEvent]:
        """Tell trades and liquidations in order, then what the accounts hold at last."""
        by_id: dict[int, wire.Trade] = {}
        for row in rows:
            # The same trade may stand in both lists; that it is a liquidation is what counts.
            if row.trade_id not in by_id or row.type == "liquidation":
                by_id[row.trade_id] = row
        events: list[MarketEvent] = []
        held: dict[tuple[str, str], AccountPosition] = {}
        for _, row in sorted(by_id.items()):  # the venue lists the newest first
            instrument = self._listed(row.market_id)
            if instrument is None:
                continue
            if row.type not in {"trade", "liquidation"}:
                kind = row.type if row.type in _NO_TRADES else "other"
                self.counts[f"not_a_trade:{kind}"] += 1
                continue
            is_old = self._newest.is_past(row.timestamp, received, replayed=replayed)
            if self._is_new_trade(row, is_replay=replayed and is_old):
                events.append(self._trade(instrument, row, received))
                for position in positions_after(row, instrument, received):
                    held[position.account, position.instrument] = position
            if row.type == "liquidation":
                events += self._liquidation(instrument, row, received, history=is_old)
        return [*events, *held.values()]

    def _is_new_trade(self, row: wire.Trade, *, is_replay: bool) -> bool:
        if is_replay:
            # Not remembered: replays of all markets would push what is live out of memory.
            if row.type == "trade":
                self.counts["history"] += 1
            return False
        if not self._trades.add(row.key):
            self.counts["duplicate"] += 1
            return False
        return True

    def _trade(self, instrument: Instrument, row: wire.Trade, received: int) -> Trade:
        return Trade(
            self.venue,
            instrument.symbol,
            instrument.instrument,
            row.timestamp,
            received,
            row.price / instrument.contract_size,
            row.size * instrument.contract_size,
            _BUY if row.is_maker_ask else _SELL,
            str(row.trade_id),
        )

    def _liquidation(
        self, instrument: Instrument, row: wire.Trade, received: int, *, history: bool
    ) -> Sequence[MarketEvent]:
        if not self._liquidations.add(row.key):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        # The taker is liquidated: buying closes a short. Should what he held contradict that,
        # nothing is certain.
        held = row.taker_position_size_before or 0
        if held > 0 if row.is_maker_ask else held < 0:
            self.counts["uncertain_side"] += 1
            return _NO_EVENTS
        return (
            Liquidation(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=instrument.instrument,
                time=row.timestamp,
                received=received,
                position=Position.SHORT if row.is_maker_ask else Position.LONG,
                size=row.size * instrument.contract_size,
                price=row.price / instrument.contract_size,
                price_kind=PriceKind.FILL,
                notional_usd=row.size * row.price,
                completeness=self.completeness,
                history=history,
            ),
        )

    def _statistics(self, message: wire.Message, received: int) -> Sequence[MarketEvent]:
        time = message.timestamp or received // 1_000_000
        self._newest.stamp(time, received)
        return each_good(
            message.market_stats.values(),
            lambda row: self._market(read(wire.stats, row), time, received),
            self.counts,
        )

    def _market(self, stats: wire.Stats, time: int, received: int) -> Sequence[MarketEvent]:
        instrument = self._listed(stats.market_id)
        if instrument is None:
            return _NO_EVENTS
        name, multiplier = instrument.instrument, instrument.contract_size
        about = (self.venue, instrument.symbol, name, time, received)
        events: list[MarketEvent] = []
        if stats.mark_price:
            index = stats.index_price / multiplier if stats.index_price else None
            events.append(MarkPrice(*about, stats.mark_price / multiplier, index))
            size = self._open_interest(name, stats.open_interest, stats.mark_price)
            if size is not None:
                events.append(OpenInterest(*about, size * multiplier))
        rate = stats.current_funding_rate
        if rate != "" and self._funding.get(name) != rate:
            remember(self._funding, name, rate)
            events.append(Funding(*about, rate / 100, interval_hours=1.0))
        return events

    def _open_interest(self, name: str, told: float | str, mark_price: float) -> float | None:
        """Give a streamed figure in coins, None as long as its unit is not known.

        The venue has streamed dollars and coins by turns, while its list is in coins: whichever
        reading comes nearer to the list is meant. Where a coin costs about a dollar the other
        markets decide.
        """
        listed = self._listed_interest.get(name)
        if not (listed and told) or isinstance(told, str):
            return None
        if abs(log(mark_price)) > _CLEAR:
            apart = log(told) - log(listed)
            self._interest_in_usd = abs(apart - log(mark_price)) < abs(apart)
        if self._interest_in_usd is None:
            self.counts["unknown_unit"] += 1
            return None
        return told / mark_price if self._interest_in_usd else told

    def _instrument(self, row: wire.Listing, received: int) -> Instrument:
        symbol, multiplier = split_multiplier(row.symbol.upper())
        return Instrument(
            venue=self.venue,
            symbol=symbol,
            instrument=str(row.market_id),
            time=received // 1_000_000,  # a list has no time of its own
            received=received,
            contract_type=ContractType.LINEAR,
            contract_size=float(multiplier),
            tick_size=10**-row.price_decimals / multiplier,
            status=row.status,
        )


_NO_TRADES = {"deleverage", "market-settlement"}


def _margin(instrument: Instrument, row: wire.Listing) -> MarginTiers:
    tier = MarginTier(
        cap=NO_CAP,
        rate=row.maintenance_margin_fraction / wire.FRACTIONS,
        max_leverage=wire.FRACTIONS / row.min_initial_margin_fraction,
    )
    return MarginTiers(
        instrument.venue,
        instrument.symbol,
        instrument.instrument,
        instrument.time,
        instrument.received,
        unit="usd",
        tiers=(tier,),
    )


def _endpoint(topics: Sequence[str]) -> Endpoint:
    requests = [
        msgspec.json.encode({"type": "subscribe", "channel": topic}).decode() for topic in topics
    ]
    return Endpoint(
        url=_WEBSOCKET,
        routes=(f"{_WEBSOCKET}?readonly=true",),  # for restricted regions
        requests=tuple(requests),
        topics=tuple(topics),
        request_gap_s=0.4,  # 200 messages a minute are allowed, pings and pongs included
        protocol_ping_s=20,
        silent_after_s=30,
    )
