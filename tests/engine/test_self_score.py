from collections.abc import Callable, Iterator
from math import exp, floor
from random import Random

import msgspec
import pytest

from liqwatch.engine.frozen_map import WIDTH, Profile
from liqwatch.engine.self_score import DAYS, SelfScore, Verdict, judged_price, wilson
from liqwatch.events import Completeness, Liquidation, Mechanism, Position, PriceKind

MINUTE_MS = 60_000
DAY_MS = 86_400_000
KEY = 4320  # price begins at 49,082
SPAN = 42  # buckets to each side that the map is asked for
EMPTY = Profile(bucket=WIDTH, first_key=KEY, usd=())

Mass = dict[Position, dict[int, float]]
Shown = Callable[[Mass, int], Mass]


def price_of(key: float) -> float:
    return exp((key + 0.5) * WIDTH)


class World:
    """Price wanders; whom it passes is liquidated, and others open elsewhere.

    `show` makes the map out of the truth and the bucket of the price.
    """

    def __init__(self, seed: int, show: Shown) -> None:
        self._rng = Random(seed)
        self._show = show
        self._at = 0.0  # buckets from KEY
        self._truth = {position: self._draw() for position in Position}

    def _draw(self) -> dict[int, float]:
        return {key: self._mass() for key in range(KEY - 400, KEY + 400)}

    def _mass(self) -> float:
        return 1e6 * self._rng.lognormvariate(0, 2)

    def live(self, score: SelfScore, days: float, start_ms: int = 0) -> SelfScore:
        here = floor(self._at) + KEY
        for now_ms in range(start_ms, start_ms + int(days * DAY_MS), 60 * MINUTE_MS):
            longs, shorts = self._show(self._truth, here).values()
            score.freeze(
                now_ms, price_of(here), longs=dense(longs, here), shorts=dense(shorts, here)
            )
            before = here
            self._at += self._rng.gauss(0, 3) - 6e-3 * self._at
            here = floor(self._at) + KEY
            for order in self._sweep(before, here, now_ms + 59 * MINUTE_MS):
                score.forced(*order)
        return score

    def _sweep(
        self, before: int, here: int, now_ms: int
    ) -> Iterator[tuple[int, Position, float, float]]:
        step = 1 if here > before else -1
        position = Position.SHORT if step > 0 else Position.LONG
        for key in range(before + step, here + step, step) if here != before else ():
            usd = self._truth[position].get(key, 0.0)
            for number in range(3):
                yield now_ms + number, position, price_of(key), usd / 3
            self._truth[position][key] = 1e4 * self._rng.random()
            elsewhere = key + self._rng.choice((-1, 1)) * self._rng.randrange(20, 60)
            self._truth[position][elsewhere] = self._mass()


def dense(mass: dict[int, float], here: int) -> Profile:
    keys = range(here - SPAN, here + SPAN + 1)
    return Profile(bucket=WIDTH, first_key=here - SPAN, usd=[mass.get(key, 0.0) for key in keys])


def perfect(truth: Mass, _: int) -> Mass:
    return truth


def mirrored(truth: Mass, here: int) -> Mass:
    near = range(here - SPAN, here + SPAN + 1)
    longs, shorts = truth.values()
    return {
        Position.LONG: {key: shorts.get(2 * here - key, 0.0) for key in near},
        Position.SHORT: {key: longs.get(2 * here - key, 0.0) for key in near},
    }


def random(seed: int) -> Shown:
    """A map that changes, but not with the world."""
    rng = Random(seed)
    shown: Mass = {}
    asked = 0

    def show(_truth: Mass, _here: int) -> Mass:
        nonlocal asked
        if asked % 24 == 0:
            for position in Position:
                shown[position] = {
                    key: rng.lognormvariate(0, 1.5) for key in range(KEY - 400, KEY + 400)
                }
        asked += 1
        return shown

    return show


