"""The map as a picture for a phone: where price was, what lies above and below it, how it adds up.

Matplotlib's objects are used without its global state, so any thread may draw.
"""

import gc
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import accumulate, pairwise
from math import ceil, floor, nan
from statistics import fmean
from textwrap import wrap
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from liqwatch.alerting import map_estimates as estimates
from liqwatch.alerting import map_words as words
from liqwatch.alerting.map_frame import Slice, frame, place, round_step, side
from liqwatch.alerting.numbers import amount, price, signed_pct, utc
from liqwatch.events import Position
from liqwatch.map_view import Cluster, MapShown, MapView, Theme

WIDTH, HEIGHT, DPI = 7.2, 9.0, 150  # inches: 1080 by 1350 pixels
MARGIN, LEFT, MIDDLE, RIGHT = 0.03, 0.125, 0.42, 0.905  # of the picture; the price path, the map
TOP = 0.845
LINE = 0.021  # of words, from one to the next
UNDER_AXES = 0.075  # the times, and the name of the lower side
HEADROOM = 0.06  # above and below the frame
SMALL, MEDIUM, NORMAL, LARGE = 10, 11, 12.5, 20  # points, of 1/72 of an inch
FOOTER_COLUMNS = 96  # of small words
HEADER_COLUMNS = 78  # of medium ones
LAST_LETTER = "\u024f"  # of those that Latin is written in
MOST_PRICES = 14  # on the axis
MINUTE_MS = 60_000
GAP_MS = 90_000  # the path is broken where it has no price for longer
TIME_STEPS_MIN = (5, 10, 15, 30, 60, 120, 180)
BARS = 150  # over the frame: an eye can tell them apart
LONGEST_BAR = 0.56  # of the width: names stand on the right
MOST_LABELS = 7  # of one side
LABEL_GAP = 0.0235  # from one label to the next, of the picture
RUNNING_GAP = 0.026  # from the end of a line to its words, of the frame: a label may lie there


class Colors(NamedTuple):
    """One colour for each thing; those of longs and shorts differ for the colour-blind, too."""

    paper: str
    ink: str
    faint: str
    grid: str
    shorts: str
    longs: str
    level: str

    def of(self, position: Position) -> str:
        """Return the colour of a side."""
        return self.shorts if position is Position.SHORT else self.longs


COLORS = {
    Theme.LIGHT: Colors(
        "#ffffff", "#16202c", "#5d6875", "#e3e8ed", "#0b7fa3", "#c85f22", "#7a4fb5"
    ),
    Theme.DARK: Colors("#10161e", "#e8edf3", "#9aa7b5", "#232d38", "#36b3d6", "#f0964e", "#b592ec"),
}


class _Sheet(NamedTuple):
    """What is drawn, and in which frame."""

    shown: MapShown
    colors: Colors
    low: float  # prices
    high: float
    notes: Sequence[str]  # lines below it

    @property
    def bottom(self) -> float:
        """Where the axes end, as a share of the picture."""
        return UNDER_AXES + LINE * len(self.notes)

    @property
    def height(self) -> float:
        return self.high - self.low

    @property
    def label_gap(self) -> float:
        """From one label to the next, as a difference of prices."""
        shown = (1 + 2 * HEADROOM) * self.height
        return LABEL_GAP * shown / (TOP - self.bottom)


def draw(shown: MapShown, theme: Theme = Theme.DARK) -> bytes:
    """Return the picture as PNG; the same map gives the same bytes.

    The first picture of a process takes longer: fonts are looked up.
    """
    png = _draw(shown, theme)
    # A figure hangs together in circles, with megabytes of pixels in them: it would stay for long.
    gc.collect(1)
    return png


def plain(text: str) -> str:
    """Leave out what the font does not have: some coins are named in other letters than Latin."""
    return "".join(c if c <= LAST_LETTER else "?" for c in text)


def _draw(shown: MapShown, theme: Theme) -> bytes:
    sheet = _Sheet(shown, COLORS[theme], *frame(shown), notes=_notes(shown.map))
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=sheet.colors.paper)
    canvas = FigureCanvasAgg(figure)
    path, profile = _axes(figure, sheet, LEFT, MIDDLE), _axes(figure, sheet, MIDDLE, RIGHT)
    _mark_prices(path, profile, sheet)
    _draw_path(path, sheet)
    _draw_mass(profile, sheet)
    for axes in (path, profile):
        _draw_places(axes, sheet)
    _name_levels(path, sheet)
    _name_clusters(profile, sheet)
    _write(figure, sheet)
    picture = BytesIO()
    canvas.print_figure(
        picture, format="png", dpi=DPI, facecolor=sheet.colors.paper, metadata={"Software": None}
    )
    return picture.getvalue()


def _say(
    on: Axes | Figure, x: float, y: float, text: str, color: str, size: float = SMALL, **more: Any
) -> None:
    """Write. A dollar begins no formula."""
    on.text(x, y, text, color=color, fontsize=size, parse_math=False, **more)


