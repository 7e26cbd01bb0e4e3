"""What can go wrong between a bot and Telegram, for one request."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from liqwatch.simulator.bot_api.refusals import Refused, flooded

Answer = web.StreamResponse
Perform = Callable[[], Awaitable[Answer]]
Fault = Callable[[web.Request, Perform], Awaitable[Answer]]

_FOR_EVER_S = 3600.0


def refused(refusal: Refused) -> Answer:
    """Return a refusal as HTTP."""
    retry_after = refusal.parameters.get("retry_after")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def refuse(status: int, description: str, **parameters: int) -> Fault:
    """Answer with an error, whatever is asked."""

    async def fault(_: web.Request, __: Perform) -> Answer:
        return refused(Refused(status, description, **parameters))

    return fault


def flood(seconds: int) -> Fault:
    """Answer that it is too much."""
    refusal = flooded(seconds)
    return refuse(refusal.status, refusal.description, **refusal.parameters)


def late(seconds: float) -> Fault:
    """Answer rightly, but only then."""

    async def fault(_: web.Request, perform: Perform) -> Answer:
        await asyncio.sleep(seconds)
        return await perform()

    return fault


async def bad_gateway(request: web.Request, _: Perform) -> Answer:
    """Answer as a proxy does whose server is gone."""
    # Proxies like to repeat the address, and with it the token.
    page = f"<html><body><h1>502 Bad Gateway</h1>{request.path}</body></html>"
    return web.Response(status=502, text=page, content_type="text/html")


async def drop(request: web.Request, _: Perform) -> Answer:
    """Hang up without having done anything."""
    return _hung_up(request)


async def deliver_then_drop(request: web.Request, perform: Perform) -> Answer:
    """Do what is asked and hang up."""
    await perform()
    return _hung_up(request)


async def hang(_: web.Request, __: Perform) -> Answer:
    """Do nothing and say nothing, until the client gives up."""
    await asyncio.sleep(_FOR_EVER_S)
    return web.Response()


async def deliver_then_hang(_: web.Request, perform: Perform) -> Answer:
    """Do what is asked and say nothing, until the client gives up."""
    await perform()
    await asyncio.sleep(_FOR_EVER_S)
    return web.Response()


def _hung_up(request: web.Request) -> Answer:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
