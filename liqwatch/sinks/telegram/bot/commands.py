"""What people type, as questions to the daemon. Pure: a message in, a question or its usage out."""

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from liqwatch.control.vocabulary import (
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
    Mute,
    Question,
    Reload,
    SetThreshold,
    Unmute,
    Unwatch,
    Watch,
)
from liqwatch.moments import parsed
from liqwatch.overrides import OverrideError, full_key
from liqwatch.sinks.telegram.bot.roles import Role

MUTE_HOURS = 1.0
THRESHOLD_HOURS = 24.0
WATCH_HOURS = 30 * 24.0
MOST_HOURS = 366 * 24.0
LOG_LINES = 20
LONGEST = 300  # characters: no command needs more
BACK = "file"  # written in the place of a value: as the file says
ALL = "all"  # written in the place of a coin

_COMMAND = re.compile(r"/([a-z]{1,32})(?:@(\w{1,32}))?(?:\s+(.*))?", re.ASCII | re.DOTALL)
_SPAN = re.compile(r"(\d{1,4}(?:\.\d{1,2})?)([mhd])", re.ASCII)
_HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0}


class Own(Enum):
    """What the bot answers by itself."""

    HELP = auto()
    ID = auto()
    START = auto()
    TEST = auto()
    FEEDS = auto()


class Caller(NamedTuple):
    """Who asks, and where; `receiver` is the chat's queue of alerts, None of one without."""

    user: int
    name: str
    chat: int
    topic: int | None
    receiver: str | None


class UsageError(Exception):
    """What was typed says nothing."""


Words = Sequence[str]
Meant = Question | Own


class Command(NamedTuple):
    """What may follow the command, who may use it, and what it means."""

    arguments: str
    role: Role
    means: Callable[[Words, Caller], Meant]


class Typed(NamedTuple):
    """A command with its words."""

    name: str
    words: list[str]


def typed(text: str, me: str) -> Typed | None:
    """Return the command in a message; None when there is none, or it is for another bot."""
    match = _COMMAND.fullmatch(text.strip()[:LONGEST])
    if match is None or (match[2] and match[2].lower() != me.lower()):
        return None
    return Typed(match[1], (match[3] or "").split())


def meaning(one: Typed, caller: Caller) -> Meant:
    """Return what a known command means. Raises UsageError."""
    return COMMANDS[one.name].means(one.words, caller)


def usage(name: str) -> str:
    """Return how a known command is written."""
    return f"/{name} {COMMANDS[name].arguments}".rstrip()


def _always(meant: Meant) -> Callable[[Words, Caller], Meant]:
    def means(_: Words, __: Caller) -> Meant:
        return meant

    return means


def _map(words: Words, _: Caller) -> Meant:
    return AskMap(_one(words))


def _levels(words: Words, _: Caller) -> Meant:
    return AskLevels(_one(words) if words else None)


def _why(words: Words, _: Caller) -> Meant:
    if len(words) < 2:
        return AskWhy(words[0] if words else "")
    at = "T".join(words[1:])  # a day and a time of it, or one word
    try:
        parsed(at)
    except ValueError:
        raise UsageError from None
    return AskWhyNot(words[0], at)


def _replay(words: Words, _: Caller) -> Meant:
    return AskReplay(_one(words) if words else "")


def _log(words: Words, _: Caller) -> Meant:
    count = _one(words) if words else str(LOG_LINES)
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= 200):
        raise UsageError
    return AskLog(int(count))


def _mute(words: Words, caller: Caller) -> Meant:
    rest, hours = _with_span(words, MUTE_HOURS)
    symbol = _one(rest)
    return Mute(None if symbol == ALL else symbol, hours, caller.name, caller.receiver)


def _unmute(words: Words, caller: Caller) -> Meant:
    return Unmute(_one(words) if words else None, caller.receiver)


def _mutes(_: Words, caller: Caller) -> Meant:
    return AskMutes(caller.receiver)


def _watch(words: Words, caller: Caller) -> Meant:
    rest, hours = _with_span(words, WATCH_HOURS)
    if len(rest) < 2:
        raise UsageError
    return Watch(rest[0], tuple(rest[1:]), hours, caller.name)


def _unwatch(words: Words, caller: Caller) -> Meant:
    rest, hours = _with_span(words, WATCH_HOURS)
    if not rest:
        raise UsageError
    return Unwatch(rest[0], tuple(rest[1:]), hours, caller.name)


def _threshold(words: Words, caller: Caller) -> Meant:
    symbol, rest = (None, words) if len(words) < 2 or _is_key(words[0]) else (words[0], words[1:])
    match rest:
        case [key]:
            return AskThreshold(key, symbol)
        case [key, value, *span]:
            none_left, hours = _with_span(span, THRESHOLD_HOURS)
            if none_left:
                raise UsageError
            new = None if value == BACK else value
            return SetThreshold(key, new, hours, caller.name, symbol)
        case _:
            raise UsageError


def _is_key(word: str) -> bool:
    try:
        full_key(word, of_symbol=False)
    except OverrideError:
        return False
    return True


def _one(words: Words) -> str:
    if len(words) != 1:
        raise UsageError
    return words[0]


def _with_span(words: Words, otherwise: float) -> tuple[Words, float]:
    """Split a span of time, such as 45m, 1h or 7d, from the end of the words; in hours."""
    match = _SPAN.fullmatch(words[-1]) if words else None
    if match is None:
        return words, otherwise
    hours = float(match[1]) * _HOURS[match[2]]
    if not 0 < hours <= MOST_HOURS:
        raise UsageError
    return words[:-1], hours


COMMANDS: dict[str, Command] = {
    "status": Command("", Role.VIEWER, _always(AskStatus())),
    "feeds": Command("", Role.VIEWER, _always(Own.FEEDS)),
    "map": Command("BTC", Role.VIEWER, _map),
    "levels": Command("[BTC]", Role.VIEWER, _levels),
    "why": Command("[ID | BTC 14:05]", Role.VIEWER, _why),
    "replay": Command("[ID]", Role.VIEWER, _replay),
    "mute": Command(f"BTC|{ALL} [1h]", Role.ADMIN, _mute),
    "mutes": Command("", Role.VIEWER, _mutes),
    "unmute": Command("[BTC]", Role.ADMIN, _unmute),
    "watch": Command("BTC 85k 90k 95k [30d]", Role.ADMIN, _watch),
    "unwatch": Command("BTC [85k] [30d]", Role.ADMIN, _unwatch),
    "threshold": Command(f"[BTC] drift_z30 [5 [24h] | {BACK}]", Role.VIEWER, _threshold),
    "diff": Command("", Role.VIEWER, _always(AskDiff())),
    "reload": Command("", Role.ADMIN, _always(Reload())),
    "test": Command("", Role.ADMIN, _always(Own.TEST)),
    "log": Command("[20]", Role.ADMIN, _log),
    "help": Command("", Role.VIEWER, _always(Own.HELP)),
    "id": Command("", Role.VIEWER, _always(Own.ID)),
    "start": Command("", Role.VIEWER, _always(Own.START)),
}
UNLISTED = ("start",)  # Telegram's own button sends it

# Of what is a question and changes something, whatever command it came by.
CHANGES = (Mute, Unmute, Watch, Unwatch, SetThreshold, Reload)


def role_for(name: str, meant: Meant) -> Role:
    """Return who may do that: a setting may be seen by all who may ask, not changed."""
    return Role.ADMIN if isinstance(meant, CHANGES) else COMMANDS[name].role
