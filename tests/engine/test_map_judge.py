from collections.abc import Callable
from random import Random

import pytest

from liqwatch.alerts import Direction
from liqwatch.engine.calibration import Learned
from liqwatch.engine.forced_flow import Feed
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.price import Source
from liqwatch.engine.self_score import Day, Verdict
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol_map import SymbolMap
from liqwatch.events import Completeness, Liquidation, Position, PriceKind, Side
from liqwatch.map_import import ImportedMap, MapLevel

FULL, SAMPLED = "bybit-linear", "okx-swap"
PRICE = 50_000.0
YOURS = SymbolSettings(
    watch_levels=(65e3,),
    clusters=(UserCluster(low=60e3, high=61e3, notional_usd=1e9, position=Position.SHORT),),
)


def always(_: str) -> int | None:
    return 0


class Market:
    """A coin on a venue that shows all liquidations, and on one that shows some."""

    def __init__(self) -> None:
        state = self.state = SymbolState(name="BTC", number=0)
        for venue, completeness in ((FULL, Completeness.FULL), (SAMPLED, Completeness.SAMPLED)):
            state.sources[f"{venue}|BTCUSDT"] = Source(venue=venue)
            for feeds in state.feeds.values():
                feeds[venue] = Feed(venue=venue, completeness=completeness)
        self.map = SymbolMap(state, MapSettings(), YOURS, {})
        self.second = 0
        self.size = 10_000.0

    def live(
        self,
        price: float,
        *,
        realised: float,
        heard_since_s: Callable[[str], int | None] = always,
    ) -> None:
        """Let a minute pass at a price; this share of what is swept is seen to be forced."""
        self.state.price.price = price
        before = {one: self.swept(one) for one in Direction}
        for _ in range(60):
            self.second += 1
            now_ms = self.second * 1000
            self.size += 1.0
            for key, source in self.state.sources.items():
                source.print(now_ms, price, 1.0, Side.BUY)
                self.map.positions.tell(key, self.size)
            self.map.close_second(self.second, now_ms)
        for direction, was in before.items():
            if (usd := realised * (self.swept(direction) - was)) > 0:
                self.force(direction.position, price, usd)
        self.map.close_minute(self.second * 1000, heard_since_s)

    def swept(self, direction: Direction) -> float:
        return (
            self.state.map.books[f"{FULL}|BTCUSDT"].swept_usd[direction.position]
            if (self.state.map.books)
            else 0.0
        )

    def force(self, position: Position, price: float, usd: float) -> None:
        now_ms = self.second * 1000
        self.state.feeds[Direction.of(position)][FULL].add(now_ms, usd)
        event = Liquidation(
            FULL, "BTC", "BTCUSDT", now_ms, 1, position, 1.0, price, PriceKind.FILL, usd,
            Completeness.FULL,
        )  # fmt: skip
        self.map.liquidated(f"{FULL}|BTCUSDT", event, now_ms)

    def wander(self, minutes: int, *, realised: float = 0.3) -> None:
        walk = Random(1)
        price = PRICE
        for _ in range(minutes):
            self.live(price, realised=realised)
            price = PRICE * (1 + 0.06 * walk.uniform(-1, 1))


@pytest.fixture(scope="module")
def learned() -> Market:
    market = Market()
    market.wander(200)
    return market


def test_a_map_of_which_a_third_is_realised_learns_to_say_a_third(learned: Market) -> None:
    scale = learned.map.scale()

    assert scale is not None
    assert scale.calibrated
    assert 0.25 < scale.value < 0.45
    assert set(learned.state.map.learned) == {FULL}


def test_the_amounts_shown_carry_the_scale_and_the_clusters_stay_where_they_are(
    learned: Market,
) -> None:
    state = unpack(pack(EngineState(symbols={"BTC": learned.state}))).symbols["BTC"]
    scaled = SymbolMap(state, MapSettings(), YOURS, {})
    scaled._renew_clusters(learned.second * 1000)
    with_scale = {zone.id: zone for zone in state.map.clusters}
    factor, shown = scaled.factor(), scaled.notional_usd(PRICE, 1.2 * PRICE, Position.SHORT)
    state.map.learned.clear()
    scaled._renew_clusters(learned.second * 1000)
    without = {zone.id: zone for zone in state.map.clusters}

    assert factor < 0.5
    raw = scaled.notional_usd(PRICE, 1.2 * PRICE, Position.SHORT)
    assert shown == pytest.approx(factor * raw)
    assert with_scale.keys() == without.keys() != set()
    for name, zone in with_scale.items():
        assert (zone.low, zone.high) == (without[name].low, without[name].high)
        assert zone.notional_usd == pytest.approx(factor * (without[name].notional_usd or 0))


