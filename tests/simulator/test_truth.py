import msgspec

from liqwatch.alerts import Direction
from liqwatch.simulator.truth import Leg, LevelTruth, Truth, _swings, _visit


def leg(**changes: object) -> Leg:
    plain = Leg(
        symbol="BTC",
        direction=Direction.UP,
        onset_ms=101_000,
        end_ms=104_000,
        start_price=100.0,
        extreme_price=102.0,
        displacement=0.02,
        forced_usd=1e8,
        minor=False,
        path_begin_ms=100_000,
        path=[0.0, 0.1, 0.4, 0.8, 0.96, 1.0],
    )
    return msgspec.structs.replace(plain, **changes)


def test_swings_alternate_and_are_large_enough() -> None:
    values = [0.0, 0.1, 0.0, 1.0, 0.8, 2.0, 1.9, 0.5, 0.7, 0.6]
    assert list(_swings(values, 1.0)) == [(2, 5), (5, 7)]


def test_small_wobbles_are_no_swing() -> None:
    assert list(_swings([0.0, 0.3, -0.2, 0.1], 1.0)) == []


def test_share_gone_follows_the_path() -> None:
    assert leg().share_gone(99_000) == 0.0
    assert leg().share_gone(102_400) == 0.4
    assert leg().share_gone(500_000) == 1.0


def test_a_level_is_approached_then_rejected_then_crossed() -> None:
    level = LevelTruth("BTC", 100.0, Direction.UP)
    for time_ms, price in enumerate([99.0, 99.8, 99.95, 99.4, 99.0, 99.9, 100.1, 99.0, 99.9]):
        _visit(level, time_ms, price)
    first, second = level.visits
    assert (first.approached_ms, first.rejected_ms, first.closest_price) == (1, 3, 99.95)
    assert (second.approached_ms, second.crossed_ms, second.rejected_ms) == (5, 6, None)


def test_a_level_below_is_crossed_downwards() -> None:
    level = LevelTruth("BTC", 100.0, Direction.DOWN)
    for time_ms, price in enumerate([101.0, 100.1, 99.9]):
        _visit(level, time_ms, price)
    assert [visit.crossed_ms for visit in level.visits] == [2]


def test_the_truth_survives_its_file() -> None:
    truth = Truth(
        scenario="cascade",
        seed=1,
        symbols=["BTC"],
        begin_ms=0,
        end_ms=200_000,
        legs=[leg()],
        levels=[LevelTruth("BTC", 100.0, Direction.UP)],
    )
    assert msgspec.json.decode(msgspec.json.encode(truth), type=Truth) == truth
