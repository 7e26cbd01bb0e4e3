"""Telegram for the bot's tests, in place of the library's transport: no socket, no waiting.

It keeps updates until they are confirmed, as the real one does, and what the bot sent.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from telegram import Bot
from telegram.request import BaseRequest, RequestData

from liqwatch.secret import Secret
from liqwatch.sinks.telegram.connection import Connection

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake"  # noqa: S105 - opens nothing
ME = "liqwatch_bot"
NOW_S = 1_761_000_000
POLL_S = 0.01


class Chats(BaseRequest):
    """People who write and press; `sent` is what they see, `calls` what was asked of the API."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.updates: list[dict[str, Any]] = []
        self.faults: deque[tuple[int, dict[str, Any]]] = deque()  # of getUpdates
        self.refused: dict[str, tuple[int, dict[str, Any]]] = {}  # by method, for ever
        self.fetches = 0
        self._changed = asyncio.Event()
        self._next_update = 1000
        self._next_message = 1

    def connection(self) -> Connection:
        """A bot's connection to it."""
        connection = Connection(Secret(TOKEN), "http://127.0.0.1:9/bot")
        connection.bot = Bot(TOKEN, request=self, get_updates_request=self)
        return connection

    # -- people ----------------------------------------------------------------------------------

    def says(self, user: int, chat: int, text: str, **more: Any) -> None:
        message = {
            "message_id": self._new_message(),
            "date": NOW_S,
            "chat": _chat(chat),
            "from": _user(user),
            "text": text,
        }
        self.updates.append({"update_id": self._new_update(), "message": {**message, **more}})

    def presses(self, user: int, chat: int, message_id: int, data: str, **more: Any) -> None:
        query = {
            "id": str(self._next_update),
            "from": _user(user),
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": message_id, "date": NOW_S, "chat": _chat(chat)},
        }
        self.updates.append({"update_id": self._new_update(), "callback_query": {**query, **more}})

    def _new_update(self) -> int:
        self._next_update += 1
        return self._next_update

    def _new_message(self) -> int:
        self._next_message += 1
        return self._next_message

    # -- what became of it -------------------------------------------------------------------------

    def sent(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        return [parameters for called, parameters in self.calls if called == method]

    def texts(self, chat: int) -> list[str]:
        return [one["text"] for one in self.sent() if one["chat_id"] == chat]

    async def until(self, method: str, count: int) -> None:
        """Wait until a method was called so often."""
        await self.see(lambda: len(self.sent(method)) >= count)

    async def heard(self) -> None:
        """Wait until all was fetched, and two more requests found nothing new."""
        await self.see(lambda: not self.updates)
        seen = self.fetches
        await self.see(lambda: self.fetches >= seen + 2)

    async def see(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(4):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # -- the transport -----------------------------------------------------------------------------

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        assert method == "POST"
        name = url.rpartition("/")[2]
        parameters = dict(request_data.parameters) if request_data else {}
        if name == "getUpdates":
            return await self._fetched(parameters)
        self.calls.append((name, parameters))
        self._changed.set()
        await asyncio.sleep(0)
        if name in self.refused:
            status, body = self.refused[name]
            return status, json.dumps({"ok": False, **body}).encode()
        return _ok(self._result(name, parameters))

    async def _fetched(self, parameters: dict[str, Any]) -> tuple[int, bytes]:
        self.fetches += 1
        self._changed.set()
        if self.faults:
            status, body = self.faults.popleft()
            return status, json.dumps({"ok": False, "error_code": status, **body}).encode()
        offset = parameters.get("offset", 0)
        if offset < 0:
            self.updates = self.updates[offset:]
        else:
            self.updates = [one for one in self.updates if one["update_id"] >= offset]
        if not self.updates:
            await asyncio.sleep(POLL_S)
        return _ok(self.updates[: parameters.get("limit", 100)])

    def _result(self, name: str, parameters: dict[str, Any]) -> Any:
        match name:
            case "getMe":
                return {"id": 1, "is_bot": True, "first_name": "liqwatch", "username": ME}
            case "sendMessage" | "sendPhoto" | "editMessageReplyMarkup":
                return {
                    "message_id": self._new_message(),
                    "date": NOW_S,
                    "chat": _chat(parameters["chat_id"]),
                }
            case _:
                return True


def _chat(chat: int) -> dict[str, Any]:
    return {"id": chat, "type": "private" if chat > 0 else "supergroup"}


def _user(user: int) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": f"u{user}", "username": f"user{user}"}


def _ok(result: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"ok": True, "result": result}).encode()


CONFLICT = (
    409,
    {
        "description": "Conflict: terminated by other getUpdates request; make sure that only one"
        " bot instance is running"
    },
)
UNAUTHORIZED = (401, {"description": "Unauthorized"})
