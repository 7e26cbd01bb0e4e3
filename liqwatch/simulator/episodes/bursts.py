"""How each burst of forced orders really ended, judged on the full course.

A burst is a stretch in which forced orders of one side came so thick that in an ordinary book those
of any minute would carry price by half of what makes a cascade; it counts from its first twentieth
to its last. Its leg runs from where price stood lowest in the minute before to the farthest it came
until half a minute after. A person who followed it says afterwards:

- *rejected*: within two minutes of the burst's end price gave back more than half of the leg.
- *absorbed*: no such thing, and somebody took the orders: of what they would have carried price in
  an ordinary book, two fifths came at the end with a third of that effect or less.
- *exhausted*: neither. The orders moved price as long as there were any.

Nobody is blamed for either word where 40 to 60 % was given back, or 20 to 40 % taken.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from liqwatch.alerts import Direction, Outcome
from liqwatch.simulator.episodes.course import STEP_S, STEPS, Episode
from liqwatch.simulator.episodes.legs import START_MS
from liqwatch.simulator.episodes.worlds import USUAL_VOLATILITY, Floats
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.truth import MINOR_LEG

GIVEN_BACK, GIVEN_BACK_MARGIN = 0.6, 0.4
TAKEN, TAKEN_MARGIN = 0.4, 0.2
EFFECT = 1 / 3
_MINUTE, _HALF, _AFTER = (int(seconds / STEP_S) for seconds in (60, 30, 120))


class Burst(NamedTuple):
    """One burst; `outcome` None: nobody is blamed for what he says of it."""

    direction: Direction
    begin_ms: int
    end_ms: int
    outcome: Outcome | None


def bursts(episode: Episode) -> Iterator[Burst]:
    """Yield the bursts of an episode, those of either side in order of time."""
    batch, course, number = episode
    usd = course.ahead_usd[:, number] - course.behind_usd[:, number]
    carried = episode.sign * np.cumsum(usd) * batch.impact_per_usd[number]
    price = episode.sign * course.price[:, number]
    enough = MINOR_LEG * float(batch.volatility_day[number]) / USUAL_VOLATILITY
    for direction in Direction:
        ends = [*_spans(direction.sign * carried, enough), (STEPS, STEPS)]
        for (begin, end), (following, _) in pairwise(ends):
            if end + _AFTER < STEPS:
                yield Burst(
                    direction=direction,
                    begin_ms=START_MS + begin * STEP_MS,
                    end_ms=START_MS + end * STEP_MS,
                    outcome=_judge(
                        direction.sign * price, direction.sign * carried, begin, end, following
                    ),
                )


def _spans(carried: Floats, enough: float) -> list[tuple[int, int]]:
    """Return first and last step of each stretch."""
    before = np.concatenate([np.full(_MINUTE, carried[0]), carried[:-_MINUTE]])
    thick = np.diff((carried - before >= enough).astype(int), prepend=0, append=0)
    spans = []
    for first, last in zip(
        np.nonzero(thick > 0)[0].tolist(), np.nonzero(thick < 0)[0].tolist(), strict=True
    ):
        begin = max(0, first - _MINUTE)
        gone = (carried[begin:last] - carried[begin]) / (carried[last - 1] - carried[begin])
        edges = np.searchsorted(np.maximum.accumulate(gone), (0.05, 0.95))
        spans.append((begin + int(edges[0]), begin + int(edges[1])))
    return spans


def _judge(price: Floats, carried: Floats, begin: int, end: int, following: int) -> Outcome | None:
    start = max(0, begin - _MINUTE)
    far = start + int(price[start : end + _HALF].argmax())
    leg = price[far] - price[start : far + 1].min()
    back = (price[far] - price[far : min(end + _AFTER, following)].min(initial=price[far])) / leg
    if back > GIVEN_BACK:
        return Outcome.REJECTED
    if back > GIVEN_BACK_MARGIN:
        return None
    taken = _taken(price[start : end + 1], carried[start : end + 1])
    if taken > TAKEN:
        return Outcome.ABSORBED
    return None if taken > TAKEN_MARGIN else Outcome.EXHAUSTED


def _taken(price: Floats, carried: Floats) -> float:
    """Return the share of the burst that came at its end to so little effect."""
    reached = np.maximum.accumulate(price)
    to_come = carried[-1] - carried
    in_vain = reached[-1] - reached <= EFFECT * to_come
    return float(to_come[in_vain].max(initial=0.0) / (carried[-1] - carried[0]))
