"""Alert → text: what people read, from the lines of `wording.py` in the order of their weight.

The first line carries all within what a lock screen shows.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from liqwatch.alerting import hashtags
from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.headline import headline, of_running
from liqwatch.alerting.market import group
from liqwatch.alerting.numbers import price
from liqwatch.alerting.remarks import remark
from liqwatch.alerting.rich import Line, Moment, Text, line, message
from liqwatch.alerting.running_words import running_lines
from liqwatch.alerting.speech import Speech
from liqwatch.alerting.wording import body
from liqwatch.alerts import Alert, Kind, Running

__all__ = [
    "Text",
    "escalated",
    "group",
    "late",
    "noted",
    "possible_duplicate",
    "remark",
    "render",
    "sample",
    "timeline",
    "worded",
]

STORY_LENGTH = 6

_ENDINGS = {Kind.CASCADE_ENDED, Kind.FEED_RECOVERED}


def render(alert: Alert, language: Language = "en") -> Text:
    """Return the message for a person."""
    lines = body(Speech(alert, language))
    return message(language, headline(alert, language), lines, hashtags.of_alert(alert))


def worded(alert: Alert, language: Language = "en") -> Alert:
    """Return the alert with its message in `text`."""
    return replace(alert, text=render(alert, language).fitted().plain())


def timeline(
    alerts: Sequence[Alert], running: Running | None = None, language: Language = "en"
) -> Text:
    """Return a story's one message: its newest state, the way there, how it began.

    `alerts` are the story's alerts so far, oldest first, at least one; `running` the newest numbers
    of a cascade that goes on.
    """
    first, newest = alerts[0], alerts[-1]
    if running is not None and (newest.kind in _ENDINGS or running.time < newest.time):
        running = None
    if running is not None:
        state = "cascade-stalled" if running.stalled else "cascade-running"
        top, now = of_running(running, state, language), running_lines(running, language)
    elif newest is first:
        return render(first, language)
    else:
        ends = newest.kind in _ENDINGS
        top, now = headline(newest, language), body(Speech(newest, language)) if ends else []
    start, *rest = [*filter(None, body(Speech(first, language))), None]
    heading = phrase("at-the-start", language)
    beginning = [f"{heading}\n{start}" if start else heading, *rest]
    tags = hashtags.of_alert(first, hashtags.began(first) or hashtags.began(newest))
    return message(language, top, [_story(alerts, language), *now, *beginning], tags)


def escalated(running: Running, language: Language = "en") -> Text:
    """Return the reply that a running cascade has become graver."""
    top = of_running(running, "cascade-growing", language)
    tags = hashtags.hashtags(running.symbol, "cascade", running.started)
    return message(language, top, running_lines(running, language), tags)


def late(text: Text, time_ms: int, language: Language = "en") -> Text:
    """Mark a message that goes out long after what it tells (ms since the Unix epoch)."""
    return text.marked(before=(*line("late", language, time=Moment.minute(time_ms)), " "))


def possible_duplicate(text: Text, language: Language = "en") -> Text:
    """Mark a message that may have arrived before."""
    return text.marked(after=(f" {phrase('possible-duplicate', language)}",))


def sample(text: Text, language: Language = "en") -> Text:
    """Mark a message that tells nothing that has happened."""
    return noted(text, phrase("sample", language))


def noted(text: Text, note: str) -> Text:
    """Return the message below a line of its own."""
    return text.below(note)


def _story(alerts: Sequence[Alert], language: Language) -> Line:
    # "12:00:05 started at 90,184 → 12:03:45 stalled at 91,240 (UTC)": who sees his own time there
    # sees the day instead of "UTC".
    shown: list[Alert | None] = list(alerts)
    if len(shown) > STORY_LENGTH:
        shown[1 : 1 - STORY_LENGTH] = [None]
    steps = [("…",) if one is None else _step(one, language) for one in shown]
    parts = [part for step in steps for part in (" → ", *step)]
    return (*parts[1:], " (", Moment.at(alerts[-1].time, "d", "UTC"), ")")


def _step(alert: Alert, language: Language) -> Line:
    what = phrase(f"step-{alert.kind.replace('_', '-')}", language)
    where = "" if alert.price is None else phrase("at-price", language, price=price(alert.price))
    return (Moment.at(alert.time), f" {what} {where}".rstrip())
