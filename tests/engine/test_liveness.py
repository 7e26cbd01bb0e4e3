"""Feeds judged by what they should deliver: a dead one is told of, a quiet market is not."""

from collections.abc import Collection, Iterable
from random import Random

import msgspec
import pytest

from liqwatch.alerts import Alert, Kind, Severity
from liqwatch.engine.feeds import LIQUIDATIONS, MARK_PRICE, TRADES, Promise, Stream
from liqwatch.engine.liveness import (
    Liveness,
    feed_health,
    show_liquidation,
    weigh_open_interest,
)
from liqwatch.engine.pace import FeedState
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness, OpenInterest

A, B, C = "binance-usdm", "bybit-linear", "okx-swap"
T0 = 1_791_565_200
COINS = [f"COIN{number}" for number in range(30)]


class Market:
    """Venues as the judge sees them, second by second; trades come from those that are named."""

    def __init__(self, *names: str, usual_per_h: float | None = None, seed: int = 1) -> None:
        self.promises = {
            name: Promise(completeness=Completeness.FULL, usual_liquidations_per_h=usual_per_h)
            for name in names
        }
        self.venues = {name: Venue(name=name, completeness=Completeness.FULL) for name in names}
        self.spot: dict[str, Venue] = {}
        self.liveness = Liveness()
        self.second = T0
        self.rng = Random(seed)
        for name in names:
            self.open(name)

    def open(self, name: str, far: Stream = Stream.DELIVERS) -> None:
        self.venues[name].feeds.reached(f"{name}/1", far)

    def lose(self, name: str, reason: str = "1006") -> None:
        venue = self.venues[name]
        venue.feeds.ended(f"{name}/1", reason)
        venue.lost(f"{name}/1", self.second * 1000, on_purpose=False)
        venue.feeds.lost(reason)

    def return_(self, name: str) -> None:
        self.venues[name].delivers(self.second * 1000)
        self.open(name)

    def liquidate(self, name: str, coin: str = "BTC") -> None:
        show_liquidation(self.venues, name, coin, self.second * 1000 + 500)

    def run(
        self,
        seconds: int,
        trading: Iterable[str] | None = None,
        *,
        liquidating: Collection[str] = (),
        per_min: float = 20,
    ) -> list[Alert]:
        """Let time pass; the named trade once a second and show so many liquidations a minute."""
        alerts = []
        speaking = list(self.venues if trading is None else trading)
        for _ in range(seconds):
            for name in speaking:
                self.venues[name].feeds.trades.count += 1
            for name in liquidating:
                if self.rng.random() < per_min / 60:
                    self.liquidate(name, self.rng.choice(COINS))
            self.second += 1
            alerts += self.judge(recorded=self.second)
        return alerts

    def judge(self, *, recorded: int) -> list[Alert]:
        return self.liveness.pass_time(
            self.venues,
            self.promises,
            spot=self.spot,
            now_ms=self.second * 1000,
            recorded_ms=recorded * 1000,
            lag_ms=0,
        )

    def until_told(self, seconds: int, *trading: str, liquidating: Collection[str] = ()) -> Alert:
        begun = self.second
        while self.second - begun < seconds:
            if alerts := self.run(1, trading, liquidating=liquidating):
                return alerts[0]
        raise AssertionError(f"nothing was told in {seconds} s")

    def state(self, name: str, channel: str = TRADES) -> FeedState:
        return self.venues[name].feeds.by_channel()[channel].state


def kinds(alerts: Iterable[Alert]) -> list[Kind]:
    return [alert.kind for alert in alerts]


# -- trades


