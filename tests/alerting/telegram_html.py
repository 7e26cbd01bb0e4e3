"""A strict reader of Telegram HTML: what liqwatch may use of it, and nothing else.

Source: core.telegram.org/bots/api#html-style, #date-time-entity-formatting
"""

import re
from html import unescape

_TOKENS = re.compile(
    r"(?P<open><b>)|(?P<close></b>)"
    r'|(?P<time><tg-time unix="\d+" format="(?:r|w?[dD]?[tT]?)">)|(?P<over></tg-time>)'
    r"|(?P<text>(?:[^<>&]|&(?:lt|gt|amp|quot);)+)"
)


def read(html: str) -> tuple[str, int]:
    """Return the text and how many entities it has. Raises ValueError for what is no such HTML."""
    at, entities = 0, 0
    text: list[str] = []
    within: list[str] = []
    while at < len(html):
        token = _TOKENS.match(html, at)
        if token is None:
            raise ValueError(f"no Telegram HTML: {html[at : at + 40]!r}")
        at = token.end()
        match token.lastgroup:
            case "text":
                text.append(unescape(token[0]))
            case "open" | "time" as kind:
                if kind in within:
                    raise ValueError(f"{kind} within {kind}")
                within.append(kind)
                entities += 1
            case kind:
                if not within or within.pop() != {"close": "open", "over": "time"}[kind or ""]:
                    raise ValueError(f"{token[0]} closes nothing")
    if within:
        raise ValueError("something is left open")
    return "".join(text), entities
