"""A liquidation map that somebody else made: what crosses from the imports to the engine, and how
it stands on a tape.
"""

from math import inf
from typing import NamedTuple

import msgspec

from liqwatch.records import Record

MOST_LEVELS = 20_000  # of one map
WIDEST = 3.0  # a level whose ends are farther apart than this ratio is none
VENUE = "import:"  # and the source: as the venue of a record


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
    `levels` are sorted by price, do not overlap, and are no more than `MOST_LEVELS`. Raises
    ValueError for more of them, or one that is none.
    """

    source: str  # as told to people
    symbol: str
    as_of_ms: int
    venues: frozenset[str]
    levels: tuple[MapLevel, ...]
    relative: bool = False  # its amounts have no unit that is known

    def __post_init__(self) -> None:
        if len(self.levels) > MOST_LEVELS:
            raise ValueError(f"{self.source}: more than {MOST_LEVELS:,} levels")
        for level in self.levels:
            if not _is_one(level):
                raise ValueError(f"{self.source}: {tuple(level)} is no level")


def as_record(imported: ImportedMap, at_ns: int) -> Record:
    """Return a map as it stands on the tape, taken in at `at_ns`: as it was read, in place of the
    file or answer, whose meaning hangs on settings and on the price of that moment.
    """
    text = msgspec.json.encode(imported, order="deterministic").decode()
    return Record(at=at_ns, venue=VENUE + imported.source, stream=imported.symbol, text=text)


def is_import(record: Record) -> bool:
    """Return whether a record of a tape is a map that was taken in."""
    return record.venue.startswith(VENUE)


def read_record(record: Record) -> ImportedMap:
    """Return the map that a record holds. Raises ValueError if it is none."""
    return msgspec.json.decode(record.text or "", type=ImportedMap)


def _is_one(level: MapLevel) -> bool:
    amounts = 0 <= level.long_usd < inf and 0 <= level.short_usd < inf
    return amounts and 0 < level.low <= level.high < WIDEST * level.low
