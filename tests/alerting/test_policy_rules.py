from datetime import datetime

import pytest
from msgspec.structs import replace
from policy_stage import DAWN_MS, Receiver, alert, roles, running

from liqwatch.alerting.desk import MOST_HELD, MOST_SILENCES
from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.policy import silences, unmute
from liqwatch.alerting.quiet_hours import QuietHours
from liqwatch.alerting.rules import EVERY_ALERT, Budget, Route, Rules, SymbolRoutes
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import Kind, Level, Severity

ROOT, REPLY, EDIT, ALONE, HELD, OFF = (
    Role.ROOT,
    Role.REPLY,
    Role.EDIT,
    Role.ALONE,
    Role.HELD,
    Role.OFF,
)
START, STALL, END = Kind.CASCADE_STARTED, Kind.CASCADE_STALLED, Kind.CASCADE_ENDED
APPROACH, VERDICT = Kind.LEVEL_APPROACHED, Kind.LEVEL_VERDICT
NIGHT = QuietHours(from_="08:30", to="10:00")  # it is 09:00 at dawn


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


# -- routes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "role", "silent"),
    [
        (Route.LOUD, ALONE, False),
        (Route.SILENT, ALONE, True),
        (Route.DIGEST, HELD, True),
        (Route.OFF, OFF, True),
    ],
)
def test_each_severity_goes_where_its_route_leads(route: Route, role: Role, silent: bool) -> None:
    for severity in Severity:
        someone = Receiver(replace(Rules(), **{severity.value: route}))

        (intent,) = someone.hear(alert(APPROACH, severity=severity))

        assert (intent.role, intent.silent) == (role, silent)
        assert severity in intent.reason


def test_a_coins_own_route_stands_above_that_of_the_kind_and_that_above_the_severity() -> None:
    someone = Receiver(
        Rules(
            info=Route.OFF,
            kinds={APPROACH: Route.SILENT},
            symbols={"BTC": SymbolRoutes(info=Route.LOUD)},
        )
    )

    assert roles(someone.hear(alert(VERDICT, "ETH"))) == [OFF]
    (of_kind,) = someone.hear(alert(APPROACH, "ETH"))
    (of_coin,) = someone.hear(alert(APPROACH, "BTC"))
    assert (of_kind.role, of_kind.silent) == (ALONE, True)
    assert (of_coin.role, of_coin.silent) == (ALONE, False)


def test_the_digest_comes_after_its_time_and_lists_what_waited() -> None:
    someone = Receiver(Rules(info=Route.DIGEST, digest_every_s=1800))
    someone.hear(alert(APPROACH), alert(VERDICT, "ETH", 60))

    assert someone.wait_until(1799) == []
    (summary,) = someone.wait_until(1800)
    assert summary.remark is not None
    assert summary.remark.why == "digest"
    assert len(summary.remark.alerts) == 2
    assert summary.silent
    assert someone.wait_until(9999) == []


def test_the_later_turns_of_a_story_go_where_its_beginning_went() -> None:
    off = Receiver(Rules(warning=Route.OFF))
    digest = Receiver(Rules(warning=Route.DIGEST))
    start, stall, end = (
        alert(kind, at_s=at_s, severity=severity)
        for kind, at_s, severity in (
            (START, 0, Severity.WARNING),
            (STALL, 60, Severity.WARNING),
            (END, 90, Severity.INFO),
        )
    )

    assert [roles(off.hear(one)) for one in (start, stall, end)] == [[OFF]] * 3
    assert [roles(digest.hear(one)) for one in (start, stall, end)] == [[HELD]] * 3


def test_a_message_shows_the_end_also_where_ends_are_off() -> None:
    someone = Receiver(Rules(info=Route.OFF))

    assert roles(someone.hear(alert(START), alert(END, at_s=60))) == [EDIT]


# -- quiet hours --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2025-07-01T22:59:59+02:00", None),
        ("2025-07-01T23:00:00+02:00", "2025-07-02T07:00:00+02:00"),
        ("2025-07-02T06:59:59+02:00", "2025-07-02T07:00:00+02:00"),
        ("2025-07-02T07:00:00+02:00", None),
        # A night of nine hours, and one of seven.
        ("2025-10-25T23:30:00+02:00", "2025-10-26T07:00:00+01:00"),
        ("2025-03-29T23:30:00+01:00", "2025-03-30T07:00:00+02:00"),
    ],
)
def test_quiet_hours_are_those_of_the_receivers_own_clock(now: str, until: str | None) -> None:
    quiet = QuietHours(from_="23:00", to="07:00", time_zone="Europe/Berlin")

    assert quiet.until_ms(ms(now)) == (until and ms(until))


