"""Alerts on the terminal, or as plain lines where standard output is none."""

import asyncio
import sys
from typing import TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.numbers import utc
from liqwatch.alerting.rules import EVERY_ALERT, Rules
from liqwatch.alerts import Alert, Severity
from liqwatch.sinks.base import Delivery, TopicsBy, Undeliverable

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold"}


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts on the screen."""

    enabled: bool = True
    """Write alerts to standard output."""

    rules: Rules | None = None
    """Which of them. null: every one."""


class ConsoleSink:
    """Writes each alert to `stream` (standard output), with its time and a blank line after it."""

    name = "console"
    receiver = "console"
    kind = ReceiverKind.PLAIN
    edit_gap_s = 0.0
    topics = TopicsBy.NONE
    pins_status = False

    def __init__(self, stream: TextIO | None = None, *, rules: Rules | None = None) -> None:
        self.rules = rules or EVERY_ALERT
        self._stream = sys.stdout if stream is None else stream
        self._terminal = Console(file=self._stream, soft_wrap=True, highlight=False)

    def wait_s(self, *, urgent: bool) -> float:
        """Return 0: a terminal has no limits."""
        del urgent
        return 0.0

    async def send(self, delivery: Delivery) -> None:
        """Write one alert. In a thread: a paused terminal must not stop the daemon."""
        try:
            await asyncio.to_thread(self._write, delivery)
        except (OSError, ValueError) as error:  # the pipe broke, the stream is closed
            raise Undeliverable(f"console: {type(error).__name__}", receiver_gone=True) from error

    async def close(self) -> None:
        """Leave the stream open: it is not ours."""

    def show(self, alert: Alert, text: str) -> None:
        """Write one alert, worded as `text`. Raises OSError, or ValueError for a closed stream."""
        self._print(Text(f"{utc(alert.time)} UTC  ", style="dim"), text, _STYLES[alert.severity])

    def _write(self, delivery: Delivery) -> None:
        text = delivery.text.plain()
        if delivery.alert is None:
            self._print(Text(" " * 14), text, "bold")
        else:
            self.show(delivery.alert, text)

    def _print(self, line: Text, text: str, style: str) -> None:
        first, *rest = self._writable(text).split("\n")
        line.append(first, style=style)
        self._terminal.print(line)
        for below in [*rest, ""]:
            self._terminal.print(Text(f"              {below}".rstrip()))
        self._stream.flush()

    def _writable(self, text: str) -> str:
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "replace").decode(encoding)
