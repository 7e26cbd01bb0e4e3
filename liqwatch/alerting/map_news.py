"""What is told of a map beside its first line: which side it tilts to, and its daily summary."""

from collections.abc import Mapping
from typing import Any

import msgspec

from liqwatch.alerting import map_words
from liqwatch.alerting.evidence import entries, finite, joined, mapping, number
from liqwatch.alerting.level_words import known_level, ranged, zone_of
from liqwatch.alerting.numbers import MINUS, amount, clean, price, signed_pct, significant
from liqwatch.alerting.speech import Speech
from liqwatch.alerts import Verdict
from liqwatch.map_view import MapScore

MAP_HOURS = 24

Words = str | None


def tilted(speech: Speech) -> list[Words]:
    """Tell which side outweighs the other."""
    return [_now(speech), *_balance(speech), _age(speech), _magnets(speech)]


def digest(speech: Speech) -> list[Words]:
    """Tell what lies where, and what came of it."""
    advice = speech.say("no-advice") if speech.alert.evidence.get("window") else None
    return [
        _now(speech),
        *_balance(speech),
        *(_rungs(speech, key) for key in ("above", "below", "ranges_above", "ranges_below")),
        *_reached(speech),
        _score(speech),
        speech.say("names-no-levels")
        if speech.alert.evidence.get("names_levels") is False
        else None,
        _frozen(speech),
        _age(speech),
        joined(_magnets(speech), advice, by=" "),
    ]


def before_and_after(speech: Speech) -> list[Words]:
    """Tell what a cascade changed: both sides, and their ratio."""
    window: Any = speech.alert.evidence.get("asymmetry_window")
    amounts = joined(
        _turned_side(speech, "above_usd", "shorts-above"),
        _turned_side(speech, "below_usd", "longs-below"),
        by=", ",
    )
    if not window or amounts is None:
        return []
    ratios = [ratio(speech, f"asymmetry_{when}") for when in ("before", "after")]
    known = speech.say("shorts-to-longs", ratio=" → ".join(map(str, ratios)))
    within = speech.say("within", window=clean(window).replace("-", MINUS), amounts=amounts)
    return [joined(within, known if all(ratios) else None, by=", "), _relative(speech)]


def verdict_on(speech: Speech, level: object) -> Words:
    """Tell what reaching a level did, None where that is not known."""
    verdict = level.get("verdict") if isinstance(level, Mapping) else None
    if not isinstance(verdict, str):
        return None
    return speech.say(f"verdict-{verdict}") if verdict in set(Verdict) else clean(verdict)


def ratio(speech: Speech, key: str = "ratio") -> Words:
    """Write shorts over longs, such as 14:1; None of a ratio that is not known."""
    times = number(speech.alert, key)
    if times is None or times <= 0:
        return None
    return f"{significant(times)}:1" if times >= 1 else f"1:{significant(1 / times)}"


def young(speech: Speech) -> Words:
    """Write the age of a map that is young."""
    hours = number(speech.alert, "map_hours")
    return None if hours is None or hours >= MAP_HOURS else speech.span(hours)


def _now(speech: Speech) -> Words:
    return None if speech.alert.price is None else price(speech.alert.price)


def _balance(speech: Speech) -> list[Words]:
    # Never a ratio without both amounts and the window.
    window: Any = speech.alert.evidence.get("window")
    amounts = joined(
        _side(speech, "short", "shorts-above"), _side(speech, "long", "longs-below"), by=", "
    )
    if not window or amounts is None:
        return []
    before = ratio(speech, "ratio_24h_ago")
    times = joined(ratio(speech), before and speech.say("day-before", ratio=before), by=" ")
    within = speech.say("within", window=clean(window).replace("-", MINUS), amounts=amounts)
    return [joined(within, times, by=", "), _relative(speech)]


def _relative(speech: Speech) -> Words:
    relative = speech.alert.evidence.get("scale") == "relative"
    return speech.say("amounts-relative") if relative else None


def _turned_side(speech: Speech, key: str, name: str) -> Words:
    before, after = (number(speech.alert, f"{key}_{when}") for when in ("before", "after"))
    if before is None or after is None:
        return None
    return speech.say(name, amount=f"{amount(before)} → {amount(after)}")


def _side(speech: Speech, side: str, name: str) -> Words:
    usd = number(speech.alert, f"{side}_usd")
    if usd is None:
        return None
    return speech.say(name, amount=ranged(usd, speech.alert.evidence.get(f"{side}_range_usd")))


def _rungs(speech: Speech, key: str) -> Words:
    rungs = joined(*(_rung(speech, rung) for rung in entries(speech.alert, key)), by=", ")
    return rungs and speech.say(key.replace("_", "-"), rungs=rungs)


def _rung(speech: Speech, rung: object) -> Words:
    level = known_level(rung, speech.language)
    if level is None or not isinstance(rung, Mapping):
        return None
    away, children = finite(rung.get("distance_pct")), rung.get("children")
    return joined(
        level,
        speech.say("of-clusters", count=children)
        if isinstance(children, int) and children > 1
        else None,
        None if away is None else f"({signed_pct(away)})",
        by=" ",
    )


def _reached(speech: Speech) -> list[Words]:
    approaches, activated = (number(speech.alert, key) for key in ("approaches", "activated"))
    if approaches is None or activated is None:
        return []
    hours, counts = number(speech.alert, "hours"), (round(approaches), round(activated))
    since = {} if hours is None else {"span": speech.span(hours)}
    reached = [_reached_level(speech, level) for level in entries(speech.alert, "levels_reached")]
    levels = joined(*reached, by=", ")
    clusters = number(speech.alert, "clusters_reached")
    idle = speech.alert.evidence.get("map_not_activating") is True and clusters is not None
    return [
        speech.say(
            "reached-in" if since else "reached-since-start",
            count=counts[0],
            activated=counts[1],
            **since,
        ),
        levels and speech.say("reached", levels=levels),
        speech.say("not-activating", count=round(clusters or 0)) if idle else None,
    ]


def _reached_level(speech: Speech, level: object) -> Words:
    where = zone_of(level)
    return where and joined(where, verdict_on(speech, level), by=" ")


def _score(speech: Speech) -> Words:
    try:
        score = msgspec.convert(speech.alert.evidence.get("score"), MapScore)
    except msgspec.ValidationError:
        return None
    return map_words.score(score, speech.language)


def _frozen(speech: Speech) -> Words:
    shares = mapping(speech.alert, "frozen_shares").items()
    venues = [f"{clean(venue)} {share:.0%}" for venue, told in shares if (share := finite(told))]
    return speech.say("frozen", venues=", ".join(venues)) if venues else None


def _magnets(speech: Speech) -> Words:
    return speech.say("magnets") if speech.alert.evidence.get("window") else None


def _age(speech: Speech) -> Words:
    age = young(speech)
    return age and speech.say("map-age", span=age)
