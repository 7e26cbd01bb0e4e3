"""Events in, alerts out: `Engine.update` is all that decides, and it knows no clock, no socket, no
log.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from liqwatch.alerts import Alert, Direction
from liqwatch.engine.detector import watch_cascades
from liqwatch.engine.level_board import watch_levels
from liqwatch.engine.price import Source
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol
from liqwatch.engine.venue import Venue
from liqwatch.events import (
    Completeness,
    Connect,
    Disconnect,
    Event,
    Funding,
    Instrument,
    Liquidation,
    MarkPrice,
    Mechanism,
    OpenInterest,
    Tick,
    Trade,
)

STATE_VERSION = 1
LATE_MS = 250  # a second is closed this long after its end
NONE: Sequence[Alert] = ()


class EngineState(msgspec.Struct):
    """All that the engine remembers."""

    now_ms: int = 0
    closed: int | None = None  # the last closed second
    venues: dict[str, Venue] = msgspec.field(default_factory=dict)
    symbols: dict[str, SymbolState] = msgspec.field(default_factory=dict)
    implausible: int = 0  # events whose stamps were not believed


class Engine:
    """The map, the detector and the levels of every watched coin.

    `watch` names the coins and their own settings; None watches every coin that trades.
    `completeness` says how much of its forced flow each venue shows.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        watch: Mapping[str, SymbolSettings] | None,
        completeness: Mapping[str, Completeness],
        state: EngineState | None = None,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._completeness = completeness
        self.state = state or EngineState()
        self._routes: dict[str, dict[str, tuple[Venue, Source | None]]] = {}
        self._symbols = {name: self._symbol(one) for name, one in self.state.symbols.items()}
        self._update: dict[type, Callable[[Any], Sequence[Alert]]] = {
            Trade: self._trade,
            Liquidation: self._liquidation,
            OpenInterest: self._open_interest,
            MarkPrice: self._mark_price,
            Funding: self._nothing,
            Instrument: self._nothing,
            Connect: self._connect,
            Disconnect: self._disconnect,
            Tick: self._tick,
        }

    def update(self, event: Event) -> Sequence[Alert]:
        """Take one event; return the alerts it calls for, in decision order."""
        return self._update[type(event)](event)

    def configure(
        self, settings: EngineSettings, watch: Mapping[str, SymbolSettings] | None
    ) -> None:
        """Decide by other settings from now on; what is remembered stays."""
        self._settings = settings
        self._watch = watch
        if watch is not None:
            for name in [name for name in self.state.symbols if name not in watch]:
                del self.state.symbols[name]
        self._symbols = {name: self._symbol(one) for name, one in self.state.symbols.items()}
        self._routes.clear()

    def interrupted(self) -> None:
        """Say that time has passed in which nobody listened, as between two runs."""
        self.state.closed = None
        for venue in self.state.venues.values():
            venue.interrupted()
        for symbol in self.state.symbols.values():
            symbol.price.interrupted()

    # -- snapshots ---------------------------------------------------------------------------------
    # -----------------

    def snapshot(self) -> bytes:
        """Return everything remembered, as msgpack."""
        return msgspec.msgpack.encode(self.state, enc_hook=_encode)

    @staticmethod
    def restore(snapshot: bytes) -> EngineState:
        """Return the state in a snapshot; raises msgspec.ValidationError if it is not one."""
        return msgspec.msgpack.decode(snapshot, type=EngineState, dec_hook=_decode)

    # -- events ------------------------------------------------------------------------------------
    # -----------------

    def _trade(self, event: Trade) -> Sequence[Alert]:
        try:
            venue, source = self._routes[event.venue][event.instrument]
        except KeyError:
            venue, source = self._route(event)
        if venue.lag.update(event.received, event.time):
            venue.heard_ms = event.time
            if source is not None:
                source.print(event.time, event.price, event.size, event.side)
        else:
            self.state.implausible += 1
        return NONE

    def _liquidation(self, event: Liquidation) -> Sequence[Alert]:
        if event.mechanism is not Mechanism.BOOK:
            return NONE
        venue = self._venue(event.venue)
        venue.heard_ms = max(venue.heard_ms, event.time)
        venue.market[Direction.of(event.position)].add(event.time, event.symbol, event.notional_usd)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.liquidation(event)
        return NONE

    def _open_interest(self, event: OpenInterest) -> Sequence[Alert]:
        self._venue(event.venue)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.open_interest(event)
        return NONE

    def _mark_price(self, event: MarkPrice) -> Sequence[Alert]:
        self._venue(event.venue)
        symbol = self._symbols.get(event.symbol)
        if symbol is not None:
            symbol.mark_price(event)
        return NONE

    @staticmethod
    def _nothing(_event: Event) -> Sequence[Alert]:
        return NONE

    def _connect(self, event: Connect) -> Sequence[Alert]:
        self._venue(event.venue).delivers(event.time)
        return NONE

    def _disconnect(self, event: Disconnect) -> Sequence[Alert]:
        self._venue(event.venue).lost(event.stream, event.time)
        return NONE

    # -- time --------------------------------------------------------------------------------------
    # -----------------

    def _tick(self, tick: Tick) -> Sequence[Alert]:
        state = self.state
        state.now_ms = max(state.now_ms, tick.time - self._lag_ms())
        last = (state.now_ms - LATE_MS) // 1000 - 1
        if state.closed is None:
            state.closed = last
        if last <= state.closed:
            return NONE
        alerts: list[Alert] = []
        for second in range(state.closed + 1, last + 1):
            alerts += self._close_second(second)
        state.closed = last
        return alerts

    def _lag_ms(self) -> int:
        """How far our clock runs ahead of the venues': the median, so that no single venue sets the
        time.
        """
        known = [venue.lag.ms for venue in self.state.venues.values() if venue.lag.ms is not None]
        return int(median(known)) if known else 0

    def _close_second(self, second: int) -> list[Alert]:
        for venue in self.state.venues.values():
            venue.close_second(second)
        alerts: list[Alert] = []
        for symbol in self._symbols.values():
            if symbol.close_second(second):
                alerts += watch_cascades(symbol, (second + 1) * 1000)
                alerts += watch_levels(symbol, (second + 1) * 1000)
        return alerts

    # -- who is who --------------------------------------------------------------------------------
    # -----------------

    def _venue(self, name: str) -> Venue:
        venue = self.state.venues.get(name)
        if venue is None:
            shown = self._completeness.get(name, Completeness.UNKNOWN)
            venue = self.state.venues[name] = Venue(name=name, completeness=shown)
        return venue

    def _route(self, event: Trade) -> tuple[Venue, Source | None]:
        """Find, once, where trades of an instrument go; no source if nobody watches the coin."""
        venue = self._venue(event.venue)
        symbol = self._symbols.get(event.symbol)
        if symbol is None and (self._watch is None or event.symbol in self._watch):
            fresh = SymbolState(name=event.symbol, number=len(self._symbols))
            self.state.symbols[event.symbol] = fresh
            symbol = self._symbols[event.symbol] = self._symbol(fresh)
        source = None if symbol is None else symbol.source(event.venue, event.instrument)
        route = self._routes.setdefault(event.venue, {})[event.instrument] = (venue, source)
        return route

    def _symbol(self, state: SymbolState) -> Symbol:
        own = (self._watch or {}).get(state.name, SymbolSettings())
        return Symbol(state, settings=self._settings, own=own, venues=self.state.venues)


def _encode(value: object) -> object:
    if isinstance(value, array):
        return value.tobytes()
    raise NotImplementedError(f"{type(value)} has no place in a snapshot")


def _decode(kind: type, value: Any) -> object:
    if kind is array:
        cells = array("d")
        cells.frombytes(value)
        return cells
    raise NotImplementedError(f"{kind} has no place in a snapshot")
