"""What else was known at the moment of an alert: one line, with the age of what is not of now."""

from collections.abc import Callable

from liqwatch.alerting.evidence import joined, number
from liqwatch.alerting.numbers import MINUS, amount, signed, signed_pct
from liqwatch.alerting.speech import Speech, sentence

NOW_S = 5  # what is younger is of now
CHANGES_PCT = 0.1  # of open interest: less neither opens nor closes anything worth a word

_AGES = {
    "open_interest_change_pct_5m": "open_interest_age_s",
    "funding_pct_8h": "funding_age_s",
    "spot_taker_usd_5m": "spot_age_s",
    "basis_bp": "basis_age_s",
}


def context_line(speech: Speech) -> str | None:
    """Return the line, without what is unknown."""
    known = joined(
        _known(speech, "open-interest-5m", "open_interest_change_pct_5m", signed_pct, _opening),
        _known(speech, "funding", "funding_pct_8h", signed_pct),
        _known(speech, "spot-flow", "spot_taker_usd_5m", _signed_amount, _confirming),
        _known(speech, "basis", "basis_bp", signed),
        _known(speech, "volatility-rank", "volatility_rank_pct", "{:.0f}".format),
    )
    return known and sentence(known)


def _known(
    speech: Speech,
    name: str,
    key: str,
    write: Callable[[float], str],
    judge: Callable[[Speech, float], str | None] | None = None,
) -> str | None:
    value = number(speech.alert, key)
    if value is None:
        return None
    notes = joined(judge and judge(speech, value), _old(speech, _AGES.get(key, "")), by=", ")
    return joined(speech.say(name, value=write(value)), notes and f"({notes})", by=" ")


def _opening(speech: Speech, change_pct: float) -> str | None:
    if abs(change_pct) < CHANGES_PCT:
        return None
    return speech.say("opening" if change_pct > 0 else "closing")


def _confirming(speech: Speech, taker_usd: float) -> str | None:
    direction = speech.alert.direction
    if direction is None or not taker_usd:
        return None
    return speech.say("confirms" if taker_usd * direction.sign > 0 else "against")


def _old(speech: Speech, key: str) -> str | None:
    age_s = number(speech.alert, key)
    if age_s is None or age_s <= NOW_S:
        return None
    age = speech.say("span-s", count=f"{age_s:.0f}") if age_s < 90 else speech.span(age_s / 3600)
    return speech.say("old", age=age)


def _signed_amount(usd: float) -> str:
    return f"{'+' if usd >= 0 else MINUS}{amount(abs(usd))}"
