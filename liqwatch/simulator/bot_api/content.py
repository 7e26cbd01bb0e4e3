"""What a message may hold: words, buttons, the message it replies to. All raise Refused."""

from liqwatch.simulator.bot_api.chats import Chat
from liqwatch.simulator.bot_api.markup import MessageEntity, Words, read_html, trimmed
from liqwatch.simulator.bot_api.methods import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyParameters,
)
from liqwatch.simulator.bot_api.refusals import bad

TEXT_LENGTH, CAPTION_LENGTH = 4096, 1024  # of what is read
ENTITIES = 100  # are shown
DATA_BYTES = 64


def text_of(text: str, mode: str | None, entities: list[MessageEntity] | None) -> Words:
    """Return a message's text as it is read."""
    words = _read(text, mode, entities)
    if not words.text:
        raise bad("message text is empty")
    if len(words.text) > TEXT_LENGTH:
        raise bad("message is too long")
    return words


def caption_of(text: str, mode: str | None, entities: list[MessageEntity] | None) -> Words:
    """Return a photo's caption as it is read."""
    words = _read(text, mode, entities)
    if len(words.text) > CAPTION_LENGTH:
        raise bad("message caption is too long")
    return words


def _read(text: str, mode: str | None, entities: list[MessageEntity] | None) -> Words:
    if mode is None:
        return trimmed(Words(text, tuple(entities or ())))
    if mode.lower() != "html":  # liqwatch writes nothing else
        raise bad("unsupported parse_mode")
    return read_html(text)


def replied(chat: Chat, reply: ReplyParameters | None) -> int | None:
    """Return the message that is replied to, if it is there."""
    if reply is None or reply.message_id in chat.messages:
        return None if reply is None else reply.message_id
    if not reply.allow_sending_without_reply:
        raise bad("message to be replied not found")
    return None


def buttons_of(markup: InlineKeyboardMarkup | None) -> InlineKeyboardMarkup | None:
    """Return the buttons, if there are any."""
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            _check(button)
    return markup if markup and any(markup.inline_keyboard) else None


def _check(button: InlineKeyboardButton) -> None:
    actions = [one for one in (button.callback_data, button.url, button.copy_text) if one]
    if not button.text:
        raise bad("inline keyboard button text must be non-empty")
    if len(actions) != 1:
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len((button.callback_data or "").encode()) > DATA_BYTES:
        raise bad("BUTTON_DATA_INVALID")
