"""The start rule: is this flow rare for its feed, and does price run on with it; or is it large
enough to explain the move by itself?
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from liqwatch.alerts import Direction, Severity
from liqwatch.engine.momentum import Momentum
from liqwatch.engine.rarity import ARMED_HOURS, TAIL_EXPONENT_BOUNDED, TAIL_EXPONENT_COIN

PRESET_RETURN_HOURS = {"normal": 168.0, "early": 24.0}
PRESET_FORCED_IMPACT_Z = {"normal": 3.0, "early": 2.0}
CONTINUES_HOURS = 24.0  # a running cascade goes on at flow of this rarity, if less was not enough
FLOOR_SHARE_OF_MINUTE = 0.0002
MARKET_FLOOR_USD = 50_000.0  # in 10 s; stops an empty market's first orders from being "rare"
MARKET_FLOOR_WITHOUT_LARGEST_USD = 20_000.0
WEEK_HOURS = 168.0
LEARNED_HOURS = 72.0
CONFIRMED_RATIO = 2.0  # up to twice the level many are mere bursts: runs of stop-losses
STRONG_RATIO = 4.0
STRONG_RATIO_TWO_FEEDS = 2.0
FAR_RUN_Z60, FARTHEST_RUN_Z60, FAR_RUN_POWER = 8.0, 24.0, 4  # measured on tuning seeds


class DetectionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a cascade is said to start, stall and end.

    What each default is worth was measured in simulated markets: forced flow is mostly invisible,
    so its rarity for its feed counts, and what price does meanwhile.
    """

    preset: Literal["normal", "early"] = "normal"
    """`normal` asks for flow seen once a week, `early` for flow seen once a day: sooner, and wrong
    more often.
    """

    return_hours: Annotated[float, Meta(ge=6, le=8760)] | None = None
    """How rare the forced flow must be on a feed that shows every liquidation. null: the preset's
    (168 or 24).
    """

    forced_impact_z: Annotated[float, Meta(ge=0.5, le=100)] | None = None
    """Second way to start: the move the forced orders explain, in sigmas. null: the preset's (3 or
    2).
    """

    forced_impact_z_learning: Annotated[float, Meta(ge=0.1, le=10_000)] = 0.5
    """The same as long as no feed of the coin has learned what is rare for it.

    It is the only way to start then, so less is asked; in the first six hours the less the further
    price has run: from 8 sigmas in a minute to 24 it falls with the fourth power, so at 16 a
    sixteenth is enough.
    """

    return_hours_throttled: Annotated[float, Meta(ge=1, le=8760)] = 5.0
    """The same for a feed that shows a sample; used only where no complete feed covers the coin.

    Its flow cannot grow far, so less is asked of it, and more of the price.
    """

    return_hours_market: Annotated[float, Meta(ge=6, le=8760)] = 24.0
    """The same for all coins of a sampled feed together."""

    run_on_z: Annotated[float, Meta(ge=0, le=100)] = 5.5
    """How far price must have run on since flow became rare, in sigmas of half a minute: forced
    orders that feed a move come before it.
    """

    run_on_z_throttled: Annotated[float, Meta(ge=0, le=100)] = 11.0
    """The same where only sampled feeds speak."""

    drift_z30: Annotated[float, Meta(ge=1, le=100)] = 4.0
    """How fast price must run over 30 s, in sigmas of its own volatility."""

    drift_z10: Annotated[float, Meta(ge=1, le=100)] = 3.0
    """The same over 10 s: running now, not half a minute ago."""

    new_extreme_share: Annotated[float, Meta(ge=0, le=1)] = 0.4
    """Share of the last 20 s in which price went beyond its extreme of the minute before."""

    floor_usd_30s: Annotated[float, Meta(ge=0)] = 1000.0
    """Visible forced USD in 30 s below which nothing starts, whatever its rarity."""

    stall_flow_share: Annotated[float, Meta(gt=0, lt=1)] = 0.4
    """Stalled: forced flow fell below this share of its peak …"""

    stall_quiet_s: Annotated[int, Meta(ge=1, le=120)] = 3
    """… and there was no new extreme for so long …"""

    stall_min_age_s: Annotated[int, Meta(ge=1, le=600)] = 5
    """… and the cascade has run at least so long."""

    stall_retrace: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """Stalled as well when price gave back this share of the leg."""

    resolve_after_s: Annotated[int, Meta(ge=10, le=3600)] = 90
    """A stalled cascade that does not resume in this time has ended."""

    rejoin_s: Annotated[int, Meta(ge=0, le=7200)] = 300
    """A new start in the same direction within this time of the end belongs to the same story."""

    @property
    def complete_return_hours(self) -> float:
        """Return hours in force for complete feeds."""
        return self.return_hours or PRESET_RETURN_HOURS[self.preset]

    @property
    def going_on_hours(self) -> float:
        """How rare flow must stay on a sampled feed for a cascade to go on."""
        return min(CONTINUES_HOURS, self.return_hours_throttled)

    @property
    def impact_z(self) -> float:
        """Forced-impact threshold in force."""
        return self.forced_impact_z or PRESET_FORCED_IMPACT_Z[self.preset]


