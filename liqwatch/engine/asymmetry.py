"""Shorts above the price against longs below it, in a stated window: which side is heavier."""

from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.events import Position
from liqwatch.map_view import Asymmetry

HOUR_MS = 3_600_000
DAY_HOURS = 24
TOLD_AGAIN_MS = 6 * HOUR_MS


class AsymmetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the map is said to tilt to one side.

    Raises ValueError if a tilt would end as soon as it begins.
    """

    below_pct: Annotated[float, Meta(gt=0, le=29)] = 15.0
    """Longs count from the price down to this far below it …"""

    above_pct: Annotated[float, Meta(gt=0, le=41)] = 15.0
    """… and shorts up to this far above it."""

    ratio: Annotated[float, Meta(gt=1, le=1000)] = 3.0
    """Tilted: one side holds so many times the other …"""

    back_ratio: Annotated[float, Meta(ge=1, le=1000)] = 2.0
    """… and no longer, once it holds less than so many times."""

    after_hours: Annotated[float, Meta(ge=0, le=168)] = 1.0
    """Of a map younger than this no tilt is told."""

    def __post_init__(self) -> None:
        if self.back_ratio >= self.ratio:
            raise ValueError("back_ratio must be below ratio")

    @property
    def window(self) -> str:
        """The window as it is stated beside every ratio."""
        return f"-{self.below_pct:g}%..+{self.above_pct:g}%"

    def ends(self, price: float) -> tuple[float, float]:
        """Return where the window around a price begins and ends."""
        return price * (1 - self.below_pct / 100), price * (1 + self.above_pct / 100)


class Balance(msgspec.Struct):
    """What was read of one coin, and which side was last told to be the heavy one."""

    window: str = ""  # of all that follows: another window begins anew
    heavy: Position | None = None
    begun: bool = False  # the first reading is where we came in, not a change
    told_ms: int | None = None
    newest: Asymmetry | None = None  # about a minute old at most
    ratios: dict[int, float | None] = msgspec.field(default_factory=dict)  # by hour since the epoch

    def read(
        self, short_usd: float, long_usd: float, now_ms: int, settings: AsymmetrySettings
    ) -> Asymmetry:
        """Return both amounts, and their ratio now and a day ago: None where it is unknown."""
        past = self.ratios if self.window == settings.window else {}
        return Asymmetry(
            window=settings.window,
            short_usd=round(short_usd, 2),
            long_usd=round(long_usd, 2),
            ratio=_ratio(short_usd, long_usd),
            ratio_24h_ago=past.get(now_ms // HOUR_MS - DAY_HOURS),
        )

    def update(self, seen: Asymmetry, now_ms: int, settings: AsymmetrySettings) -> bool:
        """Remember a reading; return whether another side is now the heavy one, and it may be told.

        What may not be told yet is told later, if it then still holds.
        """
        if self.window != seen.window:
            self.window, self.begun = seen.window, False
            self.ratios.clear()
        self._remember(seen, now_ms // HOUR_MS)
        heavy = heavy_side(seen.short_usd, seen.long_usd, self.heavy, settings)
        if not self.begun:
            self.begun, self.heavy = True, heavy
        if heavy is self.heavy:
            return False
        if self.told_ms is not None and now_ms - self.told_ms < TOLD_AGAIN_MS:
            return False
        self.heavy, self.told_ms = heavy, now_ms
        return True

    def _remember(self, seen: Asymmetry, hour: int) -> None:
        self.ratios.setdefault(hour, seen.ratio)
        for old in [one for one in self.ratios if one < hour - DAY_HOURS]:
            del self.ratios[old]


def heavy_side(
    short_usd: float, long_usd: float, was: Position | None, settings: AsymmetrySettings
) -> Position | None:
    """Return the side that outweighs the other; the one that did so needs less to go on.

    >>> heavy_side(2.5e9, 1e9, None, AsymmetrySettings()) is None
    True
    >>> heavy_side(2.5e9, 1e9, Position.SHORT, AsymmetrySettings())
    <Position.SHORT: 'short'>
    """
    sides = ((Position.SHORT, short_usd, long_usd), (Position.LONG, long_usd, short_usd))
    for position, here, there in sides:
        times = settings.back_ratio if was is position else settings.ratio
        if here > 0 and here >= times * there:
            return position
    return None


def _ratio(short_usd: float, long_usd: float) -> float | None:
    return float(f"{short_usd / long_usd:.3g}") if short_usd > 0 and long_usd > 0 else None
