"""Answers of the daemon as messages of a chat, in its language. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple, assert_never

from liqwatch.alerting import map_estimates, map_words
from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.context_words import context_line
from liqwatch.alerting.evidence import finite
from liqwatch.alerting.numbers import clean, name, price, signed_pct, significant, utc
from liqwatch.alerting.speech import Speech
from liqwatch.control.vocabulary import (
    Answer,
    Changed,
    Criterion,
    Delivered,
    DiffAnswer,
    Explained,
    LevelsAnswer,
    LevelScore,
    LogAnswer,
    MapAnswer,
    Muted,
    MutesAnswer,
    OrderedAnswer,
    ReplayAnswer,
    StatusAnswer,
    ThresholdAnswer,
    WatchedAnswer,
    WhyAnswer,
    WhyNotAnswer,
)
from liqwatch.engine.liveness import FeedHealth
from liqwatch.engine.pace import FeedState
from liqwatch.map_view import MapShown
from liqwatch.sinks.telegram.bot.commands import COMMANDS, UNLISTED, Caller, usage
from liqwatch.sinks.telegram.bot.why_not import why_not

TEXT_LENGTH = 4096 - 96
CAPTION_LENGTH = 1024 - 24
MOST_CLUSTERS = 8
MOST_TIMES = 3  # verdicts of a level
WORRYING = (FeedState.STALE, FeedState.DEAD, FeedState.QUARANTINED)


class Reply(NamedTuple):
    """A message: its first line is bold; `code` stands below in type of one width, to be copied."""

    lines: Sequence[str]
    code: Sequence[str] = ()
    shown: MapShown | None = None  # to be drawn above it

    def html(self) -> str:
        """Return it as Telegram HTML, escaped, lines beyond the length left out.

        Source: core.telegram.org/bots/api#html-style
        """
        room = TEXT_LENGTH if self.shown is None else CAPTION_LENGTH
        lines = _fitted(self.lines, room)
        code = _fitted(self.code, room - sum(_length(line) for line in lines))
        shown = [
            f"<b>{escape(line)}</b>" if not at else escape(line) for at, line in enumerate(lines)
        ]
        if code:
            shown.append(f"<pre>{escape(chr(10).join(code))}</pre>")
        return "\n".join(shown)


def reply(answer: Answer, language: Language) -> Reply:  # noqa: PLR0911, PLR0912 - one a kind of answer
    """Word an answer."""
    match answer:
        case StatusAnswer():
            return _status(answer, language)
        case MapAnswer(shown):
            return _map(shown, language)
        case LevelsAnswer(levels):
            return _levels(levels, language)
        case WhyAnswer(explained):
            return _why(explained, language)
        case WhyNotAnswer():
            return Reply(list(why_not(answer, language)))
        case ReplayAnswer():
            return _replay(answer, language)
        case LogAnswer(lines):
            return Reply([], lines) if lines else said("bot-log-none", language)
        case MutesAnswer(mutes):
            return _muted(mutes, language)
        case WatchedAnswer():
            return _watched(answer, language)
        case ThresholdAnswer():
            return _threshold(answer, language)
        case DiffAnswer(changes):
            return _diff(changes, language)
        case OrderedAnswer():
            return said("bot-reload", language)
        case _:
            assert_never(answer)


def said(name: str, language: Language, **values: str) -> Reply:
    """Word one phrase."""
    return Reply([phrase(name, language, **values)])


def help_reply(language: Language) -> Reply:
    """List the commands."""
    listed = [one for one in COMMANDS if one not in UNLISTED]
    return Reply(
        [
            phrase("bot-help-title", language),
            *(f"{usage(one)} · {phrase(f'bot-command-{one}', language)}" for one in listed),
            phrase("bot-help-caution", language),
        ]
    )


def id_reply(caller: Caller, language: Language) -> Reply:
    """Tell the ids that settings ask for."""
    ids = {"chat": str(caller.chat), "user": str(caller.user)}
    if caller.topic is None:
        return said("bot-id", language, **ids)
    return said("bot-id-topic", language, **ids, topic=str(caller.topic))


def feeds_reply(answer: StatusAnswer, language: Language) -> Reply:
    """Tell of every feed."""
    if not answer.feeds:
        return said("bot-no-feeds", language)
    lines = [
        f"{venue}: {' · '.join(f'{one.channel} {_state(one)}' for one in feeds)}"
        for venue, feeds in groupby(answer.feeds, key=lambda one: one.venue)
    ]
    return Reply([answer.status, *lines])


def until(time_ms: int, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Write when something ends."""
    return f"{utc(time_ms, pattern)} UTC"


