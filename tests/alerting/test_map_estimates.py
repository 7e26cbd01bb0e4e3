import pytest
from msgspec.structs import replace
from sample_map import graded, small_map, tilted  # noqa: F401 - fixtures

from liqwatch.alerting import map_estimates as estimates
from liqwatch.alerting import map_words as words
from liqwatch.map_view import Asymmetry, MapScore, MapShown, Range


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.62e9, 2.44e9, "$1.6–2.4B"),
        (950e6, 1.1e9, "$950M–$1.1B"),
        (2.01e9, 2.04e9, "$2.0B"),
        (999_900.0, 1.5e6, "$1.0–1.5M"),
        (3.0, 12.0, "$3.0–$12"),
        (0.0, 2e6, "$0–$2.0M"),
    ],
)
def test_a_range_has_two_digits_and_one_unit_where_it_can(
    low: float, high: float, said: str
) -> None:
    assert estimates.between(low, high) == said


def test_a_ratio_never_stands_without_both_amounts_and_its_window(
    shown: MapShown, asymmetry: Asymmetry
) -> None:
    assert estimates.sides(replace(shown.map, asymmetry=asymmetry)) == (
        "Within -15%..+40%: shorts est. $14B, longs est. $980M, 14.3:1 (24 h ago 11.8:1)"
    )
    known = replace(
        asymmetry, short_range_usd=Range(11e9, 17e9), long_range_usd=Range(770e6, 1.2e9)
    )
    assert estimates.sides(replace(shown.map, asymmetry=known)) == (
        "Within -15%..+40%: shorts est. $11–17B, longs est. $770M–$1.2B, 14.3:1 (24 h ago 11.8:1)"
    )


def test_more_longs_than_shorts_turn_the_ratio_round(shown: MapShown, asymmetry: Asymmetry) -> None:
    said = estimates.sides(
        replace(shown.map, asymmetry=replace(asymmetry, ratio=0.25, ratio_24h_ago=None))
    )

    assert said.endswith("longs est. $980M, 1:4")


def test_without_an_asymmetry_both_sides_are_added_up_and_no_ratio_is_claimed(
    shown: MapShown,
) -> None:
    assert estimates.sides(shown.map) == "Within −30%..+42%: shorts est. $40M, longs est. $6.0M"


def test_only_published_positions_are_no_estimate(shown: MapShown) -> None:
    long, _ = shown.map.clusters

    assert estimates.held(long) == "est. $4.0M"
    assert estimates.held(replace(long, notional_range_usd=Range(3e6, 5.2e6))) == "est. $3.0–5.2M"
    assert estimates.held(replace(long, sources=("observed",))) == "$4.0M"
    assert estimates.held(replace(long, notional_usd=None)) == "?"


def test_whose_a_cluster_is_is_said_where_it_is_not_all_our_estimate(shown: MapShown) -> None:
    long, short = shown.map.clusters

    assert estimates.told_by(long) == "50% observed"
    assert estimates.told_by(short) == ""
    assert estimates.told_by(replace(long, sources=("observed",), observed_share=1.0)) == "observed"
    assert estimates.told_by(replace(long, sources=("imported", "observed"))) == (
        "imported, 50% observed"
    )
    assert estimates.told_by(replace(long, sources=("user",), observed_share=None)) == "yours"


def test_what_it_takes_to_reach_the_next_cluster_is_a_range_of_taker_flow(shown: MapShown) -> None:
    view = shown.map
    long, short = view.clusters

    assert estimates.reach(view) == (
        "Taker flow to the next cluster: est. $480–620M of buying to 75,000."
    )
    long = replace(long, taker_usd=1e8, taker_range_usd=Range(5e7, 2e8))
    assert (estimates.reach(replace(view, clusters=(long, short))) or "").endswith(
        ", est. $50–200M of selling to 68,100."
    )
    within = replace(short, distance_pct=0.0, taker_usd=0.0)
    assert estimates.reach(replace(view, clusters=(within,))) is None
    assert estimates.reach(replace(view, clusters=())) is None


def test_a_map_no_better_than_chance_says_that_it_names_no_levels(
    shown: MapShown, score: MapScore
) -> None:
    failed = estimates.standing(replace(shown.map, score=replace(score, grade="E")))

    assert failed.startswith("Score E, no better than chance: ")
    assert failed.endswith("It names no levels by itself; yours and cascade alerts go on.")
    assert estimates.standing(replace(shown.map, score=score)) == words.score(score)


def test_relative_amounts_are_called_so_until_they_are_calibrated(shown: MapShown) -> None:
    assert "relative until calibrated" in estimates.caution(shown.map)
    assert "relative" not in estimates.caution(replace(shown.map, scale="usd"))
