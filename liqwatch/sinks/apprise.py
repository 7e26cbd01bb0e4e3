"""Alerts to any service that Apprise knows: ntfy, mail, SMS and a hundred others.

The address holds a secret: it is read from a file and shown to nobody.
"""

import asyncio
import logging
import stat
import warnings
from pathlib import Path

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.rules import EVERY_ALERT
from liqwatch.alerts import Severity
from liqwatch.secret import Secret
from liqwatch.sinks.base import Delivery, OutcomeUnknown, RetryLater, SinkError, TopicsBy

MOST_BYTES = 4096
TIMEOUT_S = 60.0  # the library's own are shorter, and there are redirects


class AppriseSink:
    """Sends to the `address`. Raises SinkError when Apprise does not know such a one."""

    name = "second channel"
    receiver = "fallback"
    kind = ReceiverKind.PLAIN
    rules = EVERY_ALERT
    edit_gap_s = 0.0
    topics = TopicsBy.NONE
    pins_status = False

    def __init__(self, address: Secret) -> None:
        import apprise  # noqa: PLC0415 - large, and few have a use for it

        for name in ("apprise", "urllib3"):  # they write addresses
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._library = apprise
        self._service = apprise.Apprise()
        with warnings.catch_warnings():  # its plugins use what Python 3.13 drops, and mean to
            warnings.simplefilter("ignore", DeprecationWarning)
            known = self._service.add(address.reveal())
        if not known:
            raise SinkError("notify.fallback.url_file: Apprise knows no such address")

    def wait_s(self, *, urgent: bool) -> float:
        """Return 0: services say themselves when it is too much."""
        del urgent
        return 0.0

    async def send(self, delivery: Delivery) -> None:
        """Send one alert. What failed may be tried again: the library does not tell more."""
        title, _, body = delivery.text.plain().partition("\n")
        kind = self._library.NotifyType
        grave = delivery.alert is not None and delivery.alert.severity is Severity.CRITICAL
        notify = asyncio.to_thread(
            self._service.notify,
            body or title,
            title=title if body else "",
            notify_type=kind.FAILURE if grave else kind.WARNING,
            body_format=self._library.NotifyFormat.TEXT,
        )
        try:
            arrived = await asyncio.wait_for(notify, TIMEOUT_S)
        except TimeoutError:
            raise OutcomeUnknown("the second channel does not answer") from None
        if not arrived:
            raise RetryLater("the second channel refuses, or cannot be reached")

    async def close(self) -> None:
        """Hold nothing: each message has a connection of its own."""


def read_address(url_file: str) -> Secret:
    """Read an address. Raises SinkError when there is none, or when others may read it."""
    path = Path(url_file).expanduser()
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SinkError(f"{path}: others may read the address; chmod 600 it")
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_BYTES).strip()
    except OSError as error:
        raise SinkError(f"{path}: no address of a second channel: {error.strerror}") from None
    if "://" not in text or len(text.split()) != 1:
        raise SinkError(f"{path}: this is not an address such as ntfys://your-topic")
    return Secret(text)
