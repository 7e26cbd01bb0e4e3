"""How good the map has been: where people were liquidated, held against where it said they would
be.
"""

from enum import StrEnum
from math import sqrt
from typing import Literal

import msgspec

from liqwatch.engine.frozen_map import REACH, TOP, FrozenMap, Profile, bucket_key, freeze
from liqwatch.engine.traded import Traded
from liqwatch.events import Liquidation, Mechanism, Position, PriceKind

FREEZE_EVERY_MS = 600_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAYS = 30
UNIFORM_SHARE = TOP / REACH
USUAL_GAIN = FREEZE_EVERY_MS / (DAYS * DAY_MS)
CAP_EVENTS = 10.0  # mean events that one may count for
ENOUGH_EVENTS = 50  # a map that catches twice what chance does is then seen to be better
CONFIDENCE = 1.96  # standard normal deviate of 95 %, two-sided

Grade = Literal["A", "B", "C", "D", "E"]
_BOOK, _FILL = Mechanism.BOOK, PriceKind.FILL  # slow to find by their class (Python 3.11)
GRADES: tuple[tuple[float, Grade], ...] = ((3.5, "A"), (2.0, "B"), (1.4, "C"), (1.0, "D"))


class Verdict(StrEnum):
    """What may be said of a map."""

    BETTER = "better than chance"
    NOT_BETTER = "not better than chance"
    TOO_FEW = "too few events"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How good one symbol's map has been in the last 30 days. What is not known is None.

    Shares are of forced USD that fell in the heaviest tenth of a map's buckets, no event counting
    for more than ten where not said otherwise.
    """

    events: int  # effective, see SelfScore
    top_decile_share: float | None  # of the map
    uniform_share: float = UNIFORM_SHARE  # of a map that knows nothing
    low: float | None  # 95 % bounds of top_decile_share
    high: float | None
    grade: Grade | None
    days: int  # looked back on
    verdict: Verdict
    distance_share: float | None  # of a map that knows only which distances are usually heavy
    round_share: float | None  # of round numbers
    volume_share: float | None  # of the volume profile
    usd_share: float | None  # of the map, all USD alike
    order_share: float | None  # of the map, all orders alike
    judged_share: float | None  # of forced USD that a map could be asked about
    realised_ratio: float | None  # forced over swept USD

    @property
    def names_levels(self) -> bool:
        """Whether the map may name levels by itself: not after it failed with enough events."""
        return self.verdict is not Verdict.NOT_BETTER


class Day(msgspec.Struct):
    """One day's sums. An event weighs its USD, but no more than ten mean ones."""

    number: int = 0  # days since the epoch
    weight: float = 0.0
    squares: float = 0.0  # of the weights of single events
    caught: float = 0.0  # weight that the map caught, and so on
    usual: float = 0.0
    round_numbers: float = 0.0
    traded: float = 0.0
    weight_traded: float = 0.0  # of those with a volume profile
    events: int = 0  # buckets of a side that saw orders
    orders: int = 0
    caught_orders: int = 0
    judged_usd: float = 0.0
    caught_usd: float = 0.0
    unjudged_usd: float = 0.0
    swept_usd: float = 0.0
    realised_usd: float = 0.0


