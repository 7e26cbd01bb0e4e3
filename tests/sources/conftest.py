"""A venue on loopback: real sockets, invented frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
from typing import Protocol

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Serve = Callable[[ServerConnection], Awaitable[None]]


class Venue(Protocol):
    """Start a server; return its address."""

    async def __call__(
        self, handler: Serve, *, status: int | None = None, retry_after: str | None = None
    ) -> str: ...


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with AsyncExitStack() as stack:

        async def start(
            handler: Serve, *, status: int | None = None, retry_after: str | None = None
        ) -> str:
            def turn_away(socket: ServerConnection, _: Request) -> Response | None:
                if status is None:
                    return None
                response = socket.respond(HTTPStatus(status), "no\n")
                if retry_after is not None:
                    response.headers["Retry-After"] = retry_after
                return response

            async def handle(socket: ServerConnection) -> None:
                with suppress(ConnectionClosed):
                    await handler(socket)

            server = await stack.enter_async_context(
                serve(handle, "127.0.0.1", 0, process_request=turn_away, close_timeout=0.1)
            )
            return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/market/ws?v=1"

        yield start


@pytest.fixture
async def refusing_port() -> int:
    """A port where nobody listens any more."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
