"""Alerts on the terminal, or as plain lines where standard output is none."""

import asyncio
import sys
from typing import TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.numbers import utc
from liqwatch.alerts import Alert, Severity
from liqwatch.sinks.base import Delivery, Undeliverable

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold"}


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts on the screen."""

    enabled: bool = True
    """Write alerts to standard output."""


class ConsoleSink:
    """Writes each alert to `stream` (standard output), with its time and a blank line after it."""

    name = "console"
    receiver = "console"
    kind = ReceiverKind.PLAIN
    edit_gap_s = 0.0

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._terminal = Console(file=self._stream, soft_wrap=True, highlight=False)

    def wait_s(self) -> float:
        """Return 0: a terminal has no limits."""
        return 0.0

    async def send(self, delivery: Delivery) -> None:
        """Write one alert. In a thread: a paused terminal must not stop the daemon."""
        try:
            await asyncio.to_thread(self.show, delivery.alert, delivery.text)
        except (OSError, ValueError) as error:  # the pipe broke, the stream is closed
            raise Undeliverable(f"console: {type(error).__name__}", receiver_gone=True) from error

    async def close(self) -> None:
        """Leave the stream open: it is not ours."""

    def show(self, alert: Alert, text: str) -> None:
        """Write one alert, worded as `text`. Raises OSError, or ValueError for a closed stream."""
        first, *rest = self._writable(text).split("\n")
        line = Text(f"{utc(alert.time)} UTC  ", style="dim")
        line.append(first, style=_STYLES[alert.severity])
        self._terminal.print(line)
        for below in [*rest, ""]:
            self._terminal.print(Text(f"              {below}".rstrip()))
        self._stream.flush()

    def _writable(self, text: str) -> str:
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "replace").decode(encoding)
