"""What a sink is. The sink classifies what went wrong, the outbox retries.

Exceptions a sink raises, each with a reason fit to be logged (no token, no address):

* `DeliveryError`
    * `RetryLater`: it surely did not arrive, and may later
    * `OutcomeUnknown`: it may have arrived
    * `Undeliverable`: it never arrives, however often it is tried
"""

from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.message import Text
from liqwatch.alerting.rules import Rules
from liqwatch.alerts import Alert
from liqwatch.store import Shown

# TLS, or this machine itself.
SafeUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)([/?]\S*)?$",
        description="an https:// address, or http:// on this machine",
    ),
]


class TopicsBy(StrEnum):
    """What gets a topic of its own."""

    NONE = "none"
    SYMBOL = "symbol"
    SEVERITY = "severity"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message, ready to go out.

    `edit` is a message to change instead of sending, `reply_to` one to hang it under, `picture` a
    PNG to go with an edit. `again`: an earlier attempt may have arrived. `topic` names the part of
    the receiver where it belongs. `pin`: only where, and so that, it stays in sight. `key` is what
    the message is remembered under, the story or the alert; None of one that nothing comes after.
    """

    text: Text
    alert: Alert | None = None  # the newest that it tells
    key: str | None = None
    silent: bool = False
    edit: Shown | None = None
    reply_to: int | None = None
    again: bool = False
    topic: str | None = None
    picture: bytes | None = None
    pin: bool = False


class Sink(Protocol):
    """A way to one receiver. `name` is for logs, `receiver` is the key of its queue on disk."""

    name: str
    receiver: str
    kind: ReceiverKind
    rules: Rules
    edit_gap_s: float  # least time between two edits
    topics: TopicsBy
    pins_status: bool  # it may be given messages to pin

    def wait_s(self, *, urgent: bool) -> float:
        """Return how long the receiver's limits ask to wait before the next message.

        Some room is left for what is urgent.
        """
        ...

    async def send(self, delivery: Delivery) -> Shown | None:
        """Deliver, and return where it is seen, if the receiver tells.

        Raises one of the errors above. An edit raises no OutcomeUnknown: it may be repeated.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class SinkError(Exception):
    """A sink cannot be made from its settings."""


class DeliveryError(Exception):
    """A delivery failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryLater(DeliveryError):  # noqa: N818 - its name says what to do
    """Try again, after `seconds` where a time is known: a `lasting` one counts after a restart."""

    def __init__(self, reason: str, seconds: float | None = None, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.lasting = lasting


class OutcomeUnknown(DeliveryError):  # noqa: N818 - a state, not a mistake
    """The connection broke after the message went out."""


class Undeliverable(DeliveryError):  # noqa: N818 - its name says what to do
    """Do not try again; with `receiver_gone`, nothing else to this receiver either."""

    def __init__(self, reason: str, *, receiver_gone: bool = False) -> None:
        super().__init__(reason)
        self.receiver_gone = receiver_gone