@pytest.mark.parametrize(
    ("far", "reason"),
    [
        (Stream.ACKNOWLEDGED, "takes the subscription and delivers nothing"),
        (Stream.OPENED, "does not answer the subscription"),
    ],
)
def test_a_venue_that_never_delivers_is_told_of_within_a_minute(far: Stream, reason: str) -> None:
    market = Market(A, B)
    market.venues[C] = Venue(name=C, completeness=Completeness.SAMPLED)
    market.open(C, far)
    begun = market.second
    alert = market.until_told(60, A, B)

    assert market.second - begun <= 60
    assert alert.kind is Kind.FEED_DEGRADED
    assert alert.symbol == "MARKET"
    assert alert.episode == f"feed-{C}-{alert.time}"
    assert alert.evidence["venue"] == C
    assert alert.evidence["venues"] == [C]
    assert alert.evidence["channels"] == [TRADES, LIQUIDATIONS]
    assert alert.evidence["state"] == "dead"
    assert alert.evidence["reason"] == reason
    assert 50 <= alert.evidence["silent_s"] <= 60
    assert alert.evidence["remaining_venues"] == [A, B]
    assert alert.thresholds["delivers_nothing_s"] == 55


def test_a_venue_that_falls_silent_is_stale_then_dead_and_told_once() -> None:
    market = Market(A, B)
    market.run(300)
    alerts = market.run(15, [B])
    assert (alerts, market.state(A)) == ([], FeedState.STALE)
    alerts = market.run(45, [B])

    assert kinds(alerts) == [Kind.FEED_DEGRADED]
    assert market.state(A) is FeedState.DEAD
    assert "usually something every 1." in alerts[0].evidence["reason"]
    assert market.run(3600, [B]) == []


def test_a_slow_venue_may_be_silent_for_longer() -> None:
    market = Market(A, B)
    for _ in range(100):
        market.run(1)
        market.run(19, [B])

    assert market.run(300, [B]) == []
    assert kinds(market.run(400, [B])) == [Kind.FEED_DEGRADED]


def test_a_venue_that_delivers_other_things_may_wait_longer_for_its_first_trade() -> None:
    market = Market(A, B)
    assert market.run(290, [B]) == []
    assert kinds(market.run(30, [B])) == [Kind.FEED_DEGRADED]


def test_marks_that_stop_are_dead_and_no_loud_matter() -> None:
    market = Market(A, B)
    for _ in range(120):
        market.venues[A].feeds.mark_price.count += 1
        market.run(1)
    [alert] = market.run(120)

    assert alert.evidence["channels"] == [MARK_PRICE]
    assert alert.severity is Severity.INFO
    assert not market.venues[A].blind


def test_slow_facts_that_stop_are_only_stale() -> None:
    market = Market(A, B)
    for _ in range(60):
        market.venues[A].feeds.funding.count += 1
        market.run(10)

    assert market.run(3600) == []
    assert market.state(A, "funding") is FeedState.STALE


# -- our own line, our own clock


def test_when_all_fall_silent_for_less_than_a_minute_nobody_is_accused() -> None:
    market = Market(A, B, C)
    market.run(300)

    assert market.run(50, []) == []
    assert market.run(300) == []


def test_when_nothing_is_heard_from_anybody_it_is_told_once_for_all() -> None:
    market = Market(A, B, C)
    market.run(300)
    [alert] = market.run(600, [])

    assert alert.evidence["venues"] == [A, B, C]
    assert alert.evidence["reason"] == "nothing is heard from any venue"
    assert alert.evidence["remaining_venues"] == []
    assert alert.severity is Severity.WARNING
    [back] = market.run(60)
    assert back.kind is Kind.FEED_RECOVERED
    assert (back.episode, back.evidence["venues"]) == (alert.episode, [A, B, C])
    assert market.run(600) == []


def test_who_does_not_come_back_with_the_others_is_named_and_told_of_later() -> None:
    market = Market(A, B, C)
    market.run(300)
    [alert] = market.run(120, [])
    [first] = market.run(120, [A, B])
    [second] = market.run(60)

    assert (first.evidence["venues"], first.evidence["still_degraded"]) == ([A, B], [C])
    assert (second.evidence["venues"], second.evidence["still_degraded"]) == ([C], [])
    assert {alert.episode, first.episode, second.episode} == {alert.episode}


