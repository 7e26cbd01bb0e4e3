"""Which part of a map a person is shown, and its buckets in the order in which price meets them."""

from math import floor, inf, log10
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.map_view import Bucket, Cluster, MapShown, MapView

SHOWN_SHARE = 0.6  # of each side's USD lies within the frame
NEAREST = 1.03  # the frame reaches at least so far, as a ratio of prices …
FARTHEST = 1.42  # … and at most so far: −30 % to +42 %


class Slice(NamedTuple):
    """One side of a bucket, as seen from the price."""

    near: float
    far: float
    usd: float


def side(view: MapView, position: Position, low: float = 0.0, high: float = inf) -> list[Slice]:
    """Return one side's buckets that lie between two prices, nearest first."""
    inside = [one for one in view.buckets if one.high > low and one.low < high]
    if position is Position.SHORT:
        return [Slice(one.low, one.high, one.short_usd) for one in inside if one.short_usd]
    return [Slice(one.high, one.low, one.long_usd) for one in reversed(inside) if one.long_usd]


def side_usd(view: MapView, position: Position) -> float:
    """Return the USD of one side as far as a frame may reach."""
    return sum(one.usd for one in side(view, position, *farthest(view)))


def farthest(view: MapView) -> tuple[float, float]:
    """Return the prices beyond which nothing is shown."""
    return view.price / FARTHEST, view.price * FARTHEST


def observed_share(view: MapView) -> float | None:
    """Return which share of the map is positions known one by one; None of an empty map."""
    total = sum(map(_total, view.buckets))
    observed = sum(one.observed_share * _total(one) for one in view.buckets)
    return observed / total if total else None


def frame(shown: MapShown) -> tuple[float, float]:
    """Return the prices between which a map is drawn.

    They hold most of either side, the clusters, the watch levels and the price path, as far as
    these are not too far away.
    """
    view = shown.map
    lowest, highest = farthest(view)
    wanted = [view.price / NEAREST, view.price * NEAREST, *shown.watch_levels]
    wanted += [edge for one in view.clusters for edge in (one.low, one.high)]
    wanted += [price for _, price in shown.price_path]
    wanted += [_reach(view, position) for position in Position]
    inside = [price for price in wanted if lowest <= price <= highest]
    return min(inside), max(inside)


def place(cluster: Cluster) -> float:
    """Return the one price that stands for a cluster."""
    return cluster.peak or (cluster.low + cluster.high) / 2


def round_step(width: float, most: int) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that divides a width into at most so many.

    >>> round_step(12_300.0, 14), round_step(0.031, 10)
    (1000.0, 0.005)
    """
    power = 10.0 ** floor(log10(width / most))
    return next(times * power for times in (1, 2, 5, 10) if width <= most * times * power)


def _reach(view: MapView, position: Position) -> float:
    """Return where most of one side has been met."""
    left = SHOWN_SHARE * side_usd(view, position)
    for one in side(view, position, *farthest(view)):
        left -= one.usd
        if left <= 0:
            return one.far
    return view.price


def _total(bucket: Bucket) -> float:
    return bucket.long_usd + bucket.short_usd
