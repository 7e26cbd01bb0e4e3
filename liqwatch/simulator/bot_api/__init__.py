"""Telegram's Bot API on loopback: as strict as the real one, and failing on demand.

Pure: refusals → markup, photos, limits → methods (their parameters) → chats, updates → account →
content, people, posts → bot (what each method does). `bubbles` are what a chat shows; `transcript`,
`picture` show them. `server` carries it all over HTTP, with `faults`.

Methods and types follow core.telegram.org/bots/api (version 10.1); error texts are those of the
official server (tdlib/telegram-bot-api and tdlib/td).
"""

from liqwatch.simulator.bot_api.bubbles import Bubble
from liqwatch.simulator.bot_api.limits import Limits
from liqwatch.simulator.bot_api.server import BOT, TOKEN, BotApi

__all__ = ["BOT", "TOKEN", "BotApi", "Bubble", "Limits"]
