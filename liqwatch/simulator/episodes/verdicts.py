"""What liqwatch says of levels and of how cascades ended, beside what was so."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from liqwatch.alerts import Alert, Direction, Kind, Outcome, Verdict
from liqwatch.engine import Engine
from liqwatch.engine.clusters import as_price
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.simulator.episodes.bursts import Burst, bursts
from liqwatch.simulator.episodes.course import Episode, live
from liqwatch.simulator.episodes.endings import draw_endings
from liqwatch.simulator.episodes.feeds import (
    THROTTLED,
    Told,
    Visibility,
    complete,
    events,
    forced_orders,
    history,
    show,
)
from liqwatch.simulator.episodes.legs import FIRST_PRICE, SYMBOL, truth
from liqwatch.simulator.episodes.orders import liquidity
from liqwatch.simulator.episodes.trial import PRIMED_MS
from liqwatch.simulator.episodes.visits import Visit, visits
from liqwatch.simulator.episodes.worlds import USUAL_VOLATILITY, World, draw

VISIBILITIES = (*map(complete, (1.0, 0.1, 0.01)), THROTTLED)
CONTROLS = 3  # prices without meaning that are watched beside the cluster's edge
CONTROL_BP = (15.0, 150.0)  # from the first price, of a usual market
EARLY_MS = 60_000  # a start, or the approach to a level, may be told before the truth has it


class Plan(NamedTuple):
    """A batch to run: so many episodes of a world from a seed, feeds with so much history.

    `endings`: with cascades that end in every way.
    """

    seed: int
    episodes: int
    world: World
    hours: int
    endings: bool
    visibilities: tuple[Visibility, ...] = VISIBILITIES


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, and what was said of it (None: nothing)."""

    what: Literal["edge", "control", "outcome"]  # a control is a price without meaning
    visibility: str
    episode: tuple[int, int]  # by seed and number: bounds come from drawing whole episodes
    truth: Verdict | Outcome
    said: Verdict | Outcome | None


def run(plan: Plan) -> list[Judged]:
    """Run the batch."""
    batch = (draw_endings if plan.endings else draw)(plan.seed, plan.episodes, plan.world)
    course = live(batch, plan.seed)
    episodes = (Episode(batch, course, number) for number in range(plan.episodes))
    return [one for episode in episodes for one in _each(plan, episode)]


def _each(plan: Plan, episode: Episode) -> Iterator[Judged]:
    number = episode.number
    rng = np.random.default_rng([plan.seed, 3, number])
    orders, facts = forced_orders(episode, rng), truth(episode, plan.seed)
    levels = dict(_levels(episode, np.random.default_rng([plan.seed, 5, number])))
    reached = [list(visits(episode, level, place)) for level, place in levels.items()]
    ended = list(bursts(episode))
    for visibility in plan.visibilities:
        own = np.random.default_rng([plan.seed, 4, number])
        told = events(episode, visibility, show(orders, visibility, rng), facts, own)
        alerts = _watch(told, visibility, plan.hours, episode, tuple(levels), own)
        said = (
            *_of_level(reached[0], alerts, "edge"),
            *chain(*(_of_level(control, alerts, "control") for control in reached[1:])),
            *_of_cascades(ended, alerts),
        )
        for what, is_so, word in said:
            yield Judged(
                what=what,
                visibility=visibility.name,
                episode=(plan.seed, number),
                truth=is_so,
                said=word,
            )


def _levels(episode: Episode, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield the watched prices, the cluster's edge first, and their places."""
    unit = float(episode.batch.volatility_day[episode.number]) / USUAL_VOLATILITY * 1e-4
    yield _watched(episode.sign * float(episode.batch.edge[episode.number]))
    for _ in range(CONTROLS):
        yield _watched(float(rng.choice([1, -1]) * rng.uniform(*CONTROL_BP) * unit))


def _watched(place: float) -> tuple[float, float]:
    return as_price(FIRST_PRICE * float(np.exp(place))), place


def _watch(
    told: Iterable[Told],
    visibility: Visibility,
    hours: int,
    episode: Episode,
    levels: tuple[float, ...],
    rng: np.random.Generator,
) -> list[Alert]:
    engine = Engine(
        EngineSettings(),
        watch={SYMBOL: SymbolSettings(watch_levels=levels)},
        promises={feed.venue: Promise(completeness=feed.completeness) for feed in visibility.feeds},
    )
    alerts: list[Alert] = []
    primed = False
    for event in told:
        alerts += engine.update(event)
        if not primed and event.time > PRIMED_MS:
            primed = True
            size = liquidity(episode.volume_usd_day)
            feeds = engine.state.symbols[SYMBOL].feeds
            for feed in visibility.feeds:
                for direction in Direction:
                    past = feeds[direction][feed.venue].past
                    past.history = history(feed, hours, size, rng)
    return alerts


Said = tuple[Literal["edge", "control", "outcome"], Verdict | Outcome, Verdict | Outcome | None]


def _of_level(
    known: Sequence[Visit], alerts: Sequence[Alert], what: Literal["edge", "control"]
) -> Iterator[Said]:
    """Give each visit the first verdict on the approach that it was part of."""
    left = [alert for alert in alerts if alert.kind is Kind.LEVEL_VERDICT]
    for visit in known:
        mine = [alert for alert in left if _is_of(alert, visit)]
        left = [alert for alert in left if alert not in mine[:1]]
        if visit.verdict is not None:
            yield what, visit.verdict, (mine[0].verdict or None) if mine else None


def _is_of(alert: Alert, visit: Visit) -> bool:
    began_ms = alert.time - 1000 * alert.evidence["duration_s"]
    return (
        alert.level is not None
        and alert.level.low == visit.level
        and alert.direction is visit.direction
        and began_ms - EARLY_MS <= visit.reached_ms <= alert.time
    )


def _of_cascades(known: Sequence[Burst], alerts: Sequence[Alert]) -> Iterator[Said]:
    """Give each burst the end that was told of the cascade it was part of.

    What was told of several at once is told of the last.
    """
    said: dict[int, Outcome] = {}
    opened: dict[str | None, int] = {}
    for alert in alerts:
        if alert.kind in {Kind.CASCADE_STARTED, Kind.CASCADE_RESUMED}:
            opened[alert.episode] = alert.time
        elif alert.kind is Kind.CASCADE_ENDED and alert.outcome:
            meant = [
                number
                for number, burst in enumerate(known)
                if burst.direction is alert.direction
                and burst.begin_ms <= alert.time
                and opened[alert.episode] - EARLY_MS <= burst.end_ms
            ]
            said |= dict.fromkeys(meant[-1:], alert.outcome)
    for number, burst in enumerate(known):
        if burst.outcome is not None:
            yield "outcome", burst.outcome, said.get(number)
