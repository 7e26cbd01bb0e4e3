"""How near a start was that was not called."""

import msgspec
import pytest
from flow_views import SETTINGS, feed, flow
from hypothesis import given
from hypothesis import strategies as some
from walked_market import T0, engine, market, run

from liqwatch.alerts import Direction
from liqwatch.engine.momentum import Momentum
from liqwatch.engine.near_miss import MOST, WORTH, Condition, Miss, Path, nearest_miss, note, paths
from liqwatch.engine.snapshot import pack, unpack
from liqwatch.engine.start import (
    FeedView,
    FlowView,
    find_rarity,
    find_start,
)

MINUTE_MS = 60_000


def running(returns: list[float]) -> Momentum:
    momentum = Momentum()
    for one in [0.0] * 900 + returns:
        momentum.update(one)
    return momentum


def miss_of(seen: FlowView, momentum: Momentum, direction: Direction = Direction.UP) -> Miss | None:
    return nearest_miss(seen, 20.0, momentum, direction, SETTINGS, T0)


# -- the conditions are those of the start rule ----------------------------------------------------

FEEDS = some.builds(
    feed,
    complete=some.booleans(),
    healthy=some.booleans(),
    armed=some.booleans(),
    root_sum=some.sampled_from([0.0, 150.0, 290.0, 300.0, 700.0, 1000.0, 4500.0]),
    visible_usd_30s=some.sampled_from([0.0, 999.0, 1000.0, 80_000.0]),
    floor_usd_30s=some.sampled_from([1000.0, 50_000.0]),
)


@given(
    feeds=some.lists(FEEDS, max_size=3),
    market=some.sampled_from([0.0, 0.9, 1.1]),
    z=some.sampled_from([0.1, 2.9, 3.0]),
    run_on_z=some.sampled_from([-1.0, 5.0, 5.5, 10.0, 11.0]),
    returns=some.sampled_from([[], [3e-4] * 20, [-3e-4] * 20, [100e-4] + [0.0] * 12]),
    direction=some.sampled_from(Direction),
)
def test_one_path_holds_whenever_a_start_is_found_and_only_then(
    feeds: list[FeedView],
    market: float,
    z: float,
    run_on_z: float,
    returns: list[float],
    direction: Direction,
) -> None:
    seen, momentum = flow(*feeds, market=market, z=z), running(returns)
    rarity = find_rarity(seen, SETTINGS)
    rare = rarity if rarity is not None and rarity.ratio >= 1 else None
    start = find_start(seen, rare, run_on_z, momentum, direction, SETTINGS)
    held = [
        path.name
        for path in paths(seen, run_on_z, momentum, direction, SETTINGS)
        if all(one.value >= one.limit for one in (*path.price, *path.flow))
    ]

    assert bool(held) == (start is not None)
    assert start is None or start.path in held


def test_the_conditions_are_named_as_the_numbers_of_an_alert_are() -> None:
    (start, *_) = run(engine(), market(1800, burst_at=1200))
    listed = list(paths(flow(feed()), 0.0, running([]), Direction.UP, SETTINGS))

    assert {one.name for path in listed for one in (*path.price, *path.flow)} <= set(start.evidence)


# -- how near --------------------------------------------------------------------------------------


def test_half_of_the_way_is_price_and_half_is_flow() -> None:
    only_price = miss_of(flow(feed(root_sum=0.0, visible_usd_30s=0.0), z=0.0), running([3e-4] * 20))
    only_flow = miss_of(flow(feed(root_sum=1500.0)), running([]))

    assert only_price is not None
    assert only_flow is not None
    assert (only_price.nearness, only_flow.nearness) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("value", "limit", "share"),
    [(3.0, 6.0, 0.5), (7.0, 6.0, 1.0), (-1.0, 6.0, 0.0), (-1.0, 0.0, 0.0)],
)
def test_a_condition_is_as_near_as_the_share_of_its_limit(
    value: float, limit: float, share: float
) -> None:
    assert Condition("run_on_z", value, limit).share == share


def test_a_leg_is_as_near_as_its_furthest_condition() -> None:
    path = Path(
        "rarity",
        "bybit-linear",
        168.0,
        price=(Condition("drift_z", 12.0, 6.0), Condition("drift_z_10s", 3.0, 6.0)),
        flow=(Condition("rarity_ratio", 0.9, 1.0),),
    )

    assert path.nearness == pytest.approx((0.5 + 0.9) / 2)


def test_the_nearest_path_is_told_with_who_could_not_speak() -> None:
    deaf = feed(venue="okx-swap", healthy=False)
    learning = feed(venue="gate-usdt", armed=False, history_hours=2.0)
    lesser = feed(venue="htx-linear", root_sum=200.0)
    miss = miss_of(flow(lesser, feed(root_sum=610.0), deaf, learning), running([3e-4] * 20))

    assert miss is not None
    assert (miss.path.name, miss.path.venue, miss.path.return_hours) == (
        "rarity",
        "bybit-linear",
        168.0,
    )
    assert miss.path.flow[1] == ("rarity_ratio", 0.61, 1.0)
    assert miss.nearness == pytest.approx((1 + 0.61) / 2)
    assert miss.deaf == ("okx-swap",)
    assert miss.learning == {"gate-usdt": 2.0}


