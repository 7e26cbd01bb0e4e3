"""How many dollars of positions would be closed by force at each price, on one side of one
instrument.
"""

from array import array
from collections.abc import Iterable
from math import floor, inf, log
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from liqwatch.engine.asymmetry import AsymmetrySettings
from liqwatch.engine.digest import DigestSettings
from liqwatch.events import Position

if TYPE_CHECKING:
    Cells = array[float]
else:
    Cells = array  # not subscriptable at run time before Python 3.12

AHEAD = 0.55  # log distance a ladder reaches in the direction in which price sets it off …
BEHIND = 0.10  # … and the other way, so that it need not be moved for every step of the price
RENORMALISE_BELOW = 1e-6
NEAR_SHARE = 0.5  # of the way from entry to liquidation: who is so near tends to give up


class MapSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the map of possible liquidations is estimated."""

    bucket_bp: Annotated[float, Meta(ge=5, le=25)] = 10.0
    """Width of a price bucket, in basis points."""

    half_life_days: Annotated[float, Meta(ge=0.5, le=60)] = 5.0
    """Mass that no open-interest change has removed fades with this half-life."""

    min_cluster_usd: Annotated[float, Meta(ge=0)] = 5e6
    """A cluster smaller than this (estimated) is not named."""

    asymmetry: AsymmetrySettings = AsymmetrySettings()
    digest: DigestSettings = DigestSettings()


class Ladder(msgspec.Struct):
    """USD per log-price bucket of the longs or the shorts of one instrument.

    Bucket k holds prices from exp(k b) to exp((k+1) b). Cells are counted in the direction in which
    price sets them off, so that longs are shorts in a mirror (of log price). With each cell's USD
    goes its mean distance from where it was entered. Both are stored divided by a common factor: a
    proportional close or a decay is one multiplication. What lies beyond the ends is left out.

    >>> ladder = Ladder.around(Position.SHORT, 1.0, bucket=0.001)
    >>> ladder.add(1.0105, 500.0)
    >>> ladder.scale(0.5)
    >>> ladder.sweep(1.02)
    250.0
    >>> ladder.total()
    0.0
    """

    sign: int  # +1 shorts: price sets them off going up; -1 longs
    bucket: float  # width, log price
    base: int  # of the first cell, counted in that direction
    cells: Cells  # USD
    reach: Cells  # USD times log distance from entry
    factor: float = 1.0
    edge: float = inf  # nothing is nearer than this log price, in that direction

    @classmethod
    def around(cls, position: Position, price: float, *, bucket: float) -> "Ladder":
        """Return an empty ladder for prices around this one."""
        sign = 1 if position is Position.SHORT else -1
        base = floor((sign * log(price) - BEHIND) / bucket)
        size = floor((AHEAD + BEHIND) / bucket)
        return cls(sign, bucket, base, _empty(size), _empty(size))

    @property
    def position(self) -> Position:
        """Whose positions these are."""
        return Position.SHORT if self.sign > 0 else Position.LONG

    def add(self, price: float, usd: float) -> None:
        """Put mass at a price."""
        self.spread(price, usd, ((0.0, 1.0),))

    def spread(self, entry: float, usd: float, parts: Iterable[tuple[float, float]]) -> None:
        """Put shares of a mass at log distances from its entry, as (distance, share)."""
        y, stored, bucket, base = self.sign * log(entry), usd / self.factor, self.bucket, self.base
        cells, reach = self.cells, self.reach
        size, nearest = len(cells), inf
        for distance, share in parts:
            index = floor((y + distance) / bucket) - base
            if 0 <= index < size:
                mass = stored * share
                cells[index] += mass
                reach[index] += mass * distance
                nearest = min(nearest, distance)
        self.edge = min(self.edge, y + nearest)

    def scale(self, share: float) -> None:
        """Keep this share of everything."""
        self.factor *= share
        if self.factor < RENORMALISE_BELOW:
            self.cells = array("f", (cell * self.factor for cell in self.cells))
            self.reach = array("f", (cell * self.factor for cell in self.reach))
            self.factor = 1.0

    def sweep(self, price: float) -> float:
        """Take out what price has reached, of the bucket it stands in the part it has passed.

        Returns the USD.
        """
        y = self.sign * log(price)
        if y <= self.edge:
            return 0.0
        first = max(0, floor(self.edge / self.bucket) - self.base)
        here = floor(y / self.bucket) - self.base
        last = min(here, len(self.cells))
        swept = sum(self.cells[first:last])
        if swept:
            self.cells[first:last] = self.reach[first:last] = _empty(last - first)
        if 0 <= here < len(self.cells):
            begin, end = (self.base + here) * self.bucket, (self.base + here + 1) * self.bucket
            room = end - max(begin, self.edge)
            left = max(0.0, end - y) / room if room > 0 else 0.0
            swept += self.cells[here] * (1 - left)
            self._keep(here, left)
        self.edge = y
        return swept * self.factor

    def give_up(self, price: float, share: float) -> None:
        """Keep only this share of what has come near its liquidation, as seen from its entry.

        Who loses most of his margin mostly closes by himself, by a stop or not.
        """
        y = self.sign * log(price)
        first = max(0, floor(y / self.bucket) - self.base)
        last = first + int(NEAR_SHARE * AHEAD / self.bucket)
        cells, reach = self.cells[first:last], self.reach[first:last]
        distance = (self.base + first) * self.bucket - y
        for index, (usd, moment) in enumerate(zip(cells, reach, strict=True), first):
            if distance * usd < NEAR_SHARE * moment:
                self._keep(index, share)
            distance += self.bucket

    def _keep(self, index: int, share: float) -> None:
        self.cells[index] *= share
        self.reach[index] *= share

    def recentre(self, price: float) -> None:
        """Move the window when price comes near its ends."""
        wanted = floor((self.sign * log(price) - BEHIND) / self.bucket)
        shift = wanted - self.base
        if abs(shift) * self.bucket <= BEHIND / 2:
            return
        self.cells, self.reach = _shifted(self.cells, shift), _shifted(self.reach, shift)
        self.base = wanted

    def key(self, price: float) -> int:
        """Return the bucket of a price."""
        return floor(log(price) / self.bucket)

    def dense(self, low_key: int, high_key: int, *, weight: float = 1.0) -> list[float]:
        """Return the USD, times a weight, of the buckets from low_key up to, without, high_key."""
        first, last = (low_key, high_key) if self.sign > 0 else (-high_key, -low_key)
        first, last = first - self.base, last - self.base
        factor = self.factor * weight
        held = [cell * factor for cell in self.cells[max(0, first) : max(0, last)]]
        before = [0.0] * min(last - first, max(0, -first))
        row = [*before, *held, *([0.0] * (last - first - len(before) - len(held)))]
        return row if self.sign > 0 else row[::-1]

    def items(self) -> dict[int, float]:
        """Return USD by bucket of those that are not empty, sorted by price."""
        first, last = self.base, self.base + len(self.cells)
        low, high = (first, last) if self.sign > 0 else (-last, -first)
        return {key: usd for key, usd in enumerate(self.dense(low, high), low) if usd > 0.0}

    def total(self) -> float:
        """Return all USD in the ladder."""
        return sum(self.cells) * self.factor

    def check(self) -> None:
        """Assert what always holds: nothing is negative, nor nearer than the edge."""
        assert self.factor > 0, "the common factor vanished"  # noqa: S101 - an invariant
        assert min(self.cells) >= 0, "a bucket is negative"  # noqa: S101 - as above
        assert len(self.cells) == len(self.reach), "distances without buckets"  # noqa: S101 - as above
        if self.edge < inf:
            swept = self.cells[: max(0, floor(self.edge / self.bucket) - self.base)]
            assert not any(swept), "something is nearer than the edge"  # noqa: S101 - as above


def _empty(size: int) -> Cells:
    return array("f", bytes(4 * size))


def _shifted(cells: Cells, shift: int) -> Cells:
    """Let the window begin so many cells later; what falls out is lost, what comes in is empty."""
    if shift >= 0:
        kept = cells[shift:]
        return kept + _empty(len(cells) - len(kept))
    kept = cells[:shift]
    return _empty(len(cells) - len(kept)) + kept
