import asyncio
import json

import aiohttp
import pytest

from liqwatch.simulator.bot_api import BotApi, Limits

CHAT, GROUP = 7, -5


def test_a_short_burst_passes_and_then_one_a_second() -> None:
    limits = Limits(burst=3)

    assert [limits.spend(CHAT, 10.0) for _ in range(4)] == [None, None, None, 3]
    assert limits.spend(CHAT, 13.0) is None


def test_a_group_takes_twenty_in_a_minute() -> None:
    limits = Limits()
    refused = [limits.spend(GROUP, 10.0 + second) for second in range(21)]

    assert refused == [None] * 20 + [40]
    assert limits.spend(GROUP, 70.0) is None


def test_all_chats_together_take_thirty_in_a_second() -> None:
    limits = Limits()

    assert [limits.spend(chat, 10.0) for chat in range(1, 32)] == [None] * 30 + [1]


def test_who_does_not_wait_is_noticed_and_one_chat_holds_up_no_other() -> None:
    limits = Limits(burst=1)
    assert limits.spend(CHAT, 10.0) is None
    limits.freeze(CHAT, 30, 10.0)

    assert limits.spend(CHAT, 20.0) == 20
    assert limits.spend(GROUP, 20.0) is None
    assert (limits.floods, limits.unheeded) == (2, 1)


async def test_too_much_is_answered_with_body_and_header() -> None:
    async with BotApi(CHAT, now_s=lambda: 1_761_000_000.0) as api, aiohttp.ClientSession() as http:
        url = f"{api.base_url}123456789:AAFakeFakeFakeFakeFakeFakeFakeFake/sendMessage"
        for _ in range(4):
            async with http.post(url, json={"chat_id": CHAT, "text": "x"}) as answer:
                status, header = answer.status, answer.headers.get("Retry-After")
                body = json.loads(await answer.text())

    assert (status, header) == (429, "3")
    assert body == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }
    assert len(api.bubbles(CHAT)) == 3


@pytest.mark.parametrize("asked", [{"chat_id": "7", "text": "5"}, {"chat_id": 7, "text": "5"}])
async def test_forms_and_json_and_the_query_string_are_all_read(asked: dict[str, object]) -> None:
    async with BotApi(CHAT) as api, aiohttp.ClientSession() as http:
        url = f"{api.base_url}123456789:AAFakeFakeFakeFakeFakeFakeFakeFake/sendmessage"
        words = {name: str(value) for name, value in asked.items()}
        answers = await asyncio.gather(
            http.post(url, json=asked), http.post(url, data=words), http.get(url, params=words)
        )

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert api.texts(CHAT) == ["5", "5", "5"]
