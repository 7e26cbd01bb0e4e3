from itertools import pairwise
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerts import Direction
from liqwatch.engine.clusters import WIDEST, Zone, Zones, find_clusters, find_ranges, merge_zones
from liqwatch.events import Position

BUCKET = 0.001


def background(low: int, high: int, usd: float = 1e5) -> dict[int, float]:
    return dict.fromkeys(range(low, high), usd)


def found(mass: dict[int, float], known: list[Zone] | None = None) -> list[Zone]:
    return find_clusters(
        mass,
        bucket=BUCKET,
        position=Position.SHORT,
        minimum_usd=5e6,
        known=known or [],
        prefix="BTC",
    )


def ranges(mass: dict[int, float], known: list[Zone] | None = None) -> list[Zone]:
    return find_ranges(found(mass), mass, bucket=BUCKET, known=known or [], prefix="BTC")


def two_near_and_one_far(valley_usd: float = 24e6) -> dict[int, float]:
    mass = background(11_000, 11_150) | dict.fromkeys(range(11_043, 11_060), valley_usd)
    peaks = (11_040, 11_041, 11_042, 11_060, 11_061, 11_062, 11_120, 11_121, 11_122)
    return mass | dict.fromkeys(peaks, 90e6)


def watched(price: float) -> Zone:
    return Zone(
        id=f"BTC-{price}", low=price, high=price, position=None, notional_usd=None, source="user"
    )


def test_two_stacks_on_a_plain_are_two_clusters_where_they_lie() -> None:
    mass = background(11_000, 11_150) | {11_040: 40e6, 11_041: 60e6, 11_100: 90e6}
    first, second = found(mass)

    assert first.low <= exp(11_041 * BUCKET) <= first.high
    assert second.low <= exp(11_100 * BUCKET) <= second.high
    assert first.notional_usd == pytest.approx(100e6, rel=0.02)


def test_a_shallow_valley_joins_two_peaks() -> None:
    mass = background(11_000, 11_150) | {11_040: 60e6, 11_041: 50e6, 11_042: 50e6, 11_043: 60e6}

    assert len(found(mass)) == 1


def test_an_even_plain_has_no_cluster() -> None:
    assert found(background(11_000, 11_150, usd=1e4)) == []


def test_a_stack_below_the_minimum_is_not_named() -> None:
    assert found(background(11_000, 11_150, usd=1e3) | {11_040: 4e6}) == []


def test_a_cluster_that_grows_and_moves_a_little_keeps_its_id() -> None:
    mass = background(11_000, 11_150) | {11_040: 40e6, 11_041: 60e6}
    (before,) = found(mass)
    (after,) = found(mass | {11_042: 70e6}, known=[before])

    assert after.id == before.id
    assert after.notional_usd != before.notional_usd


def test_a_cluster_elsewhere_gets_an_id_of_its_own() -> None:
    (before,) = found(background(11_000, 11_150) | {11_040: 60e6})
    (after,) = found(background(11_000, 11_150) | {11_100: 60e6}, known=[before])

    assert after.id != before.id


def test_neighbours_over_a_valley_of_a_quarter_are_one_range_of_two_clusters() -> None:
    mass = two_near_and_one_far()
    first, second, _ = found(mass)
    (whole,) = ranges(mass)

    assert whole.children == (first.id, second.id)
    assert (whole.low, whole.high) == (first.low, second.high)
    assert whole.notional_usd == pytest.approx(6 * 90e6 + 17 * 24e6, rel=0.01)
    assert whole.id not in whole.children


def test_over_a_deep_valley_there_is_no_range() -> None:
    assert len(found(two_near_and_one_far(10e6))) == 3
    assert ranges(two_near_and_one_far(10e6)) == []
    assert ranges({}) == []


def test_a_range_that_grows_keeps_its_id() -> None:
    (before,) = ranges(two_near_and_one_far())
    (after,) = ranges(two_near_and_one_far(25e6) | {11_063: 80e6, 11_064: 80e6}, known=[before])

    assert after.id == before.id
    assert after.high > before.high


@given(
    st.dictionaries(st.integers(11_000, 11_150), st.floats(1e4, 1e8), max_size=150),
    st.floats(1e4, 1e8),
)
def test_every_cluster_lies_in_one_range_at_most(mass: dict[int, float], usd: float) -> None:
    mass = background(11_000, 11_150, usd) | mass
    by_id = {zone.id: zone for zone in found(mass)}
    wholes = ranges(mass)
    children = [child for whole in wholes for child in whole.children]

    assert len(children) == len(set(children))
    assert len({whole.id for whole in wholes}) == len(wholes)
    for whole in wholes:
        within = [by_id[child] for child in whole.children]
        assert len(within) > 1
        assert whole.low == within[0].low
        assert whole.high == within[-1].high
        held = sum(zone.notional_usd or 0.0 for zone in within)
        assert (whole.notional_usd or 0.0) >= held * (1 - 1e-9)


def test_no_mass_no_cluster() -> None:
    assert found({}) == []
    assert found({11_000: 1e9}) == []


def test_zones_are_met_in_the_order_of_the_move() -> None:
    zones = Zones([watched(92.0), watched(90.0), watched(95.0)])

    up = [zone.low for zone in zones.crossed(89.0, 93.0, Direction.UP)]
    down = [zone.low for zone in zones.crossed(96.0, 91.0, Direction.DOWN)]

    assert up == [90.0, 92.0]
    assert down == [95.0, 92.0]


def test_the_zone_ahead_is_the_next_in_the_direction_of_the_move() -> None:
    zones = Zones([watched(92.0), watched(90.0), watched(95.0)])

    assert (ahead := zones.ahead(90.0, Direction.UP)) is not None
    assert ahead.low == 92.0
    assert (below := zones.ahead(92.0, Direction.DOWN)) is not None
    assert below.low == 90.0
    assert zones.ahead(95.0, Direction.UP) is None
    assert zones.ahead(90.0, Direction.DOWN) is None


def test_a_cluster_at_a_watched_price_lends_it_its_dollars_and_is_not_told_twice() -> None:
    cluster = Zone(
        id="c", low=90.05, high=90.2, position=Position.SHORT, notional_usd=3e7, source="estimate"
    )
    (only,) = merge_zones([watched(90.0)], [cluster], margin=0.0015)

    assert only.source == "user"
    assert only.notional_usd == 3e7


def test_a_cluster_elsewhere_stays_its_own() -> None:
    cluster = Zone(
        id="c", low=91.0, high=91.2, position=Position.SHORT, notional_usd=3e7, source="estimate"
    )

    assert len(list(merge_zones([watched(90.0)], [cluster], margin=0.0015))) == 2


def test_a_wide_hump_is_named_by_its_densest_part() -> None:
    hump = {key: 1e6 + 1e5 * (200 - abs(key - 11_400)) for key in range(11_200, 11_600)}

    zones = found(hump)

    assert any(zone.low < exp(11.4) < zone.high for zone in zones)
    assert all(log(zone.high / zone.low) < WIDEST + 2 * BUCKET for zone in zones)
    by_price = sorted(zones, key=lambda zone: zone.low)
    assert all(one.high <= other.low * (1 + 1e-9) for one, other in pairwise(by_price))
