"""What liqwatch decided: facts only, no prose until `text` is rendered. The shape of the alert
file.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from liqwatch.events import Position

MARKET = "MARKET"  # the symbol of what concerns no single coin


class Kind(StrEnum):
    """Every kind of alert that liqwatch can raise."""

    LEVEL_APPROACHED = "level_approached"
    CASCADE_STARTED = "cascade_started"
    CASCADE_STALLED = "cascade_stalled"
    CASCADE_RESUMED = "cascade_resumed"
    CASCADE_ENDED = "cascade_ended"
    LEVEL_VERDICT = "level_verdict"
    ASYMMETRY_CHANGED = "asymmetry_changed"
    MAP_DIGEST = "map_digest"
    FEED_DEGRADED = "feed_degraded"
    FEED_RECOVERED = "feed_recovered"
    CONFIG_APPLIED = "config_applied"
    CONFIG_REJECTED = "config_rejected"


class Severity(StrEnum):
    """How loudly a person should hear of it."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Direction(StrEnum):
    """Where forced orders push the price: liquidated shorts push it up, longs down."""

    UP = "up"
    DOWN = "down"

    @staticmethod
    def of(position: Position) -> "Direction":
        """Return where liquidating these positions pushes the price."""
        return _UP if position is _SHORT else _DOWN

    @property
    def sign(self) -> int:
        """+1 for up, -1 for down."""
        return 1 if self is _UP else -1

    @property
    def position(self) -> Position:
        """Whose positions are liquidated by a move this way."""
        return _SHORT if self is _UP else _LONG


# Every forced order asks for these, and members are slow to find by their class (Python 3.11).
_UP, _DOWN = Direction.UP, Direction.DOWN
_LONG, _SHORT = Position.LONG, Position.SHORT


class Outcome(StrEnum):
    """How a cascade ended."""

    EXHAUSTED = "exhausted"
    ABSORBED = "absorbed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What reaching a level did to the move."""

    ACCELERATED = "accelerated"
    FADED = "faded"
    REVERSED = "reversed"


LevelSource = Literal["estimate", "observed", "imported", "user", "unmapped"]


class Level(msgspec.Struct, frozen=True):
    """A price zone an alert speaks of; `notional` in USD, None when unknown."""

    low: float
    high: float
    notional: float | None
    source: LevelSource


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. Same input, same alert, same id."""

    id: str
    episode: str | None
    kind: Kind
    symbol: str
    members: list[str] | UnsetType = UNSET
    position: Position | None
    direction: Direction | None
    time: int
    price: float | None
    severity: Severity
    level: Level | None = None
    against_map: bool = False
    outcome: Outcome | UnsetType = UNSET
    verdict: Verdict | UnsetType = UNSET
    approach: int | UnsetType = UNSET
    evidence: dict[str, Any]
    thresholds: dict[str, Any]
    text: str = ""

    @property
    def of_market(self) -> bool:
        """Whether it tells the story of the whole market, rather than of a coin or a feed."""
        return self.symbol == MARKET and self.kind.startswith("cascade_")


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The newest numbers of a cascade that goes on. No alert: it only changes the story's message.

    Times in ms since the Unix epoch, amounts in USD as far as they were visible.
    """

    episode: str
    symbol: str
    position: Position
    direction: Direction
    severity: Severity
    against_map: bool
    stalled: bool
    time: int
    started: int
    price: float
    start_price: float
    extreme_price: float
    speed_bp_per_min: float
    forced_usd_total: float
    forced_usd_60s: float
    peak_forced_usd_60s: float
    complete: bool
    """Every feed behind the amounts shows all liquidations; else they are lower bounds."""

    crossed: tuple[Level, ...]
    next_level: Level | None
