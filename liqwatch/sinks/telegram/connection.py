"""One bot's connection to the Bot API, shared by its chats, and what its errors mean.

The library puts the token into some of its errors and into `repr(Bot)`: neither leaves this module.
"""

import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from liqwatch.secret import Secret
from liqwatch.sinks.base import DeliveryError, OutcomeUnknown, RetryLater, Undeliverable
from liqwatch.sinks.telegram.limits import Limits

# Without opting in to what the library calls its future, every flood answer is a warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
TOKEN_REFUSED_WAIT_S = 300.0
CONNECTIONS = 8  # at once; one a chat is enough, and nobody has more chats that are busy

T = TypeVar("T")

# The request never left: it can be repeated without a second copy.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Connection:
    """The bot with this token at `base_url`. `limits` are those of all its chats."""

    def __init__(
        self,
        token: Secret,
        base_url: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.limits = Limits()
        self.monotonic = monotonic
        self._token = token
        self._request = HTTPXRequest(
            connection_pool_size=CONNECTIONS,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            httpx_kwargs={"trust_env": False},
        )
        self.bot = Bot(
            token.reveal(),
            base_url=base_url,
            request=self._request,
            get_updates_request=self._request,
        )

    async def asked(self, call: Awaitable[T], chat: int, *, repeatable: bool) -> T:
        """Return what a call of the bot gives. Raises DeliveryError.

        `repeatable`: a second time does no harm. A flood limit freezes `chat`.
        """
        try:
            return await call
        except TelegramError as error:
            failure = self._meaning(error, repeatable=repeatable)
            if isinstance(error, RetryAfter):
                self.limits.freeze(chat, self.monotonic() + _seconds(error))
        raise failure  # out here it carries nothing of the error it came from

    async def close(self) -> None:
        """Close the connections."""
        await self._request.shutdown()

    def _meaning(self, error: TelegramError, *, repeatable: bool) -> DeliveryError:
        match error:
            case RetryAfter():
                return RetryLater("Telegram's flood limit", _seconds(error), lasting=True)
            case InvalidToken():
                return RetryLater(
                    "Telegram refuses the token (or base_url is wrong): put a valid one into the"
                    " token file and restart",
                    TOKEN_REFUSED_WAIT_S,
                )
            case Forbidden():
                return Undeliverable(self._said(error), receiver_gone=True)
            case BadRequest():
                return Undeliverable(self._said(error), receiver_gone=says(error, "chat not found"))
            case _ if repeatable or _surely_not_sent(error):
                return RetryLater(_kind(error))
            case _:
                return OutcomeUnknown(_kind(error))

    def _said(self, error: TelegramError) -> str:
        return self._token.hidden_in(error.message)[:200]


def says(error: TelegramError, *texts: str) -> bool:
    """Return whether the answer holds one of these texts; they are those of the official server."""
    return any(text in error.message.lower() for text in texts)


def _surely_not_sent(error: TelegramError) -> bool:
    # An HTTP error status is an answer that refuses; it has no cause in the transport.
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPError):
        return isinstance(cause, _NOT_SENT)
    return isinstance(error, NetworkError)


def _kind(error: TelegramError) -> str:
    cause = error.__cause__
    return f"Telegram: {type(cause if isinstance(cause, httpx.HTTPError) else error).__name__}"


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()
