"""Buttons under messages: what they say, and what it means that somebody pressed one.

What a button sends is a random token kept in the database and the place of the button, 20 bytes.
It counts only in the chat and under the message that it was made for, and for a day.
"""

import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.grouping import GROUP
from liqwatch.alerting.numbers import name, price
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import MARKET, Alert, Kind
from liqwatch.control.vocabulary import AskMap, AskWhy, Mute, Muted, Question, Unmute
from liqwatch.sinks.telegram.bot.answers import until
from liqwatch.sinks.telegram.bot.commands import Caller
from liqwatch.sinks.telegram.bot.roles import Role
from liqwatch.store.buttons import Panel, Panels

EXPIRES_MS = 24 * 3_600_000
MUTE_HOURS = 1.0
MIRRORED = 5  # messages whose buttons follow what is muted
LABEL_LENGTH = 60

_ABOUT_NO_COIN = {
    Kind.FEED_DEGRADED,
    Kind.FEED_RECOVERED,
    Kind.CONFIG_APPLIED,
    Kind.CONFIG_REJECTED,
}


class Verb(StrEnum):
    """What a button does."""

    MUTE = "m"
    MUTE_LEVEL = "l"
    WHY = "w"
    MAP = "p"
    ACK = "a"


ROLES = {
    Verb.MUTE: Role.ADMIN,
    Verb.MUTE_LEVEL: Role.ADMIN,
    Verb.WHY: Role.VIEWER,
    Verb.MAP: Role.VIEWER,
    Verb.ACK: Role.ADMIN,
}


class Pressed(NamedTuple):
    """A button that counts."""

    verb: Verb
    panel: Panel


class Buttons:
    """Makes the buttons of messages, and knows them again.

    `language` and `mutes` are those of a chat, `now_ms` is the wall clock.
    """

    def __init__(
        self,
        panels: Panels,
        *,
        language: Callable[[int], Language],
        mutes: Callable[[int], Sequence[Muted]],
        now_ms: Callable[[], int],
    ) -> None:
        self._panels = panels
        self._language = language
        self._mutes = mutes
        self._now_ms = now_ms

    def under(self, chat: int, key: str, alert: Alert) -> InlineKeyboardMarkup | None:
        """Return the buttons of the message that shows `key` (a story, or an alert alone).

        The same ones as before while they count. None under what is about no coin.
        """
        if alert.kind in _ABOUT_NO_COIN:
            return None
        panel = self._panels.of(chat, key)
        if panel is None or panel.expires_ms <= self._now_ms():
            panel = self._new(chat, key, alert)
        return self.markup(panel)

    def markup(self, panel: Panel) -> InlineKeyboardMarkup:
        """Return the buttons of a message, with what was done by them."""
        return _markup(panel, self._language(panel.chat), self._mutes(panel.chat))

    def sent(self, chat: int, key: str, message_id: int) -> None:
        """Bind the buttons of a key to the message that was sent."""
        self._panels.sent(chat, key, message_id)

    def pressed(self, data: str, chat: int, message_id: int) -> Pressed | None:
        """Return what was pressed; None when it counts no more, or never did there."""
        token, _, verb = data.partition(":")
        panel = self._panels.by_token(token)
        if panel is None or verb not in set(Verb) or panel.expires_ms <= self._now_ms():
            return None
        if panel.chat != chat or panel.message_id not in {None, message_id}:
            return None
        if panel.message_id is None:  # stopped between sending and noting it
            self._panels.sent(chat, panel.key, message_id)
            panel = replace(panel, message_id=message_id)
        return Pressed(Verb(verb), panel)

    def question(self, pressed: Pressed, caller: Caller) -> Question | None:
        """Return what a button asks; None of one that is only remembered.

        Pressing once more tells what is muted again.
        """
        panel = pressed.panel
        match pressed.verb:
            case Verb.WHY:
                return AskWhy(panel.key)
            case Verb.MAP:
                return AskMap(panel.symbol)
            case Verb.ACK:
                return None
            case Verb.MUTE | Verb.MUTE_LEVEL:
                level = panel.level if pressed.verb is Verb.MUTE_LEVEL else None
                if _muting(self._mutes(panel.chat), panel.symbol, level) is not None:
                    return Unmute(panel.symbol, caller.receiver, level)
                return Mute(panel.symbol, MUTE_HOURS, caller.name, caller.receiver, level)

    def acked(self, panel: Panel, who: str) -> Panel:
        """Remember who has seen the message."""
        panel = replace(panel, acked_by=who)
        self._panels.put(panel)
        return panel

    def about(self, chat: int, symbol: str | None) -> list[Panel]:
        """Return the newest messages about a coin (None: any): all show what is muted."""
        return self._panels.newest(chat, symbol, self._now_ms(), MIRRORED)

    def _new(self, chat: int, key: str, alert: Alert) -> Panel:
        now_ms = self._now_ms()
        self._panels.drop_expired(now_ms)
        several = key.startswith(GROUP)  # whichever coin its newest alert is of
        level = None if several else alert.level
        panel = Panel(
            token=secrets.token_urlsafe(12),
            chat=chat,
            key=key,
            symbol=MARKET if several else alert.symbol,
            level=None if level is None else (level.low, level.high),
            expires_ms=now_ms + EXPIRES_MS,
        )
        self._panels.put(panel)
        return panel


def _markup(panel: Panel, language: Language, mutes: Sequence[Muted]) -> InlineKeyboardMarkup:
    muting = [_mute(panel, Verb.MUTE, None, language, mutes)]
    if panel.level is not None:
        muting.append(_mute(panel, Verb.MUTE_LEVEL, panel.level, language, mutes))
    acked = panel.acked_by
    ack = (
        phrase("bot-button-ack", language)
        if acked is None
        else phrase("bot-acked-by", language, who=acked)
    )
    below = [_button(panel, Verb.WHY, phrase("bot-button-why", language))]
    if panel.symbol != MARKET:
        below.append(_button(panel, Verb.MAP, phrase("bot-button-map", language)))
    below.append(_button(panel, Verb.ACK, ack))
    return InlineKeyboardMarkup([muting, below])


def _mute(
    panel: Panel,
    verb: Verb,
    level: tuple[float, float] | None,
    language: Language,
    mutes: Sequence[Muted],
) -> InlineKeyboardButton:
    done = _muting(mutes, panel.symbol, level)
    if done is not None:
        ends = until(done.until_ms, "%H:%M")
        label = phrase("bot-muted-by", language, who=done.who, until=ends)
    else:
        subject = name(panel.symbol) if level is None else price(level[0])
        label = phrase("bot-button-mute", language, subject=subject)
    return _button(panel, verb, label)


def _muting(
    mutes: Sequence[Muted], symbol: str, level: tuple[float, float] | None
) -> Silence | None:
    silences = (one.silence for one in mutes)
    same = (one for one in silences if (one.symbol, one.level, one.kind) == (symbol, level, None))
    return max(same, key=lambda one: one.until_ms, default=None)


def _button(panel: Panel, verb: Verb, label: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(label[:LABEL_LENGTH], callback_data=f"{panel.token}:{verb}")
