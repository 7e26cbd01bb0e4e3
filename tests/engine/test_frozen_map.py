from math import exp

import pytest

from liqwatch.engine.frozen_map import (
    REACH,
    WIDTH,
    FrozenMap,
    Profile,
    _resample,
    bucket_key,
    freeze,
)
from liqwatch.events import Position

PRICE = exp(4320.5 * WIDTH)  # 49,082: the middle of a bucket
KEY = 4320
EMPTY = Profile(bucket=WIDTH, first_key=KEY, usd=())


def at(distance: float) -> float:
    return PRICE * exp(distance * WIDTH)


def frozen(
    longs: Profile = EMPTY, shorts: Profile = EMPTY, traded: Profile | None = None
) -> FrozenMap:
    return freeze(0, PRICE, longs=longs, shorts=shorts, traded=traded)


def profile(usd: dict[int, float], bucket: float = WIDTH) -> Profile:
    """USD by distance in buckets from the one the price is in."""
    first = bucket_key(PRICE) if bucket == WIDTH else round(KEY * WIDTH / bucket)
    low, high = min(usd), max(usd)
    return Profile(
        bucket=bucket,
        first_key=first + low,
        usd=[usd.get(index, 0.0) for index in range(low, high + 1)],
    )


def held(copy: FrozenMap, position: Position) -> list[int]:
    return [step for step in range(1, REACH + 1) if copy.levels.holds(position, step)]


def test_a_distance_counts_only_on_the_side_that_hurts_and_within_ten_per_cent() -> None:
    copy = frozen()

    assert copy.distance(Position.SHORT, at(1)) == 1
    assert copy.distance(Position.LONG, at(-40)) == 40
    assert copy.distance(Position.SHORT, at(-1)) is None
    assert copy.distance(Position.LONG, at(-41)) is None
    assert copy.distance(Position.LONG, at(0.2)) is None


def test_the_heaviest_tenth_of_each_side_is_kept() -> None:
    usd = {step: float(step % 7) for step in range(-50, 51)}

    copy = frozen(longs=profile(usd), shorts=profile(usd))

    assert held(copy, Position.SHORT) == [6, 13, 20, 27]
    assert held(copy, Position.LONG) == [1, 8, 15, 22]


def test_longs_above_the_price_and_empty_buckets_are_not_named() -> None:
    copy = frozen(longs=profile({5: 9.0, -3: 1.0}), shorts=profile({-5: 9.0, 0: 9.0}))

    assert held(copy, Position.LONG) == [3]
    assert held(copy, Position.SHORT) == []


@pytest.mark.parametrize("bucket", [0.0005, 0.001, 0.00125, 0.002])
def test_finer_buckets_are_poured_into_ours_without_favouring_any(bucket: float) -> None:
    fine = round(WIDTH * REACH / bucket) + 10
    flat = profile(dict.fromkeys(range(fine), bucket), bucket)

    assert _resample(flat, KEY) == pytest.approx([WIDTH] * REACH)


def test_a_fine_bucket_goes_nowhere_else() -> None:
    assert held(frozen(shorts=profile({50: 1.0}, bucket=0.001)), Position.SHORT) == [20]


def test_round_numbers_are_the_roundest_near_the_price() -> None:
    copy = frozen()

    caught = {
        number: copy.round_numbers.holds(Position.SHORT, copy.distance(Position.SHORT, number) or 0)
        for number in (50_000.0, 51_000.0, 50_500.0, 53_700.0)
    }

    assert caught == {50_000.0: True, 51_000.0: True, 50_500.0: False, 53_700.0: False}


@pytest.mark.parametrize("price", [1e-6, 0.0314, 1.0, 3.3, 123_456.0, 9.99e7])
def test_any_price_has_its_round_numbers(price: float) -> None:
    copy = freeze(0, price, longs=EMPTY, shorts=EMPTY, traded=None)

    assert copy.round_numbers.below.bit_count() == copy.round_numbers.above.bit_count() == 4


def test_the_volume_profile_is_one_for_both_sides() -> None:
    copy = frozen(traded=profile({-2: 5.0, 3: 5.0}))

    assert copy.traded is not None
    assert copy.traded.holds(Position.LONG, 2)
    assert copy.traded.holds(Position.SHORT, 3)
    assert not copy.traded.holds(Position.SHORT, 2)
