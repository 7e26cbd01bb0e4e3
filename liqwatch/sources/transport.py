"""One websocket connection: open, receive, send. The only module that opens market-data sockets."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

MAX_FRAME_BYTES = 4 * 2**20
OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0

_BLOCKED_PAUSE_S = 600.0  # Bybit asks for ten minutes after "access too frequent"
_RATE_LIMIT_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 86_400.0


class ConnectionLost(Exception):  # noqa: N818 - a fact of life on this side of the network
    """A connection that is no more, or cannot be had. `reason` is one line for people.

    `code` is the websocket close code (1006: without a word); `retry_after_s` says how long the
    venue wants to be left alone.
    """

    def __init__(self, reason: str, *, code: int = 1006, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retry_after_s = retry_after_s


def rewrite_url(url: str, override: str) -> str:
    """Replace scheme, host and port of `url` by those of `override`; keep all the rest."""
    target = urlsplit(override)
    return urlsplit(url)._replace(scheme=target.scheme, netloc=target.netloc).geturl()


class Transport:
    """A connection to `url`, open inside `async with`. Every failure is a ConnectionLost.

    `headers` go with the request that opens it. `ping_s` sends websocket pings so often, and gives
    up when one is not answered in that time. Frames and messages in pieces end at 4 MiB (and 4,096
    pieces); nothing is compressed, so nothing small unpacks into something huge.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        ping_s: float | None = None,
    ) -> None:
        self._url = url
        self._headers = headers
        self._ping_s = ping_s
        self._socket: ClientConnection

    async def __aenter__(self) -> Self:
        try:
            self._socket = await connect(
                self._url,
                additional_headers=self._headers,
                compression=None,
                proxy=None,
                max_size=MAX_FRAME_BYTES,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=self._ping_s,
                ping_timeout=self._ping_s,
            )
        except (OSError, WebSocketException) as error:
            raise explain(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            # Where a venue has hung and reads nothing, the library would wait for it to read all.
            with suppress(TimeoutError):
                async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                    await self._socket.close()
        finally:
            self._socket.transport.abort()

    async def receive(self) -> str | bytes:
        """Wait for the next frame: text as `str`, binary as `bytes`.

        Cancelling loses nothing. Do so and call again every second or so: a venue that says
        goodbye and never hangs up is noticed only here.
        """
        try:
            if self._socket.state is State.CLOSING:
                await self._socket.close()
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise explain(error) from error

    async def send(self, text: str) -> None:
        """Send a text frame."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise explain(error) from error


def explain(error: BaseException) -> ConnectionLost:
    """Say in one line why a connection failed."""
    match error:
        case ConnectionClosed():
            return _closed(error)
        case InvalidStatus():
            answer = error.response
            return turned_away(answer.status_code, answer.headers.get("Retry-After"))
        case TimeoutError():
            reason = "no answer in time"
        case socket.gaierror():
            reason = f"the host name cannot be resolved: {error.strerror}"
        case ssl.SSLCertVerificationError():
            reason = f"TLS certificate refused: {error.verify_message}"
        case ssl.SSLError():
            reason = f"TLS failed: {error.reason}"
        case _:
            reason = f"cannot connect: {error}"
    return ConnectionLost(reason)


def _closed(error: ConnectionClosed) -> ConnectionLost:
    we_began = error.sent is not None and not error.rcvd_then_sent
    close = error.sent if we_began else error.rcvd
    if close is None:
        return ConnectionLost("the connection broke off")
    who = "we" if we_began else "the venue"
    return ConnectionLost(f"{who} closed the connection: {close}", code=close.code)


def turned_away(status: int, retry_after: str | None) -> ConnectionLost:
    """Say what an HTTP status other than success means, and how long to stay away.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; the date form is taken as unknown.
    """
    wait_s = 0.0
    if retry_after is not None and retry_after.isdecimal():
        wait_s = min(float(retry_after), _LONGEST_PAUSE_S)
    match status:
        case 403 | 451:
            pause_s = max(wait_s, _BLOCKED_PAUSE_S)
            advice = (
                "the venue does not serve this address (geo-block or ban): remove the venue from"
                f" the configuration or run elsewhere; next try in {pause_s / 60:.0f} min"
            )
        case 418 | 429:
            pause_s = wait_s or _RATE_LIMIT_PAUSE_S
            advice = f"too many requests; next try in {pause_s:.0f} s"
        case _:
            pause_s = wait_s
            advice = "not the answer expected"
    return ConnectionLost(f"HTTP {status}: {advice}", retry_after_s=pause_s)
