from itertools import pairwise

import msgspec
import pytest

from liqwatch.events import Position
from liqwatch.simulator.positions import Holding
from liqwatch.simulator.scenarios import SCENARIOS, Act, Scenario
from liqwatch.simulator.world import Step, World, worlds

HASTY = msgspec.structs.replace(  # a cascade without the quarter of an hour before it
    SCENARIOS["cascade"].plans[0],
    acts=(Act(-151, 1, 20), Act(14, 8, 90), Act(-30, 0.1, 600)),
    crowd_before_usd=600e6,
)


def hasty_world(seed: int = 1) -> World:
    return worlds(Scenario(seconds=240, plans=(HASTY,), direction=1), seed=seed, start_ms=0)[0]


def live(world: World, seconds: int) -> list[Step]:
    return [world.step() for _ in range(seconds * 4)]


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    assert live(hasty_world(1), 60) == live(hasty_world(1), 60)
    assert live(hasty_world(1), 60) != live(hasty_world(2), 60)


def test_market_and_twin_are_equal_to_the_last_bit_before_any_forced_order() -> None:
    steps = live(hasty_world(), 180)
    first = next(i for i, step in enumerate(steps) if any(v.forced for v in step.venues))
    assert first > 40
    assert all(step.displacement == 0.0 for step in steps[:first])
    assert steps[first].displacement > 0


def test_the_twin_liquidates_too_but_its_price_does_not_know() -> None:
    world = hasty_world()
    live(world, 180)
    assert world.market.log_price - world.twin.log_price > 0.01
    for book in (*world.market.books, *world.twin.books):
        book.check()


def test_open_interest_is_reported_as_held_and_never_negative() -> None:
    world = hasty_world()
    for step in live(world, 180):
        assert min(venue.open_interest for venue in step.venues) > 0
    reported = [venue.open_interest for venue in step.venues]
    assert reported == [book.open_interest for book in world.market.books]


def test_nobody_is_left_whose_liquidation_price_the_mark_has_passed() -> None:
    world = hasty_world()
    live(world, 90)
    for number, book in enumerate(world.market.books):
        mark = world.market.mark(number)
        book.trigger(mark)
        left = [h for h in book.holdings() if not h.liquidating and _is_dead(h, mark)]
        assert left == []


def _is_dead(holding: Holding, mark_price: float) -> bool:
    return holding.sign * (mark_price - holding.liquidation_price) < 0


def test_forced_orders_are_among_the_trades_on_their_side() -> None:
    for step in live(hasty_world(), 120):
        for venue in step.venues:
            forced = sum(order.coins for order in venue.forced)
            bought = sum(fill.coins for fill in venue.trades if fill.buy)
            assert {order.position for order in venue.forced} <= {Position.SHORT}
            assert bought >= forced * (1 - 1e-9)


def test_trades_come_in_order_and_inside_their_step() -> None:
    for step in live(hasty_world(), 60):
        for venue in step.venues:
            times = [step.time_ms - 250, *(fill.time_ms for fill in venue.trades)]
            assert all(before <= after < step.time_ms for before, after in pairwise(times))


def test_a_wall_takes_the_forced_orders_without_moving() -> None:
    walled = msgspec.structs.replace(HASTY, wall_bp=3.0, wall_impact=0.1)
    scenario = Scenario(seconds=180, plans=(walled,), direction=1)
    steps = live(worlds(scenario, seed=1, start_ms=0)[0], 180)
    forced = sum(o.coins * o.price for step in steps for v in step.venues for o in v.forced)
    assert forced > 50e6
    assert max(step.displacement for step in steps) < 0.002


def test_the_seed_chooses_the_direction() -> None:
    drawn = {worlds(SCENARIOS["cascade"], seed=seed, start_ms=0)[0].direction for seed in range(8)}
    assert drawn == {1, -1}


@pytest.mark.parametrize("venue", [0, 1, 2])
def test_a_day_trades_about_the_volume_of_the_coin(venue: int) -> None:
    world = worlds(SCENARIOS["quiet"], seed=4, start_ms=0)[0]
    steps = live(world, 300)
    usd = sum(fill.coins * fill.price for step in steps for fill in step.venues[venue].trades)
    share = (0.45, 0.30, 0.25)[venue]
    assert usd * 86_400 / 300 == pytest.approx(world.plan.coin.volume_usd_day * share, rel=0.35)