def test_an_end_that_clocks_repeat_comes_the_first_time_and_only_once() -> None:
    quiet = QuietHours(from_="23:00", to="02:30", time_zone="Europe/Berlin")

    assert quiet.until_ms(ms("2025-10-26T02:29:00+02:00")) == ms("2025-10-26T02:30:00+02:00")
    assert quiet.until_ms(ms("2025-10-26T02:15:00+01:00")) is None


def test_an_end_that_clocks_skip_comes_as_if_they_had_not_changed() -> None:
    quiet = QuietHours(from_="23:00", to="02:30", time_zone="Europe/Berlin")

    assert quiet.until_ms(ms("2025-03-30T01:59:00+01:00")) == ms("2025-03-30T02:30:00+01:00")


def test_quiet_hours_within_one_day() -> None:
    quiet = QuietHours(from_="13:00", to="14:00")

    assert quiet.until_ms(ms("2025-07-01T13:30:00+00:00")) == ms("2025-07-01T14:00:00+00:00")
    assert quiet.until_ms(ms("2025-07-01T12:30:00+00:00")) is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        QuietHours(time_zone=zone)


def test_quiet_hours_that_end_as_they_begin_are_refused() -> None:
    with pytest.raises(ValueError, match="none"):
        QuietHours(from_="07:00", to="07:00")


def test_at_night_only_what_is_at_the_floor_sounds() -> None:
    someone = Receiver(Rules(quiet_hours=NIGHT))

    (critical,) = someone.hear(alert(START))
    (warning,) = someone.hear(alert(START, "ETH", severity=Severity.WARNING))

    assert not critical.silent
    assert (warning.role, warning.silent) == (ROOT, True)
    assert "quiet hours" in warning.reason


def test_what_is_held_at_night_is_told_in_the_morning() -> None:
    someone = Receiver(Rules(quiet_hours=replace(NIGHT, below="held")))
    someone.hear(alert(START, severity=Severity.WARNING), alert(APPROACH, "ETH", 60))

    assert roles([intent for _, intent in someone.told]) == [HELD, HELD]
    assert someone.wait_until(3599) == []
    (morning,) = someone.wait_until(3600)
    assert morning.remark is not None
    assert morning.remark.why == "quiet_hours"
    assert len(morning.remark.alerts) == 2


def test_a_story_held_at_night_wakes_when_it_becomes_critical() -> None:
    someone = Receiver(Rules(quiet_hours=replace(NIGHT, below="held")))
    someone.hear(alert(START, severity=Severity.WARNING))

    (root,) = someone.follow(running(at_s=15))

    assert (root.role, root.silent) == (ROOT, False)


def test_summaries_that_are_due_at_night_wait_for_the_morning_with_the_rest() -> None:
    someone = Receiver(
        Rules(
            kinds={VERDICT: Route.DIGEST},
            digest_every_s=60,
            quiet_hours=replace(NIGHT, below="held"),
        )
    )
    someone.hear(alert(VERDICT), alert(APPROACH))

    assert someone.wait_until(1800) == []
    assert len(someone.wait_until(3600)) == 2


# -- mutes --------------------------------------------------------------------------------------


def test_a_mute_holds_also_what_is_critical_and_its_end_tells_of_it_aloud() -> None:
    someone = Receiver()
    someone.mute(minutes=60, symbol="BTC")

    (held,) = someone.hear(alert(START, at_s=60))
    assert held.role is HELD
    assert "BTC is muted by @x until 10:00 UTC" in held.reason
    assert roles(someone.hear(alert(START, "ETH", 70))) == [ROOT]
    assert someone.wait_until(3599) == []
    (summary,) = someone.wait_until(3600)
    assert summary.remark is not None
    assert (summary.remark.why, summary.remark.subject) == ("mute", "BTC")
    assert summary.remark.alerts == (alert(START, at_s=60).id,)
    assert not summary.silent
    assert someone.wait_until(3700) == []


def test_the_end_of_a_mute_is_told_silently_where_nothing_critical_was_held() -> None:
    someone = Receiver()
    someone.mute(minutes=1, symbol="BTC")

    (summary,) = someone.wait_until(60)

    assert summary.silent
    assert summary.remark is not None
    assert summary.remark.alerts == ()
    assert roles(someone.hear(alert(START, at_s=61))) == [ROOT]


