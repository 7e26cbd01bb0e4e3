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


def _hearing(make: Callable[[float], Any], *, mean: bool = False) -> Callable[[Seen], Speaks]:
    """Return how an episode is heard by a detector that is made for a threshold; one that keeps a
    mean of its own counts only as that rises.
    """

    def listen(seen: Seen) -> Speaks:
        log_usd = _log_usd(seen)

        def speaks(threshold: float) -> list[int]:
            detector, seconds = make(threshold), []
            for second, value in enumerate(log_usd):
                before = detector.estimation if mean else 0.0
                detector.update(value)
                if detector.drift_detected and (not mean or detector.estimation > before):
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
    Rival(
        "PageHinkley of river, tuned",
        _hearing(lambda threshold: _drift.PageHinkley(threshold=threshold, mode="up")),
        tuple(np.geomspace(5, 5e3, 13).tolist()),
    ),
    Rival("PageHinkley of river", _hearing(lambda _: _drift.PageHinkley()), (50.0,)),
    Rival(
        "ADWIN of river, tuned",
        _hearing(lambda delta: _drift.ADWIN(delta=delta, clock=1), mean=True),
        tuple(np.geomspace(1e-300, 0.5, 16).tolist()),
    ),
    Rival("ADWIN of river", _hearing(lambda _: _drift.ADWIN(), mean=True), (0.002,)),
)
RIVER_RIVALS = _ALL if _drift else ()
