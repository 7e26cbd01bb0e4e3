from io import BytesIO

import pytest
from msgspec.structs import replace
from PIL import Image
from sample_map import START_MS, small_map  # noqa: F401 - fixture

from liqwatch.alerting.chart import COLORS
from liqwatch.alerting.episode_chart import draw_episode
from liqwatch.alerts import Direction, Level, Running, Severity
from liqwatch.episode_view import EpisodeShown
from liqwatch.events import Position
from liqwatch.map_view import MapShown, Theme


@pytest.fixture(name="episode")
def running_up(shown: MapShown) -> EpisodeShown:
    steps = range(START_MS - 300_000, START_MS, 5000)
    return EpisodeShown(
        running=Running(
            episode="BTC-up-1",
            symbol="BTC",
            position=Position.SHORT,
            direction=Direction.UP,
            severity=Severity.CRITICAL,
            against_map=False,
            stalled=False,
            time=START_MS,
            started=START_MS - 60_000,
            price=70_000.0,
            start_price=69_000.0,
            extreme_price=70_050.0,
            speed_bp_per_min=61.0,
            forced_usd_total=38.6e6,
            forced_usd_60s=30e6,
            peak_forced_usd_60s=30e6,
            complete=False,
            crossed=(Level(69_300.0, 69_500.0, 1.2e9, "estimate"),),
            next_level=Level(70_400.0, 70_600.0, 2.4e9, "estimate"),
        ),
        shown=shown,
        prices=tuple((at, 69_000.0 + max(0, at - START_MS + 60_000) / 60) for at in steps),
        forced_usd=tuple((at, 2e6) for at in steps if at >= START_MS - 60_000),
        step_ms=5000,
    )


@pytest.mark.parametrize("theme", Theme)
def test_the_same_cascade_gives_the_same_square_picture(
    episode: EpisodeShown, theme: Theme
) -> None:
    png = draw_episode(episode, theme)

    image = Image.open(BytesIO(png))
    assert image.size == (1080, 1080)
    assert image.info.keys() <= {"dpi"}, "no time, no version"
    assert png == draw_episode(episode, theme)


def test_forced_flow_and_crossed_levels_are_drawn(episode: EpisodeShown) -> None:
    quiet = replace(episode, forced_usd=())
    nothing_crossed = replace(episode, running=replace(episode.running, crossed=()))

    color = COLORS[Theme.LIGHT].shorts
    assert _count(episode, color) > 2 * _count(quiet, color)
    assert draw_episode(nothing_crossed) != draw_episode(episode)


@pytest.mark.parametrize("scale", [1e-9, 1e3])
def test_a_coin_of_any_name_and_price_without_history_can_be_drawn(
    episode: EpisodeShown, scale: float
) -> None:
    now, view = episode.running, episode.shown.map
    tiny = replace(
        now,
        symbol="币安$人生_^",
        price=now.price * scale,
        start_price=now.start_price * scale,
        extreme_price=now.extreme_price * scale,
        crossed=(),
        next_level=None,
    )
    bare = MapShown(replace(view, price=view.price * scale, buckets=(), clusters=()))

    assert draw_episode(EpisodeShown(tiny, bare, (), (), 5000))


def test_a_level_far_ahead_does_not_flatten_the_run(episode: EpisodeShown) -> None:
    far = replace(episode.running, next_level=Level(99_000.0, 99_500.0, None, "user"))

    without = replace(episode.running, next_level=None)
    assert draw_episode(replace(episode, running=far)) == draw_episode(
        replace(episode, running=without)
    )


def _count(episode: EpisodeShown, color: str) -> int:
    image = Image.open(BytesIO(draw_episode(episode, Theme.LIGHT))).convert("RGB")
    rgb = tuple(bytes.fromhex(color[1:]))
    return sum(n for n, at in image.getcolors(1 << 24) or [] if at == rgb)
