"""The forced flow of one coin as the start rule sees it: per feed, against its own history."""

from collections.abc import Mapping

from liqwatch.alerts import Direction
from liqwatch.engine.forced_flow import Feed, forced_impact_z
from liqwatch.engine.scrutiny import Scrutiny
from liqwatch.engine.start import (
    CONTINUES_HOURS,
    FLOOR_SHARE_OF_MINUTE,
    WEEK_HOURS,
    DetectionSettings,
    FeedView,
    FlowView,
    impact_z_asked,
    tail_exponent,
)
from liqwatch.engine.state import SymbolState
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness

HALF_WAY = 0.5
LEAST_COVERAGE = 0.1  # a smaller part says too little about the whole


class Flow:
    """Reads the feeds of one coin; `venues` is what is known of each venue as a whole."""

    def __init__(
        self,
        state: SymbolState,
        detection: DetectionSettings,
        venues: Mapping[str, Venue],
        scrutiny: Scrutiny,
    ) -> None:
        self._state = state
        self._detection = detection
        self._venues = venues
        self._scrutiny = scrutiny
        self._levels: dict[tuple[Direction, str], tuple[float, dict[float, float]]] = {}

    def stirs(self, direction: Direction) -> bool:
        """Return whether the flow of any feed is half way to what is asked of it."""
        return any(
            feed.root_sum > 0
            and feed.root_sum >= HALF_WAY * self._level(direction, feed, self._hours(feed))
            for feed in self._state.feeds[direction].values()
        )

    def _hours(self, feed: Feed) -> float:
        if feed.completeness is Completeness.FULL:
            return self._detection.complete_return_hours
        return self._detection.return_hours_throttled

    def _level(self, direction: Direction, feed: Feed, hours: float) -> float:
        """Return the flow that is reached once in so many hours; it changes with every block."""
        history = feed.past.history
        blocks, levels = self._levels.get((direction, feed.venue), (-1.0, {}))
        if blocks != history.blocks:
            levels = {}
            self._levels[direction, feed.venue] = history.blocks, levels
        if hours not in levels:
            complete = feed.completeness is Completeness.FULL
            levels[hours] = history.level(hours, tail_exponent(complete=complete))
        return levels[hours]

    def view(self, direction: Direction, now_ms: int) -> FlowView:
        """Return everything the start rule looks at, for one direction."""
        feeds = [
            self._feed(direction, feed, now_ms) for feed in self._state.feeds[direction].values()
        ]
        raw, scaled = self._impact_z(direction, now_ms)
        hours = self._detection.return_hours_market
        run_z60 = self._state.price.momentum.z(60) * direction.sign
        return FlowView(
            feeds=feeds,
            markets=[venue.market_view(direction, hours) for venue in self._venues.values()],
            forced_impact_z=max(raw, scaled or 0.0),
            raw_impact_z=raw,
            scaled_impact_z=scaled,
            impact_z_asked=impact_z_asked(feeds, run_z60, self._detection),
            visible_usd_30s=sum((feed.visible_usd_30s for feed in feeds), 0.0),
        )

    def _feed(self, direction: Direction, feed: Feed, now_ms: int) -> FeedView:
        detection, history = self._detection, feed.past.history
        asked = {self._hours(feed), detection.going_on_hours, CONTINUES_HOURS, WEEK_HOURS}
        if feed.root_sum == 0:
            asked.clear()
        return FeedView(
            venue=feed.venue,
            complete=feed.completeness is Completeness.FULL,
            healthy=self._heard(feed.venue),
            armed=history.armed,
            history_hours=history.hours,
            root_sum=feed.root_sum,
            levels={hours: self._level(direction, feed, hours) for hours in asked},
            visible_usd_30s=feed.visible_usd(now_ms // 1000 - 1, 30),
            floor_usd_30s=max(
                detection.floor_usd_30s,
                FLOOR_SHARE_OF_MINUTE * 60 * self._traded_usd_per_s(feed.venue),
            ),
        )

    def _heard(self, venue: str) -> bool:
        return self._venues[venue].healthy and not self._scrutiny.disbelieves(venue)

    def _traded_usd_per_s(self, venue: str) -> float:
        sources = self._state.sources.values()
        return sum(source.volume_usd_per_s for source in sources if source.venue == venue)

    def _impact_z(self, direction: Direction, now_ms: int) -> tuple[float, float | None]:
        """Return the forced-impact z of what is visible, and of complete feeds scaled to all."""
        sigma = self._state.price.momentum.sigma
        impact = self._state.impact.per_usd(sigma)
        visible = complete = 0.0
        for feed in self._state.feeds[direction].values():
            if self._heard(feed.venue):
                usd = feed.slow.at(now_ms)
                visible += usd
                if feed.completeness is Completeness.FULL:
                    complete += usd
        coverage = self.coverage() or 0.0
        scaled = None
        if coverage >= LEAST_COVERAGE:
            scaled = forced_impact_z(impact, complete / coverage, sigma)
        return forced_impact_z(impact, visible, sigma), scaled

    def coverage(self) -> float | None:
        """Return the share of open interest on healthy complete feeds; None where unknown.

        Unknown as long as one instrument that trades has not told its open interest.
        """
        total = complete = 0.0
        for key, source in self._state.sources.items():
            size = self._state.map.open_interest.get(key)
            if size is None:
                return None
            venue = self._venues[source.venue]
            total += size
            if venue.completeness is Completeness.FULL and self._heard(source.venue):
                complete += size
        return complete / total if total > 0 else None

    def fast_usd_per_s(self, direction: Direction, now_ms: int) -> float:
        """Return visible forced USD per second over about 5 s."""
        return sum(feed.fast.at(now_ms) for feed in self._state.feeds[direction].values()) / 5

    def visible_usd(self, direction: Direction, now_ms: int, window_s: int) -> float:
        """Return the forced USD shown in the last seconds, 60 at most."""
        feeds = self._state.feeds[direction].values()
        return sum(feed.visible_usd(now_ms // 1000 - 1, window_s) for feed in feeds)

    def total_usd(self, direction: Direction) -> float:
        """Return all forced USD ever seen."""
        return sum(feed.total_usd for feed in self._state.feeds[direction].values())

    def own_venues(self) -> list[Venue]:
        """Return the venues that print this coin."""
        names = dict.fromkeys(source.venue for source in self._state.sources.values())
        return [self._venues[name] for name in names]

    def deaf_s(self, since_ms: int, now_ms: int) -> int | None:
        """Return seconds since a venue went deaf that could be heard at `since_ms`; 0: deaf now, or
        none is believed.
        """
        venues = self.own_venues()
        if venues and all(self._scrutiny.disbelieves(venue.name) for venue in venues):
            return 0
        deaf = [
            0 if not venue.healthy else (now_ms - (venue.last_deaf_ms or now_ms)) // 1000
            for venue in venues
            if venue.deaf_began_ms is not None and venue.deaf_began_ms >= since_ms
        ]
        return min(deaf, default=None)
