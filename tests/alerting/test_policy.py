import msgspec
import pytest
from policy_stage import (
    ALONE,
    DAWN_MS,
    EDIT,
    END,
    HELD,
    OFF,
    REPLY,
    RESUME,
    ROOT,
    STALL,
    START,
    Receiver,
    alert,
    cascade,
    market,
    roles,
    rungs,
    running,
)

from liqwatch.alerting.desk import Desk
from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.policy import decide, episodes
from liqwatch.alerting.rules import EVERY_ALERT, Budget, Route, Rules, SymbolRoutes
from liqwatch.alerts import Direction, Kind, Severity
from liqwatch.samples import ALL

APPROACH, VERDICT = Kind.LEVEL_APPROACHED, Kind.LEVEL_VERDICT
UNLIMITED = Budget(per_symbol_hour=None, info_hour=None)


# -- one story, one message ---------------------------------------------------------------------


def test_a_story_is_a_root_and_replies_at_the_turning_points_that_also_edit_it() -> None:
    someone = Receiver()

    assert roles(someone.hear(alert(START))) == [ROOT]
    assert roles(someone.hear(alert(STALL, at_s=100))) == [REPLY, EDIT]
    assert roles(someone.hear(alert(RESUME, at_s=120))) == [REPLY, EDIT]
    assert roles(someone.hear(alert(END, at_s=600))) == [REPLY, EDIT]
    assert {intent.story for _, intent in someone.told} == {"BTC-up-1"}


def test_an_outage_is_a_story_too() -> None:
    someone = Receiver()

    assert roles(someone.hear(alert(Kind.FEED_DEGRADED, "MARKET"))) == [ROOT]
    assert roles(someone.hear(alert(Kind.FEED_RECOVERED, "MARKET", 300))) == [REPLY, EDIT]


def test_critical_and_warning_sound_info_and_edits_do_not() -> None:
    someone = Receiver()

    assert not someone.hear(alert(START))[0].silent
    reply, edit = someone.hear(alert(STALL, at_s=100))
    assert not reply.silent
    assert edit.silent
    assert someone.hear(alert(END, at_s=600))[0].silent


def test_a_story_heard_of_in_its_middle_begins_there() -> None:
    assert roles(Receiver().hear(alert(STALL))) == [ROOT]


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind)
@pytest.mark.parametrize("kind", ReceiverKind)
def test_every_decision_has_a_reason(one: msgspec.Struct, kind: ReceiverKind) -> None:
    for rules in (Rules(), Rules(critical=Route.OFF, warning=Route.DIGEST, info=Route.OFF)):
        intents = Receiver(rules, kind).hear(one)  # type: ignore[arg-type] # parametrised

        assert intents
        assert all(intent.reason for intent in intents)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind)
def test_a_plain_receiver_gets_each_alert_once(one: msgspec.Struct) -> None:
    plain = Receiver(EVERY_ALERT, ReceiverKind.PLAIN)

    assert roles(plain.hear(alert(START, at_s=-10))) == [ALONE]
    assert roles(plain.hear(one)) == [ALONE]  # type: ignore[arg-type] # parametrised


def test_a_flapping_story_has_six_messages_an_hour_at_most_and_the_last_is_its_end() -> None:
    someone = Receiver()
    someone.hear(alert(START))
    for minute in range(1, 40, 2):
        someone.hear(alert(STALL, at_s=60 * minute), alert(RESUME, at_s=60 * minute + 30))
    someone.hear(alert(END, at_s=2400))

    assert len(someone.messages) == 6
    assert roles(someone.hear(alert(RESUME, at_s=2500))) == [EDIT]
    assert someone.told[-3][1].role is REPLY  # the end


# -- a running cascade --------------------------------------------------------------------------


def test_a_running_cascade_edits_its_message_every_three_seconds() -> None:
    someone = Receiver()
    someone.hear(alert(START))

    edited = [second for second in range(1, 11) if someone.follow(running(at_s=second))]

    assert edited == [3, 6, 9]
    assert {intent.role for _, intent in someone.told[1:]} == {EDIT}


def test_it_replies_when_forced_orders_have_doubled_since_it_was_last_told_of() -> None:
    someone = Receiver()
    someone.hear(alert(START))
    told = []
    for second in range(10, 600, 10):
        usd = 10e6 * second / 10
        if REPLY in roles(someone.follow(running(at_s=second, forced_usd_total=usd))):
            told.append(usd / 1e6)

    assert told == [60.0, 120.0, 240.0, 480.0]


