"""The markets in which detection is measured, and how it does in a few of them."""

import numpy as np
import pytest

from liqwatch.alerts import Direction
from liqwatch.engine.forced_flow import Feed as EngineFeed
from liqwatch.events import Completeness, Disconnect, Liquidation, Position, Tick, Trade
from liqwatch.simulator.episodes.course import SECONDS, STEP_S, STEPS, Course, Episode, live
from liqwatch.simulator.episodes.feeds import (
    THROTTLED,
    complete,
    events,
    forced_orders,
    history,
    show,
)
from liqwatch.simulator.episodes.legs import START_MS, truth
from liqwatch.simulator.episodes.orders import (
    HOUR_S,
    Orders,
    background,
    block_maxima,
    split,
    throttle,
)
from liqwatch.simulator.episodes.suite import PRODUCT, RIVALS, Plan, best, run
from liqwatch.simulator.episodes.tables import f1, markdown, summarise
from liqwatch.simulator.episodes.worlds import Batch, Story, World, draw

SEED, COUNT = 7, 2 * len(Story)


@pytest.fixture(scope="module", name="lived")
def lived_through() -> tuple[Batch, Course]:
    batch = draw(SEED, COUNT, World.STRONG)
    return batch, live(batch, SEED)


def episode(lived: tuple[Batch, Course], story: Story) -> Episode:
    return Episode(*lived, int(story))


def test_the_same_seed_gives_the_same_course(lived: tuple[Batch, Course]) -> None:
    batch, course = lived
    again = draw(SEED, COUNT, World.STRONG)

    assert np.array_equal(batch.ahead_usd, again.ahead_usd)
    assert np.array_equal(course.price, live(again, SEED).price)
    assert not np.array_equal(course.price, live(again, SEED + 1).price)


@pytest.mark.parametrize("world", World)
def test_without_positions_the_market_and_its_twin_are_one(world: World) -> None:
    batch = draw(SEED, COUNT, world)
    nobody = np.zeros_like(batch.ahead_usd)
    empty = batch._replace(ahead_usd=nobody, behind_usd=nobody, stops_usd=nobody)

    assert not live(empty, SEED).displacement.any()


def test_what_is_executed_was_there(lived: tuple[Batch, Course]) -> None:
    batch, course = lived

    assert (course.ahead_usd >= 0).all()
    assert (course.ahead_usd.sum(axis=0) <= batch.ahead_usd[:, -1]).all()


def test_clusters_that_feed_themselves_make_legs_and_news_do_not(
    lived: tuple[Batch, Course],
) -> None:
    def legs(story: Story) -> int:
        return sum(not leg.minor for leg in truth(episode(lived, story), SEED).legs)

    assert min(legs(one) for one in (Story.CASCADE, Story.OUTAGE, Story.SECOND_WAVE)) > 0
    assert legs(Story.NEWS) == legs(Story.SPIKE) == legs(Story.QUIET) == 0


def test_orders_split_add_up_to_what_was_executed_and_lie_in_its_steps() -> None:
    executed = np.zeros(STEPS)
    executed[100:140] = 50_000.0

    orders = split(executed, STEP_S, 1.0, np.random.default_rng(1))

    assert orders.usd.sum() == pytest.approx(executed.sum())
    assert orders.time_s.min() >= 100 * STEP_S
    assert orders.time_s.max() < 140 * STEP_S


def test_a_throttled_feed_tells_the_latest_order_of_each_second() -> None:
    orders = Orders(np.array([5.9, 5.1, 7.0, 7.2]), np.array([1.0, 2.0, 3.0, 4.0]))

    told = throttle(orders)

    assert told.time_s.tolist() == [5.9, 7.2]
    assert told.usd.tolist() == [1.0, 4.0]


def test_a_day_of_background_holds_what_it_says() -> None:
    counts = [len(background(24 * HOUR_S, 1.0, np.random.default_rng(n)).usd) for n in range(20)]

    assert 84 * 24 < np.mean(counts) < 84 * 24 + 8 * 150


