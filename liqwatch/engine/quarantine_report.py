"""A quarantine that begins or ends becomes the facts of an alert."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from liqwatch.alerts import Alert, Kind, Severity
from liqwatch.engine.conduct import MATERIAL_SHARE, MATERIAL_USD
from liqwatch.engine.feeds import LIQUIDATIONS, TRADES
from liqwatch.engine.liveness import FeedHealth
from liqwatch.engine.outage import Outage
from liqwatch.engine.pace import FeedState
from liqwatch.engine.quarantine import PRICE_OFF_S, Hold, Quarantine, QuarantineSettings
from liqwatch.engine.venue import Venue

MOST_TOLD = 20  # feeds named one by one


def watch_quarantine(
    quarantine: Quarantine,
    venues: Mapping[str, Venue],
    settings: QuarantineSettings,
    now_ms: int,
) -> list[Alert]:
    """Take a second's end; return what is to be told, as one story a venue."""
    outages = quarantine.outages
    if not (quarantine.holds or outages.failing or outages.running):  # nearly always
        return []
    quarantine.pass_time(now_ms)
    held = {name: holds for name in venues if (holds := quarantine.of_venue(name))}
    channels = {name: _channels(holds) for name, holds in held.items()}
    alerts, second = [], now_ms // 1000
    for name in outages.failed(channels, second):
        outage = Outage(f"quarantine-{name}-{now_ms}", now_ms, {name: channels[name]})
        outages.running.append(outage)
        alerts.append(_begins(outage, name, held[name], venues, settings, now_ms))
    for outage, back in outages.recovered({name: name not in held for name in venues}, second):
        alerts += [_ends(outage, name, venues, settings, now_ms) for name in back]
        for name in back:
            outages.forget(name)
    return alerts


def with_quarantine(
    feeds: Iterable[FeedHealth], quarantine: Quarantine, now_ms: int
) -> list[FeedHealth]:
    """Return how each feed is, those that are not believed among them."""
    return [_doubted(feed, quarantine, now_ms) for feed in feeds]


def _doubted(feed: FeedHealth, quarantine: Quarantine, now_ms: int) -> FeedHealth:
    holds = [hold for hold in quarantine.of_venue(feed.venue) if hold.channel == feed.channel]
    if not holds or feed.state is FeedState.DEAD:
        return feed
    return feed._replace(
        state=FeedState.QUARANTINED,
        reason="; ".join(f"{hold.symbol}: {hold.reason}" for hold in holds[:MOST_TOLD]),
        silent_s=max(0, now_ms - min(hold.since_ms for hold in holds)) // 1000,
    )


def _begins(
    outage: Outage,
    venue: str,
    holds: Sequence[Hold],
    venues: Mapping[str, Venue],
    settings: QuarantineSettings,
    now_ms: int,
) -> Alert:
    reasons = {hold.reason for hold in holds}
    loud = {TRADES, LIQUIDATIONS} & {hold.channel for hold in holds}
    evidence = {
        "state": FeedState.QUARANTINED.value,
        "reason": reasons.pop() if len(reasons) == 1 else None,
        "symbols": list(dict.fromkeys(hold.symbol for hold in holds)),
        "quarantined": [
            {
                "symbol": hold.symbol,
                "instrument": hold.instrument,
                "channel": hold.channel,
                "reason": hold.reason,
            }
            for hold in holds[:MOST_TOLD]
        ],
    }
    severity = Severity.WARNING if loud else Severity.INFO
    return _alert(outage, Kind.FEED_DEGRADED, venue, venues, settings, now_ms, severity, evidence)


def _ends(
    outage: Outage,
    venue: str,
    venues: Mapping[str, Venue],
    settings: QuarantineSettings,
    now_ms: int,
) -> Alert:
    evidence = {
        "state": FeedState.LIVE.value,
        "duration_s": (now_ms - outage.began_ms) // 1000,
        "still_degraded": [],
        "quarantined": [],
    }
    kind = Kind.FEED_RECOVERED
    return _alert(outage, kind, venue, venues, settings, now_ms, Severity.INFO, evidence)


def _alert(
    outage: Outage,
    kind: Kind,
    venue: str,
    venues: Mapping[str, Venue],
    settings: QuarantineSettings,
    now_ms: int,
    severity: Severity,
    evidence: dict[str, Any],
) -> Alert:
    return Alert(
        id=f"{outage.id}-{kind}-{now_ms}",
        episode=outage.id,
        kind=kind,
        symbol="MARKET",
        position=None,
        direction=None,
        time=now_ms,
        price=None,
        severity=severity,
        evidence={
            "venue": venue,
            "venues": [venue],
            "channels": outage.channels[venue],
            "remaining_venues": [
                name
                for name, one in venues.items()
                if one.healthy and (name != venue or kind is Kind.FEED_RECOVERED)
            ],
        }
        | evidence,
        thresholds=msgspec.to_builtins(settings)
        | {
            "price_off_s": PRICE_OFF_S,
            "forced_share_of_open_interest_pct": 100 * MATERIAL_SHARE,
            "forced_usd_60s": MATERIAL_USD,
        },
    )


def _channels(holds: Sequence[Hold]) -> list[str]:
    return list(dict.fromkeys(hold.channel for hold in holds))
