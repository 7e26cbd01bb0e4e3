"""All that is remembered of one coin, as data: what a snapshot holds."""

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.asymmetry import Balance
from liqwatch.engine.burst import Burst
from liqwatch.engine.calibration import Learned
from liqwatch.engine.cascade import Episode
from liqwatch.engine.clusters import Zone
from liqwatch.engine.digest import Diary
from liqwatch.engine.forced_flow import Feed
from liqwatch.engine.funding import Rate
from liqwatch.engine.impact import Impact
from liqwatch.engine.levels import LevelWatch
from liqwatch.engine.map_layers import Layer
from liqwatch.engine.near_miss import Miss
from liqwatch.engine.observed import Observed
from liqwatch.engine.passages import Passage
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.price import Composite, Source
from liqwatch.engine.price_path import PricePath
from liqwatch.engine.recent import Recent
from liqwatch.engine.self_score import SelfScore
from liqwatch.engine.spot import Spot
from liqwatch.engine.volatility_rank import VolatilityRank
from liqwatch.engine.warm_start import Cold, Recalled
from liqwatch.events import Position


class Met(msgspec.Struct, frozen=True):
    """A zone as it was when price ran into it; the map forgets it while price eats it up."""

    zone: Zone
    direction: Direction
    time_ms: int


class MapState(msgspec.Struct):
    """What is believed to be open, and where it stacks up."""

    books: dict[str, PositionBook] = msgspec.field(default_factory=dict)  # by instrument
    open_interest: dict[str, float] = msgspec.field(default_factory=dict)  # base coins, latest
    told: list[str] = msgspec.field(default_factory=list)  # instruments that told it this second
    cold: dict[str, Cold] = msgspec.field(default_factory=dict)  # books that lack their past
    recalled: dict[str, Recalled] = msgspec.field(default_factory=dict)  # those that were told it
    observed: dict[str, Observed] = msgspec.field(default_factory=dict)  # by instrument
    layers: dict[str, Layer] = msgspec.field(default_factory=dict)  # by source
    learned: dict[str, dict[Position, Learned]] = msgspec.field(default_factory=dict)  # by venue
    score: SelfScore = msgspec.field(default_factory=SelfScore)
    names_levels: bool = True  # of itself; not while it has proved no better than chance
    passages: list[Passage] = msgspec.field(default_factory=list)  # what price passed lately
    totals: list[float] = msgspec.field(default_factory=list)  # of it, every half minute
    counted: int = 0  # instruments in them
    began_ms: int | None = None  # with the first sample
    clusters: list[Zone] = msgspec.field(default_factory=list)
    ranges: list[Zone] = msgspec.field(default_factory=list)  # of several clusters each
    balance: Balance = msgspec.field(default_factory=Balance)
    diary: Diary = msgspec.field(default_factory=Diary)
    within_reach_usd: dict[Direction, float] = msgspec.field(default_factory=dict)
    met: list[Met] = msgspec.field(default_factory=list)  # of the last quarter of an hour


class SymbolState(msgspec.Struct):
    """One coin."""

    name: str
    number: int  # in order of appearance; spreads slow work over the seconds
    sources: dict[str, Source] = msgspec.field(default_factory=dict)  # by instrument
    price: Composite = msgspec.field(default_factory=Composite)
    path: PricePath = msgspec.field(default_factory=PricePath)
    recent: Recent = msgspec.field(default_factory=Recent)
    impact: Impact = msgspec.field(default_factory=Impact)
    map: MapState = msgspec.field(default_factory=MapState)
    feeds: dict[Direction, dict[str, Feed]] = msgspec.field(
        default_factory=lambda: {direction: {} for direction in Direction}
    )
    bursts: dict[Direction, Burst] = msgspec.field(default_factory=dict)
    episodes: dict[Direction, Episode] = msgspec.field(default_factory=dict)
    levels: dict[str, LevelWatch] = msgspec.field(default_factory=dict)
    funding: dict[str, Rate] = msgspec.field(default_factory=dict)  # by instrument
    spot: Spot = msgspec.field(default_factory=Spot)
    volatility: VolatilityRank = msgspec.field(default_factory=VolatilityRank)
    misses: list[Miss] = msgspec.field(default_factory=list)  # of starts, oldest first

    def forget(self, venue: str) -> None:
        """Drop all that one venue told."""
        for key in [key for key, source in self.sources.items() if source.venue == venue]:
            del self.sources[key]
            self.map.books.pop(key, None)
            self.map.cold.pop(key, None)
            self.map.recalled.pop(key, None)
            self.map.open_interest.pop(key, None)
            self.map.observed.pop(key, None)
            self.funding.pop(key, None)
        self.spot.forget(venue)
        self.map.learned.pop(venue, None)
        for feeds in self.feeds.values():
            feeds.pop(venue, None)
