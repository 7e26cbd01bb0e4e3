from collections.abc import Iterable
from math import exp

import pytest
from msgspec.structs import replace

from liqwatch.alerts import Direction
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.listings import Listing
from liqwatch.engine.map_layers import MOST_LAYERS, UserCluster
from liqwatch.engine.positions import STALE_MS
from liqwatch.engine.price import Source
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol_map import SymbolMap
from liqwatch.events import (
    AccountPosition,
    Completeness,
    ContractType,
    Liquidation,
    Position,
    PriceKind,
    Side,
)
from liqwatch.map_import import ImportedMap, MapLevel

KEY, PRICE = "bybit-linear|BTCUSDT", 50_000.0
LONG, SHORT = Position.LONG, Position.SHORT


class Coin:
    """A coin on one venue whose seconds end by hand."""

    def __init__(self, own: SymbolSettings = SymbolSettings()) -> None:  # noqa: B008 - frozen
        self.state = SymbolState(name="BTC", number=0)
        self.state.sources[KEY] = Source(venue="bybit-linear")
        self.listings: dict[str, Listing] = {}
        self.map = SymbolMap(self.state, MapSettings(), own, self.listings)
        self.second = 0
        self.at(PRICE)

    def at(self, price: float) -> None:
        self.state.price.price = price
        self.state.sources[KEY].print(self.second * 1000, price, 1.0, Side.BUY)

    @property
    def now_ms(self) -> int:
        return self.second * 1000

    def live(self, seconds: int, sizes: Iterable[float] = ()) -> None:
        sizes = iter(sizes)
        for _ in range(seconds):
            self.second += 1
            size = next(sizes, None)
            if size is not None:
                self.map.positions.tell(KEY, size)
            self.map.close_second(self.second, self.now_ms)

    def build(self) -> None:
        """Let open interest rise by half, at one price."""
        self.live(41, [10_000.0 + 125.0 * n for n in range(41)])
        self.live(9)


def test_open_interest_becomes_clusters_that_say_where_they_come_from() -> None:
    coin = Coin()
    coin.build()
    clusters = coin.state.map.clusters

    assert {zone.position for zone in clusters} == set(Position)
    assert all(zone.sources == ("estimate",) for zone in clusters)
    assert all(zone.observed_share == 0.0 for zone in clusters)


def test_a_query_tells_the_usd_between_two_prices_of_one_side() -> None:
    coin = Coin()
    assert coin.map.notional_usd(PRICE, 2 * PRICE, SHORT) == 0
    coin.build()

    assert coin.map.notional_usd(PRICE, 1.5 * PRICE, SHORT) == pytest.approx(
        sum(bucket.usd for bucket in coin.map.sides[Direction.UP].buckets()), rel=1e-3
    )
    assert coin.map.notional_usd(0.5 * PRICE, PRICE, SHORT) < coin.map.notional_usd(
        PRICE, 1.05 * PRICE, SHORT
    )


def test_a_sample_that_jumps_is_believed_only_when_told_again() -> None:
    coin = Coin()
    coin.build()
    book = coin.state.map.books[KEY]
    coin.live(5, [30_000.0])
    assert book.open_size == 15_000.0
    assert coin.map.frozen_shares(coin.now_ms) == {"bybit-linear": 1.0}
    coin.live(5, [30_000.0])

    assert book.open_size == 30_000.0
    assert coin.map.frozen_shares(coin.now_ms) == {}


