"""One coin: takes its events with as little work as possible, and the rest once a second."""

from collections.abc import Mapping

from liqwatch.alerts import Direction
from liqwatch.engine.conduct import HEARD_MS
from liqwatch.engine.flow import Flow
from liqwatch.engine.forced_flow import Feed
from liqwatch.engine.funding import told
from liqwatch.engine.listings import Listing
from liqwatch.engine.positions import PASS_S
from liqwatch.engine.price import GAP_S, Source
from liqwatch.engine.quarantine import Quarantine
from liqwatch.engine.scrutiny import Scrutiny
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol_map import SymbolMap
from liqwatch.engine.venue import Venue
from liqwatch.events import Funding, Liquidation, MarkPrice, OpenInterest

RUN_UP_MS = 120_000  # a zone met so shortly before a start belongs to the cascade


class Symbol:
    """The coin's state together with the settings in force and what is derived from both."""

    def __init__(
        self,
        state: SymbolState,
        *,
        settings: EngineSettings,
        own: SymbolSettings,
        venues: Mapping[str, Venue],
        listings: Mapping[str, Listing],
        quarantine: Quarantine | None = None,
    ) -> None:
        self.state = state
        self.settings = settings
        self.detection = own.detection or settings.detection
        self.map = SymbolMap(state, settings.map, own, listings)
        self.scrutiny = Scrutiny(state, settings.quarantine, quarantine or Quarantine())
        self.flow = Flow(state, self.detection, venues, self.scrutiny)
        self._venues = venues

    def source(self, venue: str, instrument: str) -> Source:
        """Return the record of one instrument's prints, made at first sight."""
        key = f"{venue}|{instrument}"
        source = self.state.sources.get(key)
        if source is None:
            source = self.state.sources[key] = Source(venue=venue)
            for feeds in self.state.feeds.values():
                if venue not in feeds:
                    feeds[venue] = Feed(venue=venue, completeness=self._venues[venue].completeness)
        return source

    def liquidation(self, event: Liquidation, direction: Direction, time_ms: int) -> bool:
        """Take one forced order that went through the book; return whether it is believed, and so
        counted.
        """
        venue = event.venue
        key = f"{venue}|{event.instrument}"
        source = self.state.sources.get(key) or self.source(venue, event.instrument)
        if self.scrutiny.convicts(event, source, time_ms):
            self._uncount(self._venues[venue], time_ms)
        if self.scrutiny.disbelieves(venue):
            return False
        self.state.feeds[direction][venue].add(time_ms, event.notional_usd)
        self.map.liquidated(key, event, time_ms)
        return True

    def _uncount(self, venue: Venue, time_ms: int) -> None:
        """Forget what led to a verdict: it is not believed either. The peak of a running cascade is
        found anew from the feeds that are left.
        """
        for direction, feeds in self.state.feeds.items():
            venue.forced_usd.add(time_ms, -feeds[venue.name].uncount())
            venue.market[direction].uncount(self.state.name)
            if direction in self.state.episodes:
                self.state.episodes[direction].peak_flow_usd_per_s = 0.0

    def open_interest(self, event: OpenInterest, time_ms: int) -> None:
        """Take the newest open interest; the map follows at the end of the second."""
        source = self.source(event.venue, event.instrument)
        if self.scrutiny.open_interest(event, source, time_ms):
            self.map.positions.tell(f"{event.venue}|{event.instrument}", event.size)

    def mark_price(self, event: MarkPrice, time_ms: int) -> None:
        """Take the price at which the venue judges margin."""
        source = self.source(event.venue, event.instrument)
        if self.scrutiny.mark_price(event, source, time_ms):
            source.mark, source.mark_ms = event.price, time_ms

    def funding(self, event: Funding, time_ms: int) -> None:
        """Take what holding a position costs."""
        key, known = f"{event.venue}|{event.instrument}", self.state.funding
        known[key] = told(event, time_ms, known.get(key))

    def close_second(self, second: int) -> bool:
        """Take the end of one second; return whether there is a price to decide on."""
        state, now_ms = self.state, (second + 1) * 1000
        for feeds in state.feeds.values():
            for feed in feeds.values():
                counts_since_s = self._counts_since_s(feed.venue, now_ms)
                feed.close_second(second, counts_since_s=counts_since_s)
        gap, before = state.price.stale_s > GAP_S, state.price.price
        log_return = state.price.close_second(self.scrutiny.believed(now_ms), now_ms)
        self._follow_volume(log_return, now_ms)
        self.map.close_second(second, now_ms)
        if (second + state.number) % PASS_S == 0:
            self.map.close_minute(now_ms, lambda venue: self._counts_since_s(venue, now_ms))
        if log_return is None:
            return False
        state.path.update(second, state.price.price)
        if state.price.momentum.warm:
            state.volatility.update(second, state.price.momentum.sigma)
        totals = {direction: self.flow.total_usd(direction) for direction in Direction}
        state.recent.update(second, state.price.price, totals)
        if gap:
            state.bursts.clear()  # what follows a gap is not a move
            for watch in state.levels.values():
                watch.reset(state.price.price)
        elif before:
            self.map.meet(before, state.price.price, now_ms, forget_ms=RUN_UP_MS)
        return True

    def _counts_since_s(self, venue: str, now_ms: int) -> int | None:
        heard_s = self._venues[venue].counts_since_s(now_ms)
        believed_s = self.scrutiny.counts_since_s(venue)
        return None if heard_s is None or believed_s is None else max(heard_s, believed_s)

    def _follow_volume(self, log_return: float | None, now_ms: int) -> None:
        net_usd = volume_usd = 0.0
        for source in self.state.sources.values():
            net, volume = source.take_second(self.state.price.price)
            source.conduct.close_second(volume, heard=source.last_ms > now_ms - HEARD_MS)
            net_usd += net
            volume_usd += volume
        if log_return is not None:
            self.state.impact.update(log_return, net_usd, volume_usd)
            if volume_usd:
                self.state.map.score.traded.add(self.state.price.price, volume_usd)
