"""Whether a host can be reached: its name, a connection, TLS. Nothing is sent."""

import asyncio
import socket
import ssl
import time
from functools import cache
from urllib.parse import urlsplit

from liqwatch.doctor.report import Reach
from liqwatch.sources.transport import explain

WITHIN_S = 10.0
_PORTS = {"https": 443, "wss": 443}


def place(url: str) -> tuple[str, int]:
    """Return the host and the port that an address means."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)


async def reach(url: str, *, within_s: float = WITHIN_S) -> Reach:
    """Go as far as the address lets us; `problem` says where it ended, in words without it."""
    host, port = place(url)
    took_ms: dict[str, float] = {}
    problem = None
    try:
        async with asyncio.timeout(within_s):
            await _go(host, port, took_ms, tls=urlsplit(url).scheme in _PORTS)
    except (OSError, UnicodeError) as error:  # a host name can be none at all
        problem = explain(error).reason
    return Reach(host=host, port=port, problem=problem, **took_ms)


async def _go(host: str, port: int, took_ms: dict[str, float], *, tls: bool) -> None:
    begun_s = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun_s
        took_ms[name] = round((time.perf_counter() - begun_s) * 1000, 1)
        begun_s = time.perf_counter()

    await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    lap("dns_ms")
    _, writer = await asyncio.open_connection(host, port, happy_eyeballs_delay=0.25)
    try:
        lap("connect_ms")
        if tls:
            await writer.start_tls(_trust(), server_hostname=host)
            lap("tls_ms")
    finally:
        writer.transport.abort()


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
