"""Every method the fake knows, with its parameters: names, types, what is required.

One struct a method, after core.telegram.org/bots/api. Left out is what no alert needs: business
accounts, stars, effects, inline mode, keyboards that replace the user's.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from liqwatch.simulator.bot_api.markup import MessageEntity
from liqwatch.simulator.bot_api.refusals import Misused, Refused


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Parameters, and objects in them, of which every name is known."""


class CopyTextButton(Asked, frozen=True, kw_only=True):
    """What a button puts on the clipboard."""

    text: Annotated[str, Meta(min_length=1, max_length=256)]


class InlineKeyboardButton(Asked, frozen=True, kw_only=True):
    """A button under a message."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    copy_text: CopyTextButton | None = None
    style: Literal["danger", "success", "primary"] | None = None


class InlineKeyboardMarkup(Asked, frozen=True, kw_only=True):
    """Buttons under a message, by rows."""

    inline_keyboard: list[list[InlineKeyboardButton]]


class LinkPreviewOptions(Asked, frozen=True, kw_only=True):
    """Whether a link in the text is shown with a preview."""

    is_disabled: bool = False
    url: str | None = None
    prefer_small_media: bool = False
    prefer_large_media: bool = False
    show_above_text: bool = False


class ReplyParameters(Asked, frozen=True, kw_only=True):
    """Which message of the same chat is answered."""

    message_id: int
    chat_id: int | str | None = None
    allow_sending_without_reply: bool = False


class InputMediaPhoto(Asked, frozen=True, kw_only=True):
    """A photo that a message is turned into; `media` is a file id or attach://<file>."""

    type: Literal["photo"]
    media: str
    caption: str = ""
    parse_mode: str | None = None
    caption_entities: list[MessageEntity] | None = None
    show_caption_above_media: bool = False
    has_spoiler: bool = False


class BotCommand(Asked, frozen=True, kw_only=True):
    """A command in the bot's menu."""

    command: Annotated[str, Meta(min_length=1, max_length=32)]
    description: Annotated[str, Meta(min_length=1, max_length=256)]


class BotCommandScope(Asked, frozen=True, kw_only=True):
    """For whom a menu is."""

    type: Literal[
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ]
    chat_id: int | str | None = None
    user_id: int | None = None


class GetMe(Asked, frozen=True, kw_only=True):
    """Who the bot is."""


class InChat(Asked, frozen=True, kw_only=True):
    """What is asked of one chat: a number, or the name of a public one."""

    chat_id: int | str


class GetChat(InChat, frozen=True, kw_only=True):
    """What is known of a chat."""


class GetChatMember(InChat, frozen=True, kw_only=True):
    """What somebody is and may in a chat."""

    user_id: int


class Sending(InChat, frozen=True, kw_only=True):
    """What all new messages share."""

    message_thread_id: int | None = None
    parse_mode: str | None = None
    disable_notification: bool = False
    protect_content: bool = False
    reply_parameters: ReplyParameters | None = None
    reply_markup: InlineKeyboardMarkup | None = None


class SendMessage(Sending, frozen=True, kw_only=True):
    """A text."""

    text: str
    entities: list[MessageEntity] | None = None
    link_preview_options: LinkPreviewOptions | None = None


class SendPhoto(Sending, frozen=True, kw_only=True):
    """A picture with a caption."""

    photo: str
    caption: str = ""
    caption_entities: list[MessageEntity] | None = None
    show_caption_above_media: bool = False
    has_spoiler: bool = False


class OfMessage(InChat, frozen=True, kw_only=True):
    """What is asked of one message."""

    message_id: int


class EditMessageText(OfMessage, frozen=True, kw_only=True):
    """Another text."""

    text: str
    parse_mode: str | None = None
    entities: list[MessageEntity] | None = None
    link_preview_options: LinkPreviewOptions | None = None
    reply_markup: InlineKeyboardMarkup | None = None


class EditMessageCaption(OfMessage, frozen=True, kw_only=True):
    """Another caption."""

    caption: str = ""
    parse_mode: str | None = None
    caption_entities: list[MessageEntity] | None = None
    show_caption_above_media: bool = False
    reply_markup: InlineKeyboardMarkup | None = None


