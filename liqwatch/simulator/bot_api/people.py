"""Those at the other end of the chats: they write, press buttons, and read what follows."""

import re

from liqwatch.simulator.bot_api.account import Account
from liqwatch.simulator.bot_api.chats import Json, Message
from liqwatch.simulator.bot_api.markup import MessageEntity
from liqwatch.simulator.bot_api.methods import AnswerCallbackQuery
from liqwatch.simulator.bot_api.refusals import QUERY_TOO_OLD, bad

ANSWERED_WITHIN_S = 15.0  # not documented; real queries live for about so long
NOTICE_LENGTH = 200
_COMMAND = re.compile(r"/[a-zA-Z0-9_@]+")


class People:
    """What they do becomes updates; `notices` is what they read after they pressed a button."""

    def __init__(self, account: Account) -> None:
        self.notices: list[tuple[int, str]] = []
        self._account = account
        self._queries: dict[str, tuple[int, float]] = {}  # who pressed, and until when it lives

    def say(self, user: int, chat: int, text: str, *, reply_to: int | None = None) -> int:
        """Write in a chat; return the id of the message."""
        where = self._account.chats[chat]
        command = _COMMAND.match(text)
        number = self._account.new_id(where)
        where.messages[number] = Message(
            id=number,
            sent_s=int(self._account.now_s()),
            sender=where.people.setdefault(user, _person(user)),
            text=text,
            entities=(MessageEntity("bot_command", 0, command.end()),) if command else (),
            reply_to=reply_to,
        )
        self._account.updates.add("message", where.as_message(number))
        return number

    def press(self, user: int, chat: int, message_id: int, button_text: str) -> str:
        """Press a button; return the query's id. Raises LookupError: no such button."""
        where = self._account.chats[chat]
        buttons = where.messages[message_id].buttons
        data = {
            button.text: button.callback_data
            for row in (buttons.inline_keyboard if buttons else ())
            for button in row
            if button.callback_data is not None
        }
        pressed: Json = {
            "id": str(4_000_000_000 + len(self._queries)),
            "from": where.people.setdefault(user, _person(user)),
            "chat_instance": str(chat),
            "data": data[button_text],
            "message": where.as_message(message_id),
        }
        self._queries[pressed["id"]] = (user, self._account.now_s() + ANSWERED_WITHIN_S)
        self._account.updates.add("callback_query", pressed)
        return str(pressed["id"])

    def answer(self, asked: AnswerCallbackQuery) -> bool:
        """Show somebody the answer to his press. Raises Refused."""
        if len(asked.text or "") > NOTICE_LENGTH:
            raise bad("MESSAGE_TOO_LONG")
        user, until_s = self._queries.get(asked.callback_query_id, (0, 0.0))
        if self._account.now_s() > until_s:
            raise bad(QUERY_TOO_OLD)
        if asked.text:
            self.notices.append((user, asked.text))
        return True


def _person(user: int) -> Json:
    return {"id": user, "is_bot": False, "first_name": f"User {user}", "username": f"user{user}"}
