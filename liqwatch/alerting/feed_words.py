"""What is told of feeds that fail or are back, beside the first line."""

import re
from collections.abc import Mapping
from typing import Any

from liqwatch.alerting.evidence import entries, joined, mapping
from liqwatch.alerting.numbers import clean, duration, name
from liqwatch.alerting.speech import Speech, sentence, size

Words = str | None
MOST_LIES = 4

# The reasons that are given for a failure; one that is not among them is told as it is.
_REASONS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"takes the subscription and delivers nothing", "reason-delivers-nothing"),
        (r"does not answer the subscription", "reason-no-answer"),
        (r"delivers other things, but no trade", "reason-no-trade"),
        (r"connection lost \((?P<why>.*)\)", "reason-lost"),
        (
            r"nothing for (?P<silent>\d+) s, usually something every (?P<gap>[\d.]+) s",
            "reason-pause",
        ),
        (
            (
                r"shows none while other venues showed (?P<elsewhere>\d+):"
                r" about (?P<expected>\d+) were to be expected"
            ),
            "reason-others-show",
        ),
        (
            (
                r"forced orders of a minute are (?P<times>\d+) times what was traded"
                r" and (?P<share>\S+)% of open interest"
            ),
            "reason-forced-beyond-traded",
        ),
        (r"price (?P<price>\S+) while other venues trade at (?P<others>\S+)", "reason-price-off"),
        (r"mark (?P<price>\S+) while other venues trade at (?P<others>\S+)", "reason-mark-off"),
        (
            r"open interest went from (?P<before>\S+) to (?P<now>\S+) coins at once",
            "reason-open-interest-leaps",
        ),
    )
)


def degraded(speech: Speech) -> list[Words]:
    """Tell why a feed fails or is not believed, and what is still heard."""
    if lies := entries(speech.alert, "quarantined"):
        return [*_disbelieved(speech, lies), _not_counted(speech), _remaining(speech)]
    reason: Any = speech.alert.evidence.get("reason")
    failures = mapping(speech.alert, "by_venue").items()
    return [
        sentence(_reason(speech, reason)) if reason else None,
        *([] if reason else [_failure(speech, venue, failure) for venue, failure in failures]),
        joined(
            speech.told("silent_s", "silent-for", "lasted", duration),
            speech.told("share_pct", "share-of-liquidations", "share", size),
        ),
        _remaining(speech),
    ]


def recovered(speech: Speech) -> list[Words]:
    """Tell what is back, and what may be missing."""
    if speech.alert.evidence.get("quarantined") is not None:
        return [speech.say("believed-again")]
    back, missing = entries(speech.alert, "venues"), entries(speech.alert, "still_degraded")
    return [
        speech.say("live-again", venues=_listed(back)) if len(back) > 1 else None,
        speech.say("may-miss-liquidations") if back else None,
        speech.say("still-missing", venues=_listed(missing)) if missing else None,
    ]


def _disbelieved(speech: Speech, lies: list[Any]) -> list[Words]:
    told = [lie for lie in lies if isinstance(lie, Mapping) and {"symbol", "reason"} <= lie.keys()]
    return [
        speech.say(
            "disbelieved",
            symbol=name(str(lie.get("symbol"))),
            reason=_reason(speech, lie["reason"]),
        )
        for lie in told[:MOST_LIES]
    ]


def _coin(lie: Mapping[str, Any]) -> str:
    return name(str(lie["symbol"]))


def _not_counted(speech: Speech) -> Words:
    lasts_s: Any = speech.alert.thresholds.get("quarantine_s")
    return speech.say("not-counted", lasted=duration(lasts_s)) if lasts_s else None


def _reason(speech: Speech, reason: object) -> str:
    told = clean(reason)
    for pattern, phrase in _REASONS:
        if found := pattern.fullmatch(told):
            return speech.say(phrase, **found.groupdict())
    return told


def _failure(speech: Speech, venue: str, failure: object) -> Words:
    reason = failure.get("reason") if isinstance(failure, Mapping) else None
    return f"{name(venue)}: {_reason(speech, reason)}" if reason else None


def _remaining(speech: Speech) -> Words:
    remaining = _listed(entries(speech.alert, "remaining_venues"))
    if remaining:
        return speech.say("still-heard", venues=remaining)
    return speech.say("all-blind") if entries(speech.alert, "venues") else None


def _listed(venues: list[Any]) -> str:
    return ", ".join(map(clean, venues))
