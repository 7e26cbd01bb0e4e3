"""Why no cascade was called about a time, in words. Pure."""

from collections.abc import Iterator

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.numbers import amount, clean, name, significant, utc
from liqwatch.alerting.speech import span
from liqwatch.alerts import Alert
from liqwatch.control.vocabulary import Criterion, NearMiss, WhyNotAnswer

MOST_TOLD = 12


def why_not(answer: WhyNotAnswer, language: Language) -> Iterator[str]:
    """Say what was decided, what was nearest to a start, and what the market did."""
    yield phrase(
        "bot-why-called" if answer.called else "bot-why-not",
        language,
        symbol=name(answer.symbol),
        at=utc(answer.at, "%Y-%m-%d %H:%M:%S"),
        minutes=(answer.until - answer.at) // 60_000,
    )
    yield from _told(answer.told[-MOST_TOLD:], language)
    if answer.misses:
        yield from _nearest(answer.misses[0], language)
        yield from (_also(one, language) for one in answer.misses[1:])
    else:
        if not answer.called:
            yield phrase("bot-why-forgotten" if answer.forgotten else "bot-why-ordinary", language)
        yield from _deaf(answer.deaf, language)
    if answer.moved_pct is not None:
        yield phrase("bot-why-moved", language, moved=f"{significant(answer.moved_pct)}%")
    if answer.forced_usd is not None:
        yield phrase("bot-why-forced", language, amount=amount(answer.forced_usd))


def _told(alerts: tuple[Alert, ...], language: Language) -> Iterator[str]:
    for alert in alerts:
        headline = alert.text.partition("\n")[0] or f"{alert.kind} {name(alert.symbol)}"
        yield phrase("bot-why-told", language, time=utc(alert.time), headline=headline)
    for episode in dict.fromkeys(alert.episode for alert in alerts):
        if episode is not None:
            yield phrase("bot-why-story", language, id=episode)


def _nearest(miss: NearMiss, language: Language) -> Iterator[str]:
    yield phrase("bot-why-nearest", language, path=_path(miss, language), **_where(miss))
    yield from (_criterion(one, language) for one in miss.criteria)
    yield from _deaf(miss.deaf, language)
    if miss.learning:
        heard = (f"{venue} ({span(hours, language)})" for venue, hours in miss.learning.items())
        yield phrase("bot-why-learning", language, venues=", ".join(heard))


def _criterion(one: Criterion, language: Language) -> str:
    return phrase(
        "bot-why-reached" if one.met else "bot-why-short",
        language,
        name=one.name,
        value=significant(one.value),
        limit=significant(one.limit),
        short=f"{significant(-(one.margin_pct or 0.0))}%",
    )


def _deaf(venues: tuple[str, ...], language: Language) -> Iterator[str]:
    if venues:
        yield phrase("bot-why-deaf", language, venues=", ".join(venues))


def _also(miss: NearMiss, language: Language) -> str:
    missed = ", ".join(one.name for one in miss.criteria if not one.met)
    return phrase("bot-why-also", language, missed=missed, **_where(miss))


def _where(miss: NearMiss) -> dict[str, str]:
    share = f"{int(100 * miss.nearness)}%"  # whole only where nothing was lacking
    return {"time": utc(miss.time), "direction": miss.direction.value, "share": share}


def _path(miss: NearMiss, language: Language) -> str:
    if miss.venue is None or miss.return_hours is None:
        return phrase("bot-why-by-impact", language)
    hours = span(miss.return_hours, language)
    return phrase("bot-why-by-rarity", language, venue=clean(miss.venue), span=hours)
