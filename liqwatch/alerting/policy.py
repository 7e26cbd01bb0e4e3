"""Which messages an alert becomes for a receiver, and why."""

from liqwatch.alerting.intents import Intent, ReceiverKind, Role
from liqwatch.alerts import Alert, Kind, Severity

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
