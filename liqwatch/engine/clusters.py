"""Stacks of liquidations worth naming: clusters; with the watched prices, the zones of a coin."""

from collections.abc import Iterable, Iterator, Mapping
from math import exp, inf, log

import msgspec
from sortedcontainers import SortedKeyList

from liqwatch.alerts import Direction, Level, LevelSource
from liqwatch.events import Position

SEED_QUANTILE = 0.85
GROW_SHARE = 0.35  # of the peak: a cluster ends where mass falls below
MERGE_SHARE = 0.6  # of the lower peak: a valley shallower than this joins two clusters …
WIDEST = 0.03  # log price: what is wider is no level, and named by its densest part
RANGE_SHARE = 0.25  # … and one shallower than this puts them in one range
PROMINENCE = 1.5  # times the median bucket
SIDE_SHARE = 0.03  # of all mass of its side
REACH = 0.15  # clusters are looked for within this log distance of the price
SAME_OVERLAP = 0.3  # intersection over union: still the same cluster


class Zone(msgspec.Struct, frozen=True):
    """A price zone with a stable id: a cluster of the map or a level the user watches."""

    id: str
    low: float
    high: float
    position: Position | None  # whose positions lie there; None for a watched price
    notional_usd: float | None
    source: LevelSource  # that tells most of it
    sources: tuple[LevelSource, ...] = ()  # all that tell of it; of a watched price none
    observed_share: float | None = None  # of the USD: positions that are known one by one
    children: tuple[str, ...] = ()  # ids of the clusters within it, if it is a range of several

    def level(self) -> Level:
        """Return the zone as alerts speak of it."""
        return Level(
            low=as_price(self.low),
            high=as_price(self.high),
            notional=self.notional_usd,
            source=self.source,
        )

    def faces(self, direction: Direction) -> bool:
        """Return whether a move this way would set it off; a watched price faces both ways."""
        return self.position is None or self.position is direction.position

    def near_edge(self, direction: Direction) -> float:
        """Return the edge that a move in this direction meets first."""
        return self.low if direction is Direction.UP else self.high


def as_price(value: float) -> float:
    """Round to the eight digits that any price needs: more would only claim to be known."""
    return float(f"{value:.8g}")


class Zones:
    """Zones sorted by price."""

    def __init__(self, zones: Iterable[Zone] = ()) -> None:
        self._by_low: SortedKeyList[Zone] = SortedKeyList(zones, key=lambda zone: zone.low)

    def __iter__(self) -> Iterator[Zone]:
        return iter(self._by_low)

    def crossed(self, start: float, end: float, direction: Direction) -> list[Zone]:
        """Return the zones whose near edge lies on the way from one price to another, in the order
        met.
        """
        low, high = min(start, end), max(start, end)
        met = [zone for zone in self._by_low if low <= zone.near_edge(direction) <= high]
        return met if direction is Direction.UP else met[::-1]

    def ahead(self, price: float, direction: Direction) -> Zone | None:
        """Return the next zone that a move in this direction would meet."""
        if direction is Direction.UP:
            index = self._by_low.bisect_key_right(price)
            return self._by_low[index] if index < len(self._by_low) else None
        below = [zone for zone in self._by_low if zone.high < price]
        return max(below, key=lambda zone: zone.high, default=None)


def merge_zones(watched: Iterable[Zone], clusters: Iterable[Zone], *, margin: float) -> Zones:
    """Return all zones; a cluster within `margin` (log) of a watched price lends it its USD."""
    zones, left = [], list(clusters)
    for level in watched:
        low, high = level.low * exp(-margin), level.high * exp(margin)
        near = [zone for zone in left if zone.low <= high and zone.high >= low]
        left = [zone for zone in left if zone not in near]
        held = sum(zone.notional_usd or 0.0 for zone in near)
        zones.append(msgspec.structs.replace(level, notional_usd=held or None))
    return Zones([*zones, *left])


