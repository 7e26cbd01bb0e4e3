from collections.abc import Sequence
from typing import NamedTuple

import pytest

from liqwatch.alerts import Direction
from liqwatch.simulator.broadcast import Course, rehearse
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.truth import Leg, Truth


class Seen(NamedTuple):
    """What a test remembers of a quarter of a second of the first coin."""

    price: float
    forced_usd: float
    open_interest: list[float]


def lived(scenario: str, seed: int) -> tuple[Truth, list[Seen]]:
    course = Course(scenario, seed=seed, start_ms=0)
    seen = []
    while course.time_ms < course.end_ms:
        step = course.step()[0]
        forced_usd = sum(o.coins * o.price for venue in step.venues for o in venue.forced)
        open_interest = [venue.open_interest for venue in step.venues]
        seen.append(Seen(step.index_price, forced_usd, open_interest))
    return course.truth(), seen


def majors(truth: Truth) -> Sequence[Leg]:
    return [leg for leg in truth.legs if not leg.minor]


@pytest.mark.parametrize("seed", [1, 12])
def test_the_demo_rejects_a_level_once_and_then_cascades_through_it(seed: int) -> None:
    truth, seen = lived("demo", seed)
    prices = [step.price for step in seen]

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

    # Found by flow and by price: what the start rule needs is there within ten seconds.
    soon = range(leg.onset_ms // 250, leg.onset_ms // 250 + 40)
    forced = [step.forced_usd for step in seen]
    assert max(sum(forced[i - 120 : i]) for i in soon) > 0.003 * 15e9
    assert max(prices[i] / prices[i - 120] for i in soon) > 1.003

    after_crowd = seen[first.approached_ms // 250].open_interest
    for before, after in zip(seen[0].open_interest, after_crowd, strict=True):
        assert (after - before) * leg.start_price > 30e6


def test_a_cascade_downwards_mirrors_one_upwards() -> None:
    truth = rehearse("cascade", seed=3, start_ms=0)
    (leg,) = majors(truth)
    assert leg.direction is truth.levels[0].direction is Direction.DOWN
    assert leg.direction.sign * (leg.extreme_price - leg.start_price) > 0
    assert leg.displacement > 0.01


def test_a_rejected_level_is_approached_and_liquidates_nobody() -> None:
    truth, seen = lived("rejected", 5)
    assert [visit.rejected_ms is not None for visit in truth.levels[0].visits] == [True]
    assert truth.legs == []
    assert not any(step.forced_usd for step in seen)


def test_absorbed_forced_orders_make_no_leg() -> None:
    truth, seen = lived("absorbed", 6)
    assert sum(step.forced_usd for step in seen) > 50e6
    assert truth.legs == []


def test_where_the_insurance_funds_run_dry_the_cascade_is_cut_off_beside_the_book() -> None:
    (leg,) = majors(rehearse("deleveraging", seed=4, start_ms=0))
    (whole,) = majors(rehearse("cascade", seed=4, start_ms=0))

    assert leg.deleveraged_usd > leg.forced_usd / 4
    assert leg.displacement < whole.displacement
    assert leg.forced_usd < whole.forced_usd
    assert whole.deleveraged_usd == 0


@pytest.mark.parametrize(("scenario", "move"), [("news", 0.008), ("spike", 0.007), ("quiet", 0.0)])
def test_price_alone_is_no_cascade(scenario: str, move: float) -> None:
    truth, seen = lived(scenario, 7)
    prices = [step.price for step in seen]
    fastest = max(
        abs(after / before - 1) for before, after in zip(prices, prices[240:], strict=False)
    )
    assert fastest > move
    assert truth.legs == []
    assert not any(step.forced_usd for step in seen)


def test_every_scenario_has_a_course() -> None:
    for name in SCENARIOS:
        course = Course(name, seed=0, start_ms=0)
        course.step()
        assert course.truth().symbols[0] == "BTC"
