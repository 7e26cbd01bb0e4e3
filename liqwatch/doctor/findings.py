"""What is wrong with a venue, and what to do about it."""

from collections.abc import Iterable, Iterator

from liqwatch.doctor.reach import place
from liqwatch.doctor.report import ChannelHeard, Finding, Heard, Reach, Route, Verdict
from liqwatch.doctor.visit import MUST_DELIVER, Visit
from liqwatch.sources.connection import Silent
from liqwatch.sources.transport import ConnectionLost

LOW_HEADROOM_PCT = 20.0
TOPICS_TOLD = 3

NEWER = "the venue may have changed this: look for a newer liqwatch"
ITS_STATUS = "if it goes on, see the venue's status page"


def findings(
    visit: Visit, routes: list[Route], channels: list[ChannelHeard], headroom_pct: float | None
) -> list[Finding]:
    """Say what is wrong with a venue, the cause before its consequences."""
    gravity = Verdict.ATTENTION if visit.has_all else Verdict.FAILED
    found = [*_bug(visit), *_unreachable(visit.reach, gravity), *_lost(visit, gravity)]
    if not visit.endpoints():
        return found or list(_unlisted(visit))
    found += [
        *_silent(visit, routes, gravity),
        *_not_taken(visit, routes, gravity),
        *_unreadable(visit, gravity),
    ]
    if not any(one.verdict is Verdict.FAILED for one in found):
        missing = _missing(channels, visit.listened_s)
        found += [one for one in missing if one.verdict is Verdict.FAILED or not found]
    return [*found, *_little_left(headroom_pct)]


def _bug(visit: Visit) -> Iterator[Finding]:
    if visit.hearing.bug is not None:
        yield Finding(Verdict.FAILED, f"a bug of liqwatch: {visit.hearing.bug}", "report it")


def _unreachable(hosts: Iterable[Reach], gravity: Verdict) -> Iterator[Finding]:
    by_cause: dict[tuple[str, str], list[str]] = {}
    for one in hosts:
        if one.problem is not None:
            by_cause.setdefault((one.problem, _way_out(one)), []).append(one.host)
    for (problem, advice), names in by_cause.items():
        yield Finding(gravity, f"{', '.join(names)}: {problem}", advice)


def _way_out(host: Reach) -> str:
    if host.dns_ms is None:
        return "check the network and the DNS of this machine"
    if host.connect_ms is None:
        return f"check the firewall of this machine; {ITS_STATUS}"
    return "check this machine's clock and root certificates, and who intercepts TLS here"


def _lost(visit: Visit, gravity: Verdict) -> Iterator[Finding]:
    unreachable = {one.host for one in visit.reach if one.problem is not None}
    delivering = {one.url for one in visit.hearing.streams.values() if one.first_data_ns}
    for url, lost in visit.lost.items():
        if isinstance(lost, Silent) or place(url)[0] in unreachable:
            continue
        verdict = Verdict.ATTENTION if url in delivering else gravity
        yield _turned_away(url, lost, verdict)


def _turned_away(url: str, lost: ConnectionLost, verdict: Verdict) -> Finding:
    # Where the venue asked to be left alone, the reason has the advice in it.
    what, _, advice = lost.reason.partition(": ")
    if lost.retry_after_s and advice:
        leave = advice.replace("next try in", "leave it alone for")
        return Finding(verdict, f"{url}: {what}", leave)
    return Finding(verdict, f"{url}: {lost.reason}", ITS_STATUS)


def _unlisted(visit: Visit) -> Iterator[Finding]:
    if not visit.exchange.instruments:
        yield Finding(Verdict.FAILED, "no list of instruments, so nothing can be asked", ITS_STATUS)
    else:
        yield Finding(
            Verdict.ATTENTION,
            "none of the coins is listed here",
            "add coins that are, or remove the venue from the configuration",
        )


def _silent(visit: Visit, routes: list[Route], gravity: Verdict) -> Iterator[Finding]:
    delivers = {one.url for one in routes if one.delivered}
    ways = {
        url: (one.url, *one.routes) for one in visit.endpoints() for url in (one.url, *one.routes)
    }
    for route in routes:
        if not route.silent:
            continue
        says = f"{route.url} takes the subscriptions and stays silent"
        if route.url in delivers:
            some = f"{route.silent} of {route.opened} connections to {route.url}"
            yield Finding(gravity, f"{some} take the subscriptions and stay silent", ITS_STATUS)
        elif other := next((url for url in ways.get(route.url, ()) if url in delivers), None):
            advice = "the daemon changes over by itself; the venue may have moved its feeds"
            yield Finding(gravity, f"{says}; {other} delivers", advice)
        else:
            yield Finding(Verdict.FAILED, says, NEWER)


def _not_taken(visit: Visit, routes: Iterable[Route], gravity: Verdict) -> Iterator[Finding]:
    for route in routes:
        if route.refused:
            yield Finding(gravity, f"refused: {_some(route.refused, route.wanted)}", NEWER)
        if route.unanswered and route.url not in visit.lost:
            says = f"not acknowledged: {_some(route.unanswered, route.wanted)}"
            yield Finding(gravity, says, NEWER)


def _some(topics: list[str], of: int) -> str:
    more = ", …" if len(topics) > TOPICS_TOLD else ""
    return f"{len(topics)} of {of} topics ({', '.join(topics[:TOPICS_TOLD])}{more})"


def _unreadable(visit: Visit, gravity: Verdict) -> Iterator[Finding]:
    kinds = visit.hearing.unreadable.most_common(3)
    if kinds:
        told = ", ".join(f"{kind} {count:,} times" for kind, count in kinds)
        yield Finding(gravity, f"frames that cannot be read: {told}", NEWER)


def _missing(channels: Iterable[ChannelHeard], seconds: float) -> Iterator[Finding]:
    missing = [one.channel for one in channels if one.heard is Heard.MISSING]
    for verdict in (Verdict.FAILED, Verdict.ATTENTION):
        those = [one for one in missing if (one in MUST_DELIVER) is (verdict is Verdict.FAILED)]
        if those:
            yield Finding(verdict, f"no {', no '.join(those)} in {seconds:.0f} s", ITS_STATUS)


def _little_left(headroom_pct: float | None) -> Iterator[Finding]:
    if headroom_pct is not None and headroom_pct < LOW_HEADROOM_PCT:
        yield Finding(
            Verdict.ATTENTION,
            f"only {headroom_pct:.0f} % of the requests allowed are left",
            "something else asks this venue from the same address: let it ask less",
        )