def test_what_others_tell_in_usd_is_taken_as_told(learned: Market) -> None:
    state = unpack(pack(EngineState(symbols={"BTC": learned.state}))).symbols["BTC"]
    coin = SymbolMap(state, MapSettings(), YOURS, {})
    price = state.price.price
    coin.take_import(
        ImportedMap(
            source="file",
            symbol="BTC",
            as_of_ms=1,
            venues=frozenset({FULL, SAMPLED}),
            levels=(MapLevel(1.1 * price, 1.1 * price, 0.0, 3e7),),
        )
    )
    coin._renew_clusters(learned.second * 1000)

    assert coin.notional_usd(price, 1.2 * price, Position.SHORT) == pytest.approx(3e7)


def test_until_something_was_seen_the_map_is_relative() -> None:
    market = Market()
    market.wander(10)

    assert market.map.scale() is None
    assert market.map.factor() == 1.0


@pytest.mark.parametrize("since_s", [None, 10**9])
def test_a_minute_with_a_gap_teaches_nothing_and_is_not_made_up_for(since_s: int | None) -> None:
    market = Market()
    market.wander(5)
    known = market.state.map.learned[FULL]
    steps = {one: learned.calibration.steps for one, learned in known.items()}
    market.live(1.1 * PRICE, realised=5.0, heard_since_s=lambda _: since_s)
    assert {one: learned.calibration.steps for one, learned in known.items()} == steps

    assert known[Position.SHORT].swept_usd == market.swept(Direction.UP)
    assert known[Position.SHORT].forced_usd == market.state.feeds[Direction.UP][FULL].total_usd


def test_the_map_is_scored_by_what_came_after_it_was_frozen(learned: Market) -> None:
    score = learned.map.score()

    assert score.events > 0
    assert score.judged_share is not None
    assert score.realised_ratio == pytest.approx(1.0, abs=0.4)
    assert learned.state.map.score.copies == 20  # of 200 minutes


def test_a_map_no_better_than_chance_names_no_levels_and_yours_go_on() -> None:
    market = Market()
    market.wander(40)
    named = {zone.id for zone in market.map.zones}
    assert {zone.id for zone in market.state.map.clusters} <= named
    assert market.state.map.clusters

    today = market.second // 86_400
    market.state.map.score.days = [
        Day(number=today, weight=1e9, squares=1e9**2 / 500, caught=5e7, usual=1e8)
    ]
    market.live(PRICE, realised=0.0)
    assert market.map.score().verdict is Verdict.NOT_BETTER
    assert market.state.map.clusters
    assert {zone.source for zone in market.map.zones} == {"user"}
    assert {zone.low for zone in market.map.zones} == {65e3, 60e3}
    (watched,) = [zone for zone in market.map.zones if zone.low == 65e3]
    assert watched.notional_usd is None
    assert market.map.facing(64e3, 66e3, Direction.UP) == [watched]

    market.state.map.score.days.clear()
    market.live(PRICE, realised=0.0)
    assert {zone.id for zone in market.state.map.clusters} <= {zone.id for zone in market.map.zones}


def test_what_was_learned_outlives_a_restart_to_the_last_bit() -> None:
    whole, halved = Market(), Market()
    for market in (whole, halved):
        market.wander(20)
    halved.state = unpack(pack(EngineState(symbols={"BTC": halved.state}))).symbols["BTC"]
    halved.map = SymbolMap(halved.state, MapSettings(), YOURS, {})
    for market in (whole, halved):
        market.wander(20)

    assert whole.state == halved.state


def test_a_venue_that_is_forgotten_takes_its_calibration_along() -> None:
    market = Market()
    market.wander(5)
    market.state.forget(FULL)

    assert market.state.map.learned == {}


def test_a_calibration_of_one_part_speaks_for_all_with_less_certainty() -> None:
    market = Market()
    market.wander(100)
    alone = market.state.map.learned[FULL]
    market.state.map.learned = {FULL: alone, SAMPLED: {}}
    both = market.map.scale()
    for position in Position:
        market.state.map.learned[SAMPLED][position] = Learned(0, 0, alone[position].calibration)
    sure = market.map.scale()
    if both is None or sure is None:
        pytest.fail("not calibrated")

    assert both.value == pytest.approx(sure.value)
    assert both.high / both.low > sure.high / sure.low
