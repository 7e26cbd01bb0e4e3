"""Paradex perpetuals: one subscription for the trades of all markets, in binary, and REST.

Documentation: docs.paradex.trade (ws/general-information: binary-encoding-sbe, introduction,
error-handling, rate-limits; api/prod: markets/get-markets, markets/get-markets-summary,
trades/trades; risk/liquidations, risk/cross-margin-requirement) and the schema it names,
github.com/tradeparadex/paradex-py, paradex_py/api/sbe/paradex_1_0.xml. Since 2026-09-21 public
channels come as Simple Binary Encoding, little-endian, asked for in the address; answers to
requests stay JSON. One payload per channel:

    trades.ALL        header: block length u16 (50), template u16 (1), schema u16 (1), version u16;
                      TradeEvent: ts i64 µs, seq i64, tradeId i64, side u8 (1 buy, 2 sell of the
                      taker), price i64 ×10⁻⁸, size i64 ×10⁻⁸, createdAt i64 µs, tradeType u8;
                      market: length u8, text
    the same, JSON    {"params":{"channel":"trades.ALL","data":{"id":"1700000000000201709233240002",
                      "market":"kBONK-USD-PERP","side":"BUY","size":"34028","price":"0.028776",
                      "created_at":1700000000000,"trade_type":"FILL"}}}
    /markets/summary  {"results":[{"symbol":"BTC-USD-PERP","mark_price":"60001.5",
                      "underlying_price":"60000.5","open_interest":"1234.5","funding_rate":"0.0001",
                      "created_at":1700000000000}]}
    /trades           {"results":[the JSON trade]}

The JSON form is read on the old address, tried where the binary one stays silent. A liquidation is
the insurance fund taking over a position, which it sells later: the schema gives such a transfer no
order book number (`seq` 0), and then it is no trade. The binary id is the low 64 bits of the
28 digits. Nothing here was checked on a live connection; whether open interest counts one side is
not documented.
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
    MarginTier,
    MarginTiers,
    MarketEvent,
    MarkPrice,
    Mechanism,
    OpenInterest,
    Side,
    Trade,
)
from liqwatch.exchanges import paradex_wire as wire
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
)
from liqwatch.exchanges.seen import SeenKeys
from liqwatch.exchanges.typed_trades import forced_taker
from liqwatch.exchanges.wire import NO_CAP, each_good, ignore, known_price, read

_JSON_WEBSOCKET = "wss://ws.api.prod.paradex.trade/v1"
_WEBSOCKET = f"{_JSON_WEBSOCKET}?sbeSchemaId=1&sbeSchemaVersion=1"
_REST = "https://api.prod.paradex.trade"
_MARKETS = "/v1/markets"
_SUMMARY = "/v1/markets/summary"
_TRADES = "/v1/trades"
_CHANNEL = "trades.ALL"
_SUBSCRIBE = '{"jsonrpc":"2.0","method":"subscribe","params":{"channel":"' + _CHANNEL + '"},"id":1}'

_MATCHES = {"FILL", "RPI", "LIQUIDATION"}
_NOT_A_TRADE = {"UNWIND_TRANSFER", "SETTLE_MARKET", "BLOCK_TRADE"}

_MARKET = re.compile(r"(k(?=[A-Z0-9]))?(.+)-USD-PERP")  # kBONK: 1,000 BONK


class _State(Struct):
    instruments: dict[str, Instrument]
    fills: list[str]
    forced: list[str]
    funding_hours: dict[str, float]


_state = msgspec.msgpack.Decoder(_State)

_NO_EVENTS: tuple[MarketEvent, ...] = ()


@lru_cache(maxsize=4096)
def _coin(market: str) -> tuple[str, int] | None:
    """Coin and multiplier of a perpetual in dollars; None for options and spot."""
    match = _MARKET.fullmatch(market)
    return None if match is None else (match[2].upper(), 1000 if match[1] else 1)


class Paradex(Exchange):
    """Paradex's perpetuals."""

    venue = "paradex"
    title = "Paradex"
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
        "every liquidation is shown; the insurance fund takes positions over and sells them later, "
        "so they do not count as orders on the book"
    )
    connects_per_s = 5.0  # half of the 600 a minute
    rest_per_s = 10.0  # 1,500 a minute are allowed

    def __init__(self) -> None:
        super().__init__()
        self._fills = SeenKeys()
        self._forced = SeenKeys()
        self._funding_hours: dict[str, float] = {}

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the markets."""
        return [Poll(url=_REST + _MARKETS, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the trades of all markets, which one subscription brings."""
        if not self._names(symbols):
            return []
        return [
            Endpoint(
                url=_WEBSOCKET,
                routes=(_JSON_WEBSOCKET,),
                requests=(_SUBSCRIBE,),
                topics=(_CHANNEL,),
                protocol_ping_s=15,
                idle_timeout_s=90,  # the JSON form has no heartbeats
                silent_after_s=60,
            )
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one answer for all
        """Ask for marks, open interest and funding of all markets, and reload the markets."""
        return [*self.bootstrap(), Poll(url=f"{_REST}{_SUMMARY}?market=ALL", interval_s=15)]

    def backfill(
        self, symbols: Collection[str] | None, since_ms: int, until_ms: int
    ) -> Sequence[Poll]:
        """Ask for the newest trades of each market in that time, 100 of them as documented."""
        window = f"start_at={since_ms}&end_at={until_ms}"
        return [
            Poll(url=f"{_REST}{_TRADES}?market={name}&{window}", interval_s=0)
            for name in self._names(symbols)
        ]

    def open_questions(self) -> Sequence[str]:
        """What only a live comparison can settle."""
        return (
            "whether liquidations ever meet the order book, or only the insurance fund",
            "whether open interest counts one side",
        )

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        if isinstance(frame, bytes) and frame[4:6] == wire.SCHEMA:
            return self._binary(frame, received)
        message = read(wire.message, frame)
        if message.params is not UNSET:
            return self._push(message.params, received)
        if message.error is not UNSET:
            error = message.error
            return [Refused(f"{error.code} {error.message}", (_CHANNEL,))]
        if message.result is not UNSET and message.result.channel:
            return [Acknowledged((message.result.channel,))]
        ignore(self.counts, message.method)
        return _NO_EVENTS

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn markets, their summaries or past trades into events."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path not in {_MARKETS, _SUMMARY, _TRADES}:
            ignore(self.counts, path)
            return _NO_EVENTS
        rows = read(wire.answer, text).results
        if path == _MARKETS:
            return self._markets(rows, received)
        if path == _SUMMARY:
            return each_good(rows, lambda row: self._summary(row, received), self.counts)
        return each_good(
            rows[::-1],  # they come newest first
            lambda row: self._match(read(wire.trade, row), received, history=True),
            self.counts,
        )

    def snapshot(self) -> bytes:
        """Markets and their funding periods, trades and liquidations already seen."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                fills=self._fills.keys(),
                forced=self._forced.keys(),
                funding_hours=self._funding_hours,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._fills = SeenKeys(saved.fills)
        self._forced = SeenKeys(saved.forced)
        self._funding_hours = saved.funding_hours

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return sorted(
            name
            for name, market in self.instruments.items()
            if symbols is None or market.symbol in symbols
        )

    def _listed(self, market: str) -> tuple[str, int] | None:
        """Coin and multiplier of that market, or None, counted."""
        coin = _coin(market)
        if coin is None:
            self.counts["not_this_market"] += 1
        return coin

    def _push(self, params: wire.Params, received: int) -> Sequence[MarketEvent]:
        kind = params.channel.partition(".")[0]
        if kind != "trades":
            ignore(self.counts, kind)
            return _NO_EVENTS
        if params.data is UNSET:
            raise MalformedFrame("bad_field", "trade without data")
        return self._match(read(wire.trade, params.data), received)

    def _binary(self, frame: bytes, received: int) -> Sequence[MarketEvent | Control]:
        template = wire.template(frame)
        if template == wire.TRADE_EVENT:
            return self._match(wire.trade_event(frame), received)
        if template == wire.HEARTBEAT_EVENT:
            return [Alive()]
        ignore(self.counts, f"template {template}")
        return _NO_EVENTS

    def _match(
        self, trade: wire.Trade, received: int, *, history: bool = False
    ) -> Sequence[MarketEvent]:
        coin = self._listed(trade.market)
        if coin is None:
            return _NO_EVENTS
        forced = trade.type == "LIQUIDATION"
        # Past fills are not remembered: those of all markets are more than the memory holds, and
        # nothing is made of them.
        if forced or not history:
            seen = self._forced if forced else self._fills
            # An id is unique per type.
            if not seen.add(f"{trade.market} {trade.type} {wire.low_64_bits(trade.id)}"):
                self.counts["duplicate"] += 1
                return _NO_EVENTS
        if not trade.side:
            self.counts["uncertain_side"] += 1
        elif trade.type in _NOT_A_TRADE:
            self.counts[f"not_a_trade:{trade.type.lower()}"] += 1
        elif trade.type not in _MATCHES:
            ignore(self.counts, trade.type)
        elif history and not forced:
            self.counts["history"] += 1
        else:
            return self._events(trade, *coin, received, forced=forced, history=history)
        return _NO_EVENTS

    def _events(
        self,
        trade: wire.Trade,
        symbol: str,
        multiplier: int,
        received: int,
        *,
        forced: bool,
        history: bool,
    ) -> Sequence[MarketEvent]:
        match = Trade(
            self.venue,
            symbol,
            trade.market,
            trade.time,
            received,
            trade.price / multiplier,
            trade.size * multiplier,
            Side.BUY if trade.side == "BUY" else Side.SELL,
            trade.id,
        )
        taken_over = forced and trade.seq == 0
        events: list[MarketEvent] = [] if history or taken_over else [match]
        if forced:
            events.append(
                forced_taker(
                    match,
                    self.completeness,
                    notional_usd=trade.price * trade.size,
                    mechanism=Mechanism.BACKSTOP if taken_over else Mechanism.BOOK,
                    history=history,
                )
            )
        return events

    def _summary(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        summary = read(wire.summary, row)
        coin = self._listed(summary.market)
        if coin is None:
            return _NO_EVENTS
        symbol, multiplier = coin
        about = (self.venue, symbol, summary.market, summary.time, received)
        events: list[MarketEvent] = []
        mark, index = known_price(summary.mark_price), known_price(summary.index_price)
        if mark:
            index = index / multiplier if index else None
            events.append(MarkPrice(*about, mark / multiplier, index))
        if isinstance(summary.open_interest, float):
            events.append(OpenInterest(*about, summary.open_interest * multiplier))
        if isinstance(summary.funding_rate, float):
            hours = self._funding_hours.get(summary.market)
            events.append(Funding(*about, summary.funding_rate, hours))
        return events

    def _markets(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        hours: dict[str, float] = {}
        events = each_good(rows, lambda row: self._market(row, hours, received), self.counts)
        listed = [event for event in events if isinstance(event, Instrument)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of markets")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        self._funding_hours = hours
        return events

    def _market(self, row: Raw, hours: dict[str, float], received: int) -> Sequence[MarketEvent]:
        listing = read(wire.listing, row)
        coin = _coin(listing.market)
        if coin is None:
            return ()
        symbol, multiplier = coin
        if listing.funding_hours is not None:
            hours[listing.market] = listing.funding_hours
        about = (self.venue, symbol, listing.market, received // 1_000_000, received)
        events: list[MarketEvent] = [
            Instrument(
                *about,
                contract_type=ContractType.LINEAR,
                contract_size=float(multiplier),
                tick_size=listing.tick / multiplier,
                status="listed",  # only active markets are
            )
        ]
        margin = listing.margin
        # The same for all sizes, unless a factor that is always 0 is not.
        if margin and margin.initial and margin.maintenance_share and not margin.growth:
            rate = margin.initial * margin.maintenance_share
            tier = MarginTier(cap=NO_CAP, rate=rate, max_leverage=1 / margin.initial)
            events.append(MarginTiers(*about, unit="usd", tiers=(tier,)))
        return events
