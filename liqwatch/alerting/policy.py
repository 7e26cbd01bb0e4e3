"""Which messages an alert becomes for a receiver, and why."""

from enum import StrEnum

import msgspec

from liqwatch.alerts import Alert, Kind, Severity


class ReceiverKind(StrEnum):
    """What a receiver can do with the alerts of one story."""

    THREADED = "threaded"
    """Shows a story as one message that changes, with replies at the turning points."""

    PLAIN = "plain"
    """Takes one message an alert."""


class Role(StrEnum):
    """What a message is within its story."""

    ROOT = "root"
    REPLY = "reply"
    EDIT = "edit"
    ALONE = "alone"

    @property
    def rank(self) -> int:
        """Lower goes out first: the start of a story overtakes what waits, edits come last."""
        return {Role.ROOT: 0, Role.REPLY: 1, Role.ALONE: 1, Role.EDIT: 2}[self]


class Intent(msgspec.Struct, frozen=True):
    """A message to be: its role, whether it makes a sound, and why it is sent."""

    role: Role
    silent: bool
    reason: str


BEGINNINGS = frozenset({Kind.CASCADE_STARTED, Kind.FEED_DEGRADED})
TURNING_POINTS = frozenset(
    {Kind.CASCADE_STALLED, Kind.CASCADE_RESUMED, Kind.CASCADE_ENDED, Kind.FEED_RECOVERED}
)


def plan(alert: Alert, receiver: ReceiverKind) -> list[Intent]:
    """Return the messages that `alert` becomes for such a receiver.

    INFO is silent. An edit never makes a sound.
    """
    silent = alert.severity is Severity.INFO
    if receiver is ReceiverKind.PLAIN or alert.episode is None:
        return [Intent(Role.ALONE, silent, "every alert is sent")]
    if alert.kind in BEGINNINGS:
        return [Intent(Role.ROOT, silent, "a story begins")]
    if alert.kind in TURNING_POINTS:
        return [
            Intent(Role.REPLY, silent, "the story turns"),
            Intent(Role.EDIT, silent=True, reason="the first message shows the newest state"),
        ]
    return [Intent(Role.ALONE, silent, "every alert is sent")]
