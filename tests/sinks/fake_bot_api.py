"""A Bot API on loopback that is as strict as the real one, and fails on demand.

Requests and answers follow core.telegram.org/bots/api; error texts are those of the official server
(tdlib/telegram-bot-api, Client.cpp). Where the machine-readable specification lies beside the
checkout, each request is judged by it.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

SPECIFICATION = Path(__file__).resolve().parents[2].parent / "shared" / "telegram" / "bot-api.json"

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake"  # noqa: S105 - opens this fake only
BOT = {"id": 123456789, "is_bot": True, "first_name": "liqwatch", "username": "liqwatch_bot"}

_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}

Answer = web.StreamResponse
Fault = Callable[[web.Request, Callable[[], Answer]], Awaitable[Answer]]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """The API answers that it will not."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            body["parameters"] = parameters
        retry_after = parameters.get("retry_after")
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.answer = web.json_response(body, status=status, headers=headers)


def refuse(status: int, description: str, **parameters: int) -> Fault:
    async def fault(_: web.Request, __: Callable[[], Answer]) -> Answer:
        return Refusal(status, description, **parameters).answer

    return fault


def flood(seconds: int) -> Fault:
    return refuse(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


async def bad_gateway(request: web.Request, _: Callable[[], Answer]) -> Answer:
    # Proxies like to repeat the address, and with it the token.
    page = f"<html><body><h1>502 Bad Gateway</h1>{request.path}</body></html>"
    return web.Response(status=502, text=page, content_type="text/html")


async def deliver_then_drop(request: web.Request, perform: Callable[[], Answer]) -> Answer:
    answer = perform()
    if request.transport is not None:
        request.transport.close()
    return answer


async def deliver_then_hang(_: web.Request, perform: Callable[[], Answer]) -> Answer:
    answer = perform()
    await asyncio.sleep(0.5)
    return answer


class FakeBotApi:
    """Chats of a bot: `messages[chat][message_id]` is what the chat shows."""

    def __init__(self, *chats: int) -> None:
        self.messages: dict[int, dict[int, dict[str, Any]]] = {chat: {} for chat in chats}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: deque[Fault] = deque()
        self.violations: list[str] = []
        self.moved: dict[int, int] = {}
        self.blocked: set[int] = set()
        self.chats: dict[int, dict[str, Any]] = {}  # what getChat says beyond the usual
        self.members: dict[int, dict[str, Any]] = {}  # what getChatMember says of the bot
        self._specification = (
            json.loads(SPECIFICATION.read_text()) if SPECIFICATION.exists() else None
        )
        self._called = asyncio.Event()
        self._next_id = 1
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/bot"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def sent(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        """Return the parameters of the calls of a method, also of those that failed."""
        return [parameters for called, parameters in self.calls if called == method]

    def texts(self, chat: int) -> list[str]:
        """Return what the chat shows, oldest first."""
        return [message["text"] for message in self.messages[chat].values()]

    async def calls_reach(self, count: int) -> None:
        """Wait until there were so many calls."""
        while len(self.calls) < count:
            self._called.clear()
            await self._called.wait()

    async def _answer(self, request: web.Request) -> Answer:
        method, form = request.match_info["method"], await request.post()
        parameters = {key: _parsed(str(value)) for key, value in form.items()}
        self.calls.append((method, parameters))
        self._called.set()

        def perform() -> Answer:
            try:
                result = self._perform(request.match_info["token"], method, parameters)
            except Refusal as refusal:
                return refusal.answer
            return web.json_response({"ok": True, "result": result})

        if self.faults:
            return await self.faults.popleft()(request, perform)
        return perform()

    def _perform(self, token: str, method: str, parameters: dict[str, Any]) -> Any:
        if token != TOKEN:
            raise Refusal(401, "Unauthorized")
        self._judge(method, parameters)
        match method:
            case "getMe":
                return BOT
            case "getChat":
                chat = self._chat(parameters)
                return {
                    "id": chat,
                    "type": "private" if chat > 0 else "group",
                    "accent_color_id": 0,
                    "max_reaction_count": 11,
                    "accepted_gift_types": _NO_GIFTS,
                    **self.chats.get(chat, {}),
                }
            case "getChatMember":
                member = self.members.get(self._chat(parameters), {"status": "member"})
                return {"user": BOT, **member}
            case "sendMessage":
                return self._send(parameters)
            case "editMessageText":
                return self._edit(parameters)
            case _:
                raise Refusal(404, "Not Found")

    def _judge(self, method: str, parameters: dict[str, Any]) -> None:
        if self._specification is None:
            return
        fields = self._specification["methods"].get(method, {}).get("fields", [])
        problems = list(_problems(parameters, fields, self._specification["types"]))
        if problems:
            self.violations += [f"{method}: {problem}" for problem in problems]
            raise Refusal(400, f"Bad Request: {problems[0]}")

    def _chat(self, parameters: dict[str, Any]) -> int:
        chat = int(parameters["chat_id"])
        if chat in self.moved:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self.moved[chat],
            )
        if chat in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat not in self.messages:
            raise Refusal(400, "Bad Request: chat not found")
        return chat

    def _send(self, parameters: dict[str, Any]) -> dict[str, Any]:
        chat = self._chat(parameters)
        text = _shown(parameters)
        reply = parameters.get("reply_parameters") or {}
        replied = reply.get("message_id")
        if replied is not None and replied not in self.messages[chat]:
            if not reply.get("allow_sending_without_reply"):
                raise Refusal(400, "Bad Request: message to be replied not found")
            replied = None
        message = {
            "message_id": self._next_id,
            "date": 1_761_000_000,
            "chat": {"id": chat, "type": "private" if chat > 0 else "group"},
            "text": text,
        }
        if replied is not None:
            message["reply_to_message"] = self.messages[chat][replied]
        self.messages[chat][self._next_id] = message
        self._next_id += 1
        return message

    def _edit(self, parameters: dict[str, Any]) -> dict[str, Any]:
        message = self.messages[self._chat(parameters)].get(int(parameters["message_id"]))
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        text = _shown(parameters)
        if text == message["text"]:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply"
                " markup are exactly the same as a current content and reply markup of the message",
            )
        message["text"] = text
        message["edit_date"] = 1_761_000_001
        return message


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _shown(parameters: dict[str, Any]) -> str:
    # The text as people see it: 1-4096 characters after entities parsing.
    text = str(parameters["text"])
    if parameters.get("parse_mode") == "HTML":
        text = _unmarked(text)
    if not text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text) > 4096:
        raise Refusal(400, "Bad Request: message is too long")
    return text


def _unmarked(text: str) -> str:
    # core.telegram.org/bots/api#html-style; only the tags that liqwatch uses.
    moment = r'<tg-time unix="\d+" format="[a-zA-Z]+">(.*?)</tg-time>'
    text, moments = re.subn(moment, r"\1", text)
    without_tags, bold = re.subn(r"<b>(.*?)</b>", r"\1", text)
    count = moments + bold
    if count > 100 or re.search(r"[<>]|&(?!(lt|gt|amp|quot);)", without_tags):
        raise Refusal(400, "Bad Request: can't parse entities: unsupported start tag")
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        without_tags = without_tags.replace(entity, sign)
    return without_tags


def _problems(values: dict[str, Any], fields: list[Any], types: dict[str, Any]) -> Any:
    # What the specification does not allow: unknown, missing and mistyped fields.
    known = {field["name"]: field for field in fields}
    yield from (f"unknown field {name}" for name in values if name not in known)
    yield from (
        f"missing field {name}"
        for name, field in known.items()
        if field["required"] and name not in values
    )
    for name, value in values.items():
        allowed = known.get(name, {}).get("types", [])
        if allowed and not any(_is(value, kind, types) for kind in allowed):
            yield f"{name} is no {' or '.join(allowed)}: {value!r}"


def _is(value: Any, kind: str, types: dict[str, Any]) -> bool:
    match kind:
        case "Integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "Boolean":
            return isinstance(value, bool)
        case "String":
            return True  # a form carries text; what looks like a number is one, too
        case _ if kind.startswith("Array of "):
            rest = kind.removeprefix("Array of ")
            return isinstance(value, list) and all(_is(one, rest, types) for one in value)
        case _ if isinstance(value, dict):
            return not list(_problems(value, types[kind].get("fields", []), types))
        case _:
            return False
