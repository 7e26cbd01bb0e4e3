"""What an alert of each kind has to say after its first line.

Amounts of visible forced orders are lower bounds (`≥`) unless the feeds are complete, figures of
the map are estimates (`est.`), `long` and `short` name whose position is liquidated. Evidence that
is missing leaves its line out.
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from liqwatch.alerting import feed_words, map_news, market_words
from liqwatch.alerting.context_words import context_line
from liqwatch.alerting.evidence import entries, finite, joined, mapping, number
from liqwatch.alerting.level_words import ahead, here, known_level
from liqwatch.alerting.numbers import amount, clean, duration, price, signed_pct, significant
from liqwatch.alerting.speech import Speech, size
from liqwatch.alerts import Kind, Outcome

LEARNED_HOURS = 72

Words = str | None


def body(speech: Speech) -> list[Words]:
    """Return the lines below the first one in order of weight, None for those left out.

    Lines that belong together are one.
    """
    if speech.alert.of_market:
        return market_words.told(speech)
    return _BODIES[speech.alert.kind](speech)


def _running(speech: Speech) -> list[Words]:
    told = speech.told
    forced = _forced(speech, forced_usd_30s="in-30s", forced_usd_60s="in-60s")
    return [
        joined(_now(speech), told("move_pct_60s", "move-60s", "move", signed_pct), by=", "),
        here(speech),
        joined(forced, _by_venue(speech), by="\n"),
        joined(_grounds(speech), _sure(speech), by="\n"),
        joined(
            told("speed_bp_per_min", "speed", "speed", significant),
            told("acceleration_sigma", "acceleration", "sigma", significant),
            told("drift_z", "drift", "sigma", significant),
        ),
        ahead(speech),
        context_line(speech),
        joined(
            told("coverage", "coverage", "share", "{:.0%}".format),
            _blind(speech),
            _not_believed(speech),
        ),
        _learning(speech),
    ]


def _stalled(speech: Speech) -> list[Words]:
    leg = _leg(speech)
    return [
        joined(leg, _and_now(speech) if leg else _now(speech), by=", "),
        _speeds(speech, "speed_peak_bp_per_min", "speed_bp_per_min"),
        _forced(speech, forced_usd_total="in-all", forced_usd_5s_rate="in-last-seconds"),
        speech.told("retrace_pct", "leg-given-back", "share", size),
        ahead(speech),
    ]


def _ended(speech: Speech) -> list[Words]:
    told = speech.told
    crossed = joined(
        *(
            joined(known_level(level, speech.language), map_news.verdict_on(speech, level), by=" ")
            for level in entries(speech.alert, "levels_crossed")
        )
    )
    return [
        joined(
            _leg(speech),
            _and_now(speech),
            told("given_back_pct", "given-back", "share", size),
            by=", ",
        ),
        _forced(speech, forced_usd_total="in-all", peak_forced_usd_60s="in-worst-minute"),
        crossed and speech.say("crossed", levels=crossed),
        told("map_swept_usd", "swept", "amount", amount),
        told("speed_vs_volatility", "beyond-volatility", "times", significant),
        *map_news.before_and_after(speech),
        speech.say("not-followed") if speech.alert.outcome is Outcome.UNKNOWN else None,
    ]


def _approached(speech: Speech) -> list[Words]:
    return [
        joined(
            _now(speech),
            speech.told("distance_pct", "away", "distance", size),
            _sigmas(speech, "distance_sigma"),
            by=", ",
        ),
        here(speech),
        speech.told("speed_bp_per_min", "speed", "speed", significant),
        context_line(speech),
    ]


def _judged(speech: Speech) -> list[Words]:
    return [
        joined(
            _now(speech),
            _closest(speech),
            speech.told("duration_s", "near-it", "lasted", duration),
            by=", ",
        ),
        speech.say("crossed-in-cascade")
        if speech.alert.evidence.get("in_cascade") is True
        else joined(
            _speeds(speech, "speed_before_bp_per_min", "speed_after_bp_per_min"),
            speech.told("acceleration_sigma", "acceleration", "sigma", significant),
        ),
        _forced(speech, forced_usd_at_level="since-approach"),
        _activated(speech),
        here(speech),
    ]


def _closest(speech: Speech) -> Words:
    nearest = number(speech.alert, "closest_pct")
    if nearest is None:
        return None
    return speech.say("closest" if nearest > 0 else "through", distance=size(nearest))


def _sigmas(speech: Speech, key: str) -> Words:
    sigmas = number(speech.alert, key)
    return None if sigmas is None else f"{size(sigmas)}σ"


def _now(speech: Speech) -> Words:
    return None if speech.alert.price is None else price(speech.alert.price)


def _and_now(speech: Speech) -> Words:
    now = _now(speech)
    return now and speech.say("now", price=now)


def _leg(speech: Speech) -> Words:
    start, extreme = (number(speech.alert, key) for key in ("start_price", "extreme_price"))
    if not start or extreme is None:
        return speech.told("leg_pct", "moved", "move", signed_pct)
    return f"{price(start)} → {price(extreme)} ({signed_pct((extreme / start - 1) * 100)})"


def _forced(speech: Speech, **windows: str) -> Words:
    # Each window by the key of its amount.
    alert, direction = speech.alert, speech.alert.direction or "none"
    bound = "" if number(alert, "coverage") == 1 else "≥"
    said = {key: speech.say(window) for key, window in windows.items()}
    if all(number(alert, key) == 0 for key in windows):
        either = f" {speech.say('or')} ".join(said.values())
        return speech.say("forced-none", direction=direction, windows=either)
    seen = {key: usd for key in windows if (usd := number(alert, key)) is not None}
    amounts = joined(*(f"{bound}{amount(usd)} {said[key]}" for key, usd in seen.items()), by=", ")
    return amounts and speech.say("forced", direction=direction, amounts=amounts)


def _by_venue(speech: Speech) -> Words:
    feeds = mapping(speech.alert, "feeds")
    flows = mapping(speech.alert, "forced_usd_30s_by_venue")
    seen = {venue: usd for venue, flow in flows.items() if (usd := finite(flow))}
    parts = [
        f"{clean(venue)} {'' if feeds.get(venue) == 'full' else '≥'}{amount(usd)}"
        for venue, usd in sorted(seen.items(), key=lambda flow: -flow[1])
    ]
    return f"  {' · '.join(parts)}" if parts else None


def _grounds(speech: Speech) -> Words:
    # Which path of the start rule fired, and how strongly.
    ratio, hours = (number(speech.alert, key) for key in ("rarity_ratio", "return_hours"))
    path: Any = speech.alert.evidence.get("path")
    rare = None
    if path != "absolute" and ratio is not None and hours is not None:
        whose = "rare-throttled" if path == "backup" else "rare"
        rare = speech.say(whose, times=significant(ratio), span=speech.span(hours))
        rare = joined(rare, speech.told("run_on_z", "ran-on", "sigma", significant))
    return joined(rare, _impact(speech))


def _sure(speech: Speech) -> Words:
    # How likely it is that forced orders and price feed each other.
    tier = speech.alert.evidence.get("tier")
    return speech.say(f"sure-{tier}") if tier in ("burst", "confirmed", "strong") else None


def _impact(speech: Speech) -> Words:
    # The move that the forced orders should cause by themselves: a range, never one number.
    alert, say = speech.alert, speech.say
    low, high = number(alert, "forced_impact_z_low"), number(alert, "forced_impact_z_high")
    if low is None:
        return None
    if max(low, high or 0.0) < 1:
        return say("impact-part")
    asked = finite(alert.thresholds.get("forced_impact_z"))
    decided = alert.evidence.get("path") == "absolute" and asked is not None
    limit = say("impact-asked", sigma=significant(asked or 0.0)) if decided else None
    if high is None or high <= low:
        return joined(say("impact-least", sigma=significant(low)), limit, by=", ")
    middle = number(alert, "forced_impact_z")
    sigmas = joined(
        None if middle is None else f"{significant(middle)}σ",
        f"({significant(low)}–{significant(high)}σ)",
        by=" ",
    )
    return joined(say("impact-range", sigmas=sigmas or ""), limit, by=", ")


def _speeds(speech: Speech, before: str, after: str) -> Words:
    return joined(
        speech.told(before, "speed-before", "speed", significant),
        speech.told(after, "speed-after", "speed", significant),
        by=" → ",
    )


def _activated(speech: Speech) -> Words:
    # "2 approaches in 9 h, none activated": that a level does not react is news, too.
    alert, count = speech.alert, speech.alert.approach
    activated, hours = number(alert, "activated"), number(alert, "hours")
    if activated is None or hours is None or count is UNSET or count < 2:
        return None
    return speech.say(
        "approaches-activated", count=count, span=speech.span(hours), activated=round(activated)
    )


def _learning(speech: Speech) -> Words:
    hours = number(speech.alert, "history_hours")
    young = map_news.young(speech)
    return joined(
        speech.say("learning", hours=f"{hours:.0f}", needed=str(LEARNED_HOURS))
        if hours is not None and hours < LEARNED_HOURS
        else None,
        speech.say("warming-up") if speech.alert.evidence.get("warming_up") is True else None,
        young and speech.say("map-of", span=young),
    )


def _blind(speech: Speech) -> Words:
    venues = ", ".join(map(clean, entries(speech.alert, "blind_venues")))
    return venues and speech.say("blind", venues=venues)


def _not_believed(speech: Speech) -> Words:
    venues = ", ".join(map(clean, mapping(speech.alert, "quarantined_venues")))
    return venues and speech.say("not-believed", venues=venues)


def _changes(speech: Speech) -> list[Words]:
    return [clean(change) for change in entries(speech.alert, "changes")]


def _errors(speech: Speech) -> list[Words]:
    return [clean(error) for error in entries(speech.alert, "errors")]


_BODIES: dict[Kind, Callable[[Speech], list[Words]]] = {
    Kind.CASCADE_STARTED: _running,
    Kind.CASCADE_RESUMED: _running,
    Kind.CASCADE_STALLED: _stalled,
    Kind.CASCADE_ENDED: _ended,
    Kind.LEVEL_APPROACHED: _approached,
    Kind.LEVEL_VERDICT: _judged,
    Kind.ASYMMETRY_CHANGED: map_news.tilted,
    Kind.MAP_DIGEST: map_news.digest,
    Kind.FEED_DEGRADED: feed_words.degraded,
    Kind.FEED_RECOVERED: feed_words.recovered,
    Kind.CONFIG_APPLIED: _changes,
    Kind.CONFIG_REJECTED: _errors,
}
