"""The change detectors of river on the log of forced dollars: what somebody would try who has no
rule of his own.

There are none where river (https://riverml.xyz) is not installed. Those that are tuned are helped:
they hear of rises alone, and may speak every second. What was before the episode they do not know;
they are made to look back over minutes.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from liqwatch.simulator.episodes.course import SECONDS
from liqwatch.simulator.episodes.rivals import Rival, Seen, Speaks

_drift: Any = import_module("river.drift") if find_spec("river") else None  # it ships no types


def page_hinkley(mode: str) -> Callable[[Seen], Speaks]:
    """Return a Page-Hinkley test, of rises ("up") or of all changes ("both")."""

    def listen(seen: Seen) -> Speaks:
        log_usd = _log_usd(seen)

        def speaks(threshold: float) -> list[int]:
            detector = _drift.PageHinkley(threshold=threshold, mode=mode)
            return [
                second
                for second, value in enumerate(log_usd)
                if detector.update(value) or detector.drift_detected
            ]

        return speaks

    return listen


def adwin(clock: int) -> Callable[[Seen], Speaks]:
    """Return an adaptive window that is looked at every `clock` seconds; it counts if it rose."""

    def listen(seen: Seen) -> Speaks:
        log_usd = _log_usd(seen)

        def speaks(delta: float) -> list[int]:
            detector = _drift.ADWIN(delta=delta, clock=clock)
            seconds = []
            for second, value in enumerate(log_usd):
                before = detector.estimation
                detector.update(value)
                if detector.drift_detected and detector.estimation > before:
                    seconds.append(second)
            return seconds

        return speaks

    return listen


def _log_usd(seen: Seen) -> list[float]:
    second = seen.orders.time_s.astype(np.int64)
    usd = np.bincount(second, seen.orders.usd, minlength=SECONDS)[:SECONDS]
    told: list[float] = np.log1p(usd).tolist()
    return told


_ALL = (
    Rival("PageHinkley of river, tuned", page_hinkley("up"), tuple(np.geomspace(5, 5e3, 13))),
    Rival("PageHinkley of river", page_hinkley("both"), (50.0,)),
    Rival("ADWIN of river, tuned", adwin(1), tuple(np.geomspace(1e-300, 0.5, 16))),
    Rival("ADWIN of river", adwin(32), (0.002,)),
)
RIVER_RIVALS = _ALL if _drift else ()
