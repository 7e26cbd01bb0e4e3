"""What a person wants to hear nothing of, for a while."""

import msgspec

from liqwatch.alerts import Kind, Level

LEVEL_KINDS = frozenset({Kind.LEVEL_APPROACHED, Kind.LEVEL_VERDICT})
DRIFT = 1e-3  # edges of a cluster move by a bucket as the map is estimated anew


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A mute: of everything, or of what all of its parts that are set agree on.

    `level` is (low, high) of a price zone, and mutes what is said of levels there, not a cascade.
    Times in ms since the Unix epoch. Raises ValueError for a level without its coin.
    """

    who: str
    since_ms: int
    until_ms: int
    symbol: str | None = None
    level: tuple[float, float] | None = None
    kind: Kind | None = None

    def __post_init__(self) -> None:
        if self.level is not None and self.symbol is None:
            raise ValueError("a level is one of a coin")

    @property
    def id(self) -> str:
        """What it mutes, as one word: to mute the same again is to change this silence."""
        level = None if self.level is None else "-".join(f"{edge:.10g}" for edge in self.level)
        return ":".join(part for part in (self.symbol, level, self.kind) if part) or "all"

    @property
    def subject(self) -> str | None:
        """What it mutes, for a person; None: everything."""
        level = None
        if self.level is not None:
            level = "–".join(dict.fromkeys(f"{edge:,.10g}" for edge in self.level))
        kind = self.kind and self.kind.replace("_", " ")
        return " ".join(part for part in (self.symbol, level, kind) if part) or None

    def covers(self, symbol: str | None, kind: Kind, level: Level | None) -> bool:
        """Return whether it mutes that; symbol None: no coin's, nor the market's story."""
        if self.symbol is not None and symbol != self.symbol:
            return False
        if self.kind is not None and kind is not self.kind:
            return False
        if self.level is None:
            return True
        low, high = self.level
        return (
            kind in LEVEL_KINDS
            and level is not None
            and level.low <= high * (1 + DRIFT)
            and level.high >= low * (1 - DRIFT)
        )
