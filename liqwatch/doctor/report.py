"""What the doctor found, as facts: the one object that `--json` writes.

Times are in ms or s as the names say; null means that it was not found out.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How something is. Only `FAILED` makes the exit code 1."""

    OK = "ok"
    ATTENTION = "attention"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be, and what to do about it in one sentence."""

    verdict: Verdict
    says: str
    advice: str = ""


_GRAVEST_FIRST = (Verdict.FAILED, Verdict.ATTENTION, Verdict.OK)


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Put the gravest first; what is alike stays in its order."""
    return sorted(findings, key=lambda one: _GRAVEST_FIRST.index(one.verdict))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest; OK where there is none."""
    return min(verdicts, key=_GRAVEST_FIRST.index, default=Verdict.OK)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far one gets to a host: name, connection, TLS (null also where there is none)."""

    host: str
    port: int
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    problem: str | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The connections to one address. Numbers of topics, and the names of those amiss."""

    url: str
    opened: int  # connections
    delivered: int  # of these
    silent: int  # of these: they took the subscriptions, should have delivered, and did not
    lost: str | None  # why the newest that ended did
    wanted: int
    acknowledged: int
    refused: list[str]
    unanswered: list[str]


class Heard(StrEnum):
    """What a channel's silence means."""

    YES = "heard"
    NOT_YET = "none yet, which a quiet market explains"
    NOT_ASKED = "not asked yet"
    MISSING = "missing"


class ChannelHeard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one channel. `first_after_s` counts from when its connection opened."""

    channel: str
    heard: Heard
    events: int
    first_after_s: float | None
    newest_age_s: float | None  # since it was received


class VenueReport(msgspec.Struct, frozen=True, kw_only=True):
    """One venue.

    `clock_offset_ms` is the median of receipt minus event time of `clock_trades` trades: what the
    way takes and what the clocks differ. `headroom_pct` is what `limit_headers` leave of the
    requests the venue allows. `connects` were opened or tried, of `connects_allowed` in 5 minutes.
    """

    venue: str
    title: str
    verdict: Verdict
    findings: list[Finding]  # gravest first
    listened_s: float
    reach: list[Reach]
    instruments: int  # each with its contract size
    coins_listed: int
    coins_missing: list[str]  # of those configured
    contract_sizes: dict[str, float]  # of the configured coins, by instrument; coins or USD
    routes: list[Route]
    channels: list[ChannelHeard]
    unreadable: dict[str, int]  # frames, by kind
    clock_offset_ms: float | None
    clock_trades: int
    limit_headers: dict[str, str]
    headroom_pct: float | None
    connects: int
    connects_allowed: int
    open_questions: list[str]


class Check(msgspec.Struct, frozen=True):
    """Something that is no venue: the configuration, a clock, a disk, who is told."""

    name: str
    finding: Finding


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `time` is ms since the Unix epoch; `verdict` the gravest of all."""

    version: str
    time: int
    verdict: Verdict
    checks: list[Check]
    venues: list[VenueReport]
