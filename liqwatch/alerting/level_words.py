"""Levels and the amounts at them, as messages name them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import finite, mapping
from liqwatch.alerting.map_estimates import between
from liqwatch.alerting.numbers import amount, price
from liqwatch.alerting.speech import Speech, size
from liqwatch.alerts import Level


def zone(low: float, high: float) -> str:
    """Write a price zone, one price when both ends read the same."""
    return "–".join(dict.fromkeys((price(low), price(high))))


def zone_of(level: object) -> str | None:
    """Write the price zone of a level in the evidence."""
    if not isinstance(level, Mapping):
        return None
    low, high = finite(level.get("low")), finite(level.get("high"))
    return None if low is None or high is None else zone(low, high)


def ranged(usd: float, known: object) -> str:
    """Write an amount of the map: as its range where that is known."""
    low, high = (
        finite(known.get(end)) if isinstance(known, Mapping) else None for end in ("low", "high")
    )
    return amount(usd) if low is None or high is None else between(low, high)


def named(level: Level, language: Language) -> str:
    """Name a level: `est. $2.4B at 91,800–92,200`."""
    return known_level(msgspec.structs.asdict(level), language) or ""


def known_level(one: object, language: Language) -> str | None:
    """Name a level of the evidence; None where it is none."""
    where = zone_of(one)
    if where is None or not isinstance(one, Mapping):
        return None
    notional = finite(one.get("notional"))
    usd = None if notional is None else ranged(notional, one.get("notional_range_usd"))
    match one.get("source"):
        case "user" if usd:
            return phrase("level-user-mapped", language, zone=where, amount=usd)
        case "user":
            return phrase("level-user", language, zone=where)
        case "estimate" | "imported" | "observed" as source:
            held = where if usd is None else phrase("held-at", language, amount=usd, zone=where)
            return phrase(f"level-{source}", language, held=held)
        case _:
            return phrase("level-unmapped", language, zone=where)


def here(speech: Speech) -> str | None:
    """Tell where the alert is."""
    one = speech.alert.level
    if one is None:
        return None
    if one.source == "unmapped":
        return speech.say("here-unmapped")
    return speech.say("here", level=named(one, speech.language))


def ahead(speech: Speech) -> str | None:
    """Tell the next level, and how far it is."""
    one: dict[str, Any] = mapping(speech.alert, "next_level")
    described, distance = known_level(one, speech.language), finite(one.get("distance_pct"))
    away = "" if distance is None else f" ({speech.say('away', distance=size(distance))})"
    return described and speech.say("ahead", level=described) + away
