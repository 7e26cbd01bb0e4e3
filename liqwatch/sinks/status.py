"""How the daemon is, on a message that stays in sight and is changed without a sound."""

from collections.abc import Callable

from liqwatch.alerting.catalogues import Language
from liqwatch.alerting.message import Text
from liqwatch.sinks.base import Delivery, Sink
from liqwatch.sinks.timing import Timing
from liqwatch.store import Deliveries, Shown

EVERY_S = 60.0
STATUS = "status"  # what its message is remembered under

Status = Callable[[Language], str]
"""Says in a language how it is."""


class Board:
    """The status message of one receiver, brought up to date each minute."""

    def __init__(self, sink: Sink, deliveries: Deliveries, status: Status, timing: Timing) -> None:
        self._sink = sink
        self._deliveries = deliveries
        self._status = status
        self._timing = timing
        self._next_s: float | None = timing.monotonic()
        self._seen = self._told = ""

    def wait_s(self) -> float | None:
        """Return how long it is still up to date; None: for ever."""
        return None if self._next_s is None else self._next_s - self._timing.monotonic()

    def delivery(self) -> Delivery | None:
        """Return the message as it should be; None where it is so already."""
        self._next_s = self._timing.monotonic() + EVERY_S
        text = self._status(self._sink.rules.language)
        if text == self._seen:
            return None
        self._told = text
        shown = self._deliveries.shown(self._sink.receiver, STATUS)
        return Delivery(
            text=Text(text, language=self._sink.rules.language), silent=True, edit=shown, pin=True
        )

    def shown(self, shown: Shown | None) -> None:
        """Remember where it is seen."""
        self._seen = self._told
        if shown is not None:
            self._deliveries.remember(self._sink.receiver, STATUS, shown)

    def give_up(self) -> None:
        """Show nothing there any more."""
        self._next_s = None