def test_a_map_without_news_of_open_interest_stays_as_it_is_and_says_so() -> None:
    coin = Coin()
    coin.build()
    coin.live(120)
    shorts = coin.state.map.books[KEY].shorts
    faded = shorts.total()
    coin.live(STALE_MS // 1000)
    stale = shorts.total()
    coin.live(600)

    assert stale < faded
    assert shorts.total() == stale
    assert coin.map.frozen_shares(coin.now_ms) == {"bybit-linear": 1.0}
    coin.live(1, [15_000.0])
    assert coin.map.frozen_shares(coin.now_ms) == {}


def test_an_inverse_contract_is_spread_as_one() -> None:
    linear, inverse = Coin(), Coin()
    inverse.listings[KEY] = Listing("bybit-linear", "BTC", ContractType.INVERSE)
    for coin in (linear, inverse):
        coin.build()

    of_5x = (PRICE * exp(0.21), PRICE * exp(0.225))  # linear ones lie 4 % nearer
    crowd_usd, others_usd = (coin.map.notional_usd(*of_5x, SHORT) for coin in (inverse, linear))
    assert crowd_usd > 2 * others_usd > 0


def test_terms_told_later_hold_for_what_is_opened_from_then_on() -> None:
    coin = Coin()
    coin.live(1, [1000.0])
    coin.listings[KEY] = Listing("bybit-linear", "BTC", ContractType.INVERSE)
    coin.map.positions.relist(KEY)

    assert coin.state.map.books[KEY].terms.contract_type is ContractType.INVERSE


def test_a_cluster_of_ones_own_is_watched_and_not_added_to_the_map() -> None:
    yours = UserCluster(low=55e3, high=60e3, notional_usd=14e9, position=SHORT)
    coin = Coin(SymbolSettings(clusters=(yours,)))
    coin.build()
    (zone,) = [zone for zone in coin.map.zones if zone.source == "user"]

    assert (zone.low, zone.high, zone.notional_usd, zone.position) == (55e3, 60e3, 14e9, SHORT)
    assert zone.sources == ("user",)
    assert coin.map.notional_usd(55e3, 60e3, SHORT) < 1e9
    assert zone in coin.map.facing(54e3, 56e3, Direction.UP)


def hold(account: str, size: float, price: float | None) -> AccountPosition:
    return AccountPosition(
        "hyperliquid", "BTC", "BTC", 1, 1, account, SHORT, size, PRICE, price, 10.0
    )


def test_known_positions_are_clusters_too_until_price_takes_them() -> None:
    coin = Coin()
    for n in range(40):
        coin.map.positions.take(hold(f"small {n}", 1.0, 53_000.0 + 50 * n))
    coin.map.positions.take(hold("large", 400.0, 55_000.0))
    coin.live(10)
    (zone,) = coin.state.map.clusters
    assert (zone.source, zone.sources, zone.observed_share) == ("observed", ("observed",), 1.0)
    assert zone.notional_usd == pytest.approx(400 * 55_000, rel=0.02)

    coin.at(55_100.0)
    coin.live(10)
    assert coin.state.map.observed["hyperliquid|BTC"].accounts == {}


def test_an_import_is_on_the_map_at_the_next_renewal_and_price_eats_it() -> None:
    coin = Coin()
    levels = (MapLevel(51_000, 55_500, 0, 1e6), MapLevel(55_000, 55_000, 0, 5e8))
    for source in range(MOST_LAYERS + 1):
        coin.map.take_import(
            ImportedMap(
                source=str(source),
                symbol="BTC",
                as_of_ms=source,
                venues=frozenset({"bybit-linear"}),
                levels=levels,
            )
        )
    coin.live(10)
    assert len(coin.state.map.layers) == MOST_LAYERS
    (zone,) = coin.state.map.clusters
    assert zone.source == "imported"
    assert zone.notional_usd == pytest.approx(5e8, rel=0.01)

    coin.at(56_000.0)
    coin.live(10)
    coin.at(PRICE)
    coin.live(10)
    assert coin.state.map.clusters == []


def test_what_price_passes_is_expected_and_what_is_liquidated_then_is_its_realisation() -> None:
    coin = Coin()
    coin.build()
    zone = next(zone for zone in coin.state.map.clusters if zone.position is SHORT)
    for share in (0.25, 0.5, 0.75):
        coin.at(zone.low + share * (zone.high - zone.low))
        coin.live(1)
    coin.map.positions.liquidated(
        KEY,
        Liquidation(
            "bybit-linear", "BTC", "BTCUSDT", coin.now_ms, 1, SHORT, 1.0, PRICE, PriceKind.FILL,
            1e6, Completeness.FULL,
        ),
        coin.now_ms,
    )  # fmt: skip
    passage = coin.map.passages()[-1]

    assert passage.zone == zone.id
    assert 0.4 * (zone.notional_usd or 0) < passage.expected_usd < (zone.notional_usd or 0)
    assert passage.forced_usd == 1e6
    assert coin.map.swept_usd(Direction.UP) >= passage.expected_usd


def test_a_map_taken_up_from_a_snapshot_goes_on_to_the_same_last_bit() -> None:
    whole, halved = Coin(), Coin()
    for coin in (whole, halved):
        coin.map.positions.take(hold("a", 400.0, 55_000.0))
        coin.build()
    halved.state = unpack(pack(EngineState(symbols={"BTC": halved.state}))).symbols["BTC"]
    halved.map = SymbolMap(halved.state, MapSettings(), SymbolSettings(), {})
    for coin in (whole, halved):
        for n in range(200):
            coin.at(PRICE * (1 + 0.0001 * n))
            coin.live(1, [15_000.0 + 10 * (n % 7)])

    assert whole.state == halved.state


def test_the_same_map_told_again_stays_as_price_has_left_it_and_can_be_let_go() -> None:
    coin = Coin()
    level = MapLevel(55_000, 55_000, 0, 5e8)
    told = ImportedMap(
        source="file", symbol="BTC", as_of_ms=1, venues=frozenset({"okx-swap"}), levels=(level,)
    )
    coin.map.take_import(told)
    for price in (56_000.0, PRICE):
        coin.at(price)
        coin.live(10)
    coin.map.take_import(told)
    coin.live(10)
    assert coin.state.map.clusters == []

    coin.map.take_import(replace(told, venues=frozenset({"gate-usdt"})))
    assert coin.state.map.layers["file"].venues == ["gate-usdt"]
    coin.map.take_import(replace(told, as_of_ms=2, levels=(level, MapLevel(55_600, 55_600, 0, 1))))
    coin.live(10)
    assert coin.state.map.clusters != []
    coin.map.keep_imports({"another file"})
    coin.live(10)
    assert coin.state.map.layers == {}
    assert coin.state.map.clusters == []
