from msgspec.structs import replace
from sample_map import small_map  # noqa: F401 - fixtures

from liqwatch.alerting.map_frame import Slice, frame, observed_share, round_step, side, side_usd
from liqwatch.events import Position
from liqwatch.map_view import MapShown


def test_a_side_is_told_from_the_price_outwards(shown: MapShown) -> None:
    assert side(shown.map, Position.LONG, 60_000.0) == [
        Slice(68_100.0, 68_000.0, 4e6),
        Slice(64_100.0, 64_000.0, 1e6),
    ]
    assert side(shown.map, Position.SHORT, high=75_050.0) == [
        Slice(72_000.0, 72_100.0, 10e6),
        Slice(75_000.0, 75_100.0, 30e6),
    ]


def test_what_is_too_far_away_does_not_count(shown: MapShown) -> None:
    assert side_usd(shown.map, Position.SHORT) == 40e6
    assert side_usd(shown.map, Position.LONG) == 6e6


def test_the_frame_holds_clusters_levels_path_and_most_of_each_side(shown: MapShown) -> None:
    low, high = frame(replace(shown, watch_levels=(77_000.0, 200_000.0)))

    assert low == 70_000.0 / 1.03, "six tenths of the longs end nearer than that"
    assert high == 77_000.0, "the watch level; the other one is out of sight"


def test_the_frame_of_an_empty_map_is_three_per_cent_around_the_price(shown: MapShown) -> None:
    bare = replace(shown.map, buckets=(), clusters=())

    assert frame(MapShown(bare)) == (70_000.0 / 1.03, 70_000.0 * 1.03)
    assert observed_share(bare) is None


def test_steps_are_round_and_few() -> None:
    assert round_step(12_300.0, 14) == 1_000.0
    assert round_step(14_100.0, 14) == 2_000.0
    assert round_step(0.031, 10) == 0.005
    assert round_step(95.0, 10) == 10.0
