"""The report as people read it: verdict, name, what is the matter, what to do, then the facts."""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

from liqwatch.doctor.clocks import offset
from liqwatch.doctor.report import (
    ChannelHeard,
    Finding,
    Heard,
    Reach,
    Report,
    Route,
    VenueReport,
    Verdict,
)
from liqwatch.log import redact

OLD_S = 10.0  # the age of the newest event is worth a word from here on

_STYLES = {Verdict.OK: "green", Verdict.ATTENTION: "bold yellow", Verdict.FAILED: "bold red"}
_VERDICTS = max(map(len, Verdict))


def show(report: Report, stream: TextIO) -> None:
    """Write the report: with colours on a terminal, else plain."""
    terminal = Console(file=stream, soft_wrap=True, highlight=False)
    names = [one.name for one in report.checks] + [one.venue for one in report.venues]
    width = max(map(len, names))

    def write(name: str, findings: list[Finding]) -> None:
        for number, finding in enumerate(findings):
            line = Text(f"{finding.verdict:<{_VERDICTS}}  ", style=_STYLES[finding.verdict])
            line.append(
                f"{'' if number else name:<{width}}  {redact(finding.says)}", style="default"
            )
            terminal.print(line)
            if finding.advice:
                below(f"→ {redact(finding.advice)}")

    def below(text: str) -> None:
        terminal.print(Text(" " * (_VERDICTS + width + 4) + text))

    for check in report.checks:
        write(check.name, [check.finding])
    for venue in report.venues:
        terminal.print()
        write(venue.venue, venue.findings or [_well(venue)])
        for fact in _facts(venue):
            below(redact(fact))
    terminal.print()
    terminal.print(Text(_summary(report), style=_STYLES[report.verdict]))


def _well(venue: VenueReport) -> Finding:
    return Finding(Verdict.OK, f"{venue.title} delivers")


def _summary(report: Report) -> str:
    def those(verdict: Verdict) -> str:
        names = [one.name for one in report.checks if one.finding.verdict is verdict]
        names += [one.venue for one in report.venues if one.verdict is verdict]
        return f"{verdict}: {', '.join(names)}" if names else ""

    troubled = [text for one in (Verdict.FAILED, Verdict.ATTENTION) if (text := those(one))]
    return "; ".join(troubled) or "all is well"


def _facts(venue: VenueReport) -> Iterator[str]:
    if reached := [_reach(one) for one in venue.reach if one.problem is None]:
        yield "reach   " + " · ".join(reached)
    if venue.instruments:
        yield "coins   " + _coins(venue)
    for route in venue.routes:
        yield "stream  " + _route(route)
    if heard := [_heard(one) for one in venue.channels if one.heard is Heard.YES]:
        yield "heard   " + " · ".join(heard)
        silent = [f"{one.channel} {one.heard}" for one in venue.channels if not one.events]
        if silent:
            yield "silent  " + " · ".join(silent)
    if venue.clock_offset_ms is not None:
        yield f"clock   {offset(venue.clock_offset_ms)} in {venue.clock_trades:,} trades"
    if venue.connects:
        yield "limits  " + _limits(venue)
    for question in venue.open_questions if venue.instruments else ():
        yield f"open    {question}"


def _reach(one: Reach) -> str:
    laps = (("DNS", one.dns_ms), ("connect", one.connect_ms), ("TLS", one.tls_ms))
    told = (f"{name} {took_ms:.0f} ms" for name, took_ms in laps if took_ms is not None)
    return f"{one.host}:{one.port} {', '.join(told)}"


def _coins(venue: VenueReport) -> str:
    wanted = venue.coins_listed + len(venue.coins_missing)
    missing = f", without {', '.join(venue.coins_missing)}" if venue.coins_missing else ""
    return (
        f"{venue.coins_listed} of {wanted} listed{missing}"
        f" · {venue.instruments:,} instruments, each with its contract size"
    )


def _route(one: Route) -> str:
    parts = [f"{one.url}: {one.opened} opened, {one.delivered} delivered"]
    if one.wanted:
        parts.append(f"{one.acknowledged} of {one.wanted} topics acknowledged")
    return " · ".join(parts)


def _heard(one: ChannelHeard) -> str:
    old = f", newest {one.newest_age_s:.0f} s ago" if (one.newest_age_s or 0) > OLD_S else ""
    return f"{one.channel} {one.events:,} (first after {one.first_after_s:.1f} s{old})"


def _limits(venue: VenueReport) -> str:
    connects = f"{venue.connects} of {venue.connects_allowed:,} connections in 5 minutes"
    if venue.headroom_pct is None:
        return connects
    return f"{connects} · {venue.headroom_pct:.0f} % of the requests left"
