"""Whether a receiver is told something now, by its rules, its mutes, the hour and its budget."""

from typing import NamedTuple

from liqwatch.alerting.desk import Desk, Place, last_hour
from liqwatch.alerting.intents import Intent, Role
from liqwatch.alerting.matter import Matter
from liqwatch.alerting.numbers import utc
from liqwatch.alerting.rules import Budget, Route, Rules, graver
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import MARKET, Kind, Severity

ANSWERS = frozenset({Kind.CONFIG_APPLIED, Kind.CONFIG_REJECTED})  # somebody waits for them


class Ruling(NamedTuple):
    """What the rules say: ALONE, it may be sent, in whatever role; HELD, in `place`; or OFF."""

    role: Role
    reason: str
    silent: bool = True
    place: Place | None = None

    @property
    def sends(self) -> bool:
        """Whether a message may go out."""
        return self.role is Role.ALONE


def weigh(desk: Desk, matter: Matter, rules: Rules) -> Ruling:
    """Hold a matter against everything that may keep it from being told, the surest first."""
    route, whose = rules.route(matter.symbol, matter.kind, matter.severity)
    if route is Route.OFF:
        return Ruling(Role.OFF, f"{whose} are off")
    if route is Route.DIGEST:
        return in_digest(matter, rules, f"{whose} go to the digest")
    loud = route is Route.LOUD
    if (silence := _muting(desk, matter)) is not None:
        critical = loud and matter.severity is Severity.CRITICAL
        return _held(
            muted(silence, loud=critical),
            f"{silence.subject or 'everything'} is muted by {silence.who}"
            f" until {utc(silence.until_ms, '%H:%M')} UTC",
        )
    if (until_ms := quiet_until_ms(rules, matter.severity, matter.time_ms)) is not None:
        if holds_at_night(rules):
            place = Place("quiet hours", "quiet_hours", None, until_ms)
            return _held(place, f"quiet hours until {utc(until_ms, '%H:%M')} UTC")
        loud, whose = False, f"in quiet hours {whose}"
    if (spent := _spent(desk, matter, rules.budget)) is not None:
        due_ms = matter.time_ms + rules.digest_every_s * 1000
        return _held(Place("budget", "budget", matter.symbol, due_ms), spent)
    return Ruling(Role.ALONE, f"{whose} are {'loud' if loud else 'silent'}", not loud)


def carry_out(
    desk: Desk,
    matter: Matter,
    ruling: Ruling,
    *,
    story: str | None = None,
    role: Role = Role.ALONE,
    why: str = "",
) -> Intent:
    """Do at the desk what a ruling says; a message that may go out becomes one of that role."""
    if ruling.sends:
        if _counts(matter):
            desk.spend(matter)
        reason = f"{why}; {ruling.reason}" if why else ruling.reason
        return Intent(role, ruling.silent, reason, story)
    if ruling.place is not None and matter.alert is not None:
        desk.hold(ruling.place, matter.alert, matter.time_ms)
    return Intent(ruling.role, silent=True, reason=ruling.reason, story=story)


def in_digest(matter: Matter, rules: Rules, reason: str) -> Ruling:
    """Rule that a matter waits for the next digest."""
    due_ms = matter.time_ms + rules.digest_every_s * 1000
    return _held(Place("digest", "digest", None, due_ms), reason)


def quiet_until_ms(rules: Rules, severity: Severity, now_ms: int) -> int | None:
    """Return when the quiet hours end that keep such a severity from sounding now."""
    quiet = rules.quiet_hours
    if quiet is None or not graver(quiet.floor, severity):
        return None
    return quiet.until_ms(now_ms)


def holds_at_night(rules: Rules) -> bool:
    """Return whether quiet hours hold back, rather than only silence."""
    return rules.quiet_hours is not None and rules.quiet_hours.below == "held"


def muted(silence: Silence, *, loud: bool = False) -> Place:
    """Return where that is told which a silence held back."""
    return Place(f"mute {silence.id}", "mute", silence.subject, silence.until_ms, loud)


def _held(place: Place, reason: str) -> Ruling:
    return Ruling(Role.HELD, reason, place=place)


def _muting(desk: Desk, matter: Matter) -> Silence | None:
    # Of several the one that lasts longest: nothing is told while another still mutes it.
    # Who mutes the market means cascades: feeds that fail go by its name, too.
    symbol = None if matter.symbol == MARKET else matter.symbol
    symbol = MARKET if matter.several else symbol
    muting = (
        silence
        for silence in desk.silences.values()
        if matter.time_ms < silence.until_ms and silence.covers(symbol, matter.kind, matter.level)
    )
    return max(muting, key=lambda silence: silence.until_ms, default=None)


def _counts(matter: Matter) -> bool:
    return not matter.several and matter.kind not in ANSWERS


def _spent(desk: Desk, matter: Matter, budget: Budget) -> str | None:
    """Say which budget is spent, None if it is not, or does not count here."""
    if matter.severity is Severity.CRITICAL or not _counts(matter):
        return None
    symbol, now_ms = matter.symbol, matter.time_ms
    most, chatter = budget.per_symbol_hour, 0
    if matter.is_chatter:
        chatter = len(last_hour(desk.chatter_ms.get(symbol, ()), now_ms))
    if most is not None:
        sent = len(last_hour(desk.sent_ms.get(symbol, ()), now_ms))
        if sent >= most or chatter >= (most + 1) // 2:
            return f"the budget of {symbol}, {most} messages an hour, is spent"
    if matter.is_chatter and budget.info_hour is not None:
        of_all = sum(len(last_hour(times, now_ms)) for times in desk.chatter_ms.values())
        if of_all >= budget.info_hour:
            return f"the budget of info alerts, {budget.info_hour} an hour, is spent"
    return None
