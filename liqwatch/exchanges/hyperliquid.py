"""Hyperliquid's perpetuals: one websocket, and an info endpoint that answers POSTs.

Documentation: hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api, pages websocket,
websocket/subscriptions, websocket/timeouts-and-heartbeats, info-endpoint,
info-endpoint/perpetuals, rate-limits-and-user-limits, notation, tick-and-lot-size. One payload per
channel, each inside {"channel":…,"data":…}:

    trades           [{"coin":"BTC","side":"B","px":"60000.0","sz":"0.01","time":1700000000000,
                     "hash":"0x…","tid":112233,"users":["0x<buyer>","0x<seller>"]}]
    userFills        {"isSnapshot":false,"user":"0x…","fills":[{"coin":"BTC","px":"59400.0",
                     "sz":"0.3","side":"B","time":1700000000000,"dir":"Open Long","tid":112234,
                     "liquidation":{"liquidatedUser":"0x…","markPx":"59410.0","method":"market"}}]}
    allDexsAssetCtxs {"ctxs":[["",[{"funding":"0.0000125","openInterest":"25000.5",
                     "oraclePx":"60010.0","markPx":"60001.0"}]]]}, in the order of the universe
    info, meta       {"universe":[{"name":"BTC","szDecimals":5,"maxLeverage":40,
                     "marginTableId":56}],"marginTables":[[56,{"marginTiers":[{"lowerBound":"0.0",
                     "maxLeverage":40}]}]]}
    info, clearinghouseState   {"assetPositions":[{"type":"oneWay","position":{"coin":"BTC",
                     "szi":"-0.5","leverage":{"type":"cross","value":10},"entryPx":"61000.0",
                     "positionValue":"30000.5","liquidationPx":null}}],"time":1700000000000}

There is no public feed of liquidations. But a fill that is part of one says so to both parties, so
listening to the fills of busy makers shows what they take part in, and listening to the vaults that
take positions over shows all takeovers. UNVERIFIED: whether takeovers and deleveraging are among
the public trades (where their fill is told first, they are left out), how often contexts come, and
that public trades complete a forced order once one of its fills is known.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct

from liqwatch.events import (
    AccountPosition,
    Completeness,
    Funding,
    Instrument,
    MarketEvent,
    MarkPrice,
    OpenInterest,
    Side,
    Trade,
)
from liqwatch.exchanges import hyperliquid_wire as wire
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
from liqwatch.exchanges.hyperliquid_forced import ForcedOrders, ForcedState
from liqwatch.exchanges.hyperliquid_info import (
    LISTED,
    VENUE,
    coin_of,
    info_url,
    instrument_of,
    margin_tiers_of,
    places_of,
    positions_of,
    tables_of,
)
from liqwatch.exchanges.hyperliquid_users import HLP, Accounts, Makers
from liqwatch.exchanges.hyperliquid_wire import (
    AccountState,
    FillRow,
    Subscription,
    TradeRow,
    Universe,
)
from liqwatch.exchanges.seen import Newest, SeenKeys
from liqwatch.exchanges.wire import UNREADABLE, each_good, ignore, read, read_rows

_WEBSOCKET = "wss://api.hyperliquid.xyz/ws"
_GREETING = "Websocket connection established."  # as the venue's own client expects it
_COINS_PER_CONNECTION = 100  # 10 connections and 1,000 subscriptions are allowed
_ACCOUNT_POLL_S = 300

_BUY, _SELL = Side.BUY, Side.SELL  # looked up once per trade
_NO_EVENTS: tuple[MarketEvent, ...] = ()


class _State(Struct):
    instruments: dict[str, Instrument]
    universe: dict[int, str]
    trades: list[str]
    newest: Newest
    forced: ForcedState
    makers: Makers
    accounts: Accounts


_state = msgspec.msgpack.Decoder(_State)


class Hyperliquid(Exchange):
    """Hyperliquid's main dex.

    Every subscription to trades begins with about 30 old ones, unmarked: what is 10 s older than
    the newest time of the venue is history.
    """

    venue = VENUE
    title = "Hyperliquid"
    completeness = Completeness.SAMPLED
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
        "no feed of liquidations: takeovers by its vault are all shown, those on the book only if"
        " one of the few makers that may be followed takes part, so totals are a floor; positions"
        " of 1,000 accounts every 5 minutes; main dex only"
    )
    connects_per_s = 0.4  # 30 in a minute
    rest_per_s = 4.0  # nearly all weigh 2; a minute allows 1,200

    def __init__(self) -> None:
        super().__init__()
        self._universe: dict[int, str] = {}  # names by their place in the venue's list
        self._trades = SeenKeys()
        self._newest = Newest()
        self._forced = ForcedOrders(self.counts)
        self._makers = Makers()
        self._accounts = Accounts()

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the universe. Coins without a place in it are not heard, hence so often."""
        return [Poll(url=info_url("meta"), interval_s=600)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to everything but most trades on the first connection."""
        # In the venue's order, which begins with BTC: its trades tell how old the others are.
        names = [
            name
            for name, instrument in self.instruments.items()
            if instrument.status == LISTED and (symbols is None or instrument.symbol in symbols)
        ]
        connections = -(-len(names) // _COINS_PER_CONNECTION)
        return [
            _endpoint(
                [
                    *(self._all_coins() if n == 0 else ()),
                    *(Subscription(type="trades", coin=name) for name in names[n::connections]),
                ]
            )
            for n in range(connections)
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Ask for HLP's vaults, the universe, and the positions of accounts."""
        return [
            Poll(url=info_url("vaultDetails", vaultAddress=HLP), interval_s=6 * 3600),
            *self.bootstrap(),
            *(
                Poll(url=info_url("clearinghouseState", user=account), interval_s=_ACCOUNT_POLL_S)
                for account in self._accounts.asked
            ),
        ]

    def open_questions(self) -> Sequence[str]:
        """Say how much of the market the followed makers see."""
        coverage = self._makers.coverage
        share = "a share not measured yet" if coverage is None else f"about {coverage:.0%}"
        return [f"liquidations on the book: seen where a followed maker trades, {share} of volume"]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame)
        except UNREADABLE:
            return self._second_look(frame, received)
        return self._market_trades(trades.data, received)

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn an answer of the info endpoint into events."""
        parts = urlsplit(url)
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if parts.path != "/info":
            ignore(self.counts, parts.path)
            return _NO_EVENTS
        asked = read(wire.info_request, parts.fragment)
        match asked.type:
            case "meta":
                return self._meta(read(wire.universe, text), received)
            case "clearinghouseState":
                state = read(wire.account_state, text)
                return self._positions(asked.user, state, received)
            case "vaultDetails":
                self._makers.resolve(read(wire.vault, text).relationship.data.child_addresses)
            case other:
                ignore(self.counts, other)
        return _NO_EVENTS

    def snapshot(self) -> bytes:
        """The universe, matches already seen, forced orders known, users followed."""
        return msgspec.msgpack.encode(
            _State(
                instruments=self.instruments,
                universe=self._universe,
                trades=self._trades.keys(),
                newest=self._newest,
                forced=self._forced.state(),
                makers=self._makers,
                accounts=self._accounts,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments = saved.instruments
        self._universe = saved.universe
        self._trades = SeenKeys(saved.trades)
        self._newest = saved.newest
        self._forced = ForcedOrders(self.counts, saved.forced)
        self._makers = saved.makers
        self._accounts = saved.accounts

    def _all_coins(self) -> Iterator[Subscription]:
        yield Subscription(type="allDexsAssetCtxs")
        for user in self._makers.followed:
            yield Subscription(type="userFills", user=user, aggregate_by_time=False)

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades."""
        if frame == (_GREETING if isinstance(frame, str) else _GREETING.encode()):
            return [Alive()]
        message = read(wire.envelope, frame)
        if message.channel == "pong":  # it has no data
            return [Alive()]
        decode_data: Callable[[Raw, int], Sequence[MarketEvent | Control]] | None = {
            "trades": self._trade_rows,
            "userFills": self._user_fills,
            "user": self._user_events,
            "allDexsAssetCtxs": self._contexts,
            "subscriptionResponse": self._acknowledged,
            "error": self._refused,
        }.get(message.channel)
        if decode_data is None:
            ignore(self.counts, message.channel)
            return _NO_EVENTS
        if message.data is UNSET:
            raise MalformedFrame("bad_field", f"{message.channel} without data")
        return decode_data(message.data, received)

    def _acknowledged(self, data: Raw, _received: int) -> Sequence[Control]:
        answer = read(wire.request, data)
        if answer.method != "subscribe" or answer.subscription is None:
            ignore(self.counts, answer.method)
            return ()
        return [Acknowledged((answer.subscription.topic,))]

    def _refused(self, data: Raw, _received: int) -> Sequence[Control]:
        words = read(wire.words, data)
        topic = wire.topic_in(words)
        return [Refused(words, (topic,) if topic else ())]

    def _coin(self, name: str) -> tuple[str, int] | None:
        """The coin and multiplier of a name, or None, counted."""
        coin = coin_of(name)
        if coin is None:
            self.counts["not_this_market"] += 1
        return coin

    def _trade_rows(self, data: Raw, received: int) -> Sequence[MarketEvent]:
        return each_good(
            read_rows(data),
            lambda row: self._market_trades([read(wire.trade, row)], received),
            self.counts,
        )

    def _market_trades(self, trades: list[TradeRow], received: int) -> Sequence[MarketEvent]:
        if trades:
            self._newest.stamp(max(trade.time for trade in trades), received)
        events: list[MarketEvent] = []
        for trade in trades:
            coin = self._coin(trade.coin)
            if coin is None:
                continue
            key = trade.key
            if self._newest.is_history(trade.time, received):
                self.counts["history"] += 1
            elif mechanism := self._forced.transferred(key):
                self.counts[f"not_a_trade:{mechanism}"] += 1
            elif not self._trades.add(key):
                self.counts["duplicate"] += 1
            else:
                symbol, multiplier = coin
                events.append(
                    Trade(
                        self.venue,
                        symbol,
                        trade.coin,
                        trade.time,
                        received,
                        trade.px / multiplier,
                        trade.sz * multiplier,
                        _BUY if trade.side == "B" else _SELL,
                        str(trade.tid),
                    )
                )
                events += self._learn(trade, coin, received)
        return events

    def _learn(
        self, trade: TradeRow, coin: tuple[str, int], received: int
    ) -> Sequence[MarketEvent]:
        """Count the trade for its parties; tell if it is part of a forced order."""
        if trade.users is None:
            return _NO_EVENTS
        usd = trade.px * trade.sz
        self._makers.traded(trade.maker, usd, self._newest.ms)
        self._accounts.traded(trade.taker, usd, self._newest.ms)
        return self._forced.trade(trade, coin, received)

    def _user_fills(self, data: Raw, received: int) -> Sequence[MarketEvent]:
        told = read(wire.user_fills, data)
        return self._fills(told.fills, told.user.lower(), received, is_snapshot=told.is_snapshot)

    def _user_events(self, data: Raw, received: int) -> Sequence[MarketEvent]:
        """Read events of a user who is not named: somebody we follow, and so no victim."""
        told = read(wire.user_events, data)
        if told.fills is UNSET:
            ignore(self.counts, "user")
            return _NO_EVENTS
        return self._fills(told.fills, "", received)

    def _fills(
        self, rows: list[Raw], receiver: str, received: int, *, is_snapshot: bool = False
    ) -> Sequence[MarketEvent]:
        return each_good(
            rows,
            lambda row: self._fill(
                read(wire.fill, row), receiver, received, is_snapshot=is_snapshot
            ),
            self.counts,
        )

    def _fill(
        self, fill: FillRow, receiver: str, received: int, *, is_snapshot: bool
    ) -> Sequence[MarketEvent]:
        if fill.liquidation is None:
            self.counts["ordinary_fill"] += 1
            return _NO_EVENTS
        coin = self._coin(fill.coin)
        if coin is None:
            return _NO_EVENTS
        return self._forced.fill(
            fill,
            coin,
            receiver,
            received,
            of_vault=self._makers.is_vault(fill.victim),
            history=self._newest.is_past(fill.time, received, replayed=is_snapshot),
        )

    def _contexts(self, data: Raw, received: int) -> Sequence[MarketEvent]:
        main_dex = dict(read(wire.contexts, data).ctxs).get("")
        if main_dex is None:
            ignore(self.counts, "contexts without the main dex")
            return _NO_EVENTS
        return each_good(
            enumerate(read_rows(main_dex)),
            lambda placed: self._context(*placed, received),
            self.counts,
        )

    def _context(self, place: int, row: Raw, received: int) -> Sequence[MarketEvent]:
        instrument = self.instruments.get(self._universe.get(place, ""))
        if instrument is None:
            self.counts["unknown_instrument"] += 1
            return _NO_EVENTS
        if instrument.status != LISTED:
            return _NO_EVENTS
        now = read(wire.context, row)
        multiplier = instrument.contract_size
        # A context has no time of its own.
        about = (
            self.venue,
            instrument.symbol,
            instrument.instrument,
            received // 1_000_000,
            received,
        )
        return (
            MarkPrice(*about, now.mark_px / multiplier, now.oracle_px / multiplier),
            OpenInterest(*about, now.open_interest * multiplier, now.open_interest * now.mark_px),
            Funding(*about, now.funding, interval_hours=1.0),
        )

    def _positions(self, account: str, state: AccountState, received: int) -> list[AccountPosition]:
        held_usd = {row.coin: row.worth_usd for row in state.positions}
        gone_usd = self._accounts.holds(account, held_usd)
        return positions_of(account, state, gone_usd, received)

    def _meta(self, meta: Universe, received: int) -> Sequence[MarketEvent]:
        tables = tables_of(meta, self.counts)
        events: list[MarketEvent] = []
        universe: dict[int, str] = {}
        instruments: dict[str, Instrument] = {}
        for place, row in places_of(meta, self.counts):
            instrument = instrument_of(row, received)
            if instrument is None:
                self.counts["not_this_market"] += 1
                continue
            universe[place] = row.name
            instruments[row.name] = instrument
            events.append(instrument)
            tiers = margin_tiers_of(row, instrument, tables)
            if tiers is None:
                self.counts["margin_table_missing"] += 1
            else:
                events.append(tiers)
        if not instruments:
            raise MalformedFrame("empty_list", "no perpetual in the universe")
        self.instruments, self._universe = instruments, universe
        return events


def _endpoint(subscriptions: Sequence[Subscription]) -> Endpoint:
    requests = (
        msgspec.json.encode({"method": "subscribe", "subscription": one}) for one in subscriptions
    )
    return Endpoint(
        url=_WEBSOCKET,
        requests=tuple(request.decode() for request in requests),
        topics=tuple(one.topic for one in subscriptions),
        request_gap_s=0.1,  # 2,000 messages in a minute are allowed, for all connections together
        heartbeat=Heartbeat(text='{"method":"ping"}', interval_s=30),
        idle_timeout_s=65,
        silent_after_s=30,
    )
