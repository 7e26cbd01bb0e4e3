"""CoinGlass over HTTPS, within the limits of every plan; its key is shown to nobody."""

import asyncio
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import msgspec
import structlog

from liqwatch.clock import Clock
from liqwatch.events import Position
from liqwatch.imports import CoinGlassSettings
from liqwatch.imports.coinglass import (
    REQUESTS_PER_MINUTE,
    Split,
    exchange_list_path,
    map_path,
    orders_path,
    position_of_side_1,
    read_exchange_list,
    read_map,
    read_orders,
    unwrap,
)
from liqwatch.imports.errors import Refused
from liqwatch.map_import import ImportedMap
from liqwatch.secret import Secret
from liqwatch.sources.supervise import Budget
from liqwatch.sources.transport import explain

MAX_BODY_BYTES = 16 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_LONGEST_KEY = 200
_KEY = re.compile(rf"[!-~]{{8,{_LONGEST_KEY}}}", re.ASCII)
_MINUTE_S = 60.0


class CoinGlass:
    """Asks for one coin at a time, never more often than the smallest plan allows."""

    def __init__(
        self,
        settings: CoinGlassSettings,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        budget: Budget | None = None,
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._budget = budget or Budget(REQUESTS_PER_MINUTE / 60)
        self._position_of_side_1: Position | None = None
        self._log = structlog.get_logger().bind(source="coinglass")

    async def map_of(self, symbol: str, price_of: Callable[[str], float | None]) -> ImportedMap:
        """Return the map of a coin, its sides told apart by the price of the moment it arrives.

        Raises Refused.
        """
        splits = read_exchange_list(await self._ask(exchange_list_path(symbol)))
        if self._position_of_side_1 is None:
            self._position_of_side_1 = await self._decide_sides(symbol, splits)
        data = await self._ask(map_path(self._settings, symbol))
        price = price_of(symbol)
        if price is None:
            raise Refused("the price is unknown, so longs cannot be told from shorts")
        return await asyncio.to_thread(  # a large answer must not hold up the loop
            read_map,
            data,
            self._settings,
            symbol,
            exchanges=[one.exchange for one in splits],
            price=price,
            now_ms=self._now_ms(),
        )

    async def _decide_sides(self, symbol: str, splits: list[Split]) -> Position:
        """Hold its single liquidations against its own sums of longs and shorts: until the two
        agree on what a side is, nothing is said of longs and shorts in its name.
        """
        busiest = max(splits, key=lambda one: one.long_usd + one.short_usd, default=None)
        if busiest is not None:
            path = orders_path(symbol, busiest.exchange, self._now_ms())
            position = position_of_side_1(busiest, read_orders(await self._ask(path)))
            if position is not None:
                self._log.info("side coding is decided", side_1=position.value, by=symbol)
                return position
        raise Refused(
            "which positions its sides mean is undecided (it documents both codings, and in the"
            " last hour neither side outweighed the other): its map waits until that is clear"
        )

    async def _ask(self, path: str) -> msgspec.Raw:
        key = await asyncio.to_thread(read_key, self._settings.key_file)
        await self._budget.take()
        try:
            async with self._session.get(
                self._settings.base_url + path,
                headers={"CG-API-KEY": key.reveal(), "Accept": "application/json"},
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as answer:
                text = await _read(answer)
        except (aiohttp.ClientError, OSError) as error:
            raise Refused(key.hidden_in(explain(error).reason)) from None
        if _used_up(answer.headers):  # by other programs with the same key
            self._budget.pause(_MINUTE_S)
        try:
            return unwrap(answer.status, text, answer.headers.get("Retry-After"))
        except Refused as refused:
            self._budget.pause(refused.wait_s)
            raise Refused(key.hidden_in(refused.reason), wait_s=refused.wait_s) from None

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _used_up(headers: Mapping[str, str]) -> bool:
    """Return whether this minute's requests of the key are spent."""
    limit, used = headers.get("API-KEY-MAX-LIMIT", ""), headers.get("API-KEY-USE-LIMIT", "")
    return limit.isdecimal() and used.isdecimal() and int(used) >= int(limit) > 0


def read_key(path: Path) -> Secret:
    """Read the API key. Raises Refused when there is none or when others may read it."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise Refused(f"{path}: no file with an API key")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(f"{path}: others may read the CoinGlass key; chmod 600 it")
        with path.open("rb") as file:
            text = file.read(_LONGEST_KEY + 1).decode("ascii", errors="replace").strip()
    except OSError as error:
        raise Refused(f"{path}: no CoinGlass key: {error.strerror}") from None
    if not _KEY.fullmatch(text):
        raise Refused(f"{path}: this is not a CoinGlass key (one word, from their API page)")
    return Secret(text)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise Refused(f"an answer of more than {MAX_BODY_BYTES >> 20} MiB")
    return bytes(body)
