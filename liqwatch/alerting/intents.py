"""What the policy decides on for one receiver, and what the outbox keeps until it is delivered."""

from enum import StrEnum
from typing import Literal

import msgspec


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

    HELD = "held"
    """Not sent now: told in the receiver's next summary."""

    OFF = "off"
    """Not sent at all, by the receiver's own wish."""

    @property
    def rank(self) -> int:
        """Lower goes out first: the start of a story overtakes what waits, edits come last."""
        return {Role.ROOT: 0, Role.REPLY: 1, Role.ALONE: 2, Role.EDIT: 3}.get(self, 4)


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Said to one receiver of its own messages; no alert.

    `alerts` are the ids of those that were held back, oldest first, for the reason `why`.
    """

    why: Literal["quiet_hours", "budget", "mute", "digest", "late"]
    alerts: tuple[str, ...]
    since_ms: int
    until_ms: int
    subject: str | None = None  # what was muted, or whose budget was spent


class Intent(msgspec.Struct, frozen=True):
    """A message to be: its role, whether it makes a sound, and why it is (or is not) sent.

    `story` ties the messages of one story: the episode, or the group of several coins it is told
    in. Without a `remark` it shows the alert, or the running cascade, that was decided on.
    """

    role: Role
    silent: bool
    reason: str
    story: str | None = None
    remark: Remark | None = None
