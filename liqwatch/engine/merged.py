"""The map of one coin as it is read: all instruments, venues and layers together."""

from array import array
from collections.abc import Collection, Iterator
from itertools import accumulate
from math import exp, floor, log
from operator import add
from typing import NamedTuple

from liqwatch.alerts import Direction, LevelSource
from liqwatch.engine.frozen_map import Profile
from liqwatch.engine.map_layers import Layer, in_force
from liqwatch.engine.observed import Observed
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.state import MapState
from liqwatch.events import Position

WINDOW = 0.35  # log distance from the price: -30 % to +42 %
MOST_OF_ALL = 0.6  # of the coin's open interest: a venue that claims more counts for no more
COMPARED_WITHIN = 0.1  # log distance in which a map without a unit is held against our estimate


class Sums:
    """USD by bucket, with running sums."""

    def __init__(self, low_key: int, usd: Collection[float]) -> None:
        self.low_key = low_key
        self.usd = array("d", usd)
        self._below = array("d", accumulate(usd, initial=0.0))

    def between(self, low: float, high: float) -> float:
        """Return the USD between two places counted in buckets; of a bucket cut in two a part."""
        return max(0.0, self._up_to(high) - self._up_to(low))

    def _up_to(self, place: float) -> float:
        place -= self.low_key
        if place <= 0:
            return 0.0
        if place >= len(self.usd):
            return self._below[-1]
        index = int(place)
        return self._below[index] + (place - index) * self.usd[index]


class Bucket(NamedTuple):
    """A bucket of one side that is not empty."""

    low: float
    high: float
    usd: float
    observed_share: float


class Side:
    """What a move one way would liquidate, from the price of then to the end of the window."""

    def __init__(self, bucket: float, low_key: int, rows: dict[LevelSource, list[float]]) -> None:
        self._bucket = bucket
        self._all = Sums(low_key, [sum(usd) for usd in zip(*rows.values(), strict=True)])
        self._of = {source: Sums(low_key, usd) for source, usd in rows.items()}

    def notional_usd(self, low: float, high: float) -> float:
        """Return the USD liquidated between two prices."""
        return self._all.between(log(low) / self._bucket, log(high) / self._bucket)

    def shares(self, low: float, high: float) -> dict[LevelSource, float]:
        """Return which share of the USD between two prices each source tells; none is left out."""
        ends = log(low) / self._bucket, log(high) / self._bucket
        total = self._all.between(*ends)
        told = {source: sums.between(*ends) for source, sums in self._of.items()}
        return {source: usd / total for source, usd in told.items() if usd > 0}

    def by_key(self, low_key: int, high_key: int) -> dict[int, float]:
        """Return USD by bucket, of those from low_key to high_key that are not empty, sorted."""
        keyed = enumerate(self._all.usd, self._all.low_key)
        return {key: usd for key, usd in keyed if usd > 0 and low_key <= key <= high_key}

    def profile(self) -> Profile:
        """Return USD by bucket, none left out."""
        return Profile(self._bucket, self._all.low_key, self._all.usd)

    def buckets(self) -> Iterator[Bucket]:
        """Yield the buckets that are not empty, sorted by price."""
        observed = self._of.get("observed")
        for index, usd in enumerate(self._all.usd):
            if usd > 0:
                low = exp((self._all.low_key + index) * self._bucket)
                share = observed.usd[index] / usd if observed else 0.0
                yield Bucket(low, low * exp(self._bucket), usd, share)


class _Span(NamedTuple):
    """The buckets of one side, as far as the map is read."""

    position: Position
    bucket: float
    low: int  # key of the first
    high: int  # and after the last

    def row(self, masses: Iterator[tuple[dict[int, float], float]]) -> list[float] | None:
        """Return the sum of masses by bucket, each with its weight; None of none."""
        total: list[float] | None = None
        for mass, weight in masses:
            total = total or [0.0] * (self.high - self.low)
            for key, usd in mass.items():
                if self.low <= key < self.high:
                    total[key - self.low] += usd * weight
        return total


