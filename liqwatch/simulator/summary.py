"""The closing words of a demonstration: what really happened, beside what the alerts said."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from liqwatch.alerts import Alert, Kind
from liqwatch.simulator.score import Call, Heard, hear, score
from liqwatch.simulator.truth import LevelTruth, Truth, Visit

_AHEAD_MS = 300_000  # how long before a visit its announcement may come
_AFTER_MS = 900_000  # how long after an event an alert can still be about it
_LEVEL_MARGIN = 0.005  # of the price: an alert that names a level so near means this one
_UNSAID = "–"


class _Row(NamedTuple):
    time_ms: int
    event: str
    said: str


def summary(alerts: Iterable[Alert | Mapping[str, Any]], truth: Truth) -> str:
    """Render a table of true events, each with the alert that told of it, and the false starts.

    Times are minutes and seconds of market time since the market began. Raises
    msgspec.ValidationError for an object that is no alert.
    """
    alerts = list(alerts)
    heard, result = hear(alerts), score(alerts, truth)
    rows = [row for level in truth.levels for row in _level_rows(level, heard)]
    rows += [row for call in result.calls for row in _cascade_rows(call, heard)]
    width = max((len(row.event) for row in rows), default=0)
    lines = [f"{'':7}{'what really happened':{width}}   what the alerts said"]
    lines += [
        f"{_clock(row.time_ms - truth.begin_ms):>5}  {row.event:{width}}   {row.said}"
        for row in sorted(rows, key=lambda row: row.time_ms)
    ]
    return "\n".join([*lines, f"false starts: {len(result.false_starts)}"])


def _level_rows(level: LevelTruth, heard: Sequence[Heard]) -> Iterator[_Row]:
    name = f"{level.symbol} {level.price:,.0f}"
    about = [alert for alert in heard if _is_about(alert, level)]
    for visit, (since_ms, until_ms) in zip(level.visits, _times(level.visits), strict=True):
        begin_ms = visit.approached_ms
        near = _first(about, Kind.LEVEL_APPROACHED, since_ms, until_ms)
        yield _Row(begin_ms, f"{name} approached", _said(near, begin_ms))
        verdict = _first(about, Kind.LEVEL_VERDICT, begin_ms, until_ms)
        if visit.crossed_ms is not None:
            yield _Row(visit.crossed_ms, f"{name} crossed", _said(verdict, visit.crossed_ms))
        if visit.rejected_ms is not None:
            event = f"{name} rejected at {visit.closest_price:,.0f}"
            yield _Row(visit.rejected_ms, event, _said(verdict, visit.rejected_ms))


def _cascade_rows(call: Call, heard: Sequence[Heard]) -> Iterator[_Row]:
    leg, start, stall = call.leg, call.start, call.stall
    gone = "" if call.share_gone is None else f", {call.share_gone:.0%} of the forced move gone"
    name = f"{leg.symbol} {'▲' if leg.direction.sign > 0 else '▼'}"
    yield _Row(
        leg.onset_ms,
        f"{name} cascade from {leg.start_price:,.0f}",
        _said(start, leg.onset_ms) + gone,
    )
    beside = f" and {leg.deleveraged_usd / 1e6:,.0f}M deleveraged" if leg.deleveraged_usd else ""
    early = ", too early" if call.stall_premature else ""
    yield _Row(
        leg.end_ms,
        f"{name} over at {leg.extreme_price:,.0f}, ${leg.forced_usd / 1e6:,.0f}M forced{beside}",
        _said(stall, leg.end_ms) + early,
    )
    story = [alert for alert in heard if start is not None and alert.episode == start.episode]
    end = _first(story, Kind.CASCADE_ENDED, leg.onset_ms, leg.end_ms + _AFTER_MS)
    if end is not None:
        yield _Row(leg.end_ms, "", _said(end, leg.end_ms))


def _is_about(alert: Heard, level: LevelTruth) -> bool:
    margin = level.price * _LEVEL_MARGIN
    return (
        alert.symbol == level.symbol
        and alert.level is not None
        and alert.level.low - margin <= level.price <= alert.level.high + margin
    )


def _times(visits: Sequence[Visit]) -> Iterator[tuple[int, int]]:
    # What is said of a visit is said after the one before it and before the next one.
    begins = [visit.approached_ms for visit in visits]
    for before, begin, after in zip([0, *begins], begins, [*begins[1:], math.inf], strict=False):
        yield max(before, begin - _AHEAD_MS), int(min(after, begin + _AFTER_MS))


def _first(alerts: Iterable[Heard], kind: Kind, begin_ms: int, end_ms: int) -> Heard | None:
    return next((a for a in alerts if a.kind == kind and begin_ms <= a.time < end_ms), None)


def _said(alert: Heard | None, event_ms: int) -> str:
    if alert is None:
        return _UNSAID
    what = alert.verdict or alert.outcome
    words = alert.kind.replace("_", " ") + (f": {what}" if what else "")
    gap_s = (alert.time - event_ms) / 1000
    return f"{words}, {abs(gap_s):.1f} s {'later' if gap_s >= 0 else 'before'}"


def _clock(time_ms: int) -> str:
    return f"{time_ms // 60_000}:{time_ms // 1000 % 60:02}"