class EditMessageMedia(OfMessage, frozen=True, kw_only=True):
    """Another picture, or one in place of a text."""

    media: InputMediaPhoto
    reply_markup: InlineKeyboardMarkup | None = None


class EditMessageReplyMarkup(OfMessage, frozen=True, kw_only=True):
    """Other buttons."""

    reply_markup: InlineKeyboardMarkup | None = None


class DeleteMessage(OfMessage, frozen=True, kw_only=True):
    """Away with it."""


class PinChatMessage(OfMessage, frozen=True, kw_only=True):
    """To the top of the chat."""

    disable_notification: bool = False


class UnpinChatMessage(InChat, frozen=True, kw_only=True):
    """No longer at the top; without a message, the one pinned last."""

    message_id: int | None = None


class CreateForumTopic(InChat, frozen=True, kw_only=True):
    """A topic of a forum."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    icon_color: int | None = None
    icon_custom_emoji_id: str | None = None


class SendChatAction(InChat, frozen=True, kw_only=True):
    """What the bot is seen doing."""

    action: str
    message_thread_id: int | None = None


class GetUpdates(Asked, frozen=True, kw_only=True):
    """What people did since."""

    offset: int | None = None
    limit: int = 100
    timeout: int = 0
    allowed_updates: list[str] | None = None


class AnswerCallbackQuery(Asked, frozen=True, kw_only=True):
    """What follows a press of a button."""

    callback_query_id: str
    text: str | None = None
    show_alert: bool = False
    url: str | None = None
    cache_time: int = 0


class SetMyCommands(Asked, frozen=True, kw_only=True):
    """The bot's menu."""

    commands: Annotated[list[BotCommand], Meta(max_length=100)]
    scope: BotCommandScope | None = None
    language_code: str = ""


class GetMyCommands(Asked, frozen=True, kw_only=True):
    """The bot's menu, as it is."""

    scope: BotCommandScope | None = None
    language_code: str = ""


class DeleteWebhook(Asked, frozen=True, kw_only=True):
    """Back to getUpdates."""

    drop_pending_updates: bool = False


class GetWebhookInfo(Asked, frozen=True, kw_only=True):
    """Where updates go."""


KINDS: tuple[type[Asked], ...] = (
    *(GetMe, GetChat, GetChatMember, SendMessage, SendPhoto, SendChatAction),
    *(EditMessageText, EditMessageCaption, EditMessageMedia, EditMessageReplyMarkup),
    *(DeleteMessage, PinChatMessage, UnpinChatMessage, CreateForumTopic),
    *(GetUpdates, AnswerCallbackQuery, SetMyCommands, GetMyCommands),
    *(DeleteWebhook, GetWebhookInfo),
)
METHODS = {kind.__name__[0].lower() + kind.__name__[1:]: kind for kind in KINDS}
_BY_LOWER_CASE = {name.lower(): name for name in METHODS}  # the API does not tell cases apart
_SCALARS = {str, int, bool}


def named(method: str) -> str:
    """Return the proper name of a method. Raises Refused (404) for one that there is not."""
    if method.lower() not in _BY_LOWER_CASE:
        raise Refused(404, "Not Found: method not found")
    return _BY_LOWER_CASE[method.lower()]


def read(method: str, values: Mapping[str, object]) -> Asked:
    """Return the parameters of a method, which a form carries as text. Raises Misused."""
    kind = METHODS[method]
    try:
        return msgspec.convert(_decoded(kind, values), kind, strict=False)
    except msgspec.MsgspecError as error:
        raise Misused(400, f"Bad Request: {error}") from error


def _decoded(kind: type[Asked], values: Mapping[str, object]) -> dict[str, object]:
    # Objects and lists travel as JSON inside a form.
    structured = {field.name for field in msgspec.structs.fields(kind) if _is_structured(field)}
    return {
        name: msgspec.json.decode(value) if name in structured and isinstance(value, str) else value
        for name, value in values.items()
    }


def _is_structured(field: msgspec.structs.FieldInfo) -> bool:
    return not _SCALARS.intersection(get_args(field.type) or (field.type,))