def nearest(_: Mass, here: int) -> Mass:
    """A map that says: wherever price is, right beside it."""
    return {
        position: {here + step: exp(-abs(step)) for step in range(-SPAN, SPAN + 1)}
        for position in Position
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_map_is_graded_a(seed: int) -> None:
    score = World(seed, perfect).live(SelfScore(), DAYS).report()

    assert score.verdict is Verdict.BETTER
    assert score.grade == "A"
    assert score.names_levels
    assert score.top_decile_share is not None
    assert score.round_share is not None
    assert score.top_decile_share > 2 * score.round_share


@pytest.mark.parametrize("kind", ["mirrored", "random", "nearest"])
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_map_is_no_better_than_chance_and_names_nothing(seed: int, kind: str) -> None:
    show = {"mirrored": mirrored, "random": random(seed + 50), "nearest": nearest}[kind]

    score = World(seed, show).live(SelfScore(), DAYS).report()

    assert score.events >= 50
    assert score.verdict is Verdict.NOT_BETTER
    assert score.grade == "E"
    assert not score.names_levels


def test_a_map_that_is_only_near_catches_much_and_is_not_praised_for_it() -> None:
    score = World(1, nearest).live(SelfScore(), DAYS).report()

    assert score.top_decile_share is not None
    assert score.top_decile_share > 0.5
    assert score.distance_share == pytest.approx(score.top_decile_share)


def test_few_events_are_no_verdict() -> None:
    score = World(1, mirrored).live(SelfScore(), 1.5).report()

    assert 0 < score.events < 50
    assert score.verdict is Verdict.TOO_FEW
    assert score.grade is None
    assert score.names_levels


def test_bounds_close_in_with_events() -> None:
    short, long = (World(2, perfect).live(SelfScore(), days).report() for days in (3, DAYS))

    def width(low: float | None, high: float | None) -> float:
        assert low is not None
        assert high is not None
        return high - low

    assert long.events > 2 * short.events
    assert width(long.low, long.high) < width(short.low, short.high)


def test_nothing_seen_is_nothing_known() -> None:
    score = SelfScore().report()

    assert (score.events, score.days, score.verdict) == (0, 0, Verdict.TOO_FEW)
    assert (score.top_decile_share, score.low, score.grade, score.realised_ratio) == (None,) * 4


# -- what is judged, by which map, and how often it counts ----------------------------------------


def named(*distances: int) -> Profile:
    """A map of shorts with mass at these distances above the first price."""
    usd = [1.0 * (step in distances) for step in range(SPAN)]
    return Profile(bucket=WIDTH, first_key=KEY, usd=usd)


def told(score: SelfScore, minute: int, shorts: Profile) -> None:
    score.freeze(minute * MINUTE_MS, price_of(KEY), longs=EMPTY, shorts=shorts)


def forced(score: SelfScore, minute: float, distance: int, usd: float = 1e6) -> None:
    score.forced(int(minute * MINUTE_MS), Position.SHORT, price_of(KEY + distance), usd)


def test_the_oldest_map_of_the_last_hour_is_the_judge() -> None:
    score = SelfScore()
    for minute, distance in ((0, 3), (10, 5), (20, 7)):
        told(score, minute, named(distance))

    forced(score, 59, distance=3)
    assert score.report().top_decile_share == 1.0

    forced(score, 65, distance=5)
    assert score.report().top_decile_share == 1.0

    forced(score, 65, distance=7)
    assert score.report().top_decile_share == pytest.approx(2 / 3)


def test_a_map_cannot_be_judged_by_what_came_before_it_or_long_after() -> None:
    score = SelfScore()
    told(score, 10, named(3))

    forced(score, 10, distance=3)
    forced(score, 71, distance=3)

    assert score.report().judged_share == 0.0


def test_where_price_was_already_or_far_away_is_not_judged() -> None:
    score = SelfScore()
    told(score, 0, named(3))

    for distance in (0, -1, 41):
        forced(score, 5, distance)
    forced(score, 5, distance=40)

    assert score.report().judged_share == 0.25
    assert score.report().top_decile_share == 0.0


def test_a_bucket_counts_once_a_day_however_many_orders_it_sees() -> None:
    score = SelfScore()
    told(score, 0, named(3))
    for number in range(100):
        forced(score, 1 + number / 10, distance=3)
    assert score.report().events == 1

    for number in range(100):
        forced(score, 20 + number / 10, distance=4)
    assert score.report().events == 2

    told(score, 24 * 60, named(3))
    forced(score, 24 * 60 + 1, distance=3, usd=1e8)
    assert score.report().events == 3


def test_one_huge_event_counts_for_ten_and_no_more() -> None:
    score = SelfScore()
    told(score, 0, named(3))
    for distance in range(4, 24):
        forced(score, 1, distance)
    told(score, 10, named(3))

    for _ in range(100):
        forced(score, 11, distance=3, usd=1e8)

    report = score.report()
    assert report.top_decile_share == pytest.approx(10 / 30)
    assert report.usd_share == pytest.approx(1.0, abs=0.01)
    assert report.events == int(30**2 / (20 + 10**2))


def test_orders_of_nothing_are_no_orders() -> None:
    score = SelfScore()
    told(score, 0, named(3))

    forced(score, 1, distance=3, usd=0.0)
    forced(score, 1, distance=3, usd=float("nan"))

    assert score.report().order_share is None


def test_the_month_before_is_forgotten() -> None:
    score = SelfScore()
    for day in range(40):
        told(score, day * 1440, named(3 if day < 10 else 9))
        forced(score, day * 1440 + 5, distance=3)
        score.compare((day * 1440 + 5) * MINUTE_MS, swept_usd=4e6, realised_usd=1e6)

    report = score.report()
    assert len(score.days) == report.days == DAYS
    assert report.top_decile_share == 0.0
    assert report.realised_ratio == 0.25
    assert len(score.frozen) == 1
    assert len(score.today) == 1


def test_the_volume_profile_is_asked_where_there_is_one() -> None:
    score = SelfScore()
    told(score, 0, named(3))
    forced(score, 5, distance=4)
    assert score.report().volume_share is None

    score.traded.add(price_of(KEY + 4), 1e6)
    told(score, 100, named(3))
    forced(score, 105, distance=4)
    assert score.report().volume_share == 1.0


def test_a_map_is_due_every_ten_minutes() -> None:
    score = SelfScore()
    assert score.due(0)

    told(score, 0, EMPTY)

    assert not score.due(10 * MINUTE_MS - 1)
    assert score.due(10 * MINUTE_MS)


def test_a_snapshot_goes_on_bit_for_bit() -> None:
    world, twin = World(3, perfect), World(3, perfect)
    whole = world.live(SelfScore(), 3)
    half = twin.live(SelfScore(), 1.5)

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(half), type=SelfScore)
    twin.live(again, 1.5, start_ms=int(1.5 * DAY_MS))

    assert again == whole
    assert again.report() == whole.report()


