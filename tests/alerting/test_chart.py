from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image
from sample_map import graded, small_map, tilted  # noqa: F401 - fixtures

from liqwatch.alerting.chart import COLORS, _label, _spread, draw
from liqwatch.map_view import Asymmetry, MapScore, MapShown, Theme


@pytest.mark.parametrize("theme", Theme)
def test_the_same_map_gives_the_same_picture_of_a_phones_size(
    shown: MapShown, theme: Theme
) -> None:
    png = draw(shown, theme)

    image = Image.open(BytesIO(png))
    assert image.size == (1080, 1350)
    assert image.info.keys() <= {"dpi"}, "no time, no version"
    assert image.convert("RGB").getpixel((2, 2)) == _rgb(COLORS[theme].paper)
    assert png == draw(shown, theme)


def test_both_sides_levels_and_path_are_drawn_in_their_colours(shown: MapShown) -> None:
    full, colors = draw(shown, Theme.LIGHT), COLORS[Theme.LIGHT]
    bare = draw(MapShown(replace(shown.map, buckets=(), clusters=())), Theme.LIGHT)

    for color in (colors.shorts, colors.longs):
        assert _count(full, color) > 1.2 * _count(bare, color) > 0, "the bars; the words stay"
    assert _count(full, colors.level) > 0 == _count(bare, colors.level)
    assert _count(full, colors.ink) > _count(bare, colors.ink)


def test_everything_that_may_be_known_can_be_drawn(
    shown: MapShown, asymmetry: Asymmetry, score: MapScore
) -> None:
    known = replace(shown.map, asymmetry=asymmetry, score=score, scale="usd")

    assert draw(replace(shown, map=known)) != draw(shown)


def test_whose_a_cluster_is_stands_in_the_picture(shown: MapShown) -> None:
    long, short = shown.map.clusters
    mine = replace(short, sources=("user",), observed_share=None)

    assert _label(short, 100.0) == "75,050  est. $30M"
    assert _label(mine, 100.0) == "75,050  est. $30M · yours"
    assert _label(long, 100.0) == "68,050  est. $4.0M · 50% observed"


def test_a_cluster_taller_than_its_name_is_named_by_both_ends(shown: MapShown) -> None:
    _, short = shown.map.clusters

    assert _label(replace(short, high=77_000.0), 100.0) == "75,000–77,000  est. $30M"


def test_a_coin_of_any_name_and_price_can_be_drawn(shown: MapShown) -> None:
    odd = replace(shown.map, symbol="币安$人生_^", price=1.3e-7, buckets=(), clusters=())

    assert draw(MapShown(odd))


@given(st.lists(st.floats(0, 100), max_size=12).map(sorted), st.floats(0.1, 20))
def test_names_are_moved_apart_in_order_and_not_without_need(
    places: list[float], gap: float
) -> None:
    moved = _spread(places, gap)

    assert all(after - before >= gap - 1e-9 for before, after in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)
    if all(after - before >= gap for before, after in pairwise(places)):
        assert moved == pytest.approx(places)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def _count(png: bytes, color: str) -> int:
    image = Image.open(BytesIO(png)).convert("RGB")
    return sum(n for n, at in image.getcolors(1 << 24) or [] if at == _rgb(color))
