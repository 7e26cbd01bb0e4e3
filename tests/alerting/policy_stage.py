"""A receiver with its desk, and the alerts of a market, for the tests of the policy."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from liqwatch.alerting.desk import Desk
from liqwatch.alerting.intents import Intent, ReceiverKind, Role
from liqwatch.alerting.policy import decide, follow, mute, pass_time
from liqwatch.alerting.rules import Rules
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import Alert, Direction, Kind, Level, Running, Severity
from liqwatch.events import Position
from liqwatch.samples import (
    APPROACHED,
    DEGRADED,
    ENDED,
    JUDGED,
    MARKET_ENDED,
    MARKET_STALLED,
    MARKET_STARTED,
    RECOVERED,
    RESUMED,
    STALLED,
    STARTED,
)

DAWN_MS = 1_760_000_400_000  # 2025-10-09 09:00 UTC
ROOT, REPLY, EDIT, ALONE, HELD, OFF = (
    Role.ROOT,
    Role.REPLY,
    Role.EDIT,
    Role.ALONE,
    Role.HELD,
    Role.OFF,
)
START, STALL, RESUME, END = (
    Kind.CASCADE_STARTED,
    Kind.CASCADE_STALLED,
    Kind.CASCADE_RESUMED,
    Kind.CASCADE_ENDED,
)
MESSAGES = frozenset({Role.ROOT, Role.REPLY, Role.ALONE})
TEMPLATES = {
    alert.kind: alert
    for alert in (STARTED, STALLED, RESUMED, ENDED, APPROACHED, JUDGED, DEGRADED, RECOVERED)
}


def alert(kind: Kind, symbol: str = "BTC", at_s: float = 0, **changes: Any) -> Alert:
    """An alert of that kind, `at_s` after dawn; of a cascade, the coin's first one upwards."""
    template = TEMPLATES[kind]
    time = DAWN_MS + round(at_s * 1000)
    episode = template.episode and f"{symbol}-{changes.get('direction', Direction.UP)}-1"
    own = {"id": f"{symbol}-{kind}-{time}", "symbol": symbol, "time": time, "episode": episode}
    return replace(template, **(own | changes))


def market(kind: Kind, at_s: float = 0, **changes: Any) -> Alert:
    """A turn of the story of the whole market, `at_s` after dawn; upwards, the first one."""
    endings = {one.kind: one for one in (MARKET_STALLED, MARKET_ENDED)}
    time = DAWN_MS + round(at_s * 1000)
    own = {"id": f"MARKET-{kind}-{time}", "kind": kind, "time": time}
    return replace(endings.get(kind, MARKET_STARTED), **(own | changes))


def running(symbol: str = "BTC", at_s: float = 0, **changes: Any) -> Running:
    """The newest numbers of the coin's first cascade upwards."""
    numbers = Running(
        episode=f"{symbol}-{Direction.UP}-1",
        symbol=symbol,
        position=Position.SHORT,
        direction=Direction.UP,
        severity=Severity.CRITICAL,
        against_map=False,
        stalled=False,
        time=DAWN_MS + round(at_s * 1000),
        started=DAWN_MS,
        price=101.0,
        start_price=100.0,
        extreme_price=101.0,
        speed_bp_per_min=40.0,
        forced_usd_total=10e6,
        forced_usd_60s=5e6,
        peak_forced_usd_60s=5e6,
        complete=True,
        crossed=(),
        next_level=None,
    )
    return replace(numbers, **changes)


def rungs(count: int) -> tuple[Level, ...]:
    return tuple(Level(100.0 + n, 100.5 + n, 1e9, "estimate") for n in range(count))


class Receiver:
    """One receiver that remembers what it was told, by alert; summaries have no alert."""

    def __init__(
        self, rules: Rules | None = None, kind: ReceiverKind = ReceiverKind.THREADED
    ) -> None:
        self.rules = rules or Rules()
        self.kind = kind
        self.desk = Desk()
        self.told: list[tuple[str | None, Intent]] = []

    def hear(self, *alerts: Alert) -> list[Intent]:
        """Decide on alerts; the intents of the last one."""
        intents: list[Intent] = []
        for one in alerts:
            intents = decide(self.desk, one, self.rules, self.kind)
            self.told += [(one.id, intent) for intent in intents]
        return intents

    def follow(self, numbers: Running) -> list[Intent]:
        return self._unasked(follow(self.desk, numbers, self.rules, self.kind))

    def wait_until(self, at_s: float) -> list[Intent]:
        now_ms = DAWN_MS + round(at_s * 1000)
        return self._unasked(pass_time(self.desk, now_ms, self.rules, self.kind))

    def mute(self, minutes: float = 60, at_s: float = 0, **scope: Any) -> Silence:
        since_ms = DAWN_MS + round(at_s * 1000)
        until_ms = since_ms + round(minutes * 60_000)
        silence = Silence(who="@x", since_ms=since_ms, until_ms=until_ms, **scope)
        mute(self.desk, silence)
        return silence

    def restart(self) -> None:
        self.desk = msgspec.json.decode(msgspec.json.encode(self.desk), type=Desk)

    @property
    def messages(self) -> list[Intent]:
        return [intent for _, intent in self.told if intent.role in MESSAGES]

    def lost(self, alerts: Iterable[Alert]) -> set[str]:
        """Those of the alerts that are in no message, in no summary, and not off."""
        summed_up = {
            one for _, intent in self.told if intent.remark for one in intent.remark.alerts
        }
        kept = {name for name, intent in self.told if intent.role is not Role.HELD}
        return {one.id for one in alerts} - summed_up - kept

    def _unasked(self, intents: list[Intent]) -> list[Intent]:
        self.told += [(None, intent) for intent in intents]
        return intents


def roles(intents: Iterable[Intent]) -> list[Role]:
    return [intent.role for intent in intents]


def cascade(
    symbol: str, at_s: float, lasts_s: float, severity: Severity = Severity.CRITICAL
) -> list[Alert]:
    """Start, verdict, stall, resumption, verdict and end of one cascade."""
    return [
        alert(Kind.CASCADE_STARTED, symbol, at_s, severity=severity),
        alert(Kind.LEVEL_VERDICT, symbol, at_s + 0.1 * lasts_s),
        alert(Kind.CASCADE_STALLED, symbol, at_s + 0.4 * lasts_s),
        alert(Kind.CASCADE_RESUMED, symbol, at_s + 0.5 * lasts_s, severity=severity),
        alert(Kind.LEVEL_VERDICT, symbol, at_s + 0.8 * lasts_s),
        alert(Kind.CASCADE_ENDED, symbol, at_s + lasts_s),
    ]
