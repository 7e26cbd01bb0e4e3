"""What is told of the market's own story, beside the first line."""

from collections.abc import Mapping

from msgspec import UNSET

from liqwatch.alerting.evidence import finite, joined, mapping, number
from liqwatch.alerting.numbers import amount, name, signed_pct, significant
from liqwatch.alerting.speech import Speech, sentence
from liqwatch.alerts import Kind, Outcome

NAMED = 8  # coins

Words = str | None


def told(speech: Speech) -> list[Words]:
    """Return the lines below the first one: how many coins, which most, how much, how it ended."""
    return [
        _breadth(speech),
        *sums(speech),
        _most_affected(speech),
        speech.say("not-followed") if speech.alert.outcome is Outcome.UNKNOWN else None,
    ]


def sums(speech: Speech) -> list[Words]:
    """Return what the coins did together."""
    return [
        _forced(speech),
        speech.told("median_leg_sigma", "median-leg", "times", significant),
        _outcomes(speech) if speech.alert.kind is Kind.CASCADE_ENDED else None,
    ]


def _breadth(speech: Speech) -> Words:
    coins, watched = (number(speech.alert, key) for key in ("coins", "coins_watched"))
    if coins is None or watched is None:
        return None
    return speech.say("coins-of-watched", count=round(coins), watched=round(watched))


def _forced(speech: Speech) -> Words:
    alert = speech.alert
    begins = alert.kind in {Kind.CASCADE_STARTED, Kind.CASCADE_RESUMED}
    key, window = ("forced_usd_60s", "in-60s") if begins else ("forced_usd_total", "in-all")
    usd = number(alert, key)
    if usd is None:
        return None
    bound = "" if number(alert, "coverage") == 1 else "≥"
    amounts = f"{bound}{amount(usd)} {speech.say(window)}"
    return speech.say("forced", direction=alert.direction or "none", amounts=amounts)


def _most_affected(speech: Speech) -> Words:
    members = [] if speech.alert.members is UNSET else speech.alert.members
    coins = ", ".join(_coin(speech, coin) for coin in members[:NAMED])
    return speech.say("most-affected", coins=coins) if coins else None


def _coin(speech: Speech, coin: str) -> str:
    leg = finite(_of(speech, coin).get("leg_pct"))
    return name(coin) if leg is None else f"{name(coin)} {signed_pct(leg)}"


def _outcomes(speech: Speech) -> Words:
    members = mapping(speech.alert, "by_member")
    found = [str(_of(speech, coin).get("outcome")) for coin in members]
    counts = joined(
        *(
            speech.say("coins-outcome", count=found.count(outcome), outcome=outcome)
            for outcome in Outcome
            if outcome in found
        )
    )
    return counts and sentence(counts)


def _of(speech: Speech, coin: str) -> Mapping[str, object]:
    found = mapping(speech.alert, "by_member").get(coin)
    return found if isinstance(found, Mapping) else {}
