"""Kraken Futures perpetuals: one websocket whose trades say when they are forced, and REST.

Documentation: docs.kraken.com/api/docs/futures-api (websocket: trade, ticker, heartbeat; trading:
get-instruments, get-history), support.kraken.com/hc/en-us/articles/360022635632 (limits, pings).
One payload per channel:

    trade     {"feed":"trade","product_id":"PF_XBTUSD","uid":"05af78ac-…","side":"sell",
               "type":"liquidation","seq":653355,"time":1700000000000,"qty":0.25,"price":60000.0}
    ticker    {"feed":"ticker","product_id":"PI_XBTUSD","time":1700000000000,"tag":"perpetual",
               "markPrice":60001.0,"index":60000.5,"openInterest":30072580.0,
               "relative_funding_rate":-1.38e-6,"next_funding_rate_time":1700002800000}
    heartbeat {"feed":"heartbeat","time":1700000000000}
    /history  {"result":"success","history":[{"uid":"05af78ac-…","side":"sell","type":"fill",
               "time":"2023-11-14T22:13:20.000Z","size":0.25,"price":60000.0,"trade_id":100}]}

Quantities of `PF_` (linear, multi-collateral) are coins, those of `PI_` (inverse) contracts of one
dollar. `trade_snapshot` tells the last 100 trades, newest first: history, but for the youngest.
The taker of a forced trade is the account in liquidation. Not verified: that the levels of `PF_`
margins (`numNonContractUnits`) are dollars. No recording of a forced `PF_` trade was at hand.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

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
from liqwatch.exchanges import kraken_wire as wire
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
from liqwatch.exchanges.seen import Newest, SeenKeys, remember
from liqwatch.exchanges.typed_trades import forced_taker
from liqwatch.exchanges.wire import (
    NO_CAP,
    batches,
    each_good,
    ignore,
    known_price,
    read,
    read_rows,
)

_WEBSOCKET = "wss://futures.kraken.com/ws/v1"
_REST = "https://futures.kraken.com"
_INSTRUMENTS = "/derivatives/api/v3/instruments"
_HISTORY = "/derivatives/api/v3/history"
_FEEDS = ("trade", "ticker")
_PRODUCTS_PER_REQUEST = 25  # a refusal does not name its product, so requests stay modest
_SILENT_AFTER_S = 60.0  # the ticker of XBT moves every second
_RENUMBERED = 100_000  # a jump by more is no gap

_PERPETUAL = re.compile(r"P([FI])_([A-Z0-9]+)USD")  # F…: dated
_COINS = {"XBT": "BTC"}
_FORCED = {"liquidation", "termination"}
_NOT_A_TRADE = {"block", "assignment"}
_LINEAR = ContractType.LINEAR


class _State(Struct):
    instruments: dict[str, Instrument]
    fills: list[str]
    forced: list[str]
    newest: Newest
    numbers: dict[str, int]
    funding: dict[str, tuple[float, int]]


_state = msgspec.msgpack.Decoder(_State)

_NO_EVENTS: tuple[MarketEvent, ...] = ()


@lru_cache(maxsize=4096)
def _product(name: str) -> tuple[str, ContractType] | None:
    """Coin and kind of a perpetual in dollars; None for dated futures, indices, other quotes."""
    match = _PERPETUAL.fullmatch(name)
    if match is None:
        return None
    return _COINS.get(match[2], match[2]), _LINEAR if match[1] == "F" else ContractType.INVERSE


class KrakenFutures(Exchange):
    """Kraken's perpetuals: the linear one of each coin, the inverse one where there is no other."""

    venue = "kraken-futures"
    title = "Kraken Futures"
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
        "every forced trade is shown, at its fill; of a coin with two perpetuals only the linear "
        "one is heard"
    )
    connects_per_s = 1.0  # not documented
    rest_per_s = 3.0  # not documented for these pages

    def __init__(self) -> None:
        super().__init__()
        self._fills = SeenKeys()
        self._forced = SeenKeys()
        self._newest = Newest()
        self._numbers: dict[str, int] = {}  # seq of each product
        self._funding: dict[str, tuple[float, int]] = {}

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the products."""
        return [Poll(url=_REST + _INSTRUMENTS, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to trades and tickers of all coins on one connection, with heartbeats."""
        names = self._names(symbols)
        if not names:
            return []
        requests = [
            {"event": "subscribe", "feed": feed, "product_ids": part}
            for part in batches(names, _PRODUCTS_PER_REQUEST)
            for feed in _FEEDS
        ]
        heartbeat = {"event": "subscribe", "feed": "heartbeat"}
        topics = [f"{feed}:{name}" for feed in _FEEDS for name in names]
        return [
            Endpoint(
                url=_WEBSOCKET,
                requests=tuple(msgspec.json.encode(r).decode() for r in (heartbeat, *requests)),
                topics=("heartbeat", *topics),
                protocol_ping_s=30,
                idle_timeout_s=60,  # how often the heartbeat comes is not documented
                silent_after_s=_SILENT_AFTER_S if "PF_XBTUSD" in names else None,
            )
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the products and their margin levels; streams bring everything else."""
        return self.bootstrap()

    def backfill(
        self,
        symbols: Collection[str] | None,
        since_ms: int,  # noqa: ARG002 - the last 100 trades, whenever they were
        until_ms: int,  # noqa: ARG002
    ) -> Sequence[Poll]:
        """Ask for the last 100 trades of each product."""
        return [
            Poll(url=f"{_REST}{_HISTORY}?symbol={name}", interval_s=0)
            for name in self._names(symbols)
        ]

    def open_questions(self) -> Sequence[str]:
        """What only a live comparison can settle."""
        return ("whether the margin levels of linear perpetuals are dollars",)

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        message = read(wire.message, frame)
        if message.event:
            return self._control(message)
        match message.feed:
            case "trade":
                return self._match(read(wire.trade, frame), received)
            case "trade_snapshot" if message.trades is not UNSET:
                oldest_first = read_rows(message.trades)[::-1]
                return each_good(
                    oldest_first,
                    lambda row: self._match(read(wire.trade, row), received, replayed=True),
                    self.counts,
                )
            case "ticker":
                return self._ticker(read(wire.ticker, frame), received)
            case "heartbeat":
                return [Alive()]
            case _:
                ignore(self.counts, message.feed)
                return _NO_EVENTS

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn the products, or the last trades of one, into events."""
        parts = urlsplit(url)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if parts.path not in {_INSTRUMENTS, _HISTORY}:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        answer = read(wire.answer, text)
        if answer.result != "success":
            raise MalformedFrame("api_error", f"{answer.result} {answer.error[:200]}")
        if parts.path == _INSTRUMENTS:
            return self._instruments(answer.instruments, received)
        product = parse_qs(parts.query).get("symbol", [""])[0].upper()
        return each_good(
            answer.history[::-1], lambda row: self._past_trade(product, row, received), self.counts
        )

    def snapshot(self) -> bytes:
        """Products, trades already seen, the newest time and numbers, the funding last told."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                fills=self._fills.keys(),
                forced=self._forced.keys(),
                newest=self._newest,
                numbers=self._numbers,
                funding=self._funding,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._fills = SeenKeys(saved.fills)
        self._forced = SeenKeys(saved.forced)
        self._newest = saved.newest
        self._numbers = saved.numbers
        self._funding = saved.funding

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        """The perpetual of each coin, `PF_` before `PI_`, in order of the coins."""
        names: dict[str, str] = {}
        for name, product in sorted(self.instruments.items()):
            if product.status == "tradeable":
                names.setdefault(product.symbol, name)
        return [names[coin] for coin in sorted(names) if symbols is None or coin in symbols]

    def _control(self, message: wire.Message) -> Sequence[Control]:
        topics = tuple(f"{message.feed}:{name}" for name in message.product_ids)
        topics = topics or ((message.feed,) if message.feed else ())
        match message.event:
            case "subscribed":
                return [Acknowledged(topics)]
            case "subscribed_failed" | "error":
                return [Refused(message.message or message.event, topics)]
            case "info":
                return [Alive()]
            case "alert" if not message.message.startswith("Already subscribed"):
                return [Refused(message.message, topics)]
            case _:
                ignore(self.counts, message.event)
                return ()

    def _listed(self, name: str) -> tuple[str, ContractType] | None:
        """Coin and kind of that product, or None, counted."""
        product = _product(name)
        if product is None:
            self.counts["not_this_market"] += 1
        return product

    def _worth(self, name: str) -> float:
        """What one contract is: coins or dollars. The prefix of a name documents 1 of either."""
        instrument = self.instruments.get(name)
        return 1.0 if instrument is None else instrument.contract_size

    def _match(
        self, trade: wire.Trade, received: int, *, replayed: bool = False
    ) -> Sequence[MarketEvent]:
        product = self._listed(trade.product)
        if product is None:
            return _NO_EVENTS
        forced = trade.type in _FORCED
        is_old = self._newest.is_past(trade.time, received, replayed=replayed)
        history = replayed and is_old
        # Past fills are not remembered: those of all products are more than the memory holds, and
        # nothing is made of them.
        if forced or not history:
            seen = self._forced if forced else self._fills
            if not seen.add(trade.uid):
                self.counts["duplicate"] += 1
                return _NO_EVENTS
        self._count_missed(trade)
        if trade.type in _NOT_A_TRADE:
            self.counts[f"not_a_trade:{trade.type}"] += 1
        elif trade.type != "fill" and not forced:
            ignore(self.counts, trade.type)
        elif history and not forced:
            self.counts["history"] += 1
        else:
            return self._events(trade, *product, received, forced=forced, history=history)
        return _NO_EVENTS

    def _events(
        self,
        trade: wire.Trade,
        symbol: str,
        kind: ContractType,
        received: int,
        *,
        forced: bool,
        history: bool,
    ) -> Sequence[MarketEvent]:
        worth = trade.quantity * self._worth(trade.product)
        match = Trade(
            self.venue,
            symbol,
            trade.product,
            trade.time,
            received,
            trade.price,
            worth if kind is _LINEAR else worth / trade.price,
            Side(trade.side),
            trade.uid,
        )
        events: list[MarketEvent] = [] if history else [match]
        if forced:
            dollars = worth * trade.price if kind is _LINEAR else worth
            events.append(
                forced_taker(match, self.completeness, notional_usd=dollars, history=history)
            )
        return events

    def _count_missed(self, trade: wire.Trade) -> None:
        if not trade.seq:
            return
        last = self._numbers.get(trade.product, trade.seq)
        missed = trade.seq - last - 1
        if 0 < missed < _RENUMBERED:
            self.counts["gap"] += missed
        remember(self._numbers, trade.product, trade.seq)

    def _past_trade(self, product: str, row: Raw, received: int) -> Sequence[MarketEvent]:
        past = read(wire.past_trade, row)
        time_ms = round(past.time.timestamp() * 1000)
        if time_ms <= 0:
            raise MalformedFrame("bad_field", f"time {past.time}")
        trade = wire.Trade(
            product, past.uid, past.side, past.type, time_ms, past.quantity, past.price
        )
        if not self._newest.is_history(time_ms, received):
            self.counts["left_to_stream"] += 1
            return _NO_EVENTS
        return self._match(trade, received, replayed=True)

    def _ticker(self, ticker: wire.Ticker, received: int) -> Sequence[MarketEvent]:
        product = self._listed(ticker.product)
        if product is None:
            return _NO_EVENTS
        self._newest.stamp(ticker.time, received)
        symbol, kind = product
        about = (self.venue, symbol, ticker.product, ticker.time, received)
        events: list[MarketEvent] = []
        mark = known_price(ticker.mark_price)
        if mark:
            events.append(MarkPrice(*about, mark, known_price(ticker.index_price)))
        if ticker.open_interest is not None:
            worth = ticker.open_interest * self._worth(ticker.product)
            if kind is _LINEAR:
                events.append(OpenInterest(*about, worth))
            elif mark:
                events.append(OpenInterest(*about, worth / mark, worth))
        if ticker.funding_rate is not None:
            told = (ticker.funding_rate, ticker.funding_time or 0)
            if self._funding.get(ticker.product) != told:
                remember(self._funding, ticker.product, told)
                # Relative to the price, per hour; `funding_rate` beside it is in dollars or coins.
                events.append(Funding(*about, told[0], 1.0, told[1] or None))
        return events

    def _instruments(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        events = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        listed = [event for event in events if isinstance(event, Instrument)]
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of instruments")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return events

    def _instrument(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        listing = read(wire.listing, row)
        name = listing.symbol.upper()  # the list was in lower case once
        product = _product(name)
        if product is None:
            return ()
        if listing.tick is None or listing.size is None:
            raise MalformedFrame("bad_field", f"{name} without tick or contract size")
        symbol, kind = product
        about = (self.venue, symbol, name, received // 1_000_000, received)
        events: list[MarketEvent] = [
            Instrument(
                *about,
                contract_type=kind,
                contract_size=listing.size,
                tick_size=listing.tick,
                status="tradeable" if listing.tradeable else "closed",
            )
        ]
        if listing.levels:
            in_coins = kind is _LINEAR and listing.levels[0].contracts is not None
            tiers = _tiers(listing.levels, listing.size)
            events.append(MarginTiers(*about, unit="coin" if in_coins else "usd", tiers=tiers))
        return events


def _tiers(levels: Sequence[wire.Level], contract_size: float) -> tuple[MarginTier, ...]:
    """Levels say where they begin, tiers where they end."""
    begins = [
        level.dollars or 0.0 if level.contracts is None else level.contracts * contract_size
        for level in levels
    ]
    if any(low >= high for low, high in pairwise(begins)):
        raise MalformedFrame("bad_field", "margin levels that do not rise")
    return tuple(
        MarginTier(cap=cap, rate=level.maintenance, max_leverage=1 / level.initial)
        for level, cap in zip(levels, [*begins[1:], NO_CAP], strict=True)
    )