def test_small_amounts_may_double_unheard() -> None:
    someone = Receiver(Rules(escalate_usd=1e6))
    someone.hear(alert(START))
    someone.follow(running(at_s=5, forced_usd_total=100e3))

    assert roles(someone.follow(running(at_s=70, forced_usd_total=900e3))) == [EDIT]
    assert roles(someone.follow(running(at_s=80, forced_usd_total=1.1e6))) == [REPLY, EDIT]


@pytest.mark.parametrize(
    ("severity", "expected"), [("critical", [REPLY, EDIT]), ("warning", [EDIT])]
)
def test_the_next_rung_is_told_of_in_a_critical_cascade(
    severity: str, expected: list[Role]
) -> None:
    someone = Receiver()
    someone.hear(alert(START, severity=Severity(severity)))
    grave = Severity(severity)
    someone.follow(running(at_s=5, severity=grave, crossed=rungs(1)))

    assert roles(someone.follow(running(at_s=59, severity=grave, crossed=rungs(2)))) == [EDIT]
    assert roles(someone.follow(running(at_s=62, severity=grave, crossed=rungs(2)))) == expected
    assert roles(someone.follow(running(at_s=130, severity=grave, crossed=rungs(2)))) == [EDIT]


def test_becoming_critical_is_told_at_once() -> None:
    someone = Receiver()
    someone.hear(alert(START, severity=Severity.WARNING))

    intents = someone.follow(running(at_s=12, severity=Severity.CRITICAL))

    assert roles(intents) == [REPLY, EDIT]
    assert not intents[0].silent
    assert "critical" in intents[0].reason
    assert someone.follow(running(at_s=13, severity=Severity.CRITICAL)) == []


