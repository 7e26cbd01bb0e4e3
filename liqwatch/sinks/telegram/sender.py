"""Sends, edits and replies to one Telegram chat, as text or as a picture with a caption."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from telegram import (
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, TelegramError

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.rich import CAPTION_LENGTH, TEXT_LENGTH
from liqwatch.alerts import Alert
from liqwatch.sinks.base import Delivery, Undeliverable
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.sinks.telegram.connection import Connection, says
from liqwatch.sinks.telegram.rights import Rights, rights
from liqwatch.sinks.telegram.topics import ChatTopics
from liqwatch.store import MovedChats, Shown, Topics

EDIT_GAP_S = 3.0
GROUP_EDIT_GAP_S = 10.0

# Counted after entities parsing: core.telegram.org/bots/api#sendmessage and #sendphoto

T = TypeVar("T")

# As the official server says it: tdlib/telegram-bot-api, Client.cpp
_NOTHING_TO_EDIT = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
)
_NO_TOPIC = ("message thread not found", "topic_closed", "topic_deleted")


class Buttons(Protocol):
    """Makes the buttons under messages."""

    def under(self, chat: int, key: str, alert: Alert) -> InlineKeyboardMarkup | None:
        """Return the buttons of the message that is remembered under `key`."""
        ...

    def sent(self, chat: int, key: str, message_id: int) -> None:
        """Take note of which message that became."""
        ...


class TelegramSink:
    """One chat of a bot. `buttons` may be set before the first message."""

    name = "telegram"
    kind = ReceiverKind.THREADED

    def __init__(
        self, settings: ChatSettings, connection: Connection, moved: MovedChats, topics: Topics
    ) -> None:
        self.receiver = f"telegram:{settings.chat}"
        self.rules = settings.rules
        self.edit_gap_s = GROUP_EDIT_GAP_S if settings.chat < 0 else EDIT_GAP_S
        self.topics = settings.topics
        self.pins_status = settings.pin_status
        self.buttons: Buttons | None = None
        self._configured = settings.chat
        self.connection = connection
        self._bot = connection.bot
        self._moved = moved
        self._topics = ChatTopics(connection.bot, topics, settings.topic)

    @property
    def chat(self) -> int:
        """The chat's id now: a group that became a supergroup has a new one."""
        return self._moved.current(self._configured)

    def wait_s(self, *, urgent: bool) -> float:
        """Return how long Telegram's limits ask to wait."""
        limits, now_s = self.connection.limits, self.connection.monotonic()
        return limits.wait_s(self.chat, now_s, urgent=urgent)

    async def send(self, delivery: Delivery) -> Shown:
        """Send or edit, and return where it is seen.

        Falls back to plain text when the markup is refused, to a new message when the one to edit
        is gone, to a picture of its own where it cannot be part of the text's message; follows a
        chat that moved.
        """
        if delivery.again:  # a second copy only once Telegram answers again
            await self._asked(self._bot.get_me(), repeatable=True)
        if delivery.pin and delivery.edit is None and not (await self.rights()).may_pin:
            raise Undeliverable("the bot may not pin messages there")
        sending = self._following(lambda: self._in_words(delivery))
        return await self._asked(sending, repeatable=delivery.edit is not None)

    async def rights(self) -> Rights:
        """Find out what the bot may do in the chat, without sending. Raises DeliveryError."""
        return await self._asked(rights(self._bot, self.chat), repeatable=True)

    async def close(self) -> None:
        """Close the connections of the bot."""
        await self.connection.close()

    async def _asked(self, call: Awaitable[T], *, repeatable: bool) -> T:
        return await self.connection.asked(call, self.chat, repeatable=repeatable)

    async def _following(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await send()
        except ChatMigrated as error:
            self._moved.moved(self._configured, error.new_chat_id)
            return await send()

    async def _in_words(self, delivery: Delivery) -> Shown:
        words: ParseMode | None = ParseMode.HTML
        try:
            return await self._attempt(delivery, words)
        except BadRequest as error:
            if says(error, "chat not found"):
                raise
            if says(error, *_NO_TOPIC):
                self._topics.gone(self.chat, delivery.topic)
            else:
                words = None
        return await self._attempt(delivery, words)

    async def _attempt(self, delivery: Delivery, words: ParseMode | None) -> Shown:
        if delivery.edit is None:
            return await self._sent(delivery, words)
        self._spend()
        try:
            return await self._edited(delivery, delivery.edit, words)
        except BadRequest as error:
            if says(error, "message is not modified"):
                return delivery.edit
            if not says(error, *_NOTHING_TO_EDIT):
                raise
        return await self._sent(delivery, words)

    async def _sent(self, delivery: Delivery, words: ParseMode | None) -> Shown:
        chat, buttons = self.chat, self._buttons(delivery, words)
        thread = await self._topics.thread(chat, delivery.topic)
        self._spend()
        message = await self._bot.send_message(
            chat,
            _text(delivery, TEXT_LENGTH, words),
            parse_mode=words,
            message_thread_id=thread,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=delivery.silent,
            reply_parameters=None if delivery.reply_to is None else _under(delivery.reply_to),
            reply_markup=buttons,
        )
        if buttons is not None and self.buttons is not None and delivery.key is not None:
            self.buttons.sent(chat, delivery.key, message.message_id)
        if delivery.pin:
            with suppress(TelegramError):  # it can be read all the same
                await self._bot.pin_chat_message(
                    chat, message.message_id, disable_notification=True
                )
        return Shown(message.message_id)

    async def _edited(self, delivery: Delivery, shown: Shown, words: ParseMode | None) -> Shown:
        if delivery.picture is not None:
            return await self._pictured(delivery, shown, delivery.picture, words)
        chat, buttons = self.chat, self._buttons(delivery, words)
        if shown.is_photo:
            await self._bot.edit_message_caption(
                chat,
                shown.message_id,
                caption=_text(delivery, CAPTION_LENGTH, words),
                parse_mode=words,
                reply_markup=buttons,
            )
        else:
            await self._bot.edit_message_text(
                _text(delivery, TEXT_LENGTH, words),
                chat,
                shown.message_id,
                parse_mode=words,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=buttons,
            )
        return shown

    async def _pictured(
        self, delivery: Delivery, shown: Shown, picture: bytes, words: ParseMode | None
    ) -> Shown:
        # Text becomes the caption of a photo where it is short enough; once it is one, it stays.
        # To replace a text by a media is allowed: core.telegram.org/bots/api#editmessagemedia
        if shown.is_photo or delivery.text.length <= CAPTION_LENGTH:
            media = InputMediaPhoto(
                picture, caption=_text(delivery, CAPTION_LENGTH, words), parse_mode=words
            )
            try:
                await self._bot.edit_message_media(
                    media, self.chat, shown.message_id, reply_markup=self._buttons(delivery, words)
                )
            except BadRequest as error:
                if shown.is_photo or says(error, *_NOTHING_TO_EDIT):
                    raise
            else:
                return Shown(shown.message_id, shown.message_id)
        beneath = await self._bot.send_photo(
            self.chat,
            picture,
            message_thread_id=self._topics.known(self.chat, delivery.topic),
            disable_notification=True,
            reply_parameters=_under(shown.message_id),
        )
        return Shown(shown.message_id, beneath.message_id)

    def _buttons(self, delivery: Delivery, words: ParseMode | None) -> InlineKeyboardMarkup | None:
        # Nor with plain text: then something was refused, and it may have been they.
        if self.buttons is None or delivery.key is None or delivery.alert is None or words is None:
            return None
        return self.buttons.under(self.chat, delivery.key, delivery.alert)

    def _spend(self) -> None:
        self.connection.limits.spend(self.chat, self.connection.monotonic())


def _text(delivery: Delivery, length: int, words: ParseMode | None) -> str:
    text = delivery.text.fitted(length)
    return text.plain() if words is None else text.html()


def _under(message_id: int) -> ReplyParameters:
    return ReplyParameters(message_id, allow_sending_without_reply=True)
