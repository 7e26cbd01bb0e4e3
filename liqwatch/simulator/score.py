"""How good alerts were, held against the truth of a simulated market.

A start is right when it comes in [onset − 60 s, end + 2 s] of a leg of its coin and direction, once
per leg; further ones are ignored until 300 s after the end, and everything else is a false start. A
leg too small to be asked for excuses a start and counts for nothing. A stall call is premature when
more than 15 % of the leg was still to come. Stories of the whole market are not scored: each of
their coins has its own.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

import msgspec

from liqwatch.alerts import MARKET, Alert, Kind, Level
from liqwatch.simulator.truth import Leg, Truth

_EARLY_MS, _LATE_MS, _REPEAT_MS = 60_000, 2_000, 300_000
_LEFT = 0.15  # of the leg, when a stall is called


class Heard(msgspec.Struct, frozen=True):
    """What of an alert a score or a summary looks at."""

    kind: str
    symbol: str
    time: int
    direction: str | None = None
    episode: str | None = None
    level: Level | None = None
    outcome: str | None = None
    verdict: str | None = None


def hear(alerts: Iterable[Alert | Mapping[str, Any]]) -> list[Heard]:
    """Take alerts, or objects of the alert file, in order of time.

    Raises msgspec.ValidationError for an object that is no alert.
    """
    heard = (msgspec.convert(msgspec.to_builtins(alert), Heard) for alert in alerts)
    return sorted(heard, key=lambda alert: alert.time)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One leg and what the alerts said about it (None: nothing)."""

    leg: Leg
    start: Heard | None = None
    stall: Heard | None = None

    @property
    def start_delay_s(self) -> float | None:
        """Seconds from the onset to the start call; negative: before it."""
        return None if self.start is None else (self.start.time - self.leg.onset_ms) / 1000

    @property
    def share_gone(self) -> float | None:
        """Share of the forced move that was over when its start was called."""
        return None if self.start is None else self.leg.share_gone(self.start.time)

    @property
    def stall_premature(self) -> bool:
        """Whether the stall was called with too much of the move still to come."""
        return self.stall is not None and self.leg.share_gone(self.stall.time) < 1 - _LEFT

    @property
    def stall_delay_s(self) -> float | None:
        """Seconds from the end to the stall call."""
        return None if self.stall is None else (self.stall.time - self.leg.end_ms) / 1000


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How good the alerts were. A rate over nothing is None."""

    calls: list[Call]
    false_starts: list[int]  # times, ms

    @property
    def found(self) -> list[Call]:
        """Legs whose start was called."""
        return [call for call in self.calls if call.start is not None]

    @property
    def precision(self) -> float | None:
        """Share of start calls that were right."""
        return _share(len(self.found), len(self.found) + len(self.false_starts))

    @property
    def recall(self) -> float | None:
        """Share of legs that were called."""
        return _share(len(self.found), len(self.calls))

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return _share(
            2 * len(self.found), len(self.found) + len(self.false_starts) + len(self.calls)
        )

    @property
    def start_delays_s(self) -> list[float]:
        """Start calls after their onsets, sorted."""
        return sorted(c.start_delay_s for c in self.calls if c.start_delay_s is not None)

    @property
    def share_gone(self) -> float | None:
        """Mean share of the forced move that was over at the start call."""
        shares = [call.share_gone for call in self.calls if call.share_gone is not None]
        return mean(shares) if shares else None

    @property
    def stall_accuracy(self) -> float | None:
        """Share of stall calls that were not premature."""
        called = [call for call in self.calls if call.stall_delay_s is not None]
        return _share(sum(not call.stall_premature for call in called), len(called))

    @property
    def stall_delays_s(self) -> list[float]:
        """Right stall calls after the ends of their legs, sorted."""
        return sorted(
            call.stall_delay_s
            for call in self.calls
            if call.stall_delay_s is not None and not call.stall_premature
        )

    def __str__(self) -> str:
        """Say it to people, in a few lines."""
        starts = (
            f"starts  {len(self.found)} of {len(self.calls)} found, "
            f"{len(self.false_starts)} false · precision {_percent(self.precision)}, "
            f"recall {_percent(self.recall)}, F1 {_percent(self.f1)}"
        )
        delays = (
            f"delay   {_delays(self.start_delays_s)} after the onset, "
            f"{_percent(self.share_gone)} of the forced move gone"
        )
        stalls = (
            f"stalls  {_percent(self.stall_accuracy)} right, "
            f"{_delays(self.stall_delays_s)} after the end"
        )
        return f"{starts}\n{delays}\n{stalls}"


def score(alerts: Iterable[Alert | Mapping[str, Any]], truth: Truth) -> Score:
    """Hold alerts (or objects of the alert file) against what really happened.

    A resumed cascade may call a leg like a started one, but is never a false start. Raises
    msgspec.ValidationError for an object that is no alert.
    """
    heard = [alert for alert in hear(alerts) if alert.symbol != MARKET]
    legs = sorted(truth.legs, key=lambda leg: leg.minor)
    called: dict[int, Heard] = {}
    false_starts = []
    for start in heard:
        if start.kind not in {Kind.CASCADE_STARTED, Kind.CASCADE_RESUMED}:
            continue
        meant = [i for i, leg in enumerate(legs) if i not in called and _fits(start, leg, _LATE_MS)]
        if meant:
            called[meant[0]] = start
        elif start.kind == Kind.CASCADE_STARTED and not any(
            _fits(start, legs[i], _REPEAT_MS) for i in called
        ):
            false_starts.append(start.time)
    calls = [_judge(leg, called.get(i), heard) for i, leg in enumerate(legs) if not leg.minor]
    return Score(calls=calls, false_starts=false_starts)


def _fits(start: Heard, leg: Leg, late_ms: int) -> bool:
    return (
        start.symbol == leg.symbol
        and start.direction == leg.direction
        and leg.onset_ms - _EARLY_MS <= start.time <= leg.end_ms + late_ms
    )


def _judge(leg: Leg, start: Heard | None, heard: Sequence[Heard]) -> Call:
    if start is None:
        return Call(leg=leg)
    stall = next((alert for alert in heard if _is_stall_of(alert, start)), None)
    return Call(leg=leg, start=start, stall=stall)


def _is_stall_of(alert: Heard, start: Heard) -> bool:
    return (
        alert.kind == Kind.CASCADE_STALLED
        and alert.episode == start.episode
        and alert.time >= start.time
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _delays(delays_s: Sequence[float]) -> str:
    if not delays_s:
        return "–"
    ninth = delays_s[math.ceil(0.9 * len(delays_s)) - 1]
    return f"median {median(delays_s):+.1f} s, 90 % within {ninth:+.1f} s"
