"""A batch of episodes, every method on each at every visibility."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from liqwatch.alerts import Alert
from liqwatch.engine.start import DetectionSettings
from liqwatch.simulator.episodes.course import STEP_S, Episode, live
from liqwatch.simulator.episodes.feeds import (
    ONE_LOST,
    SEVERAL,
    THROTTLED,
    Shown,
    Visibility,
    complete,
    events,
    forced_orders,
    show,
)
from liqwatch.simulator.episodes.legs import prices, truth
from liqwatch.simulator.episodes.rivals import PLAIN_RIVALS, Rival, see, starts
from liqwatch.simulator.episodes.river_rivals import RIVER_RIVALS
from liqwatch.simulator.episodes.tables import f1
from liqwatch.simulator.episodes.trial import Result, judge, watch
from liqwatch.simulator.episodes.worlds import World, draw
from liqwatch.simulator.truth import Truth

VISIBILITIES = (*map(complete, (1.0, 0.1, 0.01)), SEVERAL, ONE_LOST, THROTTLED)
RIVALS = (*PLAIN_RIVALS, *RIVER_RIVALS)
PRODUCT = "liqwatch"
PRODUCTS: Mapping[str, DetectionSettings] = {PRODUCT: DetectionSettings()}
ABLATIONS: Mapping[str, DetectionSettings] = {
    "its rarity path alone": DetectionSettings(
        forced_impact_z=100, forced_impact_z_learning=10_000
    ),
    "its forced-impact path alone": DetectionSettings(run_on_z=100, run_on_z_throttled=100),
    "without the run-on": DetectionSettings(run_on_z=0, run_on_z_throttled=0),
    "preset early": DetectionSettings(preset="early"),
}
STEPS_PER_SECOND = int(1 / STEP_S)


class Plan(NamedTuple):
    """A batch to run: so many episodes of a world from a seed, feeds with so much history."""

    seed: int
    episodes: int
    world: World
    hours: int
    visibilities: tuple[Visibility, ...] = VISIBILITIES
    thresholds: Mapping[tuple[str, str], float] | None = None  # of rivals; None: try all of them
    products: Mapping[str, DetectionSettings] = PRODUCTS


class Stage(NamedTuple):
    """One episode, as it is seen, and what really happened."""

    episode: Episode
    visibility: Visibility
    shown: Shown
    truth: Truth


class Tried(NamedTuple):
    """A result of a rival at one of its thresholds."""

    threshold: float
    result: Result


def run(plan: Plan) -> tuple[list[Result], list[Tried]]:
    """Run the batch; the product's results are left out while thresholds are being tried."""
    batch = draw(plan.seed, plan.episodes, plan.world)
    course = live(batch, plan.seed)
    results: list[Result] = []
    tried: list[Tried] = []
    for number in range(plan.episodes):
        episode = Episode(batch, course, number)
        facts = truth(episode, plan.seed)
        rng = np.random.default_rng([plan.seed, 3, number])
        orders = forced_orders(episode, rng)
        for visibility in plan.visibilities:
            stage = Stage(episode, visibility, show(orders, visibility, rng), facts)
            if plan.thresholds is not None:
                results += (_product(plan, stage, name) for name in plan.products)
            for rival in RIVALS:
                tried += _rival(plan, rival, stage)
    return results, tried


def best(tried: Sequence[Tried]) -> dict[tuple[str, str], float]:
    """Return the threshold with the best F1 of each rival at each visibility."""
    grouped: dict[tuple[str, str], dict[float, list[Result]]] = {}
    for threshold, result in tried:
        key = (result.method, result.visibility)
        grouped.setdefault(key, {}).setdefault(threshold, []).append(result)
    return {
        key: max(own, key=lambda threshold: (f1(own[threshold]), -threshold))
        for key, own in grouped.items()
    }


def _product(plan: Plan, stage: Stage, name: str) -> Result:
    rng = np.random.default_rng([plan.seed, 4, stage.episode.number])
    alerts = watch(
        events(stage.episode, stage.visibility, stage.shown, stage.truth, rng),
        stage.visibility,
        hours=plan.hours,
        volume_usd_day=stage.episode.volume_usd_day,
        detection=plan.products[name],
        rng=rng,
    )
    return _judged(alerts, stage, name)


def _rival(plan: Plan, rival: Rival, stage: Stage) -> Iterator[Tried]:
    told = prices(stage.episode)[STEPS_PER_SECOND - 1 :: STEPS_PER_SECOND]
    sides = [
        (direction, rival.listen(seen))
        for direction, seen in see(stage.shown, told, stage.episode.volume_usd_day)
    ]
    chosen = rival.thresholds
    if plan.thresholds is not None:
        chosen = (plan.thresholds[rival.name, stage.visibility.name],)
    for threshold in chosen:
        alerts = [one for side, speaks in sides for one in starts(side, speaks(threshold))]
        yield Tried(threshold, _judged(alerts, stage, rival.name))


def _judged(alerts: Sequence[Alert | Mapping[str, Any]], stage: Stage, method: str) -> Result:
    return judge(
        alerts,
        stage.truth,
        method=method,
        visibility=stage.visibility,
        episode=stage.episode.number,
    )
