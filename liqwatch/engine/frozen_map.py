"""What the map named at one moment, kept small: which buckets around the price were heaviest."""

from collections.abc import Sequence
from heapq import nlargest
from itertools import accumulate, pairwise
from math import exp, floor, log, log10

import msgspec

from liqwatch.events import Position

WIDTH = 0.0025  # of a bucket, log price
REACH = 40  # buckets to each side: ten per cent
TOP = 4  # the tenth of each side that holds most


class Profile(msgspec.Struct, frozen=True):
    """USD by log-price bucket, none missing: of a ladder, or of what was traded.

    Bucket i holds prices from exp((first_key + i) bucket) to exp((first_key + i + 1) bucket).
    """

    bucket: float
    first_key: int
    usd: Sequence[float]


def bucket_key(price: float) -> int:
    """Return the bucket of a price."""
    return floor(log(price) / WIDTH)


class Heaviest(msgspec.Struct, frozen=True, gc=False):
    """The heaviest buckets on each side of the price; bit 0 is the one next to it."""

    below: int
    above: int

    def holds(self, position: Position, distance: int) -> bool:
        """Return whether the bucket at this distance, on the side that hurts, is one of them."""
        side = self.below if position is Position.LONG else self.above
        return bool(side >> (distance - 1) & 1)


class FrozenMap(msgspec.Struct, frozen=True):
    """A map as it stood, and beside it the two that know nothing of positions."""

    time_ms: int
    key: int  # of the bucket the price was in
    levels: Heaviest
    round_numbers: Heaviest
    traded: Heaviest | None

    def distance(self, position: Position, price: float) -> int | None:
        """Return how many buckets the price had to go to get there.

        None if it was there already, or on the side that does not hurt, or beyond ten per cent.
        """
        key = bucket_key(price)
        distance = self.key - key if position is Position.LONG else key - self.key
        return distance if 1 <= distance <= REACH else None


def freeze(
    time_ms: int, price: float, *, longs: Profile, shorts: Profile, traded: Profile | None
) -> FrozenMap:
    """Return the map of now, longs below the price and shorts above it, as it will be judged."""
    key = bucket_key(price)
    steps = range(1, REACH + 1)
    return FrozenMap(
        time_ms=time_ms,
        key=key,
        levels=_levels(longs, shorts, key),
        round_numbers=Heaviest(
            below=_heaviest([_roundness(key - step) for step in steps]),
            above=_heaviest([_roundness(key + step) for step in steps]),
        ),
        traded=None if traded is None else _levels(traded, traded, key),
    )


def _levels(below: Profile, above: Profile, key: int) -> Heaviest:
    return Heaviest(
        below=_heaviest(_resample(below, key - REACH)[::-1]),
        above=_heaviest(_resample(above, key + 1)),
    )


def _resample(profile: Profile, first_key: int) -> list[float]:
    """Return the USD of our buckets from a key on; one of theirs that lies on an edge is split."""
    usd, ratio = profile.usd, WIDTH / profile.bucket
    before = list(accumulate(usd, initial=0.0))
    edges = []
    for key in range(first_key, first_key + REACH + 1):
        at = min(max(0.0, round(key * ratio - profile.first_key, 9)), len(usd))
        whole = int(at)
        edges.append(before[whole] + (usd[whole] * (at - whole) if at > whole else 0.0))
    return [right - left for left, right in pairwise(edges)]


def _heaviest(usd: Sequence[float]) -> int:
    """Return the heaviest buckets as bits; of equals the nearer one, of empty ones none."""
    top = nlargest(TOP, range(len(usd)), key=lambda index: (usd[index], -index))
    return sum(1 << index for index in top if usd[index] > 0)


def _roundness(key: int) -> float:
    """Return the largest 1 or 5 times a power of ten that has a multiple in the bucket."""
    low, high = exp(key * WIDTH), exp((key + 1) * WIDTH)
    power = 10.0 ** floor(log10(high))
    while True:
        for step in (5 * power, power):
            if floor(high / step) * step >= low:
                return step
        power /= 10
