from typing import Any

import pytest
from flow_views import SETTINGS, feed, flow

from liqwatch.alerts import Direction, Severity
from liqwatch.engine.momentum import Momentum
from liqwatch.engine.start import (
    DetectionSettings,
    FlowView,
    continues,
    find_rarity,
    find_start,
)


def running(sign: int = 1, seconds: int = 20) -> Momentum:
    momentum = Momentum()
    for _ in range(900):
        momentum.update(0.0)
    for _ in range(seconds):
        momentum.update(3e-4 * sign)
    return momentum


def start(
    seen: FlowView,
    momentum: Momentum | None = None,
    settings: Any = SETTINGS,
    run_on_z: float = 20.0,
) -> Any:
    rare = find_rarity(seen, settings)
    if rare is not None and rare.ratio < 1:
        rare = None
    return find_start(seen, rare, run_on_z, momentum or running(), Direction.UP, settings)


def test_rare_flow_on_a_complete_feed_with_price_running_starts_a_cascade() -> None:
    found = start(flow(feed()))

    assert found.path == "rarity"
    assert found.tier == "burst"
    assert found.severity is Severity.WARNING
    assert found.ratio == pytest.approx(1.5)
    assert found.return_hours == 168


def test_twice_the_weekly_flow_is_confirmed_by_a_feed_that_has_learned() -> None:
    twice = {"root_sum": 2000.0}

    assert start(flow(feed(**twice))).tier == "confirmed"
    assert start(flow(feed(root_sum=1900.0))).tier == "burst"
    assert start(flow(feed(history_hours=71.0, **twice))).tier == "burst"


def test_rare_flow_alone_is_nothing_when_price_stands() -> None:
    assert start(flow(feed()), running(seconds=0)) is None


def test_rare_flow_is_nothing_when_price_runs_the_other_way() -> None:
    assert start(flow(feed()), running(sign=-1)) is None


def test_price_running_alone_is_nothing() -> None:
    assert start(flow(feed(root_sum=50.0))) is None
    assert start(flow()) is None


def test_rare_flow_is_nothing_when_price_did_not_run_on_with_it() -> None:
    assert start(flow(feed()), run_on_z=SETTINGS.run_on_z).run_on_z_asked == SETTINGS.run_on_z
    assert start(flow(feed()), run_on_z=SETTINGS.run_on_z - 0.1) is None


def test_more_is_asked_of_the_price_where_only_sampled_feeds_speak() -> None:
    sampled = flow(feed(complete=False))

    assert start(sampled, run_on_z=SETTINGS.run_on_z) is None
    assert start(sampled, run_on_z=SETTINGS.run_on_z_throttled).path == "backup"


def test_a_jump_that_does_not_go_on_is_no_price_leg() -> None:
    jumped = running(seconds=0)
    jumped.update(100e-4)
    for _ in range(12):
        jumped.update(0.0)

    assert start(flow(feed()), jumped) is None


def test_four_times_the_weekly_level_on_a_learned_feed_is_critical() -> None:
    found = start(flow(feed(root_sum=4100.0)))

    assert (found.tier, found.severity) == ("strong", Severity.CRITICAL)


def test_twice_the_weekly_level_on_two_complete_feeds_is_critical() -> None:
    found = start(flow(feed(root_sum=2100.0), feed(venue="gate-usdt", root_sum=2100.0)))

    assert found.severity is Severity.CRITICAL


def test_a_feed_that_still_learns_is_never_critical() -> None:
    found = start(flow(feed(root_sum=9000.0, history_hours=50.0)))

    assert (found.tier, found.severity) == ("burst", Severity.WARNING)


@pytest.mark.parametrize("flaw", [{"healthy": False}, {"armed": False}, {"floor_usd_30s": 1e6}])
def test_a_feed_that_is_deaf_unarmed_or_below_its_floor_does_not_speak(flaw: Any) -> None:
    assert start(flow(feed(**flaw))) is None


def test_a_throttled_feed_is_silent_while_a_complete_one_covers_the_coin() -> None:
    throttled = feed(venue="binance-usdm", complete=False)

    assert start(flow(feed(root_sum=50.0), throttled, market=5.0)) is None


@pytest.mark.parametrize("gone", [{"healthy": False}, {"armed": False}])
def test_a_throttled_feed_steps_in_when_no_complete_one_does(gone: Any) -> None:
    throttled = feed(venue="binance-usdm", complete=False)
    found = start(flow(feed(**gone), throttled))

    assert (found.path, found.tier, found.severity) == ("backup", "burst", Severity.WARNING)
    assert found.venues == ["binance-usdm"]
    assert found.return_hours == SETTINGS.return_hours_throttled


def test_the_whole_market_steps_in_last() -> None:
    found = start(flow(feed(armed=False), market=1.2))

    assert found.path == "backup"
    assert found.return_hours == SETTINGS.return_hours_market


def test_flow_that_explains_the_move_needs_no_history() -> None:
    found = start(flow(feed(armed=False), z=3.2))

    assert (found.path, found.severity) == ("absolute", Severity.WARNING)
    assert found.return_hours is None


def test_until_a_feed_has_learned_less_has_to_be_seen_the_further_price_has_run() -> None:
    learning = feed(armed=False, history_hours=1.0)

    assert start(flow(learning, z=0.5)).path == "absolute"
    assert start(flow(learning, z=0.49)) is None
    assert start(flow(learning, z=0.04, run_z60=16.0)).path == "absolute"
    assert start(flow(learning, z=0.03, run_z60=16.0)) is None
    assert start(flow(learning, z=0.006, run_z60=99.0)) is None
    assert start(flow(feed(armed=False, history_hours=6.0), z=0.4, run_z60=16.0)) is None
    assert start(flow(feed(complete=False, root_sum=0.0), z=2.9, run_z60=16.0)) is None


def test_flow_that_explains_the_move_of_a_deaf_feed_is_not_believed() -> None:
    assert start(flow(feed(healthy=False), z=9.0)) is None


def test_dust_starts_nothing_however_rare() -> None:
    assert start(flow(feed(visible_usd_30s=900.0, floor_usd_30s=0.0), z=50.0)) is None


def test_the_early_preset_asks_for_less() -> None:
    early = DetectionSettings(preset="early")
    calm = flow(feed(root_sum=700.0))

    assert find_rarity(calm, SETTINGS).ratio == pytest.approx(0.7)  # type: ignore[union-attr]
    assert start(calm) is None
    assert start(calm, settings=early).return_hours == 24
    assert early.impact_z == 2


def test_a_threshold_of_ones_own_outranks_the_preset() -> None:
    own = DetectionSettings(preset="early", return_hours=36.0, forced_impact_z=5.0)

    assert own.complete_return_hours == 36
    assert own.impact_z == 5


def test_a_cascade_goes_on_at_flow_seen_once_a_day() -> None:
    assert continues(flow(feed(root_sum=700.0)), SETTINGS)
    assert continues(flow(feed(root_sum=0.0), z=3.0), SETTINGS)
    assert not continues(flow(feed(root_sum=500.0)), SETTINGS)


def test_where_less_was_enough_to_start_less_is_enough_to_go_on() -> None:
    assert continues(flow(feed(complete=False, root_sum=350.0)), SETTINGS)
