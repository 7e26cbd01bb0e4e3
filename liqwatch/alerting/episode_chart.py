"""A cascade as a picture for a phone: the run of the price, the map beside it, forced flow below.

Matplotlib's objects are used without its global state, so any thread may draw.
"""

import gc
from io import BytesIO
from math import ceil, nan
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from liqwatch.alerting.chart import COLORS, Colors, plain
from liqwatch.alerting.map_frame import round_step, side
from liqwatch.alerting.numbers import amount, price, signed_pct, utc
from liqwatch.alerts import Direction, Level
from liqwatch.episode_view import EpisodeShown
from liqwatch.events import Position
from liqwatch.map_view import Theme

WIDTH, HEIGHT, DPI = 7.2, 7.2, 150  # inches: 1080 by 1080 pixels
MARGIN, LEFT, MIDDLE, RIGHT = 0.03, 0.125, 0.73, 0.97  # of the picture; the price, the map
BOTTOM, FLOOR, TOP = 0.07, 0.245, 0.875  # of forced flow, of the price
GAP = 0.015
SMALL, LARGE = 11, 19  # points
BEFORE_MS = 240_000  # shown of the time before its start
HEADROOM = 0.35  # of the run, above and below it
LEAST_ROOM = 0.004  # of the price
MOST_PRICES, MOST_TIMES = 8, 5
MOST_NAMES = 6
NAME_GAP = 0.045  # of the height
MINUTE_MS = 60_000


class _Sheet(NamedTuple):
    """What is drawn, and in which frame of prices and times."""

    episode: EpisodeShown
    colors: Colors
    low: float
    high: float
    begin_ms: int
    end_ms: int

    @property
    def color(self) -> str:
        return self.colors.of(self.episode.running.position)


def draw_episode(episode: EpisodeShown, theme: Theme = Theme.DARK) -> bytes:
    """Return the picture as PNG; the same cascade gives the same bytes."""
    png = _draw(_sheet(episode, theme))
    # A figure hangs together in circles, with megabytes of pixels in them: it would stay for long.
    gc.collect(1)
    return png


def _sheet(episode: EpisodeShown, theme: Theme) -> _Sheet:
    now = episode.running
    begin_ms = now.started - BEFORE_MS
    known = [at for time_ms, at in episode.prices if time_ms >= begin_ms]
    known += [now.price, now.start_price, now.extreme_price]
    room = max(HEADROOM * (max(known) - min(known)), LEAST_ROOM * now.price)
    low, high = min(known) - room, max(known) + room
    if (ahead := now.next_level) is not None:  # shown, where that does not flatten the run
        edge = ahead.low if now.direction is Direction.UP else ahead.high
        if abs(edge - now.extreme_price) < max(known) - min(known) + room:
            low, high = min(low, edge - room / 4), max(high, edge + room / 4)
    return _Sheet(episode, COLORS[theme], low, high, begin_ms, now.time)


def _draw(sheet: _Sheet) -> bytes:
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=sheet.colors.paper)
    canvas = FigureCanvasAgg(figure)
    run = _axes(figure, sheet, (LEFT, FLOOR, MIDDLE, TOP))
    flow = _axes(figure, sheet, (LEFT, BOTTOM, MIDDLE, FLOOR - GAP))
    ladder = _axes(figure, sheet, (MIDDLE + GAP, FLOOR, RIGHT, TOP))
    _draw_run(run, sheet)
    _draw_ladder(ladder, sheet)
    _draw_flow(flow, sheet)
    for axes in (run, ladder):
        axes.set_ylim(sheet.low, sheet.high)
        _draw_levels(axes, sheet)
    _name_levels(run, sheet)
    _mark_prices(run, sheet)
    _write(figure, sheet)
    picture = BytesIO()
    canvas.print_figure(
        picture, format="png", dpi=DPI, facecolor=sheet.colors.paper, metadata={"Software": None}
    )
    return picture.getvalue()


def _axes(figure: Figure, sheet: _Sheet, box: tuple[float, float, float, float]) -> Axes:
    left, bottom, right, top = box
    axes = figure.add_axes((left, bottom, right - left, top - bottom))
    axes.set_facecolor(sheet.colors.paper)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=sheet.colors.faint)
    axes.set_frame_on(False)
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def _mark_prices(axes: Axes, sheet: _Sheet) -> None:
    step = round_step(sheet.high - sheet.low, MOST_PRICES)
    first = ceil(sheet.low / step)
    marks = [number * step for number in range(first, int(sheet.high / step) + 1)]
    axes.set_yticks(marks, [price(mark) for mark in marks])
    axes.grid(axis="y", color=sheet.colors.grid, linewidth=0.8)
    axes.set_axisbelow(True)


def _draw_run(axes: Axes, sheet: _Sheet) -> None:
    now, colors = sheet.episode.running, sheet.colors
    times, prices = list[float](), list[float]()
    for time_ms, at in sheet.episode.prices:
        if time_ms < sheet.begin_ms:
            continue
        if times and time_ms - times[-1] > 3 * sheet.episode.step_ms:  # nothing was heard
            times.append(nan)
            prices.append(nan)
        times.append(time_ms)
        prices.append(at)
    axes.plot([*times, now.time], [*prices, now.price], color=colors.ink, linewidth=2.0)
    axes.set_xlim(sheet.begin_ms, sheet.end_ms + 0.03 * (sheet.end_ms - sheet.begin_ms))
    axes.axvline(now.started, color=sheet.color, linewidth=1.3, linestyle=(0, (2, 2)))
    axes.plot([now.time], [now.price], color=sheet.color, marker="o", markersize=8)


