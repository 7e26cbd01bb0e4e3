"""Alert → text: the only prose of liqwatch, from the lines of `wording.py`.

A message is plain text of whole lines in order of weight. The first line carries all within what
a lock screen shows.
"""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import takewhile

from msgspec import UNSET
from msgspec.structs import replace

from liqwatch.alerting.evidence import entries, told
from liqwatch.alerting.numbers import clean, duration, name, ordinal, price, utc
from liqwatch.alerting.wording import Line, body, ratio, zone
from liqwatch.alerts import Alert, Direction, Kind, Outcome

FIRST_LINE_LENGTH = 60

# Telegram takes 4,096 characters after entities parsing (core.telegram.org/bots/api#sendmessage).
# Counted in UTF-16 units, the narrower reading, with room for the marks of a late or repeated one.
TEXT_LENGTH = 4096 - 64

STORY_LENGTH = 6

_CONFIGURATION = {
    Kind.CONFIG_APPLIED: "Configuration applied",
    Kind.CONFIG_REJECTED: "Configuration REJECTED, the running one stays",
}
_ENDINGS = {Kind.CASCADE_ENDED, Kind.FEED_RECOVERED}


def render(alert: Alert) -> str:
    """Return the message for a person: plain text of at most 4,096 characters."""
    return _fit([headline(alert), *body(alert), *_tags(alert)])


def worded(alert: Alert) -> Alert:
    """Return the alert with its message in `text`."""
    return replace(alert, text=render(alert))


def headline(alert: Alert) -> str:
    """Return the first line: symbol, what, direction and severity; a detail only where it fits."""
    what, detail = _what(alert)
    against = " · AGAINST THE MAP" if alert.against_map else ""
    full, short = (f"{what}{part} · {alert.severity.upper()}{against}" for part in (detail, ""))
    return full if len(full) <= FIRST_LINE_LENGTH else short


def timeline(alerts: Sequence[Alert]) -> str:
    """Return the text of a story's one message: its newest state, the way there, how it began.

    `alerts` are the story's alerts so far, oldest first, at least one.
    """
    first, newest = alerts[0], alerts[-1]
    if newest is first:
        return render(first)
    ending = body(newest) if newest.kind in _ENDINGS else []
    beginning = ["At the start:", *body(first), *_tags(first)]
    return _fit([headline(newest), _story(alerts), *ending, *beginning])


def html(text: str) -> str:
    """Return `text` as Telegram HTML, escaped, its first line bold.

    Source: core.telegram.org/bots/api#html-style
    """
    first, newline, rest = escape(text, quote=False).partition("\n")
    return f"<b>{first}</b>{newline}{rest}"


def late(text: str, time_ms: int) -> str:
    """Mark a message that goes out long after what it tells (ms since the Unix epoch)."""
    return f"late, from {utc(time_ms, '%H:%M')} UTC: {text}"


def possible_duplicate(text: str) -> str:
    """Mark a message that may have arrived before."""
    first, newline, rest = text.partition("\n")
    return f"{first} (possible duplicate){newline}{rest}"


def _what(alert: Alert) -> tuple[str, str]:
    # What happened, and a detail that may be left out.
    subject = f"{_arrow(alert)} {name(alert.symbol)}"
    match alert.kind:
        case Kind.CONFIG_APPLIED | Kind.CONFIG_REJECTED:
            return _CONFIGURATION[alert.kind], ""
        case Kind.FEED_DEGRADED | Kind.FEED_RECOVERED:
            return _feed(alert)
        case Kind.ASYMMETRY_CHANGED | Kind.MAP_DIGEST:
            return _map(alert)
        case Kind.LEVEL_APPROACHED:
            whose = f" ({alert.position.upper()} LEVEL)" if alert.position else ""
            return f"{subject} APPROACHES {_level(alert)}", whose
        case Kind.LEVEL_VERDICT:
            verdict = "VERDICT" if alert.verdict is UNSET else alert.verdict.upper()
            count = "" if alert.approach is UNSET else f" · {ordinal(alert.approach)} approach"
            return f"{subject} {verdict} at {_level(alert)}", count
        case _:
            whose = f"{alert.position.upper()} " if alert.position else ""
            lasted = told(alert, "duration_s", " after {}", duration) or ""
            return f"{subject} {whose}CASCADE {_state(alert)}", lasted


def _map(alert: Alert) -> tuple[str, str]:
    # Without an arrow: where the map is heavy is no direction.
    subject = f"• {name(alert.symbol)} MAP"
    if alert.kind is Kind.MAP_DIGEST:
        return f"{subject} DIGEST", ratio(alert, ", shorts to longs {}")
    tilt = f"TILTS TO {alert.position.upper()}S" if alert.position else "NO LONGER TILTS"
    return f"{subject} {tilt}", ratio(alert, ", {}")


def _feed(alert: Alert) -> tuple[str, str]:
    # Such as "• FEED DEGRADED: okx-swap (trades, liquidations)".
    verb = alert.kind.removeprefix("feed_").upper()
    lasted = told(alert, "duration_s", " after {}", duration)
    match entries(alert, "venues"):
        case []:
            return f"• FEED {verb}", lasted or ""
        case [venue]:
            what = ", ".join(map(clean, entries(alert, "channels")))
            return f"• FEED {verb}: {name(venue)}", lasted or (f" ({what})" if what else "")
        case venues:
            everybody = "" if entries(alert, "remaining_venues") else "all "
            return f"• FEEDS {verb}: {everybody}{len(venues)} venues", lasted or ""


def _state(alert: Alert) -> str:
    word = alert.kind.removeprefix("cascade_").upper()
    if alert.kind is Kind.CASCADE_ENDED:
        known = alert.outcome not in {UNSET, Outcome.UNKNOWN}
        return f"{word}, {str(alert.outcome).upper() if known else 'OUTCOME UNKNOWN'}"
    return f"{word}{_at(alert)}" if alert.kind is Kind.CASCADE_STALLED else word


def _at(alert: Alert) -> str:
    return "" if alert.price is None else f" at {price(alert.price)}"


def _arrow(alert: Alert) -> str:
    return {Direction.UP: "▲", Direction.DOWN: "▼", None: "•"}[alert.direction]


def _level(alert: Alert) -> str:
    if alert.level is not None:
        return zone(alert.level.low, alert.level.high)
    return "a level" if alert.price is None else price(alert.price)


def _story(alerts: Sequence[Alert]) -> str:
    # "12:00:05 started at 90,184 → 12:03:45 stalled at 91,240 (UTC)".
    steps = [f"{utc(alert.time)} {alert.kind.partition('_')[2]}{_at(alert)}" for alert in alerts]
    if len(steps) > STORY_LENGTH:
        steps[1 : 1 - STORY_LENGTH] = ["…"]
    return f"{' → '.join(steps)} (UTC)"


def _tags(alert: Alert) -> list[Line]:
    # Telegram's search by hashtag makes the chat a journal.
    tag = "".join(c for c in name(alert.symbol) if c.isalnum())
    subject = alert.kind.split("_")[0]
    return [] if subject == "config" or not tag else [f"#{tag} #{subject}"]


def _fit(lines: Iterable[Line]) -> str:
    # Whole lines only, and a word for those that are left out.
    said = [line for line in lines if line]
    used = 0

    def fits(line: str) -> bool:
        nonlocal used
        used += len(line.encode("utf-16-le")) // 2 + 1
        return used <= TEXT_LENGTH - 32

    kept = list(takewhile(fits, said))
    dropped = len(said) - len(kept)
    return "\n".join([*kept, f"({dropped} more lines)"] if dropped else kept)
