"""People write and press, and the bot answers: the real library, a transport without a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from bot_chats import ME, NOW_S, Chats
from msgspec.structs import replace
from sample_alerts import APPLIED, APPROACHED, STARTED
from sample_map import small_map
from structlog.testing import capture_logs

from liqwatch.alerting.silences import Silence
from liqwatch.control.vocabulary import (
    Answer,
    AskMap,
    AskMutes,
    AskStatus,
    AskWhy,
    AskWhyNot,
    ControlError,
    MapAnswer,
    Mute,
    Muted,
    MutesAnswer,
    OrderedAnswer,
    Question,
    StatusAnswer,
    Unmute,
    WhyAnswer,
    WhyNotAnswer,
)
from liqwatch.drawing import DrawingError, Shown
from liqwatch.map_view import MapShown, Theme
from liqwatch.samples import MARKET_STARTED
from liqwatch.sinks.telegram.bot import BotSettings
from liqwatch.sinks.telegram.bot import face as face_module
from liqwatch.sinks.telegram.bot.callbacks import Buttons
from liqwatch.sinks.telegram.bot.commands import COMMANDS
from liqwatch.sinks.telegram.bot.face import Chats as Homes
from liqwatch.sinks.telegram.bot.floods import PER_USER
from liqwatch.sinks.telegram.bot.run import CommandBot
from liqwatch.store import Database
from liqwatch.store.buttons import Panels

GROUP, ADMIN, VIEWER, STRANGER = -100, 7, 8, 9
HOUR_MS = 3_600_000

__all__ = ["small_map"]  # a fixture


class Fixture:
    """A bot, the daemon it asks, and the people who talk to it."""

    def __init__(self, database: Database) -> None:
        self.people = Chats()
        self.asked: list[Question] = []
        self.mutes: list[Muted] = []
        self.language = "en"
        self.now_ms = NOW_S * 1000
        self.started: list[int] = []
        self.answer: Callable[[Question], Answer] = self._answer
        self.alerts_wait = False
        self.connection = self.people.connection()
        self.drawn: list[Shown] = []
        self.no_picture = False
        self.buttons = Buttons(
            Panels(database),
            language=lambda _: self.language,  # type: ignore[arg-type, return-value]  # one of two
            mutes=lambda _: self.mutes,
            now_ms=lambda: self.now_ms,
        )
        self._database = database
        self._clock = 0.0
        self.connection.monotonic = self._monotonic

    def _monotonic(self) -> float:
        self._clock += 60.0  # limits are not what is tested here
        return self._clock

    def bot(self) -> CommandBot:
        return CommandBot(
            BotSettings(admins=(ADMIN,), viewers=(VIEWER,)),
            self.connection,
            database=self._database,
            ask=self._asked,
            homes=lambda: {GROUP},
            chats=Homes(
                language=lambda _: self.language,  # type: ignore[arg-type, return-value]  # as above
                receiver=lambda chat: "telegram:-100" if chat == GROUP else None,
                started=self.started.append,
            ),
            buttons=self.buttons,
            alerts_wait=lambda _: self.alerts_wait,
            draw=self._draw,
            now_ms=lambda: self.now_ms,
        )

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[Chats]:
        running = asyncio.create_task(self.bot().run())
        try:
            yield self.people
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _asked(self, question: Question) -> Answer:
        if not isinstance(question, AskMutes):
            self.asked.append(question)
        return self.answer(question)

    def _answer(self, question: Question) -> Answer:
        match question:
            case Mute(symbol, hours, who, receiver, level):
                until_ms = self.now_ms + int(hours * HOUR_MS)
                silence = Silence(
                    who=who, since_ms=self.now_ms, until_ms=until_ms, symbol=symbol, level=level
                )
                self.mutes.append(Muted(receiver or "all", silence))
            case Unmute():
                self.mutes.clear()
            case AskStatus():
                return StatusAnswer("16/16 venues live", ())
            case AskMutes():
                pass
            case _:
                return OrderedAnswer()
        return MutesAnswer(tuple(self.mutes))

    async def _draw(self, shown: Shown, _: Theme) -> bytes:
        self.drawn.append(shown)
        if self.no_picture:
            raise DrawingError("no")
        return b"\x89PNG"


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Fixture]:
    with closing(Database(tmp_path / "db")) as database:
        yield Fixture(database)


def sent_buttons(it: Fixture, message_id: int = 50) -> dict[str, str]:
    """The buttons under the message of a cascade: what each sends, by its label."""
    markup = it.buttons.under(GROUP, "BTC-up-1", STARTED)
    it.buttons.sent(GROUP, "BTC-up-1", message_id)
    assert markup is not None
    return {one.text: str(one.callback_data) for row in markup.inline_keyboard for one in row}


def labels(edit: dict[str, Any]) -> list[str]:
    rows = edit["reply_markup"]["inline_keyboard"]
    return [one["text"] for row in rows for one in row]


# -- commands --------------------------------------------------------------------------------------


async def test_a_command_is_answered_beneath_it_in_its_topic(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/status", message_thread_id=5, is_topic_message=True)
        await people.until("sendMessage", 1)

    (answer,) = people.sent()
    assert answer["text"] == "<b>16/16 venues live</b>"
    assert answer["chat_id"] == GROUP
    assert answer["message_thread_id"] == 5
    assert answer["reply_parameters"]["message_id"] == 2
    assert answer["disable_notification"] is True


async def test_the_commands_are_registered_in_every_language(it: Fixture) -> None:
    async with it.runs() as people:
        await people.until("setMyCommands", 3)

    assert [one.get("language_code") for one in people.sent("setMyCommands")] == [None, "en", "ru"]
    listed = {one["command"] for one in people.sent("setMyCommands")[0]["commands"]}
    assert listed == set(COMMANDS) - {"start"}


async def test_answers_are_in_the_language_of_the_chat(it: Fixture) -> None:
    it.language = "ru"
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/mutes")
        await people.until("sendMessage", 1)

    assert people.texts(GROUP) == ["<b>Ничего не заглушено.</b>"]


async def test_strangers_get_nothing_and_are_no_one_in_the_log(it: Fixture) -> None:
    with capture_logs() as logs:
        async with it.runs() as people:
            for _ in range(30):
                people.says(STRANGER, GROUP, "/status")
                people.says(STRANGER, STRANGER, "/start")
                people.says(STRANGER, STRANGER, "/id")
            people.says(ADMIN, ADMIN, "/status")
            await people.until("sendMessage", 1)
            await people.heard()

    assert [one["chat_id"] for one in people.sent()] == [ADMIN]
    assert it.asked == [AskStatus()]
    lines = [one for one in logs if "stranger" in one["event"]]
    assert len(lines) == 1
    assert str(STRANGER) not in {str(value) for value in lines[0].values()}


async def test_who_may_ask_is_told_why_there_was_no_alert_and_a_stranger_is_not(
    it: Fixture,
) -> None:
    it.language = "ru"
    it.answer = lambda _: WhyNotAnswer(
        symbol="BTC",
        at=NOW_S * 1000,
        since=NOW_S * 1000 - 300_000,
        until=NOW_S * 1000 + 300_000,
        told=(),
        misses=(),
        remembered=True,
        moved_pct=0.25,
        forced_usd=4_100.0,
        deaf=(),
    )
    async with it.runs() as people:
        people.says(STRANGER, GROUP, "/why BTC 22:40")
        people.says(VIEWER, GROUP, "/why BTC 22:40")
        await people.until("sendMessage", 1)
        await people.heard()

    (text,) = people.texts(GROUP)
    assert it.asked == [AskWhyNot("BTC", "22:40")]
    assert "22:40:00 UTC: в пределах 5 мин каскад не объявлялся</b>" in text
    assert "Принудительные ордера за это время: $4.1K" in text


async def test_who_may_only_ask_changes_nothing(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(VIEWER, GROUP, "/mute BTC 1h")
        people.says(VIEWER, GROUP, "/test")
        people.says(VIEWER, GROUP, "/status")
        await people.until("sendMessage", 3)

    assert it.asked == [AskStatus()]
    assert sum("Only admins" in text for text in people.texts(GROUP)) == 2


async def test_a_mute_is_of_the_chat_it_was_asked_in_and_elsewhere_of_all(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/mute BTC 1h")
        people.says(ADMIN, ADMIN, "/mute ETH")
        await people.until("sendMessage", 2)

    assert it.asked == [
        Mute("BTC", 1.0, "@user7", "telegram:-100"),
        Mute("ETH", 1.0, "@user7", None),
    ]
    assert "BTC until 2025-10-20 23:40 UTC, by @user7" in people.texts(GROUP)[0]


async def test_bad_arguments_get_the_usage_and_unknown_commands_a_word(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(ADMIN, ADMIN, "/mute")
        people.says(ADMIN, ADMIN, "/nonsense")
        people.says(ADMIN, GROUP, "/for_another_bot")
        people.says(ADMIN, GROUP, f"/nonsense@{ME}")
        await people.until("sendMessage", 3)
        await people.heard()

    assert people.texts(ADMIN) == [
        "<b>Usage: /mute BTC|all [1h]</b>",
        "<b>No such command. /help lists them.</b>",
    ]
    assert people.texts(GROUP) == ["<b>No such command. /help lists them.</b>"]


async def test_what_nobody_typed_is_not_obeyed(it: Fixture) -> None:
    origin = {"type": "hidden_user", "date": NOW_S, "sender_user_name": "x"}
    bot = {"id": ADMIN, "is_bot": True, "first_name": "x"}
    group = {"id": GROUP, "type": "supergroup"}
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/mute BTC", forward_origin=origin)
        people.says(ADMIN, GROUP, "/mute BTC", via_bot=bot)
        people.says(ADMIN, GROUP, "/mute BTC", sender_chat=group)
        people.says(ADMIN, GROUP, "/mute BTC", **{"from": bot})
        people.says(ADMIN, GROUP, "/mute BTC", date=NOW_S - 3600)
        people.says(ADMIN, GROUP, "/mute@other_bot BTC")
        await people.heard()

    assert it.asked == []
    assert people.sent() == []


async def test_hostile_names_and_texts_break_nothing(it: Fixture) -> None:
    evil = {"id": ADMIN, "is_bot": False, "first_name": "<b>\u202eevil</b>&\n" * 20}
    it.answer = _refusing
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/mute <i>&</i>", **{"from": evil})
        people.says(ADMIN, GROUP, "/map " + "<" * 5000)
        people.says(ADMIN, GROUP, "/why \u202e' OR 1=1")
        await people.until("sendMessage", 3)

    (mute,) = (one for one in it.asked if isinstance(one, Mute))
    assert mute.who == "<b>evil</b>& <b>evil</b>& <b>evi"
    for text in people.texts(GROUP):
        assert "<i>" not in text
        assert len(text) < 4096


def _refusing(question: Question) -> Answer:
    raise ControlError(f"cannot tell of {question}")


async def test_a_flood_of_one_does_not_keep_others_out(it: Fixture) -> None:
    async with it.runs() as people:
        for _ in range(90):
            people.says(ADMIN, ADMIN, "/status")
        people.says(VIEWER, VIEWER, "/status")
        await people.see(lambda: bool(people.texts(VIEWER)))

    assert len(people.texts(ADMIN)) <= PER_USER


async def test_start_makes_a_chat_count_again(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(ADMIN, GROUP, f"/start@{ME}")
        await people.until("sendMessage", 1)

    assert it.started == [GROUP]


async def test_an_admin_learns_the_ids_of_any_chat(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(ADMIN, -555, "/id", message_thread_id=3, is_topic_message=True)
        people.says(STRANGER, -555, "/id")
        people.says(ADMIN, -555, "/status")
        await people.until("sendMessage", 1)
        await people.heard()

    assert people.texts(-555) == ["<b>chat -555, topic 3, user 7</b>"]


async def test_help_names_every_command(it: Fixture) -> None:
    async with it.runs() as people:
        people.says(VIEWER, VIEWER, "/help")
        await people.until("sendMessage", 1)

    (text,) = people.texts(VIEWER)
    assert all(f"/{name}" in text for name in COMMANDS if name != "start")
    assert "No financial advice" in text


async def test_a_map_is_a_picture_and_without_one_a_text(it: Fixture, shown: MapShown) -> None:
    it.answer = lambda _: MapAnswer(shown)
    async with it.runs() as people:
        people.says(VIEWER, GROUP, "/map BTC")
        await people.until("sendPhoto", 1)
        it.no_picture = True
        people.says(VIEWER, GROUP, "/map BTC")
        await people.until("sendMessage", 1)

    assert it.asked == [AskMap("BTC"), AskMap("BTC")]
    assert people.sent("sendPhoto")[0]["caption"] == people.texts(GROUP)[0]
    assert "BTC liquidation map" in people.texts(GROUP)[0]


async def test_a_bug_in_one_answer_silences_no_other(it: Fixture) -> None:
    def buggy(question: Question) -> Answer:
        if isinstance(question, AskStatus):
            raise ZeroDivisionError
        return MutesAnswer(())

    it.answer = buggy
    with capture_logs() as logs:
        async with it.runs() as people:
            people.says(ADMIN, ADMIN, "/status")
            people.says(ADMIN, ADMIN, "/mutes")
            await people.until("sendMessage", 1)

    assert [one["error"] for one in logs if one["log_level"] == "error"] == ["ZeroDivisionError"]
    assert people.texts(ADMIN) == ["<b>Nothing is muted.</b>"]


async def test_the_samples_come_in_both_languages_marked_as_such(
    it: Fixture,
) -> None:
    async with it.runs() as people:
        people.says(ADMIN, GROUP, "/test")
        people.says(ADMIN, GROUP, "/test")
        await people.see(lambda: any("These were all" in one for one in people.texts(GROUP)))

    texts = people.texts(GROUP)
    marked = [text for text in texts if "SAMPLE" in text]
    assert len(marked) >= 12
    assert len([text for text in texts if "ОБРАЗЕЦ" in text]) == len(marked)
    assert len([text for text in texts if "under way already" in text]) == 1


# -- buttons ---------------------------------------------------------------------------------------


def test_what_a_button_sends_is_short_and_nobody_guesses_it(it: Fixture) -> None:
    buttons = sent_buttons(it)

    assert list(buttons) == ["Mute BTC 1h", "Mute 89,900 1h", "Why?", "Map", "Ack"]
    assert all(len(data.encode()) <= 64 for data in buttons.values())
    tokens = {data.partition(":")[0] for data in buttons.values()}
    assert len(tokens) == 1
    assert all(len(token) >= 16 for token in tokens)
    assert sent_buttons(it) == buttons
    other = it.buttons.under(GROUP, "ETH-up-1", STARTED)
    assert other is not None
    assert str(other.inline_keyboard[0][0].callback_data).partition(":")[0] not in tokens


def test_the_story_of_several_coins_is_muted_as_the_markets_and_has_no_map(it: Fixture) -> None:
    for key, alert in (("market:SOL-1", STARTED), ("MARKET-up-1", MARKET_STARTED)):
        markup = it.buttons.under(GROUP, key, alert)
        assert markup is not None
        labels = [button.text for row in markup.inline_keyboard for button in row]
        assert labels == ["Mute MARKET 1h", "Why?", "Ack"]


def test_what_is_about_no_coin_has_no_buttons(it: Fixture) -> None:
    assert it.buttons.under(GROUP, "applied", APPLIED) is None


async def test_a_pressed_mute_is_seen_under_every_message_about_the_coin(it: Fixture) -> None:
    buttons = sent_buttons(it)
    it.buttons.under(GROUP, "other", APPROACHED)
    it.buttons.sent(GROUP, "other", 51)
    it.buttons.under(GROUP, "eth", replace(STARTED, symbol="ETH"))
    it.buttons.sent(GROUP, "eth", 52)
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 50, buttons["Mute BTC 1h"])
        await people.until("editMessageReplyMarkup", 2)
        await people.heard()

    assert it.asked == [Mute("BTC", 1.0, "@user7", "telegram:-100", None)]
    edits = people.sent("editMessageReplyMarkup")
    assert [one["message_id"] for one in edits] == [50, 51]
    assert {labels(one)[0] for one in edits} == {"Muted by @user7 until 23:40 UTC"}
    assert len(people.sent("answerCallbackQuery")) == 1


async def test_pressing_a_mute_again_ends_it(it: Fixture) -> None:
    buttons = sent_buttons(it)
    async with it.runs() as people:
        for count in (1, 2):
            people.presses(ADMIN, GROUP, 50, buttons["Mute BTC 1h"])
            await people.until("editMessageReplyMarkup", count)

    assert it.asked[1] == Unmute("BTC", "telegram:-100", None)
    assert labels(people.sent("editMessageReplyMarkup")[1])[0] == "Mute BTC 1h"


async def test_a_level_is_muted_beside_its_coin(it: Fixture) -> None:
    buttons = sent_buttons(it)
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 50, buttons["Mute 89,900 1h"])
        await people.until("editMessageReplyMarkup", 1)

    assert it.asked == [Mute("BTC", 1.0, "@user7", "telegram:-100", (89_900.0, 90_300.0))]
    assert labels(people.sent("editMessageReplyMarkup")[0])[:2] == [
        "Mute BTC 1h",
        "Muted by @user7 until 23:40 UTC",
    ]


async def test_why_and_map_answer_beneath_the_message_for_viewers_too(it: Fixture) -> None:
    it.answer = lambda _: WhyAnswer(())
    buttons = sent_buttons(it)
    async with it.runs() as people:
        people.presses(VIEWER, GROUP, 50, buttons["Why?"])
        await people.until("sendMessage", 1)

    assert it.asked == [AskWhy("BTC-up-1")]
    assert people.sent()[0]["reply_parameters"]["message_id"] == 50


async def test_who_has_seen_it_stays_under_the_message(it: Fixture) -> None:
    buttons = sent_buttons(it)
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 50, buttons["Ack"])
        await people.until("editMessageReplyMarkup", 1)

    assert labels(people.sent("editMessageReplyMarkup")[0])[-1] == "Seen by @user7"
    assert list(sent_buttons(it))[-1] == "Seen by @user7"


async def test_a_press_that_does_not_count_does_nothing(it: Fixture) -> None:
    buttons = sent_buttons(it)
    mute = buttons["Mute BTC 1h"]
    token = mute.partition(":")[0]
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 51, mute)  # under another message
        people.presses(ADMIN, ADMIN, 50, mute)  # in another chat, such as a forwarded copy
        people.presses(ADMIN, GROUP, 50, f"{token}:x")
        people.presses(ADMIN, GROUP, 50, f"{token[:-1]}:m")
        people.presses(ADMIN, GROUP, 50, "x" * 64)
        await people.until("answerCallbackQuery", 5)
        people.presses(STRANGER, GROUP, 50, mute)
        people.presses(VIEWER, GROUP, 50, mute)
        await people.until("answerCallbackQuery", 6)
        it.now_ms += 24 * HOUR_MS
        people.presses(ADMIN, GROUP, 50, mute)
        await people.until("answerCallbackQuery", 7)
        await people.heard()

    assert it.asked == []
    assert people.sent("editMessageReplyMarkup") == []
    answers = [one["text"] for one in people.sent("answerCallbackQuery")]
    assert answers[:5] == ["This button is too old. Ask anew with a command."] * 5
    assert answers[5:] == ["Only admins may do that.", answers[0]]


async def test_what_was_pressed_long_ago_is_not_obeyed(it: Fixture) -> None:
    buttons = sent_buttons(it)
    it.people.refused["answerCallbackQuery"] = (
        400,
        {
            "description": "Bad Request: query is too old and response timeout expired or query ID"
            " is invalid"
        },
    )
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 50, buttons["Mute BTC 1h"])
        await people.until("answerCallbackQuery", 1)
        await people.heard()

    assert it.asked == []


async def test_the_buttons_of_a_message_that_was_not_noted_find_it_when_pressed(
    it: Fixture,
) -> None:
    markup = it.buttons.under(GROUP, "BTC-up-1", STARTED)
    assert markup is not None
    data = str(markup.inline_keyboard[0][0].callback_data)
    async with it.runs() as people:
        people.presses(ADMIN, GROUP, 60, data)
        await people.until("editMessageReplyMarkup", 1)
        people.presses(ADMIN, GROUP, 61, data)
        await people.until("answerCallbackQuery", 2)

    assert len(it.asked) == 1


# -- limits ----------------------------------------------------------------------------------------


async def test_answers_wait_for_alerts_but_not_for_ever(it: Fixture) -> None:
    it.alerts_wait = True
    async with it.runs() as people:
        people.says(ADMIN, ADMIN, "/status")
        await people.until("sendMessage", 1)

    assert it.asked == [AskStatus()]


async def test_a_flood_limit_of_telegram_freezes_the_chat_for_alerts_too(it: Fixture) -> None:
    it.people.refused["sendMessage"] = (
        429,
        {
            "error_code": 429,
            "description": "Too Many Requests: retry after 99",
            "parameters": {"retry_after": 99},
        },
    )
    async with it.runs() as people:
        people.says(ADMIN, ADMIN, "/status")
        await people.until("sendMessage", 1)
        await people.heard()

    now_s = it.connection.monotonic()
    assert it.connection.limits.wait_s(ADMIN, now_s, urgent=True) == 39  # a minute later


def test_a_tally_speaks_seldom() -> None:
    with capture_logs() as logs:
        tally = face_module.Tally("it happened")
        for second in range(601):
            tally.count(float(second))

    assert [one["times"] for one in logs] == [1, 600]
