"""Bitfinex derivatives: one websocket of arrays, and REST for the list and what it leaves out.

Documentation: docs.bitfinex.com/docs, pages ws-general, ws-public, ws-public-trades and
ws-public-status; docs.bitfinex.com/reference, pages rest-public-conf,
rest-public-derivatives-status and rest-public-liquidations. One payload per channel; every array
ends with a sequence number and a time, which `conf` asks for:

    trades:tBTCF0:USTF0   [17,"te",[4520,1700000000000,-0.25,60000.5],31,1700000000010]
    status liq:global     [18,[["pos",14367,1700000000000,null,"tBTCF0:USTF0",0.5,61000.25,null,
                           1,1,null,59400]],32,1700000000040]
    status deriv:tBTCF0…  [19,[1700000000000,null,60000.5,60002.5,null,1372762.9,null,
                           1700006400000,-1.4e-05,533,null,0.0001,null,null,60001.5,null,null,
                           3005.25],33,1700000000060]

A liquidation is told in several rows of one position id. Those with IS_MATCH = 1 are what was
executed on the book, and make its flow. The row that starts it, IS_MATCH = 0, has the whole size;
it counts only where it has a price, as a position that the system took over: never as flow. (The
pages contradict each other on IS_MARKET_SOLD, so it decides nothing.) AMOUNT is the position's,
above 0 for a long; the sign of a trade is the taker's.

Channel ids belong to a connection, and the array of a trade does not name its pair. All is heard on
a single connection, therefore. An id that comes to mean another pair is not heard for 20 s: while
two connections overlap it could mean either. Error codes are not verified.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from math import inf
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
    Mechanism,
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges import bitfinex_wire as wire
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
)
from liqwatch.exchanges.seen import Newest, SeenKeys, remember
from liqwatch.exchanges.symbols import split_multiplier
from liqwatch.exchanges.wire import NO_CAP, UNREADABLE, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://api-pub.bitfinex.com/ws/2"
_REST = "https://api-pub.bitfinex.com"
_LIST = f"{_REST}/v2/conf/pub:info:pair:futures"
_STATUS = f"{_REST}/v2/status/deriv?keys=ALL"
_HISTORY = "/v2/liquidations/hist"
_LIQUIDATIONS = "liq:global"
_COINS = 12  # 25 channels: liquidations, and two for each coin
_TIMES_AND_SEQUENCES = 32_768 + 65_536
_LATE_MS = 10_000
_REPEATED_MS = 60_000
_OVERLAP_NS = 20_000_000_000  # longer than one connection is heard beside its successor
_SMALLEST = 1e-18  # as much as wire.py lets in


class _State(Struct):
    instruments: dict[str, Instrument]
    channels: dict[str, str]
    unclear: dict[str, int]
    trades: list[str]
    liquidations: list[str]
    newest: Newest
    status_ms: dict[str, int]
    funding: dict[str, tuple[float, int | None]]
    interest_usd: dict[str, float]


_state = msgspec.msgpack.Decoder(_State)

_NO_EVENTS: tuple[MarketEvent, ...] = ()
_PERPETUAL = re.compile(r"t(\w+)F0:USTF0")  # in USDt; dated futures do not exist here
_NAMES = {"ALG": "ALGO", "AMP": "AMPL", "ATO": "ATOM", "IOT": "IOTA"}
_INITIAL, _MAINTENANCE = 8, 9  # where margins stand among the terms of a pair


class Bitfinex(Exchange):
    """Bitfinex's perpetuals in USDt."""

    venue = "bitfinex"
    title = "Bitfinex"
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
        "every liquidation is shown, at its fill; what the system takes over is told apart and "
        "sold later; trades of the 12 largest coins only"
    )
    connects_per_s = 0.3  # 20 a minute
    rest_per_s = 0.2  # the history of liquidations allows 3 a minute, the others more

    def __init__(self) -> None:
        super().__init__()
        self._channels: dict[str, str] = {}  # topics by the id of their channel
        self._unclear: dict[str, int] = {}  # until when (ns) an id may mean something else, too
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._newest = Newest()
        self._status_ms: dict[str, int] = {}
        self._funding: dict[str, tuple[float, int | None]] = {}
        self._interest_usd: dict[str, float] = {}  # as first told, so that the choice stays

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the list of pairs, and for the state of all, which tells the largest."""
        return [Poll(url=_LIST, interval_s=3600), Poll(url=_STATUS, interval_s=30)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to all liquidations, and to the largest 12 of the coins, on one connection."""
        names = [
            instrument.instrument
            for instrument in self.instruments.values()
            if symbols is None or instrument.symbol in symbols
        ]
        names.sort(key=lambda name: (-self._interest_usd.get(name, 0), name))
        return [_endpoint(names[:_COINS])] if names else []

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the list, and the state of all the coins that are not streamed."""
        return self.bootstrap()

    def backfill(
        self,
        symbols: Collection[str] | None,  # noqa: ARG002 - one list for all
        since_ms: int,
        until_ms: int,
    ) -> Sequence[Poll]:
        """Ask for the last 500 rows of that time."""
        url = f"{_REST}{_HISTORY}?start={since_ms}&end={until_ms}&limit=500&sort=-1"
        return [Poll(url=url, interval_s=20)]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            executed = wire.executed.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        topic = self._topic(str(executed.channel), received)
        if not topic.startswith("trades:"):
            ignore(self.counts, "trade of an unknown channel")
            return _NO_EVENTS
        return self._market_trade(topic.removeprefix("trades:"), executed.trade, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn the list of pairs, the state of all or the history of liquidations into events."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        match path:
            case "/v2/conf/pub:info:pair:futures":
                return self._pairs(text, received)
            case "/v2/status/deriv":
                return self._statuses(text, received)
            case "/v2/liquidations/hist":
                rows = [row for page in read(wire.pages, text) for row in page]
                return each_good(rows, lambda row: self._forced(row, inf, received), self.counts)
            case _:
                ignore(self.counts, path)
                return _NO_EVENTS

    def snapshot(self) -> bytes:
        """Instruments, channels, what was already seen and told, and the largest coins."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                channels=self._channels,
                unclear=self._unclear,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                newest=self._newest,
                status_ms=self._status_ms,
                funding=self._funding,
                interest_usd=self._interest_usd,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._channels = saved.channels
        self._unclear = saved.unclear
        self._trades = SeenKeys(saved.trades)
        self._liquidations = SeenKeys(saved.liquidations)
        self._newest = saved.newest
        self._status_ms = saved.status_ms
        self._funding = saved.funding
        self._interest_usd = saved.interest_usd

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        message = read(wire.frame, frame)
        if isinstance(message, wire.Event):
            return self._control(message, received)
        if len(message) < 2:
            raise MalformedFrame("bad_field", "a channel without a message")
        channel = str(read(wire.channel, message[0]))
        payload = read(wire.payload, message[1])
        if isinstance(payload, list):
            now_ms = self._present(message, received)
            return self._arrays(channel, payload, now_ms, received)
        if payload == "hb":
            return [Alive()]
        if payload == "te":
            raise MalformedFrame("bad_field", "a trade that is none")
        ignore(self.counts, payload)
        return _NO_EVENTS

    def _control(self, message: wire.Event, received: int) -> Sequence[Control]:
        match message.event:
            case "subscribed" if message.chan_id is not None:
                self._open(str(message.chan_id), message.topic(), received)
                return [Acknowledged((message.topic(),))]
            case "error":
                topics = (message.topic(),) if message.channel else ()
                return [Refused(f"{message.code} {message.msg}", topics)]
            case "info" if message.code is not None:  # 20051: restart, 20060 and 20061: maintenance
                return [Notice(f"{message.code} {message.msg}")]
            case "info" | "conf" | "pong":
                return [Alive()]
            case _:
                ignore(self.counts, message.event)
                return ()

    def _open(self, channel: str, topic: str, received: int) -> None:
        before = self._channels.pop(channel, topic)  # so that it is the youngest again
        if before != topic:
            remember(self._unclear, channel, received + _OVERLAP_NS)
        remember(self._channels, channel, topic)

    def _topic(self, channel: str, received: int) -> str:
        """What is heard on a channel, "" if that is not certain."""
        unclear = received < self._unclear.get(channel, 0)
        return "" if unclear else self._channels.get(channel, "")

    def _present(self, message: Sequence[Raw], received: int) -> float:
        """The venue's time: when it sent this, else what its clock must say."""
        if len(message) > 3:
            pushed = read(wire.time, message[3])
            self._newest.stamp(int(pushed), received)
            return pushed
        return self._newest.now_ms(received)

    def _arrays(
        self, channel: str, rows: Sequence[Raw], now_ms: float, received: int
    ) -> Sequence[MarketEvent]:
        topic = self._topic(channel, received)
        kind, _, name = topic.partition(":")
        if topic == _LIQUIDATIONS or (rows and bytes(rows[0]).startswith(b'["pos"')):
            return each_good(rows, lambda row: self._forced(row, now_ms, received), self.counts)
        if kind == "trades":
            return each_good(
                reversed(rows),  # the newest comes first
                lambda row: self._past_trade(name, row, now_ms, received),
                self.counts,
            )
        if kind == "deriv":
            status = read(wire.status, msgspec.json.encode(rows))
            return self._status(name, status, received)
        ignore(self.counts, kind or "unknown channel")
        return _NO_EVENTS

    def _past_trade(
        self, name: str, row: Raw, now_ms: float, received: int
    ) -> Sequence[MarketEvent]:
        """Read a row of what follows a subscription."""
        trade = read(wire.trade, row)
        if trade.time < now_ms - _LATE_MS:
            self.counts["history"] += 1
            return _NO_EVENTS
        return self._market_trade(name, trade, received)

    def _coin(self, name: str) -> tuple[str, int] | None:
        """Coin and multiplier of a name, or None, counted."""
        coin = _coin_of(name)
        if coin is None:
            self.counts["not_this_market"] += 1
        return coin

    def _market_trade(self, name: str, trade: wire.Trade, received: int) -> Sequence[MarketEvent]:
        coin = self._coin(name)
        if coin is None:
            return _NO_EVENTS
        symbol, multiplier = coin
        size = _size(trade.amount)
        self._newest.stamp(int(trade.time), received)
        if not self._trades.add(str(trade.id)):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        return (
            Trade(
                self.venue,
                symbol,
                name,
                int(trade.time),
                received,
                trade.price / multiplier,
                size * multiplier,
                Side.BUY if trade.amount > 0 else Side.SELL,
                str(trade.id),
            ),
        )

    def _forced(self, raw: Raw, now_ms: float, received: int) -> Sequence[MarketEvent]:
        row = read(wire.liquidation, raw)
        coin = self._coin(row.symbol)
        if coin is None:
            return _NO_EVENTS
        if row.price is None:
            self.counts["trigger"] += 1  # what comes of it is told by further rows
            return _NO_EVENTS
        symbol, multiplier = coin
        size = _size(row.amount)
        key = f"{row.position} {int(row.time)} {row.is_match} {row.amount} {row.price}"
        if not self._liquidations.add(key):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=row.symbol,
                time=int(row.time),
                received=received,
                position=Position.LONG if row.amount > 0 else Position.SHORT,
                size=size * multiplier,
                price=row.price / multiplier,
                price_kind=PriceKind.FILL if row.is_match else PriceKind.REFERENCE,
                notional_usd=size * row.price,
                completeness=self.completeness,
                mechanism=Mechanism.BOOK if row.is_match else Mechanism.BACKSTOP,
                history=row.time < now_ms - _LATE_MS,
            ),
        )

    def _status(self, name: str, status: wire.Status, received: int) -> Sequence[MarketEvent]:
        coin = self._coin(name)
        if coin is None:
            return _NO_EVENTS
        time = int(status.time)
        # REST tells again, a little late, what was streamed.
        if 0 <= self._status_ms.get(name, 0) - time < _REPEATED_MS:
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        remember(self._status_ms, name, time)
        self._newest.stamp(time, received)
        symbol, multiplier = coin
        about = (self.venue, symbol, name, time, received)
        events: list[MarketEvent] = []
        if status.mark_price:
            index = status.spot_price / multiplier if status.spot_price else None
            events.append(MarkPrice(*about, status.mark_price / multiplier, index))
        if status.open_interest is not None:
            events.append(OpenInterest(*about, status.open_interest * multiplier))
        if status.funding is not None:
            next_time = int(status.next_funding) if status.next_funding else None
            if self._funding.get(name) != (status.funding, next_time):
                remember(self._funding, name, (status.funding, next_time))
                events.append(Funding(*about, status.funding, 8.0, next_time))
        return events

    def _statuses(self, text: str, received: int) -> Sequence[MarketEvent]:
        """Read the state of all pairs: as streamed, with the name of the pair before it."""
        interest_usd: dict[str, float] = {}

        def state(row: Raw) -> Sequence[MarketEvent]:
            key, *rest = read_rows(row) or [wire.NULL]
            name, status = read(wire.text, key), read(wire.status, msgspec.json.encode(rest))
            interest_usd[name] = (status.open_interest or 0) * (status.mark_price or 0)
            return self._status(name, status, received)

        events = each_good(read_rows(Raw(text)), state, self.counts)
        self._interest_usd = self._interest_usd or interest_usd
        return events

    def _pairs(self, text: str, received: int) -> Sequence[MarketEvent]:
        rows = [row for page in read(wire.pages, text) for row in page]
        events = each_good(rows, lambda row: self._pair(row, received), self.counts)
        listed = [event for event in events if isinstance(event, Instrument)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of pairs")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return events

    def _pair(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        listing = read(wire.listing, row)
        name = f"t{listing.pair}"
        coin = _coin_of(name)
        if coin is None:
            return ()
        symbol, multiplier = coin
        about = (self.venue, symbol, name, received // 1_000_000, received)
        instrument = Instrument(
            *about,
            contract_type=ContractType.LINEAR,
            contract_size=float(multiplier),
            tick_size=0.0,  # none: a price has five significant digits
            status="listed",
        )
        if len(listing.terms) <= _MAINTENANCE:
            return (instrument,)
        initial = read(wire.share, listing.terms[_INITIAL])
        maintenance = read(wire.share, listing.terms[_MAINTENANCE])
        if maintenance is None:
            return (instrument,)
        tier = MarginTier(cap=NO_CAP, rate=maintenance, max_leverage=initial and 1 / initial)
        return instrument, MarginTiers(*about, unit="usd", tiers=(tier,))


@lru_cache(maxsize=4096)
def _coin_of(name: str) -> tuple[str, int] | None:
    """Coin and multiplier of `tBTCF0:USTF0`; None for spot and margin pairs, and other quotes."""
    match = _PERPETUAL.fullmatch(name)
    return None if match is None else split_multiplier(_NAMES.get(match[1], match[1]))


def _size(amount: float) -> float:
    size = abs(amount)
    if size < _SMALLEST:
        raise MalformedFrame("bad_field", "an amount of nothing")
    return size


def _endpoint(names: Sequence[str]) -> Endpoint:
    requests: list[dict[str, object]] = [{"event": "conf", "flags": _TIMES_AND_SEQUENCES}]
    topics = [_LIQUIDATIONS]
    requests.append({"event": "subscribe", "channel": "status", "key": _LIQUIDATIONS})
    for name in names:
        topics += [f"trades:{name}", f"deriv:{name}"]
        requests += [
            {"event": "subscribe", "channel": "trades", "symbol": name},
            {"event": "subscribe", "channel": "status", "key": f"deriv:{name}"},
        ]
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(msgspec.json.encode(request).decode() for request in requests),
        topics=tuple(topics),
        silent_after_s=60,
    )
