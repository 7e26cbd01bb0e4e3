"""What receivers asked not to be told, as `control` sees it."""

from collections.abc import Callable, Sequence

from liqwatch.alerting import policy
from liqwatch.alerting.silences import Silence
from liqwatch.control.vocabulary import ControlError, Muted
from liqwatch.sinks.outbox import Outbox


class Mutes:
    """The silences at the desks of the outbox there is now. `now_ms` is market time."""

    def __init__(self, outbox: Callable[[], Outbox], now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._now_ms = now_ms

    def mute(self, receiver: str | None, silence: Silence) -> None:
        """Tell a receiver (None: every one) nothing of that. Raises ControlError."""
        for one in self._meant(receiver):
            self._outbox().change(one, lambda desk: policy.mute(desk, silence))

    def unmute(self, receiver: str, silence_id: str) -> None:
        """End a silence of a receiver. Raises ControlError."""
        for one in self._meant(receiver):
            self._outbox().change(one, lambda desk: policy.unmute(desk, silence_id))

    def mutes(self, receiver: str | None) -> Sequence[Muted]:
        """Return what a receiver (None: each) is not told now. Raises ControlError."""
        return [
            Muted(one, silence)
            for one in self._meant(receiver)
            for silence in policy.silences(self._outbox().desk(one), self._now_ms())
        ]

    def _meant(self, receiver: str | None) -> Sequence[str]:
        known = self._outbox().receivers
        if receiver is not None and receiver not in known:
            raise ControlError(f"nobody is told of alerts as {receiver}")
        return known if receiver is None else [receiver]
