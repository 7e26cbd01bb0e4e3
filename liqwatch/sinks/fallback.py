"""The second channel: what cannot wait goes there while Telegram fails."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.alerting.intents import Intent, Role
from liqwatch.alerting.rules import graver
from liqwatch.alerts import Severity
from liqwatch.sinks.base import Sink
from liqwatch.sinks.courier import Courier
from liqwatch.sinks.notes import unreachable
from liqwatch.sinks.timing import Timing
from liqwatch.sinks.webhook import WebhookSettings
from liqwatch.store import Deliveries, Due, Queued

LOOK_EVERY_S = 1.0


class FallbackSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told while Telegram cannot be reached: exactly one of `url_file` and `webhook`."""

    after_s: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    """Telegram has failed for so long."""

    severity: Severity = Severity.WARNING
    """Only what is at least so grave."""

    url_file: str | None = None
    """A file, which only you may read, with an address of Apprise: `ntfys://your-topic`, mail, SMS
    and a hundred others (https://github.com/caronc/apprise/wiki)."""

    webhook: WebhookSettings | None = None


class Fallback(msgspec.Struct, frozen=True):
    """The way there, and when it is taken."""

    sink: Sink
    settings: FallbackSettings


class Takeover:
    """Copies what waits for Telegram to the second channel, each alert once, while it is news."""

    def __init__(
        self,
        fallback: Fallback,
        watched: Sequence[Courier],
        second: Courier,
        deliveries: Deliveries,
        timing: Timing,
    ) -> None:
        self._settings = fallback.settings
        self._watched = watched
        self._second = second
        self._deliveries = deliveries
        self._timing = timing

    async def run(self) -> None:
        """Look after Telegram until cancelled."""
        while True:
            await self._timing.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Take over what waits, if Telegram has been failing for too long."""
        failing_s = self._failing_s()
        if failing_s is None or failing_s < self._settings.after_s:
            return
        since_ms = self._timing.now_ms() - round(1000 * failing_s)
        taken: dict[str, Queued] = {}
        for courier in self._watched:
            if courier.failing_since_s is not None:
                for due in self._deliveries.waiting(courier.sink.receiver):
                    if (message := self._taken(due, since_ms)) is not None:
                        taken[message.alert or ""] = message
        if taken:
            self._deliveries.add(list(taken.values()))
            self._second.wake()

    def _failing_s(self) -> float | None:
        """Return how long no chat could be reached; None while one can."""
        since = [one.failing_since_s for one in self._watched if one.failing_since_s is not None]
        if not since or max(one.worked_at_s for one in self._watched) > min(since):
            return None
        return self._timing.monotonic() - min(since)

    def _taken(self, due: Due, since_ms: int) -> Queued | None:
        receiver = self._second.sink.receiver
        if due.alert is None or due.role is Role.EDIT:
            return None
        if graver(self._settings.severity, due.alert.severity):
            return None
        if self._second.is_late(due) or self._deliveries.told(receiver, due.alert):
            return None
        return Queued(
            receiver=receiver,
            intent=Intent(Role.ALONE, due.silent, "Telegram cannot be reached"),
            time_ms=due.time_ms,
            alert=due.alert.id,
            note=unreachable(since_ms, self._second.sink.rules.language),
        )
