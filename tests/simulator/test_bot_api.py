"""The simulated Bot API, judged by the real python-telegram-bot: each method and its refusals."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fake_bot_api import small_png
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, EndPointNotFound, Forbidden, InvalidToken
from telegram.request import HTTPXRequest

from liqwatch.simulator.bot_api import BOT, TOKEN, BotApi
from liqwatch.simulator.bot_api.refusals import blocked, deactivated

CHAT, GROUP, SUPERGROUP, FORUM = 7, -5, -1001000000005, -1001000000006
BUTTONS = InlineKeyboardMarkup.from_button(InlineKeyboardButton("Why?", callback_data="why:1"))

Call = Callable[[Bot], Awaitable[Any]]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_761_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Listening(HTTPXRequest):
    """Keeps the answers as they came."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.heard: list[Any] = []

    async def do_request(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **more)
        self.heard.append(json.loads(body))
        return status, body


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[BotApi]:
    async with BotApi(CHAT, GROUP, SUPERGROUP, forums=(FORUM,), now_s=clock) as api:
        api.bot.limits = None  # they have tests of their own
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, api.base_url, request=Listening(read_timeout=2.0)) as bot:
        api.calls.clear()
        yield bot


# -- messages --------------------------------------------------------------------------------------


async def test_a_text_is_shown_as_it_was_marked(api: BotApi, bot: Bot, clock: Clock) -> None:
    first = await bot.send_message(CHAT, "root")
    html = '🔥 <b>BTC &amp; <i>ETH</i></b> <tg-time unix="1761000000" format="t">02:40</tg-time>\n'
    message = await bot.send_message(
        CHAT,
        html,
        parse_mode="HTML",
        disable_notification=True,
        reply_parameters=ReplyParameters(first.message_id),
        reply_markup=BUTTONS,
    )
    _, bubble = api.bubbles(CHAT)

    assert message.text == bubble.text == "🔥 BTC & ETH 02:40"
    assert list(message.parse_entities().values())[:2] == ["BTC & ETH", "ETH"]
    assert bubble.entities == (("bold", 3, 9), ("italic", 9, 3), ("date_time", 13, 5))
    assert message.reply_to_message is not None
    assert (message.reply_to_message.message_id, bubble.reply_to) == (1, 1)
    assert message.reply_markup == BUTTONS
    assert (bubble.buttons, bubble.silent, bubble.author) == ((("Why?",),), True, None)
    assert message.date.timestamp() == bubble.sent_s == clock.now_s
    assert api.complaints == []


async def test_a_message_becomes_a_photo_and_its_caption_changes(
    api: BotApi, bot: Bot, clock: Clock
) -> None:
    sent = await bot.send_message(CHAT, "text", reply_markup=BUTTONS)
    clock.now_s += 60
    picture = small_png(30, 20)
    media = InputMediaPhoto(picture, caption="<b>caption</b>", parse_mode="HTML")
    edited = await bot.edit_message_media(media, CHAT, sent.message_id, reply_markup=BUTTONS)
    assert isinstance(edited, Message)
    assert (edited.caption, edited.photo[0].width, edited.photo[0].height) == ("caption", 30, 20)
    await bot.edit_message_caption(CHAT, sent.message_id, caption="other")
    (bubble,) = api.bubbles(CHAT)

    assert (bubble.text, bubble.photo, bubble.buttons) == ("other", picture, ())
    assert bubble.edited_s == clock.now_s
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("text", CHAT, sent.message_id)


