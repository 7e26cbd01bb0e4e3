"""Finding out the ids of a chat: a code is printed here, and sent to the bot from there.

Who sends it within its time is told the ids, and nobody else anything. It works while no liqwatch
hears this bot; where one does, `/id` asks it.
"""

import asyncio
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from telegram import Bot, Message
from telegram.error import TelegramError

from liqwatch.control.vocabulary import ControlError
from liqwatch.sinks.telegram.bot.commands import typed
from liqwatch.sinks.telegram.bot.polling import LISTENS_TO, NEWEST

LASTS_S = 600.0
TRIES_PER_USER, TRIES_IN_ALL = 5, 30
CODE_LENGTH = 8
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without what looks like something else
PAUSE_S = 1.0

COMMANDS = frozenset({"pair", "start"})


class Paired(NamedTuple):
    """Where the code came from."""

    chat: int
    topic: int | None
    user: int
    private: bool


class PairingError(ControlError):
    """Nobody sent the code; one line says why."""


def new_code() -> str:
    """Return a code that nobody guesses, and everybody can type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def settings_lines(paired: Paired, token_file: str | None = None) -> list[str]:
    """Return what to write into the configuration."""
    token = [] if token_file is None else [f"    token_file: {token_file}"]
    topic = [] if paired.topic is None else [f"    topic: {paired.topic}"]
    return [
        "notify:",
        "  telegram:",
        f"    chat: {paired.chat}",
        *topic,
        *token,
        f"    bot: {{admins: [{paired.user}]}}",
    ]


async def pair(
    bot: Bot,
    me: str,
    code: str,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    wait_s: int = 10,
) -> Paired:
    """Wait until somebody sends the code, and answer there.

    `me` is the bot's name. What was sent before is let go. Raises PairingError when the time or the
    tries are over, and telegram.error.TelegramError.
    """
    ends_s = monotonic() + LASTS_S
    offset = await _after_what_waits(bot)
    tries = Counter[int]()
    while monotonic() < ends_s:
        updates = await bot.get_updates(offset, timeout=wait_s, allowed_updates=LISTENS_TO)
        for update in updates:
            offset = update.update_id + 1
            message = update.message
            said = None if message is None else _said(message, me)
            if message is None or message.from_user is None or said is None:
                continue
            user = message.from_user.id
            tries[user] += 1
            if tries.total() > TRIES_IN_ALL:
                raise PairingError("too many wrong codes came in; try again")
            if tries[user] <= TRIES_PER_USER and hmac.compare_digest(said, code):
                paired = _paired(message, user)
                await _answer(bot, paired)
                await bot.get_updates(offset, timeout=0)  # it is not sent to us again
                return paired
        if updates:
            await asyncio.sleep(PAUSE_S)
    raise PairingError("nobody sent the code in time")


async def _after_what_waits(bot: Bot) -> int | None:
    newest = await bot.get_updates(NEWEST, timeout=0)
    return newest[-1].update_id + 1 if newest else None


def _said(message: Message, me: str) -> str | None:
    one = None if message.forward_origin else typed(message.text or "", me)
    if one is None or one.name not in COMMANDS or len(one.words) != 1:
        return None
    code = one.words[0].upper()
    return code if code.isascii() else None


def _paired(message: Message, user: int) -> Paired:
    topic = message.message_thread_id if message.is_topic_message else None
    return Paired(message.chat.id, topic, user, private=message.chat.id == user)


async def _answer(bot: Bot, paired: Paired) -> None:
    lines = settings_lines(paired)
    try:
        await bot.send_message(
            paired.chat,
            f"chat {paired.chat}, user {paired.user}"
            + ("" if paired.topic is None else f", topic {paired.topic}")
            + "\n\n"
            + "\n".join(lines),
            message_thread_id=paired.topic,
        )
    except TelegramError:
        return  # it may not write there; the console tells the same
