"""A liquidation map that somebody else made: what crosses from the imports to the engine."""

from typing import NamedTuple

import msgspec

MOST_LEVELS = 20_000  # of one map
WIDEST = 3.0  # a level whose ends are farther apart than this ratio is none


class MapLevel(NamedTuple):
    """What would be liquidated between two prices: longs if price fell there, shorts if it rose.

    `low` and `high` are equal where the source names one price.
    """

    low: float
    high: float
    long_usd: float
    short_usd: float


class ImportedMap(msgspec.Struct, frozen=True, kw_only=True):
    """The map of one coin by one source; the next of the same source and coin replaces it.

    It stands in for what is estimated of the `venues` it covers, and is never added to it.
    `levels` are sorted by price, do not overlap, and are no more than `MOST_LEVELS`.
    """

    source: str  # as told to people
    symbol: str
    as_of_ms: int
    venues: frozenset[str]
    levels: tuple[MapLevel, ...]
    relative: bool = False  # its amounts have no unit that is known
