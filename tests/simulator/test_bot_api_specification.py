"""The simulated Bot API against the machine-readable specification: parameters and replies."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import aiohttp
import msgspec
import pytest
from fake_bot_api import TOKEN, small_png

from liqwatch.simulator.bot_api import BOT, BotApi
from liqwatch.simulator.bot_api.methods import METHODS, Asked

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "telegram" / "bot-api.json"

CHAT, GROUP, FORUM = 7, -5, -1001000000006

# Of messages that are not in a chat, which the fake knows nothing of; there they are required.
REQUIRED_HERE = {"chat_id", "message_id", "text"}


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("the Bot API specification does not lie beside the checkout")
    known: dict[str, Any] = json.loads(FILE.read_text())
    return known


def fields(of: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in of.get("fields", [])}


@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_those_of_the_specification(
    specification: dict[str, Any], method: str
) -> None:
    wrong = list(differences(METHODS[method], specification["methods"][method], specification))

    assert wrong == []


def differences(
    kind: type[msgspec.Struct], stated: dict[str, Any], known: dict[str, Any]
) -> Iterator[str]:
    ours, theirs = {one.name: one for one in msgspec.structs.fields(kind)}, fields(stated)
    for name in ours.keys() - theirs.keys():
        yield f"{kind.__name__}.{name} does not exist"
    for name, field in theirs.items():
        if field["required"] and (name not in ours or not ours[name].required):
            yield f"{kind.__name__}.{name} is required"
    for name in ours.keys() & theirs.keys():
        if ours[name].required and not theirs[name]["required"] and name not in REQUIRED_HERE:
            yield f"{kind.__name__}.{name} is not required"
        types = set(named(ours[name].type))
        if not types <= set(theirs[name]["types"]) | {"BotCommandScope", "InputMediaPhoto"}:
            yield f"{kind.__name__}.{name} is no {types}"
        for nested in structs(ours[name].type):
            stated_type = known["types"][nested.__name__]
            if "fields" in stated_type:
                yield from differences(nested, stated_type, known)


def named(kind: Any) -> Iterator[str]:
    """The specification's names of a type of ours."""
    if get_origin(kind) is list:
        yield from (f"Array of {one}" for one in named(get_args(kind)[0]))
    elif get_origin(kind) is Literal:
        yield "String"
    elif hasattr(kind, "__metadata__"):
        yield from named(kind.__origin__)
    elif get_args(kind):
        for one in get_args(kind):
            yield from named(one)
    elif kind is not NoneType:
        scalars: dict[type, str] = {int: "Integer", str: "String", bool: "Boolean"}
        yield scalars.get(kind, kind.__name__)


def structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for one in get_args(kind):
        yield from structs(one)


def problems(value: Any, kind: str, types: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a value that is said to be of a type of the specification."""
    scalars: dict[str, Any] = {"Integer": int, "String": str, "Float": float, "Boolean": bool}
    if kind.startswith("Array of "):
        for one in value:
            yield from problems(one, kind.removeprefix("Array of "), types)
    elif kind in scalars:
        if type(value) is not scalars[kind]:
            yield f"{value!r} is no {kind}"
    elif "subtypes" in types[kind]:
        found = [list(problems(value, one, types)) for one in types[kind]["subtypes"]]
        if [] not in found:
            yield f"{value!r} is no {kind}: {min(found, key=len)}"
    else:
        known = fields(types[kind])
        yield from (f"{kind}.{name} is unknown" for name in value if name not in known)
        for name, field in known.items():
            if name not in value and field["required"]:
                yield f"{kind}.{name} is missing"
            if name in value:
                found = [list(problems(value[name], one, types)) for one in field["types"]]
                if [] not in found:
                    yield f"{kind}.{name}: {min(found, key=len)}"


BUTTONS = {"inline_keyboard": [[{"text": "Why?", "callback_data": "why"}]]}
MEDIA = {"type": "photo", "media": "attach://file", "caption": "<i>c</i>", "parse_mode": "HTML"}
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("getMe", {}),
    ("createForumTopic", {"chat_id": FORUM, "name": "BTC"}),
    ("sendMessage", {"chat_id": CHAT, "text": "<b>1</b>", "parse_mode": "HTML"}),
    (
        "sendMessage",
        {"chat_id": CHAT, "text": "2", "reply_parameters": {"message_id": 1}}
        | {"reply_markup": BUTTONS},
    ),
    ("sendMessage", {"chat_id": FORUM, "text": "1", "message_thread_id": 1}),
    ("sendPhoto", {"chat_id": CHAT, "photo": "attach://file", "caption": "3"}),
    ("editMessageText", {"chat_id": CHAT, "message_id": 1, "text": "new"}),
    ("editMessageMedia", {"chat_id": CHAT, "message_id": 1, "media": MEDIA}),
    ("editMessageCaption", {"chat_id": CHAT, "message_id": 1, "caption": "new"}),
    ("editMessageReplyMarkup", {"chat_id": CHAT, "message_id": 1, "reply_markup": BUTTONS}),
    ("pinChatMessage", {"chat_id": CHAT, "message_id": 1}),
    ("getChat", {"chat_id": CHAT}),
    ("getChat", {"chat_id": FORUM}),
    ("getChatMember", {"chat_id": FORUM, "user_id": BOT["id"]}),
    ("getChatMember", {"chat_id": GROUP, "user_id": BOT["id"]}),
    ("getUpdates", {"timeout": 0, "allowed_updates": ["message", "callback_query"]}),
    ("answerCallbackQuery", {"callback_query_id": "QUERY", "text": "so"}),
    ("unpinChatMessage", {"chat_id": CHAT, "message_id": 1}),
    ("deleteMessage", {"chat_id": CHAT, "message_id": 1}),
    ("setMyCommands", {"commands": [{"command": "map", "description": "the map"}]}),
    ("getMyCommands", {}),
    ("sendChatAction", {"chat_id": CHAT, "action": "typing"}),
    ("deleteWebhook", {}),
    ("getWebhookInfo", {}),
]


def test_every_method_is_asked_for() -> None:
    assert {method for method, _ in REQUESTS} == set(METHODS)
    assert all(issubclass(kind, Asked) for kind in METHODS.values())


async def test_replies_are_of_the_types_of_the_specification(
    specification: dict[str, Any],
) -> None:
    wrong: list[str] = []
    async with BotApi(CHAT, GROUP, forums=(FORUM,)) as api, aiohttp.ClientSession() as http:
        api.bot.limits, query = None, ""
        for method, asked in REQUESTS:
            if method == "getUpdates":
                api.says(CHAT, CHAT, "/map")
                query = api.presses(CHAT, CHAT, 1, "Why?")
            form = aiohttp.FormData()
            form.add_field("file", small_png(), filename="chart.png")
            for name, value in asked.items():
                text = value if isinstance(value, str) else json.dumps(value)
                form.add_field(name, text.replace("QUERY", query))
            async with http.post(f"{api.base_url}{TOKEN}/{method}", data=form) as answer:
                reply = await answer.json()
            assert reply["ok"], (method, reply)
            kinds = specification["methods"][method]["returns"]
            found = [
                list(problems(reply["result"], kind, specification["types"])) for kind in kinds
            ]
            wrong += [] if [] in found else [f"{method}: {min(found, key=len)}"]

    assert wrong == []
    assert api.complaints == []
