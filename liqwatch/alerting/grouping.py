"""Coins that cascade together: from some number on they are one message.

When the engine calls them a story of the market, that story is told in the same message: as one
more member of the group.
"""

from msgspec.structs import replace

from liqwatch.alerting.desk import MINUTE_MS, MOST_MEMBERS, Desk, Story
from liqwatch.alerting.evidence import limit
from liqwatch.alerting.intents import Intent
from liqwatch.alerting.matter import TURNING_POINTS, Matter
from liqwatch.alerting.rules import Rules, graver
from liqwatch.alerting.telling import keep_telling, tell
from liqwatch.alerts import MARKET, Alert, Direction, Kind, Severity

GROUP = "market:"
REST_MS = 5 * MINUTE_MS  # a coin that starts so soon after the others' end belongs to them
STARTS = frozenset({Kind.CASCADE_STARTED, Kind.CASCADE_RESUMED})


def join(desk: Desk, alert: Alert, rules: Rules) -> None:
    """Put a cascade that starts into the group of its direction: the one that goes on, or a new
    one if enough others run, or the market's story says so. What has a message of its own already
    stays with it.
    """
    key = alert.episode or ""
    story = desk.stories[key]
    fits = alert.kind in STARTS and not story.told and not story.group
    if not fits or rules.group_after is None or story.direction is None:
        return
    group = _open(desk, story.direction, alert.time)
    if group is None:
        running = [
            one
            for one, cascade in desk.cascades(alert.time)
            if one != key and cascade.direction is story.direction
        ]
        enough = len({desk.stories[one].symbol for one in running}) >= rules.group_after
        if not enough and not alert.of_market:
            return
        group = GROUP + alert.id
        desk.stories[group] = Story(
            symbol=alert.symbol, direction=story.direction, heard_ms=alert.time
        )
        for one in running:
            _take(desk, group, one)
    _take(desk, group, key)
    if alert.of_market:
        desk.stories[group].critical_coins = round(limit(alert, "coins_critical") or 0)


def _take(desk: Desk, key: str, member: str) -> None:
    group, story = desk.stories[key], desk.stories[member]
    story.group = key
    group.members[member] = story.symbol
    if graver(story.severity, group.severity):
        group.severity = story.severity
    while len(group.members) > MOST_MEMBERS:
        del group.members[next(one for one, coin in group.members.items() if coin != MARKET)]


def speaks(desk: Desk, story: Story) -> bool:
    """Return whether the story belongs to a group that has a message."""
    return story.group in desk.stories and desk.stories[story.group].told


def tell_group(desk: Desk, key: str, matter: Matter, rules: Rules) -> list[Intent]:
    """Tell the group what became of one of its coins, or of the market."""
    group = desk.stories[key]
    reply = None
    if matter.kind in STARTS and _widespread(desk, group, matter.time_ms):
        matter = replace(matter, severity=Severity.CRITICAL)
    if group.ended:
        reply = "all of its cascades have ended"
    elif matter.symbol == MARKET and matter.kind in TURNING_POINTS:
        reply = "the market's story turns"
    elif graver(matter.severity, group.severity):
        reply = f"it became {matter.severity}"
    elif group.told and group.coins >= 2 * group.told_members:
        reply = f"{group.coins} coins cascade together"
    if matter.kind in STARTS and graver(group.severity, matter.severity):
        matter = replace(matter, severity=group.severity)
    return tell(desk, key, _of_several(matter), rules, reply=reply)


def keep_telling_group(desk: Desk, key: str, matter: Matter, rules: Rules) -> list[Intent]:
    """Show the running cascade of one of the group's coins."""
    group = desk.stories[key]
    worse = graver(matter.severity, group.severity)
    reply = f"it became {matter.severity}" if worse else None
    return keep_telling(desk, key, _of_several(matter), rules, reply=reply)


def hear_of_member(desk: Desk, key: str, now_ms: int) -> None:
    """Note that one of the group's coins was heard of."""
    group = desk.stories[key]
    group.heard_ms = max(group.heard_ms, now_ms)
    group.ended = not _any_runs(desk, group, now_ms)


def _of_several(matter: Matter) -> Matter:
    return replace(matter, several=True, forced_usd=0.0, rungs=None)


def _widespread(desk: Desk, group: Story, now_ms: int) -> bool:
    """Return whether so many coins cascade that it is critical, however grave each of them is."""
    running = {
        coin
        for key, coin in group.members.items()
        if coin != MARKET and key in desk.stories and desk.stories[key].runs(now_ms)
    }
    return 0 < group.critical_coins <= len(running)


def _any_runs(desk: Desk, group: Story, now_ms: int) -> bool:
    members = (desk.stories.get(key) for key in group.members)
    return any(story is not None and story.runs(now_ms) for story in members)


def _open(desk: Desk, direction: Direction, now_ms: int) -> str | None:
    """Return the group that goes on in this direction, or ended just now."""
    groups = ((key, one) for key, one in desk.stories.items() if one.members)
    for key, group in groups:
        goes_on = now_ms - group.heard_ms <= REST_MS or _any_runs(desk, group, now_ms)
        if group.direction is direction and goes_on:
            return key
    return None
