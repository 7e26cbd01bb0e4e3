import pytest
from msgspec.structs import replace
from sample_map import graded, small_map, tilted  # noqa: F401 - fixtures

from liqwatch.alerting import map_estimates as estimates
from liqwatch.alerting import map_words as words
from liqwatch.map_view import Asymmetry, MapScore, MapShown


def test_a_ratio_never_stands_without_both_amounts_and_its_window(
    shown: MapShown, asymmetry: Asymmetry
) -> None:
    assert estimates.sides(replace(shown.map, asymmetry=asymmetry)) == (
        "Within -15%..+40%: shorts est. $14B, longs est. $980M, 14.3:1 (24 h ago 11.8:1)"
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


def test_the_score_says_what_chance_would_do(score: MapScore) -> None:
    assert words.score(score) == (
        "Score B: 31% (27%–36%) of liquidations hit its top tenth, chance 10%; 412 events in 30 d."
    )
    assert words.score(replace(score, grade="E")).startswith("Score E, no better than chance: ")


@pytest.mark.parametrize("missing", ["grade", "top_decile_share"])
def test_what_is_not_known_of_the_score_is_not_claimed(score: MapScore, missing: str) -> None:
    few = replace(score, events=12, days=2, **{missing: None})

    assert words.score(few) == "Not scored yet: 12 events in 2 d are too few."
    assert words.score(None) == "Not scored yet."


def test_it_says_what_is_known_and_what_is_estimated(shown: MapShown) -> None:
    near = replace(shown.map, buckets=shown.map.buckets[2:6])

    assert words.made_of(near) == ("4% observed, 96% estimated · binance-usdm 60% · okx-swap 40%")


def test_only_published_positions_are_no_estimate(shown: MapShown) -> None:
    long, _ = shown.map.clusters

    assert estimates.held(long) == "est. $4.0M"
    assert words.sources(long) == "estimate, published positions 50%"
    assert estimates.held(replace(long, sources=("observed",))) == "$4.0M"
    assert estimates.held(replace(long, notional_usd=None)) == "?"


def test_relative_amounts_are_called_so_until_they_are_calibrated(shown: MapShown) -> None:
    assert "relative until calibrated" in words.caution(shown.map)
    assert words.caution(replace(shown.map, scale="usd")) == words.MAGNETS