def test_answers_to_questions_are_no_life_when_no_stream_is_to_be_had() -> None:
    market = Market(A, B)
    market.run(300)
    market.lose(A)
    market.lose(B)
    alerts = []
    for _ in range(70):
        market.venues[A].feeds.open_interest.count += 1
        alerts += market.run(1, [])

    assert kinds(alerts) == [Kind.FEED_DEGRADED]


def test_the_only_venue_is_told_of_with_its_own_reason() -> None:
    market = Market(A)
    market.run(100)
    market.lose(A, "HTTP 451: not here")
    [alert] = market.run(70, [])

    assert alert.evidence["reason"] == "connection lost (HTTP 451: not here)"
    assert alert.severity is Severity.WARNING


@pytest.mark.parametrize("hours", [1, -1, 400 * 24])
def test_a_clock_that_jumps_and_a_machine_that_slept_accuse_nobody(hours: int) -> None:
    market = Market(A, B, C)
    market.run(300)
    last, market.second = market.second, market.second + hours * 3600
    alerts = market.judge(recorded=last)

    assert alerts + market.run(40, [A]) == []
    assert alerts + market.run(600) == []


def test_hours_without_a_record_are_not_judged_second_by_second() -> None:
    market = Market(A, B)
    market.run(10)
    last, market.second = market.second, market.second + 10**9
    market.judge(recorded=last)

    assert market.liveness.judged == last + 45


@pytest.mark.parametrize("apart_s", [2, 7, 50])
def test_ticks_without_records_decide_nothing_that_records_alone_would_not(apart_s: int) -> None:
    """A live run ticks all the time, a replay only where the tape has a record."""

    def told(*, ticking: bool) -> tuple[list[Alert], bytes]:
        market = Market(A, B)
        market.run(300)
        alerts, recorded = [], market.second
        for second in range(1, 701):
            market.second += 1
            if ticking or second % apart_s == 0:
                alerts += market.judge(recorded=recorded)
            if second % apart_s == 0:
                market.venues[B].feeds.trades.count += 1
                recorded = market.second
        return alerts, msgspec.msgpack.encode((market.liveness.outages, market.venues))

    assert told(ticking=True) == told(ticking=False)
    assert bool(told(ticking=True)[0]) is (apart_s < 45)


# -- liquidations


@pytest.mark.parametrize("seed", range(8))
def test_liquidations_that_stop_while_trades_flow_are_told_within_two_minutes(seed: int) -> None:
    market = Market(A, B, C, seed=seed)
    assert market.run(1800, liquidating=(A, B, C)) == []
    begun = market.second
    alert = market.until_told(120, A, B, C, liquidating=(B, C))

    assert 60 <= market.second - begun <= 120
    assert alert.evidence["channels"] == [LIQUIDATIONS]
    assert alert.evidence["venue"] == A
    assert "shows none while other venues showed" in alert.evidence["reason"]
    assert market.venues[A].blind


@pytest.mark.parametrize("seed", range(4))
def test_where_rates_were_measured_even_the_first_liquidation_is_missed(seed: int) -> None:
    market = Market(A, B, C, usual_per_h=1200, seed=seed)
    alert = market.until_told(120, A, B, C, liquidating=(B, C))

    assert alert.evidence["venue"] == A


def test_without_a_measured_rate_nothing_is_said_before_it_is_learned() -> None:
    market = Market(A, B, C)

    assert market.run(1800, liquidating=(B, C)) == []
    assert market.state(A, LIQUIDATIONS) is FeedState.QUIET


def test_a_feed_called_dead_is_revived_by_an_order_of_its_own_and_by_nothing_else() -> None:
    market = Market(A, B, C)
    market.run(1800, liquidating=(A, B, C))
    market.until_told(120, A, B, C, liquidating=(B, C))
    assert market.run(3600, liquidating=(B, C)) == []
    market.liquidate(A)
    alerts = market.run(9)
    assert alerts == []
    [alert] = market.run(5)

    assert alert.kind is Kind.FEED_RECOVERED
    assert alert.severity is Severity.INFO
    assert not market.venues[A].blind