def _draw_levels(axes: Axes, sheet: _Sheet) -> None:
    """Draw what was crossed, what lies ahead, and the watch levels, right across."""
    now, colors = sheet.episode.running, sheet.colors
    for level in now.crossed:
        _draw_level(axes, level, sheet.color, 0.30)
    if now.next_level is not None:
        _draw_level(axes, now.next_level, sheet.color, 0.13)
    for at in sheet.episode.shown.watch_levels:
        axes.axhline(at, color=colors.level, linewidth=1.3, linestyle=(0, (5, 3)))


def _draw_level(axes: Axes, level: Level, color: str, alpha: float) -> None:
    if level.low == level.high:
        axes.axhline(level.low, color=color, alpha=min(1.0, 2 * alpha), linewidth=2)
    else:
        axes.axhspan(level.low, level.high, color=color, alpha=alpha, linewidth=0)


def _name_levels(axes: Axes, sheet: _Sheet) -> None:
    """Write beside the levels what they are, no name over another, the newest crossings first."""
    now = sheet.episode.running
    names = [(level, _name(level, "crossed")) for level in reversed(now.crossed)]
    if now.next_level is not None:
        names.insert(0, (now.next_level, _name(now.next_level, "ahead")))
    taken = list[float]()
    for level, text in names:
        at = (level.low + level.high) / 2
        near = any(abs(at - other) < NAME_GAP * (sheet.high - sheet.low) for other in taken)
        if near or not sheet.low < at < sheet.high or len(taken) == MOST_NAMES:
            continue
        taken.append(at)
        axes.text(
            0.015,
            at,
            text,
            color=sheet.colors.ink,
            fontsize=SMALL,
            parse_math=False,
            fontweight="bold",
            transform=axes.get_yaxis_transform(),
            verticalalignment="center",
            bbox={"facecolor": sheet.colors.paper, "alpha": 0.7, "linewidth": 0, "pad": 1.5},
        )


def _name(level: Level, what: str) -> str:
    ends = "–".join(dict.fromkeys((price(level.low), price(level.high))))
    held = "" if level.notional is None else f" · est. {amount(level.notional)}"
    return f"{what} {ends}{held}"


def _draw_ladder(axes: Axes, sheet: _Sheet) -> None:
    """Draw what the map still holds to both sides, within the frame."""
    widest = 1.0
    for position in Position:
        held = side(sheet.episode.shown.map, position, sheet.low, sheet.high)
        widest = max([widest, *(one.usd for one in held)])
        axes.barh(
            [(one.near + one.far) / 2 for one in held],
            [one.usd for one in held],
            [abs(one.far - one.near) for one in held],
            color=sheet.colors.of(position),
            alpha=0.8,
            linewidth=0,
        )
    axes.set_xlim(0, 1.05 * widest)


def _draw_flow(axes: Axes, sheet: _Sheet) -> None:
    shown = [one for one in sheet.episode.forced_usd if one[0] >= sheet.begin_ms]
    step_ms = sheet.episode.step_ms
    axes.bar(
        [time_ms + step_ms / 2 for time_ms, _ in shown],
        [usd for _, usd in shown],
        step_ms,
        color=sheet.color,
        linewidth=0,
    )
    most = max([1.0, *(usd for _, usd in shown)])
    axes.set_ylim(0, 1.15 * most)
    axes.set_yticks([most], [amount(most)])
    axes.grid(axis="y", color=sheet.colors.grid, linewidth=0.8)
    axes.set_xlim(sheet.begin_ms, sheet.end_ms + 0.03 * (sheet.end_ms - sheet.begin_ms))
    span_min = (sheet.end_ms - sheet.begin_ms) / MINUTE_MS
    step = max(1, ceil(span_min / MOST_TIMES))
    first = ceil(sheet.begin_ms / (step * MINUTE_MS))
    marks = range(first * step * MINUTE_MS, sheet.end_ms + 1, step * MINUTE_MS)
    axes.set_xticks(list(marks), [utc(mark, "%H:%M") for mark in marks])


def _write(figure: Figure, sheet: _Sheet) -> None:
    now, colors = sheet.episode.running, sheet.colors
    arrow = "▲" if now.direction is Direction.UP else "▼"
    state = "stalled" if now.stalled else "cascade"
    moved = signed_pct(100 * (now.price / now.start_price - 1))
    bound = "" if now.complete else "≥"
    rows = (
        (0.945, f"{arrow} {plain(now.symbol)} {now.position} {state}", sheet.color, LARGE, "bold"),
        (
            0.905,
            f"{utc(now.time)} UTC · {price(now.start_price)} → {price(now.price)} ({moved})",
            colors.ink,
            SMALL + 1.5,
            "normal",
        ),
    )
    for at, text, color, size, weight in rows:
        figure.text(
            MARGIN, at, text, color=color, fontsize=size, fontweight=weight, parse_math=False
        )
    every = f"{sheet.episode.step_ms // 1000} s"
    word = "buying" if now.direction is Direction.UP else "selling"
    figure.text(
        MARGIN,
        0.016,
        f"Forced {word} each {every}: {bound}{amount(now.forced_usd_total)} since the start",
        color=colors.faint,
        fontsize=SMALL,
        parse_math=False,
    )
    figure.text(
        RIGHT,
        FLOOR - 0.03,
        "map, est.",
        color=colors.faint,
        fontsize=SMALL,
        horizontalalignment="right",
    )
