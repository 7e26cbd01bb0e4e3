import pytest
from msgspec.structs import replace
from sample_map import graded, small_map, tilted  # noqa: F401 - fixtures

from liqwatch.alerting import map_words as words
from liqwatch.map_view import MapScore, MapShown


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


def test_who_tells_of_a_cluster_is_said(shown: MapShown) -> None:
    long, _ = shown.map.clusters

    assert words.sources(long) == "estimate, published positions 50%"


def test_relative_amounts_are_called_so_until_they_are_calibrated(shown: MapShown) -> None:
    assert "relative until calibrated" in words.caution(shown.map)
    assert words.caution(replace(shown.map, scale="usd")) == words.MAGNETS