def test_a_burst_at_one_venue_alone_says_nothing_about_the_others() -> None:
    market = Market(A, B, C, usual_per_h=5)
    market.run(4 * 3600, liquidating=(A, B, C), per_min=5 / 60)
    for _ in range(300):
        market.liquidate(B, market.rng.choice(COINS))
        market.run(1)

    assert market.state(A, LIQUIDATIONS) is FeedState.QUIET
    assert market.state(C, LIQUIDATIONS) is FeedState.QUIET


def test_a_whole_book_liquidated_in_one_second_counts_once() -> None:
    market = Market(A, B, C, usual_per_h=60)
    market.run(60)
    for name in (B, C):
        for number in range(63):
            market.liquidate(name, f"ALT{number}")
    market.run(60)

    assert market.venues[A].feeds.liquidations.elsewhere == 2
    assert market.state(A, LIQUIDATIONS) is FeedState.QUIET


def test_with_its_trades_dead_a_venues_liquidations_are_dead_for_the_same_reason() -> None:
    market = Market(A, B)
    market.run(300)
    [alert] = market.run(60, [B])

    assert alert.evidence["channels"] == [TRADES, LIQUIDATIONS]
    assert market.venues[A].blind
    [back] = market.run(20)
    assert back.kind is Kind.FEED_RECOVERED
    assert back.evidence["channels"] == [TRADES, LIQUIDATIONS]
    assert not market.venues[A].blind


def open_interest(market: Market, name: str, size: float) -> None:
    now_ms = market.second * 1000
    event = OpenInterest(name, "BTC", "BTCUSDT", now_ms, now_ms * 10**6, size)
    weigh_open_interest(market.venues, event, now_ms)


@pytest.mark.parametrize(
    ("size", "elsewhere", "own", "state"),
    [
        (95.9, True, False, FeedState.STALE),
        (98.0, True, False, FeedState.QUIET),
        (95.9, False, False, FeedState.QUIET),
        (95.9, True, True, FeedState.LIVE),
    ],
)
def test_positions_do_not_vanish_without_liquidations(
    size: float, *, elsewhere: bool, own: bool, state: FeedState
) -> None:
    market = Market(A, B)
    market.run(200)
    open_interest(market, A, 100.0)
    market.run(60)
    if elsewhere:
        market.liquidate(B)
    if own:
        market.liquidate(A)
    market.run(30)
    open_interest(market, A, size)
    market.run(1)

    assert market.state(A, LIQUIDATIONS) is state
    if state is FeedState.STALE:
        reason = market.venues[A].feeds.liquidations.reason
        assert reason.startswith("open interest of BTC fell by 4.1% in 90 s")
        market.run(601)
        assert market.state(A, LIQUIDATIONS) is FeedState.QUIET


def test_open_interest_that_falls_slowly_is_nothing() -> None:
    market = Market(A, B)
    for size in range(100, 80, -1):
        open_interest(market, A, float(size))
        market.liquidate(B)
        market.run(61)

    assert market.state(A, LIQUIDATIONS) is FeedState.QUIET


def test_a_feed_that_works_is_live_or_sampled_and_quiet_after_a_while() -> None:
    market = Market(A, B)
    market.venues[B].completeness = Completeness.SAMPLED
    market.liquidate(A)
    market.liquidate(B)
    market.run(5)
    assert market.state(A, LIQUIDATIONS) is FeedState.LIVE
    assert market.state(B, LIQUIDATIONS) is FeedState.SAMPLED
    market.run(150)

    assert market.state(A, LIQUIDATIONS) is FeedState.QUIET


# -- connections


def test_a_lost_connection_that_is_soon_back_is_nothing() -> None:
    market = Market(A, B)
    market.run(300)
    market.lose(A)
    alerts = market.run(18, [B])
    market.return_(A)

    assert alerts + market.run(120) == []


