"""How many dollars of positions would be closed by force at each price, estimated from open
interest.
"""

from array import array
from collections.abc import Iterable
from math import floor, log
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    Cells = array[float]
else:
    Cells = array  # not subscriptable at run time before Python 3.12

SPAN = 1024  # buckets a ladder starts with: half above, half below
HALF_SPAN = SPAN // 2
RENORMALISE_BELOW = 1e-6


class MapSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the map of possible liquidations is estimated."""

    bucket_bp: Annotated[float, Meta(ge=5, le=25)] = 10.0
    """Width of a price bucket, in basis points."""

    half_life_days: Annotated[float, Meta(ge=0.5, le=60)] = 5.0
    """Mass that no open-interest change has removed fades with this half-life."""

    min_cluster_usd: Annotated[float, Meta(ge=0)] = 5e6
    """A cluster smaller than this (estimated) is not named."""


class Ladder(msgspec.Struct):
    """USD per log-price bucket of one side of one instrument, sorted by price.

    Bucket k holds prices from exp(k b) to exp((k+1) b). Masses are stored divided by a common
    factor, so that a proportional close or a decay is one multiplication. Adding is O(1). What lies
    beyond the ends (about 40 % below and 70 % above the price at 10 bp) is left out.

    >>> ladder = Ladder(bucket=0.001, base=0)
    >>> ladder.add(1.0105, 500.0)
    ... ladder.scale(0.5)
    ... ladder.sweep(1.01, 1.02)
    250.0
    >>> ladder.total()
    0.0
    """

    bucket: float  # width, log price
    base: int  # key of the first cell
    factor: float = 1.0
    cells: Cells = msgspec.field(default_factory=lambda: array("d", bytes(8 * SPAN)))

    @classmethod
    def around(cls, price: float, bucket: float) -> "Ladder":
        """Return an empty ladder centred on a price."""
        return cls(bucket=bucket, base=floor(log(price) / bucket) - HALF_SPAN)

    def key(self, price: float) -> int:
        """Return the bucket of a price."""
        return floor(log(price) / self.bucket)

    def add(self, price: float, usd: float) -> None:
        """Put mass at a price."""
        self.spread(price, usd, ((0.0, 1.0),))

    def spread(self, price: float, usd: float, parts: Iterable[tuple[float, float]]) -> None:
        """Put shares of a mass at log distances from a price, as (distance, share)."""
        x, stored, bucket, base = log(price), usd / self.factor, self.bucket, self.base
        for distance, share in parts:
            index = floor((x + distance) / bucket) - base
            if 0 <= index < SPAN:
                self.cells[index] += stored * share

    def scale(self, share: float) -> None:
        """Keep this share of everything."""
        self.factor *= share
        if self.factor < RENORMALISE_BELOW:
            self.cells = array("d", (cell * self.factor for cell in self.cells))
            self.factor = 1.0

    def sweep(self, low: float, high: float) -> float:
        """Empty the buckets whose low edge lies in [low, high]; return their USD."""
        first = max(0, -floor(-log(low) / self.bucket) - self.base)
        last = min(len(self.cells), self.key(high) + 1 - self.base)
        if last <= first:
            return 0.0
        swept = sum(self.cells[first:last]) * self.factor
        if swept:
            self.cells[first:last] = array("d", bytes(8 * (last - first)))
        return swept

    def recentre(self, price: float) -> None:
        """Move the window when price has left its middle half."""
        shift = self.key(price) - HALF_SPAN - self.base
        if abs(shift) <= SPAN // 4:
            return
        kept = self.items()
        self.base += shift
        self.cells = array("d", bytes(8 * SPAN))
        for key, usd in kept.items():
            if 0 <= key - self.base < SPAN:
                self.cells[key - self.base] = usd / self.factor

    def dense(self, low_key: int, high_key: int) -> list[float]:
        """Return the USD of every bucket from low_key up to, not including, high_key."""
        first, last = low_key - self.base, high_key - self.base
        factor = self.factor
        held = [cell * factor for cell in self.cells[max(0, first) : max(0, last)]]
        left = [0.0] * min(last - first, max(0, -first))
        return [*left, *held, *([0.0] * (last - first - len(left) - len(held)))]

    def items(self) -> dict[int, float]:
        """Return USD by bucket of those that are not empty, sorted by price."""
        held = self.dense(self.base, self.base + SPAN)
        return {self.base + index: usd for index, usd in enumerate(held) if usd > 0.0}

    def total(self) -> float:
        """Return all USD in the ladder."""
        return sum(self.cells) * self.factor

    def check(self) -> None:
        """Assert what always holds: no bucket is negative, the factor is usable."""
        assert self.factor > 0, "the common factor vanished"  # noqa: S101 - an invariant
        assert min(self.cells) >= 0, "a bucket is negative"  # noqa: S101 - an invariant