# -- axes ------------------------------------------------------------------------------------------


def _axes(figure: Figure, sheet: _Sheet, left: float, right: float) -> Axes:
    axes = figure.add_axes((left, sheet.bottom, right - left, TOP - sheet.bottom))
    room = HEADROOM * sheet.height
    axes.set_ylim(sheet.low - room, sheet.high + room)
    axes.set_facecolor(sheet.colors.paper)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=sheet.colors.faint)
    axes.grid(axis="y", color=sheet.colors.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)
    return axes


def _mark_prices(path: Axes, profile: Axes, sheet: _Sheet) -> None:
    """Mark round prices on the left, and how far away they are on the right."""
    step = round_step(sheet.height, MOST_PRICES)
    marks = [n * step for n in range(ceil(sheet.low / step), floor(sheet.high / step) + 1)]
    now = sheet.shown.map.price
    far = [abs(mark - now) > sheet.label_gap for mark in marks]  # from the price's own label
    path.set_yticks(
        marks, [price(mark) if shown else "" for mark, shown in zip(marks, far, strict=True)]
    )
    profile.yaxis.tick_right()
    away = [signed_pct(100 * (mark / now - 1)) for mark in marks]
    profile.set_yticks(marks, [pct if shown else "" for pct, shown in zip(away, far, strict=True)])


# -- price -----------------------------------------------------------------------------------------


def _draw_path(axes: Axes, sheet: _Sheet) -> None:
    view = sheet.shown.map
    points = [*sheet.shown.price_path, (view.time, view.price)]
    times, prices = [float(points[0][0])], [points[0][1]]
    for (before_ms, _), (time_ms, at) in pairwise(points):
        gap = time_ms - before_ms > GAP_MS
        times += [nan, time_ms] if gap else [time_ms]
        prices += [nan, at] if gap else [at]
    axes.plot(times, prices, color=sheet.colors.ink, linewidth=1.6)
    _mark_times(axes, view.time, view.time - points[0][0])


def _mark_times(axes: Axes, now_ms: int, span_ms: int) -> None:
    span_ms = max(10 * MINUTE_MS, span_ms)
    steps = (step * MINUTE_MS for step in TIME_STEPS_MIN)
    every_ms = next((step for step in steps if span_ms <= 3.5 * step), span_ms)
    marks = range(ceil((now_ms - span_ms) / every_ms) * every_ms, now_ms + 1, every_ms)
    axes.set_xlim(now_ms - span_ms, now_ms + 0.05 * span_ms)
    axes.set_xticks(marks, [utc(mark, "%H:%M") for mark in marks])


# -- the map ---------------------------------------------------------------------------------------


def _draw_mass(axes: Axes, sheet: _Sheet) -> None:
    """Draw each side's USD by price as one shape, and as a line what it adds up to from here on."""
    slices = {one: side(sheet.shown.map, one, sheet.low, sheet.high) for one in Position}
    bars = {one: _bars(held, sheet) for one, held in slices.items()}
    most_in_bar = max([1.0, *(usd for own in bars.values() for usd in own.values())])
    total = max([1.0, *(sum(one.usd for one in held) for held in slices.values())])
    axes.set_xlim(0, 1.04)
    axes.set_xticks([])
    for position in Position:
        color = sheet.colors.of(position)
        axes.fill(
            *_outline(bars[position], most_in_bar / LONGEST_BAR, sheet),
            color=color,
            alpha=0.8,
            linewidth=0,
        )
        _draw_running(axes, sheet, position, slices[position], total)


def _bars(held: Sequence[Slice], sheet: _Sheet) -> dict[int, float]:
    """Add up buckets, by number of the bar counted from the price."""
    bar, usd = sheet.height / BARS, dict[int, float]()
    for one in held:
        number = floor(((one.near + one.far) / 2 - sheet.shown.map.price) / bar)
        usd[number] = usd.get(number, 0.0) + one.usd
    return usd


def _outline(
    bars: Mapping[int, float], full_usd: float, sheet: _Sheet
) -> tuple[list[float], list[float]]:
    bar, across, along = sheet.height / BARS, list[float](), list[float]()
    for number, usd in sorted(bars.items()):
        low = sheet.shown.map.price + number * bar
        across += [0.0, usd / full_usd, usd / full_usd, 0.0]
        along += [low, low, low + bar, low + bar]
    return across, along


def _draw_running(
    axes: Axes, sheet: _Sheet, position: Position, held: Sequence[Slice], total: float
) -> None:
    if not held:
        return
    color, up = sheet.colors.of(position), position is Position.SHORT
    running = list(accumulate((one.usd for one in held), initial=0.0))
    prices = [sheet.shown.map.price, *(one.far for one in held)]
    axes.plot([usd / total for usd in running], prices, color=color, linewidth=1.4)
    _say(
        axes,
        running[-1] / total,
        prices[-1] + (RUNNING_GAP if up else -RUNNING_GAP) * sheet.height,
        f"est. {amount(running[-1])} to {price(prices[-1])}",
        color,
        horizontalalignment="left" if running[-1] < 0.5 * total else "right",
        verticalalignment="bottom" if up else "top",
    )


