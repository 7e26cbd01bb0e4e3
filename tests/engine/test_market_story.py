"""The story of the market as a table: coins that are told second by second."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from liqwatch.alerts import Direction, Kind, Outcome, Severity
from liqwatch.engine.cascade import State
from liqwatch.engine.market_story import (
    TRANSITIONS,
    MarketSettings,
    MarketStory,
    Part,
    Sight,
    begin,
    forgotten,
    step,
)

STALLED, RESUMED, ENDED = Kind.CASCADE_STALLED, Kind.CASCADE_RESUMED, Kind.CASCADE_ENDED
REJOIN_S = 300


class Market:
    """Ten coins, of which some cascade downwards; nothing before second 1000."""

    def __init__(self, *coins: str, watched: int = 10) -> None:
        self.second = 1000
        self.watched = watched
        self.parts: dict[str, Part] = {}
        self.start(*coins)

    def start(self, *coins: str, **changes: Any) -> None:
        for coin in coins:
            part = Part(
                coin=coin, episode=f"{coin}-down-{self.second}", state=State.CASCADING,
                started_ms=self.second * 1000, leg=0.01, yardstick=0.002, forced_usd=1e6,
                forced_usd_60s=1e5, coverage=0.5, severity=Severity.WARNING, against_map=False,
                outcome=None,
            )  # fmt: skip
            self.parts[coin] = replace(part, **changes)

    def turn(self, state: State, *coins: str, **changes: Any) -> None:
        for coin in coins or tuple(self.parts):
            self.parts[coin] = replace(self.parts[coin], state=state, **changes)

    def end(self, outcome: Outcome, *coins: str) -> None:
        self.turn(State.ENDED, *coins, outcome=outcome)

    @property
    def sight(self) -> Sight:
        return Sight(
            now_ms=self.second * 1000, parts=list(self.parts.values()), watched=self.watched,
            settings=MarketSettings(), rejoin_s=REJOIN_S,
        )  # fmt: skip

    def begin(self) -> MarketStory | None:
        return begin(Direction.DOWN, self.sight)

    def pass_time(self, story: MarketStory, seconds: int = 1) -> list[Kind]:
        told = []
        for _ in range(seconds):
            self.second += 1
            moved = step(story, self.sight)
            if moved is not None:
                told.append(moved[0])
        return told


def story_of(market: Market) -> MarketStory:
    story = market.begin()
    assert story is not None
    return story


def three() -> tuple[Market, MarketStory]:
    market = Market("BTC", "ETH", "SOL")
    return market, story_of(market)


def test_every_state_has_its_row_and_the_end_can_only_be_rejoined() -> None:
    assert set(TRANSITIONS) == set(State)
    assert [kind for _, _, kind in TRANSITIONS[State.ENDED]] == [RESUMED]


# -- the start ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watched", "needed"), [(2, 3), (3, 3), (10, 3), (150, 3), (151, 4), (500, 10)]
)
def test_three_coins_are_a_market_and_two_in_a_hundred_where_that_is_more(
    watched: int, needed: int
) -> None:
    coins = [f"C{n}" for n in range(needed)]
    assert Market(*coins[1:], watched=watched).begin() is None

    story = story_of(Market(*coins, watched=watched))
    assert set(story.members) == set(coins)
    assert (story.id, story.direction) == ("MARKET-down-1000000", Direction.DOWN)


def test_two_coins_never_make_a_market() -> None:
    assert Market("BTC", "ETH", watched=2).begin() is None
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"coins": 2}, MarketSettings)


def test_a_cascade_counts_while_it_runs_and_for_a_minute_after_its_start() -> None:
    market = Market("BTC", "ETH")
    market.turn(State.STALLED, "BTC")
    market.second += 60
    market.start("SOL")
    assert market.begin() is not None

    market.second += 1
    assert market.begin() is None, "BTC stalled, and is a minute old"
    market.turn(State.CASCADING, "BTC")
    market.second += 3600
    assert market.begin() is not None, "all three run"


def test_what_has_ended_does_not_count() -> None:
    market = Market("BTC", "ETH", "SOL")
    market.end(Outcome.REJECTED, "BTC")
    assert market.begin() is None


def test_it_is_critical_when_a_coin_is_or_when_twice_as_many_cascade_as_are_needed() -> None:
    market, story = three()
    assert story.severity(market.sight) is Severity.WARNING
    market.start("XRP", "DOGE", "ADA")
    assert story.severity(market.sight) is Severity.CRITICAL

    market, story = three()
    market.turn(State.CASCADING, "SOL", severity=Severity.CRITICAL)
    assert story.severity(market.sight) is Severity.CRITICAL
    market.turn(State.ENDED, "SOL")
    assert story.severity(market.sight) is Severity.WARNING, "that one is over"


# -- members ------------------------------------------------------------------------------------


def test_the_most_affected_is_who_went_furthest_for_its_volatility_not_in_dollars() -> None:
    market = Market()
    market.start("BTC", leg=0.010, yardstick=0.002, forced_usd=9e9)
    market.start("ETH", leg=0.030, yardstick=0.003, forced_usd=1e6)
    market.start("SOL", leg=0.032, yardstick=0.004, forced_usd=1e3)
    market.start("ADA", leg=0.016, yardstick=0.002, forced_usd=1e9)
    story = story_of(market)

    assert [coin for coin, _ in story.most_affected()] == ["ETH", "ADA", "SOL", "BTC"]
    assert story.median_leg_sigma == 8.0


def test_volatility_is_that_of_joining_for_the_cascade_itself_raises_it() -> None:
    market, story = three()
    market.turn(State.CASCADING, "BTC", leg=0.02, yardstick=0.01)
    market.pass_time(story)

    assert story.members["BTC"].leg_sigma == pytest.approx(10.0)


def test_who_starts_later_joins_and_who_was_in_it_stays() -> None:
    market, story = three()
    market.start("XRP")
    market.end(Outcome.EXHAUSTED, "BTC")
    assert market.pass_time(story) == []
    del market.parts["BTC"]  # the coin has forgotten it

    assert market.pass_time(story) == []
    assert set(story.members) == {"BTC", "ETH", "SOL", "XRP"}
    assert story.members["BTC"].newest.outcome is Outcome.EXHAUSTED


def test_another_cascade_of_a_member_adds_to_its_first() -> None:
    market, story = three()
    market.turn(State.ENDED, "BTC", leg=0.03, forced_usd=5e6)
    market.pass_time(story)
    market.turn(State.ENDED, "BTC", forced_usd=7e6)
    market.pass_time(story)
    assert story.members["BTC"].forced_usd == 5e6, "what flows after its end is no part of it"

    market.start("BTC", forced_usd=2e6)
    market.pass_time(story)
    assert story.members["BTC"].forced_usd == 7e6
    assert story.members["BTC"].leg == 0.03


def test_a_member_that_nobody_follows_any_more_has_ended_and_how_is_unknown() -> None:
    market, story = three()
    del market.parts["SOL"]
    market.pass_time(story)

    assert story.members["SOL"].newest.ended
    assert story.members["SOL"].newest.outcome is Outcome.UNKNOWN


def test_it_goes_against_the_map_when_most_members_do() -> None:
    market, story = three()
    for number, against in enumerate((False, True, True)):
        market.turn(State.CASCADING, ("BTC", "ETH", "SOL")[number], against_map=against)
        market.pass_time(story)
        assert story.against_map is (number == 2)


# -- stall, resumption, end ---------------------------------------------------------------------


def test_it_stalls_when_no_member_runs_any_more() -> None:
    market, story = three()
    market.turn(State.STALLED, "BTC", "ETH")
    assert market.pass_time(story, 600) == []
    market.turn(State.STALLED)

    assert market.pass_time(story, 600) == [STALLED]


def test_it_resumes_when_as_many_run_again_as_make_a_market() -> None:
    market, story = three()
    market.turn(State.STALLED)
    market.pass_time(story)
    market.turn(State.CASCADING, "BTC", "ETH")
    assert market.pass_time(story, 10) == []
    market.start("XRP")

    assert market.pass_time(story, 10) == [RESUMED]
    assert set(story.members) == {"BTC", "ETH", "SOL", "XRP"}
    assert story.id == "MARKET-down-1000000"


@pytest.mark.parametrize("outcome", Outcome)
def test_it_ends_when_all_members_have_as_most_of_them_did(outcome: Outcome) -> None:
    market, story = three()
    market.turn(State.STALLED)
    market.pass_time(story)
    other = Outcome.REJECTED if outcome is not Outcome.REJECTED else Outcome.UNKNOWN
    market.end(other, "BTC")
    market.end(outcome, "ETH")
    assert market.pass_time(story, 100) == []
    market.end(outcome, "SOL")

    assert market.pass_time(story, 100) == [ENDED]
    assert story.outcome is outcome


def test_where_no_outcome_prevails_the_weakest_claim_is_made() -> None:
    market, story = three()
    for coin, outcome in zip(
        ("BTC", "ETH", "SOL"),
        (Outcome.REJECTED, Outcome.ABSORBED, Outcome.EXHAUSTED),
        strict=True,
    ):
        market.end(outcome, coin)

    assert market.pass_time(story) == [ENDED], "at once, where all end in one second"
    assert story.outcome is Outcome.EXHAUSTED


def test_what_starts_again_soon_after_the_end_is_the_same_story() -> None:
    market, story = three()
    market.end(Outcome.EXHAUSTED)
    assert market.pass_time(story) == [ENDED]
    market.start("BTC", "XRP")
    assert market.pass_time(story, 10) == []
    assert "XRP" not in story.members, "two are no market"
    market.start("ADA")

    assert market.pass_time(story) == [RESUMED]
    assert set(story.members) == {"BTC", "ETH", "SOL", "XRP", "ADA"}


def test_an_ended_story_is_forgotten_when_it_can_no_longer_go_on() -> None:
    market, story = three()
    assert not forgotten(story, market.sight)
    market.end(Outcome.EXHAUSTED)
    market.pass_time(story)
    market.second += REJOIN_S
    assert not forgotten(story, market.sight)
    market.second += 1
    assert forgotten(story, market.sight)
