"""A chat in words: what a person sees who opens it now."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from textwrap import indent, shorten

from liqwatch.simulator.bot_api.bubbles import Bubble

QUOTED = 60  # characters of what is replied to
INDENT = "    "


def transcript(bubbles: Sequence[Bubble]) -> str:
    """Return the chat as text, oldest first, times in UTC; each day begins with its date."""
    by_id = {bubble.id: bubble for bubble in bubbles}
    return "\n\n".join(
        "\n\n".join([day, *(_told(bubble, by_id.get(bubble.reply_to or 0)) for bubble in told)])
        for day, told in groupby(bubbles, lambda bubble: f"{day_of(bubble.sent_s)}, UTC")
    )


def clock_time(unix_s: int) -> str:
    """Return the time of day in UTC.

    >>> clock_time(1_761_066_225)
    '17:03:45'
    """
    return f"{datetime.fromtimestamp(unix_s, UTC):%H:%M:%S}"


def day_of(unix_s: int) -> str:
    """Return the date in UTC.

    >>> day_of(1_761_066_225)
    '21 October 2025'
    """
    moment = datetime.fromtimestamp(unix_s, UTC)
    return f"{moment.day} {moment:%B %Y}"


def quoted(bubble: Bubble | None) -> str:
    """Return the first words of what is replied to."""
    return (
        "deleted message"
        if bubble is None
        else shorten(bubble.first_words, QUOTED, placeholder=" …")
    )


def marks(bubble: Bubble) -> list[str]:
    """Return what is to be said of a message besides what it says and when it came."""
    return [
        *(["silent"] if bubble.silent else []),
        *([] if bubble.edited_s is None else [f"edited {clock_time(bubble.edited_s)}"]),
        *(["pinned"] if bubble.pinned else []),
    ]


def _told(bubble: Bubble, replied: Bubble | None) -> str:
    head = [
        clock_time(bubble.sent_s),
        *([] if bubble.author is None else [bubble.author]),
        *([] if bubble.topic is None else [f"in {bubble.topic}"]),
        *(f"({mark})" for mark in marks(bubble)),
    ]
    body = "\n".join(_body(bubble, replied))
    return f"{' '.join(head)}\n{indent(body, INDENT)}"


def _body(bubble: Bubble, replied: Bubble | None) -> Iterator[str]:
    if bubble.reply_to is not None:
        yield f"↪ reply to: {quoted(replied)}"
    if (size := bubble.photo_size) is not None:
        yield f"[photo {size[0]}×{size[1]}]"
    if bubble.text:
        yield bubble.text
    for row in bubble.buttons:
        yield " ".join(f"[{words}]" for words in row)
