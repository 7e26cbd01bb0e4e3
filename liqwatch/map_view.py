"""The map of one coin as it is shown: facts only. `MapView` is the shape of `liqwatch map --json`.

What is not known is None, never zero.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from liqwatch.alerts import LevelSource
from liqwatch.events import Position

Grade = Literal["A", "B", "C", "D", "E"]


class Range(msgspec.Struct, frozen=True):
    """What holds an estimate four times in five."""

    low: float
    high: float


class Bucket(msgspec.Struct, frozen=True):
    """What would be liquidated between two prices: longs if price fell, shorts if it rose there."""

    low: float
    high: float
    long_usd: float
    short_usd: float
    observed_share: float  # of both: positions that are known one by one


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """A stack of the map worth naming, or one of the user's own."""

    id: str
    position: Position
    low: float
    high: float
    peak: float | None  # where it is densest
    notional_usd: float | None
    notional_range_usd: Range | None = None  # None until the estimate is calibrated; of yours never
    distance_pct: float  # of its near edge from the price, positive above; 0 within it
    cumulative_usd: float | None  # of the map, from the price to its far edge
    criticality: float | None  # K: further forced USD that one forced USD sets off here
    sources: tuple[LevelSource, ...]
    observed_share: float | None
    children: tuple[str, ...] = ()  # ids of the clusters within it
    taker_usd: float | None = None  # net taker flow that would move price to its near edge
    taker_range_usd: Range | None = None


class Asymmetry(msgspec.Struct, frozen=True, kw_only=True):
    """Shorts against longs in a stated window around the price."""

    window: str
    short_usd: float
    long_usd: float
    short_range_usd: Range | None = None  # None until the estimate is calibrated
    long_range_usd: Range | None = None
    ratio: float | None  # shorts over longs
    ratio_24h_ago: float | None


class MapScore(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what was liquidated fell in the tenth of the buckets that the map held heaviest.

    `low` and `high` are 95 % bounds of that share.
    """

    events: int
    top_decile_share: float | None
    uniform_share: float  # what a map that knows nothing would catch
    low: float | None
    high: float | None
    grade: Grade | None
    days: int  # looked back on
    distance_share: float | None = None  # of a map that knows only which distances are usually hit
    round_share: float | None = None  # of round numbers
    volume_share: float | None = None  # of the volume profile
    realised_ratio: float | None = None  # forced over swept USD


class MapHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What of a young map comes from the venues' own records, of before anybody listened."""

    hours: float  # they reach back beyond that, mean by open interest
    live_hours: float  # followed since, likewise
    share: float  # of the open interest: the rest of it is known from when listening began


class MapView(msgspec.Struct, frozen=True, kw_only=True):
    """The map of one coin at one time."""

    symbol: str
    time: int  # ms, the venues' clock
    price: float
    scale: Literal["relative", "usd"]  # relative: amounts compare with each other, not with dollars
    bucket_bp: float
    buckets: tuple[Bucket, ...]  # sorted by price, at least 25 % to each side; none is empty
    clusters: tuple[Cluster, ...]  # sorted by price
    asymmetry: Asymmetry | None = None
    score: MapScore | None = None
    history: MapHistory | None = None  # None of a map that was followed live for a day
    venues: dict[str, float]  # what each counts for


class MapShown(msgspec.Struct, frozen=True):
    """A map with what is drawn beside it."""

    map: MapView
    watch_levels: tuple[float, ...] = ()
    price_path: tuple[tuple[int, float], ...] = ()  # (ms, price) of the last minutes, sorted


class Theme(StrEnum):
    """What a picture of a map is drawn on."""

    LIGHT = "light"
    DARK = "dark"
