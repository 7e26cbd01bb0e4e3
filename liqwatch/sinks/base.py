"""What a sink is. The sink classifies what went wrong, the outbox retries.

Exceptions a sink raises, each with a reason fit to be logged (no token, no address):

* `DeliveryError`
    * `RetryLater`: it surely did not arrive, and may later
    * `OutcomeUnknown`: it may have arrived
    * `Undeliverable`: it never arrives, however often it is tried
"""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerts import Alert

# TLS, or this machine itself.
SafeUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)([/?]\S*)?$",
        description="an https:// address, or http:// on this machine",
    ),
]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message, ready to go out.

    `edit` is the id of a message to change instead of sending, `reply_to` of one to hang it under.
    `again`: an earlier attempt may have arrived.
    """

    alert: Alert
    text: str
    silent: bool = False
    edit: int | None = None
    reply_to: int | None = None
    again: bool = False


class Sink(Protocol):
    """A way to one receiver. `name` is for logs, `receiver` is the key of its queue on disk."""

    name: str
    receiver: str
    kind: ReceiverKind
    edit_gap_s: float  # least time between two edits

    def wait_s(self) -> float:
        """Return how long the receiver's limits ask to wait before the next message."""
        ...

    async def send(self, delivery: Delivery) -> int | None:
        """Deliver, and return the id of the new message where the receiver gives one.

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
    """Try again, after `seconds` where the receiver named a time."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class OutcomeUnknown(DeliveryError):  # noqa: N818 - a state, not a mistake
    """The connection broke after the message went out."""


class Undeliverable(DeliveryError):  # noqa: N818 - its name says what to do
    """Do not try again; with `receiver_gone`, nothing else to this receiver either."""

    def __init__(self, reason: str, *, receiver_gone: bool = False) -> None:
        super().__init__(reason)
        self.receiver_gone = receiver_gone
