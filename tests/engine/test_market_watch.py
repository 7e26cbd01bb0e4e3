"""Several walked coins in one engine, and the story of their market."""

from collections.abc import Iterator, Sequence
from heapq import merge

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace
from walked_market import T0, VENUE, market, run

from liqwatch.alerts import Alert, Direction, Kind, Severity
from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.market_story import MarketSettings
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, unpack
from liqwatch.events import Completeness, Connect, Event, Liquidation, Tick, Trade

COINS = ("BTC", "ETH", "SOL", "XRP")
SECONDS = 1100
BURST_S = 700
STARTED, STALLED, RESUMED, ENDED = (
    Kind.CASCADE_STARTED,
    Kind.CASCADE_STALLED,
    Kind.CASCADE_RESUMED,
    Kind.CASCADE_ENDED,
)
NEVER = MarketSettings(coins=1000)


def engine(settings: MarketSettings = MarketSettings(), state: EngineState | None = None) -> Engine:  # noqa: B008 - frozen
    return Engine(
        EngineSettings(market=settings),
        watch=None,
        promises={VENUE: Promise(completeness=Completeness.FULL)},
        state=state,
    )


def walked(**bursts: int | None) -> list[Event]:
    """Coins that burst at their second: the way up, or where it is negative down."""
    alone = [
        list(of_coin(coin, burst, seed)) for seed, (coin, burst) in enumerate(bursts.items(), 1)
    ]
    ticks = [event for event in alone[0] if isinstance(event, Connect | Tick)]
    rest = ([event for event in one if not isinstance(event, Connect | Tick)] for one in alone)
    return list(merge(ticks, *rest, key=when))


def of_coin(coin: str, burst: int | None, seed: int) -> Iterator[Event]:
    at, sign = (None, 1) if burst is None else (abs(burst), 1 if burst > 0 else -1)
    for event in market(SECONDS, burst_at=at, sign=sign, seed=seed):
        if isinstance(event, Trade | Liquidation):
            yield replace(event, symbol=coin, instrument=f"{coin}USDT")
        else:
            yield event


def when(event: Event) -> int:
    return event.time * 1_000_000 if isinstance(event, Tick) else event.received


def together(sign: int = 1, coins: Sequence[str] = COINS, apart_s: int = 10) -> list[Event]:
    return walked(**{coin: sign * (BURST_S + apart_s * n) for n, coin in enumerate(coins)})


def of_market(alerts: Sequence[Alert]) -> list[Alert]:
    return [one for one in alerts if one.of_market]


def of_coins(alerts: Sequence[Alert]) -> list[Alert]:
    return [one for one in alerts if not one.of_market]


@pytest.fixture(scope="module")
def falling() -> list[Event]:
    return together(-1)


@pytest.fixture(scope="module")
def told(falling: list[Event]) -> list[Alert]:
    return run(engine(), falling)


def test_coins_that_fall_together_are_one_story_from_start_to_end(told: list[Alert]) -> None:
    story = of_market(told)

    assert [one.kind for one in story] == [STARTED, STALLED, ENDED]
    assert len({one.episode for one in story}) == 1
    starts = [one for one in of_coins(told) if one.kind is STARTED]
    assert [one.symbol for one in starts] == list(COINS)
    assert story[0].time == starts[2].time, "with the third coin"
    assert told.index(story[0]) == told.index(starts[2]) + 1, "after its own alert"
    ends = [one for one in of_coins(told) if one.kind is ENDED]
    assert story[-1].time == ends[-1].time


def test_what_is_said_of_the_market_is_said_of_no_price_and_no_level(told: list[Alert]) -> None:
    for one in of_market(told):
        assert (one.symbol, one.price, one.level) == ("MARKET", None, None)
        assert (one.direction, one.position) == (Direction.DOWN, "long")
        assert one.members is not UNSET
        assert list(one.evidence["by_member"]) == one.members
    start, stall, end = of_market(told)
    assert start.severity is Severity.WARNING
    assert stall.severity is Severity.WARNING
    assert end.severity is Severity.INFO
    assert start.outcome is UNSET


