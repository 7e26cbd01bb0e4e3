"""What each method of the API does, or why it will not. Pure: the time comes in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from liqwatch.simulator.bot_api import methods
from liqwatch.simulator.bot_api.account import ME, Account, Files, number_of
from liqwatch.simulator.bot_api.chats import Json
from liqwatch.simulator.bot_api.limits import Limits
from liqwatch.simulator.bot_api.people import People
from liqwatch.simulator.bot_api.posts import Posts
from liqwatch.simulator.bot_api.refusals import Misused, bad, flooded

_ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
    *("upload_document", "choose_sticker", "find_location", "record_video_note"),
    "upload_video_note",
}
_LIMITED = (
    *(methods.Sending, methods.EditMessageText, methods.EditMessageCaption),
    *(methods.EditMessageMedia, methods.EditMessageReplyMarkup),
)


class Bot:
    """The API of an account, but for getUpdates, which has to wait.

    `limits` may be another one, or None: then there are none. `actions` are what the bot was seen
    doing in which chat, `menus` its commands.
    """

    def __init__(self, account: Account, people: People) -> None:
        self.limits: Limits | None = Limits()
        self.menus: dict[tuple[str, str], list[Json]] = {}
        self.actions: list[tuple[int, str]] = []
        self._account = account
        posts = Posts(account)
        self._with_files: dict[type, Callable[[Any, Files], Json]] = {
            methods.SendPhoto: posts.send_photo,
            methods.EditMessageMedia: posts.edit_media,
        }
        self._plain: dict[type, Callable[[Any], Any]] = {
            methods.GetMe: lambda _: ME,
            methods.GetChat: lambda asked: account.chat(asked.chat_id).as_full_info(),
            methods.GetChatMember: self._member,
            methods.SendChatAction: self._action,
            methods.SendMessage: posts.send_text,
            methods.EditMessageText: posts.edit_text,
            methods.EditMessageCaption: posts.edit_caption,
            methods.EditMessageReplyMarkup: posts.edit_buttons,
            methods.DeleteMessage: posts.delete,
            methods.PinChatMessage: posts.pin,
            methods.UnpinChatMessage: posts.unpin,
            methods.CreateForumTopic: posts.create_topic,
            methods.AnswerCallbackQuery: people.answer,
            methods.SetMyCommands: self._set_menu,
            methods.GetMyCommands: lambda asked: self.menus.get(_whose(asked), []),
            methods.DeleteWebhook: self._delete_webhook,
            methods.GetWebhookInfo: self._webhook_info,
        }

    def perform(self, method: str, values: Mapping[str, object], files: Files) -> Any:
        """Return the result of a method. Raises Refused."""
        given = {name: name for name in files if name in methods.METHODS[method].__struct_fields__}
        asked = self.read(method, {**values, **given})
        self._limit(asked)
        kind = type(asked)
        if kind in self._with_files:
            return self._with_files[kind](asked, files)
        return self._plain[kind](asked)

    def read(self, method: str, values: Mapping[str, object]) -> Any:
        """Return the parameters of a method. Raises Misused, which is a complaint, too."""
        try:
            return methods.read(method, values)
        except Misused as misuse:
            self._account.complaints.append(f"{method}: {misuse.description}")
            raise

    def _limit(self, asked: object) -> None:
        if self.limits is None or not isinstance(asked, _LIMITED):
            return
        seconds = self.limits.spend(number_of(asked.chat_id), self._account.now_s())
        if seconds is not None:
            raise flooded(seconds)

    def _member(self, asked: methods.GetChatMember) -> Json:
        chat = self._account.chat(asked.chat_id)
        if asked.user_id == ME["id"]:
            return chat.as_member(ME)
        if asked.user_id not in chat.people:
            raise bad("member not found")
        return {"user": chat.people[asked.user_id], "status": "member"}

    def _action(self, asked: methods.SendChatAction) -> bool:
        if asked.action not in _ACTIONS:
            raise bad("wrong parameter action in request")
        self.actions.append((self._account.open_chat(asked.chat_id).id, asked.action))
        return True

    def _set_menu(self, asked: methods.SetMyCommands) -> bool:
        for one in asked.commands:
            if not re.fullmatch(r"/?[a-z0-9_]{1,32}", one.command.lower()):
                raise bad("BOT_COMMAND_INVALID")
        self.menus[_whose(asked)] = [msgspec.to_builtins(one) for one in asked.commands]
        return True

    def _delete_webhook(self, asked: methods.DeleteWebhook) -> bool:
        if asked.drop_pending_updates:
            self._account.updates.waiting.clear()
        return True

    def _webhook_info(self, _: methods.GetWebhookInfo) -> Json:
        count = len(self._account.updates.waiting)
        return {"url": "", "has_custom_certificate": False, "pending_update_count": count}


def _whose(asked: methods.SetMyCommands | methods.GetMyCommands) -> tuple[str, str]:
    return repr(asked.scope), asked.language_code
