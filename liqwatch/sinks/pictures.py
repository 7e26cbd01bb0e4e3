"""Pictures of stories: drawn beside the messages, which never wait for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from liqwatch.alerts import Alert

MOST_KEPT = 8  # pictures, for the receivers that are still to get them

Draw = Callable[[Alert], Awaitable[bytes | None]]
"""Draws what belongs to an alert as PNG; None where there is nothing to see."""

log = structlog.get_logger("liqwatch.sinks")


class Pictures:
    """What `draw` makes, once for all receivers."""

    def __init__(self, draw: Draw | None) -> None:
        self._draw = draw
        self._drawing: OrderedDict[str, asyncio.Task[bytes | None]] = OrderedDict()

    async def of(self, alert: Alert) -> bytes | None:
        """Return the picture of an alert; None without one, also when drawing fails."""
        if self._draw is None:
            return None
        task = self._drawing.get(alert.id)
        if task is None:
            task = asyncio.ensure_future(self._drawn(self._draw, alert))
            self._drawing[alert.id] = task
            while len(self._drawing) > MOST_KEPT:
                self._drawing.popitem(last=False)
        return await asyncio.shield(task)

    async def _drawn(self, draw: Draw, alert: Alert) -> bytes | None:
        try:
            return await draw(alert)
        except Exception as error:  # noqa: BLE001 - whatever it is, the text went out
            log.warning("no picture", alert=alert.id, error=type(error).__name__)
            return None

    async def close(self) -> None:
        """Stop drawing, and wait until whoever draws is gone."""
        for task in self._drawing.values():
            task.cancel()
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)


class Gallery:
    """The pictures for one receiver's messages, each kept until it is shown.

    `ready` is called when there is one for the message that goes by the key.
    """

    def __init__(self, pictures: Pictures, ready: Callable[[str, Alert], None]) -> None:
        self._pictures = pictures
        self._ready = ready
        self._drawing = set[asyncio.Task[None]]()
        self._drawn: dict[str, bytes] = {}

    def of(self, key: str) -> bytes | None:
        """Return the picture that waits to be shown."""
        return self._drawn.get(key)

    def drop(self, key: str) -> None:
        """Let go of a picture: it was shown, or cannot be."""
        self._drawn.pop(key, None)

    def draw(self, key: str, alert: Alert) -> None:
        """Have a picture drawn of an alert."""
        task = asyncio.ensure_future(self._draw(key, alert))
        self._drawing.add(task)
        task.add_done_callback(self._drawing.discard)

    def close(self) -> None:
        """Wait for no more pictures."""
        for task in self._drawing:
            task.cancel()

    async def _draw(self, key: str, alert: Alert) -> None:
        picture = await self._pictures.of(alert)
        if picture is not None:
            self._drawn[key] = picture
            self._ready(key, alert)