def test_histories_are_made_of_the_root_sums_that_the_engine_forms() -> None:
    orders = background(HOUR_S, 1.0, np.random.default_rng(3))
    feed, maxima, top = EngineFeed("v", Completeness.FULL), [], 0.0
    by_second = orders.time_s.astype(int)
    for second in range(HOUR_S):
        for usd in orders.usd[by_second == second]:
            feed.add(second * 1000, float(usd))
        feed.close_second(second, counts_since_s=None)
        top = max(top, feed.root_sum)
        if second % 300 == 299:
            maxima.append(top)
            top = 0.0

    assert block_maxima(orders, HOUR_S, 30, 300) == pytest.approx(maxima)


def test_feeds_show_their_share_and_no_order_twice(lived: tuple[Batch, Course]) -> None:
    rng = np.random.default_rng(1)
    orders = forced_orders(episode(lived, Story.CASCADE), rng)
    every = sum(len(one.usd) for one in orders.values())

    half = show(orders, complete(0.5), rng)
    told = sum(len(one.usd) for each in half.values() for one in each.values())
    few = show(orders, THROTTLED, rng)

    assert told == pytest.approx(every / 2, rel=0.05)
    assert all(len(one.usd) <= SECONDS for each in few.values() for one in each.values())
    shown = np.concatenate([one.usd for each in few.values() for one in each.values()])
    assert len(np.unique(shown)) == len(shown)


def test_an_engine_hears_everything_in_order(lived: tuple[Batch, Course]) -> None:
    one, rng = episode(lived, Story.OUTAGE), np.random.default_rng(1)
    facts, visibility = truth(one, SEED), complete(0.1)
    shown = show(forced_orders(one, rng), visibility, rng)

    told = events(one, visibility, shown, facts, rng)

    times = [event.time for event in told]
    assert times == sorted(times)
    assert START_MS <= times[0] <= times[-1] <= START_MS + SECONDS * 1000
    assert {Trade, Liquidation, Tick} <= {type(event) for event in told}
    (lost,) = [event for event in told if isinstance(event, Disconnect)]
    silent = range(lost.time, lost.time + 20_000)
    assert not [e for e in told if isinstance(e, Liquidation) and e.time in silent]
    forced = [event for event in told if isinstance(event, Liquidation)]
    usd = {one: sum(e.notional_usd for e in forced if e.position is one) for one in Position}
    pushed = Direction.UP.position if one.sign > 0 else Direction.DOWN.position
    assert usd[pushed] == max(usd.values())


def test_a_feed_that_shows_less_has_learned_a_lower_bar() -> None:
    levels = [
        history(complete(share).feeds[0], 48, 1.0, np.random.default_rng(1)).level(24)
        for share in (1.0, 0.1)
    ]

    assert levels[0] > levels[1] > 0


def test_a_rival_gets_the_threshold_that_suits_it_best() -> None:
    plan = Plan(SEED, COUNT, World.STRONG, 0, (complete(1.0),))
    _, tried = run(plan)
    chosen = best(tried)

    for (method, _), threshold in chosen.items():
        own = [one for one in tried if one.result.method == method]
        rates = {
            each: f1(one.result for one in own if one.threshold == each)
            for each in {one.threshold for one in own}
        }
        assert rates[threshold] == max(rates.values())


def test_most_cascades_are_called_and_little_else_at_any_visibility() -> None:
    """Far from what `liqwatch eval` measures, so that only a real loss fails it."""
    least = {complete(0.1): 0.6, THROTTLED: 0.4}
    untuned = {(rival.name, one.name): 1e12 for rival in RIVALS for one in least}
    results, _ = run(Plan(11, COUNT, World.STRONG, 168, tuple(least), untuned))

    for visibility, rate in least.items():
        own = [one for one in results if one.visibility == visibility.name]
        row = summarise(own)
        assert row.method == PRODUCT
        assert row.f1 >= rate, markdown([row])
        assert row.f1_low <= row.f1 <= row.f1_high
        quiet = [one for one in own if one.story == Story.QUIET.name.lower()]
        assert not any(one.false_starts for one in quiet)
