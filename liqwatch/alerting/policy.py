"""Which messages alerts become for one receiver, and why: pure decisions at its `Desk`.

A cascade is one message that changes, with replies at its turning points; coins that cascade
together are one. What is not sent is held for a summary, or off by the receiver's own rules; each
decision says why. Times are market time, in ms since the Unix epoch.
"""

from liqwatch.alerting import grouping
from liqwatch.alerting.desk import MINUTE_MS, MOST_SILENCES, Desk, Story, Summary
from liqwatch.alerting.intents import Intent, ReceiverKind, Remark, Role
from liqwatch.alerting.matter import Matter, tells_story
from liqwatch.alerting.rules import Route, Rules, graver
from liqwatch.alerting.ruling import (
    carry_out,
    holds_at_night,
    in_digest,
    muted,
    quiet_until_ms,
    weigh,
)
from liqwatch.alerting.silences import LEVEL_KINDS, Silence
from liqwatch.alerting.telling import keep_telling, show, tell
from liqwatch.alerts import Alert, Kind, Running, Severity

TURNS = "the story turns"
ESCALATION_GAP_MS = MINUTE_MS  # a person reads before being told more


def decide(desk: Desk, alert: Alert, rules: Rules, kind: ReceiverKind) -> list[Intent]:
    """Return what becomes of a new alert for this receiver; never nothing."""
    desk.hear(alert)
    if kind is ReceiverKind.THREADED and tells_story(alert):
        return _story(desk, alert, rules)
    return [_alone(desk, alert, rules, kind)]


def follow(desk: Desk, running: Running, rules: Rules, kind: ReceiverKind) -> list[Intent]:
    """Return what becomes of the newest numbers of a cascade that goes on.

    Where nothing is returned, all that may have changed at the desk is when it was last heard of.
    """
    story = desk.stories.get(running.episode)
    if story is None or story.ended:
        return []
    if running.time - story.heard_ms >= MINUTE_MS:
        story.heard_ms = running.time
    if kind is ReceiverKind.PLAIN:
        return []
    matter = Matter.of_running(running)
    intents = []
    if story.told or not story.group:
        alone = story.told and not grouping.speaks(desk, story)
        reply = _escalation(story, matter, rules) if alone else None
        intents = keep_telling(desk, running.episode, matter, rules, reply=reply)
        _know_from_now_on(story, matter, intents)
    if story.group in desk.stories:
        intents += grouping.keep_telling_group(desk, story.group, matter, rules)
    return intents


def pass_time(desk: Desk, now_ms: int, rules: Rules, kind: ReceiverKind) -> list[Intent]:
    """Return the summaries that are due: of digests, nights, spent budgets, mutes that ended."""
    del kind  # a remark is a message of its own for every kind of receiver
    for silence in [one for one in desk.silences.values() if one.until_ms <= now_ms]:
        del desk.silences[silence.id]
        desk.summarise(muted(silence), silence.since_ms)  # also where it held back nothing
    asleep = holds_at_night(rules) and quiet_until_ms(rules, Severity.INFO, now_ms) is not None
    intents = []
    for key, summary in list(desk.summaries.items()):
        if summary.due_ms <= now_ms and (summary.loud or not asleep):
            del desk.summaries[key]
            intents.append(_summed_up(summary, now_ms))
    return intents


def mute(desk: Desk, silence: Silence) -> None:
    """Mute; what is muted already is muted until the new time."""
    desk.silences[silence.id] = silence
    if (summary := desk.summaries.get(muted(silence).key)) is not None:
        summary.due_ms = silence.until_ms
    while len(desk.silences) > MOST_SILENCES:
        unmute(desk, min(desk.silences.values(), key=lambda one: one.until_ms).id)


def unmute(desk: Desk, silence_id: str) -> Silence | None:
    """End a silence before its time and return it; None: there is none.

    What it held back is told when time next passes.
    """
    silence = desk.silences.pop(silence_id, None)
    if silence is not None and (summary := desk.summaries.get(muted(silence).key)) is not None:
        summary.due_ms = 0
    return silence