def test_its_evidence_is_that_of_its_coins(told: list[Alert]) -> None:
    start, _, end = of_market(told)
    assert start.evidence["coins"] == start.evidence["coins_cascading"] == 3
    assert start.thresholds == {"coins_cascading": 3, "coins_critical": 6, "window_s": 60}
    assert start.evidence["breadth_pct"] == 75.0
    assert start.evidence["forced_usd_60s"] > 0

    ends = {one.symbol: one for one in of_coins(told) if one.kind is ENDED}
    evidence = end.evidence
    assert evidence["duration_s"] == (end.time - start.time) // 1000
    assert evidence["coins"] == 4
    assert set(evidence["by_member"]) == set(ends)
    for coin, own in ends.items():
        part = evidence["by_member"][coin]
        assert part["episode"] == own.episode
        assert part["leg_pct"] == own.evidence["leg_pct"] < 0
        assert part["outcome"] == own.outcome
        assert part["forced_usd"] == own.evidence["forced_usd_total"]
    total = sum(one.evidence["forced_usd_total"] for one in ends.values())
    assert evidence["forced_usd_total"] == pytest.approx(total)
    sigmas = [part["leg_sigma"] for part in evidence["by_member"].values()]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[-1] <= evidence["median_leg_sigma"] <= sigmas[0]


def test_there_is_no_map_and_no_picture_of_the_market(falling: list[Event]) -> None:
    one = engine()
    run(one, [event for event in falling if event.time <= T0 + (BURST_S + 40) * 1000])

    assert set(one.state.market) == {Direction.DOWN}
    assert one.show_map("MARKET") is None
    assert one.show_episode("MARKET", Direction.DOWN) is None
    assert {running.symbol for running in one.running()} == set(COINS)


def test_up_is_the_mirror_of_down(told: list[Alert]) -> None:
    up = of_market(run(engine(), together(1)))

    assert [one.kind for one in up] == [one.kind for one in of_market(told)]
    assert {one.direction for one in up} == {Direction.UP}
    assert all(part["leg_pct"] > 0 for part in up[-1].evidence["by_member"].values())


def test_two_coins_are_no_market() -> None:
    alerts = run(engine(), together(coins=("BTC", "ETH")))

    assert [one.kind for one in alerts].count(STARTED) == 2
    assert of_market(alerts) == []


def test_two_up_and_two_down_are_no_market() -> None:
    alerts = run(engine(), walked(BTC=BURST_S, ETH=BURST_S, SOL=-BURST_S, XRP=-BURST_S))

    assert [one.kind for one in alerts].count(STARTED) == 4
    assert of_market(alerts) == []


def test_the_more_coins_are_watched_the_more_make_a_market() -> None:
    share = MarketSettings(share_pct=60)
    third = dict.fromkeys(COINS[:3], BURST_S)
    assert of_market(run(engine(share), walked(**third, XRP=None)))
    assert not of_market(run(engine(share), walked(**third, XRP=None, ADA=None, DOGE=None)))


@pytest.mark.parametrize("cut_at_s", [BURST_S + after_s for after_s in (40, 60, 120, 250)])
def test_a_snapshot_anywhere_in_the_story_changes_nothing_that_follows(
    falling: list[Event], cut_at_s: int
) -> None:
    cut = next(
        number
        for number, event in enumerate(falling)
        if isinstance(event, Tick) and event.time >= T0 + cut_at_s * 1000
    )
    whole, before = engine(), engine()
    alerts = run(before, falling[:cut])
    assert before.state.market
    after = engine(state=unpack(before.snapshot()))
    alerts += run(after, falling[cut:])

    assert alerts == run(whole, falling)
    assert unpack(after.snapshot()) == unpack(whole.snapshot())


def test_where_nothing_is_heard_any_more_it_ends_and_how_is_unknown(falling: list[Event]) -> None:
    cut_ms = T0 + (BURST_S + 40) * 1000
    events = [event for event in falling if event.time <= cut_ms]
    silence = [Tick(cut_ms + 1000 * second) for second in range(1, 200)]

    end = of_market(run(engine(), [*events, *silence]))[-1]

    assert (end.kind, end.outcome) == (ENDED, "unknown")
    assert {part["outcome"] for part in end.evidence["by_member"].values()} == {"unknown"}


def test_coins_that_are_no_longer_watched_end_it(falling: list[Event]) -> None:
    cut_ms = T0 + (BURST_S + 40) * 1000
    one = engine()
    assert len(of_market(run(one, [event for event in falling if event.time <= cut_ms]))) == 1
    one.configure(EngineSettings(), {"ADA": SymbolSettings()})

    (end,) = of_market(run(one, [Tick(cut_ms + 1000 * second) for second in range(1, 5)]))
    assert (end.kind, end.outcome) == (ENDED, "unknown")


@given(
    bursts=st.lists(
        st.none() | st.integers(620, 760) | st.integers(-760, -620), min_size=4, max_size=4
    )
)
@settings(max_examples=6, deadline=None)
def test_the_alerts_of_each_coin_are_those_without_any_story_of_the_market(
    bursts: list[int | None],
) -> None:
    events = walked(**dict(zip(COINS, bursts, strict=True)))

    assert of_coins(run(engine(), events)) == run(engine(NEVER), events)
