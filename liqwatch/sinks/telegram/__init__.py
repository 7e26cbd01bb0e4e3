"""Alerts to Telegram chats. The settings live here, the sender is imported when it is used."""

from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.alerting.rules import Rules
from liqwatch.sinks.base import SafeUrl, TopicsBy
from liqwatch.sinks.telegram.bot import BotSettings

ChatId = Annotated[int, Meta(description="a chat's id; that of a group is negative")]


class ChatManner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chat is told."""

    topic: Annotated[int, Meta(ge=1)] | None = None
    """Of a group with topics: the id of the topic where messages go. null: the general one."""

    topics: TopicsBy = TopicsBy.NONE
    """Of a group with topics: `symbol` or `severity` makes a topic for each, where the bot may."""

    pin_status: bool = True
    """Keep a message with the daemon's state at the top, where the bot may pin."""

    rules: Rules = Rules()


class ChatSettings(ChatManner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One chat of several."""

    chat: ChatId


class TelegramSettings(ChatManner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts to Telegram chats through a bot of yours. Raises ValueError without any chat."""

    chat: ChatId | None = None
    """The chat, where it is only one."""

    chats: tuple[ChatSettings, ...] = ()
    """Further chats, each with its own manner."""

    token_file: str | None = None
    """A file with the bot's token that only you may read. null: the systemd credential
    `telegram-token`."""

    base_url: SafeUrl = "https://api.telegram.org/bot"
    """Where the Bot API answers; the token is appended."""

    bot: BotSettings = BotSettings()

    def __post_init__(self) -> None:
        chats = [one.chat for one in self.every_chat()]
        if not chats:
            raise ValueError("name a chat")
        if len(set(chats)) < len(chats):
            raise ValueError("the same chat stands twice")

    def every_chat(self) -> list[ChatSettings]:
        """Return all chats, the one of the short form first."""
        manner = {name: getattr(self, name) for name in ChatManner.__struct_fields__}
        single = [] if self.chat is None else [ChatSettings(chat=self.chat, **manner)]
        return [*single, *self.chats]
