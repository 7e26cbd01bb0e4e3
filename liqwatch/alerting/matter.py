"""What is to be told, as far as the rules of a receiver look at it."""

import msgspec

from liqwatch.alerts import Alert, Kind, Level, Running, Severity

BEGINNINGS = frozenset({Kind.CASCADE_STARTED, Kind.FEED_DEGRADED})
TURNING_POINTS = frozenset(
    {Kind.CASCADE_STALLED, Kind.CASCADE_RESUMED, Kind.CASCADE_ENDED, Kind.FEED_RECOVERED}
)


def tells_story(alert: Alert) -> bool:
    """Return whether the alert begins a story, or is a turning point of one."""
    return alert.episode is not None and alert.kind in BEGINNINGS | TURNING_POINTS


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is new, or a cascade that goes on."""

    alert: str | None  # its id; None: a running cascade
    symbol: str
    severity: Severity
    kind: Kind
    time_ms: int
    level: Level | None = None
    is_chatter: bool = False  # info outside a story
    several: bool = False  # the story of several coins, or of the market
    forced_usd: float = 0.0
    rungs: int | None = None

    @classmethod
    def of(cls, alert: Alert) -> "Matter":
        """Return what the rules look at in an alert."""
        amounts = (alert.evidence.get(key) for key in ("forced_usd_total", "forced_usd_60s"))
        return cls(
            alert=alert.id,
            symbol=alert.symbol,
            severity=alert.severity,
            kind=alert.kind,
            time_ms=alert.time,
            level=alert.level,
            several=alert.of_market,
            is_chatter=alert.severity is Severity.INFO and not tells_story(alert),
            forced_usd=0.0
            if alert.of_market
            else next((usd for usd in amounts if isinstance(usd, int | float)), 0.0),
        )

    @classmethod
    def of_running(cls, running: Running) -> "Matter":
        """Return what the rules look at in a cascade that goes on: as if it began now."""
        return cls(
            alert=None,
            symbol=running.symbol,
            severity=running.severity,
            kind=Kind.CASCADE_STARTED,
            time_ms=running.time,
            forced_usd=running.forced_usd_total,
            rungs=len(running.crossed),
        )
