"""Whose clock is wrong: this machine's, when it differs from all venues alike, else the venue's."""

from collections.abc import Sequence
from statistics import median

from msgspec.structs import replace

from liqwatch.doctor.report import Check, Finding, VenueReport, Verdict, gravest_first

MOST_MS = 1_000  # between an event and its receipt, most of it the way
ENOUGH_VENUES = 3  # to tell one wrong clock from the others

_NTP = "set this machine's clock, and keep it set by NTP (timedatectl set-ntp true)"
_EITHER = "either this machine's clock is wrong (NTP keeps it right), or the venue is late"


def compare(venues: Sequence[VenueReport]) -> tuple[list[Check], list[VenueReport]]:
    """Say how the clocks differ: here as a check, and as a finding at venues that stand apart."""
    offsets_ms = [one.clock_offset_ms for one in venues if one.clock_offset_ms is not None]
    if not offsets_ms:
        return [], list(venues)
    if len(offsets_ms) < ENOUGH_VENUES:
        return [], [_apart(one, 0.0, _EITHER) for one in venues]
    common_ms = median(offsets_ms)
    says = f"{offset(common_ms)} to the trades of {len(offsets_ms)} venues, the way included"
    if abs(common_ms) > MOST_MS:
        clock = Finding(Verdict.ATTENTION, says, _NTP)
    else:
        clock = Finding(Verdict.OK, says)
    advice = "this venue's clock is wrong, or it delivers late: its prices are those of the past"
    return [Check("clock", clock)], [_apart(one, common_ms, advice) for one in venues]


def offset(offset_ms: float) -> str:
    """Write an offset with its sign."""
    if abs(offset_ms) >= MOST_MS:
        return f"{offset_ms / 1000:+,.1f} s"
    return f"{offset_ms:+.0f} ms"


def _apart(venue: VenueReport, common_ms: float, advice: str) -> VenueReport:
    own_ms = venue.clock_offset_ms
    if own_ms is None or abs(own_ms - common_ms) <= MOST_MS:
        return venue
    apart = Finding(Verdict.ATTENTION, f"its trades are received {_when(own_ms)}", advice)
    findings = gravest_first([*venue.findings, apart])
    return replace(venue, findings=findings, verdict=findings[0].verdict)


def _when(offset_ms: float) -> str:
    return f"{abs(offset_ms) / 1000:,.1f} s {'before' if offset_ms < 0 else 'after'} they happen"