def _draw_places(axes: Axes, sheet: _Sheet) -> None:
    """Draw clusters, watch levels and the price right across."""
    view, colors = sheet.shown.map, sheet.colors
    for cluster in view.clusters:
        color = colors.of(cluster.position)
        axes.axhspan(cluster.low, cluster.high, color=color, alpha=0.16, linewidth=0)
    for level in _levels(sheet):
        axes.axhline(level, color=colors.level, linewidth=1.3, linestyle=(0, (5, 3)))
    axes.axhline(view.price, color=colors.ink, linewidth=1.0)


# -- names -----------------------------------------------------------------------------------------


def _levels(sheet: _Sheet) -> list[float]:
    return [level for level in sheet.shown.watch_levels if sheet.low <= level <= sheet.high]


def _name_levels(axes: Axes, sheet: _Sheet) -> None:
    """Name the watch levels, and on the axis the price."""
    colors, across = sheet.colors, axes.get_yaxis_transform()
    for level in _levels(sheet):
        _say(
            axes,
            0.02,
            level,
            f"your {price(level)}",
            colors.level,
            transform=across,
            verticalalignment="bottom",
            fontweight="bold",
        )
    _say(
        axes,
        -0.02,
        sheet.shown.map.price,
        price(sheet.shown.map.price),
        colors.paper,
        transform=across,
        horizontalalignment="right",
        verticalalignment="center",
        fontweight="bold",
        bbox={"facecolor": colors.ink, "linewidth": 0, "pad": 3},
    )


def _name_clusters(axes: Axes, sheet: _Sheet) -> None:
    """Write beside the nearest and the largest clusters what they hold, no name over another."""
    named: list[Cluster] = []
    for position in Position:
        own = [one for one in sheet.shown.map.clusters if one.position is position]
        own = [one for one in own if sheet.low <= place(one) <= sheet.high]
        own.sort(key=lambda one: abs(one.distance_pct))
        largest = sorted(own[1:], key=lambda one: -(one.notional_usd or 0.0))
        named += [*own[:1], *largest[: MOST_LABELS - 1]]
    named.sort(key=place)
    spread = _spread([place(one) for one in named], sheet.label_gap)
    for cluster, at in zip(named, spread, strict=True):
        _say(
            axes,
            0.985,
            at,
            _label(cluster, sheet.label_gap),
            sheet.colors.of(cluster.position),
            transform=axes.get_yaxis_transform(),
            horizontalalignment="right",
            verticalalignment="center",
            fontweight="bold",
            bbox={"facecolor": sheet.colors.paper, "alpha": 0.95, "linewidth": 0, "pad": 1.5},
        )


def _label(cluster: Cluster, gap: float) -> str:
    """Name a cluster by the price where it is densest, one that is taller than its label by both
    ends.
    """
    whose, ends = estimates.told_by(cluster), f"{price(cluster.low)}–{price(cluster.high)}"
    where = ends if cluster.high - cluster.low > gap else price(place(cluster))
    said = f"{where}  {estimates.held(cluster)}"
    return f"{said} · {whose}" if whose else said


def _spread(places: Sequence[float], gap: float) -> list[float]:
    """Move sorted places a gap apart, as little as possible: those that touch share the way."""
    groups: list[list[float]] = []
    for index, at in enumerate(places):
        groups.append([at - index * gap])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    shared = [fmean(group) for group in groups for _ in group]
    return [at + index * gap for index, at in enumerate(shared)]


# -- words -----------------------------------------------------------------------------------------


def _notes(view: MapView) -> list[str]:
    sentences = (
        estimates.reach(view),
        estimates.standing(view),
        words.made_of(view),
        estimates.age(view),
        f"The line is what adds up from the price on. {estimates.caution(view)}",
    )
    return [line for one in filter(None, sentences) for line in wrap(one, FOOTER_COLUMNS)]


def _write(figure: Figure, sheet: _Sheet) -> None:
    view, colors = sheet.shown.map, sheet.colors
    title = plain(words.title(view))
    _say(figure, MARGIN, 0.957, title, colors.ink, LARGE, fontweight="bold")
    _say(figure, MARGIN, 0.923, words.moment(view), colors.ink, NORMAL)
    for number, line in enumerate(wrap(estimates.sides(view), HEADER_COLUMNS)):
        _say(figure, MARGIN, 0.892 - LINE * number, line, colors.ink, MEDIUM)
    up, down = "shorts: forced buying on the way up", "longs: forced selling on the way down"
    _say(figure, MIDDLE, TOP + 0.004, up, colors.shorts, fontweight="bold")
    _say(figure, MIDDLE, sheet.bottom - 0.02, down, colors.longs, fontweight="bold")
    for number, line in enumerate(reversed(sheet.notes)):
        _say(figure, MARGIN, 0.018 + LINE * number, line, colors.faint)
