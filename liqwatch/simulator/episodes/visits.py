"""What reaching a price really did to the move, judged on the full course beside its twin.

Distances are in sigmas: of the coin's own five-minute move, its volatility of the day as it was
drawn. A visit begins when price, having been 2 sigmas away, comes within 0.75 of the level or
through it, and ends when price is back 2.5 sigmas on the side it came from, at most five minutes
later. A person who watches the level then says:

- *accelerated*: from there the move went on faster than it had come. Half a minute of it carried
  price 2 sigmas (six times what chance does in that time), and 1.5 sigmas more than the half minute
  before; or liquidations pushed price on by as much as makes a cascade, which only the twin can
  tell.
- *reversed*: no such thing, and price turned back by 2.5 sigmas.
- *faded*: neither. Price was there, or through it, and stayed within 2.5 sigmas.

Nobody is blamed for either word in between: a half minute of 1.2 to 2 sigmas that is 0.5 to 1.5
faster, a forced move that is half a cascade; price back by 1.5 to 2.5 sigmas; price that passed on
as slowly as it had come; what comes in the minute and a half after the visit; a visit that
never came nearer than half a sigma.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from liqwatch.alerts import Direction, Verdict
from liqwatch.simulator.episodes.course import STEP_S, STEPS, Episode
from liqwatch.simulator.episodes.legs import START_MS
from liqwatch.simulator.episodes.worlds import USUAL_VOLATILITY, Floats
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.truth import LEG, MINOR_LEG

AWAY, NEAR, NEAR_MARGIN, BACK, BACK_MARGIN, STAYED = 2.0, 0.75, 0.5, 2.5, 1.5, 2.5
RUN, RUN_MARGIN = 2.0, 1.2  # of half a minute
FASTER, FASTER_MARGIN = 1.5, 0.5  # than the half minute before
JUDGED_S, MARGIN_S, RUN_S = 300, 90, 30
FIRST_S = 600  # before that nobody knows the coin's volatility
_DAY_S = 86_400


class Visit(NamedTuple):
    """Price reached a level; `verdict` None: nobody is blamed for what he says of it."""

    level: float  # the price
    direction: Direction  # in which it was reached
    reached_ms: int
    verdict: Verdict | None


def visits(episode: Episode, level: float, place: float) -> Iterator[Visit]:
    """Yield every visit to a level that can be judged, `place` its log distance from the first
    price, upwards.
    """
    batch, course, number = episode
    volatility = float(batch.volatility_day[number])
    sigma = volatility * np.sqrt(JUDGED_S / _DAY_S)
    unit = volatility / USUAL_VOLATILITY / sigma
    above = (episode.sign * course.price[:, number] - place) / sigma
    pushed = episode.sign * course.displacement[:, number] / sigma
    for sign, first in _reached(above):
        last = first + _steps(JUDGED_S + MARGIN_S)
        if first >= _steps(FIRST_S) and last < STEPS:
            window = slice(first - _steps(RUN_S), last)
            seen = _Seen(sign * above[window], sign * pushed[window], LEG * unit, MINOR_LEG * unit)
            yield Visit(
                level=level,
                direction=Direction.UP if sign > 0 else Direction.DOWN,
                reached_ms=START_MS + first * STEP_MS,
                verdict=_judge(seen),
            )


def _reached(above: Floats) -> Iterator[tuple[int, int]]:
    """Yield from which side, and in which step."""
    side, step = 0, 0
    while step < len(above):
        if side == 0:
            side = int(np.sign(above[step])) * int(abs(above[step]) >= AWAY)
        elif side * above[step] <= NEAR:
            yield -side, step
            back = np.nonzero(side * above[step : step + _steps(JUDGED_S)] >= BACK)[0]
            step += int(back[0]) if len(back) else _steps(JUDGED_S)
            side = 0
        step += 1


class _Seen(NamedTuple):
    """From half a minute before it was reached to the end of the margin, in the direction of the
    move: sigmas beyond the level, and pushed by liquidations.
    """

    beyond: Floats
    pushed: Floats
    leg: float
    minor_leg: float


def _judge(seen: _Seen) -> Verdict | None:
    run = _steps(RUN_S)
    came = max(0.0, float(seen.beyond[run] - seen.beyond[0]))
    beyond, pushed = seen.beyond[run:], seen.pushed[run:] - seen.pushed[run]
    judged = _steps(JUDGED_S)
    back = np.nonzero(beyond <= -BACK)[0]
    end = int(back[0]) + 1 if len(back) else len(beyond)

    def accelerates(until: int, enough: float, faster: float, leg: float) -> bool:
        ran = beyond[run:until] - beyond[: max(0, until - run)]
        most = float(ran.max(initial=0.0))
        return bool(pushed[:until].max() >= leg or (most >= enough and most >= came + faster))

    if accelerates(min(end, judged), RUN, FASTER, seen.leg):
        return Verdict.ACCELERATED
    if accelerates(end, RUN_MARGIN, FASTER_MARGIN, seen.minor_leg):
        return None
    if beyond[:end].max() < -NEAR_MARGIN:
        return None
    if end <= judged:
        return Verdict.REVERSED
    stayed = beyond.min() > -BACK_MARGIN and beyond.max() < STAYED
    return Verdict.FADED if stayed else None


def _steps(seconds: int) -> int:
    return int(seconds / STEP_S)
