"""HTX USDT-margined perpetuals: two websockets of two dialects, every frame gzip, and REST.

Documentation: huobiapi.github.io/docs/usdt_swap/v1/en (websocket market data, notification and
public REST interfaces), htx.com/en-us/opend/newApiPages (the v5 pages). One payload per channel:

    market.BTC-USDT.trade.detail {"ch":"market.BTC-USDT.trade.detail","ts":1700000000010,"tick":
                    {"id":131602265,"ts":1700000000000,"data":[{"amount":250,"quantity":0.25,
                    "trade_turnover":15000.0,"ts":1700000000000,"id":1316022650000,"price":60000.0,
                    "direction":"buy"}]}}
    public.*.liquidation_orders  {"op":"notify","topic":"public.BTC-USDT.liquidation_orders",
                    "ts":1700000000060,"data":[{"contract_code":"BTC-USDT","direction":"sell",
                    "offset":"close","volume":300,"amount":0.3,"price":59400.0,
                    "trade_turnover":17820.0,"created_at":1700000000000}]}
    public.*.funding_rate        {"op":"notify","topic":"public.*.funding_rate","ts":1700000017332,
                    "data":[{"contract_code":"BTC-USDT","funding_rate":"0.0001",
                    "funding_time":"1700000000000","settlement_time":"1700006400000"}]}
    swap_open_interest           {"status":"ok","data":[{"contract_code":"BTC-USDT",
                    "volume":2000,"amount":2.0,"value":120000.0}],"ts":1700000000000}
    swap_batch_funding_rate      {"status":"ok","data":[{"contract_code":"BTC-USDT",
                    "funding_rate":"0.0001","funding_time":"1700006400000"}],"ts":1700000000000}
    liquidation_orders (v5)      {"code":200,"data":[{"contract_code":"BTC-USDT","side":"buy",
                    "position_side":"short","volume":"2","amount":"2","bankrupt_price":"62978.5",
                    "trade_turnover":"125.957","liquidation_time":"1700000000000"}]}
    history/kline   {"ch":"market.BTC-USDT.kline.60min","status":"ok","data":[{"id":1700002800,
                    "open":60000,"close":60050,"low":59900,"high":60100,"amount":20,"vol":20000,
                    "trade_turnover":1200200,"count":308}],"ts":1700003000000}
    swap_his_open_interest {"status":"ok","data":{"contract_code":"BTC-USDT","tick":[{"volume":
                    "4000.5","amount_type":2,"ts":1700002800000,"value":"240030000"}]},
                    "ts":1700003000000}

`amount` is coins on the sockets and contracts in the v5 list; `direction` and `side` are those of
the closing order. Not verified: that open interest counts both sides (it is halved, as documented;
so is that of the past, which is not believed if it then does not fit that of now); the parameters
of the v5 list and its window of two hours, which are those of other clients.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
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
    OpenInterest,
    Position,
    PriceBar,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges import htx_wire as wire
from liqwatch.exchanges.base import (
    Acknowledged,
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
from liqwatch.exchanges.history import (
    HOUR_MS,
    named,
    open_interest_history,
    price_bar,
    price_history,
)
from liqwatch.exchanges.seen import SeenKeys
from liqwatch.exchanges.symbols import choose, split_multiplier
from liqwatch.exchanges.wire import each_good, gunzip, ignore, known_price, read, read_rows

_MARKET = "wss://api.hbdm.com/linear-swap-ws"
_MARKET_ELSEWHERE = "wss://api.hbdm.vn/linear-swap-ws"
_NOTIFICATION = "wss://api.hbdm.com/linear-swap-notification"
_LIQUIDATIONS = "public.*.liquidation_orders"
_FUNDING_RATES = "public.*.funding_rate"  # every minute, while liquidations may pause for hours
_REST = "https://api.hbdm.com"
_INSTRUMENTS = "/linear-swap-api/v1/swap_contract_info"
_OPEN_INTEREST = "/linear-swap-api/v1/swap_open_interest"
_FUNDING = "/linear-swap-api/v1/swap_batch_funding_rate"
_LIQUIDATION_LIST = "/v5/market/liquidation_orders"
_PRICES_PAST = "/linear-swap-ex/market/history/kline"
_OPEN_INTEREST_PAST = "/linear-swap-api/v1/swap_his_open_interest"
_PAST_ROWS = 200  # hours: the most that one answer of open interest has
_ADDRESSES = frozenset(
    {
        _INSTRUMENTS,
        _OPEN_INTEREST,
        _FUNDING,
        _LIQUIDATION_LIST,
        _PRICES_PAST,
        _OPEN_INTEREST_PAST,
    }
)

_REPEATED = 2014  # a subscription that the wildcard already covers
_PINGS_LOST_S = 20.0  # both sockets ping every 5 s
_SILENT_AFTER_S = 60.0  # BTC is traded every few seconds
_HISTORY_AFTER_MS = 10_000
_CLOCKS_APART_MS = 86_400_000  # what is further away was no time of day
_LIST_WINDOW_MS = 7_200_000


class _State(Struct):
    instruments: dict[str, Instrument]
    trades: list[str]
    liquidations: list[str]
    ahead_ms: int


_state = msgspec.msgpack.Decoder(_State)

_NO_EVENTS: tuple[MarketEvent, ...] = ()


@lru_cache(maxsize=4096)
def _coin(code: str) -> tuple[str, int] | None:
    """Coin and multiplier of a perpetual in USDT; None for dated futures and other margins."""
    base, _, quote = code.partition("-")
    return split_multiplier(base) if base and quote == "USDT" else None


class HtxLinear(Exchange):
    """HTX's USDT-margined perpetuals.

    The first trade message of a contract tells an old trade again. What counts as old is judged on
    the venue's clock, which its pings tell.
    """

    venue = "htx-linear"
    title = "HTX linear"
    completeness = Completeness.UNKNOWN
    channels = frozenset(
        {Channel.TRADES, Channel.LIQUIDATIONS, Channel.OPEN_INTEREST, Channel.FUNDING}
    )
    limits = (
        "how many liquidations are shown is not documented; at their bankruptcy price; "
        "open interest is half of what the venue tells"
    )
    connects_per_s = 1.0  # not documented
    history_per_s = 3.0

    def __init__(self) -> None:
        super().__init__()
        self._trades = SeenKeys()
        self._liquidations = SeenKeys()
        self._ahead_ms = 0  # our clock before the venue's, by its last ping

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the contracts."""
        return [Poll(url=_REST + _INSTRUMENTS, interval_s=3600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the trades on one connection, on another to the liquidations of all coins, and
        to their funding, which shows that it delivers.
        """
        names = choose(symbols, self.instruments, suffix="-USDT", trading="1")
        if not names:
            return []
        topics = [f"market.{name}.trade.detail" for name in names]
        return [
            Endpoint(
                url=_MARKET,
                routes=(_MARKET_ELSEWHERE,),
                requests=tuple(_text({"sub": topic, "id": topic}) for topic in topics),
                topics=tuple(topics),
                request_gap_s=0.05,  # half of the 40 a second that are allowed
                idle_timeout_s=_PINGS_LOST_S,
                silent_after_s=_SILENT_AFTER_S if "BTC-USDT" in names else None,
            ),
            Endpoint(
                url=_NOTIFICATION,
                requests=tuple(
                    _text({"op": "sub", "cid": topic, "topic": topic})
                    for topic in (_LIQUIDATIONS, _FUNDING_RATES)
                ),
                topics=(_LIQUIDATIONS, _FUNDING_RATES),
                idle_timeout_s=_PINGS_LOST_S,
            ),
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one answer for all
        """Ask for open interest and funding of all contracts, and reload the contracts."""
        return [
            *self.bootstrap(),
            Poll(url=_REST + _OPEN_INTEREST, interval_s=30),
            Poll(url=_REST + _FUNDING, interval_s=300),
        ]

    def backfill(
        self, symbols: Collection[str] | None, since_ms: int, until_ms: int
    ) -> Sequence[Poll]:
        """Ask for the last 100 liquidations of each contract, of the last two hours at most."""
        since_ms = max(since_ms, until_ms - _LIST_WINDOW_MS)
        window = f"start_time={since_ms}&end_time={until_ms}&limit=100"
        return [
            Poll(url=f"{_REST}{_LIQUIDATION_LIST}?contract_code={name}&{window}", interval_s=0)
            for name in choose(symbols, self.instruments, suffix="-USDT", trading="1")
        ]

    def history(self, instrument: str) -> Sequence[Poll]:
        """Ask for the prices and the open interest of the last eight days."""
        if instrument not in self.instruments:
            return ()
        about = f"contract_code={instrument}&period=60min&size={_PAST_ROWS}"
        return [
            Poll(url=f"{_REST}{_PRICES_PAST}?{about}", interval_s=0),
            Poll(url=f"{_REST}{_OPEN_INTEREST_PAST}?{about}&amount_type=2", interval_s=0),
        ]

    def open_questions(self) -> Sequence[str]:
        """What only a live comparison can settle."""
        return (
            "whether open interest counts both sides, as documented: it is halved",
            "how many of the liquidations are shown",
        )

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        if isinstance(frame, str):
            raise MalformedFrame("not_gzip", "a text frame")
        message = read(wire.message, gunzip(frame))
        if message.ping is not UNSET:
            self._set_clock(message.ping, received)
            return [Reply(_text({"pong": message.ping}))]
        if message.op:
            return self._notification(message, received)
        if message.ch:
            return self._market_trades(message, received)
        if message.subbed:
            return [Acknowledged((message.subbed,))]
        if message.status == "error":
            topics = (message.id,) if message.id else ()  # we use the topic as id
            return [Refused(f"{message.error_code} {message.error}", topics)]
        ignore(self.counts, message.status)
        return _NO_EVENTS

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn contracts, open interest, funding, past liquidations or the past into events."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path not in _ADDRESSES:
            ignore(self.counts, path)
            return _NO_EVENTS
        answer = read(wire.answer, text)
        if answer.data is UNSET or not (answer.status == "ok" or answer.code == 200):
            raise MalformedFrame(
                "api_error", f"{answer.code} {answer.error or answer.message}"[:200]
            )
        if path in {_PRICES_PAST, _OPEN_INTEREST_PAST}:
            name = named(urlsplit(url).query, "contract_code")
            return self._past(path, name, answer.data, received)
        rows = read_rows(answer.data)
        time = received // 1_000_000 if answer.ts is UNSET else answer.ts
        if path == _INSTRUMENTS:
            return self._instruments(rows, received)
        if path == _LIQUIDATION_LIST:
            told: Counter[str] = Counter()
            return self._each(rows, lambda row: self._past_liquidation(row, told, received))
        if path == _OPEN_INTEREST:
            return self._each(rows, lambda row: self._open_interest(row, time, received))
        return self._each(rows, lambda row: self._funding(row, time, received))

    def snapshot(self) -> bytes:
        """Contracts, trades and liquidations already seen, how far the clocks are apart."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                trades=self._trades.keys(),
                liquidations=self._liquidations.keys(),
                ahead_ms=self._ahead_ms,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._trades = SeenKeys(saved.trades)
        self._liquidations = SeenKeys(saved.liquidations)
        self._ahead_ms = saved.ahead_ms

    def _set_clock(self, venue_ms: int, received: int) -> None:
        ahead_ms = received // 1_000_000 - venue_ms
        if abs(ahead_ms) < _CLOCKS_APART_MS:
            self._ahead_ms = ahead_ms

    def _is_history(self, time_ms: int, received: int) -> bool:
        return time_ms < received // 1_000_000 - self._ahead_ms - _HISTORY_AFTER_MS

    def _each(
        self, rows: list[Raw], decode: Callable[[Raw], Sequence[MarketEvent]]
    ) -> Sequence[MarketEvent]:
        return each_good(rows, decode, self.counts)

    def _listed(self, code: str) -> tuple[str, int] | None:
        """Coin and multiplier of that name, or None, counted."""
        coin = _coin(code)
        if coin is None:
            self.counts["not_this_market"] += 1
        return coin

    def _notification(
        self, message: wire.Message, received: int
    ) -> Sequence[MarketEvent | Control]:
        topics = (message.topic,) if message.topic else ()
        match message.op:
            case "ping" if message.ts is not UNSET:
                # Text must come back as text: as a number it is no answer, and we are cut.
                return [Reply(_text({"op": "pong", "ts": message.ts}))]
            case "sub" if message.error_code in {0, _REPEATED}:
                return [Acknowledged(topics)]
            case "sub" | "error":
                return [Refused(f"{message.error_code} {message.error}", topics)]
            case "close":
                return [Notice("close")]
            case "notify":
                return self._told(message, received)
            case _:
                ignore(self.counts, message.op)
        return _NO_EVENTS

    def _told(self, message: wire.Message, received: int) -> Sequence[MarketEvent]:
        kind = message.topic.rpartition(".")[2]
        if kind not in {"liquidation_orders", "funding_rate"}:
            ignore(self.counts, kind)
            return _NO_EVENTS
        if message.data is UNSET:
            raise MalformedFrame("bad_field", "notification without data")
        rows = read_rows(message.data)
        if kind == "liquidation_orders":
            told: Counter[str] = Counter()
            return self._each(rows, lambda row: self._liquidation(row, told, received))
        if not isinstance(message.ts, int) or not 0 < message.ts < 10**14:
            raise MalformedFrame("bad_field", "funding without time")
        time = message.ts
        return self._each(rows, lambda row: self._funding(row, time, received))

    def _market_trades(self, message: wire.Message, received: int) -> Sequence[MarketEvent]:
        _, _, rest = message.ch.partition(".")
        code, _, kind = rest.partition(".")
        if kind != "trade.detail":
            ignore(self.counts, kind)
            return _NO_EVENTS
        if message.tick is UNSET:
            raise MalformedFrame("bad_field", "trades without tick")
        rows = read_rows(read(wire.tick, message.tick).data)
        return self._each(rows, lambda row: self._trade(code, read(wire.trade, row), received))

    def _trade(self, code: str, trade: wire.Trade, received: int) -> Sequence[MarketEvent]:
        coin = self._listed(code)
        if coin is None:
            return _NO_EVENTS
        why = ""
        if not self._trades.add(f"{code} {trade.id}"):
            why = "duplicate"
        elif self._is_history(trade.ts, received):
            why = "history"
        elif not trade.direction:
            why = "uncertain_side"
        if why:
            self.counts[why] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        return (
            Trade(
                self.venue,
                symbol,
                code,
                trade.ts,
                received,
                trade.price / multiplier,
                trade.quantity * multiplier,
                Side(trade.direction),
                str(trade.id),
            ),
        )

    def _liquidation(self, row: Raw, told: Counter[str], received: int) -> Sequence[MarketEvent]:
        order = read(wire.liquidation, row)
        coin = self._listed(order.code)
        if coin is None:
            return _NO_EVENTS
        symbol, multiplier = coin
        history = self._is_history(order.time, received)
        size = order.coins * multiplier
        return self._forced(order, symbol, size, multiplier, told, received, history=history)

    def _past_liquidation(
        self, row: Raw, told: Counter[str], received: int
    ) -> Sequence[MarketEvent]:
        order = read(wire.past_liquidation, row)
        coin = self._listed(order.code)
        if coin is None:
            return _NO_EVENTS
        instrument = self.instruments.get(order.code)
        if instrument is None:  # this list tells contracts and no coins
            self.counts["unknown_instrument"] += 1
            return _NO_EVENTS
        if order.position_side not in {_position(order.side).value, "both"}:
            self.counts["uncertain_side"] += 1
            return _NO_EVENTS
        symbol, multiplier = coin
        size = order.contracts * instrument.contract_size
        return self._forced(order, symbol, size, multiplier, told, received, history=True)

    def _forced(
        self,
        order: wire.Liquidation | wire.PastLiquidation,
        symbol: str,
        size: float,
        multiplier: int,
        told: Counter[str],
        received: int,
        *,
        history: bool,
    ) -> Sequence[MarketEvent]:
        # No ids on the socket. Equal rows of one frame are several liquidations; the same frame
        # again is a repetition, and so is the row of the v5 list.
        key = f"{order.code} {order.time} {order.side} {order.contracts}"
        told[key] += 1
        if not self._liquidations.add(f"{key} {told[key]}"):
            self.counts["duplicate"] += 1
            return _NO_EVENTS
        price = known_price(order.price)
        return (
            Liquidation(
                venue=self.venue,
                symbol=symbol,
                instrument=order.code,
                time=order.time,
                received=received,
                position=_position(order.side),
                size=size,
                price=price / multiplier if price else order.turnover / size,
                price_kind=PriceKind.BANKRUPTCY if price else PriceKind.REFERENCE,
                notional_usd=order.turnover,
                completeness=self.completeness,
                history=history,
            ),
        )

    def _open_interest(self, row: Raw, time: int, received: int) -> Sequence[MarketEvent]:
        open_interest = read(wire.open_interest, row)
        coin = self._listed(open_interest.code)
        if coin is None:
            return _NO_EVENTS
        symbol, multiplier = coin
        value = open_interest.value
        return (
            OpenInterest(
                venue=self.venue,
                symbol=symbol,
                instrument=open_interest.code,
                time=time,
                received=received,
                size=open_interest.coins * multiplier / 2,  # "sum of both buy and sell sides"
                notional_usd=None if value is None else value / 2,
            ),
        )

    def _funding(self, row: Raw, time: int, received: int) -> Sequence[MarketEvent]:
        funding = read(wire.funding, row)
        coin = self._listed(funding.code)
        if coin is None or funding.rate is None:
            return _NO_EVENTS
        return (
            Funding(
                venue=self.venue,
                symbol=coin[0],
                instrument=funding.code,
                time=time,
                received=received,
                rate=funding.rate,
                next_time=funding.settlement or funding.time,
            ),
        )

    def _past(self, path: str, code: str, told: Raw, received: int) -> Sequence[MarketEvent]:
        is_of_prices = path == _PRICES_PAST
        rows = read_rows(told) if is_of_prices else read(wire.ticks, told).tick
        coin, instrument = self._listed(code), self.instruments.get(code)
        if coin is None or instrument is None:
            return _NO_EVENTS
        _, multiplier = coin
        if is_of_prices:
            bars = each_good(rows, lambda row: [_bar(row, multiplier)], self.counts)
            return [price_history(instrument, bars, interval_ms=HOUR_MS, received=received)]
        points = each_good(rows, lambda row: [read(wire.open_interest_point, row)], self.counts)
        sizes = ((each.ts, each.coins * multiplier / 2) for each in points)  # of both sides
        return [open_interest_history(instrument, sizes, received=received)]

    def _instruments(self, rows: list[Raw], received: int) -> Sequence[MarketEvent]:
        listed = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no perpetual in the list of contracts")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return listed

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        listing = read(wire.listing, row)
        coin = _coin(listing.code)
        if coin is None:
            return ()
        symbol, multiplier = coin
        return (
            Instrument(
                venue=self.venue,
                symbol=symbol,
                instrument=listing.code,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR,
                contract_size=listing.size * multiplier,
                tick_size=listing.tick / multiplier,
                status=str(listing.status),
            ),
        )


def _bar(row: Raw, multiplier: int) -> PriceBar:
    bar = read(wire.kline, row)
    prices = (bar.low / multiplier, bar.high / multiplier, bar.close / multiplier)
    return price_bar(bar.id * 1000, prices, paid=bar.paid, coins=bar.coins * multiplier)


def _position(side: str) -> Position:
    """A position is closed by the opposite order: buying closes a short."""
    return Position.SHORT if side == "buy" else Position.LONG


def _text(message: object) -> str:
    return msgspec.json.encode(message).decode()