def merge(
    state: MapState, price: float, bucket: float, *, scale: float = 1.0
) -> dict[Direction, Side]:
    """Put together what the instruments, the accounts and the layers say, as it stands now.

    Our own estimate of an instrument leaves out the share of open interest whose positions are
    known, and counts nothing of a venue that an import speaks for. `scale` is what a dollar of it
    has proved to be worth; what others tell in USD is taken as told.
    """
    layers = in_force(state.layers)
    covered = {venue for layer in layers for venue in layer.venues}
    scaled = [(layer, _scale(layer, state, price, bucket, scale)) for layer in layers]
    sides = {}
    for direction in Direction:
        ends = sorted((log(price), log(price) + direction.sign * WINDOW))
        low, high = (floor(end / bucket) for end in ends)
        span = _Span(direction.position, bucket, low, high + 1)
        estimate = _estimate(state, span, covered, scale)
        rows: dict[LevelSource, list[float]] = {"estimate": estimate}
        if (row := span.row(_observed(state, span, covered))) is not None:
            rows["observed"] = row
        left = ((layer.left(span.position), scale) for layer, scale in scaled)
        if (row := span.row(left)) is not None:
            rows["imported"] = row
        sides[direction] = Side(bucket, low, rows)
    return sides


def open_interest_shares(state: MapState) -> dict[str, float]:
    """Return each venue's share of the coin's open interest, as far as it is told."""
    sizes: dict[str, float] = {}
    for key, book in state.books.items():
        sizes[venue_of(key)] = sizes.get(venue_of(key), 0.0) + book.open_size
    total = sum(sizes.values())
    return {venue: size / total if total > 0 else 0.0 for venue, size in sizes.items()}


def frozen_shares(state: MapState, now_ms: int) -> dict[str, float]:
    """Return the venues whose open interest is missing or in doubt, with their share of it."""
    frozen = {venue_of(key) for key, book in state.books.items() if book.frozen(now_ms)}
    shares = open_interest_shares(state)
    return {venue: share for venue, share in shares.items() if venue in frozen}


def venue_weights(state: MapState) -> dict[str, float]:
    """Return what each venue counts for: its share of open interest, or the most that is believed.

    What one venue claims beyond that is left out, not given to the others.
    """
    shares = open_interest_shares(state)
    most = MOST_OF_ALL if len(shares) > 1 else 1.0
    return {venue: min(share, most) for venue, share in shares.items()}


def venue_of(instrument: str) -> str:
    """Return the venue in the key of an instrument."""
    return instrument.partition("|")[0]


def _estimate(state: MapState, span: _Span, covered: Collection[str], scale: float) -> list[float]:
    shares, weights = open_interest_shares(state), venue_weights(state)
    total = [0.0] * (span.high - span.low)
    for key, book in state.books.items():
        venue = venue_of(key)
        if venue in covered or not shares[venue]:
            continue
        unknown = 1.0 - _observed_share(book, state.observed.get(key), span.position)
        weight = scale * unknown * weights[venue] / shares[venue]
        part = book.side(span.position).dense(span.low, span.high, weight=weight)
        total = list(map(add, total, part))
    return total


def _observed(
    state: MapState, span: _Span, covered: Collection[str]
) -> Iterator[tuple[dict[int, float], float]]:
    """Yield the mass of each instrument's known positions, and how much of it to believe.

    They cannot be more than what is open: some have closed since they were told.
    """
    for key, known in state.observed.items():
        if venue_of(key) in covered:
            continue
        book, size = state.books.get(key), known.size(span.position)
        believed = min(1.0, book.open_size / size) if book and size > 0 else 1.0
        yield known.mass(span.position, span.bucket), believed


def _observed_share(book: PositionBook, known: Observed | None, position: Position) -> float:
    if known is None or book.open_size <= 0:
        return 0.0
    return min(1.0, known.size(position) / book.open_size)


def _scale(layer: Layer, state: MapState, price: float, bucket: float, scale: float) -> float:
    """Return what to multiply a layer's amounts by: 1 if they are USD.

    Else as much as our own estimate of its venues holds near the price, where both know most.
    """
    if not layer.relative:
        return 1.0
    here, width = floor(log(price) / bucket), floor(COMPARED_WITHIN / bucket)
    low, high = here - width, here + width
    ours = theirs = 0.0
    for position in Position:
        books = (book for key, book in state.books.items() if venue_of(key) in layer.venues)
        ours += sum(sum(book.side(position).dense(low, high)) for book in books)
        left = layer.left(position)
        theirs += sum(usd for key, usd in left.items() if low <= key < high)
    return scale * ours / theirs if ours > 0 and theirs > 0 else 1.0
