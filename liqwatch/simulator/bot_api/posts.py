"""The bot's messages: sent, edited, pinned, deleted, and the topics they stand in."""

import msgspec

from liqwatch.simulator.bot_api import methods
from liqwatch.simulator.bot_api.account import ME, Account, Files
from liqwatch.simulator.bot_api.chats import Chat, Json, Message, Photo
from liqwatch.simulator.bot_api.content import (
    ENTITIES,
    buttons_of,
    caption_of,
    replied,
    text_of,
)
from liqwatch.simulator.bot_api.markup import MessageEntity, Words
from liqwatch.simulator.bot_api.refusals import NOT_MODIFIED, bad

DELETED_WITHIN_S = 48 * 3600

Buttons = methods.InlineKeyboardMarkup


class Posts:
    """The methods that change what a chat shows. All raise Refused."""

    def __init__(self, account: Account) -> None:
        self._account = account

    # -- new ones ----------------------------------------------------------------------------------

    def send_text(self, asked: methods.SendMessage) -> Json:
        """Send a text."""
        return self._send(asked, text_of(asked.text, asked.parse_mode, asked.entities))

    def send_photo(self, asked: methods.SendPhoto, files: Files) -> Json:
        """Send a picture."""
        words = caption_of(asked.caption, asked.parse_mode, asked.caption_entities)
        return self._send(asked, words, self._account.photo(asked.photo, files))

    def _send(self, asked: methods.Sending, words: Words, photo: Photo | None = None) -> Json:
        chat = self._account.open_chat(asked.chat_id)
        thread = asked.message_thread_id
        if thread is not None and thread not in chat.topics:
            raise bad("message thread not found")
        reply_to, buttons = replied(chat, asked.reply_parameters), buttons_of(asked.reply_markup)
        number = self._account.new_id(chat)
        chat.messages[number] = Message(
            id=number,
            sent_s=int(self._account.now_s()),
            sender=ME,
            text=words.text,
            entities=self._shown(words),
            photo=photo,
            buttons=buttons,
            reply_to=reply_to,
            thread=thread,
            silent=asked.disable_notification,
        )
        return chat.as_message(number)

    def create_topic(self, asked: methods.CreateForumTopic) -> Json:
        """Open a topic."""
        chat = self._account.open_chat(asked.chat_id)
        if not chat.is_forum:
            raise bad("the chat is not a forum")
        if not chat.may("can_manage_topics"):
            raise bad("not enough rights to create a topic")
        number = self._account.new_id(chat)  # of the message that tells of it
        chat.topics[number] = asked.name
        return {"message_thread_id": number, "name": asked.name, "icon_color": 7322096}

    # -- edits -------------------------------------------------------------------------------------

    def edit_text(self, asked: methods.EditMessageText) -> Json:
        """Change a text."""
        chat, message = self._editable(asked)
        if message.photo is not None:
            raise bad("there is no text in the message to edit")
        words = text_of(asked.text, asked.parse_mode, asked.entities)
        return self._edited(chat, message, words, None, asked.reply_markup)

    def edit_caption(self, asked: methods.EditMessageCaption) -> Json:
        """Change a caption."""
        chat, message = self._editable(asked)
        if message.photo is None:
            raise bad("there is no caption in the message to edit")
        words = caption_of(asked.caption, asked.parse_mode, asked.caption_entities)
        return self._edited(chat, message, words, message.photo, asked.reply_markup)

    def edit_media(self, asked: methods.EditMessageMedia, files: Files) -> Json:
        """Change a picture, or put one in place of a text."""
        chat, message = self._editable(asked)
        media = asked.media
        words = caption_of(media.caption, media.parse_mode, media.caption_entities)
        photo = self._account.photo(media.media, files)
        return self._edited(chat, message, words, photo, asked.reply_markup)

    def edit_buttons(self, asked: methods.EditMessageReplyMarkup) -> Json:
        """Change the buttons."""
        chat, message = self._editable(asked)
        words = Words(message.text, message.entities)
        return self._edited(chat, message, words, message.photo, asked.reply_markup)

    def _editable(self, asked: methods.OfMessage) -> tuple[Chat, Message]:
        chat = self._account.open_chat(asked.chat_id)
        message = chat.message(asked.message_id, "edit")
        if message.sender is not ME:
            raise bad("message can't be edited")
        return chat, message

    def _edited(
        self, chat: Chat, was: Message, words: Words, photo: Photo | None, buttons: Buttons | None
    ) -> Json:
        message = msgspec.structs.replace(
            was,
            text=words.text,
            entities=self._shown(words),
            photo=photo,
            buttons=buttons_of(buttons),
            edited_s=int(self._account.now_s()),
        )
        if message.content == was.content:
            raise bad(NOT_MODIFIED)
        chat.messages[message.id] = message
        return chat.as_message(message.id)

    def _shown(self, words: Words) -> tuple[MessageEntity, ...]:
        count = len(words.entities)
        if count > ENTITIES:  # what is beyond is not shown, and nobody is told
            self._account.complaints.append(f"{count} entities: only {ENTITIES} are shown")
        return words.entities[:ENTITIES]

    # -- pins and ends -----------------------------------------------------------------------------

    def pin(self, asked: methods.PinChatMessage) -> bool:
        """Pin a message."""
        chat = self._pinnable(asked.chat_id)
        message = chat.message(asked.message_id, "pin")
        chat.pinned = [*(number for number in chat.pinned if number != message.id), message.id]
        return True

    def unpin(self, asked: methods.UnpinChatMessage) -> bool:
        """Unpin a message, or the one pinned last."""
        chat = self._pinnable(asked.chat_id)
        number = asked.message_id or (chat.pinned[-1] if chat.pinned else None)
        if number not in chat.pinned:
            raise bad("message to unpin not found")
        chat.pinned.remove(number)
        return True

    def _pinnable(self, chat_id: int | str) -> Chat:
        chat = self._account.open_chat(chat_id)
        if not chat.may("can_edit_messages" if chat.kind == "channel" else "can_pin_messages"):
            raise bad("not enough rights to manage pinned messages in the chat")
        return chat

    def delete(self, asked: methods.DeleteMessage) -> bool:
        """Delete a message."""
        chat = self._account.open_chat(asked.chat_id)
        message = chat.message(asked.message_id, "delete")
        may = message.sender is ME or chat.may("can_delete_messages")
        if not may or self._account.now_s() - message.sent_s > DELETED_WITHIN_S:
            raise bad("message can't be deleted")
        del chat.messages[message.id]
        chat.pinned = [number for number in chat.pinned if number != message.id]
        return True
