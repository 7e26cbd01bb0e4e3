"""Live a batch of episodes through: the market, and a twin in which forced orders move nothing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwatch.simulator.episodes.worlds import BIN, BINS, Batch, Floats, Story, World

STEP_S = 0.25
SECONDS = 2400
STEPS = int(SECONDS / STEP_S)
SECOND_WAVE_S = (420, 600)  # after the begin others push on
TURNED_BACK = 0.6  # of the way to the cluster, when it is rejected

_PERMANENT_SHARE, _TRANSIENT_S = 0.6, 150.0  # of impact
_ON_THE_BOOK = 0.9  # of what is liquidated; the rest is an insurance fund's
_STRESS_S, _STRESS_FLOW, _STRESS_IMPACT = 15.0, 25.0, 1.4
_LEAST_DRAIN = 2e-6  # of daily volume, a step
_CONCAVE_S, _CONCAVE_FLOW, _CONCAVE_IMPACT = 60.0, 6e-4, 1.6


class Course(NamedTuple):
    """What happened, step by step: one row a step, one column an episode. Log prices in the
    direction of the story.
    """

    price: Floats
    displacement: Floats  # the market against its twin
    impulse: Floats  # pushed by the step's forced orders, before any of it decays
    outside: Floats  # moved by everybody else
    ahead_usd: Floats  # forced orders that push the story on
    behind_usd: Floats  # … and the others
    stops_usd: Floats
    stress: Floats  # of makers, 0 calm … 1 panic


def live(batch: Batch, seed: int) -> Course:
    """Live all episodes through; the same seed gives the same course."""
    rng = np.random.default_rng([seed, 2])
    count = len(batch.story)
    outside = _Outside(batch, rng)
    market, twin = _Market(batch, forced_impact=1.0), _Market(batch, forced_impact=0.0)
    course = Course(*(np.zeros((STEPS, count)) for _ in Course._fields))
    for step in range(STEPS):
        moved = outside.step(step * STEP_S)
        market.step(outside.price)
        twin.step(outside.price)
        course.price[step] = market.price
        course.displacement[step] = market.price - twin.price
        course.impulse[step] = market.impulse
        course.outside[step] = moved
        course.ahead_usd[step], course.behind_usd[step] = market.executed_usd
        course.stops_usd[step] = market.stops_usd
        course.stress[step] = market.stress
    return course


class Episode(NamedTuple):
    """One of a batch, as it was lived."""

    batch: Batch
    course: Course
    number: int

    @property
    def story(self) -> Story:
        """What happened."""
        return Story(self.batch.story[self.number])

    @property
    def sign(self) -> float:
        """+1: the story goes up."""
        return float(self.batch.sign[self.number])

    @property
    def volume_usd_day(self) -> float:
        """Of the coin."""
        return float(self.batch.volume_usd_day[self.number])


class _Outside:
    """The price as everybody else would have it."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        count = len(batch.story)
        self._batch, self._rng = batch, rng
        self.price = np.zeros(count)
        self._log_volatility = np.zeros(count)
        self._sigma = batch.volatility_day / np.sqrt(86_400 / STEP_S)
        self._arrived = np.zeros(count, dtype=bool)
        self._turned = np.zeros(count, dtype=bool)
        self._done = np.zeros(count, dtype=bool)

    def step(self, time_s: float) -> Floats:
        rng, count = self._rng, len(self.price)
        self._log_volatility += -self._log_volatility * STEP_S / 600 + 0.008 * rng.normal(
            size=count
        )
        noise = rng.normal(size=count)
        if self._batch.world is World.SHIFTED:
            noise = rng.standard_t(3, count) / np.sqrt(3)
        drift = (self._approach(time_s) + self._rejection(time_s) + self._news(time_s)) * STEP_S
        moved: Floats = drift + self._sigma * np.exp(self._log_volatility) * noise
        self.price = self.price + moved
        return moved

    def _approach(self, time_s: float) -> Floats:
        batch = self._batch
        runs = batch.is_in(
            Story.CASCADE,
            Story.OUTAGE,
            Story.ABSORBED,
            Story.GRIND,
            Story.STOP_RUN,
            Story.SECOND_WAVE,
        ) & (time_s >= batch.begin_s)
        self._arrived |= runs & (self.price >= batch.edge + batch.beyond)
        since_s = time_s - batch.begin_s
        again = (since_s >= SECOND_WAVE_S[0]) & (since_s < SECOND_WAVE_S[1])
        again &= batch.is_in(Story.SECOND_WAVE)
        return np.where(runs & ~self._arrived | again, batch.speed, 0.0)

    def _rejection(self, time_s: float) -> Floats:
        batch = self._batch
        near = batch.edge - batch.short_of
        runs = batch.is_in(Story.REJECTED, Story.REPEATED) & (time_s >= batch.begin_s)
        self._turned |= runs & (self.price >= near)
        back = self._turned & (self.price <= near - TURNED_BACK * batch.edge)
        self._done |= back & batch.is_in(Story.REJECTED)
        self._turned &= ~back
        way = np.where(self._turned, -0.7 * batch.speed, batch.speed)
        return np.where(runs & ~self._done, way, 0.0)

    def _news(self, time_s: float) -> Floats:
        batch = self._batch
        since_s = time_s - batch.begin_s
        through = batch.jump + np.where(batch.is_in(Story.NEWS_LIQUIDATIONS), batch.edge, 0.0)
        there = batch.is_in(Story.NEWS, Story.NEWS_LIQUIDATIONS, Story.SPIKE)
        there &= (since_s >= 0) & (since_s < batch.jump_s)
        back_s = since_s - batch.jump_s - 10
        back = batch.is_in(Story.SPIKE) & (back_s >= 0) & (back_s < batch.jump_s)
        return (np.where(there, through, 0.0) - np.where(back, batch.jump, 0.0)) / batch.jump_s


