"""What the engine knows of a venue as a whole: its clock, health, market-wide forced flow."""

from collections.abc import Iterable

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.feeds import VenueFeeds
from liqwatch.engine.forced_flow import BlockMaximum, DecayingSum, MarketFeed
from liqwatch.engine.rarity import market_prior
from liqwatch.engine.start import (
    MARKET_FLOOR_USD,
    MARKET_FLOOR_WITHOUT_LARGEST_USD,
    MarketView,
)
from liqwatch.events import Completeness

IMPLAUSIBLE_MS = 5_000.0  # a float, as every trade is held against it
CONVINCED_BY = 20
SILENT_MS = 60_000
QUIET_MS = 3_600_000


class Lag(msgspec.Struct):
    """How far our clock at receipt runs ahead of a venue's stamps: clock error plus transport.

    Known once two stamps agree; then it falls at once and rises slowly. A stamp more than five
    seconds older than usual, or that far in the future, is not believed, unless twenty in a row
    agree.
    """

    ms: float | None = None
    outliers: int = 0
    first_ms: int | None = None

    def update(self, received_ns: int, time_ms: int) -> bool:
        """Take one event's stamps; return whether the venue's stamp is plausible."""
        seen = received_ns // 1_000_000 - time_ms
        known = self.ms
        if known is None:
            return self._begin(seen)
        late = seen - known
        if 0.0 <= late <= IMPLAUSIBLE_MS:  # nine of ten
            self.ms = known + late * 0.001
        elif min(known, 0) - IMPLAUSIBLE_MS <= seen < known:
            self.ms = float(seen)
        else:
            self.outliers += 1
            if self.outliers < CONVINCED_BY:
                return False
            self.ms = float(seen)
        self.outliers = 0
        return True

    def _begin(self, seen: int) -> bool:
        agreed = self.first_ms is not None and abs(seen - self.first_ms) <= IMPLAUSIBLE_MS
        self.ms = float(min(seen, self.first_ms or seen)) if agreed else None
        self.first_ms = seen
        return agreed


def common_lag_ms(venues: Iterable["Venue"]) -> int | None:
    """Return the lag of the clock that all share; None before any is known.

    No single venue sets it: the median of those heard; of two the one nearer to our own clock.
    """
    known = [venue for venue in venues if venue.lag.ms is not None]
    lags = sorted(venue.lag.ms or 0.0 for venue in known if venue.healthy) or sorted(
        venue.lag.ms or 0.0 for venue in known
    )
    if not lags:
        return None
    return int(min(lags, key=abs) if len(lags) == 2 else lags[(len(lags) - 1) // 2])


def _market_feed() -> MarketFeed:
    return MarketFeed(past=BlockMaximum(history=market_prior()))


class Venue(msgspec.Struct):
    """One venue: deaf from a `Disconnect` until a stream delivers again, and while it is blind."""

    name: str
    completeness: Completeness
    lag: Lag = msgspec.field(default_factory=Lag)
    skew_ms: int = 0  # what to add to its stamps, to have them on the clock that all share
    down: list[str] = msgspec.field(default_factory=list)  # streams that were lost
    implausible: int = 0  # events whose stamps were not believed
    implausible_history: int = 0  # points of past open interest that were not believed
    heard_ms: int = 0
    liquidation_ms: int = 0  # of the newest forced order, of whatever coin
    healthy_since_ms: int | None = None
    deaf_began_ms: int | None = None  # the last time
    last_deaf_ms: int | None = None
    blind: bool = False  # its liquidations do not come, whatever else does
    feeds: VenueFeeds = msgspec.field(default_factory=VenueFeeds)
    forced_usd: DecayingSum = msgspec.field(default_factory=lambda: DecayingSum(tau_s=86_400.0))
    market: dict[Direction, MarketFeed] = msgspec.field(
        default_factory=lambda: {direction: _market_feed() for direction in Direction}
    )

    @property
    def healthy(self) -> bool:
        """Whether everything that was connected still delivers, as far as can be told."""
        return self.healthy_since_ms is not None

    def liquidation(self, time_ms: int, direction: Direction, symbol: str, usd: float) -> None:
        """Take one forced order that counts, of whatever coin."""
        self.liquidation_ms = max(self.liquidation_ms, time_ms)
        self.forced_usd.add(time_ms, usd)
        self.market[direction].add(time_ms, symbol, usd)

    def counts_since_s(self, now_ms: int) -> int | None:
        """Return since which second blocks of flow count as heard, None while they do not.

        A feed that has shown no forced order of any coin for an hour may be deaf, whatever its
        connection says: its zeros teach nothing.
        """
        if self.healthy_since_ms is None or now_ms - self.liquidation_ms > QUIET_MS:
            return None
        return -(-self.healthy_since_ms // 1000)

    def _deaf(self, now_ms: int) -> None:
        if self.healthy_since_ms is not None or self.deaf_began_ms is None:
            self.deaf_began_ms = now_ms
        self.healthy_since_ms = None
        self.last_deaf_ms = now_ms

    def lost(self, stream: str, now_ms: int, *, on_purpose: bool) -> None:
        """Take note that a stream ended; one stopped on purpose is not missed."""
        self._deaf(now_ms)
        if not on_purpose:
            self.down.append(stream)

    def interrupted(self) -> None:
        """We were not there for a while: nothing is known of the time between."""
        self.down.clear()
        self._deaf(self.heard_ms)
        self.heard_ms = 0

    def delivers(self, now_ms: int) -> None:
        """Take note of a new stream's first data: it replaces the one that was lost first."""
        self.heard_ms = max(self.heard_ms, now_ms)
        if self.down:
            del self.down[0]
            self.last_deaf_ms = now_ms
        self._hears(now_ms)

    def see(self, now_ms: int, *, blind: bool) -> None:
        """Take note whether its liquidations can be trusted to come."""
        if blind is not self.blind:
            self.blind = blind
            self._deaf(now_ms)

    def _hears(self, now_ms: int) -> None:
        if not self.down and not self.blind and self.healthy_since_ms is None:
            self.healthy_since_ms = now_ms

    def close_second(self, second: int) -> None:
        """Take a second's end: a minute without a word is a gap, whatever the connection says."""
        now_ms = (second + 1) * 1000
        if now_ms - self.heard_ms > SILENT_MS:
            if self.healthy_since_ms is not None:
                self._deaf(now_ms)
        else:
            self._hears(now_ms)
        for feed in self.market.values():
            feed.close_second(second, counts_since_s=self.counts_since_s(now_ms))

    def market_view(self, direction: Direction, return_hours: float) -> MarketView:
        """Return how rare the flow of all coins is here; complete feeds are judged by coin."""
        feed = self.market[direction]
        ratio = 0.0
        if self.healthy and self.completeness is not Completeness.FULL and feed.root_sum > 0:
            total_usd, without_largest_usd = feed.usd()
            enough = (
                total_usd >= MARKET_FLOOR_USD
                and without_largest_usd >= MARKET_FLOOR_WITHOUT_LARGEST_USD
            )
            level = feed.past.history.level(return_hours)
            if enough and level > 0:
                ratio = feed.root_sum / level
        return MarketView(venue=self.name, ratio=ratio)