def test_a_mute_that_is_over_holds_nothing_also_before_its_end_was_told() -> None:
    someone = Receiver()
    someone.mute(minutes=1, symbol="BTC")

    assert roles(someone.hear(alert(START, at_s=60))) == [ROOT]


def test_unmuting_tells_what_was_held_back() -> None:
    someone = Receiver()
    silence = someone.mute(symbol="BTC")
    someone.hear(alert(START))

    assert unmute(someone.desk, silence.id) == silence
    assert unmute(someone.desk, silence.id) is None
    assert someone.desk.silences == {}
    assert len(someone.wait_until(1)) == 1


def test_a_mute_stops_replies_but_not_the_edits_of_what_is_shown_already() -> None:
    someone = Receiver()
    someone.hear(alert(START))
    someone.mute(symbol="BTC")

    assert roles(someone.hear(alert(STALL, at_s=10))) == [EDIT]
    assert roles(someone.follow(running(at_s=70, forced_usd_total=1e9))) == [EDIT]


def test_a_coins_mute_never_hides_the_story_of_several_coins() -> None:
    someone = Receiver()
    for coin in ("BTC", "ETH", "SOL"):
        someone.mute(symbol=coin)
    someone.hear(alert(START, "BTC"), alert(START, "ETH", 5))

    (group,) = someone.hear(alert(START, "SOL", 10))

    assert (group.role, group.silent) == (ROOT, False)
    someone.mute()
    assert roles(someone.hear(alert(START, "XRP", 20))) == [EDIT]


def test_everything_muted_is_everything_that_is_no_edit() -> None:
    someone = Receiver()
    someone.mute()

    for one in (alert(START), alert(START, "ETH"), alert(START, "SOL"), alert(APPROACH, "XRP")):
        assert roles(someone.hear(one)) == [HELD]
    (summary,) = someone.wait_until(3600)
    assert summary.remark is not None
    assert summary.remark.subject is None
    assert len(summary.remark.alerts) == 4


@pytest.mark.parametrize(
    ("muted", "held"),
    [
        ({"symbol": "BTC", "level": (90_000.0, 90_000.0)}, [APPROACH, VERDICT]),
        ({"symbol": "BTC", "level": (90_350.0, 91_000.0)}, [APPROACH, VERDICT]),  # edges drift
        ({"symbol": "BTC", "level": (91_000.0, 92_000.0)}, []),
        ({"symbol": "ETH", "level": (90_000.0, 90_000.0)}, []),
        ({"kind": APPROACH}, [APPROACH]),
        ({"symbol": "BTC", "kind": START}, [START]),
    ],
)
def test_a_mute_of_a_level_or_a_kind_holds_only_that(
    muted: dict[str, object], held: list[Kind]
) -> None:
    level = Level(89_900.0, 90_300.0, 2.9e9, "estimate")
    someone = Receiver(EVERY_ALERT)
    someone.mute(**muted)  # type: ignore[arg-type] # parametrised

    heard = [alert(kind, level=level) for kind in (APPROACH, VERDICT, START)]

    assert [one.kind for one in heard if roles(someone.hear(one)) == [HELD]] == held


def test_a_level_without_its_coin_cannot_be_muted() -> None:
    with pytest.raises(ValueError, match="coin"):
        Silence(who="@x", since_ms=0, until_ms=1, level=(90_000.0, 90_000.0))


def test_muting_the_same_again_sets_its_end_anew() -> None:
    someone = Receiver()
    someone.mute(minutes=60, symbol="BTC")
    someone.hear(alert(START, at_s=10))
    someone.mute(minutes=60, at_s=1800, symbol="BTC")

    assert [one.until_ms for one in silences(someone.desk, DAWN_MS)] == [DAWN_MS + 5_400_000]
    assert someone.wait_until(3600) == []
    assert len(someone.wait_until(5400)) == 1


def test_mutes_are_listed_by_their_end_and_named_by_what_they_mute() -> None:
    someone = Receiver()
    someone.mute(minutes=60)
    someone.mute(minutes=30, symbol="BTC", level=(89_900.0, 90_300.0))
    someone.mute(minutes=10, kind=VERDICT)

    listed = silences(someone.desk, DAWN_MS + 900_000)

    assert [(one.id, one.subject) for one in listed] == [
        ("BTC:89900-90300", "BTC 89,900–90,300"),
        ("all", None),
    ]