def test_a_snapshot_stays_small() -> None:
    score = World(3, perfect).live(SelfScore(), DAYS + 5)

    assert len(msgspec.msgpack.encode(score)) < 12_000


def test_only_fills_are_prices_and_only_news_through_the_book_is_judged() -> None:
    fill = Liquidation(
        venue="bybit",
        symbol="BTC",
        instrument="BTCUSDT",
        time=1,
        received=1,
        position=Position.LONG,
        size=1.0,
        price=50_000.0,
        price_kind=PriceKind.FILL,
        notional_usd=50_000.0,
        completeness=Completeness.FULL,
    )
    bankrupt = msgspec.structs.replace(fill, price_kind=PriceKind.BANKRUPTCY)

    assert judged_price(fill, 50_100.0) == 50_000.0
    assert judged_price(bankrupt, 50_100.0) == 50_100.0
    assert judged_price(bankrupt, None) is None
    assert judged_price(msgspec.structs.replace(fill, history=True), 50_100.0) is None
    adl = msgspec.structs.replace(fill, mechanism=Mechanism.ADL)
    assert judged_price(adl, 50_100.0) is None


def test_wilson_bounds_are_those_of_the_textbook() -> None:
    assert wilson(0.31, 412) == pytest.approx((0.267, 0.356), abs=1e-3)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)
