"""What comes twice, late, out of order or by a wrong clock changes no alert."""

from itertools import groupby
from math import isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from simulated_market import (
    VENUES,
    assert_same_story,
    cascade,
    decide,
    engine,
    honest,
    of,
    pipeline,
    records,
    skewed,
    story,
)

from liqwatch.alerts import Alert
from liqwatch.engine.forced_flow import Feed
from liqwatch.events import Completeness, Event, Liquidation, Tick

LATENESS_MS = 5_000
T0 = 1_791_565_200_000


def test_a_tape_in_which_every_frame_comes_twice_gives_the_same_alerts() -> None:
    """Trades, liquidations and all else: as two connections with the same subscriptions do."""

    def decided(times: int) -> list[Alert]:
        alerts: list[Alert] = []
        through = pipeline(engine(), alerts)
        for record in records("cascade"):
            through.ingest(record)
            if record.text is not None and record.stream is not None:
                for number in range(2, times + 1):
                    through.ingest(replace(record, stream=f"{record.stream}/{number}"))
        return alerts

    once = decided(1)

    assert story(once), "nothing to prove on"
    assert story(decided(2)) == story(once)


def within_ticks(events: list[Event], seed: int) -> list[Event]:
    """Shuffle what comes between two quarters of a second of our clock."""
    rng, shuffled = Random(seed), []
    for is_tick, group in groupby(events, key=lambda event: type(event) is Tick):
        those = list(group)
        if not is_tick:
            rng.shuffle(those)
        shuffled += those
    return shuffled


@pytest.mark.parametrize("seed", range(3))
def test_within_a_quarter_second_the_order_of_events_does_not_matter(seed: int) -> None:
    snapshot, events = cascade()
    _, shuffled = decide((snapshot, within_ticks(events, seed)))

    assert_same_story(shuffled, within_s=0)
    for one, other in zip(story(shuffled), story(honest()), strict=True):
        assert one.evidence.get("venues") == other.evidence.get("venues")


def late(events: list[Event], seed: int, most_ms: int) -> list[Event]:
    """Let a third of the forced orders come late, each by a time of its own."""
    rng = Random(seed)

    def arrival(event: Event) -> int:
        held = type(event) is Liquidation and rng.random() < 1 / 3
        at = event.time if isinstance(event, Tick) else event.received // 1_000_000
        return at + (rng.randrange(most_ms) if held else 0)

    times = [arrival(event) for event in events]
    order = sorted(range(len(events)), key=times.__getitem__)
    return [
        replace(events[n], received=times[n] * 1_000_000)
        if type(events[n]) is Liquidation
        else events[n]
        for n in order
    ]


@pytest.mark.parametrize("seed", range(2))
def test_forced_orders_that_come_late_belong_where_they_were_stamped(seed: int) -> None:
    """The start is as late as what it rests on, and nothing is told that would not have been."""
    snapshot, events = cascade()
    _, delayed = decide((snapshot, late(events, seed, LATENESS_MS)))

    assert_same_story(delayed, within_s=LATENESS_MS // 1000)


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.floats(1, 1e7)), min_size=1, max_size=40).flatmap(
        lambda orders: st.tuples(st.just(orders), st.permutations(orders))
    )
)
def test_forced_flow_is_the_same_in_whatever_order_it_is_told(
    orders: tuple[list[tuple[int, float]], list[tuple[int, float]]],
) -> None:
    feeds = []
    for told in orders:
        feed = Feed(venue="a", completeness=Completeness.FULL)
        for after_ms, usd in told:
            feed.add(T0 + after_ms, usd)
        feed.close_second((T0 + 20_000) // 1000, counts_since_s=None)
        feeds.append(feed)
    one, other = feeds
    now_ms = T0 + 21_000

    assert isclose(one.root_sum, other.root_sum)
    assert isclose(one.fast.at(now_ms), other.fast.at(now_ms))
    assert isclose(one.slow.at(now_ms), other.slow.at(now_ms))


def test_what_is_told_again_as_history_decides_nothing() -> None:
    snapshot, events = cascade()
    repeated = [
        one
        for event in events
        for one in (
            [event, replace(event, time=event.time - 12_000, history=True)]
            if isinstance(event, Liquidation)
            else [event]
        )
    ]

    assert story(decide((snapshot, repeated))[1]) == story(honest())


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("seconds", [-10, 2])
def test_a_clock_that_jumps_by_seconds_changes_no_story(venue: str, seconds: float) -> None:
    """Corrected to tens of milliseconds: a rule that just holds may hold seconds apart."""
    one, alerts = decide(cascade(), of(venue, skewed(seconds)))

    assert_same_story(alerts, within_s=3)
    assert abs(one.state.venues[venue].skew_ms + 1000 * seconds) < 100
