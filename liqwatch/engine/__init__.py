"""Events in, alerts out: `Engine.update` is all that decides, and it knows no clock, no socket, no
log.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from liqwatch.alerts import Alert, Direction, Running
from liqwatch.engine.detector import end_unheard, watch_cascades
from liqwatch.engine.feeds import UNPROMISED, Promise, Stream
from liqwatch.engine.level_board import watch_levels
from liqwatch.engine.listings import note
from liqwatch.engine.liveness import (
    FeedHealth,
    feed_health,
    show_liquidation,
    weigh_open_interest,
)
from liqwatch.engine.map_view import show_map
from liqwatch.engine.map_watch import watch_map
from liqwatch.engine.market_watch import watch_market
from liqwatch.engine.pace import Pace
from liqwatch.engine.price import Source
from liqwatch.engine.quarantine_report import watch_quarantine, with_quarantine
from liqwatch.engine.running import running, show_episode
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol
from liqwatch.engine.symbol_map import SymbolMap
from liqwatch.engine.venue import IMPLAUSIBLE_MS, Lag, Venue, common_lag_ms
from liqwatch.episode_view import EpisodeShown
from liqwatch.events import (
    STOPPED,
    AccountPosition,
    Connect,
    Disconnect,
    Event,
    Failed,
    Funding,
    Instrument,
    Liquidation,
    MarginTiers,
    MarketEvent,
    MarkPrice,
    Mechanism,
    Opened,
    OpenInterest,
    OpenInterestHistory,
    PriceHistory,
    Subscribed,
    Tick,
    Trade,
)
from liqwatch.map_import import ImportedMap
from liqwatch.map_view import MapShown

LATE_MS = 250  # a second is closed this long after its end
SKEW_MS = 500  # a venue's clock this far from the others is corrected
ASLEEP_MS = 120_000
UNHEARD_S = 120  # a coin without a price for so long: its stories end, outcome unknown
NONE: Sequence[Alert] = ()
_BOOK = Mechanism.BOOK  # asked of every forced order, and slow to find by its class (Python 3.11)


class _Route(NamedTuple):
    # What a trade of one instrument touches; no source if nobody watches the coin.

    venue: Venue
    lag: Lag
    trades: Pace
    source: Source | None


class Engine:
    """The map, the detector and the levels of every watched coin.

    `watch` names the coins and their own settings; None watches every coin that trades.
    `promises` says what each venue should deliver.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        watch: Mapping[str, SymbolSettings] | None,
        promises: Mapping[str, Promise],
        state: EngineState | None = None,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._promises = promises
        self.state = state or EngineState()
        self._routes: dict[str, dict[str, _Route]] = {}
        self._symbols: dict[str, Symbol] = {}
        self.configure(settings, watch)
        self._update: dict[type, Callable[[Any], Sequence[Alert]]] = {
            Trade: self._trade,
            Liquidation: self._liquidation,
            OpenInterest: self._open_interest,
            MarkPrice: self._mark_price,
            Funding: self._funding,
            Instrument: self._listed,
            MarginTiers: self._listed,
            AccountPosition: self._account_position,
            PriceHistory: self._price_history,
            OpenInterestHistory: self._open_interest_history,
            ImportedMap: self._imported_map,
            Connect: self._connect,
            Disconnect: self._disconnect,
            Opened: self._opened,
            Subscribed: self._subscribed,
            Failed: self._failed,
            Tick: self._tick,
        }

    def update(self, event: Event | ImportedMap) -> Sequence[Alert]:
        """Take one event; return the alerts it calls for, in decision order."""
        return self._update[type(event)](event)

    def configure(
        self,
        settings: EngineSettings,
        watch: Mapping[str, SymbolSettings] | None,
        *,
        venues: Collection[str] | None = None,
    ) -> list[Alert]:
        """Decide by other settings from now on; what is remembered of watched coins stays.

        Venues that are not among `venues` (None: all stay) and coins no longer watched are
        forgotten. Returns the end of the stories that nobody follows any more.
        """
        dropped = [
            one for name, one in self._symbols.items() if watch is not None and name not in watch
        ]
        alerts = [alert for one in dropped for alert in end_unheard(one, self.state.now_ms)]
        self._settings, self._watch = settings, watch
        self.state.symbols = {
            name: one for name, one in self.state.symbols.items() if watch is None or name in watch
        }
        gone = set() if venues is None else self.state.every_venue.keys() - set(venues)
        for venue in gone:
            self.state.venues.pop(venue, None)
            self.state.spot_venues.pop(venue, None)
            self.state.past_prices.pop(venue, None)
            self.state.liveness.outages.forget(venue)
            for symbol in self.state.symbols.values():
                symbol.forget(venue)
        self.state.quarantine.forget(venues=gone, symbols={one.state.name for one in dropped})
        self.state.listings = {
            key: one
            for key, one in self.state.listings.items()
            if one.venue not in gone and (watch is None or one.symbol in watch)
        }
        self._symbols = {name: self._symbol(one) for name, one in self.state.symbols.items()}
        self._routes.clear()
        return alerts

    def interrupted(self) -> None:
        """Say that time has passed in which nobody listened, as between two runs."""
        self._missed()
        self.state.liveness.interrupted(self.state.every_venue.values())

    def feeds(self) -> list[FeedHealth]:
        """Return how each feed is of the venues that are listened to."""
        state = self.state
        return with_quarantine(
            feed_health(state.every_venue, self._promises), state.quarantine, state.now_ms
        )

    def show_map(self, coin: str) -> MapShown | None:
        """Return the map of a coin as it is shown; None of one that has no price."""
        symbol = self._symbols.get(coin)
        if symbol is None or not symbol.state.price.price:
            return None
        return show_map(symbol, self.state.now_ms)

    def running(self) -> list[Running]:
        """Return the cascades that go on, in numbers."""
        symbols = (one for one in self._symbols.values() if one.state.episodes)
        return [each for one in symbols for each in running(one, self.state.now_ms)]

    def show_episode(self, coin: str, direction: Direction) -> EpisodeShown | None:
        """Return a coin's cascade as its picture shows it; None where there is none."""
        symbol = self._symbols.get(coin)
        if symbol is None:
            return None
        return show_episode(symbol, direction, self.state.now_ms)

    def map_of(self, coin: str) -> SymbolMap | None:
        """Return the map of a coin; None of one that has no price."""
        symbol = self._symbols.get(coin)
        return symbol.map if symbol is not None and symbol.state.price.price else None

    def cold(self, venue: str) -> list[str]:
        """Return the instruments of a venue whose books lack their past, the largest first."""
        usd: dict[str, float] = {}
        for symbol in self.state.symbols.values():
            for key in symbol.map.cold:
                name, _, instrument = key.partition("|")
                if name == venue:
                    usd[instrument] = symbol.map.books[key].open_size * symbol.price.price
        return sorted(usd, key=lambda instrument: (-usd[instrument], instrument))

    def _missed(self) -> None:
        self.state.closed = None
        for venue in self.state.every_venue.values():
            venue.interrupted()
        for symbol in self.state.symbols.values():
            symbol.price.interrupted()

    def snapshot(self) -> bytes:
        """Return everything remembered, as msgpack."""
        return pack(self.state)

    # -- events ------------------------------------------------------------------------------------
    # -----------------

    def _trade(self, event: Trade) -> Sequence[Alert]:
        try:
            venue, lag, trades, source = self._routes[event.venue][event.instrument]
        except KeyError:
            if self._promises.get(event.venue, UNPROMISED).spot:
                return self._spot_trade(event)
            venue, lag, trades, source = self._route(event)
        received, time_ms = event.received, event.time
        self.state.heard_ns = received
        trades.count += 1
        if lag.update(received, time_ms):
            venue.heard_ms = time_ms = time_ms + venue.skew_ms
            if source is not None:
                source.print(time_ms, event.price, event.size, event.side)
        elif lag.ms is not None:
            venue.implausible += 1
        return NONE

    def _spot_trade(self, event: Trade) -> Sequence[Alert]:
        """Take a trade of coins themselves: of those with a price to decide on, and beside it."""
        venue = self._venue(event.venue)
        venue.feeds.trades.count += 1
        if venue.lag.update(event.received, event.time):
            venue.heard_ms = time_ms = event.time + venue.skew_ms
            symbol = self._symbols.get(event.symbol)
            if symbol is not None:
                symbol.state.spot.take(event, time_ms)
        elif venue.lag.ms is not None:
            venue.implausible += 1
        return NONE

    def _liquidation(self, event: Liquidation) -> Sequence[Alert]:
        venue, time_ms = self._hear(event)
        our_ms = event.received // 1_000_000
        symbol = self._symbols.get(event.symbol)
        counts = not event.history and event.mechanism is _BOOK
        if counts and time_ms > self._market_ms(our_ms) + IMPLAUSIBLE_MS:
            venue.implausible += 1
            counts = False
        direction = Direction.of(event.position)
        believed = not (counts and symbol) or symbol.liquidation(event, direction, time_ms)
        if not event.history:
            show_liquidation(self.state.venues, venue.name, event.symbol, our_ms, believed=believed)
        if counts and believed:
            venue.liquidation(time_ms, direction, event.symbol, event.notional_usd)
        return NONE

    def _open_interest(self, event: OpenInterest) -> Sequence[Alert]:
        _, time_ms = self._hear(event)
        weigh_open_interest(self.state.venues, event, event.received // 1_000_000)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.open_interest(event, time_ms)
        return NONE

    def _mark_price(self, event: MarkPrice) -> Sequence[Alert]:
        venue, time_ms = self._hear(event)
        venue.feeds.mark_price.count += 1
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.mark_price(event, time_ms)
        return NONE

    def _funding(self, event: Funding) -> Sequence[Alert]:
        venue, time_ms = self._hear(event)
        venue.feeds.funding.count += 1
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.funding(event, time_ms)
        return NONE

    def _listed(self, event: Instrument | MarginTiers) -> Sequence[Alert]:
        self._hear(event)
        if self._watch is None or event.symbol in self._watch:
            note(self.state.listings, event)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.map.positions.relist(f"{event.venue}|{event.instrument}")
        return NONE

    def _account_position(self, event: AccountPosition) -> Sequence[Alert]:
        self._hear(event)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.map.positions.take(event)
        return NONE

    def _price_history(self, event: PriceHistory) -> Sequence[Alert]:
        self._hear(event)
        self.state.past_prices[event.venue] = event  # the open interest beside them is told next
        return NONE

    def _open_interest_history(self, event: OpenInterestHistory) -> Sequence[Alert]:
        venue, _ = self._hear(event)
        prices = self.state.past_prices.pop(event.venue, None)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None and prices is not None and prices.instrument == event.instrument:
            venue.implausible_history += symbol.map.positions.take_past(prices, event)
        return NONE

    def _imported_map(self, event: ImportedMap) -> Sequence[Alert]:
        known = self.map_of(event.symbol)
        if known is not None:
            known.take_import(event)
        return NONE

    def _hear(self, event: MarketEvent) -> tuple[Venue, int]:
        """Take note that a venue spoke; return it, and the event's time on the common clock."""
        self.state.heard_ns = event.received
        venue = self._venue(event.venue)
        now_ms = self._market_ms(event.received // 1_000_000)
        venue.heard_ms = max(venue.heard_ms, now_ms)
        return venue, event.time + venue.skew_ms

    def _connect(self, event: Connect) -> Sequence[Alert]:
        venue = self._venue(event.venue)
        venue.delivers(self._market_ms(event.time))
        venue.feeds.reached(event.stream, Stream.DELIVERS)
        return NONE

    def _disconnect(self, event: Disconnect) -> Sequence[Alert]:
        on_purpose = event.reason.endswith(STOPPED)
        venue = self._venue(event.venue)
        venue.lost(event.stream, self._market_ms(event.time), on_purpose=on_purpose)
        if not on_purpose:
            venue.feeds.lost(event.reason)
        return NONE

    def _opened(self, event: Opened) -> Sequence[Alert]:
        self._venue(event.venue).feeds.reached(event.stream, Stream.OPENED)
        return NONE

    def _subscribed(self, event: Subscribed) -> Sequence[Alert]:
        self._venue(event.venue).feeds.reached(event.stream, Stream.ACKNOWLEDGED)
        return NONE

    def _failed(self, event: Failed) -> Sequence[Alert]:
        self._venue(event.venue).feeds.ended(event.stream, event.reason)
        return NONE

    # -- time -------------------------------------------------------------------------------------

    def _market_ms(self, our_ms: int) -> int:
        """Put a time of our clock on the clock of the venues."""
        return our_ms - (self.state.lag_ms or 0)

    def _tick(self, tick: Tick) -> Sequence[Alert]:
        state = self.state
        told = state.liveness.pass_time(
            state.venues,
            self._promises,
            spot=state.spot_venues,
            now_ms=tick.time,
            recorded_ms=tick.recorded or state.heard_ns // 1_000_000,
            lag_ms=state.lag_ms or 0,
        )
        return [*told, *self._pass_time(tick)] if told else self._pass_time(tick)

    def _pass_time(self, tick: Tick) -> Sequence[Alert]:
        """Close the seconds that are over.

        When nothing at all has been heard for a while, time stops: what follows is an interruption,
        and the seconds between need not be closed one by one.
        """
        state = self.state
        self._agree_on_time()
        if state.lag_ms is None:
            return NONE
        asleep_ms = state.heard_ns // 1_000_000 + ASLEEP_MS
        if state.asleep and tick.time <= asleep_ms:
            state.asleep = False
            self._missed()
        now_ms = self._market_ms(min(tick.time, asleep_ms))
        if now_ms < state.now_ms - IMPLAUSIBLE_MS:
            self._missed()  # the time we went by was wrong
        elif now_ms < state.now_ms:
            return NONE
        state.now_ms = now_ms
        alerts = self._close_seconds((now_ms - LATE_MS) // 1000 - 1)
        if tick.time > asleep_ms and not state.asleep:
            state.asleep = True
            for symbol in self._symbols.values():
                alerts += end_unheard(symbol, now_ms)
            alerts += self._watch_market(now_ms)
        return alerts

    def _agree_on_time(self) -> None:
        self.state.lag_ms = lag_ms = common_lag_ms(self.state.venues.values())
        if lag_ms is not None:
            for venue in self.state.every_venue.values():
                off_ms = 0 if venue.lag.ms is None else int(venue.lag.ms) - lag_ms
                venue.skew_ms = off_ms if abs(off_ms) > SKEW_MS else 0

    def _close_seconds(self, last: int) -> list[Alert]:
        state = self.state
        alerts: list[Alert] = []
        for second in range(last if state.closed is None else state.closed + 1, last + 1):
            alerts += self._close_second(second)
        state.closed = max(last, state.closed or last)
        return alerts

    def _close_second(self, second: int) -> list[Alert]:
        now_ms = (second + 1) * 1000
        state, settings = self.state, self._settings.quarantine
        for venue in state.every_venue.values():
            venue.close_second(second)
        alerts: list[Alert] = []
        for symbol in self._symbols.values():
            if symbol.close_second(second):
                alerts += watch_cascades(symbol, now_ms)
                of_levels = watch_levels(symbol, now_ms)
                alerts += of_levels
                alerts += watch_map(symbol, now_ms, of_levels)
            elif symbol.state.price.stale_s == UNHEARD_S:
                alerts += end_unheard(symbol, now_ms)
        alerts += self._watch_market(now_ms)
        return alerts + watch_quarantine(state.quarantine, state.venues, settings, now_ms)

    def _watch_market(self, now_ms: int) -> list[Alert]:
        return watch_market(self.state.market, self._symbols.values(), self._settings, now_ms)

    # -- who is who --------------------------------------------------------------------------------
    # -----------------

    def _venue(self, name: str) -> Venue:
        venue = self.state.venues.get(name) or self.state.spot_venues.get(name)
        if venue is None:
            promise = self._promises.get(name, UNPROMISED)
            venue = Venue(name=name, completeness=promise.completeness)
            (self.state.spot_venues if promise.spot else self.state.venues)[name] = venue
        return venue

    def _route(self, event: Trade) -> "_Route":
        """Find, once, where trades of an instrument go; no source if nobody watches the coin."""
        venue = self._venue(event.venue)
        symbol = self._symbols.get(event.symbol)
        if symbol is None and (self._watch is None or event.symbol in self._watch):
            fresh = SymbolState(name=event.symbol, number=len(self._symbols))
            self.state.symbols[event.symbol] = fresh
            symbol = self._symbols[event.symbol] = self._symbol(fresh)
        source = None if symbol is None else symbol.source(event.venue, event.instrument)
        route = _Route(venue, venue.lag, venue.feeds.trades, source)
        self._routes.setdefault(event.venue, {})[event.instrument] = route
        return route

    def _symbol(self, state: SymbolState) -> Symbol:
        own = (self._watch or {}).get(state.name, SymbolSettings())
        return Symbol(
            state,
            settings=self._settings,
            own=own,
            venues=self.state.venues,
            listings=self.state.listings,
            quarantine=self.state.quarantine,
        )