def silences(desk: Desk, now_ms: int) -> list[Silence]:
    """Return what is muted, what ends first first."""
    in_force = (one for one in desk.silences.values() if now_ms < one.until_ms)
    return sorted(in_force, key=lambda one: (one.until_ms, one.id))


def episodes(desk: Desk, story: str) -> list[str]:
    """Return the episodes that a story's message shows: its own, or those of a group's coins."""
    known = desk.stories.get(story)
    return list(known.members) if known is not None and known.members else [story]


def _story(desk: Desk, alert: Alert, rules: Rules) -> list[Intent]:
    key, matter = alert.episode or "", Matter.of(alert)
    if rules.route(matter.symbol, matter.kind, matter.severity)[0] is not Route.OFF:
        grouping.join(desk, alert, rules)
    story = desk.stories[key]
    if story.group not in desk.stories:
        return tell(desk, key, matter, rules, reply=TURNS)
    grouping.hear_of_member(desk, story.group, alert.time)
    if not story.told:
        return grouping.tell_group(desk, story.group, matter, rules)
    if not grouping.speaks(desk, story):
        return tell(desk, key, matter, rules, reply=TURNS)
    # The group replies for its coins: of a coin's own message only the end is worth another one.
    intents = tell(desk, key, matter, rules, reply=TURNS if story.ended else None)
    return intents + grouping.tell_group(desk, story.group, matter, rules)


def _summed_up(summary: Summary, now_ms: int) -> Intent:
    remark = Remark(
        why=summary.why,
        alerts=tuple(summary.alerts),
        since_ms=summary.since_ms,
        until_ms=now_ms,
        subject=summary.subject,
    )
    reason = f"sums up what was held back: {summary.why.replace('_', ' ')}"
    return Intent(Role.ALONE, not summary.loud, reason, remark=remark)


def _alone(desk: Desk, alert: Alert, rules: Rules, kind: ReceiverKind) -> Intent:
    matter = Matter.of(alert)
    ruling = weigh(desk, matter, rules)
    if ruling.role is not Role.OFF and rules.inhibit and alert.kind in LEVEL_KINDS:
        running = [key for key, one in desk.cascades(alert.time) if one.symbol == alert.symbol]
        shown = next(filter(None, map(desk.shown_in, running)), None)
        if shown is not None and kind is ReceiverKind.THREADED:
            return show(desk, shown, alert.time, f"{alert.symbol} cascades: its message shows it")
        reason = f"{alert.symbol} cascades" if running else _deaf(desk, alert)
        if ruling.sends and reason is not None:
            ruling = in_digest(matter, rules, reason)
    return carry_out(desk, matter, ruling)


def _deaf(desk: Desk, alert: Alert) -> str | None:
    """Say why what is said of a level cannot be relied on now, if so."""
    venues = alert.evidence.get("feeds")
    if not venues:
        return "no venue is heard" if desk.all_deaf else None
    needed = {"trades"} if alert.kind is Kind.LEVEL_APPROACHED else {"trades", "liquidations"}
    if all(needed & {*desk.deaf.get(venue, ())} for venue in venues):
        return f"it rests on feeds that fail: {', '.join(venues)}"
    return None


def _escalation(story: Story, matter: Matter, rules: Rules) -> str | None:
    """Say why a running cascade deserves to be told of again."""
    if graver(matter.severity, story.severity):
        return f"it became {matter.severity}"
    if matter.time_ms - story.decided_ms < ESCALATION_GAP_MS:
        return None
    if story.told_usd and matter.forced_usd >= max(2 * story.told_usd, rules.escalate_usd):
        return "forced orders have doubled since it was last told of"
    rungs = story.told_rungs
    if matter.severity is Severity.CRITICAL and rungs is not None and (matter.rungs or 0) > rungs:
        return "it crossed the next level"
    return None


def _know_from_now_on(story: Story, matter: Matter, intents: list[Intent]) -> None:
    """Compare with the first numbers shown where the start had none."""
    if intents:
        story.told_usd = story.told_usd or matter.forced_usd
        story.told_rungs = matter.rungs if story.told_rungs is None else story.told_rungs
