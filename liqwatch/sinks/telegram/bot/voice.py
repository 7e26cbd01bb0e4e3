"""Sends the bot's answers, within the limits of the chat and behind its alerts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
from telegram import InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter, TelegramError

from liqwatch.drawing import DrawingError, Shown
from liqwatch.map_view import Theme
from liqwatch.sinks.telegram.bot.answers import Reply
from liqwatch.sinks.telegram.bot.polling import seconds
from liqwatch.sinks.telegram.connection import Connection, says

PATIENCE_S = 120.0  # an answer that could not be given in this time is given up
YIELD_S = 0.5  # to alerts that wait for the same chat …
YIELD_AT_MOST_S = 10.0  # … in all: a running cascade always has an edit waiting

log = structlog.get_logger("liqwatch.telegram")

Draw = Callable[[Shown, Theme], Awaitable[bytes]]


class Place(NamedTuple):
    """Where an answer goes: a chat, its topic, and the message that is answered."""

    chat: int
    topic: int | None = None
    reply_to: int | None = None


class Voice:
    """Speaks for the bot. What cannot be said is given up, with a word in the log.

    `connection` is that of the alerts; `alerts_wait` says whether some are due in a chat.
    """

    def __init__(
        self,
        connection: Connection,
        draw: Draw,
        *,
        alerts_wait: Callable[[int], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bot = connection.bot
        self._limits = connection.limits
        self._monotonic = connection.monotonic
        self._draw = draw
        self._alerts_wait = alerts_wait
        self._sleep = sleep
        self._drawing = asyncio.Semaphore(1)

    async def say(self, place: Place, reply: Reply) -> None:
        """Send an answer, with its picture if it has one."""
        picture = await self._picture(reply.shown) if reply.shown is not None else None
        await self.tell(place, reply.html(), picture)

    async def tell(self, place: Place, html: str, picture: bytes | None = None) -> None:
        """Send a message as Telegram HTML."""
        if not await self._may_speak(place.chat):
            return
        try:
            if picture is None:
                await self._send(place, html)
            else:
                await self._send_picture(place, html, picture)
        except TelegramError as error:
            self._failed(place.chat, error)

    async def show(self, chat: int, message_id: int, markup: InlineKeyboardMarkup) -> None:
        """Change the buttons of a message."""
        if not await self._may_speak(chat):
            return
        try:
            await self._bot.edit_message_reply_markup(
                chat_id=chat, message_id=message_id, reply_markup=markup
            )
        except TelegramError as error:
            if not says(error, "message is not modified"):
                self._failed(chat, error)

    async def heed(self, query_id: str, text: str | None = None) -> bool:
        """Tell the app that the press was heard; False when it came too long ago."""
        try:
            await self._bot.answer_callback_query(query_id, text, show_alert=text is not None)
        except BadRequest:
            return False  # "query is too old and response timeout expired or query ID is invalid"
        except TelegramError as error:
            log.info("a press cannot be answered", error=type(error).__name__)
        return True

    async def _picture(self, shown: Shown) -> bytes | None:
        async with self._drawing:  # one at a time
            try:
                return await self._draw(shown, Theme.DARK)
            except DrawingError as error:
                log.warning("no picture", reason=str(error))
                return None

    async def _may_speak(self, chat: int) -> bool:
        """Wait for the chat's turn, and take it; False when that took too long."""
        begun_s = self._monotonic()
        while (now_s := self._monotonic()) < begun_s + PATIENCE_S:
            yields = now_s < begun_s + YIELD_AT_MOST_S and self._alerts_wait(chat)
            alerts_s = YIELD_S if yields else 0.0
            wait_s = max(alerts_s, self._limits.wait_s(chat, now_s, urgent=False))
            if wait_s <= 0:
                self._limits.spend(chat, now_s)
                return True
            await self._sleep(wait_s)
        log.info("an answer is given up", reason="the chat's limits")
        return False

    async def _send(self, place: Place, html: str) -> None:
        await self._bot.send_message(
            place.chat,
            html,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.topic,
            reply_parameters=_replying(place),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=True,
        )

    async def _send_picture(self, place: Place, html: str, picture: bytes) -> None:
        await self._bot.send_photo(
            place.chat,
            picture,
            caption=html,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.topic,
            reply_parameters=_replying(place),
            disable_notification=True,
        )

    def _failed(self, chat: int, error: TelegramError) -> None:
        if isinstance(error, RetryAfter):
            self._limits.freeze(chat, self._monotonic() + seconds(error))
        log.info("an answer cannot be given", error=type(error).__name__)


def _replying(place: Place) -> ReplyParameters | None:
    if place.reply_to is None:
        return None
    return ReplyParameters(place.reply_to, allow_sending_without_reply=True)
