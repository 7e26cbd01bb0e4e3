"""What the engine knows of a venue as a whole: its clock, health, market-wide forced flow."""

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.forced_flow import BlockMaximum, MarketFeed
from liqwatch.engine.rarity import market_prior
from liqwatch.engine.start import (
    MARKET_FLOOR_USD,
    MARKET_FLOOR_WITHOUT_LARGEST_USD,
    MarketView,
)
from liqwatch.events import Completeness

IMPLAUSIBLE_MS = 5_000
CONVINCED_BY = 20
SILENT_MS = 60_000


class Lag(msgspec.Struct):
    """How far our clock at receipt runs ahead of the venue's stamps: its clock error plus the
    fastest transport.

    Falls at once, rises slowly. A stamp more than five seconds older than usual, or that far in
    the future, is not believed, unless twenty in a row agree.
    """

    ms: float | None = None
    outliers: int = 0

    def update(self, received_ns: int, time_ms: int) -> bool:
        """Take one event's stamps; return whether the venue's stamp is plausible."""
        seen = received_ns // 1_000_000 - time_ms
        known = self.ms
        if known is None:
            self.ms = float(seen)
        elif seen < min(known, 0) - IMPLAUSIBLE_MS or seen > known + IMPLAUSIBLE_MS:
            self.outliers += 1
            if self.outliers < CONVINCED_BY:
                return False
            self.ms = float(seen)
        elif seen < known:
            self.ms = float(seen)
        else:
            self.ms = known + (seen - known) * 0.001
        self.outliers = 0
        return True


def _market_feed() -> MarketFeed:
    return MarketFeed(past=BlockMaximum(history=market_prior()))


class Venue(msgspec.Struct):
    """One venue: deaf from a `Disconnect` until a stream delivers again."""

    name: str
    completeness: Completeness
    lag: Lag = msgspec.field(default_factory=Lag)
    down: list[str] = msgspec.field(default_factory=list)  # streams that were lost
    heard_ms: int = 0
    healthy_since_ms: int | None = None
    last_deaf_ms: int | None = None
    market: dict[Direction, MarketFeed] = msgspec.field(
        default_factory=lambda: {direction: _market_feed() for direction in Direction}
    )

    @property
    def healthy(self) -> bool:
        """Whether everything that was connected still delivers."""
        return self.healthy_since_ms is not None

    @property
    def healthy_since_s(self) -> int | None:
        """The first whole second of the present health, None while deaf."""
        return None if self.healthy_since_ms is None else -(-self.healthy_since_ms // 1000)

    def lost(self, stream: str, now_ms: int) -> None:
        """Take note that a stream delivers nothing any more."""
        self.down.append(stream)
        self.healthy_since_ms = None
        self.last_deaf_ms = now_ms

    def interrupted(self) -> None:
        """We were not there for a while: nothing is known of the time between."""
        self.down.clear()
        self.last_deaf_ms = self.heard_ms
        self.healthy_since_ms = None
        self.heard_ms = 0

    def delivers(self, now_ms: int) -> None:
        """Take note of a new stream's first data: it replaces the one that was lost first."""
        self.heard_ms = max(self.heard_ms, now_ms)
        if self.down:
            del self.down[0]
            self.last_deaf_ms = now_ms
        if not self.down and self.healthy_since_ms is None:
            self.healthy_since_ms = now_ms

    def close_second(self, second: int) -> None:
        """Take a second's end: a minute without a word is a gap, whatever the connection says."""
        now_ms = (second + 1) * 1000
        if now_ms - self.heard_ms > SILENT_MS:
            if self.healthy_since_ms is not None:
                self.healthy_since_ms = None
                self.last_deaf_ms = now_ms
        elif not self.down and self.healthy_since_ms is None:
            self.healthy_since_ms = now_ms
        for feed in self.market.values():
            feed.close_second(second, healthy_since_s=self.healthy_since_s)

    def market_view(self, direction: Direction, return_hours: float) -> MarketView:
        """Return how rare the whole market's flow is here; only feeds that show a sample are judged
        so.
        """
        feed = self.market[direction]
        ratio = 0.0
        if self.healthy and self.completeness is not Completeness.FULL and feed.root_sum > 0:
            total_usd, without_largest_usd = feed.usd()
            enough = (
                total_usd >= MARKET_FLOOR_USD
                and without_largest_usd >= MARKET_FLOOR_WITHOUT_LARGEST_USD
            )
            if enough:
                ratio = feed.root_sum / feed.past.history.level(return_hours)
        return MarketView(venue=self.name, ratio=ratio)
