import pytest

from liqwatch.events import Position
from liqwatch.simulator.map_baselines import (
    BASELINES,
    GrowthByCandle,
    RoundNumbers,
    StaticLeverage,
    VolumeProfile,
)
from liqwatch.simulator.map_contest import (
    HELD_OUT_SEEDS,
    TUNING_SEEDS,
    OwnEstimate,
    contest,
)
from liqwatch.simulator.map_score import BUCKETS
from liqwatch.simulator.map_world import Minute, Sides

NOTHING = Sides(0.0, 0.0)


def minute(price: float, open_size: float = 1000.0, volume_usd: float = 1e6) -> Minute:
    return Minute(price, price, price, volume_usd, open_size, NOTHING, NOTHING)


def full(found: list[float]) -> list[int]:
    return [index for index, usd in enumerate(found) if usd > 0]


def test_what_constants_are_tuned_on_is_not_what_is_reported() -> None:
    assert len(TUNING_SEEDS) >= 24
    assert len(HELD_OUT_SEEDS) >= 24
    assert not set(TUNING_SEEDS) & set(HELD_OUT_SEEDS)


def test_our_map_beats_those_that_learn_nothing() -> None:
    rivals = {"uniform": BASELINES["uniform"](), "static": StaticLeverage()}
    scores = contest(TUNING_SEEDS[0], {"ours": OwnEstimate(), **rivals}, days=3)

    for name in rivals:
        assert scores["ours"].spearman > scores[name].spearman + 0.2
        assert scores["ours"].top_share > scores[name].top_share + 0.1
        assert scores["ours"].emd_pct < scores[name].emd_pct
    assert scores["uniform"].ln_scale is None


def test_calibration_corrects_the_scale_and_leaves_the_shape() -> None:
    rivals = {"raw": OwnEstimate(), "calibrated": OwnEstimate(calibrated=True)}
    scores = contest(TUNING_SEEDS[0], rivals, days=3)

    raw, calibrated = scores["raw"], scores["calibrated"]
    assert calibrated.spearman == pytest.approx(raw.spearman)
    assert calibrated.emd_pct == pytest.approx(raw.emd_pct)
    assert abs(calibrated.ln_scale or 0.0) < abs(raw.ln_scale or 0.0)


@pytest.mark.parametrize("name", BASELINES)
def test_a_map_of_quiet_minutes_is_finite_and_never_negative(name: str) -> None:
    baseline = BASELINES[name]()
    for price in (50_000.0, 50_100.0, 49_900.0):
        baseline.update(minute(price))

    for position in Position:
        found = baseline.ladder(position)
        assert len(found) == BUCKETS
        assert all(0 <= usd < 1e12 for usd in found)


def test_round_prices_stand_out_and_the_rounder_ones_more() -> None:
    baseline = RoundNumbers()
    baseline.update(minute(48_700.0))

    found = baseline.ladder(Position.SHORT)
    assert sorted(usd for usd in found if usd) == [1.0, 1.0, 1.0, 1.0, 3.0]


def test_volume_counts_where_it_was_traded() -> None:
    baseline = VolumeProfile()
    for price in (50_000.0, 52_000.0, 50_000.0):
        baseline.update(minute(price))

    assert len(full(baseline.ladder(Position.SHORT))) in {1, 2}
    assert full(baseline.ladder(Position.LONG)) == []


def test_static_leverage_puts_all_open_interest_at_fixed_distances() -> None:
    baseline = StaticLeverage()
    baseline.update(minute(50_000.0))

    found = baseline.ladder(Position.SHORT)  # 10x, 25x, 50x and 100x are within ten percent
    assert len(full(found)) == 4
    assert sum(found) == pytest.approx(50e6 * 0.48 * 0.90)


def test_growth_in_a_rising_minute_is_longs_until_price_crosses_them() -> None:
    baseline = GrowthByCandle()
    baseline.update(minute(50_000.0))
    baseline.update(minute(50_100.0, open_size=1100.0))

    assert full(baseline.ladder(Position.SHORT)) == []
    assert sum(baseline.ladder(Position.LONG)) == pytest.approx(100 * 50_100 * 0.7, rel=0.01)
    baseline.update(minute(50_100.0, open_size=900.0))
    assert sum(baseline.ladder(Position.LONG)) == pytest.approx(100 * 50_100 * 0.7, rel=0.01)
    baseline.update(minute(45_500.0, open_size=900.0))
    baseline.update(minute(50_100.0, open_size=900.0))
    assert sum(baseline.ladder(Position.LONG)) < 100 * 50_100 * 0.31