def test_a_lost_connection_that_stays_away_is_dead_for_the_reason_given() -> None:
    market = Market(A, B)
    market.run(300)
    market.lose(A, "1006 reset by peer")
    [alert] = market.run(25, [B])

    assert alert.evidence["reason"] == "connection lost (1006 reset by peer)"
    assert alert.evidence["channels"] == [TRADES, LIQUIDATIONS]


def test_one_of_several_connections_takes_the_liquidations_with_it_though_trades_flow() -> None:
    market = Market(A, B)
    market.venues[A].feeds.reached("another", Stream.DELIVERS)
    market.run(300)
    market.lose(A)
    [alert] = market.run(25)
    assert alert.evidence["channels"] == [LIQUIDATIONS]
    market.return_(A)

    assert kinds(market.run(15)) == [Kind.FEED_RECOVERED]


def test_a_venue_that_turns_us_away_is_told_of_with_its_words() -> None:
    market = Market(A, B)
    market.run(10)
    market.venues[C] = Venue(name=C, completeness=Completeness.FULL)
    market.venues[C].feeds.ended(None, "HTTP 451")
    [alert] = market.run(60, [A, B])

    assert (alert.evidence["venue"], alert.evidence["reason"]) == (C, "HTTP 451")


def test_of_a_venue_that_is_left_on_purpose_nothing_is_expected() -> None:
    market = Market(A, B)
    market.run(300)
    market.venues[A].feeds.ended(f"{A}/1", "1000 stopped")
    assert market.run(600, [B]) == []
    assert {feed.venue for feed in feed_health(market.venues, market.promises)} == {B}
    market.open(A, Stream.ACKNOWLEDGED)

    assert kinds(market.run(60, [B])) == [Kind.FEED_DEGRADED]


# -- what is told


def test_venues_that_fail_together_are_one_story() -> None:
    market = Market(A, B, C)
    market.run(300)
    market.run(2, [A, C])
    [alert] = market.run(600, [C])

    assert alert.evidence["venue"] is None
    assert sorted(alert.evidence["venues"]) == [A, B]
    assert alert.episode == f"feed-market-{alert.time}"
    assert alert.evidence["remaining_venues"] == [C]


def test_recovered_is_told_when_all_has_been_live_for_ten_seconds() -> None:
    market = Market(A, B)
    market.run(300)
    [degraded] = market.run(60, [B])
    assert market.run(9) == []
    begun = market.second
    [recovered] = market.run(30)

    assert recovered.time <= (begun + 3) * 1000
    assert recovered.episode == degraded.episode
    assert recovered.evidence["duration_s"] == (recovered.time - degraded.time) // 1000


@pytest.mark.parametrize(
    ("completeness", "usd", "severity"),
    [
        (Completeness.SAMPLED, 5e6, Severity.WARNING),
        (Completeness.SAMPLED, 1e6, Severity.INFO),
        (Completeness.SAMPLED, 0.0, Severity.INFO),
        (Completeness.FULL, 5e5, Severity.WARNING),
        (Completeness.FULL, 1e4, Severity.INFO),
    ],
)
def test_it_is_loud_where_a_substantial_share_is_lost(
    completeness: Completeness, usd: float, severity: Severity
) -> None:
    market = Market(A, B)
    market.venues[A].completeness = completeness
    market.run(300)
    market.venues[A].forced_usd.add(market.second * 1000, usd)
    market.venues[B].forced_usd.add(market.second * 1000, 1e7)
    [alert] = market.run(60, [B])

    assert alert.severity is severity
    assert alert.evidence["share_pct"] == pytest.approx(100 * usd / (usd + 1e7), abs=0.05)


def test_of_flow_nobody_has_seen_only_complete_feeds_are_loud() -> None:
    for completeness, severity in (
        (Completeness.FULL, Severity.WARNING),
        (Completeness.SAMPLED, Severity.INFO),
    ):
        market = Market(A, B)
        market.venues[A].completeness = completeness
        market.run(300)
        [alert] = market.run(60, [B])

        assert (alert.severity, alert.evidence["share_pct"]) == (severity, None)