class FeedView(msgspec.Struct, frozen=True):
    """One feed's flow in one direction, as the start rule sees it."""

    venue: str
    complete: bool
    healthy: bool
    armed: bool
    history_hours: float
    root_sum: float
    levels: dict[float, float]  # return hours -> root-sum
    visible_usd_30s: float
    floor_usd_30s: float

    def ratio(self, return_hours: float) -> float:
        """Return the flow over its own level; 0 when it may not speak."""
        level = self.levels.get(return_hours, 0.0)
        speaks = self.healthy and self.armed and self.visible_usd_30s >= self.floor_usd_30s
        return self.root_sum / level if speaks and level > 0 else 0.0


class MarketView(msgspec.Struct, frozen=True):
    """The flow of all coins of one venue in one direction."""

    venue: str
    ratio: float  # over its level; 0 below the floors or when unhealthy


class FlowView(msgspec.Struct, frozen=True):
    """Everything the start rule looks at besides the price."""

    feeds: list[FeedView]
    markets: list[MarketView]
    forced_impact_z: float  # the larger of the two below
    raw_impact_z: float  # of what is visible
    scaled_impact_z: float | None  # of complete feeds, scaled to all open interest
    impact_z_asked: float  # forced-impact z that starts a cascade
    visible_usd_30s: float


class Rarity(msgspec.Struct, frozen=True):
    """How rare the forced flow of one second is, by the feeds that may judge it."""

    path: Literal["rarity", "backup"]
    ratio: float  # flow over the level it was held against
    return_hours: float
    venues: list[str]
    tier: Literal["burst", "confirmed", "strong"] = "burst"

    def run_on_z(self, settings: DetectionSettings) -> float:
        """Return how far price must have run on."""
        return settings.run_on_z if self.path == "rarity" else settings.run_on_z_throttled


class Start(msgspec.Struct, frozen=True):
    """The start rule holds: by which path, how strongly, how loudly to say it."""

    path: Literal["rarity", "absolute", "backup"]
    tier: Literal["burst", "confirmed", "strong"]
    severity: Severity
    venues: list[str]
    ratio: float  # flow over the level it was held against
    return_hours: float | None
    run_on_z: float | None = None  # of price, since flow became rare
    run_on_z_asked: float | None = None


def impact_z_asked(feeds: Sequence[FeedView], run_z60: float, settings: DetectionSettings) -> float:
    """Return the forced-impact z that starts a cascade, by how far price has run in a minute.

    How much of the forced flow is seen nobody knows; until a feed has learned how rare it is, the
    run has to stand in for what is not seen. A feed that still shows hardly anything after hours
    never learns: there a run stands in for nothing.
    """
    healthy = [feed for feed in feeds if feed.healthy]
    if any(feed.armed for feed in healthy):
        return settings.impact_z
    asked = settings.forced_impact_z_learning
    if any(feed.history_hours >= ARMED_HOURS for feed in healthy):
        return asked
    run = min(max(run_z60, FAR_RUN_Z60), FARTHEST_RUN_Z60)
    return asked * float((FAR_RUN_Z60 / run) ** FAR_RUN_POWER)


def price_leg(momentum: Momentum, direction: Direction, settings: DetectionSettings) -> bool:
    """Return whether price runs now, and makes new extremes, the way the forced orders push."""
    sign = direction.sign
    return (
        momentum.z(30) * sign >= settings.drift_z30
        and momentum.z(10) * sign >= settings.drift_z10
        and momentum.new_extreme_share(sign) >= settings.new_extreme_share
    )


