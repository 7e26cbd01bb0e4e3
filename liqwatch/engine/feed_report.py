"""A feed that fails or comes back becomes the facts of an alert."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from liqwatch.alerts import MARKET, Alert, Kind, Severity
from liqwatch.engine import feeds, witness
from liqwatch.engine.outage import BACK_S, Outage
from liqwatch.engine.pace import DEAD_GAPS, TRADE_PATIENCE, FeedState
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness

SUBSTANTIAL_PCT = 20.0  # of the liquidations that are seen
SUBSTANTIAL_COMPLETE_PCT = 1.0  # the same on a feed that shows every one

THRESHOLDS = {
    "trades_silent_s": TRADE_PATIENCE.dead_s,
    "trades_silent_gaps": DEAD_GAPS,
    "delivers_nothing_s": feeds.DELIVERS_NOTHING_S,
    "liquidations_silent_s": witness.DEAD_S,
    "liquidations_chance": witness.DEAD_CHANCE,
    "lost_s": feeds.LOST_S,
    "nothing_heard_s": feeds.NOTHING_S,
}


def feeds_degraded(outage: Outage, armed: Mapping[str, Venue], now_ms: int) -> Alert:
    """Return the alert that feeds which should deliver do not."""
    shares = _shares(armed.values(), now_ms)
    by_venue = {
        venue: _failure(armed[venue], channels, shares.get(venue))
        for venue, channels in outage.channels.items()
    }
    reasons = {failure["reason"] for failure in by_venue.values()}
    loud = any(
        _substantial(armed[venue], channels, shares.get(venue), alone=len(armed) == 1)
        for venue, channels in outage.channels.items()
    )
    return _alert(
        outage,
        Kind.FEED_DEGRADED,
        outage.channels,
        armed,
        now_ms,
        severity=Severity.WARNING if loud else Severity.INFO,
        evidence={
            "state": FeedState.DEAD.value,
            "reason": reasons.pop() if len(reasons) == 1 else None,
            "silent_s": max(failure["silent_s"] for failure in by_venue.values()),
            "share_pct": _total(shares, outage.channels),
            "by_venue": by_venue,
        },
        thresholds=THRESHOLDS,
    )


def feeds_recovered(
    outage: Outage, back: Sequence[str], armed: Mapping[str, Venue], now_ms: int
) -> Alert:
    """Return the alert that feeds deliver again, of some venues or of all that had failed."""
    return _alert(
        outage,
        Kind.FEED_RECOVERED,
        {venue: outage.channels[venue] for venue in back},
        armed,
        now_ms,
        severity=Severity.INFO,
        evidence={
            "state": FeedState.LIVE.value,
            "duration_s": (now_ms - outage.began_ms) // 1000,
            "share_pct": _total(_shares(armed.values(), now_ms), back),
            "still_degraded": [venue for venue in outage.channels if venue not in back],
        },
        thresholds={"live_s": BACK_S},
    )


def _alert(
    outage: Outage,
    kind: Kind,
    channels: Mapping[str, Sequence[str]],
    armed: Mapping[str, Venue],
    now_ms: int,
    *,
    severity: Severity,
    evidence: dict[str, Any],
    thresholds: dict[str, Any],
) -> Alert:
    venues = list(channels)
    return Alert(
        id=f"{outage.id}-{kind}-{now_ms}",
        episode=outage.id,
        kind=kind,
        symbol=MARKET,
        position=None,
        direction=None,
        time=now_ms,
        price=None,
        severity=severity,
        evidence={
            "venue": venues[0] if len(venues) == 1 else None,
            "venues": venues,
            "channels": list(dict.fromkeys(c for those in channels.values() for c in those)),
            "remaining_venues": [name for name, one in armed.items() if not one.feeds.dead()],
        }
        | evidence,
        thresholds=dict(thresholds),
    )


def _failure(venue: Venue, channels: Sequence[str], share_pct: float | None) -> dict[str, Any]:
    failed = [venue.feeds.by_channel()[channel] for channel in channels]
    return {
        "channels": list(channels),
        "reason": failed[0].reason,
        "silent_s": max(feed.silent_s for feed in failed),
        "share_pct": share_pct,
    }


def _substantial(
    venue: Venue, channels: Sequence[str], share_pct: float | None, *, alone: bool
) -> bool:
    if not {feeds.TRADES, feeds.LIQUIDATIONS} & set(channels):
        return False
    complete = venue.completeness is Completeness.FULL
    if share_pct is None:
        return alone or complete
    return alone or share_pct >= (SUBSTANTIAL_COMPLETE_PCT if complete else SUBSTANTIAL_PCT)


def _shares(venues: Iterable[Venue], now_ms: int) -> dict[str, float]:
    """Each venue's part of the liquidated USD that was seen, of about a day; empty: none was."""
    usd = {venue.name: venue.forced_usd.at(now_ms) for venue in venues}
    total = sum(usd.values())
    return {name: round(100 * part / total, 1) for name, part in usd.items()} if total else {}


def _total(shares: Mapping[str, float], venues: Iterable[str]) -> float | None:
    return round(sum(shares[venue] for venue in venues), 1) if shares else None
