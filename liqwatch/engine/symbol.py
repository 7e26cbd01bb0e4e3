"""One coin: what its venues print, liquidate and hold open, and what each second makes of it."""

from collections.abc import Iterable, Mapping
from math import exp

import msgspec

from liqwatch.alerts import Alert, Direction, Verdict
from liqwatch.engine import report
from liqwatch.engine.cascade import Episode, Observation, State, forgotten, step
from liqwatch.engine.clusters import REACH, Zone, Zones, find_clusters, merge_zones
from liqwatch.engine.forced_flow import Feed, forced_impact_z
from liqwatch.engine.impact import Impact
from liqwatch.engine.levels import LevelWatch, Sight
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.price import GAP_S, Composite, Source
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.start import (
    CONTINUES_HOURS,
    FLOOR_SHARE_OF_MINUTE,
    DetectionSettings,
    FeedView,
    FlowView,
    Start,
    continues,
    find_start,
    tail_exponent,
)
from liqwatch.engine.venue import Venue
from liqwatch.events import (
    Completeness,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Position,
    Side,
    Trade,
)

CLUSTERS_EVERY_S = 5
VOLUME_MEMORY_S = 3600
AGAINST_MAP_RATIO = 3.0
MET_KEPT_MS = 900_000
RUN_UP_MS = 120_000  # a zone met so shortly before the start belongs to the cascade
WATCHED_MARGIN_BUCKETS = 1.5  # a cluster this near a watched price is the same thing to a person
DAY_S = 86_400


class Met(msgspec.Struct, frozen=True):
    """A zone as it was when price ran into it; the map forgets it while price eats it up."""

    zone: Zone
    direction: Direction
    time_ms: int


class SymbolState(msgspec.Struct):
    """All that is remembered of one coin."""

    name: str
    number: int  # in order of appearance; spreads slow work over the seconds
    sources: dict[str, Source] = msgspec.field(default_factory=dict)
    books: dict[str, PositionBook] = msgspec.field(default_factory=dict)
    open_interest: dict[str, float] = msgspec.field(default_factory=dict)  # base coins, latest
    price: Composite = msgspec.field(default_factory=Composite)
    impact: Impact = msgspec.field(default_factory=Impact)
    feeds: dict[Direction, dict[str, Feed]] = msgspec.field(
        default_factory=lambda: {direction: {} for direction in Direction}
    )
    episodes: dict[Direction, Episode] = msgspec.field(default_factory=dict)
    levels: dict[str, LevelWatch] = msgspec.field(default_factory=dict)
    clusters: list[Zone] = msgspec.field(default_factory=list)
    met: list[Met] = msgspec.field(default_factory=list)  # the last quarter of an hour
    within_reach_usd: dict[Direction, float] = msgspec.field(default_factory=dict)