def find_rarity(flow: FlowView, settings: DetectionSettings) -> Rarity | None:
    """Return how rare flow is: complete feeds lead, the others back up."""
    covering = [feed for feed in flow.feeds if feed.complete and feed.healthy and feed.armed]
    found = _of_complete_feeds(covering, settings) if covering else _of_the_others(flow, settings)
    return found if found.ratio > 0 else None


def _of_complete_feeds(feeds: list[FeedView], settings: DetectionSettings) -> Rarity:
    hours = settings.complete_return_hours
    ratios = {feed.venue: feed.ratio(hours) for feed in feeds}
    learned = [feed.ratio(WEEK_HOURS) for feed in feeds if feed.history_hours >= LEARNED_HOURS]
    twice = sum(ratio >= STRONG_RATIO_TWO_FEEDS for ratio in learned) >= 2
    tier: Literal["burst", "confirmed", "strong"] = "burst"
    if twice or any(ratio >= STRONG_RATIO for ratio in learned):
        tier = "strong"
    elif any(ratio >= CONFIRMED_RATIO for ratio in learned):
        tier = "confirmed"
    best = max(ratios.values())
    rare = [venue for venue, ratio in ratios.items() if ratio >= min(1.0, best)]
    return Rarity("rarity", best, hours, rare, tier)


def _of_the_others(flow: FlowView, settings: DetectionSettings) -> Rarity:
    hours = settings.return_hours_throttled
    feeds = {feed.venue: feed.ratio(hours) for feed in flow.feeds if not feed.complete}
    markets = {market.venue: market.ratio for market in flow.markets}
    of_feeds, of_markets = (max(each.values(), default=0.0) for each in (feeds, markets))
    if of_markets > of_feeds and of_feeds < 1:
        feeds, hours = markets, settings.return_hours_market
    best = max(of_feeds, 0.0) if feeds is not markets else of_markets
    rare = [venue for venue, ratio in feeds.items() if ratio >= min(1.0, best)]
    return Rarity("backup", best, hours, rare)


def find_start(
    flow: FlowView,
    rare: Rarity | None,
    run_on_z: float,
    momentum: Momentum,
    direction: Direction,
    settings: DetectionSettings,
) -> Start | None:
    """Apply the start rule: flow was rare just now (`rare`) and price has run on so far since it
    began, or flow explains the move by itself.
    """
    if flow.visible_usd_30s < settings.floor_usd_30s or not price_leg(
        momentum, direction, settings
    ):
        return None
    if rare is not None and run_on_z >= rare.run_on_z(settings):
        return Start(
            path=rare.path,
            tier=rare.tier,
            severity=Severity.CRITICAL if rare.tier == "strong" else Severity.WARNING,
            venues=rare.venues,
            ratio=rare.ratio,
            return_hours=rare.return_hours,
            run_on_z=run_on_z,
            run_on_z_asked=rare.run_on_z(settings),
        )
    if flow.forced_impact_z >= flow.impact_z_asked and any(feed.healthy for feed in flow.feeds):
        return Start(
            path="absolute",
            tier="burst",
            severity=Severity.WARNING,
            venues=[feed.venue for feed in flow.feeds if feed.healthy and feed.visible_usd_30s > 0],
            ratio=flow.forced_impact_z / flow.impact_z_asked,
            return_hours=None,
        )
    return None


def continues(flow: FlowView, settings: DetectionSettings) -> bool:
    """Return whether flow is still rare at 24 h (or what was asked for, if that is less) on a
    healthy feed, or still explains the move.
    """
    complete = [feed for feed in flow.feeds if feed.complete and feed.healthy and feed.armed]
    hours = CONTINUES_HOURS if complete else settings.going_on_hours
    return flow.forced_impact_z >= flow.impact_z_asked or any(
        feed.ratio(hours) >= 1 for feed in complete or flow.feeds
    )


def tail_exponent(*, complete: bool) -> float:
    """Return how levels grow beyond the history of one coin's feed."""
    return TAIL_EXPONENT_COIN if complete else TAIL_EXPONENT_BOUNDED