class SelfScore(msgspec.Struct):
    """Judges the map of one symbol by the forced orders of the last 30 days.

    Every ten minutes the map within 10 % of the price is frozen: which tenth of the 25 bp buckets
    of each side is heaviest. A forced order is judged once, by the oldest copy of the last hour, so
    by what the map said before price got there. Orders in the bucket where price stood already, or
    beyond 10 %, are not judged; `judged_share` tells how much is left.

    Near buckets are hit more often than far ones, so a tenth is not what chance would catch. Chance
    is the better of a tenth and of a map that knows only distances: an order at distance k counts
    with the share of copies, of both sides, in which the bucket at distance k was among the
    heaviest. A map that is only near, or only far, or mirrored, is no better than that. Nor is one
    that never moves over a price that hardly does, however right it is.

    All orders of a bucket get much the same answer all day, be they one burst or a hundred, so an
    event is one bucket of one side on one day. It weighs its USD, but no more than ten times the
    mean event so far, or the largest cascade would decide the month alone. The effective number of
    events is Kish's, (sum of weights)^2 / sum of weights^2, and the bounds are Wilson's with that
    number: of 140 simulated months with a wrong map (random, mirrored or standing still), 2 were
    called better than chance; of 47 with the true one, 44.

    Better than chance: the lower bound is above chance, with fifty events or more. The grade is the
    odds of the lower bound over those of chance: A from 3.5, B from 2, C from 1.4, D above 1; E is
    not better.

    Sources: Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Kish, Survey Sampling (1965).
    """

    frozen: list[FrozenMap] = msgspec.field(default_factory=list)  # of the last hour
    copies: int = 0  # ever
    usual: list[float] = msgspec.field(default_factory=lambda: [0.0] * REACH)  # by distance
    days: list[Day] = msgspec.field(default_factory=list)
    today: dict[int, float] = msgspec.field(default_factory=dict)  # weight by bucket and side
    cap_usd: float = float("inf")  # of the weight of an event
    traded: Traded = msgspec.field(default_factory=Traded)  # fed with every second's volume

    def due(self, time_ms: int) -> bool:
        """Return whether the map should be frozen again."""
        return not self.frozen or time_ms - self.frozen[-1].time_ms >= FREEZE_EVERY_MS

    def freeze(
        self,
        time_ms: int,
        price: float,
        *,
        longs: Profile,
        shorts: Profile,
    ) -> None:
        """Keep what the map says now; call it when it is due and the feeds are well."""
        traded = self.traded.profile(time_ms, price)
        copy = freeze(time_ms, price, longs=longs, shorts=shorts, traded=traded)
        self._day(time_ms)
        self.frozen = [old for old in self.frozen if time_ms - old.time_ms < HOUR_MS]
        self.frozen.append(copy)
        self.copies += 1
        gain = max(1 / self.copies, USUAL_GAIN)
        for index in range(REACH):
            heavy = (copy.levels.below >> index & 1) + (copy.levels.above >> index & 1)
            self.usual[index] += (heavy / 2 - self.usual[index]) * gain
        month = _sum(self.days)
        if month.events:
            self.cap_usd = CAP_EVENTS * month.judged_usd / month.events

    def forced(self, time_ms: int, position: Position, price: float, usd: float) -> None:
        """Judge a forced order; `price` is what `judged_price` returns."""
        if not usd > 0:
            return
        day = self._day(time_ms)
        copy = self._copy_before(time_ms)
        distance = None if copy is None else copy.distance(position, price)
        if copy is None or distance is None:
            day.unjudged_usd += usd
            return
        weight = self._weigh(day, 2 * bucket_key(price) + (position is Position.SHORT), usd)
        caught = copy.levels.holds(position, distance)
        day.weight += weight
        day.caught += weight * caught
        day.usual += weight * self.usual[distance - 1]
        day.round_numbers += weight * copy.round_numbers.holds(position, distance)
        if copy.traded is not None:
            day.weight_traded += weight
            day.traded += weight * copy.traded.holds(position, distance)
        day.orders += 1
        day.caught_orders += caught
        day.judged_usd += usd
        day.caught_usd += usd * caught

    def _copy_before(self, time_ms: int) -> FrozenMap | None:
        """Return the oldest copy of the hour before."""
        for copy in self.frozen:
            if time_ms - HOUR_MS <= copy.time_ms < time_ms:
                return copy
        return None

    def _weigh(self, day: Day, event: int, usd: float) -> float:
        """Return by how much the weight of an event grows with these USD."""
        day.events += event not in self.today
        before = self.today.get(event, 0.0)
        added = min(usd, max(0.0, self.cap_usd - before))
        self.today[event] = before + added
        day.squares += added * (2 * before + added)
        return added

    def compare(self, time_ms: int, swept_usd: float, realised_usd: float) -> None:
        """Take what price swept, as calibrated, and what was forced, on venues that show all."""
        day = self._day(time_ms)
        day.swept_usd += swept_usd
        day.realised_usd += realised_usd

    def _day(self, time_ms: int) -> Day:
        number = time_ms // DAY_MS
        if not self.days or number > self.days[-1].number:
            self.days = [day for day in self.days if day.number > number - DAYS]
            self.days.append(Day(number=number))
            self.today = {}
        return self.days[-1]  # what comes late from yesterday counts today

    def report(self) -> Score:
        """Return the score of the days remembered."""
        month = _sum(self.days)
        share = _ratio(month.caught, month.weight)
        distance_share = _ratio(month.usual, month.weight)
        events = _ratio(month.weight**2, month.squares) or 0.0
        low, high = (None, None) if share is None else wilson(share, events)
        chance = max(UNIFORM_SHARE, distance_share or 0.0)
        verdict, grade = Verdict.TOO_FEW, None
        if low is not None and events >= ENOUGH_EVENTS:
            verdict = Verdict.BETTER if low > chance else Verdict.NOT_BETTER
            grade = _grade(low, chance)
        return Score(
            events=int(events),
            top_decile_share=share,
            low=low,
            high=high,
            grade=grade,
            days=self.days[-1].number - self.days[0].number + 1 if self.days else 0,
            verdict=verdict,
            distance_share=distance_share,
            round_share=_ratio(month.round_numbers, month.weight),
            volume_share=_ratio(month.traded, month.weight_traded),
            order_share=_ratio(month.caught_orders, month.orders),
            usd_share=_ratio(month.caught_usd, month.judged_usd),
            judged_share=_ratio(month.judged_usd, month.judged_usd + month.unjudged_usd),
            realised_ratio=_ratio(month.realised_usd, month.swept_usd),
        )


def judged_price(liquidation: Liquidation, mark: float | None) -> float | None:
    """Return where a liquidation is to be judged; None if it is not, or nobody knows where.

    Judged are those that are news and went through the book. Only a fill is a price people traded
    at; for the other kinds the mark (or last) price at the time is closer to where it was set off.
    """
    if liquidation.history or liquidation.mechanism is not _BOOK:
        return None
    return liquidation.price if liquidation.price_kind is _FILL else mark


def wilson(share: float, events: float) -> tuple[float, float]:
    """Return the 95 % bounds of a share of so many events, more than none."""
    z2 = CONFIDENCE**2 / events
    middle = share + z2 / 2
    spread = sqrt(z2 * (share * (1 - share) + z2 / 4))
    return max(0.0, (middle - spread) / (1 + z2)), min(1.0, (middle + spread) / (1 + z2))


def _sum(days: list[Day]) -> Day:
    columns = zip(*(msgspec.structs.astuple(day) for day in days), strict=True)
    return Day(*(sum(column) for column in columns))


def _grade(low: float, chance: float) -> Grade:
    times = _odds(low) / _odds(chance)
    return next((grade for least, grade in GRADES if times >= least and low > chance), "E")


def _odds(share: float) -> float:
    return share / max(1e-9, 1 - share)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
