"""Telegram's Bot API on loopback: as strict as the real one, and failing on demand.

Pure: refusals → markup, photos, limits, methods → chats → updates → bot (what each method does).
`server` carries it over HTTP, with `faults`. Methods and types follow core.telegram.org/bots/api
(version 10.1); error texts are those of the official server (tdlib/telegram-bot-api and tdlib/td).
"""

from liqwatch.simulator.bot_api.bubbles import Bubble, Entity
from liqwatch.simulator.bot_api.limits import Limits
from liqwatch.simulator.bot_api.server import BOT, TOKEN, BotApi

__all__ = ["BOT", "TOKEN", "BotApi", "Bubble", "Entity", "Limits"]
