from collections.abc import Sequence

import pytest

from liqwatch.alerts import Direction
from liqwatch.simulator.broadcast import Course, rehearse
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.truth import Leg, Truth
from liqwatch.simulator.world import Step


def lived(scenario: str, seed: int) -> tuple[Truth, list[list[Step]]]:
    course = Course(scenario, seed=seed, start_ms=0)
    steps = []
    while course.time_ms < course.end_ms:
        steps.append(course.step())
    return course.truth(), steps


def majors(truth: Truth) -> Sequence[Leg]:
    return [leg for leg in truth.legs if not leg.minor]


@pytest.mark.parametrize("seed", [0, 1, 12])
def test_the_demo_rejects_a_level_once_and_then_cascades_through_it(seed: int) -> None:
    truth, steps = lived("demo", seed)
    prices = [step[0].index_price for step in steps]

    (level,) = truth.levels
    first, second = level.visits
    assert 0.0005 <= 1 - first.closest_price / level.price <= 0.001
    assert first.rejected_ms is not None
    assert first.crossed_ms is None
    assert 600_000 < first.approached_ms < first.rejected_ms < second.approached_ms
    between = prices[first.rejected_ms // 250 : second.approached_ms // 250]
    assert min(between) < first.closest_price * (1 - 0.0075)
    assert second.crossed_ms is not None

    (leg,) = truth.legs
    assert (leg.symbol, leg.direction) == ("BTC", Direction.UP)
    assert second.crossed_ms < leg.onset_ms
    assert 25_000 <= leg.end_ms - leg.onset_ms <= 120_000
    assert leg.end_ms < 30 * 60_000
    assert 0.02 < leg.displacement < 0.03
    assert 300e6 < leg.forced_usd < 1e9
    assert leg.extreme_price == pytest.approx(max(prices), rel=5e-4)
    assert leg.extreme_price > 91_700
    assert prices[-1] < leg.extreme_price * (1 - 0.005)  # a part is given back

    for venue in range(3):
        before = steps[0][0].venues[venue].open_interest
        after = steps[first.approached_ms // 250][0].venues[venue].open_interest
        assert (after - before) * leg.start_price > 30e6


def test_the_demo_can_be_found_by_flow_and_by_price() -> None:
    truth, steps = lived("demo", 2)
    (leg,) = truth.legs
    seconds = range(leg.onset_ms // 250, leg.onset_ms // 250 + 40)
    forced = [
        sum(order.coins * order.price for venue in step[0].venues for order in venue.forced)
        for step in steps
    ]
    prices = [step[0].index_price for step in steps]
    assert max(sum(forced[i - 120 : i]) for i in seconds) > 0.003 * 15e9
    assert max(prices[i] / prices[i - 120] for i in seconds) > 1.003


@pytest.mark.parametrize("seed", [0, 3])  # up, down
def test_a_cascade_has_one_leg_in_its_direction(seed: int) -> None:
    truth = rehearse("cascade", seed=seed, start_ms=0)
    (leg,) = majors(truth)
    assert leg.direction is truth.levels[0].direction
    assert leg.direction.sign * (leg.extreme_price - leg.start_price) > 0
    assert leg.displacement > 0.01


def test_a_rejected_level_is_approached_and_liquidates_nobody() -> None:
    truth, steps = lived("rejected", 5)
    assert [visit.rejected_ms is not None for visit in truth.levels[0].visits] == [True]
    assert truth.legs == []
    assert not any(venue.forced for step in steps for venue in step[0].venues)


def test_absorbed_forced_orders_make_no_leg() -> None:
    truth, steps = lived("absorbed", 6)
    forced = sum(o.coins * o.price for s in steps for v in s[0].venues for o in v.forced)
    assert forced > 50e6
    assert truth.legs == []


@pytest.mark.parametrize(("scenario", "move"), [("news", 0.008), ("spike", 0.007), ("quiet", 0.0)])
def test_price_alone_is_no_cascade(scenario: str, move: float) -> None:
    truth, steps = lived(scenario, 7)
    prices = [step[0].index_price for step in steps]
    fastest = max(
        abs(after / before - 1) for before, after in zip(prices, prices[240:], strict=False)
    )
    assert fastest > move
    assert truth.legs == []
    assert not any(venue.forced for step in steps for venue in step[0].venues)


def test_every_scenario_has_a_course() -> None:
    for name in SCENARIOS:
        course = Course(name, seed=0, start_ms=0)
        course.step()
        assert course.truth().symbols[0] == "BTC"