async def test_a_photo_can_be_sent_and_sent_again_by_its_id(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_photo(CHAT, small_png(), caption="a")
    again = await bot.send_photo(CHAT, sent.photo[0].file_id, reply_markup=BUTTONS)
    await bot.edit_message_reply_markup(CHAT, again.message_id)

    first, second = api.bubbles(CHAT)
    assert first.photo == second.photo == small_png()
    assert (first.text, second.text, second.buttons) == ("a", "", ())


async def test_messages_are_pinned_unpinned_and_deleted(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(CHAT, "status")
    await bot.pin_chat_message(CHAT, sent.message_id, disable_notification=True)
    assert api.bubbles(CHAT)[0].pinned
    pinned = (await bot.get_chat(CHAT)).pinned_message
    assert pinned is not None
    assert pinned.text == "status"
    await bot.unpin_chat_message(CHAT)
    assert not api.bubbles(CHAT)[0].pinned
    await bot.delete_message(CHAT, sent.message_id)
    assert api.bubbles(CHAT) == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(CHAT, sent.message_id)


async def test_after_two_days_a_message_cannot_be_deleted(bot: Bot, clock: Clock) -> None:
    sent = await bot.send_message(CHAT, "old")
    clock.now_s += 48 * 3600 + 1
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(CHAT, sent.message_id)


async def test_a_forum_has_topics(api: BotApi, bot: Bot) -> None:
    topic = await bot.create_forum_topic(FORUM, "BTC")
    thread = topic.message_thread_id
    message = await bot.send_message(FORUM, "there", message_thread_id=thread)

    assert message.is_topic_message
    assert (await bot.get_chat(FORUM)).is_forum
    assert [bubble.topic for bubble in api.bubbles(FORUM)] == ["BTC"]


async def test_large_groups_count_their_messages_for_themselves(bot: Bot) -> None:
    chats = (CHAT, SUPERGROUP, GROUP, SUPERGROUP)

    assert [(await bot.send_message(chat, "x")).message_id for chat in chats] == [1, 1, 2, 2]


async def test_what_the_bot_is_in_a_chat_is_told(api: BotApi, bot: Bot) -> None:
    api.says(70, GROUP, "hello")
    me = await bot.get_chat_member(FORUM, BOT["id"])  # type: ignore[arg-type]  # a number

    assert (me.status, me.can_manage_topics) == ("administrator", True)  # type: ignore[attr-defined]  # of its kind
    assert (await bot.get_chat_member(GROUP, 70)).user.username == "user70"
    assert (await bot.get_me()).username == BOT["username"]
    assert (await bot.get_chat(GROUP)).type == "group"


async def test_the_menu_the_webhook_and_what_the_bot_is_doing(api: BotApi, bot: Bot) -> None:
    commands = [BotCommand("status", "how it goes")]
    await bot.set_my_commands(commands, language_code="ru")

    assert list(await bot.get_my_commands(language_code="ru")) == commands
    assert list(await bot.get_my_commands()) == []
    assert await bot.send_chat_action(CHAT, "upload_photo")
    assert api.bot.actions == [(CHAT, "upload_photo")]
    api.says(CHAT, CHAT, "hello")
    assert (await bot.get_webhook_info()).pending_update_count == 1
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


# -- refusals, in the server's own words -----------------------------------------------------------


def sends(text: str, **more: Any) -> Call:
    return lambda bot: bot.send_message(more.pop("chat", CHAT), text, **more)


def shows(photo: bytes, **more: Any) -> Call:
    return lambda bot: bot.send_photo(CHAT, photo, **more)


def button(**more: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(InlineKeyboardButton("b", **more))


def edits(number: int, text: str = "new") -> Call:
    return lambda bot: bot.edit_message_text(text, CHAT, number)


NO_ACTION = "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (sends("x", chat=404), "chat not found"),
        (sends("x", chat="@nobody"), "chat not found"),
        (sends(" \n "), "message text is empty"),
        (sends("<b> </b>", parse_mode="HTML"), "message text is empty"),
        (sends("x" * 4097), "message is too long"),
        (sends("<b>x", parse_mode="HTML"),
         'can\'t parse entities: Can\'t find end tag corresponding to start tag "b"'),
        (sends("x", reply_parameters=ReplyParameters(99)), "message to be replied not found"),
        (sends("x", message_thread_id=99), "message thread not found"),
        (sends("x", reply_markup=button(callback_data="d" * 65)), "BUTTON_DATA_INVALID"),
        (sends("x", reply_markup=button(callback_data="ж" * 33)), "BUTTON_DATA_INVALID"),
        (sends("x", reply_markup=button()), NO_ACTION),
        (lambda bot: bot.send_message(CHAT, "x", reply_markup=InlineKeyboardMarkup.from_button(
            InlineKeyboardButton("", callback_data="d"))),
         "inline keyboard button text must be non-empty"),
        (sends("x", parse_mode="Odd"), "unsupported parse_mode"),
        (lambda bot: bot.unpin_chat_message(CHAT), "message to unpin not found"),
        (lambda bot: bot.get_chat_member(CHAT, 12), "member not found"),
        (lambda bot: bot.delete_message(GROUP, 3), "message to delete not found"),
        (edits(99), "message to edit not found"),
        (edits(1, "first"), SAME),
        (edits(2), "message can't be edited"),
        (lambda bot: bot.edit_message_caption(CHAT, 1, caption="c"),
         "there is no caption in the message to edit"),
        (lambda bot: bot.pin_chat_message(CHAT, 99), "message to pin not found"),
        (lambda bot: bot.pin_chat_message(GROUP, 1),
         "not enough rights to manage pinned messages in the chat"),
        (lambda bot: bot.create_forum_topic(GROUP, "BTC"), "the chat is not a forum"),
        (lambda bot: bot.answer_callback_query("12"),
         "query is too old and response timeout expired or query ID is invalid"),
        (lambda bot: bot.send_chat_action(CHAT, "dance"), "wrong parameter action in request"),
        (lambda bot: bot.set_my_commands([("Not-one", "x")]), "BOT_COMMAND_INVALID"),
        (shows(small_png(), caption="c" * 1025), "message caption is too long"),
        (shows(small_png(9000, 1001)), "PHOTO_INVALID_DIMENSIONS"),
        (shows(small_png(21, 1)), "PHOTO_INVALID_DIMENSIONS"),
        (shows(b"no picture"), "IMAGE_PROCESS_FAILED"),
        (shows(small_png()[:-5]), "IMAGE_PROCESS_FAILED"),
        (shows(bytes(10 * 1024 * 1024 + 1)),
         "file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes"),
        (lambda bot: bot.send_photo(CHAT, "nothing"),
         "wrong remote file identifier specified: can't unserialize it"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_refused(api: BotApi, bot: Bot, call: Call, says: str) -> None:
    await bot.send_message(CHAT, "first")
    api.says(CHAT, CHAT, "second")
    with pytest.raises(BadRequest) as refused:
        await call(bot)

    assert refused.value.message == says.capitalize()  # the library's way
    assert bot.request.heard[-1] == {  # type: ignore[attr-defined]  # by the one that listens
        "ok": False,
        "error_code": 400,
        "description": f"Bad Request: {says}",
    }
    assert len(api.bubbles(CHAT)) == 2
    assert api.complaints == []


@pytest.mark.parametrize(
    "call",
    [
        sends("x" * 4096),
        sends(f"<b>{'&lt;' * 4096}</b>", parse_mode="HTML"),
        sends("x", reply_markup=button(callback_data="d" * 64)),
        sends("x", reply_parameters=ReplyParameters(99, allow_sending_without_reply=True)),
        shows(small_png(9000, 1000), caption="c" * 1024),
        shows(small_png(20, 1)),
    ],
)
async def test_what_is_just_right_is_taken(bot: Bot, call: Call) -> None:
    assert (await call(bot)).message_id == 1


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"colour": "red"}, "unknown field `colour`"),
        ({"disable_notification": "perhaps"}, "Expected `bool`"),
        ({"message_thread_id": "one"}, "Expected `int | null`"),
        ({"reply_parameters": '{"message_id": 1, "loud": true}'}, "unknown field `loud`"),
        ({"reply_markup": "no object"}, "JSON is malformed"),
    ],
)
async def test_a_field_that_is_unknown_or_mistyped_is_refused_and_complained_of(
    api: BotApi, bot: Bot, more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadRequest):
        await bot.send_message(CHAT, "x", api_kwargs=more)

    (said,) = api.complaints
    assert said.startswith("sendMessage: ")
    assert complaint in said


