"""The map as a ladder for a terminal: prices from high to low, longer bars where more lies.

Longs and shorts differ in place and shade, not in colour alone.
"""

from collections.abc import Iterator
from math import ceil, floor
from textwrap import wrap
from typing import NamedTuple

from rich.text import Text

from liqwatch.alerting import map_estimates as estimates
from liqwatch.alerting import map_words as words
from liqwatch.alerting.map_frame import frame, place, round_step, side
from liqwatch.alerting.numbers import amount, price, signed_pct, significant
from liqwatch.events import Position
from liqwatch.map_view import Cluster, MapShown

MOST_RUNGS = 26
LEAST_BAR = 8
EIGHTHS = " ▏▎▍▌▋▊▉"
STYLES = {Position.SHORT: "cyan", Position.LONG: "yellow"}
INITIALS = {Position.SHORT: "S", Position.LONG: "L"}
COLUMNS = ("cluster", "away", "est. amount", "running", "est. flow", "K", "of")
FLOW = "flow: net taker flow that would move price there as it moves now; far away it takes more"

Names = dict[str, Cluster]


class Rung(NamedTuple):
    """What price would set off on its way from one round price to the next."""

    position: Position
    to: float
    usd: float
    running_usd: float  # all the way from the price
    notes: str


def ladder(shown: MapShown, width: int) -> Text:
    """Return the map as lines of at most `width` cells, best with 70 or more."""
    named = _named(shown.map.clusters)
    lines = [
        Text(f"{words.title(shown.map)} · {words.moment(shown.map)}", "bold"),
        *(Text(line) for line in wrap(estimates.sides(shown.map), width)),
        Text(),
        *_ladder(shown, named, width),
        Text(),
        *_table(shown, named, width),
        Text(),
        *_below(shown, width),
    ]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        line.rstrip()
    return Text("\n").join(lines)


def _named(clusters: tuple[Cluster, ...]) -> Names:
    """Give each cluster a short name: S1 is the nearest one of shorts."""
    named: Names = {}
    for position, initial in INITIALS.items():
        own = [one for one in clusters if one.position is position]
        own.sort(key=lambda one: abs(one.distance_pct))
        named |= {f"{initial}{number}": one for number, one in enumerate(own, 1)}
    return named


# -- the ladder ------------------------------------------------------------------------------------


def _ladder(shown: MapShown, named: Names, width: int) -> Iterator[Text]:
    now = shown.map.price
    shorts, longs = (_rungs(shown, named, one) for one in (Position.SHORT, Position.LONG))
    heaviest = max(rung.usd for rung in [*shorts, *longs])
    notes = max(len(rung.notes) for rung in [*shorts, *longs])
    room = max(LEAST_BAR, width - len(_cells()) - notes - 4)
    yield Text(f"{_cells('to price', 'away', 'est.', 'running')}  shorts: forced buying", "dim")
    for rung in reversed(shorts):
        yield _line(rung, now, heaviest, room)
    yield Text(f"{price(now):>10} ".ljust(width, "─"), "bold")
    for rung in longs:
        yield _line(rung, now, heaviest, room)
    yield Text(f"{_cells()}  longs: forced selling", "dim")


def _rungs(shown: MapShown, named: Names, position: Position) -> list[Rung]:
    """Return the rungs of one side, nearest first; a bucket counts where it ends."""
    now, sign = shown.map.price, 1 if position is Position.SHORT else -1
    slices = side(shown.map, position)
    rungs: list[Rung] = []
    begin, running_usd = now, 0.0
    for end in sorted(_ends(shown, sign), key=lambda end: sign * end):
        usd = sum(one.usd for one in slices if sign * begin < sign * one.far <= sign * end)
        running_usd += usd
        notes = [
            name for name, one in named.items() if sign * begin < sign * place(one) <= sign * end
        ]
        if end in shown.watch_levels:
            notes.append("your level")
        rungs.append(Rung(position, end, usd, running_usd, " · ".join(notes)))
        begin = end
    return rungs


def _ends(shown: MapShown, sign: int) -> set[float]:
    """Return where rungs end on one side of the price: at round prices and watch levels."""
    low, high = frame(shown)
    step = round_step(high - low, MOST_RUNGS)
    rounded = {number * step for number in range(floor(low / step), ceil(high / step) + 1)}
    levels = {level for level in shown.watch_levels if low <= level <= high}
    return {end for end in rounded | levels if sign * end > sign * shown.map.price}


def _line(rung: Rung, now: float, heaviest: float, room: int) -> Text:
    away = signed_pct(100 * (rung.to / now - 1))
    amounts = (amount(usd) if usd else "·" for usd in (rung.usd, rung.running_usd))
    line = Text(_cells(price(rung.to), away, *amounts) + "  ")
    share = rung.usd / heaviest if heaviest else 0.0
    line.append(f"{_bar(share, room, rung.position):<{room}}", STYLES[rung.position])
    return line.append(f"  {rung.notes}", "bold") if rung.notes else line


def _cells(to: str = "", away: str = "", est: str = "", running: str = "") -> str:
    return f"{to:>10} {away:>7} {est:>7} {running:>7}"


def _bar(share: float, room: int, position: Position) -> str:
    cells = share * room
    if position is Position.LONG:
        return "▒" * ceil(cells)
    full = floor(cells)
    return "█" * full + EIGHTHS[floor(8 * (cells - full))].strip()


# -- below it --------------------------------------------------------------------------------------


def _table(shown: MapShown, named: Names, width: int) -> Iterator[Text]:
    if not named:
        yield Text("No cluster stands out.")
        return
    clusters = sorted(named.items(), key=lambda item: -item[1].low)
    rows = [COLUMNS, *(_row(name, one) for name, one in clusters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    styles = ["dim", *(STYLES[one.position] for _, one in clusters)]
    for row, style in zip(rows, styles, strict=True):
        where, *numbers, source = row
        cells = [cell.rjust(room) for cell, room in zip(numbers, widths[1:], strict=False)]
        yield Text("  ".join([where.ljust(widths[0]), *cells, source]), style)
    for line in wrap(f"{FLOW}. {words.criticality(shown.map)}.", width):
        yield Text(line, "dim")


def _row(name: str, one: Cluster) -> tuple[str, ...]:
    return (
        f"{name:<3} {price(one.low)}–{price(one.high)}",
        signed_pct(one.distance_pct),
        estimates.ranged(one.notional_usd, one.notional_range_usd),
        "?" if one.cumulative_usd is None else amount(one.cumulative_usd),
        estimates.taker(one) or ("·" if one.taker_usd == 0 else "?"),
        "?" if one.criticality is None else significant(one.criticality),
        words.sources(one),
    )


def _below(shown: MapShown, width: int) -> Iterator[Text]:
    view = shown.map
    sentences = (
        estimates.standing(view),
        words.made_of(view),
        estimates.age(view),
        estimates.caution(view),
    )
    for sentence in filter(None, sentences):
        yield from map(Text, wrap(sentence, width))
