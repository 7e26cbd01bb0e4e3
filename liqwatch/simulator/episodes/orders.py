"""Forced orders one by one, as venues print them: sizes, ordinary background, what a feed shows.

Sizes are log-normal with a median near 900 USD and a mean near 8,000 for a coin like BTC, and
orders come in clusters and bursts all day long (`science-visible-share`, section 7).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwatch.simulator.episodes.worlds import BTC_VOLUME_USD, Floats

_MEAN_USD, _LOG_SD = 8_000.0, 2.1
_CLUSTERS_PER_HOUR, _CLUSTER_GEOMETRIC, _CLUSTER_S = 29.4, 0.35, 4.0  # 84 orders an hour
_BURSTS_PER_DAY, _BURST_MEDIAN, _BURST_LOG_SD, _BURST_S = 8.0, 40.0, 1.2, (10.0, 90.0)
HOUR_S = 3600


class Orders(NamedTuple):
    """Forced orders of one side: seconds since the first, and USD."""

    time_s: Floats
    usd: Floats

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Orders":
        """Return those that are chosen, by mask or by index."""
        return Orders(self.time_s[chosen], self.usd[chosen])


def liquidity(volume_usd_day: float) -> float:
    """Return how large orders are against those of BTC."""
    return float(np.sqrt(volume_usd_day / BTC_VOLUME_USD))


def split(executed_usd: Floats, step_s: float, size: float, rng: np.random.Generator) -> Orders:
    """Split what was executed in each step into single orders."""
    running = np.cumsum(executed_usd)
    total = float(running[-1])
    usd = _sizes(rng, int(1.5 * total / (_MEAN_USD * size)) + 100, size)
    while usd.sum() < total:
        usd = np.concatenate([usd, usd])
    reached = np.cumsum(usd)
    last = int(np.searchsorted(reached, total))
    usd, reached = usd[: last + 1], np.minimum(reached[: last + 1], total)
    usd[-1:] -= usd.sum() - total  # closes what is left
    steps = np.minimum(np.searchsorted(running, reached), len(running) - 1)
    return Orders((steps + rng.random(len(usd))) * step_s, usd)


def background(seconds: float, size: float, rng: np.random.Generator) -> Orders:
    """Return the ordinary forced orders of one side over so long."""
    clusters = rng.poisson(_CLUSTERS_PER_HOUR * seconds / HOUR_S)
    orders = rng.geometric(_CLUSTER_GEOMETRIC, clusters)
    calm = np.repeat(rng.uniform(0, seconds, clusters), orders)
    calm += rng.exponential(_CLUSTER_S, len(calm))
    bursts = rng.poisson(_BURSTS_PER_DAY * seconds / (24 * HOUR_S))
    orders = rng.lognormal(np.log(_BURST_MEDIAN), _BURST_LOG_SD, bursts).astype(np.int64) + 3
    wild = np.repeat(rng.uniform(0, seconds, bursts), orders)
    wild += rng.random(len(wild)) * np.repeat(rng.uniform(*_BURST_S, bursts), orders)
    time_s = np.concatenate([calm, wild])
    time_s = time_s[time_s < seconds]
    return Orders(time_s, _sizes(rng, len(time_s), size))


def throttle(orders: Orders) -> Orders:
    """Return what a feed shows that tells only the latest order of each second."""
    by_time = orders.only(np.argsort(orders.time_s, kind="stable"))
    second = by_time.time_s.astype(np.int64)
    return by_time.only(np.nonzero(np.diff(second, append=-1))[0])


def roots(orders: Orders, seconds: int) -> Floats:
    """Return the root of the USD of each second."""
    cells = np.bincount(orders.time_s.astype(np.int64), orders.usd, minlength=seconds)[:seconds]
    return np.sqrt(cells)


def root_sums(roots: Floats, window_s: int) -> Floats:
    """Return the root-sum over the window at the end of each second."""
    return np.convolve(roots, np.ones(window_s))[: len(roots)]


def block_maxima(orders: Orders, seconds: int, window_s: int, block_s: int) -> list[float]:
    """Return the largest root-sum over the window in each block: a feed's history."""
    sums = root_sums(roots(orders, seconds), window_s)
    maxima: list[float] = sums.reshape(-1, block_s).max(axis=1).tolist()
    return maxima


def _sizes(rng: np.random.Generator, count: int, size: float) -> Floats:
    return rng.lognormal(np.log(_MEAN_USD * size) - _LOG_SD**2 / 2, _LOG_SD, count)
