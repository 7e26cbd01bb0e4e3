"""Alerts to a Telegram chat. The settings live here, the sender is imported when it is used."""

import msgspec

from liqwatch.sinks.base import SafeUrl


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts to a Telegram chat through a bot of yours."""

    chat: int
    """The chat's id; that of a group is negative."""

    token_file: str | None = None
    """A file with the bot's token that only you may read. null: the systemd credential
    `telegram-token`."""

    base_url: SafeUrl = "https://api.telegram.org/bot"
    """Where the Bot API answers; the token is appended."""
