"""Alerts to a program: each one is POSTed as the JSON object of the alert file.

The receiver knows an alert by its `id`, so repeating is harmless and every doubt is a reason to.
"""

from http import HTTPStatus

import aiohttp
import msgspec
from msgspec.structs import replace

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.rules import EVERY_ALERT, Rules
from liqwatch.sinks.base import Delivery, RetryLater, SafeUrl, TopicsBy, Undeliverable

TIMEOUT_S = 10.0
MAX_RETRY_AFTER_S = 3600.0

_WORTH_A_RETRY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts to a program of yours."""

    url: SafeUrl
    """Where each alert is POSTed as JSON: https, or http on this machine."""

    rules: Rules | None = None
    """Which of them. null: every one."""


class WebhookSink:
    """POSTs to the address of `settings`, and follows no redirects: the address may be a secret."""

    name = "webhook"
    kind = ReceiverKind.PLAIN
    edit_gap_s = 0.0
    topics = TopicsBy.NONE
    pins_status = False

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        receiver: str = "webhook",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.receiver = receiver
        self.rules = settings.rules or EVERY_ALERT
        self._url = settings.url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    def wait_s(self, *, urgent: bool) -> float:
        """Return 0: the receiver says when it is too much."""
        del urgent
        return 0.0

    async def send(self, delivery: Delivery) -> None:
        """POST one alert; 2xx is success, 408, 425, 429 and 5xx are tried again.

        What is no alert, such as a summary of some, is not for programs.
        """
        if delivery.alert is None:
            return
        alert = replace(delivery.alert, text=delivery.text.plain())
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                self._url,
                data=msgspec.json.encode(alert),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            ) as answer:
                status, retry_after = answer.status, answer.headers.get("Retry-After")
        except aiohttp.InvalidURL:
            raise Undeliverable("the webhook's address is invalid", receiver_gone=True) from None
        except (
            aiohttp.ClientError,
            OSError,
            TimeoutError,
        ) as error:  # their texts hold the address
            raise RetryLater(f"webhook: {type(error).__name__}") from None
        _judge(status, retry_after)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _judge(status: int, retry_after: str | None) -> None:
    if 200 <= status < 300:
        return
    reason = f"webhook answered {status}"
    if status in _WORTH_A_RETRY or status >= 500:
        raise RetryLater(reason, _seconds(retry_after))
    raise Undeliverable(reason)


def _seconds(retry_after: str | None) -> float | None:
    # Only the form in seconds; to a date the usual backoff applies.
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(float(retry_after), MAX_RETRY_AFTER_S)