def find_clusters(
    mass: Mapping[int, float],
    *,
    bucket: float,
    position: Position,
    minimum_usd: float,
    known: Iterable[Zone],
    prefix: str,
) -> list[Zone]:
    """Return the clusters of one side's ladder (bucket key -> USD); those `known` keep their ids.

    Smooth, start at the peaks above the 85 % quantile, grow while above 35 % of the peak, merge
    over shallow valleys, keep what stands out. None is wider than 3 %.
    """
    total = sum(mass.values())
    if len(mass) < 2 or total < minimum_usd:
        return []
    smooth = _smooth(mass)
    widest = max(1, round(WIDEST / bucket))
    spans = _merge(_grow(smooth, widest // 2), smooth, MERGE_SHARE, widest)
    enough = max(minimum_usd, SIDE_SHARE * total)
    zones: list[Zone] = []
    for low, high in spans:
        notional = sum(mass.get(key, 0.0) for key in range(low, high + 1))
        if notional < enough:
            continue
        zone = Zone(
            id="",
            low=exp(low * bucket),
            high=exp((high + 1) * bucket),
            position=position,
            notional_usd=notional,
            source="estimate",
        )
        zones.append(zone)
    return _named(zones, known, prefix)


def find_ranges(
    clusters: Iterable[Zone],
    mass: Mapping[int, float],
    *,
    bucket: float,
    known: Iterable[Zone],
    prefix: str,
) -> list[Zone]:
    """Return the ranges of several clusters of one side; those `known` keep their ids.

    Neighbours belong together while no valley between them is deeper than a quarter of the lower
    peak. A range holds all mass from its first cluster to its last.
    """
    clusters = sorted(clusters, key=lambda zone: zone.low)
    spans = [(round(log(one.low) / bucket), round(log(one.high) / bucket) - 1) for one in clusters]
    ranges = []
    for low, high in _merge(spans, _smooth(mass), RANGE_SHARE) if mass else []:
        within = [one for one, span in zip(clusters, spans, strict=True) if low <= span[0] <= high]
        if len(within) > 1:
            whole = msgspec.structs.replace(
                max(within, key=lambda one: one.notional_usd or 0.0),
                low=within[0].low,
                high=max(one.high for one in within),
                notional_usd=sum(mass.get(key, 0.0) for key in range(low, high + 1)),
                sources=tuple(sorted({source for one in within for source in one.sources})),
                observed_share=None,
                children=tuple(one.id for one in within),
            )
            ranges.append(whole)
    return _named(ranges, known, f"{prefix}-range")


def _named(zones: Iterable[Zone], known: Iterable[Zone], prefix: str) -> list[Zone]:
    named: list[Zone] = []
    free, taken = list(known), set[str]()
    for zone in zones:
        name = _take_id(zone, free, prefix)
        while name in taken:
            name += "+"  # what an older cluster was named after, this one has grown over
        taken.add(name)
        named.append(msgspec.structs.replace(zone, id=name))
    return named


def _smooth(mass: Mapping[int, float]) -> dict[int, float]:
    """Apply a triangular kernel of two buckets to each side."""
    low, high = min(mass), max(mass)
    near = [mass.get(key, 0.0) for key in range(low - 2, high + 3)]
    return {
        key: (a + 2 * b + 3 * c + 2 * d + e) / 9
        for key, a, b, c, d, e in zip(
            range(low, high + 1), near, near[1:], near[2:], near[3:], near[4:], strict=False
        )
    }


def _grow(smooth: Mapping[int, float], reach: int) -> list[tuple[int, int]]:
    """Return what grows around each peak, the highest first, so far to each side at most."""
    values = sorted(value for value in smooth.values() if value > 0)
    threshold = max(values[int(SEED_QUANTILE * len(values))], PROMINENCE * values[len(values) // 2])
    peaks = [
        (-value, key)
        for key, value in smooth.items()
        if value >= smooth.get(key - 1, 0.0)
        and value > smooth.get(key + 1, 0.0)
        and value >= threshold
    ]
    spans = []
    taken = set[int]()
    for negative, key in sorted(peaks):
        if key not in taken:
            free = {at for at in range(key - reach, key + reach + 1) if at not in taken}
            within = {at for at in free if smooth.get(at, 0.0) > -negative * GROW_SHARE}
            low = high = key
            while low - 1 in within:
                low -= 1
            while high + 1 in within:
                high += 1
            spans.append((low, high))
            taken.update(range(low, high + 1))
    return spans


def _merge(
    spans: list[tuple[int, int]],
    smooth: Mapping[int, float],
    share: float,
    widest: float = inf,
) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        fits = merged and high - merged[-1][0] < widest
        if fits and _joined(merged[-1], (low, high), smooth, share):
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _joined(
    left: tuple[int, int], right: tuple[int, int], smooth: Mapping[int, float], share: float
) -> bool:
    if right[0] <= left[1]:
        return True
    valley = min(smooth.get(key, 0.0) for key in range(left[1], right[0] + 1))
    peaks = (
        max(smooth.get(key, 0.0) for key in range(low, high + 1)) for low, high in (left, right)
    )
    return valley > share * min(peaks)


def _take_id(zone: Zone, free: list[Zone], prefix: str) -> str:
    """Return the id of a known cluster that overlaps enough, else one named after where this one
    lies.
    """
    for other in free:
        overlap = min(zone.high, other.high) - max(zone.low, other.low)
        union = max(zone.high, other.high) - min(zone.low, other.low)
        if overlap >= SAME_OVERLAP * union:
            free.remove(other)
            return other.id
    middle = exp((log(zone.low) + log(zone.high)) / 2)
    return f"{prefix}-{zone.position}-{middle:.6g}"