# -- each answer -----------------------------------------------------------------------------------


def _status(answer: StatusAnswer, language: Language) -> Reply:
    worrying = [one for one in answer.feeds if one.state in WORRYING]
    if not answer.feeds:
        return Reply([answer.status])
    if not worrying:
        return Reply([answer.status, phrase("bot-status-well", language)])
    return Reply([answer.status, *(_trouble(one, language) for one in worrying)])


def _state(feed: FeedHealth) -> str:
    return feed.state.upper() if feed.state in WORRYING else feed.state


def _trouble(feed: FeedHealth, language: Language) -> str:
    return phrase(
        "bot-feed-trouble",
        language,
        venue=feed.venue,
        channel=feed.channel,
        state=feed.state.upper(),
        seconds=str(feed.silent_s),
        reason=clean(feed.reason),
    )


def _map(shown: MapShown, language: Language) -> Reply:
    view = shown.map
    nearest = sorted(view.clusters, key=lambda one: abs(one.distance_pct))[:MOST_CLUSTERS]
    clusters = [
        f"{one.position} {price(one.low)}–{price(one.high)} ({signed_pct(one.distance_pct)})"
        f" {map_estimates.held(one)}"
        for one in sorted(nearest, key=lambda one: -one.low)
    ]
    return Reply(
        [
            map_words.title(view),
            map_words.moment(view),
            map_estimates.sides(view),
            *(clusters or [phrase("bot-map-none", language)]),
            map_words.score(view.score, language),
            map_estimates.caution(view),
        ],
        shown=shown,
    )


def _levels(levels: Sequence[LevelScore], language: Language) -> Reply:
    if not levels:
        return said("bot-levels-none", language)
    lines: list[str] = []
    for symbol, those in groupby(levels, key=lambda one: one.symbol):
        lines.append(phrase("bot-levels-title", language, symbol=name(symbol)))
        for level in those:
            lines += _level(level, language)
    return Reply(lines)


def _level(level: LevelScore, language: Language) -> Iterator[str]:
    yield phrase(
        "bot-level",
        language,
        level="–".join(dict.fromkeys((price(level.low), price(level.high)))),
        distance=signed_pct(level.distance_pct),
        source=phrase(f"bot-source-{level.source}", language),
        phase=phrase(f"bot-phase-{level.phase}", language),
    )
    if level.approaches:
        counts = phrase(
            "bot-level-approaches",
            language,
            approaches=str(level.approaches),
            activated=str(level.activated),
        )
        judged = (
            f"{utc(one.time, '%m-%d %H:%M')} {phrase(f'bot-verdict-{one.verdict}', language)}"
            for one in level.verdicts[:MOST_TIMES]
        )
        yield f"  {' · '.join([counts, *judged])}"


def _why(explained: Sequence[Explained], language: Language) -> Reply:
    blocks = [line for one in explained for line in [*_alert(one, language), ""]]
    return Reply(blocks[:-1])