async def test_of_too_many_entities_the_rest_is_not_shown_and_complained_of(
    api: BotApi, bot: Bot
) -> None:
    message = await bot.send_message(CHAT, "<b>x</b>y" * 101, parse_mode="HTML")

    assert len(message.entities) == 100
    assert api.complaints == ["101 entities: only 100 are shown"]


async def test_a_method_that_does_not_exist_is_not_found(bot: Bot) -> None:
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendTelepathy")


async def test_a_revoked_token_opens_nothing(api: BotApi, bot: Bot) -> None:
    api.revoked = True
    with pytest.raises(InvalidToken):
        await bot.send_message(CHAT, "x")


async def test_chats_that_are_closed_say_why(api: BotApi, bot: Bot) -> None:
    chats = api.chats
    chats[CHAT].refusal = blocked()
    with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(CHAT, "x")
    chats[CHAT].refusal = deactivated()
    with pytest.raises(Forbidden, match="Forbidden: user is deactivated"):
        await bot.send_message(CHAT, "x")
    chats[SUPERGROUP].member = {"status": "kicked", "until_date": 0}
    with pytest.raises(Forbidden, match="Forbidden: bot was kicked from the supergroup chat"):
        await bot.send_message(SUPERGROUP, "x")
    chats[GROUP].member = {"status": "left"}
    with pytest.raises(Forbidden, match="Forbidden: bot is not a member of the group chat"):
        await bot.send_message(GROUP, "x")


async def test_a_group_that_moved_names_its_new_number(api: BotApi, bot: Bot) -> None:
    api.moves(GROUP, SUPERGROUP)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(GROUP, "x")

    assert moved.value.new_chat_id == SUPERGROUP
    assert (await bot.send_message(SUPERGROUP, "x")).chat.type == "supergroup"


# -- people ----------------------------------------------------------------------------------------


async def test_a_person_writes_presses_and_reads_the_answer(
    api: BotApi, bot: Bot, clock: Clock
) -> None:
    shown = await bot.send_message(GROUP, "alert", reply_markup=BUTTONS)
    api.says(70, GROUP, "/status@liqwatch_bot now")
    query = api.presses(70, GROUP, shown.message_id, "Why?")
    written, pressed = await bot.get_updates()

    assert written.message is not None
    assert written.message.from_user is not None
    assert written.message.from_user.id == 70
    assert list(written.message.parse_entities(["bot_command"]).values()) == [
        "/status@liqwatch_bot"
    ]
    assert pressed.callback_query is not None
    assert (pressed.callback_query.id, pressed.callback_query.data) == (query, "why:1")
    assert isinstance(pressed.callback_query.message, Message)
    assert pressed.callback_query.message.message_id == shown.message_id
    assert await bot.answer_callback_query(query, "because")
    assert api.notices == [(70, "because")]
    clock.now_s += 60
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query)
    assert api.bubbles(GROUP)[1].author == "User 70"


async def test_a_button_that_is_not_there_cannot_be_pressed(api: BotApi, bot: Bot) -> None:
    shown = await bot.send_message(CHAT, "alert", reply_markup=BUTTONS)
    with pytest.raises(LookupError):
        api.presses(CHAT, CHAT, shown.message_id, "Mute")
