"""What holds whatever a market does and whatever a receiver wishes."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_stage import MESSAGES, Receiver, alert, rungs, running

from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.policy import unmute
from liqwatch.alerting.quiet_hours import QuietHours
from liqwatch.alerting.rules import Budget, Route, Rules, SymbolRoutes
from liqwatch.alerts import MARKET, Alert, Direction, Kind, Severity

COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
SUBJECTS = (*COINS, MARKET)
WEEK_S = 7 * 86_400
DONE = frozenset({*MESSAGES, Role.EDIT, Role.OFF})

limits = st.none() | st.integers(1, 6)
routes = st.sampled_from(Route)
symbol_routes = st.builds(SymbolRoutes, warning=st.none() | routes, info=st.none() | routes)
quiet_hours = st.builds(
    QuietHours,
    from_=st.sampled_from(["09:00", "09:20", "23:00"]),
    to=st.sampled_from(["09:40", "12:00"]),
    floor=st.sampled_from(Severity),
    below=st.sampled_from(["silent", "held"]),
)
rules = st.builds(
    Rules,
    critical=routes,
    warning=routes,
    info=routes,
    kinds=st.dictionaries(st.sampled_from(Kind), routes, max_size=2),
    symbols=st.dictionaries(st.sampled_from(SUBJECTS), symbol_routes, max_size=2),
    quiet_hours=st.none() | quiet_hours,
    budget=st.builds(Budget, per_symbol_hour=limits, info_hour=limits),
    digest_every_s=st.sampled_from([60, 3600]),
    group_after=st.none() | st.integers(1, 3),
    inhibit=st.booleans(),
)
kinds = st.sampled_from(
    [
        Kind.CASCADE_STARTED,
        Kind.CASCADE_STARTED,
        Kind.CASCADE_STALLED,
        Kind.CASCADE_RESUMED,
        Kind.CASCADE_ENDED,
        Kind.LEVEL_APPROACHED,
        Kind.LEVEL_VERDICT,
        Kind.FEED_DEGRADED,
        Kind.FEED_RECOVERED,
    ]
)


class Step(NamedTuple):
    """Something that happens after `gap_s`."""

    what: str
    gap_s: int
    kind: Kind
    coin: str
    severity: Severity
    direction: Direction
    number: int

    @property
    def episode(self) -> str:
        return f"{self.coin}-{self.direction}-{self.number}"


def stories(*gaps_s: int) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        what=st.sampled_from(["alert"] * 6 + ["running"] * 3 + ["time", "mute", "unmute"]),
        gap_s=st.sampled_from(gaps_s),
        kind=kinds,
        coin=st.sampled_from(SUBJECTS),
        severity=st.sampled_from(Severity),
        direction=st.sampled_from(Direction),
        number=st.integers(1, 3),
    )
    return st.lists(step, max_size=60)


steps = stories(0, 1, 5, 30, 90, 600, 3000)
short_steps = stories(0, 1, 5, 30, 90)  # too short for a story to be forgotten and come again
kinds_of_receiver = st.sampled_from(ReceiverKind)


def heard(step: Step, now_s: float, *, name: str) -> Alert:
    one = alert(step.kind, step.coin, now_s, id=name, severity=step.severity)
    if step.kind in {Kind.FEED_DEGRADED, Kind.FEED_RECOVERED}:
        return replace(one, symbol="MARKET", episode=f"feed-{step.number}")
    episode = one.episode and step.episode
    return replace(one, episode=episode, direction=step.direction)


def play(someone: Receiver, story: list[Step], between: Callable[[], None]) -> list[Alert]:
    """Let it all happen, and time pass until every summary is due."""
    alerts = []
    now_s = 0
    for place, step in enumerate(story):
        now_s += step.gap_s
        match step.what:
            case "alert":
                one = heard(step, now_s, name=str(place))
                alerts.append(one)
                someone.hear(one)
            case "running" if step.coin != MARKET:
                numbers = running(
                    step.coin,
                    now_s,
                    episode=step.episode,
                    direction=step.direction,
                    severity=step.severity,
                    forced_usd_total=1e6 * (1 + now_s),
                    crossed=rungs(now_s // 600),
                )
                someone.follow(numbers)
            case "mute":
                scope = ({}, {"symbol": step.coin}, {"kind": step.kind})[step.number - 1]
                someone.mute(minutes=30, at_s=now_s, **scope)
            case "unmute" if someone.desk.silences:
                unmute(someone.desk, next(iter(someone.desk.silences)))
            case _:
                someone.wait_until(now_s)
        between()
    for later in range(8):  # a night may hold back what another hold had kept
        someone.wait_until(now_s + later * WEEK_S / 8)
    return alerts


def nothing() -> None:
    pass


@given(rules, kinds_of_receiver, steps)
@settings(max_examples=150, deadline=None)
def test_each_alert_is_told_or_shown_or_summed_up_once_or_off(
    wishes: Rules, kind: ReceiverKind, story: list[Step]
) -> None:
    someone = Receiver(wishes, kind)
    alerts = play(someone, story, nothing)
    summed_up = Counter(
        one for _, intent in someone.told if intent.remark for one in intent.remark.alerts
    )
    by_alert: dict[str, set[Role]] = {one.id: set() for one in alerts}
    for name, intent in someone.told:
        assert intent.reason
        if name is not None:
            by_alert[name].add(intent.role)

    for name, became in by_alert.items():
        assert became
        if Role.HELD in became:
            assert became == {Role.HELD}
            assert summed_up[name] == 1
        else:
            assert became <= DONE
            assert summed_up[name] == 0
    assert someone.desk.summaries == {}


@given(rules, kinds_of_receiver, steps)
@settings(max_examples=100, deadline=None)
def test_no_budget_holds_back_what_is_critical(
    wishes: Rules, kind: ReceiverKind, story: list[Step]
) -> None:
    someone = Receiver(wishes, kind)
    alerts = {one.id: one for one in play(someone, story, nothing)}

    for _, intent in someone.told:
        if intent.remark is not None and intent.remark.why == "budget":
            folded = {alerts[name].severity for name in intent.remark.alerts}
            assert Severity.CRITICAL not in folded


@given(rules, short_steps)
@settings(max_examples=100, deadline=None)
def test_the_messages_of_a_story_begin_with_its_only_root(wishes: Rules, story: list[Step]) -> None:
    someone = Receiver(wishes)
    play(someone, story, nothing)
    by_story: dict[str, list[Role]] = {}
    for _, intent in someone.told:
        if intent.story is not None and intent.role not in {Role.HELD, Role.OFF}:
            by_story.setdefault(intent.story, []).append(intent.role)

    for became in by_story.values():
        assert became[0] is Role.ROOT
        assert Role.ROOT not in became[1:]


@given(rules, kinds_of_receiver, steps)
@settings(max_examples=100, deadline=None)
def test_a_desk_cut_off_anywhere_goes_on_as_if_it_had_not_been(
    wishes: Rules, kind: ReceiverKind, story: list[Step]
) -> None:
    whole, cut = Receiver(wishes, kind), Receiver(wishes, kind)
    play(whole, story, nothing)
    play(cut, story, cut.restart)

    assert whole.told == cut.told


@given(rules, steps)
@settings(max_examples=100, deadline=None)
def test_edits_and_what_is_not_sent_never_make_a_sound(wishes: Rules, story: list[Step]) -> None:
    someone = Receiver(wishes)
    play(someone, story, nothing)

    for _, intent in someone.told:
        assert intent.silent or intent.role in MESSAGES