def _alert(one: Explained, language: Language) -> Iterator[str]:
    alert = one.alert
    headline = alert.text.partition("\n")[0] or f"{alert.kind} {name(alert.symbol)}"
    yield headline
    yield f"{utc(alert.time, '%Y-%m-%d %H:%M:%S')} UTC · {alert.id}"
    path, tier = alert.evidence.get("path"), alert.evidence.get("tier")
    if path and tier:
        yield phrase("bot-why-by", language, path=clean(path), tier=clean(tier))
    for criterion in one.criteria:
        yield _criterion(criterion, language)
    coverage = finite(alert.evidence.get("coverage"))
    if coverage is not None:
        yield phrase("bot-why-coverage", language, share=f"{coverage:.0%}")
    if context := context_line(Speech(alert, language)):
        yield context
    for delivered in one.deliveries:
        yield _delivered(delivered, language)
    if not one.deliveries:
        yield phrase("bot-why-nobody", language)


def _criterion(one: Criterion, language: Language) -> str:
    margin = one.margin_pct
    return phrase(
        "bot-why-met" if one.met else "bot-why-missed",
        language,
        name=one.name,
        value=significant(one.value),
        limit=significant(one.limit),
        margin="–" if margin is None else signed_pct(margin),
    )


def _delivered(one: Delivered, language: Language) -> str:
    return phrase(
        "bot-why-outcome" if one.outcome else "bot-why-delivery",
        language,
        receiver=one.receiver.partition(":")[0],  # the rest is nobody else's business
        role=one.role,
        state=one.state,
        reason=clean(one.reason),
        outcome=clean(one.outcome),
    )


def _replay(answer: ReplayAnswer, language: Language) -> Reply:
    title = phrase(
        "bot-replay-title",
        language,
        symbol=name(answer.subject),
        begun=utc(answer.begun, "%Y-%m-%d %H:%M"),
        over=utc(answer.over, "%H:%M"),
    )
    after = [] if answer.ended is None else answer.ended.text.split("\n")
    if not answer.command:
        return Reply([title, phrase("bot-replay-none", language), *after])
    return Reply([title, *after], [answer.command])


def _muted(mutes: Sequence[Muted], language: Language) -> Reply:
    if not mutes:
        return said("bot-mutes-none", language)
    lines = [
        phrase(
            "bot-mute",
            language,
            subject=one.silence.subject or phrase("bot-mute-all", language),
            until=until(one.silence.until_ms),
            who=one.silence.who,
        )
        for one in mutes
    ]
    return Reply([phrase("bot-mutes-title", language), *dict.fromkeys(lines)])


def _watched(answer: WatchedAnswer, language: Language) -> Reply:
    symbol = name(answer.symbol)
    ends = phrase("bot-until", language, until=until(answer.until_ms))
    if not answer.prices:
        return Reply([phrase("bot-watched-none", language, symbol=symbol), ends])
    prices = ", ".join(map(price, answer.prices))
    return Reply([phrase("bot-watched", language, symbol=symbol, prices=prices), ends])


def _threshold(answer: ThresholdAnswer, language: Language) -> Reply:
    ends = "" if answer.until_ms is None else until(answer.until_ms)
    return Reply(
        [
            phrase("bot-threshold", language, name=answer.name, value=answer.value),
            phrase(f"bot-from-{answer.source}", language, who=answer.who or "", until=ends),
        ]
    )


def _diff(changes: Sequence[Changed], language: Language) -> Reply:
    if not changes:
        return said("bot-diff-none", language)
    return Reply([phrase("bot-diff-title", language), *(_change(one, language) for one in changes)])


def _change(one: Changed, language: Language) -> str:
    return phrase(
        "bot-diff" if one.refused is None else "bot-diff-refused",
        language,
        change=one.change,
        until=until(one.until_ms),
        who=one.who,
        reason=clean(one.refused),
    )


# -- lengths ---------------------------------------------------------------------------------------


def _fitted(lines: Iterable[str], room: int) -> list[str]:
    """Return the lines that fit, whole, and a mark where some do not."""
    fitted: list[str] = []
    for line in lines:
        room -= _length(line)
        if room < 2:
            fitted.append("…")
            break
        fitted.append(line)
    return fitted


def _length(line: str) -> int:
    # Telegram counts UTF-16 units.
    return len(line.encode("utf-16-le", "replace")) // 2 + 1
