"""What others say of the map: clusters of the user's own, and maps taken from elsewhere."""

from collections.abc import Mapping
from math import floor, inf, log
from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.events import Position
from liqwatch.map_import import ImportedMap

MOST_LAYERS = 4  # of one coin


class UserCluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster that you name yourself: it stays where it is, and as large, until you change it.

    It is watched like a cluster of the map, and never added to what was estimated.
    """

    low: Annotated[float, Meta(gt=0)]
    """Its lower edge; `high` is its upper one."""

    high: Annotated[float, Meta(gt=0)]

    notional_usd: Annotated[float, Meta(gt=0)]
    """What would be liquidated there, in USD."""

    position: Position
    """Whose positions: `long` or `short`."""

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError("high must not be below low")

    def __str__(self) -> str:
        return f"{self.low:,.10g}-{self.high:,.10g}: {self.notional_usd:,.0f} {self.position}"


class Layer(msgspec.Struct):
    """A map from elsewhere as it is kept: by bucket, less what price has passed since."""

    source: str
    as_of_ms: int
    venues: list[str]
    relative: bool
    bucket: float  # width, log price
    usd: dict[Position, dict[int, float]]
    lowest: float = inf  # price since it was taken
    highest: float = 0.0

    @classmethod
    def of(cls, imported: ImportedMap, bucket: float) -> "Layer":
        """Spread the levels over buckets."""
        usd: dict[Position, dict[int, float]] = {position: {} for position in Position}
        for level in imported.levels:
            for position, amount in zip(Position, level[2:], strict=True):
                _spread(usd[position], level.low, level.high, amount, bucket)
        venues = sorted(imported.venues)
        return cls(imported.source, imported.as_of_ms, venues, imported.relative, bucket, usd)

    def says_the_same(self, other: "Layer") -> bool:
        """Return whether this is the same map, told again."""
        mine, theirs = ((one.as_of_ms, one.venues, one.relative) for one in (self, other))
        return mine == theirs and self.usd == other.usd

    def pass_price(self, price: float) -> None:
        """Let price pass: what it has reached is gone."""
        self.lowest, self.highest = min(self.lowest, price), max(self.highest, price)

    def left(self, position: Position) -> dict[int, float]:
        """Return USD by bucket of one side that price has not reached."""
        usd = self.usd[position]
        if not self.highest:
            return usd
        if position is Position.LONG:
            reached = floor(log(self.lowest) / self.bucket)
            return {key: amount for key, amount in usd.items() if key < reached}
        reached = floor(log(self.highest) / self.bucket)
        return {key: amount for key, amount in usd.items() if key > reached}


def in_force(layers: Mapping[str, Layer]) -> list[Layer]:
    """Return the layers that count, newest first: none whose venues a newer one covers already."""
    chosen: list[Layer] = []
    covered: set[str] = set()
    for layer in sorted(layers.values(), key=lambda one: (-one.as_of_ms, one.source)):
        if covered.isdisjoint(layer.venues):
            chosen.append(layer)
            covered.update(layer.venues)
    return chosen


def _spread(usd: dict[int, float], low: float, high: float, amount: float, bucket: float) -> None:
    """Share an amount out evenly over the buckets from low to high."""
    if not amount:
        return
    begin, end = log(low) / bucket, log(high) / bucket
    first, last = floor(begin), floor(end)
    if first == last:
        usd[first] = usd.get(first, 0.0) + amount
        return
    for key in range(first, last + 1):
        part = (min(end, key + 1) - max(begin, key)) / (end - begin)
        usd[key] = usd.get(key, 0.0) + amount * part
