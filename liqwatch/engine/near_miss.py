"""How near a start was that was not called: each second's numbers against the limits of the start
rule, and of every five minutes the nearest.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.momentum import Momentum
from liqwatch.engine.start import DetectionSettings, FeedView, FlowView

BLOCK_MS = 300_000
MOST = 64  # of one coin, the newest
WORTH = 0.5  # nearness below which nobody would have expected an alert


class Condition(NamedTuple):
    """A number that must reach its limit; called as in the evidence of an alert."""

    name: str
    value: float
    limit: float

    @property
    def share(self) -> float:
        """How much of the limit was reached, 1 at most."""
        if self.value >= self.limit:
            return 1.0
        return max(0.0, self.value / self.limit) if self.limit > 0 else 0.0


class Path(NamedTuple):
    """One way in which a start is called: when every condition of both legs holds."""

    name: Literal["rarity", "absolute", "backup"]
    venue: str | None  # whose flow is held against its own history; None: the flow of all together
    return_hours: float | None
    price: tuple[Condition, ...]
    flow: tuple[Condition, ...]

    @property
    def nearness(self) -> float:
        """How much of the way was gone, from 0 to 1: half of it is price, half forced flow.

        Each leg is as near as the condition that it is furthest from. So a price that runs without
        forced flow, and rare flow without a run, are both half of the way.
        """
        legs = (min(one.share for one in leg) for leg in (self.price, self.flow))
        return sum(legs) / 2


class Miss(msgspec.Struct, frozen=True, array_like=True):
    """A second in which no start was called, by the path that was nearest to one.

    `learning` holds the venues that have not been heard for long enough to call their flow rare,
    with the hours that they have.
    """

    time_ms: int
    direction: Direction
    path: Path
    nearness: float
    deaf: tuple[str, ...]
    learning: dict[str, float]


def paths(
    flow: FlowView,
    run_on_z: float,
    momentum: Momentum,
    direction: Direction,
    settings: DetectionSettings,
) -> Iterator[Path]:
    """List what `find_start` asks for, path by path: one of them holds whenever it finds one."""
    sign = direction.sign
    leg = (
        Condition("drift_z", momentum.z(30) * sign, settings.drift_z30),
        Condition("drift_z_10s", momentum.z(10) * sign, settings.drift_z10),
        Condition(
            "new_extreme_share", momentum.new_extreme_share(sign), settings.new_extreme_share
        ),
    )
    ran_on = (*leg, Condition("run_on_z", run_on_z, settings.run_on_z))
    ran_far = (*leg, Condition("run_on_z", run_on_z, settings.run_on_z_throttled))
    shown = Condition("forced_usd_30s", flow.visible_usd_30s, settings.floor_usd_30s)
    speaking = [feed for feed in flow.feeds if feed.healthy and feed.armed]
    complete = [feed for feed in speaking if feed.complete]
    for feed in complete:
        hours = settings.complete_return_hours
        yield Path("rarity", feed.venue, hours, ran_on, _rare(feed, hours))
    for feed in () if complete else speaking:
        hours = settings.return_hours_throttled
        yield Path("backup", feed.venue, hours, ran_far, _rare(feed, hours))
    explained = Condition("forced_impact_z", flow.forced_impact_z, flow.impact_z_asked)
    deaf = () if any(feed.healthy for feed in flow.feeds) else (Condition("feeds_heard", 0.0, 1.0),)
    yield Path("absolute", None, None, leg, (shown, explained, *deaf))
    for market in () if complete else flow.markets:
        rare = Condition("rarity_ratio", market.ratio, 1.0)
        yield Path("backup", market.venue, settings.return_hours_market, ran_far, (shown, rare))


def _rare(feed: FeedView, return_hours: float) -> tuple[Condition, ...]:
    level = feed.levels.get(return_hours, 0.0)
    return (
        Condition("forced_usd_30s", feed.visible_usd_30s, feed.floor_usd_30s),
        Condition("rarity_ratio", feed.root_sum / level if level > 0 else 0.0, 1.0),
    )


def nearest_miss(
    flow: FlowView,
    run_on_z: float,
    momentum: Momentum,
    direction: Direction,
    settings: DetectionSettings,
    now_ms: int,
) -> Miss | None:
    """Return how near a start was in a second; None where it was too far to speak of."""
    best = max(paths(flow, run_on_z, momentum, direction, settings), key=lambda path: path.nearness)
    nearness = best.nearness
    if nearness < WORTH:
        return None
    return Miss(
        time_ms=now_ms,
        direction=direction,
        path=best,
        nearness=nearness,
        deaf=tuple(feed.venue for feed in flow.feeds if not feed.healthy),
        learning={
            feed.venue: feed.history_hours for feed in flow.feeds if feed.healthy and not feed.armed
        },
    )


def note(misses: list[Miss], miss: Miss) -> None:
    """Remember a miss, unless one of the same five minutes and direction was as near."""
    block = miss.time_ms // BLOCK_MS
    for at in range(max(0, len(misses) - 2), len(misses)):
        other = misses[at]
        if other.direction is miss.direction and other.time_ms // BLOCK_MS == block:
            if other.nearness >= miss.nearness:
                return
            del misses[at]
            break
    misses.append(miss)
    del misses[:-MOST]
