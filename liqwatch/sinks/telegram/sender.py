"""Sends, edits and replies through python-telegram-bot, and says what its errors mean.

The library puts the token into some of its errors and into `repr(Bot)`: neither leaves this module.
"""

import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.message import html
from liqwatch.sinks.base import (
    Delivery,
    DeliveryError,
    OutcomeUnknown,
    RetryLater,
    Undeliverable,
)
from liqwatch.sinks.telegram import TelegramSettings
from liqwatch.sinks.telegram.limits import Limits
from liqwatch.sinks.telegram.rights import Rights, rights
from liqwatch.sinks.telegram.token import Secret
from liqwatch.store import MovedChats

# Without opting in to what the library calls its future, every flood answer is a warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
TOKEN_REFUSED_WAIT_S = 300.0
EDIT_GAP_S = 3.0
GROUP_EDIT_GAP_S = 10.0

T = TypeVar("T")

# The request never left: it can be repeated without a second copy.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class TelegramSink:
    """One chat of one bot. `limits` are shared by all chats of the bot."""

    name = "telegram"
    kind = ReceiverKind.THREADED

    def __init__(
        self,
        settings: TelegramSettings,
        token: Secret,
        moved_chats: MovedChats,
        *,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.receiver = f"telegram:{settings.chat}"
        self.edit_gap_s = GROUP_EDIT_GAP_S if settings.chat < 0 else EDIT_GAP_S
        self._chat = settings.chat
        self._token = token
        self._moved_chats = moved_chats
        self._limits = limits or Limits()
        self._monotonic = monotonic
        self._request = HTTPXRequest(
            connection_pool_size=2,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            httpx_kwargs={"trust_env": False},
        )
        self._bot = Bot(
            token.reveal(),
            base_url=settings.base_url,
            request=self._request,
            get_updates_request=self._request,
        )

    def wait_s(self) -> float:
        """Return how long Telegram's limits ask to wait."""
        return self._limits.wait_s(self._moved_chats.current(self._chat), self._monotonic())

    async def send(self, delivery: Delivery) -> int | None:
        """Send or edit, and return the id of a new message.

        Falls back to plain text when the markup is refused, to a new message when the one to edit
        is gone, and follows a chat that moved.
        """
        if delivery.again:  # a second copy only once Telegram answers again
            await self._asked(self._bot.get_me(), repeatable=True)
        return await self._asked(self._sent(delivery), repeatable=delivery.edit is not None)

    async def rights(self) -> Rights:
        """Find out whether the bot may send to the chat, without sending. Raises DeliveryError."""
        return await self._asked(
            rights(self._bot, self._moved_chats.current(self._chat)), repeatable=True
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._request.shutdown()

    async def _asked(self, call: Awaitable[T], *, repeatable: bool) -> T:
        try:
            return await call
        except TelegramError as error:
            failure = self._meaning(error, repeatable=repeatable)
        raise failure  # out here it carries nothing of the error it came from

    async def _sent(self, delivery: Delivery) -> int | None:
        try:
            return await self._in_words(delivery)
        except ChatMigrated as error:
            self._moved_chats.moved(self._chat, error.new_chat_id)
            return await self._in_words(delivery)

    async def _in_words(self, delivery: Delivery) -> int | None:
        try:
            return await self._attempt(delivery, html(delivery.text), ParseMode.HTML)
        except BadRequest as error:
            if _says(error, "chat not found"):
                raise
            return await self._attempt(delivery, delivery.text, None)

    async def _attempt(
        self, delivery: Delivery, text: str, parse_mode: ParseMode | None
    ) -> int | None:
        chat = self._moved_chats.current(self._chat)
        self._limits.spend(chat, self._monotonic())
        if delivery.edit is not None and await self._edited(chat, delivery.edit, text, parse_mode):
            return None
        message = await self._bot.send_message(
            chat,
            text,
            parse_mode=parse_mode,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=delivery.silent or delivery.edit is not None,
            reply_parameters=None
            if delivery.reply_to is None
            else ReplyParameters(delivery.reply_to, allow_sending_without_reply=True),
        )
        return message.message_id

    async def _edited(
        self, chat: int, message_id: int, text: str, parse_mode: ParseMode | None
    ) -> bool:
        # False when there is nothing left to edit.
        try:
            await self._bot.edit_message_text(
                text,
                chat_id=chat,
                message_id=message_id,
                parse_mode=parse_mode,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except BadRequest as error:
            if _says(
                error, "message to edit not found", "message can't be edited", "message_id_invalid"
            ):
                return False
            if not _says(error, "message is not modified"):
                raise
        return True

    def _meaning(self, error: TelegramError, *, repeatable: bool) -> DeliveryError:
        match error:
            case RetryAfter():
                return RetryLater("Telegram's flood limit", _seconds(error))
            case InvalidToken():
                return RetryLater(
                    "Telegram refuses the token (or base_url is wrong): put a valid one into the"
                    " token file and restart",
                    TOKEN_REFUSED_WAIT_S,
                )
            case Forbidden():
                return Undeliverable(self._said(error), receiver_gone=True)
            case BadRequest():
                return Undeliverable(
                    self._said(error), receiver_gone=_says(error, "chat not found")
                )
            case _ if repeatable or _surely_not_sent(error):
                return RetryLater(_kind(error))
            case _:
                return OutcomeUnknown(_kind(error))

    def _said(self, error: TelegramError) -> str:
        return self._token.hidden_in(error.message)[:200]


def _surely_not_sent(error: TelegramError) -> bool:
    # An HTTP error status is an answer that refuses; it has no cause in the transport.
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPError):
        return isinstance(cause, _NOT_SENT)
    return isinstance(error, NetworkError)


def _kind(error: TelegramError) -> str:
    cause = error.__cause__
    return f"Telegram: {type(cause if isinstance(cause, httpx.HTTPError) else error).__name__}"


def _says(error: TelegramError, *texts: str) -> bool:
    return any(text in error.message.lower() for text in texts)


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()
