"""The engine's story of the whole market and the policy's group of coins are one message."""

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
    market,
    roles,
    running,
)

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.policy import episodes
from liqwatch.alerting.quiet_hours import QuietHours
from liqwatch.alerting.rules import Budget, Route, Rules, SymbolRoutes
from liqwatch.alerts import Direction, Kind, Severity

COINS = ("BTC", "ETH", "SOL")
GROUP = f"market:SOL-{START}-{DAWN_MS + 2000}"


def three(**rules: object) -> Receiver:
    """Who was told that three coins cascade: two alone, the third in a message of all."""
    someone = Receiver(Rules(**rules))  # type: ignore[arg-type]  # whatever a test wishes
    someone.hear(*(alert(START, coin, n) for n, coin in enumerate(COINS)))
    return someone


def ends(someone: Receiver, at_s: float) -> None:
    someone.hear(*(alert(END, coin, at_s) for coin in COINS))


def test_the_markets_story_is_told_in_the_message_of_the_coins() -> None:
    someone = three()

    (edit,) = someone.hear(market(START, 2))

    assert (edit.role, edit.story) == (EDIT, GROUP)
    assert episodes(someone.desk, GROUP) == ["BTC-up-1", "ETH-up-1", "SOL-up-1", "MARKET-up-1"]
    assert someone.desk.stories[GROUP].coins == 3, "the market is no coin"


def test_its_turns_are_replies_and_its_end_is_one_not_two() -> None:
    someone = three()
    someone.hear(market(START, 2))

    assert roles(someone.hear(market(STALL, 100))) == [REPLY, EDIT]
    assert roles(someone.hear(market(RESUME, 200))) == [REPLY, EDIT]
    told = len(someone.messages)
    ends(someone, 300)
    of_group = [one for one in someone.messages[told:] if one.story == GROUP]
    assert of_group == [], "the market has not ended yet"
    reply, edit = someone.hear(market(END, 300))
    assert (reply.role, reply.story, edit.role) == (REPLY, GROUP, EDIT)
    assert reply.silent


def test_it_begins_the_message_where_the_policy_would_not_have_yet() -> None:
    someone = Receiver(Rules(group_after=10))
    someone.hear(*(alert(START, coin, n) for n, coin in enumerate(COINS)))

    (root,) = someone.hear(market(START, 2))

    assert (root.role, root.silent) == (ROOT, False)
    assert roles(someone.hear(alert(START, "XRP", 10))) == [EDIT]
    assert someone.told[-1][1].story == root.story


def test_who_wants_each_coin_alone_gets_the_market_alone_too() -> None:
    someone = three(group_after=None)

    (root,) = someone.hear(market(START, 2))
    assert (root.role, root.story) == (ROOT, "MARKET-up-1")
    assert roles(someone.hear(market(STALL, 100))) == [REPLY, EDIT]


def test_it_is_no_coin_that_others_cascade_together_with() -> None:
    someone = Receiver(Rules(group_after=2))
    someone.hear(market(START, 0), market(END, 1))
    someone.hear(market(START, 400, episode="MARKET-down-1", direction=Direction.DOWN))

    assert len([*someone.desk.cascades(DAWN_MS + 400_000)]) == 0


def test_becoming_critical_is_told_once() -> None:
    grave = Severity.WARNING
    someone = Receiver()
    someone.hear(*(alert(START, coin, n, severity=grave) for n, coin in enumerate(COINS)))

    assert roles(someone.hear(market(START, 2))) == [REPLY, EDIT]
    assert roles(someone.follow(running("SOL", 10))) == [EDIT]


def test_twice_as_many_coins_as_make_a_market_wake_somebody_however_grave_each_is() -> None:
    grave = Severity.WARNING
    night = QuietHours(from_="09:00", to="12:00", floor=Severity.CRITICAL, below="held")
    asleep = Receiver(Rules(quiet_hours=night))
    coins = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE")
    starts = [alert(START, coin, n, severity=grave) for n, coin in enumerate(coins)]

    asleep.hear(*starts[:3], market(START, 2, severity=grave), *starts[3:5])
    assert asleep.messages == []
    (root,) = asleep.hear(starts[5])
    assert (root.role, root.silent) == (ROOT, False)
    assert asleep.hear(alert(START, "SUI", 10, severity=grave))[0].role is EDIT


def test_without_a_story_of_the_market_their_number_makes_nothing_critical() -> None:
    starts = [alert(START, f"C{n}", n, severity=Severity.WARNING) for n in range(12)]
    someone = Receiver()
    someone.hear(*starts)

    assert Severity.CRITICAL not in {one.severity for one in someone.desk.stories.values()}


def test_the_other_directions_market_is_another_message() -> None:
    someone = three()
    down = {"episode": "MARKET-down-1", "direction": Direction.DOWN}

    (root,) = someone.hear(market(START, 2, **down))
    assert root.role is ROOT
    assert root.story != GROUP


def test_it_can_be_switched_off_by_its_name_and_the_coins_message_stays() -> None:
    off = SymbolRoutes(critical=Route.OFF, warning=Route.OFF, info=Route.OFF)
    someone = three(symbols={"MARKET": off})

    assert roles(someone.hear(market(START, 2))) == [OFF]
    ends(someone, 300)
    assert someone.messages[-1].story == GROUP
    assert roles(someone.hear(market(END, 300))) == [OFF]


def test_a_mute_of_the_market_holds_the_message_of_all_and_no_coins_own() -> None:
    someone = Receiver()
    someone.mute(symbol="MARKET")

    assert [role for coin in COINS for role in roles(someone.hear(alert(START, coin)))] == [
        ROOT,
        ROOT,
        HELD,
    ]
    assert roles(someone.hear(market(START, 2))) == [HELD]
    (summary,) = someone.wait_until(3601)
    assert summary.remark is not None
    assert (summary.remark.subject, len(summary.remark.alerts)) == ("MARKET", 2)


def test_a_mute_of_the_market_hides_no_feed_that_fails() -> None:
    someone = Receiver()
    someone.mute(symbol="MARKET")

    assert roles(someone.hear(alert(Kind.FEED_DEGRADED, "MARKET"))) == [ROOT]


@pytest.mark.parametrize("kind", ReceiverKind)
def test_no_budget_holds_it_back(kind: ReceiverKind) -> None:
    someone = Receiver(Rules(group_after=None, budget=Budget(per_symbol_hour=1)), kind)

    for n in range(4):
        turn = market(START, n, episode=f"MARKET-up-{n}", severity=Severity.WARNING)
        assert roles(someone.hear(turn)) == [ROOT if kind is ReceiverKind.THREADED else ALONE]