def test_forty_minutes_that_grow_and_climb_all_the_time_are_six_messages() -> None:
    someone = Receiver()
    someone.hear(alert(START))
    for second in range(1, 2400):
        someone.follow(
            running(at_s=second, forced_usd_total=1.01**second, crossed=rungs(second // 60))
        )
    someone.hear(alert(END, at_s=2400))

    assert len(someone.messages) == 6


def test_a_story_that_was_held_back_is_told_when_it_becomes_critical() -> None:
    someone = Receiver(Rules(warning=Route.DIGEST))
    assert roles(someone.hear(alert(START, severity=Severity.WARNING))) == [HELD]
    assert someone.follow(running(at_s=5, severity=Severity.WARNING)) == []

    assert roles(someone.follow(running(at_s=10, severity=Severity.CRITICAL))) == [ROOT]
    assert roles(someone.hear(alert(STALL, at_s=100))) == [EDIT]  # its reply would be a warning


def test_what_goes_on_unseen_changes_nothing_but_when_it_was_heard_of() -> None:
    someone = Receiver()
    someone.hear(alert(START))
    before = msgspec.json.encode(someone.desk)

    assert someone.follow(running(at_s=2)) == []
    assert someone.follow(running("ETH", at_s=3)) == []
    assert msgspec.json.encode(someone.desk) == before


def test_plain_receivers_are_not_followed() -> None:
    plain = Receiver(kind=ReceiverKind.PLAIN)
    plain.hear(alert(START))

    assert plain.follow(running(at_s=300, forced_usd_total=1e12)) == []


# -- several coins at once ----------------------------------------------------------------------


def test_the_third_coin_that_cascades_the_same_way_begins_a_story_of_the_market() -> None:
    someone = Receiver()
    someone.hear(alert(START, "BTC"), alert(START, "ETH", 20))

    (root,) = someone.hear(alert(START, "SOL", 40))

    assert root.role is ROOT
    assert not root.silent
    assert root.story == f"market:SOL-{START}-{DAWN_MS + 40_000}"
    assert episodes(someone.desk, root.story) == ["BTC-up-1", "ETH-up-1", "SOL-up-1"]


def test_later_members_are_edits_of_it_and_replies_when_their_number_has_doubled() -> None:
    someone = Receiver()
    starts = [alert(START, f"C{n}", n) for n in range(50)]
    replied = [n + 1 for n, one in enumerate(starts) if REPLY in roles(someone.hear(one))]

    assert replied == [6, 12, 24, 48]
    assert len(someone.messages) == 2 + 1 + len(replied)


def test_the_first_coins_keep_their_own_messages_of_which_only_the_end_is_told_again() -> None:
    someone = Receiver()
    someone.hear(alert(START, "BTC"), alert(START, "ETH", 20), alert(START, "SOL", 40))

    own, group = someone.hear(alert(STALL, "BTC", 100))
    assert (own.role, own.story) == (EDIT, "BTC-up-1")
    assert (group.role, group.story) == (EDIT, someone.desk.stories["BTC-up-1"].group)
    assert roles(someone.follow(running("BTC", 200, forced_usd_total=1e9))) == [EDIT, EDIT]
    assert roles(someone.hear(alert(END, "BTC", 300))) == [REPLY, EDIT, EDIT]


def test_the_group_replies_when_the_last_of_its_cascades_has_ended() -> None:
    someone = Receiver()
    coins = ("BTC", "ETH", "SOL", "XRP")
    someone.hear(*(alert(START, coin, n) for n, coin in enumerate(coins)))

    assert roles(someone.hear(alert(END, "SOL", 300))) == [EDIT]
    assert roles(someone.hear(alert(END, "BTC", 310), alert(END, "ETH", 320))) == [
        REPLY,
        EDIT,
        EDIT,
    ]
    assert roles(someone.hear(alert(END, "XRP", 330))) == [REPLY, EDIT]


def test_who_starts_soon_after_the_groups_end_belongs_to_it_later_not() -> None:
    someone = Receiver()
    coins = ("BTC", "ETH", "SOL")
    someone.hear(*(alert(START, coin, n) for n, coin in enumerate(coins)))
    someone.hear(*(alert(END, coin, 100 + n) for n, coin in enumerate(coins)))

    assert roles(someone.hear(alert(START, "XRP", 300))) == [EDIT]
    someone.hear(alert(END, "XRP", 400))
    assert roles(someone.hear(alert(START, "DOGE", 1000))) == [ROOT]
    assert someone.told[-1][1].story == "DOGE-up-1"


def test_the_other_direction_is_another_story() -> None:
    someone = Receiver()
    someone.hear(alert(START, "BTC"), alert(START, "ETH", 20))

    (root,) = someone.hear(alert(START, "SOL", 40, direction=Direction.DOWN))

    assert root.story == "SOL-down-1"


def test_what_has_ended_does_not_count_as_cascading_together() -> None:
    someone = Receiver()
    someone.hear(alert(START, "BTC"), alert(END, "BTC", 30), alert(START, "ETH", 40))

    assert someone.hear(alert(START, "SOL", 50))[0].story == "SOL-up-1"


def test_a_coins_own_wish_holds_in_the_group() -> None:
    loud = Rules(warning=Route.OFF, symbols={"XRP": SymbolRoutes(warning=Route.LOUD)})
    someone = Receiver(loud)
    someone.hear(alert(START, "BTC"), alert(START, "ETH", 20))

    assert roles(someone.hear(alert(START, "SOL", 40, severity=Severity.WARNING))) == [OFF]
    (root,) = someone.hear(alert(START, "XRP", 50, severity=Severity.WARNING))
    assert root.role is ROOT
    assert "SOL-up-1" not in episodes(someone.desk, root.story or "")


def test_without_grouping_each_coin_has_its_own_message() -> None:
    someone = Receiver(Rules(group_after=None))

    for n in range(10):
        assert roles(someone.hear(alert(START, f"C{n}", n))) == [ROOT]


def test_running_members_edit_the_group_and_raise_it_once() -> None:
    someone = Receiver()
    coins = ("BTC", "ETH", "SOL", "XRP")
    grave = Severity.WARNING
    someone.hear(*(alert(START, coin, n, severity=grave) for n, coin in enumerate(coins)))

    assert roles(someone.follow(running("SOL", 10, severity=grave))) == [EDIT]
    assert someone.follow(running("XRP", 11, severity=grave)) == []
    assert roles(someone.follow(running("XRP", 12))) == [REPLY, EDIT]
    assert someone.follow(running("SOL", 13)) == []


def test_a_day_like_the_crash_of_october_2025_is_twenty_messages_at_most() -> None:
    someone = Receiver()
    coins = [f"C{n:02}" for n in range(50)]
    alerts = [
        one
        for n, coin in enumerate(coins)
        for one in (
            alert(APPROACH, coin, 9 * n - 600),
            *cascade(coin, at_s=9.0 * n, lasts_s=2400 - 18 * n),
        )
    ]
    turns = ((START, 18), (STALL, 960), (RESUME, 1200), (STALL, 1500), (RESUME, 1600), (END, 2400))
    alerts += [market(kind, at_s) for kind, at_s in turns]
    heard = iter(sorted(alerts, key=lambda one: one.time))
    following = next(heard, None)
    for second in range(-600, 2 * 3600):
        while following is not None and following.time <= DAWN_MS + 1000 * second:
            someone.hear(following)
            following = next(heard, None)
        for n, coin in enumerate(coins):
            usd = 1e6 + 5e4 * max(0, second - 9 * n)
            someone.follow(running(coin, second, forced_usd_total=usd))
        someone.wait_until(second)

    assert following is None
    assert someone.lost(alerts) == set()
    by_story = [intent.story for intent in someone.messages]
    assert len(by_story) <= 20
    assert max(by_story.count(f"{coin}-up-1") for coin in coins) <= 7


# -- inhibition ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [APPROACH, VERDICT])
def test_what_levels_do_while_their_coin_cascades_goes_into_its_message(kind: Kind) -> None:
    someone = Receiver()
    someone.hear(alert(START))

    (edit,) = someone.hear(alert(kind, at_s=30))
    assert (edit.role, edit.story) == (EDIT, "BTC-up-1")
    assert roles(someone.hear(alert(kind, "ETH", 30))) == [ALONE]
    assert roles(someone.hear(alert(END, at_s=60), alert(kind, at_s=70))) == [ALONE]


def test_levels_of_a_member_go_into_the_groups_message() -> None:
    someone = Receiver()
    someone.hear(*(alert(START, coin, n) for n, coin in enumerate(("BTC", "ETH", "SOL"))))

    (edit,) = someone.hear(alert(VERDICT, "SOL", 30))

    assert edit.role is EDIT
    assert (edit.story or "").startswith("market:")


def test_levels_of_a_cascade_that_is_not_shown_go_to_the_digest() -> None:
    someone = Receiver(kind=ReceiverKind.PLAIN)
    someone.hear(alert(START))

    assert roles(someone.hear(alert(VERDICT, at_s=30))) == [HELD]
    (summary,) = someone.wait_until(30 + 3600)
    assert summary.remark is not None
    assert summary.remark.why == "digest"


def test_nothing_is_said_of_levels_that_only_deaf_venues_see() -> None:
    someone = Receiver()
    someone.hear(alert(Kind.FEED_DEGRADED, "MARKET"))  # binance-usdm
    on_one = {"feeds": {"binance-usdm": "sampled"}}
    on_two = {"feeds": {"binance-usdm": "sampled", "okx-swap": "sampled"}}

    assert roles(someone.hear(alert(APPROACH, at_s=10, evidence=on_one))) == [HELD]
    assert "binance-usdm" in someone.told[-1][1].reason
    assert roles(someone.hear(alert(VERDICT, at_s=20, evidence=on_two))) == [ALONE]
    assert roles(someone.hear(alert(START, at_s=30))) == [ROOT]
    someone.hear(alert(END, at_s=60), alert(Kind.FEED_RECOVERED, "MARKET", 70))
    assert roles(someone.hear(alert(APPROACH, at_s=80, evidence=on_one))) == [ALONE]


def test_nothing_is_said_of_levels_while_no_venue_is_heard() -> None:
    someone = Receiver()
    nobody = alert(Kind.FEED_DEGRADED, "MARKET").evidence | {"remaining_venues": []}
    someone.hear(alert(Kind.FEED_DEGRADED, "MARKET", evidence=nobody))

    assert roles(someone.hear(alert(APPROACH, at_s=10))) == [HELD]


# -- the desk -----------------------------------------------------------------------------------


def test_the_desk_forgets_what_is_over() -> None:
    someone = Receiver(Rules(budget=UNLIMITED))
    for n in range(3000):
        episode = f"BTC-up-{n}"
        someone.hear(alert(START, at_s=600 * n, episode=episode))
        someone.hear(alert(APPROACH, f"C{n % 300}", 600 * n + 100))
        someone.hear(alert(END, at_s=600 * n + 300, episode=episode))
        someone.wait_until(600 * n + 400)

    assert len(msgspec.json.encode(someone.desk)) < 20_000


def test_the_desk_stays_small_in_a_long_storm_without_ends() -> None:
    someone = Receiver()
    for n in range(3000):
        someone.hear(alert(START, f"C{n % 500}", 10 * n, episode=f"C-up-{n}"))
        someone.hear(alert(VERDICT, f"C{n % 500}", 10 * n + 1))

    assert len(msgspec.json.encode(someone.desk)) < 200_000


def test_a_desk_of_an_older_form_is_read_with_what_it_lacks_at_its_default() -> None:
    assert msgspec.json.decode(b'{"version":1}', type=Desk) == Desk()
    assert msgspec.json.decode(b'{"version":1,"of_tomorrow":{}}', type=Desk) == Desk()


def test_the_same_decisions_come_from_the_same_desk() -> None:
    one, other = Receiver(), Receiver()
    other.desk = msgspec.msgpack.decode(msgspec.msgpack.encode(one.desk), type=Desk)

    for told in cascade("BTC", 0, 600):
        assert decide(one.desk, told, one.rules, one.kind) == decide(
            other.desk, told, other.rules, other.kind
        )
