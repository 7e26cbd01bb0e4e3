"""One story as one message: its root, replies at the turning points, edits for everything else."""

from liqwatch.alerting.desk import Desk, Story, last_hour
from liqwatch.alerting.intents import Intent, Role
from liqwatch.alerting.matter import Matter
from liqwatch.alerting.rules import Rules, graver
from liqwatch.alerting.ruling import Ruling, carry_out, weigh
from liqwatch.alerts import Kind

MOST_REPLIES = 5  # an hour, the last of them kept for the end: a story has six messages at most
EDIT_GAP_MS = 3_000  # a message that is read should not jump


def tell(
    desk: Desk, key: str, matter: Matter, rules: Rules, *, reply: str | None = None
) -> list[Intent]:
    """Tell a story, or go on with it; `reply` says what is worth a message of its own."""
    if desk.stories[key].told:
        return _go_on(desk, key, matter, rules, reply)
    return [_begin(desk, key, matter, rules)]


def keep_telling(
    desk: Desk, key: str, matter: Matter, rules: Rules, *, reply: str | None
) -> list[Intent]:
    """Go on with the story of a running cascade, where there is something new to show.

    A story that was held back, or off, begins here if it has become graver and now may be told.
    """
    story = desk.stories[key]
    if not story.told:
        ripe = graver(matter.severity, story.severity) and weigh(desk, matter, rules).sends
        return [_begin(desk, key, matter, rules)] if ripe else []
    may_reply = reply is not None and _reply_ruling(desk, story, matter, rules).sends
    if not may_reply and matter.time_ms - story.edited_ms < EDIT_GAP_MS:
        return []
    return _go_on(desk, key, matter, rules, reply)


def show(desk: Desk, key: str, now_ms: int, reason: str) -> Intent:
    """Edit a story's message."""
    desk.stories[key].edited_ms = now_ms
    return Intent(Role.EDIT, silent=True, reason=reason, story=key)


def _begin(desk: Desk, key: str, matter: Matter, rules: Rules) -> Intent:
    story = desk.stories[key]
    ruling = _beginning_ruling(desk, story, matter) or weigh(desk, matter, rules)
    intent = carry_out(desk, matter, ruling, story=key, role=Role.ROOT, why="a story begins")
    story.fate = intent.role
    story.summary = ruling.place.key if ruling.place is not None else ""
    _remember(story, matter, told=ruling.sends)
    story.edited_ms = matter.time_ms
    return intent


def _beginning_ruling(desk: Desk, story: Story, matter: Matter) -> Ruling | None:
    """Return the ruling of a story whose beginning was not told: it has that one's fate, until it
    becomes graver, or the beginning has been summed up.
    """
    if graver(matter.severity, story.severity) or matter.kind is Kind.CASCADE_STARTED:
        return None
    if story.fate is Role.OFF:
        return Ruling(Role.OFF, "its story was off from the beginning")
    if (place := desk.waits_in(story)) is not None:
        return Ruling(Role.HELD, "the beginning of its story waits, too", place=place)
    return None


def _go_on(desk: Desk, key: str, matter: Matter, rules: Rules, reply: str | None) -> list[Intent]:
    story = desk.stories[key]
    if reply is None:
        return [show(desk, key, matter.time_ms, "its message shows the newest state")]
    ruling = _reply_ruling(desk, story, matter, rules)
    if not ruling.sends:
        reason = f"{ruling.reason}: only its message shows it"
        return [show(desk, key, matter.time_ms, reason)]
    story.replies_ms = [*last_hour(story.replies_ms, matter.time_ms), matter.time_ms]
    _remember(story, matter, told=True)
    return [
        carry_out(desk, matter, ruling, story=key, role=Role.REPLY, why=reply),
        show(desk, key, matter.time_ms, "its message shows the newest state"),
    ]


def _reply_ruling(desk: Desk, story: Story, matter: Matter, rules: Rules) -> Ruling:
    most = MOST_REPLIES if story.ended else MOST_REPLIES - 1
    if len(last_hour(story.replies_ms, matter.time_ms)) >= most:
        return Ruling(Role.HELD, "the story has had its replies of this hour")
    return weigh(desk, matter, rules)


def _remember(story: Story, matter: Matter, *, told: bool) -> None:
    if graver(matter.severity, story.severity):
        story.severity = matter.severity
    story.decided_ms = matter.time_ms
    if told:
        story.told_usd = max(story.told_usd, matter.forced_usd)
        story.told_rungs = matter.rungs if matter.rungs is not None else story.told_rungs
        story.told_members = story.coins