def test_of_too_many_mutes_the_one_that_ends_first_goes() -> None:
    someone = Receiver()
    for n in range(MOST_SILENCES + 5):
        someone.mute(minutes=n + 1, symbol=f"C{n}")

    assert len(someone.desk.silences) == MOST_SILENCES
    assert "C0" not in someone.desk.silences


def test_what_two_mutes_cover_is_told_when_the_longer_one_ends() -> None:
    someone = Receiver()
    someone.mute(minutes=10, symbol="BTC")
    someone.mute(minutes=60)
    someone.hear(alert(START))

    assert [intent.remark and intent.remark.alerts for intent in someone.wait_until(600)] == [()]
    (summary,) = someone.wait_until(3600)
    assert summary.remark is not None
    assert len(summary.remark.alerts) == 1


# -- budgets ------------------------------------------------------------------------------------


def test_what_is_above_a_coins_budget_is_summed_up_within_the_hour() -> None:
    someone = Receiver(Rules(budget=Budget(per_symbol_hour=6, info_hour=None)))
    approaches = [alert(APPROACH, "DOGE", 60 * n) for n in range(14)]

    got = [roles(someone.hear(one))[0] for one in approaches]

    assert got == [ALONE] * 3 + [HELD] * 11  # info outside a story takes half of it
    (summary,) = someone.wait_until(180 + 3600)
    assert summary.remark is not None
    assert (summary.remark.why, summary.remark.subject) == ("budget", "DOGE")
    assert len(summary.remark.alerts) == 11
    assert roles(someone.hear(alert(APPROACH, "DOGE", 4000))) == [ALONE]


def test_all_coins_share_the_budget_of_info_alerts_and_its_summary() -> None:
    someone = Receiver(Rules(budget=Budget(info_hour=6)))

    got = [roles(someone.hear(alert(APPROACH, f"C{n}", n)))[0] for n in range(10)]

    assert got == [ALONE] * 6 + [HELD] * 4
    (summary,) = someone.wait_until(4000)
    assert summary.remark is not None
    assert summary.remark.subject is None  # of several coins


def test_a_spent_budget_folds_warnings_but_nothing_critical() -> None:
    someone = Receiver(Rules(budget=Budget(per_symbol_hour=1)))

    def start(n: int, severity: Severity) -> Role:
        one = alert(START, at_s=n, episode=f"BTC-up-{n}", severity=severity)
        (intent,) = someone.hear(one)
        someone.hear(alert(END, at_s=n + 0.5, episode=f"BTC-up-{n}"))
        return intent.role

    assert [start(n, Severity.CRITICAL) for n in range(3)] == [ROOT] * 3
    assert start(4, Severity.WARNING) is HELD
    assert start(5, Severity.CRITICAL) is ROOT


def test_replies_above_the_budget_become_edits() -> None:
    someone = Receiver(Rules(budget=Budget(per_symbol_hour=2)))
    someone.hear(alert(START), alert(STALL, at_s=60))

    assert roles(someone.hear(alert(END, at_s=90))) == [EDIT]
    assert "budget" in someone.told[-1][1].reason


def test_who_changes_the_configuration_is_always_answered() -> None:
    someone = Receiver(Rules(budget=Budget(per_symbol_hour=1, info_hour=1)))
    answer = replace(
        alert(APPROACH, "MARKET"), kind=Kind.CONFIG_APPLIED, level=None, evidence={"changes": []}
    )

    assert {someone.hear(replace(answer, id=str(n)))[0].role for n in range(9)} == {ALONE}
    assert roles(someone.hear(alert(Kind.FEED_DEGRADED, "MARKET"))) == [ROOT]


def test_a_summary_that_grows_too_long_is_due_at_once() -> None:
    someone = Receiver(Rules(info=Route.DIGEST))
    for n in range(MOST_HELD):
        someone.hear(alert(APPROACH, at_s=n / 100))

    (summary,) = someone.wait_until(MOST_HELD / 100)

    assert summary.remark is not None
    assert len(summary.remark.alerts) == MOST_HELD


def test_every_alert_is_a_message_for_who_wants_that() -> None:
    machine = Receiver(EVERY_ALERT, ReceiverKind.PLAIN)

    got = {
        role
        for n in range(30)
        for kind in (START, APPROACH, VERDICT, STALL, END)
        for role in roles(machine.hear(alert(kind, at_s=n)))
    }

    assert got == {ALONE}