class Symbol:
    """The coin's state together with the settings in force and what is derived from both."""

    def __init__(
        self,
        state: SymbolState,
        *,
        settings: EngineSettings,
        detection: DetectionSettings,
        watch_levels: Iterable[float],
        venues: Mapping[str, Venue],
    ) -> None:
        self.state = state
        self.settings = settings
        self.detection = detection
        self._watched = [
            Zone(
                id=f"{state.name}-{level:.8g}",
                low=level,
                high=level,
                position=None,
                notional_usd=None,
                source="user",
            )
            for level in watch_levels
        ]
        self._venues = venues
        self._fade = 0.5 ** (1 / (settings.map.half_life_days * DAY_S))
        self.zones = Zones()
        self._renew_zones()

    # -- events: as little as possible, the rest happens once a second
    # ------------------------------------------

    def source(self, venue: str, instrument: str) -> Source:
        """Return the record of one instrument's prints, made at first sight."""
        key = f"{venue}|{instrument}"
        source = self.state.sources.get(key)
        if source is None:
            source = self.state.sources[key] = Source(venue=venue, instrument=instrument)
            for feeds in self.state.feeds.values():
                if venue not in feeds:
                    feeds[venue] = Feed(venue=venue, completeness=self._venues[venue].completeness)
        return source

    @staticmethod
    def trade(source: Source, event: Trade) -> None:
        """Take one trade."""
        usd = event.price * event.size
        if event.side is Side.BUY:
            source.bought_usd += usd
        else:
            source.sold_usd += usd
        source.traded_usd += usd
        source.traded_size += event.size
        if event.time >= source.last_ms:
            source.price = event.price
            source.last_ms = event.time

    def liquidation(self, event: Liquidation) -> None:
        """Take one forced order that went through the book."""
        direction = Direction.UP if event.position is Position.SHORT else Direction.DOWN
        self.source(event.venue, event.instrument)
        self.state.feeds[direction][event.venue].add(event.time, event.notional_usd)
        book = self.state.books.get(f"{event.venue}|{event.instrument}")
        if book is not None:
            book.forced_usd += event.notional_usd

    def open_interest(self, event: OpenInterest) -> None:
        """Take the newest open interest; the map follows at the end of the second."""
        self.state.open_interest[f"{event.venue}|{event.instrument}"] = event.size

    def mark_price(self, event: MarkPrice) -> None:
        """Take the price at which the venue judges margin."""
        self.source(event.venue, event.instrument).mark = event.price

    # -- once a second
    # ----------------------------------------------------------------------------------------------

    def close_second(self, second: int) -> list[Alert]:
        """Take the end of one second; return what it calls for."""
        state = self.state
        now_ms = (second + 1) * 1000
        for feeds in state.feeds.values():
            for venue, feed in feeds.items():
                feed.close_second(second, healthy_since_s=self._venues[venue].healthy_since_s)
        gap, before = state.price.stale_s > GAP_S, state.price.price
        log_return = state.price.close_second(list(state.sources.values()), now_ms)
        self._follow_volume(log_return)
        self._follow_map(second)
        if log_return is None:
            return []
        if gap:
            for watch in state.levels.values():
                watch.reset(state.price.price)
        elif before:
            self._meet(before, state.price.price, now_ms)
        return [*self._cascades(second, now_ms), *self._levels(now_ms)]

    def _meet(self, before: float, price: float, now_ms: int) -> None:
        """Remember the zones that price ran into within this second."""
        state = self.state
        state.met = [met for met in state.met if now_ms - met.time_ms < MET_KEPT_MS]
        direction = Direction.UP if price > before else Direction.DOWN
        known = {zone.id for zone in self._met_since(direction, now_ms - RUN_UP_MS)}
        state.met += [
            Met(zone=zone, direction=direction, time_ms=now_ms)
            for zone in self.zones.crossed(before, price, direction)
            if _faces(zone, direction) and zone.id not in known
        ]

    def _met_since(self, direction: Direction, since_ms: int) -> list[Zone]:
        return [
            met.zone
            for met in self.state.met
            if met.direction is direction and met.time_ms >= since_ms
        ]

    def _follow_volume(self, log_return: float | None) -> None:
        net_usd = volume_usd = 0.0
        for source in self.state.sources.values():
            usd = source.bought_usd + source.sold_usd
            net_usd += source.bought_usd - source.sold_usd
            volume_usd += usd
            source.seconds += 1
            source.volume_usd_per_s += (usd - source.volume_usd_per_s) * max(
                1 / source.seconds, 1 / VOLUME_MEMORY_S
            )
            source.bought_usd = source.sold_usd = 0.0
        if log_return is not None:
            self.state.impact.update(log_return, net_usd, volume_usd)

    # -- the map -----------------------------------------------------------------------------------
    # -----------------

    def _follow_map(self, second: int) -> None:
        state = self.state
        for key, size in state.open_interest.items():
            source = state.sources.get(key)
            if source is not None and source.price > 0:
                self._follow_book(key, source, size)
        if state.books and (second + state.number) % CLUSTERS_EVERY_S == 0:
            self._renew_clusters()

    def _follow_book(self, key: str, source: Source, size: float) -> None:
        price = source.mark or source.price
        book = self.state.books.get(key)
        if book is None:
            bucket = self.settings.map.bucket_bp / 1e4
            self.state.books[key] = PositionBook.begin(size, price, bucket)
        elif size != book.open_size:
            traded = source.traded_size > 0
            entry = source.traded_usd / source.traded_size if traded else source.price
            book.sample(size, entry)
        else:
            book.sweep(price, price)
            book.decay(self._fade)
            return
        source.traded_usd = source.traded_size = 0.0
        self.state.books[key].sweep(price, price)

    def _renew_clusters(self) -> None:
        state = self.state
        bucket = self.settings.map.bucket_bp / 1e4
        found: list[Zone] = []
        for direction in Direction:
            mass = self._mass(direction)
            state.within_reach_usd[direction] = sum(mass.values())
            found += find_clusters(
                mass,
                bucket=bucket,
                position=direction.position,
                minimum_usd=self.settings.map.min_cluster_usd,
                known=[zone for zone in state.clusters if _faces(zone, direction)],
                prefix=state.name,
            )
        state.clusters = found
        self._renew_zones()

    def _mass(self, direction: Direction) -> dict[int, float]:
        """Return USD by bucket on the side that a move this way would liquidate, all venues
        together.
        """
        price = self.state.price.price
        mass: dict[int, float] = {}
        if price <= 0:
            return mass
        for book in self.state.books.values():
            ladder = book.shorts if direction is Direction.UP else book.longs
            here = ladder.key(price)
            there = ladder.key(price * exp(direction.sign * REACH))
            for key, usd in ladder.items(min(here, there), max(here, there) + 1):
                mass[key] = mass.get(key, 0.0) + usd
        return mass

    def _renew_zones(self) -> None:
        margin = WATCHED_MARGIN_BUCKETS * self.settings.map.bucket_bp / 1e4
        self.zones = merge_zones(self._watched, self.state.clusters, margin=margin)

    # -- cascades ----------------------------------------------------------------------------------
    # -----------------

    def _cascades(self, second: int, now_ms: int) -> list[Alert]:
        alerts = []
        for direction in Direction:
            episode = self.state.episodes.get(direction)
            runs = self.state.price.momentum.z(30) * direction.sign >= self.detection.drift_z30
            if episode is None and not runs:
                continue
            flow = self.flow(direction, second, now_ms)
            seen = self._observe(flow, direction, episode, now_ms)
            if episode is not None and forgotten(episode, seen):
                del self.state.episodes[direction]
                episode = None
            if episode is None:
                if seen.start is not None:
                    alerts.append(self._begin(seen, flow, direction))
                continue
            moved = step(episode, seen)
            if moved is not None:
                kind, reason = moved
                alerts.append(report.cascade(self, episode, kind, reason, seen, flow))
        return alerts

    def _begin(self, seen: Observation, flow: FlowView, direction: Direction) -> Alert:
        zone = self._touched(direction, seen.now_ms)
        episode = Episode(
            id=f"{self.state.name}-{direction}-{seen.now_ms}",
            direction=direction,
            state=State.CASCADING,
            state_ms=seen.now_ms,
            started_ms=seen.now_ms,
            start_price=seen.price,
            start_x=seen.x,
            start_forced_usd=seen.forced_total_usd,
            start_swept_usd=seen.swept_usd,
            extreme_x=seen.x,
            extreme_price=seen.price,
            extreme_ms=seen.now_ms,
            start_zone=zone,
            against_map=self.against_map(direction),
            peak_flow_usd_per_s=seen.flow_usd_per_s,
        )
        self.state.episodes[direction] = episode
        return report.cascade_started(self, episode, seen, flow)

    def _touched(self, direction: Direction, now_ms: int) -> Zone | None:
        """Return the zone that the run reached last, or that it stands right before."""
        met = self._met_since(direction, now_ms - RUN_UP_MS)
        if met:
            return met[-1]
        price, yardstick = self.state.price.price, self.state.price.momentum.five_minute_move
        there = price * exp(direction.sign * yardstick / 2)
        near = [z for z in self.zones.crossed(price, there, direction) if _faces(z, direction)]
        return near[0] if near else None

    def flow(self, direction: Direction, second: int, now_ms: int) -> FlowView:
        """Return everything the start rule looks at, for one direction."""
        feeds = [self._feed_view(feed, second) for feed in self.state.feeds[direction].values()]
        raw, scaled = self._impact_z(direction, now_ms)
        return FlowView(
            feeds=feeds,
            markets=[
                venue.market_view(direction, self.detection.return_hours_market)
                for venue in self._venues.values()
            ],
            forced_impact_z=max(raw, scaled or 0.0),
            raw_impact_z=raw,
            scaled_impact_z=scaled,
            visible_usd_30s=sum(feed.visible_usd_30s for feed in feeds),
        )

    def _feed_view(self, feed: Feed, second: int) -> FeedView:
        complete = feed.completeness is Completeness.FULL
        own = (
            self.detection.complete_return_hours
            if complete
            else self.detection.return_hours_throttled
        )
        history = feed.past.history
        exponent = tail_exponent(complete=complete)
        active = feed.root_sum > 0
        volume = sum(
            source.volume_usd_per_s
            for source in self.state.sources.values()
            if source.venue == feed.venue
        )
        return FeedView(
            venue=feed.venue,
            complete=complete,
            healthy=self._venues[feed.venue].healthy,
            armed=history.armed,
            history_hours=history.hours,
            root_sum=feed.root_sum,
            levels={
                hours: history.level(hours, exponent) for hours in {own, CONTINUES_HOURS, 168.0}
            }
            if active
            else {},
            visible_usd_30s=feed.visible_usd(second, 30),
            floor_usd_30s=max(self.detection.floor_usd_30s, FLOOR_SHARE_OF_MINUTE * 60 * volume),
        )

    def _impact_z(self, direction: Direction, now_ms: int) -> tuple[float, float | None]:
        """Return the forced-impact z of what is visible, and of complete feeds scaled to all open
        interest.
        """
        momentum = self.state.price.momentum
        impact = self.state.impact.per_usd(momentum.sigma)
        visible = complete = 0.0
        for feed in self.state.feeds[direction].values():
            if self._venues[feed.venue].healthy:
                usd = feed.slow.at(now_ms)
                visible += usd
                if feed.completeness is Completeness.FULL:
                    complete += usd
        raw = forced_impact_z(impact, visible, momentum.sigma)
        coverage = self.coverage()
        if not coverage:
            return raw, None
        return raw, forced_impact_z(impact, complete / coverage, momentum.sigma)

    def coverage(self) -> float | None:
        """Return the share of open interest on healthy complete feeds, None where open interest is
        unknown.
        """
        total = complete = 0.0
        for key, size in self.state.open_interest.items():
            venue = self._venues[key.split("|", 1)[0]]
            total += size
            if venue.completeness is Completeness.FULL and venue.healthy:
                complete += size
        return complete / total if total > 0 else None

    def _observe(
        self, flow: FlowView, direction: Direction, episode: Episode | None, now_ms: int
    ) -> Observation:
        state = self.state
        momentum = state.price.momentum
        feeds = state.feeds[direction].values()
        start: Start | None = find_start(flow, momentum, direction, self.detection)
        return Observation(
            now_ms=now_ms,
            price=state.price.price,
            x=momentum.x,
            start=start,
            continues=continues(flow, self.detection),
            flow_usd_per_s=sum(feed.fast.at(now_ms) for feed in feeds) / 5,
            forced_total_usd=sum(feed.total_usd for feed in feeds),
            swept_usd=self.swept_usd(direction),
            speed_bp_per_min=momentum.speed_bp_per_min,
            new_extreme_share=momentum.new_extreme_share(direction.sign),
            crossed=self._crossed(episode, direction),
            blind_s=self._blind_s(episode, now_ms),
            settings=self.detection,
        )

    def _crossed(self, episode: Episode | None, direction: Direction) -> list[Zone]:
        if episode is None:
            return []
        return self._met_since(direction, episode.started_ms - RUN_UP_MS)

    def swept_usd(self, direction: Direction) -> float:
        """Return the mass of the map that price has passed, ever."""
        books = self.state.books.values()
        if direction is Direction.UP:
            return sum(book.swept_short_usd for book in books)
        return sum(book.swept_long_usd for book in books)

    def _blind_s(self, episode: Episode | None, now_ms: int) -> int | None:
        """Return seconds since a venue went deaf that could still be heard when the episode began;
        0: deaf now.
        """
        since = episode.started_ms if episode is not None else now_ms
        deaf = [
            0 if not venue.healthy else (now_ms - venue.last_deaf_ms) // 1000
            for venue in self.own_venues()
            if venue.last_deaf_ms is not None and venue.last_deaf_ms >= since
        ]
        return min(deaf, default=None)

    def own_venues(self) -> list[Venue]:
        """Return the venues that print this coin."""
        names = dict.fromkeys(source.venue for source in self.state.sources.values())
        return [self._venues[name] for name in names]

    # -- levels ------------------------------------------------------------------------------------
    # -----------------

    def _levels(self, now_ms: int) -> list[Alert]:
        state = self.state
        momentum = state.price.momentum
        self._adopt_zones()
        sight = Sight(
            now_ms=now_ms,
            price=state.price.price,
            yardstick=momentum.five_minute_move,
            z10=momentum.z(10),
            z60=momentum.z(60),
            speed_bp_per_min=momentum.speed_bp_per_min,
            forced_total_usd={
                direction: sum(feed.total_usd for feed in feeds.values())
                for direction, feeds in state.feeds.items()
            },
            cascading=frozenset(
                direction
                for direction, episode in state.episodes.items()
                if episode.state is State.CASCADING
            ),
        )
        alerts = []
        for watch in state.levels.values():
            news = watch.update(sight, self.settings.levels)
            if isinstance(news, Verdict):
                alerts.append(report.level_verdict(self, watch, news, sight))
            elif news and self._worth_telling(watch, sight):
                alerts.append(report.level_approached(self, watch, sight))
        return alerts

    def _worth_telling(self, watch: LevelWatch, sight: Sight) -> bool:
        """A running cascade tells of its levels itself, and one approach is told once."""
        running = watch.direction in sight.cascading
        return not running and watch.may_announce(sight.now_ms, self.settings.levels)

    def _adopt_zones(self) -> None:
        """Watch every zone there is now, and let go of those that vanished with nothing pending."""
        levels = self.state.levels
        present = {zone.id: zone for zone in self.zones}
        for name, zone in present.items():
            if name not in levels:
                levels[name] = LevelWatch(zone=zone)
                levels[name].reset(self.state.price.price)
            elif levels[name].idle:
                levels[name].zone = zone
        for name in [name for name, watch in levels.items() if watch.idle and name not in present]:
            del levels[name]

    def against_map(self, direction: Direction) -> bool:
        """Return whether the map said that the other side was the heavy one."""
        opposite = Direction.DOWN if direction is Direction.UP else Direction.UP
        here = self.state.within_reach_usd.get(direction, 0.0)
        there = self.state.within_reach_usd.get(opposite, 0.0)
        return there >= max(self.settings.map.min_cluster_usd, AGAINST_MAP_RATIO * here)


def _faces(zone: Zone, direction: Direction) -> bool:
    """Return whether a move this way would liquidate what lies there; a watched price faces both
    ways.
    """
    return zone.position is None or zone.position is direction.position
