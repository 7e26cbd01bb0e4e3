"""What is said about the ways to people themselves."""

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.numbers import utc


def gone(chat: str, reason: str, language: Language) -> str:
    """Say that a chat wants nothing any more, and how it may again."""
    said = phrase("chat-gone", language, chat=chat, reason=reason)
    return f"{said}\n{phrase('chat-gone-advice', language)}"


def unreachable(since_ms: int, language: Language) -> str:
    """Say why a message comes this way: Telegram fails since then (ms since the Unix epoch)."""
    return phrase("second-channel", language, time=utc(since_ms, "%H:%M"))