def test_every_promised_feed_of_a_venue_listened_to_is_shown() -> None:
    market = Market(A, B)
    market.promises[A] = Promise(channels=frozenset({TRADES, LIQUIDATIONS, "margin tiers"}))
    market.run(10)
    health = [feed for feed in feed_health(market.venues, market.promises) if feed.venue == A]

    assert [(feed.channel, feed.state, feed.reason, feed.silent_s) for feed in health] == [
        (TRADES, FeedState.LIVE, "", 0),
        (LIQUIDATIONS, FeedState.QUIET, "nothing yet", 9),
    ]


def test_a_spot_venue_that_falls_silent_is_shown_and_nobody_is_told() -> None:
    market = Market(A, B)
    spot = market.spot["coinbase-spot"] = Venue("coinbase-spot", Completeness.UNKNOWN)
    spot.feeds.reached("coinbase-spot/1", Stream.DELIVERS)
    spot.feeds.trades.count += 1

    assert market.run(310) == []
    assert spot.feeds.trades.state is FeedState.DEAD


def test_a_spot_venue_that_trades_proves_nothing_of_the_others() -> None:
    def silence(*, spot_trades: bool) -> list[Alert]:
        market = Market(A, B)
        spot = market.spot["coinbase-spot"] = Venue("coinbase-spot", Completeness.UNKNOWN)
        alerts = market.run(60)
        for _ in range(120):
            spot.feeds.trades.count += spot_trades
            alerts += market.run(1, [])
        return alerts

    assert kinds(silence(spot_trades=True)) == [Kind.FEED_DEGRADED]
    assert silence(spot_trades=True) == silence(spot_trades=False)


@pytest.mark.parametrize("cut_s", [5, 30, 52, 100, 125])
def test_what_is_remembered_outlives_the_process(cut_s: int) -> None:
    def told(*, cut: bool) -> list[Alert]:
        market = Market(A, B, C)
        market.run(300, liquidating=(A, B, C))
        alerts = []
        for second in range(200):
            alerts += market.run(1, [B, C] if second < 110 else None, liquidating=(B, C))
            if cut and second == cut_s:
                kept = msgspec.msgpack.encode((market.liveness, market.venues))
                market.liveness, market.venues = msgspec.msgpack.decode(
                    kept, type=tuple[Liveness, dict[str, Venue]]
                )
        return alerts

    assert kinds(told(cut=False)) == [Kind.FEED_DEGRADED, Kind.FEED_RECOVERED]
    assert told(cut=True) == told(cut=False)


# -- three quiet days


class QuietDays(Market):
    """Trades every 1 to 20 s, liquidations 0 to 5 an hour, none at night, bursts of one venue."""

    def live(self, hours: int) -> list[Alert]:
        rng, alerts = self.rng, []
        due = {name: self.second + rng.uniform(1, 20) for name in self.venues}
        rate: dict[str, float] = {}
        burst = ("", 0)
        for second in range(hours * 3600):
            if second % 3600 == 0:
                night = second // 3600 % 24 < 7
                rate = {name: 0.0 if night else rng.uniform(0, 5) for name in self.venues}
                if second // 3600 % 2:
                    burst = rng.choice(list(self.venues)), second + 120
            for name, venue in self.venues.items():
                if due[name] <= self.second:
                    venue.feeds.trades.count += 1
                    due[name] = self.second + rng.uniform(1, 20)
                bursting = name == burst[0] and second < burst[1]
                if rng.random() < (1800 if bursting else rate[name]) / 3600:
                    self.liquidate(name, rng.choice(COINS))
            alerts += self.run(1, [])
        return alerts


@pytest.mark.parametrize("usual_per_h", [None, 2.5], ids=["unmeasured", "measured"])
def test_72_quiet_hours_raise_nothing(usual_per_h: float | None) -> None:
    market = QuietDays(A, B, C, usual_per_h=usual_per_h)

    assert market.live(72) == []
    assert all(feed.state is not FeedState.DEAD for feed in feed_health(market.venues, {}))
    assert min(venue.feeds.liquidations.own for venue in market.venues.values()) > 100
