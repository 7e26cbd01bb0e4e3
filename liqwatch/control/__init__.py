"""The running daemon as a person meets it: one vocabulary, whoever asks on his behalf."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, assert_never

from liqwatch import log_lines
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import MARKET
from liqwatch.control.levels import scoreboard
from liqwatch.control.maps import coin, find_map, picture
from liqwatch.control.replays import how_to_replay
from liqwatch.control.settings import HOUR_MS, Settings
from liqwatch.control.vocabulary import (
    Answer,
    AskDiff,
    AskLevels,
    AskLog,
    AskMap,
    AskMutes,
    AskReplay,
    AskStatus,
    AskThreshold,
    AskWhy,
    AskWhyNot,
    ControlError,
    DiffAnswer,
    LevelsAnswer,
    LogAnswer,
    MapAnswer,
    Mute,
    Muted,
    MutesAnswer,
    NoMapError,
    OrderedAnswer,
    Question,
    Reload,
    SetThreshold,
    StatusAnswer,
    Unmute,
    Unwatch,
    Watch,
    WhyAnswer,
)
from liqwatch.control.why import explain
from liqwatch.control.why_not import explain_silence, past_moment_ms
from liqwatch.engine import Engine
from liqwatch.store import Database

__all__ = [
    "Answer",
    "AskMap",
    "AskStatus",
    "Control",
    "ControlError",
    "MapAnswer",
    "NoMapError",
    "Question",
    "Settings",
    "StatusAnswer",
    "Workings",
    "find_map",
    "picture",
]


class Receivers(Protocol):
    """Who is told, and what they asked not to be told."""

    def mute(self, receiver: str | None, silence: Silence) -> None:
        """Tell a receiver (None: every one) nothing of that."""
        ...

    def unmute(self, receiver: str, silence_id: str) -> None:
        """End a silence of a receiver."""
        ...

    def mutes(self, receiver: str | None) -> Sequence[Muted]:
        """Return the mutes in force; None: of every receiver."""
        ...


class Workings(NamedTuple):
    """What of a daemon can be looked into and changed."""

    database: Database
    settings: Settings
    receivers: Receivers
    reload: Callable[[], None]
    now_ms: Callable[[], int]
    tapes: Path
    config_path: Path | None


class Control:
    """Answers for a daemon; `status` says in one line how it is.

    Without its workings only what it knows of the market can be asked.
    """

    def __init__(
        self, engine: Engine, status: Callable[[], str], workings: Workings | None = None
    ) -> None:
        self._engine = engine
        self._status = status
        self._workings = workings

    def answer(self, question: Question) -> Answer:
        """Answer, or raise ControlError."""
        match question:
            case AskStatus():
                return StatusAnswer(self._status(), tuple(self._engine.feeds()))
            case AskMap(symbol):
                return MapAnswer(find_map(self._engine, symbol))
            case AskLog(lines):
                return LogAnswer(tuple(log_lines.last(lines)))
            case _ if self._workings is None:
                raise ControlError("this daemon tells only how it is, and its maps")
            case AskLevels() | AskWhy() | AskWhyNot() | AskReplay():
                return self._look_up(question, self._workings)
            case Mute() | Unmute() | AskMutes():
                return self._mutes(question, self._workings)
            case _:
                return _change(question, self._workings)

    def _look_up(
        self, question: AskLevels | AskWhy | AskWhyNot | AskReplay, of: Workings
    ) -> Answer:
        match question:
            case AskLevels(symbol):
                return LevelsAnswer(scoreboard(self._engine, of.database, symbol))
            case AskWhy(word):
                return WhyAnswer(explain(of.database, word))
            case AskWhyNot(symbol, at):
                at_ms = past_moment_ms(at, of.now_ms())
                return explain_silence(self._engine, symbol, at_ms, of.database)
            case AskReplay(word):
                return how_to_replay(of.database, word, of.tapes, of.config_path)
            case _:
                assert_never(question)

    def _mutes(self, question: Mute | Unmute | AskMutes, of: Workings) -> Answer:
        match question:
            case Mute():
                of.receivers.mute(question.receiver, self._silence(question, of))
            case Unmute():
                for one in of.receivers.mutes(question.receiver):
                    if _ends(question, one.silence):
                        of.receivers.unmute(one.receiver, one.silence.id)
            case AskMutes():
                pass
            case _:
                assert_never(question)
        return MutesAnswer(tuple(of.receivers.mutes(question.receiver)))

    def _silence(self, mute: Mute, of: Workings) -> Silence:
        watched = {*self._engine.state.symbols, *(of.settings.in_force.symbols or ())}
        known = {*watched, MARKET}
        name = None if mute.symbol is None else coin(mute.symbol, known)
        if name is not None and name not in known:
            raise ControlError(f"{mute.symbol} is not watched")
        now_ms = of.now_ms()
        return Silence(
            who=mute.who,
            since_ms=now_ms,
            until_ms=now_ms + _ms(mute.hours),
            symbol=name,
            level=mute.level,
        )


def _change(
    question: Watch | Unwatch | AskThreshold | SetThreshold | AskDiff | Reload, of: Workings
) -> Answer:
    match question:
        case Watch(symbol, prices, hours, who):
            return of.settings.watch(
                symbol, prices, on=True, until_ms=of.now_ms() + _ms(hours), who=who
            )
        case Unwatch(symbol, prices, hours, who):
            return of.settings.watch(
                symbol, prices, on=False, until_ms=of.now_ms() + _ms(hours), who=who
            )
        case AskThreshold(key, symbol):
            return of.settings.threshold(symbol, key)
        case SetThreshold(key, value, hours, who, symbol):
            return of.settings.change(
                symbol, key, value, until_ms=of.now_ms() + _ms(hours), who=who
            )
        case AskDiff():
            return DiffAnswer(of.settings.diff())
        case Reload():
            of.reload()
            return OrderedAnswer()
        case _:
            assert_never(question)


def _ends(unmute: Unmute, silence: Silence) -> bool:
    if unmute.symbol is None:
        return True
    same = (silence.symbol or "").casefold() == unmute.symbol.casefold()
    return same and unmute.level in {None, silence.level}


def _ms(hours: float) -> int:
    return round(hours * HOUR_MS)
