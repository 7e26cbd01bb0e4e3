from random import Random

import msgspec
import pytest

from liqwatch.engine.calibration import Calibration, Scale, Step, transfer
from liqwatch.events import Completeness

PRIOR = (0.5, 0.3, 0.2)
MINUTE_MS = 60_000
DAY_MS = 86_400_000


def step(time_ms: int = 0, swept: tuple[float, ...] = (1e6,), forced: float = 5e5) -> Step:
    return Step(
        time_ms=time_ms,
        swept_usd=swept,
        forced_usd=forced,
        completeness=Completeness.FULL,
        whole=True,
        mark=100.0,
        last=100.0,
    )


def sweeps(weights: tuple[float, ...], count: int, seed: int = 5) -> list[Step]:
    """Minutes in which price sweeps random masses, and liquidates what their weights say."""
    rng = Random(seed)
    steps = []
    for minute in range(count):
        swept = tuple(rng.lognormvariate(14, 1) * (rng.random() < 0.6) for _ in weights)
        expected = sum(w * u for w, u in zip(weights, swept, strict=True))
        steps.append(step(minute * MINUTE_MS, swept, expected * rng.lognormvariate(-0.32, 0.8)))
    return steps


def learned(steps: list[Step], prior: tuple[float, ...] = PRIOR) -> Calibration:
    calibration = Calibration(prior=prior)
    for each in steps:
        calibration.update(each)
    return calibration


def total(each: Step) -> Step:
    """One ladder per side: the mass by the prior, its tiers forgotten."""
    mass = sum(w * u for w, u in zip(PRIOR, each.swept_usd, strict=True))
    return msgspec.structs.replace(each, swept_usd=(mass,))


@pytest.mark.parametrize("true_scale", [0.2, 0.5, 1.0, 3.0])
def test_the_scale_of_one_ladder_is_found_and_lies_in_its_range(true_scale: float) -> None:
    weights = tuple(true_scale * w for w in PRIOR)

    scale = learned([total(each) for each in sweeps(weights, 1500)], prior=(1.0,)).scale()

    assert scale.value == pytest.approx(true_scale, rel=0.1)
    assert scale.low < true_scale < scale.high
    assert scale.calibrated


def test_the_weights_of_tiers_are_found_though_the_prior_was_another() -> None:
    true = (0.10, 0.15, 0.25)

    weights = learned(sweeps(true, 4000)).weights()

    def wrong(found: tuple[float, ...]) -> float:
        return sum(abs(a / sum(found) - b / sum(true)) for a, b in zip(found, true, strict=True))

    assert wrong(weights) < 0.5 * wrong(PRIOR)
    assert sum(weights) == pytest.approx(sum(true), rel=0.15)


def test_tiers_that_were_never_hit_move_with_the_common_scale() -> None:
    steps = [step(minute * MINUTE_MS, (0.0, 0.0, 1e6), 1e5) for minute in range(300)]

    weights = learned(steps).weights()

    assert weights[0] / PRIOR[0] == pytest.approx(0.5, rel=0.05)
    assert weights[0] / weights[1] == pytest.approx(PRIOR[0] / PRIOR[1])


def test_a_tier_earns_nothing_by_being_hit_more_often() -> None:
    rng = Random(8)
    swept = [(1e6 * (rng.random() < 0.1), 0.0, 1e6) for _ in range(2000)]
    steps = [step(i * MINUTE_MS, u, 0.5 * u[0] + 0.2 * u[2]) for i, u in enumerate(swept)]

    weights = learned(steps).weights()

    assert weights == pytest.approx(PRIOR, rel=0.05)


def test_the_order_of_tiers_changes_nothing() -> None:
    steps = sweeps((0.10, 0.15, 0.25), 200)
    turned = [msgspec.structs.replace(each, swept_usd=each.swept_usd[::-1]) for each in steps]

    here, there = learned(steps), learned(turned, prior=PRIOR[::-1])

    assert here.weights() == there.weights()[::-1]
    assert here.scale() == there.scale()


@pytest.mark.parametrize(
    "refused",
    [
        {"completeness": Completeness.SAMPLED},
        {"completeness": Completeness.UNKNOWN},
        {"whole": False},
        {"mark": 100.31},
        {"last": 100.31},
        {"swept_usd": (0.0,)},
        {"swept_usd": (float("nan"),)},
        {"forced_usd": -1.0},
        {"forced_usd": float("nan")},
    ],
)
def test_steps_that_teach_nothing_leave_it_as_it_was(refused: dict[str, object]) -> None:
    calibration = learned([step()], prior=(1.0,))
    before = msgspec.msgpack.encode(calibration)

    assert not calibration.update(msgspec.structs.replace(step(MINUTE_MS), **refused))
    assert msgspec.msgpack.encode(calibration) == before


def test_mark_and_last_may_differ_a_little() -> None:
    assert Calibration(prior=(1.0,)).update(msgspec.structs.replace(step(), mark=100.29))


def test_masses_of_other_tiers_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Calibration(prior=PRIOR).update(step())


def test_the_range_narrows_with_steps_and_opens_when_they_are_long_ago() -> None:
    steps = [total(each) for each in sweeps(PRIOR, 800)]
    few, many = learned(steps[:50], prior=(1.0,)), learned(steps, prior=(1.0,))
    later = learned(steps, prior=(1.0,))
    later.update(step(400 * DAY_MS, (1e6,), 1e6))

    widths = [each.scale().high / each.scale().low for each in (many, few, Calibration((1.0,)))]

    assert widths == sorted(widths)
    assert later.scale().high / later.scale().low > 1.5 * widths[0]
    assert not later.scale().calibrated


def test_what_is_long_ago_counts_less() -> None:
    calibration = learned([step(i * MINUTE_MS, (1e6,), 1e6) for i in range(200)], prior=(1.0,))
    assert calibration.scale().value == pytest.approx(1.0)

    for minute in range(50):
        calibration.update(step(100 * DAY_MS + minute * MINUTE_MS, (1e6,), 1e5))

    old = 200 * 0.98**100
    assert calibration.scale().value == pytest.approx((5 + old + 5) / (5 + old + 50), rel=0.01)


def test_thirty_steps_with_forced_orders_are_the_least() -> None:
    steps = [step(minute * MINUTE_MS) for minute in range(100)]

    assert not learned(steps[:29], prior=(1.0,)).scale().calibrated
    assert learned(steps, prior=(1.0,)).scale().calibrated
    quiet = [msgspec.structs.replace(each, forced_usd=0.0) for each in steps]
    assert not learned(quiet, prior=(1.0,)).scale().calibrated


def test_other_venues_take_the_mean_of_complete_ones_with_a_wider_range() -> None:
    small = Scale(value=0.2, low=0.18, high=0.22, calibrated=True)
    large = Scale(value=0.6, low=0.5, high=0.7, calibrated=True)
    unknown = Scale(value=9.0, low=1.0, high=90.0, calibrated=False)

    taken = transfer([(small, 1e9), (large, 3e9), (unknown, 9e9)])

    assert taken is not None
    assert taken.value == pytest.approx(0.5)
    assert taken.low < 0.25
    assert taken.high > 1.0
    assert transfer([(unknown, 9e9), (small, 0.0)]) is None


def test_a_snapshot_goes_on_bit_for_bit() -> None:
    steps = sweeps(PRIOR, 300)
    calibration = learned(steps[:150])

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(calibration), type=Calibration)
    for each in steps[150:]:
        again.update(each)

    assert again == learned(steps)
