"""What each episode is made of, drawn from a seed: the coin, the clusters, what happens to it.

Places are log distances from the first price in the direction of the story; whether that is up or
down is drawn as well.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS, BIN = 1600, 1e-4  # of the mass ahead and behind, log price
USUAL_VOLATILITY = 0.022  # a day; places scale with it
BTC_VOLUME_USD = 15e9  # a day


class World(StrEnum):
    """How the market answers to forced orders."""

    STRONG = "strong"  # clusters feed themselves: K of 0.9 to 2.2
    WEAK = "weak"  # K of 0.3 to 1
    SHIFTED = "shifted"  # strong, but impact concave in the flow and noise fat-tailed


class Story(IntEnum):
    """What happens."""

    CASCADE = 0
    OUTAGE = 1  # a cascade during which the complete feed is silent for 20 s
    REJECTED = 2
    REPEATED = 3  # rejected again and again
    ABSORBED = 4  # a wall stands behind the cluster's edge
    GRIND = 5
    NEWS = 6
    NEWS_LIQUIDATIONS = 7  # news that also liquidates, without feeding itself
    SPIKE = 8
    STOP_RUN = 9  # stop-losses, and few liquidations
    SECOND_WAVE = 10
    QUIET = 11


class Batch(NamedTuple):
    """So many episodes side by side: arrays of one value an episode, masses of one row each."""

    world: World
    story: NDArray[np.int64]
    sign: Floats  # +1: the story goes up, and shorts are liquidated
    volatility_day: Floats
    volume_usd_day: Floats
    impact_per_usd: Floats  # log price
    mark_s: Floats  # the mark price follows with this time constant
    drain_s: Floats  # liquidations are worked off with this one
    edge: Floats  # where the cluster begins
    beyond: Floats  # how far other traders push the price into it
    short_of: Floats  # … or how far before it they turn
    wall: Floats
    wall_impact: Floats
    begin_s: Floats
    speed: Floats  # of the approach, log price a second
    jump: Floats  # of news
    jump_s: Floats
    ahead_usd: Floats  # liquidated up to each bin, running sum
    behind_usd: Floats
    stops_usd: Floats

    def is_in(self, *stories: Story) -> NDArray[np.bool_]:
        """Say which episodes tell one of these stories."""
        return np.isin(self.story, stories)


def draw(seed: int, count: int, world: World) -> Batch:
    """Draw episodes, every story equally often."""
    rng = np.random.default_rng([seed, 1])
    story = np.arange(count) % len(Story)
    volatility = _log_uniform(rng, 0.015, 0.04, count)
    volume = _log_uniform(rng, BTC_VOLUME_USD / 100, BTC_VOLUME_USD, count)
    unit = volatility / USUAL_VOLATILITY * 1e-4  # a basis point of a usual market
    # Square-root impact of a metaorder of 0.3 % of daily volume (arXiv 1412.4503), made linear.
    impact = volatility / (volume * np.sqrt(0.003)) * np.exp(rng.normal(0, 0.5, count))
    edge = rng.uniform(25, 80, count) * unit
    width = rng.uniform(30, 120, count) * unit
    width[story == Story.GRIND] *= 3
    strength = _strength(rng, story, world)
    ahead, behind, stops = _masses(rng, story, edge, width, strength, unit)
    return Batch(
        world=world,
        story=story,
        sign=rng.choice([1.0, -1.0], count),
        volatility_day=volatility,
        volume_usd_day=volume,
        impact_per_usd=impact,
        mark_s=rng.uniform(1, 6, count),
        drain_s=_log_uniform(rng, 2, 40, count),
        edge=edge,
        beyond=np.where(story == Story.GRIND, width, rng.uniform(3, 15, count) * unit),
        short_of=rng.uniform(3, 10, count) * unit,
        wall=np.where(story == Story.ABSORBED, edge + rng.uniform(2, 8, count) * unit, np.inf),
        wall_impact=rng.uniform(0.08, 0.2, count),
        begin_s=rng.uniform(1000, 1400, count),
        speed=unit
        * np.where(
            story == Story.GRIND, rng.uniform(0.12, 0.3, count), rng.uniform(0.4, 1.4, count)
        ),
        jump=rng.uniform(5, 15, count) * volatility / np.sqrt(1440),
        jump_s=rng.uniform(2, 25, count),
        ahead_usd=np.cumsum(ahead / impact[:, None], axis=1),
        behind_usd=np.cumsum(behind / impact[:, None], axis=1),
        stops_usd=np.cumsum(stops / impact[:, None], axis=1),
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float, count: int) -> Floats:
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def _strength(rng: np.random.Generator, story: NDArray[np.int64], world: World) -> Floats:
    """Draw K of the cluster: log price moved by what is liquidated in one unit of log price."""
    low, high = (0.3, 1.0) if world is World.WEAK else (0.9, 2.2)
    strength = rng.uniform(low, high, len(story))
    for one, (low, high) in {
        Story.NEWS: (0.0, 0.0),
        Story.SPIKE: (0.0, 0.0),
        Story.QUIET: (0.0, 0.0),
        Story.NEWS_LIQUIDATIONS: (0.05, 0.4),
        Story.STOP_RUN: (0.05, 0.25),
        Story.GRIND: (0.3, 0.8),
    }.items():
        strength = np.where(story == one, rng.uniform(low, high, len(story)), strength)
    return strength


def _masses(
    rng: np.random.Generator,
    story: NDArray[np.int64],
    edge: Floats,
    width: Floats,
    strength: Floats,
    unit: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Draw what lies in each bin ahead, behind, and as stop-losses ahead, in units of impact."""
    count = len(story)
    middles = (np.arange(BINS) + 0.5) * BIN

    def within(low: Floats, wide: Floats) -> NDArray[np.bool_]:
        return (middles >= low[:, None]) & (middles < (low + wide)[:, None])

    thin = rng.uniform(0.02, 0.1, count)[:, None]
    waves = story == Story.SECOND_WAVE
    drawn = np.isin(story, (Story.CASCADE, Story.OUTAGE)) & (rng.random(count) < 0.5)
    gap = np.where(waves, rng.uniform(25, 60, count), rng.uniform(5, 40, count)) * unit
    second = np.where(waves | drawn, strength * rng.uniform(0.5, 1.0, count), 0.0)[:, None]
    further = within(edge + width + gap, rng.uniform(20, 80, count) * unit)
    cluster = within(edge, width)
    ahead = (thin + strength[:, None] * cluster + second * further) * _uneven(rng, count)
    stops = ahead * rng.uniform(0.05, 0.3, count)[:, None]
    run = cluster * rng.uniform(0.5, 1.1, count)[:, None]
    stops = np.where((story == Story.STOP_RUN)[:, None], run, stops)
    return ahead * BIN, thin * _uneven(rng, count) * BIN, stops * BIN


def _uneven(rng: np.random.Generator, count: int) -> Floats:
    return np.exp(rng.normal(-0.18, 0.6, (count, BINS)))
