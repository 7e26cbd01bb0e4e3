"""What each watched level and named cluster did when price came: approached, tested, crossed, and
the verdict.
"""

from enum import StrEnum
from math import log
from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.alerts import Direction, Verdict
from liqwatch.engine.clusters import Zone

TOWARDS_Z60 = 1.0
CROSSED_S = 2  # beyond the far edge for so long
CARRIED_SIGMA = 1.0  # beyond the level: a cascade that stops right behind it did not go through
FORGET_S = 86_400  # approaches older than a day no longer count


class LevelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a level is near, and how what it did is judged. Distances are sigmas of a five-minute
    move.
    """

    approach_sigma: Annotated[float, Meta(gt=0, le=50)] = 4.0
    """Approached: nearer than this, and price moving towards it."""

    leave_sigma: Annotated[float, Meta(gt=0, le=100)] = 6.0
    """Left alone: farther than this."""

    test_sigma: Annotated[float, Meta(gt=0, le=10)] = 0.75
    """Tested: nearer than this."""

    retreat_sigma: Annotated[float, Meta(gt=0, le=50)] = 1.75
    """Turned back: this far away again …"""

    retreat_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    """… for so long."""

    verdict_s: Annotated[int, Meta(ge=10, le=7200)] = 300
    """Time after a test or a crossing in which something must come of it."""

    faster_sigma: Annotated[float, Meta(gt=0, le=100)] = 1.25
    """Accelerated: half a minute beyond the level carries price so much farther than the half
    minute before it did, or a cascade runs through it.
    """

    rearm_s: Annotated[int, Meta(ge=0, le=86400)] = 300
    """The same level is announced at most once in this time."""


class Phase(StrEnum):
    """How far price has come."""

    FAR = "far"
    APPROACHING = "approaching"
    TESTING = "testing"
    CROSSED = "crossed"
    JUDGED = "judged"  # until price leaves it alone


class Sight(msgspec.Struct, frozen=True):
    """What one second shows of one coin, as far as levels care."""

    now_ms: int
    price: float
    yardstick: float  # one sigma of a five-minute move, log price
    z10: float
    z60: float
    run_30s: float  # log price, up is positive
    speed_bp_per_min: float
    forced_total_usd: dict[Direction, float]
    cascading: frozenset[Direction]


class LevelWatch(msgspec.Struct):
    """One zone, what price is doing about it, and the memory of earlier approaches."""

    zone: Zone
    direction: Direction = Direction.UP  # of a move that would meet it
    phase: Phase = Phase.FAR
    approaches: int = 0
    activated: int = 0
    first_ms: int = 0  # of the remembered approaches
    approach_ms: int = 0
    announced_ms: int = 0
    tested_ms: int = 0
    crossed_ms: int = 0
    judged_ms: int = 0
    verdict: Verdict | None = None  # on the newest approach
    last_distance_sigma: float = 0.0
    beyond_s: int = 0
    away_s: int = 0
    closest: float = 0.0  # log distance; negative beyond
    speed_before_bp_per_min: float = 0.0
    z10_before: float = 0.0
    came: float = 0.0  # log price in the half minute before it was crossed, towards it
    forced_before_usd: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is pending."""
        return self.phase in {Phase.FAR, Phase.JUDGED}

    @property
    def reached(self) -> bool:
        """Whether the newest approach came as far as the level."""
        return max(self.tested_ms, self.crossed_ms) >= self.approach_ms > 0

    def distance(self, price: float) -> float:
        """Log distance to the near edge; negative once beyond it."""
        return log(self.zone.near_edge(self.direction) / price) * self.direction.sign

    def update(self, sight: Sight, settings: LevelSettings) -> Verdict | bool:
        """Take one second; return True for a new approach, a Verdict when due, else False."""
        match self.phase:
            case Phase.FAR:
                return self._far(sight, settings)
            case Phase.APPROACHING | Phase.TESTING:
                return self._near(sight, settings)
            case Phase.CROSSED:
                return self._crossed(sight, settings)
            case Phase.JUDGED:
                return self._judged(sight, settings)

    def reset(self, price: float) -> None:
        """Begin anew from wherever price stands; the memory of approaches stays.

        A watched price is met from where price is; a cluster only by the move that sets it off.
        """
        self.phase, self.last_distance_sigma = Phase.FAR, 0.0
        if self.zone.position is None:
            self.direction = Direction.UP if price < self.zone.low else Direction.DOWN
        else:
            self.direction = Direction.of(self.zone.position)

    def _far(self, sight: Sight, settings: LevelSettings) -> bool:
        distance = self.distance(sight.price) / sight.yardstick
        came_from, self.last_distance_sigma = self.last_distance_sigma, distance
        if came_from <= settings.test_sigma:  # where it is first seen is no approach
            if distance <= 0 and self.zone.position is None:
                self.reset(sight.price)
            return False
        towards = sight.z60 * self.direction.sign > TOWARDS_Z60
        reached = distance <= settings.test_sigma
        if not reached and (distance > settings.approach_sigma or not towards):
            return False
        self._approach(sight)
        if distance < -settings.test_sigma:  # over it within a second: nothing left to announce
            self._cross(sight)
            return False
        return True

    def _judged(self, sight: Sight, settings: LevelSettings) -> bool:
        """Wait until price has left it alone; a new attempt from a distance is a new approach."""
        away = abs(self.distance(sight.price))
        if away > settings.leave_sigma * sight.yardstick:
            self.reset(sight.price)
        elif away > settings.retreat_sigma * sight.yardstick:
            self.away_s += 1
        elif away <= settings.test_sigma * sight.yardstick and self.away_s >= settings.retreat_s:
            self.reset(sight.price)
            self._approach(sight)
            return True
        return False

    def _approach(self, sight: Sight) -> None:
        if sight.now_ms - self.approach_ms > FORGET_S * 1000:
            self.approaches = self.activated = 0
            self.first_ms = sight.now_ms
        self.approaches += 1
        self.verdict = None
        self.approach_ms = sight.now_ms
        self.phase = Phase.APPROACHING
        self.closest = self.distance(sight.price)
        self.beyond_s = self.away_s = 0
        self.forced_before_usd = sight.forced_total_usd[self.direction]

    def _cross(self, sight: Sight) -> None:
        self.phase, self.crossed_ms = Phase.CROSSED, sight.now_ms
        if self.beyond_s == 0:
            self._remember_speed(sight)

    def _remember_speed(self, sight: Sight) -> None:
        self.z10_before = sight.z10 * self.direction.sign
        self.came = max(0.0, sight.run_30s * self.direction.sign + self.distance(sight.price))
        self.speed_before_bp_per_min = sight.speed_bp_per_min * self.direction.sign

    def _near(self, sight: Sight, settings: LevelSettings) -> Verdict | bool:
        distance = self.distance(sight.price)
        self.closest = min(self.closest, distance)
        if self.phase is Phase.APPROACHING and distance <= settings.test_sigma * sight.yardstick:
            self.phase, self.tested_ms = Phase.TESTING, sight.now_ms
        if distance <= 0:
            self.beyond_s += 1
            if self.beyond_s == 1:
                self._remember_speed(sight)
            if self.beyond_s >= CROSSED_S:
                self._cross(sight)
            return False
        self.beyond_s = 0
        if self.phase is Phase.APPROACHING:
            left = distance > settings.leave_sigma * sight.yardstick
            return self._judge(Verdict.FADED, sight) if left else False
        if sight.now_ms - self.tested_ms >= settings.verdict_s * 1000:
            return self._judge(Verdict.FADED, sight)
        return self._turned_back(sight, settings)

    def _turned_back(self, sight: Sight, settings: LevelSettings) -> Verdict | bool:
        away = self.distance(sight.price) > settings.retreat_sigma * sight.yardstick
        self.away_s = self.away_s + 1 if away else 0
        return self._judge(Verdict.REVERSED, sight) if self.away_s >= settings.retreat_s else False

    def _crossed(self, sight: Sight, settings: LevelSettings) -> Verdict | bool:
        self.closest = min(self.closest, self.distance(sight.price))
        if self._runs(sight, settings):
            self.activated += 1
            return self._judge(Verdict.ACCELERATED, sight)
        if sight.now_ms - self.crossed_ms >= settings.verdict_s * 1000:
            return self._judge(Verdict.FADED, sight)
        return self._turned_back(sight, settings)

    def _runs(self, sight: Sight, settings: LevelSettings) -> bool:
        """Return whether price goes on faster than it came, or a cascade carries it on."""
        beyond = -self.distance(sight.price)
        carried = self.direction in sight.cascading and beyond > CARRIED_SIGMA * sight.yardstick
        return carried or self.ran(sight) - self.came >= settings.faster_sigma * sight.yardstick

    def ran(self, sight: Sight) -> float:
        """Return the log price covered in the last half minute, as far as it lies beyond the
        level.
        """
        return min(sight.run_30s * self.direction.sign, -self.distance(sight.price))

    def _judge(self, verdict: Verdict, sight: Sight) -> Verdict:
        self.phase, self.verdict, self.judged_ms = Phase.JUDGED, verdict, sight.now_ms
        return verdict

    def may_announce(self, now_ms: int, settings: LevelSettings) -> bool:
        """Return whether this approach is to be told, and remember that it was."""
        if self.announced_ms and now_ms - self.announced_ms < settings.rearm_s * 1000:
            return False
        self.announced_ms = now_ms
        return True
