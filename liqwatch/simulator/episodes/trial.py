"""One episode, one visibility: what liqwatch says, and what it is worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from liqwatch.alerts import Alert, Direction, Kind
from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.start import DetectionSettings
from liqwatch.simulator.episodes.feeds import Told, Visibility, history
from liqwatch.simulator.episodes.legs import START_MS, SYMBOL
from liqwatch.simulator.episodes.orders import liquidity
from liqwatch.simulator.score import score
from liqwatch.simulator.truth import Truth

PRIMED_MS = START_MS + 20_000  # every feed has been heard by then
IN_TIME = 0.5  # of the leg gone at most


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one method said of one episode."""

    method: str
    visibility: str
    story: str
    episode: int
    legs: int
    found: int
    in_time: int
    false_starts: int
    false_confirmed: int  # of these, told as forced orders and price feeding each other
    delays_s: list[float]
    stalls: int
    premature_stalls: int
    stall_delays_s: list[float]


def watch(
    told: Sequence[Told],
    visibility: Visibility,
    *,
    hours: int,
    volume_usd_day: float,
    detection: DetectionSettings,
    rng: np.random.Generator,
) -> list[Alert]:
    """Return the alerts of an engine whose feeds have learned for so many hours before."""
    promises = {feed.venue: Promise(completeness=feed.completeness) for feed in visibility.feeds}
    engine = Engine(EngineSettings(detection=detection), watch=None, promises=promises)
    alerts: list[Alert] = []
    primed = False
    for event in told:
        alerts += engine.update(event)
        if not primed and event.time > PRIMED_MS:
            primed = True
            _prime(engine, visibility, hours, liquidity(volume_usd_day), rng)
    return alerts


def _prime(
    engine: Engine, visibility: Visibility, hours: int, size: float, rng: np.random.Generator
) -> None:
    feeds = engine.state.symbols[SYMBOL].feeds
    for feed in visibility.feeds:
        for direction in Direction:
            feeds[direction][feed.venue].past.history = history(feed, hours, size, rng)


def _confirmed(alert: Alert | Mapping[str, Any], times_ms: Sequence[int]) -> bool:
    if not isinstance(alert, Alert) or alert.kind is not Kind.CASCADE_STARTED:
        return False
    return alert.time in times_ms and alert.evidence["tier"] != "burst"


def judge(
    alerts: Sequence[Alert | Mapping[str, Any]],
    truth: Truth,
    *,
    method: str,
    visibility: Visibility,
    episode: int,
) -> Result:
    """Hold alerts against the truth."""
    scored = score(alerts, truth)
    stalls = [call for call in scored.calls if call.stall is not None]
    return Result(
        method=method,
        visibility=visibility.name,
        story=truth.scenario,
        episode=episode,
        legs=len(scored.calls),
        found=len(scored.found),
        in_time=sum((call.share_gone or 0.0) <= IN_TIME for call in scored.found),
        false_starts=len(scored.false_starts),
        false_confirmed=sum(_confirmed(one, scored.false_starts) for one in alerts),
        delays_s=scored.start_delays_s,
        stalls=len(stalls),
        premature_stalls=sum(call.stall_premature for call in stalls),
        stall_delays_s=scored.stall_delays_s,
    )