def test_a_run_that_nobody_could_explain_since_all_were_deaf_says_so() -> None:
    miss = miss_of(flow(feed(healthy=False), z=9.0), running([3e-4] * 20))

    assert miss is not None
    assert miss.path.flow[-1] == ("feeds_heard", 0.0, 1.0)
    assert miss.nearness == 0.5


def test_down_is_the_mirror_of_up() -> None:
    seen, returns = flow(feed()), [2e-4] * 15
    up = miss_of(seen, running(returns))
    down = miss_of(seen, running([-one for one in returns]), Direction.DOWN)

    assert up is not None
    assert down == msgspec.structs.replace(up, direction=Direction.DOWN)


def test_what_is_far_from_a_start_is_none() -> None:
    assert miss_of(flow(feed(root_sum=100.0)), running([])) is None


# -- what is remembered ----------------------------------------------------------------------------


def missed(minute: float, nearness: float, direction: Direction = Direction.UP) -> Miss:
    time_ms = int(minute * MINUTE_MS)
    path = Path("absolute", None, None, (), ())
    return Miss(time_ms, direction, path, nearness, (), {})


def test_of_five_minutes_and_a_direction_the_nearest_is_kept() -> None:
    kept: list[Miss] = []
    for one in (
        *(missed(1, 0.5), missed(2, 0.4, Direction.DOWN), missed(3, 0.7), missed(4, 0.6)),
        *(missed(4.5, 0.9, Direction.DOWN), missed(5, 0.5)),
    ):
        note(kept, one)

    assert [(one.time_ms / MINUTE_MS, one.direction) for one in kept] == [
        (3, Direction.UP),
        (4.5, Direction.DOWN),
        (5, Direction.UP),
    ]


def test_of_as_near_ones_the_first_is_kept() -> None:
    kept: list[Miss] = []
    note(kept, missed(1, 0.5))
    note(kept, missed(2, 0.5))

    assert kept == [missed(1, 0.5)]


def test_only_the_newest_are_kept() -> None:
    kept: list[Miss] = []
    for block in range(3 * MOST):
        note(kept, missed(5 * block, 0.5))

    assert kept == [missed(5 * block, 0.5) for block in range(2 * MOST, 3 * MOST)]


# -- in the engine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "direction"), [(1, Direction.UP), (-1, Direction.DOWN)])
def test_price_that_runs_with_too_little_flow_is_a_miss(sign: int, direction: Direction) -> None:
    one = engine()
    assert run(one, market(1800, burst_at=1200, burst_usd=300.0, sign=sign)) == []
    nearest = max(one.state.symbols["BTC"].misses, key=lambda miss: miss.nearness)

    assert nearest.direction is direction
    assert T0 + 1_200_000 < nearest.time_ms < T0 + 1_270_000
    assert WORTH < nearest.nearness < 1
    assert nearest.path.name == "absolute"
    assert nearest.learning["bybit-linear"] < 1


def test_flow_that_is_rare_while_price_stands_is_a_miss() -> None:
    one = engine()
    events = list(market(29_100, burst_at=29_000, burst_usd=3e6))
    calm = [event for event in events if event.time < T0 + 29_000_000]
    run(one, calm)
    price = one.state.symbols["BTC"].price.price
    for event in events[len(calm) :]:
        still = {"price": price} if hasattr(event, "price") else {}
        assert run(one, [msgspec.structs.replace(event, **still)]) == []
    nearest = max(
        (miss for miss in one.state.symbols["BTC"].misses if miss.time_ms >= T0 + 29_000_000),
        key=lambda miss: miss.nearness,
    )

    assert [name for name, value, limit in nearest.path.price if value < limit]
    assert all(value >= limit for _, value, limit in nearest.path.flow)


def test_a_calm_market_is_hardly_a_miss_and_a_running_cascade_none() -> None:
    calm, cascade = engine(), engine()
    run(calm, market(3600))
    alerts = run(cascade, market(1800, burst_at=1200))
    started, *_, ended = (alert.time for alert in alerts if alert.episode)

    assert calm.state.symbols["BTC"].misses == []
    assert not [
        miss for miss in cascade.state.symbols["BTC"].misses if started <= miss.time_ms < ended
    ]


def test_misses_outlive_the_process() -> None:
    one = engine()
    run(one, market(1800, burst_at=1200, burst_usd=30_000.0))
    misses = one.state.symbols["BTC"].misses

    assert misses
    assert unpack(one.snapshot()).symbols["BTC"].misses == misses
    assert pack(unpack(one.snapshot())) == one.snapshot()
