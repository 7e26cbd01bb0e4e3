from collections.abc import Iterable
from typing import Any

from liqwatch.alerts import Direction, Verdict
from liqwatch.engine.clusters import Zone
from liqwatch.engine.levels import LevelSettings, LevelWatch, Phase, Sight
from liqwatch.events import Position

SETTINGS = LevelSettings()
YARDSTICK = 0.001  # one sigma of five minutes: 10 bp


class Walk:
    """Price walks about a watched level at 100, a second a step."""

    def __init__(self, price: float = 99.0) -> None:
        zone = Zone(id="BTC-100", low=100.0, high=100.0, position=None, notional_usd=None,
                    source="user")  # fmt: skip
        self.watch = LevelWatch(zone=zone)
        self.watch.reset(price)
        self.second = 1_000_000

    def go(self, prices: Iterable[float], **sight: Any) -> list[Any]:
        news = []
        for price in prices:
            self.second += 1
            plain: dict[str, Any] = {
                "now_ms": self.second * 1000,
                "price": price,
                "yardstick": YARDSTICK,
                "z10": 0.0,
                "z60": 2.0,
                "run_30s": 0.0,
                "speed_bp_per_min": 5.0,
                "forced_total_usd": dict.fromkeys(Direction, 0.0),
                "cascading": frozenset(),
            }
            said = self.watch.update(Sight(**(plain | sight)), SETTINGS)
            if said is not False:
                news.append(said)
        return news


def test_a_level_is_approached_when_near_and_price_moves_towards_it() -> None:
    walk = Walk()

    assert walk.go([99.0, 99.5]) == []
    assert walk.go([99.7], z60=0.0) == []
    assert walk.go([99.7]) == [True]
    assert walk.watch.approaches == 1


def test_an_approach_that_ends_short_of_the_level_faded() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.8])

    assert walk.go([99.5, 99.3]) == [Verdict.FADED]


def test_a_level_that_was_touched_and_left_for_ten_seconds_reversed() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97])
    assert walk.watch.phase is Phase.TESTING

    assert walk.go([99.8] * 9) == []
    assert walk.go([99.8]) == [Verdict.REVERSED]


def test_coming_back_within_ten_seconds_is_no_reversal() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97])

    assert walk.go([99.7] * 9 + [99.97] + [99.7] * 9) == []


def test_a_level_that_is_tested_and_neither_crossed_nor_left_faded_after_five_minutes() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97])

    assert walk.go([99.9] * 299) == []
    assert walk.go([99.9]) == [Verdict.FADED]


def test_price_that_goes_on_faster_than_it_came_accelerated() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97])
    walk.go([100.01, 100.02], run_30s=0.0005)

    assert walk.go([100.1], run_30s=0.0014) == []
    assert walk.go([100.2], run_30s=0.0024) == [Verdict.ACCELERATED]
    assert walk.watch.activated == 1


def test_a_jump_that_passes_as_fast_as_it_came_did_not_accelerate() -> None:
    """What grows is the jump, not what the level added to it."""
    walk = Walk()
    walk.go([99.0, 99.4, 99.97])
    walk.go([100.01, 100.3], run_30s=0.01, z10=4.0)

    assert walk.go([100.5, 100.7, 100.9, *[100.9] * 25], run_30s=0.018, z10=12.0) == []


def test_a_rally_back_to_a_level_that_was_crossed_is_not_beyond_it() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.01, 100.02])

    assert walk.go([99.9, 100.05], run_30s=0.002) == []


def test_a_crossing_by_a_cascade_that_carries_on_accelerated() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.01, 100.02])
    running = frozenset({Direction.UP})

    assert walk.go([100.05], cascading=running) == []
    assert walk.go([100.12], cascading=running) == [Verdict.ACCELERATED]


def test_a_cascade_the_other_way_is_no_acceleration() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.1, 100.2])

    assert walk.go([100.1], cascading=frozenset({Direction.DOWN})) == []


def test_a_crossing_without_acceleration_faded_after_five_minutes() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.1, 100.1])

    assert walk.go([100.1] * 299) == []
    assert walk.go([100.1]) == [Verdict.FADED]


def test_a_crossing_that_falls_back_reversed() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.1, 100.2])

    assert walk.go([99.7] * 10) == [Verdict.REVERSED]


def test_a_second_beyond_the_level_is_not_yet_a_crossing() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, 100.1, 99.97])

    assert walk.watch.phase is Phase.TESTING


def test_approaches_are_counted_and_each_gets_one_verdict() -> None:
    walk = Walk()
    news = []
    for _ in range(3):
        news += walk.go([99.0, 99.7, 99.97, *[99.3] * 70])

    assert [one for one in news if one is True] == [True] * 3
    assert [one for one in news if one is not True] == [Verdict.REVERSED] * 3
    assert (walk.watch.approaches, walk.watch.activated) == (3, 0)


def test_approaches_of_yesterday_no_longer_count() -> None:
    walk = Walk()
    walk.go([99.0, 99.7, 99.97, *[99.3] * 70])
    walk.second += 86_401
    walk.go([99.0, 99.7])

    assert walk.watch.approaches == 1


def test_a_level_is_announced_once_in_five_minutes() -> None:
    walk = Walk()
    now_ms = walk.second * 1000

    assert walk.watch.may_announce(now_ms, SETTINGS)
    assert not walk.watch.may_announce(now_ms + 299_000, SETTINGS)
    assert walk.watch.may_announce(now_ms + 300_000, SETTINGS)


def test_a_level_where_price_stands_at_first_is_not_approached() -> None:
    walk = Walk(price=100.0)

    assert walk.go([100.0, 100.01, 99.99, 100.0]) == []
    assert walk.watch.approaches == 0


def test_after_a_verdict_a_new_attempt_from_a_distance_is_a_new_approach() -> None:
    """The push that breaks a level often comes before price has left it altogether."""
    walk = Walk()
    walk.go([99.0, 99.7, 99.97])
    assert walk.go([99.7] * 10) == [Verdict.REVERSED]
    walk.go([99.7] * 20)

    assert walk.go([99.97]) == [True]
    assert walk.go([100.1, 100.2, 100.4], run_30s=0.004, cascading=frozenset({Direction.UP})) == [
        Verdict.ACCELERATED
    ]
    assert walk.watch.approaches == 2


def test_a_cluster_is_met_only_by_the_move_that_sets_it_off() -> None:
    walk = Walk(price=101.0)
    walk.watch.zone = Zone(
        id="c", low=100.0, high=100.2, position=Position.SHORT, notional_usd=1e8, source="estimate"
    )
    walk.watch.reset(101.0)

    assert walk.go([101.0, 100.5, 100.3, 100.1, 99.0], z60=-2.0) == []


def test_from_above_everything_is_the_same_upside_down() -> None:
    walk = Walk(price=101.0)
    assert walk.watch.direction is Direction.DOWN

    assert walk.go([101.0, 100.3], z60=-2.0) == [True]
    assert walk.go([100.03], z60=-2.0) == []
    assert walk.go([99.99, 99.98], z60=-2.0, run_30s=-0.0005) == []
    assert walk.go([99.6], z60=-2.0, run_30s=-0.004) == [Verdict.ACCELERATED]


def test_a_price_that_jumps_over_the_level_is_judged_but_not_announced() -> None:
    walk = Walk()
    walk.go([99.0])

    assert walk.go([100.3], run_30s=0.013) == []
    assert walk.watch.phase is Phase.CROSSED
    assert walk.watch.approaches == 1
    assert walk.go([102.5], run_30s=0.034) == [Verdict.ACCELERATED]
