"""What really happened in a simulated market, as only its twin can tell."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from liqwatch.alerts import Direction
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.world import Step, World

LEG = 0.004  # forced displacement (log price) that makes a cascade
MINOR_LEG = 0.002  # … and what nobody should be blamed for calling one, or for not
_ONSET_SHARE, _END_SHARE = 0.10, 0.95
_OWN_PUSH = 0.5  # of a leg must be pushed by forced orders then; the rest is others' decay
_BEFORE_MS = 60_000
_NEAR_BP, _AWAY_BP, _BEYOND_BP = 25.0, 50.0, 2.0


class Leg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch in which forced orders pushed the price one way. Times are ms since the epoch."""

    symbol: str
    direction: Direction
    onset_ms: int  # a tenth of the displacement is there
    end_ms: int  # 95 % of it are
    start_price: float  # at the onset
    extreme_price: float
    displacement: float  # log price pushed by forced orders alone
    forced_usd: float  # closed by force on the book during the leg
    deleveraged_usd: int = 0  # … and beside it, against winners, which pushes nothing
    minor: bool  # too small to be asked for
    path_begin_ms: int
    path: list[float]  # share of the displacement that was there, second by second

    def share_gone(self, time_ms: int) -> float:
        """Share of the forced move that was over at that time."""
        second = (time_ms - self.path_begin_ms) // 1000
        if second < 0:
            return 0.0
        return self.path[second] if second < len(self.path) else 1.0


class Visit(msgspec.Struct):
    """Price came near a level, then crossed it or turned back (None: did not, or not yet)."""

    approached_ms: int
    closest_price: float
    crossed_ms: int | None = None
    rejected_ms: int | None = None


class LevelTruth(msgspec.Struct):
    """A level where liquidations are stacked, and every visit of the price."""

    symbol: str
    price: float
    direction: Direction  # the way in which it is crossed
    visits: list[Visit] = []


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The truth file: everything alerts of a simulated market can be held against."""

    scenario: str
    seed: int
    symbols: list[str]
    begin_ms: int
    end_ms: int
    legs: list[Leg]
    levels: list[LevelTruth]


class Witness:
    """Watches one coin, step by step, and tells its legs and level afterwards."""

    def __init__(self, world: World) -> None:
        self._symbol = world.plan.coin.symbol
        self._begin_ms = world.time_ms
        self._displacements = [0.0]
        self._impulses = [0.0]  # of all forced orders so far, nothing decayed
        self._forced_usd = [0.0]
        self._deleveraged_usd = [0.0]
        self._prices = [world.market.price]
        self.level: LevelTruth | None = None
        if world.plan.level is not None:
            direction = Direction.UP if world.direction > 0 else Direction.DOWN
            self.level = LevelTruth(self._symbol, world.plan.level, direction)

    def see(self, step: Step) -> None:
        """Take the next step in."""
        self._displacements.append(step.displacement)
        self._impulses.append(self._impulses[-1] + step.forced_impulse)
        forced = sum(order.coins * order.price for venue in step.venues for order in venue.forced)
        self._forced_usd.append(self._forced_usd[-1] + forced)
        deleveraged = sum(venue.deleveraged_usd for venue in step.venues)
        self._deleveraged_usd.append(self._deleveraged_usd[-1] + deleveraged)
        self._prices.append(step.index_price)
        if self.level is not None:
            _visit(self.level, step.time_ms, step.index_price)

    def legs(self) -> list[Leg]:
        """Every leg so far, in order of time."""
        return legs_of(
            Seen(
                symbol=self._symbol,
                begin_ms=self._begin_ms,
                displacements=self._displacements,
                impulses=self._impulses,
                forced_usd=self._forced_usd,
                deleveraged_usd=self._deleveraged_usd,
                prices=self._prices,
            )
        )


class Seen(NamedTuple):
    """A coin's market beside its twin, one value a step of a quarter of a second."""

    symbol: str
    begin_ms: int
    displacements: Sequence[float]  # log price: the market against its twin
    impulses: Sequence[float]  # pushed by all forced orders so far, nothing decayed
    forced_usd: Sequence[float]  # so far
    prices: Sequence[float]
    deleveraged_usd: Sequence[float] = ()  # so far; empty: nobody is deleveraged

    def time_ms(self, index: int) -> int:
        """When a step was."""
        return self.begin_ms + index * STEP_MS


