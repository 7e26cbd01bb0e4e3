"""Results of many episodes as a table: rates, with bounds from resampling whole episodes."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from liqwatch.simulator.episodes.trial import Result
from liqwatch.simulator.episodes.worlds import Floats, Story

RESAMPLES = 1000
_STOP_RUN = Story.STOP_RUN.name.lower()
BOUNDS = (2.5, 97.5)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One method at one visibility. A rate over nothing is nan."""

    method: str
    visibility: str
    episodes: int
    legs: int
    precision: float
    recall: float
    f1: float
    f1_low: float
    f1_high: float
    without_stop_runs_f1: float
    in_time_f1: float
    delay_s: float
    delay_90_s: float
    false_per_100: float  # episodes
    false_confirmed_per_100: float
    stall_accuracy: float
    stall_delay_s: float


def summarise(results: Sequence[Result]) -> Row:
    """Return the row of results that share method and visibility; at least one."""
    counts = np.array(
        [(one.legs, one.found, one.in_time, one.false_starts) for one in results], dtype=float
    )
    legs, found, in_time, false = counts.sum(axis=0)
    drawn = np.random.default_rng(1).integers(0, len(counts), (RESAMPLES, len(counts)))
    resampled = counts[drawn].sum(axis=1)
    low, high = np.nanpercentile(_f1(resampled[:, 0], resampled[:, 1], resampled[:, 3]), BOUNDS)
    delays = [delay for one in results for delay in one.delays_s]
    stalls = sum(one.stalls for one in results)
    premature = sum(one.premature_stalls for one in results)
    return Row(
        method=results[0].method,
        visibility=results[0].visibility,
        episodes=len(results),
        legs=int(legs),
        precision=_share(found, found + false),
        recall=_share(found, legs),
        f1=_share(2 * found, found + false + legs),
        f1_low=float(low),
        f1_high=float(high),
        without_stop_runs_f1=f1(one for one in results if one.story != _STOP_RUN),
        in_time_f1=_share(2 * in_time, found + false + legs),
        delay_s=_percentile(delays, 50),
        delay_90_s=_percentile(delays, 90),
        false_per_100=_share(100 * false, len(results)),
        false_confirmed_per_100=_share(
            100 * sum(one.false_confirmed for one in results), len(results)
        ),
        stall_accuracy=_share(stalls - premature, stalls),
        stall_delay_s=_percentile([d for one in results for d in one.stall_delays_s], 50),
    )


def f1(results: Iterable[Result]) -> float:
    """Return the F1 of start calls; 0 where nothing was called."""
    found = false = legs = 0
    for one in results:
        found, false, legs = found + one.found, false + one.false_starts, legs + one.legs
    return 2 * found / (found + false + legs) if found else 0.0


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a table to paste into a document."""
    head = (
        "| visible | method | P | R | **F1** (95 %) | without stop runs | in time"
        " | delay median, 90 % | false per 100 (confirmed) | stalls right, delay |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *map(_line, rows)])


def _line(row: Row) -> str:
    stalls = (
        "–"
        if np.isnan(row.stall_accuracy)
        else f"{row.stall_accuracy:.2f}, {row.stall_delay_s:.0f} s"
    )
    return (
        f"| {row.visibility} | {row.method} | {row.precision:.2f} | {row.recall:.2f}"
        f" | **{row.f1:.2f}** ({row.f1_low:.2f}–{row.f1_high:.2f}) | {row.without_stop_runs_f1:.2f}"
        f" | {row.in_time_f1:.2f} | {row.delay_s:.0f}, {row.delay_90_s:.0f} s"
        f" | {row.false_per_100:.1f} ({row.false_confirmed_per_100:.1f}) | {stalls} |"
    )


def _f1(legs: Floats, found: Floats, false: Floats) -> Floats:
    rates: Floats = 2 * found / np.maximum(found + false + legs, 1)
    return rates


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _percentile(values: Sequence[float], at: float) -> float:
    return float(np.percentile(values, at)) if values else float("nan")
