"""OKX v5 swaps: public websockets with text pings, and REST for contract sizes and margin tiers.

Documentation: okx.com/docs-v5/en, sections public-data-websocket-liquidation-orders-channel,
-open-interest-channel, -mark-price-channel, -funding-rate-channel,
order-book-trading-market-data-ws-trades-channel, public-data-rest-api-get-instruments,
-get-position-tiers, order-book-trading-market-data-get-candlesticks,
trading-statistics-rest-api-get-contract-open-interest-history. One payload per channel, each inside
{"arg":{"channel":…,"instId":…},"data":[…]}, and per address:

    trades             {"instId":"BTC-USDT-SWAP","tradeId":"130639474","px":"60000.1","sz":"2.5",
                        "side":"buy","ts":"1700000000000","count":"3","source":"0"}
    liquidation-orders {"instId":"BTC-USDT-SWAP","instType":"SWAP","details":[{"side":"sell",
                        "posSide":"long","bkPx":"59400.0","sz":"8.55","bkLoss":"0",
                        "ts":"1700000000000"}]}
    open-interest      {"instId":"BTC-USDT-SWAP","oi":"2216113","oiCcy":"22161.13",
                        "oiUsd":"1329667800","ts":"1700000000000"}
    mark-price         {"instId":"BTC-USDT-SWAP","markPx":"60001.0","ts":"1700000000000"}
    funding-rate       {"instId":"BTC-USDT-SWAP","fundingRate":"0.0001","ts":"1700000000000",
                        "fundingTime":"1700006400000","nextFundingTime":"1700035200000"}
    position-tiers     {"instFamily":"BTC-USDT","tier":"1","minSz":"0","maxSz":"1000",
                        "mmr":"0.004","imr":"0.01","maxLever":"100"}
    candles            ["1700002800000","60000","60100","59900","60050","1000","10","600100","1"]
    open-interest-history ["1700002800000","2216113","22161.13","1329667800"]

Sizes are contracts, worth ctVal × ctMult coins each (linear) or dollars (inverse). Rows of
instruments that were not listed yet are counted, never guessed. Unverified: the liquidations over
REST (rows as in the channel), which the documentation no longer lists; that an hour of past open
interest tells how it ended, as other clients have it.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from urllib.parse import parse_qs, urlsplit

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
from liqwatch.exchanges import okx_wire as wire
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
from liqwatch.exchanges.history import (
    HOUR_MS,
    named,
    open_interest_history,
    price_bar,
    price_history,
)
from liqwatch.exchanges.seen import Newest, SeenIds, SeenKeys
from liqwatch.exchanges.symbols import choose
from liqwatch.exchanges.wire import UNREADABLE, batches, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://ws.okx.com:8443/ws/v5/public"
_REST = "https://www.okx.com"
_PATH = "/api/v5/public/"
_PUBLIC = _REST + _PATH
_CANDLES = "/api/v5/market/candles"
_OPEN_INTEREST_PAST = "/api/v5/rubik/stat/contracts/open-interest-history"
_PAST_ROWS = 100  # hours: the most that one answer of open interest has
_SUFFIX = "-USDT-SWAP"
_CHANNELS = ("trades", "mark-price", "open-interest", "funding-rate")
_LIQUIDATIONS = "liquidation-orders:SWAP"
_ARGS_PER_REQUEST = 200  # a request may have 64 KB, an hour 480 requests
_SWAPS_PER_CONNECTION = 125  # 500 streams; the venue names no limit
_FAMILIES_PER_REQUEST = 5  # of margin tiers, the most that is allowed


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: SeenIds
    liquidations: list[str]
    newest: Newest


_state = msgspec.msgpack.Decoder(_State)

_LINEAR = ContractType.LINEAR
_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()
_DOLLAR_SWAP = re.compile(r"([^-]+)-USD[TC]?(_\w+)?-SWAP")
_NAMED_TOPIC = re.compile(r"channel:([^,\s]+),\s*inst\w+:([^,\s]+)")


class OkxSwap(Exchange):
    """OKX's perpetual swaps, linear and inverse.

    The first push after a subscription repeats old liquidations. A row more than 10 s older than
    the newest time the venue has stamped on a trade, mark price or open interest is history.
    """

    venue = "okx-swap"
    title = "OKX swaps"
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
    usual_liquidations_per_h = 270
    limits = "not every liquidation is shown, at a reference price, so totals are a floor"
    connects_per_s = 3.0
    history_per_s = 2.0
    rest_per_s = 2.5  # half of what the margin tiers, the slowest address, allow

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenIds()
        self._liquidations = SeenKeys()
        self._newest = Newest()

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the contract sizes."""
        return [Poll(url=f"{_PUBLIC}instruments?instType=SWAP", interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to all channels of each coin on one connection, and to liquidations on the first.

        They are subscribed to last: the trades and prices before tell which of them are history.
        """
        shards = [
            [f"{kind}:{name}" for name in names for kind in _CHANNELS]
            for names in batches(self._names(symbols), _SWAPS_PER_CONNECTION)
        ]
        if shards:
            shards[0].append(_LIQUIDATIONS)
        return [endpoint(topics) for topics in shards]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Reload the contract sizes, and the margin tiers of these coins."""
        tiers = f"{_PUBLIC}position-tiers?instType=SWAP&tdMode=isolated&instFamily="
        return [
            *self.bootstrap(),
            *(
                Poll(url=tiers + ",".join(map(_family, names)), interval_s=14_400)
                for names in batches(self._names(symbols), _FAMILIES_PER_REQUEST)
            ),
        ]

    def backfill(
        self,
        symbols: Collection[str] | None,
        since_ms: int,
        until_ms: int,  # noqa: ARG002 - what is not over yet is left to the stream
    ) -> Sequence[Poll]:
        """Ask for the newest 100 liquidations since then of every swap of these coins.

        Those listened to come first, should the rest be too many.
        """
        address = f"{_PUBLIC}liquidation-orders?instType=SWAP&state=filled&before={since_ms}"
        names = [
            swap.instrument
            for swap in self.instruments.values()
            if swap.status == "live" and (symbols is None or swap.symbol in symbols)
        ]
        names.sort(key=lambda name: not name.endswith(_SUFFIX))
        return [
            Poll(url=f"{address}&instFamily={_family(name)}", interval_s=3600) for name in names
        ]

    def history(self, instrument: str) -> Sequence[Poll]:
        """Ask for the prices and the open interest of the last four days."""
        if instrument not in self.instruments:
            return ()
        about = f"instId={instrument}&limit={_PAST_ROWS}"
        return [
            Poll(url=f"{_REST}{_CANDLES}?{about}&bar=1H", interval_s=0),
            Poll(url=f"{_REST}{_OPEN_INTEREST_PAST}?{about}&period=1H", interval_s=0),
        ]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        return self._market_trades(trades.data, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn contract sizes, margin tiers, missed liquidations or the past into events."""
        parts = urlsplit(url)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if parts.path in {_CANDLES, _OPEN_INTEREST_PAST}:
            rows = answered(text)
            return self._past(parts.path, named(parts.query, "instId"), rows, received)
        take = {
            "instruments": self._instruments,
            "position-tiers": self._margin_tiers,
            "liquidation-orders": self._missed_liquidations,
        }.get(parts.path.removeprefix(_PATH))
        if take is None or parse_qs(parts.query).get("instType") != ["SWAP"]:
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        return take(answered(text), received)

    def snapshot(self) -> bytes:
        """Contract sizes, trades and liquidations already seen, the newest time stamped."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades,
                liquidations=self._liquidations.keys(),
                newest=self._newest,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = saved.trades
        self._liquidations = SeenKeys(saved.liquidations)
        self._newest = saved.newest

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(symbols, self.instruments, suffix=_SUFFIX, trading="live")

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        if frame == ("pong" if isinstance(frame, str) else b"pong"):
            return [Alive()]
        message = read(wire.envelope, frame)
        if message.event:
            return control(message, self.counts)
        decode_row = {
            "trades": self._trade_row,
            "liquidation-orders": self._liquidation_rows,
            "open-interest": self._open_interest,
            "mark-price": self._mark_price,
            "funding-rate": self._funding,
        }.get(message.arg.channel)
        if decode_row is None:
            ignore(self.counts, message.arg.channel)
            return _NO_EVENTS
        if message.data is UNSET:
            raise MalformedFrame("bad_field", f"{message.arg.channel} without data")
        rows = read_rows(message.data)
        return each_good(rows, lambda row: decode_row(row, received), self.counts)

    def _listed(self, name: str) -> Instrument | None:
        """The instrument of that name, or None, counted."""
        instrument = self.instruments.get(name)
        if instrument is None:
            known = name.endswith("-SWAP")
            self.counts["unknown_instrument" if known else "not_this_market"] += 1
        return instrument

    def _trade_row(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        return self._market_trades([read(wire.trade, row)], received)

    def _market_trades(self, trades: list[wire.Trade], received: int) -> Sequence[MarketEvent]:
        events: list[MarketEvent] = []
        for trade in trades:
            instrument = self._listed(trade.inst_id)
            if instrument is None:
                continue
            self._newest.stamp(trade.ts, received)
            # One row may merge several matches of one order: ids tradeId − count + 1 to tradeId.
            missed = self._trades.gap(trade.inst_id, trade.trade_id, trade.count)
            if not self._trades.add(trade.inst_id, trade.trade_id, trade.count):
                self.counts["duplicate"] += 1
                continue
            if missed:
                self.counts["gap"] += missed
            size = trade.sz * instrument.contract_size
            events.append(
                Trade(
                    self.venue,
                    instrument.symbol,
                    trade.inst_id,
                    trade.ts,
                    received,
                    trade.px,
                    size if instrument.contract_type is _LINEAR else size / trade.px,
                    _BUY if trade.side == "buy" else _SELL,
                    str(trade.trade_id),
                )
            )
        return events

    def _missed_liquidations(self, rows: Sequence[Raw], received: int) -> Sequence[MarketEvent]:
        return each_good(
            rows, lambda row: self._liquidation_rows(row, received, missed=True), self.counts
        )

    def _liquidation_rows(
        self, row: Raw, received: int, *, missed: bool = False
    ) -> Sequence[MarketEvent]:
        liquidations = read(wire.liquidations, row)
        instrument = self._listed(liquidations.inst_id)
        if instrument is None:
            return _NO_EVENTS
        return each_good(
            liquidations.details,
            lambda detail: self._liquidation(
                instrument, read(wire.liquidation, detail), received, missed=missed
            ),
            self.counts,
        )

    def _liquidation(
        self, instrument: Instrument, row: wire.Liquidation, received: int, *, missed: bool
    ) -> Sequence[MarketEvent]:
        if missed and not self._newest.is_settled(row.ts, received):
            self.counts["left_to_stream"] += 1
            return _NO_EVENTS
        key = f"{instrument.instrument} {row.ts} {row.side} {row.sz} {row.bk_px}"
        if not self._liquidations.add(key):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        # posSide is `net` for accounts that hold one net position, so the side of the order tells:
        # selling closes a long. Should the two contradict each other, nothing is certain.
        position = Position.LONG if row.side == "sell" else Position.SHORT
        if row.pos_side not in {position.value, "net", ""}:
            self.counts["uncertain_side"] += 1
            return _NO_EVENTS
        worth = row.sz * instrument.contract_size
        linear = instrument.contract_type is _LINEAR
        return (
            Liquidation(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=instrument.instrument,
                time=row.ts,
                received=received,
                position=position,
                size=worth if linear else worth / row.bk_px,
                price=row.bk_px,
                price_kind=PriceKind.REFERENCE,
                notional_usd=worth * row.bk_px if linear else worth,
                completeness=self.completeness,
                history=missed or self._newest.is_history(row.ts, received),
            ),
        )

    def _open_interest(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        open_interest = read(wire.open_interest, row)
        instrument = self._listed(open_interest.inst_id)
        if instrument is None:
            return _NO_EVENTS
        self._newest.stamp(open_interest.ts, received)
        return (
            OpenInterest(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=instrument.instrument,
                time=open_interest.ts,
                received=received,
                size=open_interest.oi_ccy,
                notional_usd=None if open_interest.oi_usd == "" else open_interest.oi_usd,
            ),
        )

    def _mark_price(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        mark = read(wire.mark_price, row)
        instrument = self._listed(mark.inst_id)
        if instrument is None:
            return _NO_EVENTS
        self._newest.stamp(mark.ts, received)
        return (
            MarkPrice(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=instrument.instrument,
                time=mark.ts,
                received=received,
                price=mark.mark_px,
            ),
        )

    def _funding(self, row: Raw, received: int) -> Sequence[MarketEvent]:
        funding = read(wire.funding, row)
        instrument = self._listed(funding.inst_id)
        if instrument is None:
            return _NO_EVENTS
        hours = None
        if funding.next_funding_time != "" and funding.next_funding_time > funding.funding_time:
            hours = (funding.next_funding_time - funding.funding_time) / HOUR_MS
        return (
            Funding(
                venue=self.venue,
                symbol=instrument.symbol,
                instrument=instrument.instrument,
                time=funding.ts,
                received=received,
                rate=funding.funding_rate,
                interval_hours=hours,
                next_time=funding.funding_time,
            ),
        )

    def _past(
        self, path: str, name: str, rows: Sequence[Raw], received: int
    ) -> Sequence[MarketEvent]:
        instrument = self._listed(name)
        if instrument is None:
            return _NO_EVENTS
        if path == _CANDLES:
            bars = each_good(rows, _bar, self.counts)
            return [price_history(instrument, bars, interval_ms=HOUR_MS, received=received)]
        now_ms = received // 1_000_000
        told = each_good(rows, lambda row: [read(wire.open_interest_point, row)], self.counts)
        # The last hour is not over: what it tells is told of now.
        points = ((min(each.ts + HOUR_MS, now_ms), each.oi_ccy) for each in told)
        return [open_interest_history(instrument, points, received=received)]

    def _instruments(self, rows: Sequence[Raw], received: int) -> Sequence[MarketEvent]:
        listed = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no swap in the list of instruments")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(wire.listing, row)
        if not (listing.ct_type and listing.ct_val and listing.ct_mult and listing.tick_sz):
            self.counts["not_open_yet"] += 1  # state `preopen`: nearly every field is empty
            return ()
        name = _DOLLAR_SWAP.fullmatch(listing.inst_id)
        if name is None:
            return ()
        return (
            Instrument(
                venue=self.venue,
                symbol=name[1],
                instrument=listing.inst_id,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType(listing.ct_type),
                contract_size=listing.ct_val * listing.ct_mult,
                tick_size=listing.tick_sz,
                status=listing.state,
            ),
        )

    def _margin_tiers(self, rows: Sequence[Raw], received: int) -> Sequence[MarketEvent]:
        """Put together the ladders; one bad row refuses them all, since a hole would be a lie."""
        ladders: dict[str, list[wire.Tier]] = {}
        for row in rows:
            tier = read(wire.tier, row)
            ladders.setdefault(f"{tier.inst_family}-SWAP", []).append(tier)
        events: list[MarketEvent] = []
        for name, tiers in ladders.items():
            instrument = self._listed(name)
            if instrument is None:
                continue
            linear = instrument.contract_type is _LINEAR
            events.append(
                MarginTiers(
                    venue=self.venue,
                    symbol=instrument.symbol,
                    instrument=name,
                    time=received // 1_000_000,
                    received=received,
                    unit="coin" if linear else "usd",
                    tiers=tuple(
                        MarginTier(
                            cap=tier.max_sz * instrument.contract_size,
                            rate=tier.mmr,
                            max_leverage=tier.max_lever,
                            amount=0.0,  # the rate of its tier holds for the whole position
                        )
                        for tier in sorted(tiers, key=lambda tier: tier.max_sz)
                    ),
                )
            )
        return events


def control(message: wire.Envelope, counts: Counter[str]) -> Sequence[Control]:
    """Return what a frame says about the connection itself."""
    match message.event:
        case "subscribe":
            return [Acknowledged((message.arg.topic(),))]
        case "error":
            named = _NAMED_TOPIC.search(message.msg)
            topics = (f"{named[1]}:{named[2]}",) if named else ()
            return [Refused(f"{message.code} {message.msg}", topics)]
        case "notice":
            return [Notice(f"{message.code} {message.msg}")]
        case _:
            ignore(counts, message.event)
            return ()


def answered(text: str) -> list[Raw]:
    """Return the rows of a REST answer. Raises MalformedFrame."""
    answer = read(wire.answer, text)
    if answer.code != "0":
        raise MalformedFrame("api_error", f"{answer.code} {answer.msg[:200]}")
    return answer.data


def _bar(row: Raw) -> Sequence[PriceBar]:
    bar = read(wire.candle, row)
    return [price_bar(bar.ts, (bar.low, bar.high, bar.close), paid=bar.paid, coins=bar.coins)]


def _family(name: str) -> str:
    return name.removesuffix("-SWAP")


def endpoint(topics: Sequence[str], *, silent_after_s: float | None = 30.0) -> Endpoint:
    """Return a connection with these topics, written `channel:name`."""
    requests = [
        msgspec.json.encode({"op": "subscribe", "args": [_argument(t) for t in part]}).decode()
        for part in batches(topics, _ARGS_PER_REQUEST)
    ]
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(requests),
        topics=tuple(topics),
        heartbeat=Heartbeat(text="ping", interval_s=20),
        silent_after_s=silent_after_s,
    )


def _argument(topic: str) -> dict[str, str]:
    channel, name = topic.split(":")
    return {"channel": channel, "instId" if topic != _LIQUIDATIONS else "instType": name}
