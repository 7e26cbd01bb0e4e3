"""The Bot API over HTTP, on a loopback port."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from json import JSONDecodeError, loads
from typing import Any, Self

from aiohttp import web

from liqwatch.simulator.bot_api import methods
from liqwatch.simulator.bot_api.account import ME, Account
from liqwatch.simulator.bot_api.bot import Bot
from liqwatch.simulator.bot_api.bubbles import Bubble
from liqwatch.simulator.bot_api.chats import Chat
from liqwatch.simulator.bot_api.faults import Answer, Fault, refused
from liqwatch.simulator.bot_api.people import People
from liqwatch.simulator.bot_api.refusals import SECOND_POLLER, Refused

BOT = ME
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake"  # noqa: S105 - opens this fake only

LONGEST_POLL_S = 50
_WORDS = {"text", "caption", "name", "callback_query_id"}
_LARGEST_BODY = 60 * 1024 * 1024


class BotApi:
    """Telegram for one bot, whose chats have these numbers; use it as an async context manager.

    A positive number is a person, a negative one a group; `forums` are groups with topics.
    `base_url` is what liqwatch's and python-telegram-bot's setting of that name takes. `now_s` is a
    clock in seconds since the Unix epoch, by which limits are kept and messages dated.

    `calls` are the methods asked for, with their parameters. `faults` hit the next requests, one
    each, polls left out; `outage` hits all of them while it is set; `failing` all of one method.
    `complaints` are requests that none of ours may be; `notices` are what people read after they
    pressed a button. `chats` are closed and moved there, `bot.limits` set or taken away.
    """

    def __init__(
        self,
        *chats: int,
        forums: tuple[int, ...] = (),
        token: str = TOKEN,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        known = {number: Chat(number, is_forum=number in forums) for number in (*chats, *forums)}
        self._account = Account(known, now_s)
        self._people = People(self._account)
        self.bot = Bot(self._account, self._people)
        self.chats, self.updates = self._account.chats, self._account.updates
        self.complaints, self.notices = self._account.complaints, self._people.notices
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: deque[Fault] = deque()
        self.outage: Fault | None = None
        self.failing: dict[str, Fault] = {}
        self.revoked = False
        self.base_url = ""
        self._token = token
        self._called = asyncio.Event()
        self._poll: asyncio.Future[Refused | None] | None = None

    # -- what became of it -------------------------------------------------------------------------

    def bubbles(self, chat: int) -> list[Bubble]:
        """Return what the chat shows, oldest first."""
        return self.chats[chat].bubbles()

    def texts(self, chat: int) -> list[str]:
        """Return what is read in the chat, oldest first."""
        return [bubble.text for bubble in self.bubbles(chat)]

    def sent(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        """Return the parameters of the calls of a method, also of those that failed."""
        return [parameters for called, parameters in self.calls if called == method]

    async def calls_reach(self, count: int) -> None:
        """Wait until there were so many calls."""
        while len(self.calls) < count:
            self._called.clear()
            await self._called.wait()

    # -- people ------------------------------------------------------------------------------------

    def says(self, user: int, chat: int, text: str, *, reply_to: int | None = None) -> int:
        """Somebody writes in a chat; return the id of the message."""
        number = self._people.say(user, chat, text, reply_to=reply_to)
        self._end_poll()
        return number

    def presses(self, user: int, chat: int, message_id: int, button_text: str) -> str:
        """Somebody presses a button; return the id of the query. Raises LookupError: none such."""
        query = self._people.press(user, chat, message_id, button_text)
        self._end_poll()
        return query

    def moves(self, group: int, supergroup: int) -> None:
        """A group becomes a supergroup, which has another number."""
        self.chats.setdefault(supergroup, Chat(supergroup))
        self.chats.setdefault(group, Chat(group)).moved_to = supergroup

    # -- the port ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the port."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await self._listen(0)
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}/bot"

    async def close(self) -> None:
        """Free the port."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuse connections for as long as this lasts; those there are break."""
        await self._site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        try:
            yield
        finally:
            await self._listen(self._port)

    async def _listen(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await self._site.start()

    # -- one request -------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> Answer:
        try:
            parameters, files = await _read(request)
        except Refused as refusal:
            return refused(refusal)
        method = request.match_info["method"]
        told = {name: _told(name, value) for name, value in {**parameters, **files}.items()}
        self.calls.append((method, told))
        self._called.set()

        async def perform() -> Answer:
            try:
                self._let_in(request.match_info["token"])
                result = await self._perform(methods.named(method), parameters, files)
            except Refused as refusal:
                return refused(refusal)
            return web.json_response({"ok": True, "result": result})

        fault = self._fault(method)
        return await (perform() if fault is None else fault(request, perform))

    def _fault(self, method: str) -> Fault | None:
        standing = self.outage or self.failing.get(method)
        if standing is None and self.faults and method != "getUpdates":
            return self.faults.popleft()
        return standing

    def _let_in(self, token: str) -> None:
        if token != self._token or self.revoked:
            raise Refused(401, "Unauthorized")

    async def _perform(
        self, method: str, parameters: dict[str, Any], files: dict[str, bytes]
    ) -> Any:
        if method == "getUpdates":
            return await self._get_updates(parameters)
        return self.bot.perform(method, parameters, files)

    # -- long polling ------------------------------------------------------------------------------

    async def _get_updates(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        asked: Any = self.bot.read("getUpdates", parameters)
        self._end_poll(Refused(409, SECOND_POLLER))
        self.updates.confirm(asked.offset)
        if asked.allowed_updates is not None:
            self.updates.allowed = asked.allowed_updates
        if not self.updates.waiting and asked.timeout > 0:
            self._poll = poll = asyncio.get_running_loop().create_future()
            await asyncio.wait([poll], timeout=min(asked.timeout, LONGEST_POLL_S))
            if poll.done() and (refusal := poll.result()) is not None:
                raise refusal
        return self.updates.first(asked.limit)

    def _end_poll(self, refusal: Refused | None = None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(refusal)


def _told(name: str, value: Any) -> Any:
    # What a form carries as text, as what it was; words are words, also when they are digits.
    try:
        return loads(value) if isinstance(value, str) and name not in _WORDS else value
    except JSONDecodeError:
        return value


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    # The query string, and then a form, with or without files, or JSON.
    parameters: dict[str, Any] = dict(request.query)
    files: dict[str, bytes] = {}
    if request.content_type == "application/json":
        try:
            parameters |= loads(await request.text())
        except (ValueError, TypeError) as error:
            raise Refused(400, "Bad Request: can't parse JSON object") from error
        return parameters, files
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read()
        else:
            parameters[name] = value
    return parameters, files
