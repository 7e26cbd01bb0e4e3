"""The first line of a message: symbol, what, direction and severity, within a lock screen."""

from msgspec import UNSET

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import entries, joined, number
from liqwatch.alerting.level_words import zone
from liqwatch.alerting.map_news import ratio
from liqwatch.alerting.numbers import clean, duration, name, price
from liqwatch.alerting.speech import Speech
from liqwatch.alerts import Alert, Direction, Kind, Outcome, Running, Severity

FIRST_LINE_LENGTH = 60

ARROWS = {Direction.UP: "▲", Direction.DOWN: "▼", None: "•"}


def headline(alert: Alert, language: Language = "en") -> str:
    """Return the first line of an alert; a detail only where it fits."""
    what, detail = _what(Speech(alert, language))
    return _fitting(what, detail, _gravity(alert.severity, language, alert.against_map))


def of_running(running: Running, what: str, language: Language) -> str:
    """Return the first line of a cascade that goes on, `what` a phrase for that."""
    lasted = duration((running.time - running.started) / 1000)
    subject = f"{ARROWS[running.direction]} {name(running.symbol)}"
    said = phrase(what, language, position=running.position)
    grave = _gravity(running.severity, language, running.against_map)
    return _fitting(f"{subject} {said}", f" {lasted}", grave)


def of_market(
    what: str, direction: Direction | None, coins: int, severity: Severity, language: Language
) -> str:
    """Return the first line of several coins' cascades, `what` a phrase for that."""
    position = "none" if direction is None else direction.position
    said = phrase(what, language, position=position)
    several = phrase("coins", language, count=coins)
    return _fitting(f"{ARROWS[direction]} {said}", f" · {several}", _gravity(severity, language))


def _fitting(what: str, detail: str, grave: str) -> str:
    full, short = f"{what}{detail} · {grave}", f"{what} · {grave}"
    return full if len(full) <= FIRST_LINE_LENGTH else short


def _gravity(severity: Severity, language: Language, against_map: bool = False) -> str:
    against = phrase("against-map", language) if against_map else None
    return joined(phrase(f"severity-{severity}", language), against) or ""


def _what(speech: Speech) -> tuple[str, str]:
    # What happened, and a detail that may be left out.
    alert, say = speech.alert, speech.say
    whose = say("market") if alert.of_market else name(alert.symbol)
    subject = f"{ARROWS[alert.direction]} {whose}"
    match alert.kind:
        case Kind.CONFIG_APPLIED | Kind.CONFIG_REJECTED:
            return say(_key(alert)), ""
        case Kind.FEED_DEGRADED | Kind.FEED_RECOVERED:
            return _feed(speech)
        case Kind.ASYMMETRY_CHANGED | Kind.MAP_DIGEST:
            return _map(speech)
        case Kind.LEVEL_APPROACHED:
            position = f" {say('level-of', position=alert.position)}" if alert.position else ""
            return f"{subject} {_at_level(speech)}", position
        case Kind.LEVEL_VERDICT:
            count = "" if alert.approach is UNSET else say("nth-approach", count=alert.approach)
            verdict = "unknown" if alert.verdict is UNSET else alert.verdict.value
            return f"{subject} {_at_level(speech, verdict=verdict)}", count and f" · {count}"
        case _:
            return f"{subject} {_cascade(speech)}", _coins(speech) or _lasted(speech)


def _cascade(speech: Speech) -> str:
    alert = speech.alert
    said: dict[str, str] = {"position": alert.position or "none"}
    if alert.kind is Kind.CASCADE_ENDED:
        said["outcome"] = Outcome.UNKNOWN if alert.outcome is UNSET else alert.outcome
    state = speech.say(_key(alert), **said)
    if alert.kind is Kind.CASCADE_STALLED and alert.price is not None:
        return f"{state} {speech.say('at-price', price=price(alert.price))}"
    return state


def _coins(speech: Speech) -> str:
    # How many, while a story of the market runs.
    coins = number(speech.alert, "coins") if speech.alert.of_market else None
    if coins is None or speech.alert.kind not in {Kind.CASCADE_STARTED, Kind.CASCADE_RESUMED}:
        return ""
    return f" · {speech.say('coins', count=round(coins))}"


def _at_level(speech: Speech, **said: str) -> str:
    alert, key = speech.alert, _key(speech.alert)
    if alert.level is not None:
        return speech.say(key, level=zone(alert.level.low, alert.level.high), **said)
    if alert.price is not None:
        return speech.say(key, level=price(alert.price), **said)
    return speech.say(f"{key}-unknown", **said)


def _map(speech: Speech) -> tuple[str, str]:
    # Without an arrow: where the map is heavy is no direction.
    alert, times = speech.alert, ratio(speech)
    subject = f"• {name(alert.symbol)}"
    if alert.kind is Kind.MAP_DIGEST:
        detail = f", {speech.say('shorts-to-longs', ratio=times)}" if times else ""
        return f"{subject} {speech.say('map-digest')}", detail
    tilt = speech.say("map-tilts", position=alert.position or "none")
    return f"{subject} {tilt}", f", {times}" if times else ""


def _feed(speech: Speech) -> tuple[str, str]:
    # Such as "• FEED DEGRADED: okx-swap (trades, liquidations)".
    alert, say = speech.alert, speech.say
    lasted = _lasted(speech)
    match entries(alert, "venues"):
        case []:
            return f"• {say(_key(alert))}", lasted
        case [venue]:
            what = ", ".join(map(clean, entries(alert, "channels")))
            return f"• {say(_key(alert))}: {name(venue)}", lasted or (f" ({what})" if what else "")
        case venues:
            some = "venues" if entries(alert, "remaining_venues") else "venues-all"
            failed = say(_key(alert).replace("feed", "feeds"))
            return f"• {failed}: {say(some, count=len(venues))}", lasted


def _lasted(speech: Speech) -> str:
    seconds = number(speech.alert, "duration_s")
    return "" if seconds is None else f" {speech.say('after', lasted=duration(seconds))}"


def _key(alert: Alert) -> str:
    return alert.kind.replace("_", "-")