def legs_of(seen: Seen, leg: float = LEG, minor_leg: float = MINOR_LEG) -> list[Leg]:
    """Return the legs in order of time, by how large a displacement must be to be one."""
    spans = [span for span in _swings(seen.displacements, leg) if _is_pushed(seen, span)]
    minor = [
        (first, last)
        for first, last in _swings(seen.displacements, minor_leg)
        if _is_pushed(seen, (first, last))
        and not any(first < end and begin < last for begin, end in spans)
    ]
    return sorted(
        [_leg(seen, span, minor=False) for span in spans]
        + [_leg(seen, span, minor=True) for span in minor],
        key=lambda leg: leg.onset_ms,
    )


def _is_pushed(seen: Seen, span: tuple[int, int]) -> bool:
    # A displacement that fades is a swing as well, and no cascade.
    first, last = span
    move = seen.displacements[last] - seen.displacements[first]
    return (seen.impulses[last] - seen.impulses[first]) / move >= _OWN_PUSH


def _leg(seen: Seen, span: tuple[int, int], *, minor: bool) -> Leg:
    first, last = span
    base = seen.displacements[first]
    move = seen.displacements[last] - base
    shares = [(value - base) / move for value in seen.displacements[first : last + 1]]
    onset = first + max(i for i, share in enumerate(shares) if share < _ONSET_SHARE)
    end = first + next(i for i, share in enumerate(shares) if share >= _END_SHARE)
    path_begin = max(first, onset - _BEFORE_MS // STEP_MS)
    return Leg(
        symbol=seen.symbol,
        direction=Direction.UP if move > 0 else Direction.DOWN,
        onset_ms=seen.time_ms(onset),
        end_ms=seen.time_ms(end),
        start_price=round(seen.prices[onset], 2),
        extreme_price=round((max if move > 0 else min)(seen.prices[onset : last + 1]), 2),
        displacement=round(abs(move), 6),
        forced_usd=round(seen.forced_usd[last] - seen.forced_usd[first]),
        deleveraged_usd=round(beside[last] - beside[first])
        if (beside := seen.deleveraged_usd)
        else 0,
        minor=minor,
        path_begin_ms=seen.time_ms(path_begin),
        path=[round(share, 4) for share in shares[path_begin - first :: 1000 // STEP_MS]],
    )


def _visit(level: LevelTruth, time_ms: int, price: float) -> None:
    gap_bp = level.direction.sign * math.log(level.price / price) * 1e4
    visit = level.visits[-1] if level.visits else None
    if visit is None or visit.rejected_ms is not None:
        if 0 <= gap_bp <= _NEAR_BP:
            level.visits.append(Visit(time_ms, price))
        return
    if visit.crossed_ms is not None:
        return  # what was stacked there is gone
    visit.closest_price = min(visit.closest_price, price, key=lambda p: abs(p - level.price))
    if gap_bp < -_BEYOND_BP:
        visit.crossed_ms = time_ms
    elif gap_bp > _AWAY_BP:
        visit.rejected_ms = time_ms


def _swings(values: Sequence[float], size: float) -> Iterator[tuple[int, int]]:
    # Zig-zag: alternating extremes, each at least `size` away from the one before, as index pairs.
    low = high = extreme = begin = 0
    direction = 0
    for i, value in enumerate(values):
        if direction == 0:
            low = i if value <= values[low] else low
            high = i if value >= values[high] else high
            if values[high] - values[low] >= size:
                direction = 1 if high > low else -1
                begin, extreme = (low, high) if direction > 0 else (high, low)
        elif direction * (value - values[extreme]) > 0:
            extreme = i
        elif direction * (values[extreme] - value) >= size:
            yield begin, extreme
            begin, extreme, direction = extreme, i, -direction
    if direction != 0:
        yield begin, extreme
