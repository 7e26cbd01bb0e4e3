"""How good a map was, held against the truth: order, top decile, distance, scale.

Judged is what lies 0.25 to 10 % (log) from the price, each side by itself, in buckets of 25 bp
counted from the price outwards. So longs below and shorts above are mirror images of each other.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from operator import mul
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.simulator.map_holders import SIGN

BUCKET = 0.0025  # log price
NEAREST, FARTHEST = 1, 40  # buckets
BUCKETS = FARTHEST - NEAREST
_TOP = math.ceil(BUCKETS / 10)


class MapScore(NamedTuple):
    """One side of one map at one moment."""

    spearman: float  # 0 for a map that tells no bucket from another
    top_share: float  # of the truth in the map's top decile, over the best possible; 1 is perfect
    emd_pct: float  # earth mover's distance of the two shapes, percent of price
    ln_scale: float | None  # ln of estimated over true USD; None where nothing was estimated


def ladder(
    masses: Iterable[tuple[float, float, float]], price: float, position: Position
) -> list[float]:
    """Return USD by bucket of masses given as (low price, high price, USD); low may equal high.

    What lies across an edge is shared out by log length; what lies outside is left out.
    """
    buckets = [0.0] * BUCKETS
    sign, x = SIGN[position], math.log(price)
    lowest, highest = price * math.exp(-FARTHEST * BUCKET), price * math.exp(FARTHEST * BUCKET)
    for low, high, usd in masses:
        if high < lowest or low > highest:
            continue
        ends = sign * (x - math.log(low)) / BUCKET, sign * (x - math.log(high)) / BUCKET
        near, far = min(ends) - NEAREST, max(ends) - NEAREST
        for index in range(max(0, math.floor(near)), min(BUCKETS, math.floor(far) + 1)):
            inside = min(far, index + 1) - max(near, index)
            buckets[index] += usd * inside / (far - near) if far > near else usd
    return buckets


def judge(estimated: Sequence[float], true: Sequence[float]) -> MapScore:
    """Hold one side's ladder against the true one, which must not be empty.

    An empty estimate is judged as one that tells no bucket from another.
    """
    total = math.fsum(estimated)
    return MapScore(
        spearman=spearman(estimated, true),
        top_share=top_share(estimated, true),
        emd_pct=emd_pct(estimated if total > 0 else [1.0] * len(true), true),
        ln_scale=math.log(total / math.fsum(true)) if total > 0 else None,
    )


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the rank correlation, ties at their mean rank; 0 when one side is all ties."""
    a, b = _centred_ranks(left), _centred_ranks(right)
    spread = math.sqrt(_dot(a, a) * _dot(b, b))
    return _dot(a, b) / spread if spread else 0.0


def top_share(estimated: Sequence[float], true: Sequence[float]) -> float:
    """Return what the estimate's top decile of buckets holds of the truth, over the best decile's.

    Where ties straddle the decile, the mean over all ways to break them.
    """
    best = math.fsum(sorted(true, reverse=True)[:_TOP])
    pairs = sorted(zip(estimated, true, strict=True), reverse=True)
    captured, left = 0.0, _TOP
    for _, tied in groupby(pairs, key=lambda pair: pair[0]):
        held = [mass for _, mass in tied]
        taken = min(left, len(held))
        captured += math.fsum(held) * taken / len(held)
        left -= taken
    return captured / best


def emd_pct(left: Sequence[float], right: Sequence[float]) -> float:
    """Return how far mass must be carried to turn one shape into the other, percent of price."""
    a, b = math.fsum(left), math.fsum(right)
    gaps = accumulate(x / a - y / b for x, y in zip(left, right, strict=True))
    return 100 * BUCKET * math.fsum(map(abs, gaps))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(mul, left, right))


def _centred_ranks(values: Sequence[float]) -> list[float]:
    middle = (len(values) - 1) / 2
    ranks = [0.0] * len(values)
    order = sorted(range(len(values)), key=values.__getitem__)
    first = 0
    for _, tied in groupby(order, key=values.__getitem__):
        places = list(tied)
        for place in places:
            ranks[place] = first + (len(places) - 1) / 2 - middle
        first += len(places)
    return ranks
