"""The chats of a bot: what they hold, and how the API tells of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from liqwatch.simulator.bot_api.bubbles import Bubble, Entity
from liqwatch.simulator.bot_api.markup import MessageEntity
from liqwatch.simulator.bot_api.methods import InlineKeyboardMarkup
from liqwatch.simulator.bot_api.refusals import Refused, bad

Json = dict[str, Any]

SUPERGROUPS_BELOW = -1_000_000_000_000

# Objects whose fields the specification requires; alerts need none of them.
_NO_GIFTS = dict.fromkeys(
    (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ),
    False,
)
_RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
    *("can_manage_video_chats", "can_restrict_members", "can_promote_members"),
    *("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
    "can_delete_stories",
)


class Photo(msgspec.Struct, frozen=True):
    """A picture that Telegram keeps, under its id."""

    file_id: str
    content: bytes
    width: int
    height: int


class Message(msgspec.Struct, kw_only=True):
    """What Telegram keeps of a message. Times are seconds since the Unix epoch."""

    id: int
    sent_s: int
    sender: Mapping[str, object]
    text: str
    entities: tuple[MessageEntity, ...] = ()
    photo: Photo | None = None
    buttons: InlineKeyboardMarkup | None = None
    reply_to: int | None = None
    thread: int | None = None
    silent: bool = False
    edited_s: int | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """What an edit must change."""
        return self.text, self.entities, self.photo, self.buttons


class Chat:
    """A chat: its messages, pins and topics, and what the bot is in it.

    `about` is what getChat tells beyond the usual, `member` what getChatMember tells of the bot.
    `refusal` is the answer to whatever would be seen here: blocked, kicked, deactivated.
    """

    def __init__(self, number: int, *, is_forum: bool = False) -> None:
        self.id, self.is_forum = number, is_forum
        self.messages: dict[int, Message] = {}
        self.pinned: list[int] = []
        self.topics: dict[int, str] = {}
        self.people: dict[int, Json] = {}
        self.about: Json = {}
        self.member: Json = {"status": "member"}
        if is_forum:
            self.member = {"status": "administrator", "can_manage_topics": True}
        self.refusal: Refused | None = None
        self.moved_to: int | None = None

    @property
    def kind(self) -> str:
        """Which of Telegram's kinds of chat it is."""
        if self.id > 0:
            return "private"
        is_large = self.is_forum or self.id < SUPERGROUPS_BELOW
        return str(self.about.get("type", "supergroup" if is_large else "group"))

    def message(self, number: int, what_for: str) -> Message:
        """Return one of its messages. Raises Refused."""
        if number not in self.messages:
            raise bad(f"message to {what_for} not found")
        return self.messages[number]

    def may(self, right: str) -> bool:
        """Whether the bot has a right there."""
        return self.kind == "private" or bool(
            self.member["status"] == "creator" or self.member.get(right)
        )

    def bubbles(self) -> list[Bubble]:
        """Return what is seen, oldest first."""
        return [self._bubble(message) for message in self.messages.values()]

    def _bubble(self, message: Message) -> Bubble:
        rows = message.buttons.inline_keyboard if message.buttons else []
        return Bubble(
            id=message.id,
            text=message.text,
            entities=tuple(Entity(one.type, one.offset, one.length) for one in message.entities),
            silent=message.silent,
            sent_s=message.sent_s,
            edited_s=message.edited_s,
            reply_to=message.reply_to,
            photo=message.photo.content if message.photo else None,
            buttons=tuple(tuple(button.text for button in row) for row in rows),
            topic=self.topics.get(message.thread or 0),
            pinned=message.id in self.pinned,
            author=None if message.sender["is_bot"] else str(message.sender["first_name"]),
        )

    # -- as the API tells it -----------------------------------------------------------------------

    def as_chat(self) -> Json:
        """Return the type Chat."""
        names: Json = {"title": "Traders"} if self.id < 0 else {"first_name": f"Trader {self.id}"}
        forum = {"is_forum": True} if self.is_forum else {}
        return {"id": self.id, "type": self.kind, **names, **forum}

    def as_full_info(self) -> Json:
        """Return the type ChatFullInfo."""
        usual = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        pin = {"pinned_message": self.as_message(self.pinned[-1])} if self.pinned else {}
        return {**self.as_chat(), **usual, **pin, **self.about}

    def as_member(self, user: Mapping[str, object]) -> Json:
        """Return the type ChatMember, for the bot."""
        rights = dict.fromkeys(_RIGHTS, False) if self.member["status"] == "administrator" else {}
        return {"user": user, **rights, **self.member}

    def as_message(self, number: int) -> Json:
        """Return the type Message."""
        message = self.messages[number]
        told: Json = {
            "message_id": message.id,
            "date": message.sent_s,
            "chat": self.as_chat(),
            "from": message.sender,
            **_content(message),
        }
        if message.edited_s is not None:
            told["edit_date"] = message.edited_s
        if message.reply_to in self.messages:
            replied = self.as_message(message.reply_to)
            replied.pop("reply_to_message", None)  # replies are told one deep
            told["reply_to_message"] = replied
        if message.thread is not None:
            told |= {"message_thread_id": message.thread, "is_topic_message": True}
        if message.buttons is not None:
            told["reply_markup"] = msgspec.to_builtins(message.buttons)
        return told


def _content(message: Message) -> Json:
    entities = msgspec.to_builtins(message.entities)
    if message.photo is None:
        return {"text": message.text} | ({"entities": list(entities)} if entities else {})
    told: Json = {"photo": [_size(message.photo)]}
    if message.text:
        told["caption"] = message.text
    if entities:
        told["caption_entities"] = list(entities)
    return told


def _size(photo: Photo) -> Json:
    return {
        "file_id": photo.file_id,
        "file_unique_id": f"u{photo.file_id}",
        "width": photo.width,
        "height": photo.height,
        "file_size": len(photo.content),
    }
