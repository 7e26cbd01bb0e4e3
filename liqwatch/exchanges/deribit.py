"""Deribit's perpetuals: JSON-RPC over one websocket, liquidations as flagged trades.

Documentation: docs.deribit.com, subscriptions/trades/tradeskindcurrencyinterval,
subscriptions/market-data/tickerinstrument_nameinterval, api-reference/session-management/
public-set_heartbeat, api-reference/market-data/public-get_instruments and
public-get_last_trades_by_instrument_and_time, articles/rate-limits. One payload per channel, each
inside {"jsonrpc":"2.0","method":"subscription","params":{"channel":…,"data":…}}:

    trades.future.any.100ms    [{"instrument_name":"BTC-PERPETUAL","trade_seq":271252854,
                                "trade_id":"403691824","timestamp":1700000000000,
                                "price":60000.5,"amount":1200.0,"direction":"sell",
                                "mark_price":60010.2,"index_price":60012.1,"liquidation":"T"}]
    ticker.BTC-PERPETUAL.agg2  {"instrument_name":"BTC-PERPETUAL","timestamp":1700000000000,
                                "mark_price":60010.2,"index_price":60012.1,
                                "open_interest":900000000.0,"current_funding":0.0,
                                "funding_8h":0.0000211,"state":"open"}

Amounts and open interest of inverse perpetuals are USD, those of linear ones base coins.
Unverified: the liquidation flag on the channel of all futures (it is known from the channels by
instrument), and whether a trade by way of a combo can carry it.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct

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
from liqwatch.exchanges import deribit_wire as wire
from liqwatch.exchanges.base import (
    Acknowledged,
    Alive,
    Channel,
    Control,
    Endpoint,
    Exchange,
    MalformedFrame,
    Poll,
    Refused,
    Reply,
)
from liqwatch.exchanges.seen import Newest, SeenIds, SeenKeys, remember
from liqwatch.exchanges.symbols import split_multiplier
from liqwatch.exchanges.wire import batches, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://www.deribit.com/ws/api/v2"
_WITHOUT_KEY = "wss://streams.deribit.com/ws/api/v2"
_PUBLIC = "https://www.deribit.com/api/v2/public/"
_LIST = urlsplit(f"{_PUBLIC}get_instruments?currency=any&kind=future&expired=false")
_LAST_TRADES = urlsplit(f"{_PUBLIC}get_last_trades_by_instrument_and_time")
_TRADES = "trades.future.any.100ms"
_CHANNELS_PER_REQUEST = 500  # what the documentation advises
_ROWS = 1000  # the most that one answer has
_HEARTBEAT_S = 15  # at least 10
_FUNDING_HOURS = 8.0
_BASE = re.compile(r"([^-_]+)(_\w+)?-PERPETUAL")
_QUOTES = {"USD", "USDC", "USDT"}


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: SeenIds
    liquidations: list[str]
    newest: Newest
    funding: dict[str, float]


_state = msgspec.msgpack.Decoder(_State)

_LINEAR = ContractType.LINEAR
_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()

# Whose positions were closed, by the flag and the taker's side. A forced sale closes a long, and
# the maker was on the other side.
_LIQUIDATED = {
    ("T", "sell"): (Position.LONG,),
    ("T", "buy"): (Position.SHORT,),
    ("M", "buy"): (Position.LONG,),
    ("M", "sell"): (Position.SHORT,),
    ("MT", "sell"): (Position.LONG, Position.SHORT),
    ("MT", "buy"): (Position.SHORT, Position.LONG),
}


class Deribit(Exchange):
    """Deribit's perpetuals, inverse and linear; everything of a coin is listened to.

    One channel brings the trades of all coins, and with them every liquidation, so what is asked
    for by coin is only the ticker.
    """

    venue = "deribit"
    title = "Deribit"
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
    limits = "every liquidation is shown at its fill, one position in many small ones"
    connects_per_s = 1.0  # only the number at a time is limited: 32 per IP, requests included
    rest_per_s = 5.0

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenIds()
        self._liquidations = SeenKeys()
        self._newest = Newest()
        self._funding: dict[str, float] = {}  # the rate last told

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of futures."""
        return [Poll(url=_LIST.geturl(), interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to all trades and the tickers of these coins on one connection."""
        names = self._names(symbols)
        if not names:
            return []
        topics = [_TRADES, *(f"ticker.{name}.agg2" for name in names)]
        requests = [
            _request(1, "public/set_heartbeat", {"interval": _HEARTBEAT_S}),
            *(
                _request(number, "public/subscribe", {"channels": part})
                for number, part in enumerate(batches(topics, _CHANNELS_PER_REQUEST), 2)
            ),
        ]
        return [
            Endpoint(
                url=_WEBSOCKET,
                routes=(_WITHOUT_KEY,),
                requests=tuple(requests),
                topics=tuple(topics),
                request_gap_s=0.5,  # 3.3 subscriptions a second are allowed
                idle_timeout_s=40,
                silent_after_s=30,
            )
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the list; streams bring everything else."""
        return self.bootstrap()

    def backfill(
        self, symbols: Collection[str] | None, since_ms: int, until_ms: int
    ) -> Sequence[Poll]:
        """Ask for the last 1,000 trades of each perpetual in that time."""
        span = f"start_timestamp={since_ms}&end_timestamp={until_ms}&count={_ROWS}&sorting=desc"
        address = f"{_LAST_TRADES.geturl()}?{span}&instrument_name="
        return [Poll(url=address + name, interval_s=3600) for name in self._names(symbols)]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        message = read(wire.envelope, frame)
        if message.method != "subscription":
            return self._control(message)
        kind = message.params.channel.partition(".")[0]
        if kind not in {"trades", "ticker"}:
            ignore(self.counts, kind)
            return _NO_EVENTS
        if message.params.data is UNSET:
            raise MalformedFrame("bad_field", f"{kind} without data")
        if kind == "ticker":
            return self._ticker(read(wire.ticker, message.params.data), received)
        try:
            trades = read(wire.trades, message.params.data)
        except MalformedFrame:
            return each_good(
                read_rows(message.params.data),
                lambda row: self._market_trades([read(wire.trade, row)], received),
                self.counts,
            )
        return self._market_trades(trades, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn the list of futures, or trades that were missed, into events."""
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        parts = urlsplit(url)
        if parts.path == _LIST.path and parts.query == _LIST.query:
            take = self._instruments
        elif parts.path == _LAST_TRADES.path:
            take = self._missed_trades
        else:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        answer = read(wire.envelope, text)
        if answer.result is UNSET:
            raise MalformedFrame("api_error", text[:200])
        return take(answer.result, received)

    def snapshot(self) -> bytes:
        """The list, trades and liquidations already seen, the newest time, funding last told."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades,
                liquidations=self._liquidations.keys(),
                newest=self._newest,
                funding=self._funding,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = saved.trades
        self._liquidations = SeenKeys(saved.liquidations)
        self._newest = saved.newest
        self._funding = saved.funding

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        """All open perpetuals of these coins, the inverse ones first, which are the largest."""
        perpetuals = [
            perpetual
            for perpetual in self.instruments.values()
            if perpetual.status == "open" and (symbols is None or perpetual.symbol in symbols)
        ]
        perpetuals.sort(key=lambda one: (one.contract_type is _LINEAR, one.instrument))
        return [perpetual.instrument for perpetual in perpetuals]

    def _control(self, message: wire.Envelope) -> Sequence[Control]:
        if message.error is not UNSET:
            return [Refused(f"{message.error.code} {message.error.message}")]
        if message.result is not UNSET:
            return _answer(bytes(message.result))
        if message.method == "heartbeat":
            wants_answer = message.params.type == "test_request"
            return [Reply(_request(0, "public/test", {})) if wants_answer else Alive()]
        ignore(self.counts, message.method)
        return ()

    def _listed(self, name: str) -> Instrument | None:
        """The perpetual of that name, or None, counted."""
        instrument = self.instruments.get(name)
        if instrument is None:
            known = name.endswith("-PERPETUAL")
            self.counts["unknown_instrument" if known else "not_this_market"] += 1
        return instrument

    def _market_trades(self, trades: list[wire.Trade], received: int) -> Sequence[MarketEvent]:
        events: list[MarketEvent] = []
        for trade in trades:
            instrument = self._listed(trade.instrument_name)
            if instrument is None:
                continue
            self._newest.stamp(trade.timestamp, received)
            missed = self._trades.gap(trade.instrument_name, trade.trade_seq)
            if self._trades.add(trade.instrument_name, trade.trade_seq):
                if missed:
                    self.counts["gap"] += missed
                events += self._trade(trade, instrument, received)
            else:
                self.counts["duplicate"] += 1
            if trade.liquidation:
                late = self._newest.is_history(trade.timestamp, received)
                events += self._liquidations_of(trade, instrument, received, history=late)
        return events

    def _trade(
        self, trade: wire.Trade, instrument: Instrument, received: int
    ) -> Sequence[MarketEvent]:
        if trade.off_book:
            self.counts[f"not_a_trade:{trade.off_book}"] += 1
            return _NO_EVENTS
        multiplier = _multiplier(trade.instrument_name)
        linear = instrument.contract_type is _LINEAR
        return (
            Trade(
                self.venue,
                instrument.symbol,
                trade.instrument_name,
                trade.timestamp,
                received,
                trade.price / multiplier,
                trade.amount * multiplier if linear else trade.amount / trade.price,
                _BUY if trade.direction == "buy" else _SELL,
                trade.trade_id,
            ),
        )

    def _liquidations_of(
        self, trade: wire.Trade, instrument: Instrument, received: int, *, history: bool
    ) -> Sequence[MarketEvent]:
        positions = _LIQUIDATED.get((trade.liquidation, trade.direction))
        if positions is None:
            self.counts["uncertain_side"] += 1
            return _NO_EVENTS
        multiplier = _multiplier(trade.instrument_name)
        linear = instrument.contract_type is _LINEAR
        events: list[MarketEvent] = []
        for position in positions:
            if not self._liquidations.add(f"{trade.instrument_name} {trade.trade_seq} {position}"):
                self.counts["duplicate"] += 1
                continue
            events.append(
                Liquidation(
                    venue=self.venue,
                    symbol=instrument.symbol,
                    instrument=trade.instrument_name,
                    time=trade.timestamp,
                    received=received,
                    position=position,
                    size=trade.amount * multiplier if linear else trade.amount / trade.price,
                    price=trade.price / multiplier,
                    price_kind=PriceKind.FILL,
                    notional_usd=trade.amount * trade.price if linear else trade.amount,
                    completeness=self.completeness,
                    history=history,
                )
            )
        return events

    def _ticker(self, ticker: wire.Ticker, received: int) -> Sequence[MarketEvent]:
        instrument = self._listed(ticker.instrument_name)
        if instrument is None:
            return _NO_EVENTS
        self._newest.stamp(ticker.timestamp, received)
        multiplier = _multiplier(ticker.instrument_name)
        about = (
            self.venue,
            instrument.symbol,
            ticker.instrument_name,
            ticker.timestamp,
            received,
        )
        index = None if ticker.index_price is None else ticker.index_price / multiplier
        amount = ticker.open_interest
        events: list[MarketEvent] = [MarkPrice(*about, ticker.mark_price / multiplier, index)]
        if instrument.contract_type is _LINEAR:
            events.append(OpenInterest(*about, amount * multiplier))
        else:
            events.append(OpenInterest(*about, amount / ticker.mark_price, amount))
        rate = ticker.funding_8h
        if rate is not None and rate != self._funding.get(ticker.instrument_name):
            remember(self._funding, ticker.instrument_name, rate)
            events.append(Funding(*about, rate, _FUNDING_HOURS))
        return events

    def _instruments(self, result: Raw, received: int) -> Sequence[MarketEvent]:
        listed = each_good(
            read_rows(result), lambda row: self._instrument(row, received), self.counts
        )
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of futures")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(wire.listing, row)
        perpetual = listing.settlement_period == "perpetual"
        if not perpetual or listing.quote_currency not in _QUOTES:
            return ()
        coin, multiplier = split_multiplier(listing.base_currency)
        kind = listing.instrument_type or listing.future_type
        if kind is None:
            raise MalformedFrame("bad_field", f"{listing.instrument_name}: linear or inverse?")
        linear = kind == "linear"
        return (
            Instrument(
                venue=self.venue,
                symbol=coin,
                instrument=listing.instrument_name,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR if linear else ContractType.INVERSE,
                contract_size=listing.contract_size * (multiplier if linear else 1),
                tick_size=listing.tick_size / multiplier,
                status=listing.state or ("open" if listing.is_active else "inactive"),
            ),
        )

    def _missed_trades(self, result: Raw, received: int) -> Sequence[MarketEvent]:
        answer = read(wire.last_trades, result)
        if answer.has_more:
            self.counts["backfill_cut_off"] += 1
        return each_good(
            answer.trades,
            lambda row: self._missed_trade(read(wire.trade, row), received),
            self.counts,
        )

    def _missed_trade(self, trade: wire.Trade, received: int) -> Sequence[MarketEvent]:
        """Tell of a liquidation. Trades are past; those not yet heard are left to the stream."""
        instrument = self._listed(trade.instrument_name)
        if instrument is None:
            return _NO_EVENTS
        if not self._newest.is_settled(trade.timestamp, received):
            self.counts["left_to_stream"] += 1
            return _NO_EVENTS
        self.counts["history"] += 1
        if not trade.liquidation:
            return _NO_EVENTS
        return self._liquidations_of(trade, instrument, received, history=True)


def _answer(result: bytes) -> Sequence[Control]:
    """Read what a request of ours brought: a word, a version, or the channels accepted."""
    if result == b'"ok"':  # to set_heartbeat, the first request
        return [Acknowledged()]
    if not result.startswith(b"["):
        return [Alive()]
    channels = read(wire.channels, result)
    # What was not accepted is left out without a word.
    return [Acknowledged(tuple(channels)) if channels else Refused("none of the channels")]


def _request(number: int, method: str, params: dict[str, object]) -> str:
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return msgspec.json.encode(request).decode()


@lru_cache(maxsize=4096)
def _multiplier(name: str) -> int:
    """How many coins the base of a perpetual is: `1000PEPE_USDC-PERPETUAL` counts thousands."""
    base = _BASE.fullmatch(name)
    return split_multiplier(base[1])[1] if base else 1