class _Market:
    """One course of the episodes. `forced_impact` 0 makes the twin."""

    def __init__(self, batch: Batch, *, forced_impact: float) -> None:
        count = len(batch.story)
        self._batch, self._forced_impact = batch, forced_impact
        self.price, self._mark = np.zeros(count), np.zeros(count)
        self._permanent, self._transient = np.zeros(count), np.zeros(count)
        self._farthest, self._lowest = np.zeros(count), np.zeros(count)
        self._queued = [np.zeros(count), np.zeros(count)]
        self._pressure, self._flow = np.zeros(count), np.zeros(count)
        self.stress, self.impulse, self.stops_usd = (
            np.zeros(count),
            np.zeros(count),
            np.zeros(count),
        )
        self.executed_usd = (np.zeros(count), np.zeros(count))

    def step(self, outside: Floats) -> None:
        batch = self._batch
        self.price = outside + self._permanent + self._transient
        self._mark += (self.price - self._mark) * np.minimum(1, STEP_S / batch.mark_s)
        farthest = np.maximum(self._farthest, self._mark)
        lowest = np.minimum(self._lowest, self._mark)
        self._queued[0] += _between(batch.ahead_usd, self._farthest, farthest)
        self._queued[1] += _between(batch.behind_usd, -self._lowest, -lowest)
        self.stops_usd = _between(batch.stops_usd, self._farthest, farthest)
        self._farthest, self._lowest = farthest, lowest
        ahead, behind = (self._drain(side) for side in (0, 1))
        self.executed_usd = (ahead, behind)
        self._push(ahead - behind)

    def _drain(self, side: int) -> Floats:
        queued = self._queued[side]
        least = _LEAST_DRAIN * self._batch.volume_usd_day
        done: Floats = np.minimum(queued, queued * STEP_S / self._batch.drain_s + least)
        self._queued[side] = queued - done
        return _ON_THE_BOOK * done

    def _push(self, forced_usd: Floats) -> None:
        batch = self._batch
        usual = batch.volume_usd_day / 86_400
        self.stress = np.minimum(1, np.abs(self._pressure) / (_STRESS_FLOW * usual))
        walled = np.where(self.price > batch.wall, batch.wall_impact, 1.0)
        impact = batch.impact_per_usd * (1 + _STRESS_IMPACT * self.stress) * walled
        self._flow += forced_usd + self.stops_usd - self._flow * STEP_S / _CONCAVE_S
        if batch.world is World.SHIFTED:
            flow = np.abs(self._flow) / (_CONCAVE_FLOW * batch.volume_usd_day)
            impact = impact * _CONCAVE_IMPACT / np.sqrt(1 + flow)
        self.impulse = impact * forced_usd * self._forced_impact
        felt = forced_usd * self._forced_impact + self.stops_usd
        self._pressure += (felt / STEP_S - self._pressure) * STEP_S / _STRESS_S
        moved = self.impulse + impact * self.stops_usd
        self._permanent += _PERMANENT_SHARE * moved
        self._transient += (1 - _PERMANENT_SHARE) * moved - self._transient * STEP_S / _TRANSIENT_S


def _between(running_usd: Floats, low: Floats, high: Floats) -> Floats:
    """Return the USD between two places; within a bin it lies evenly."""
    return _up_to(running_usd, high) - _up_to(running_usd, low)


def _up_to(running_usd: Floats, place: Floats) -> Floats:
    position = np.clip(place / BIN, 0, BINS - 1e-3)
    number: NDArray[np.int64] = position.astype(np.int64)
    rows = np.arange(len(place))
    before = np.where(number > 0, running_usd[rows, np.maximum(number - 1, 0)], 0.0)
    reached: Floats = before + (position - number) * (running_usd[rows, number] - before)
    return reached
