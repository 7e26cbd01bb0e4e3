from math import e, exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerts import Alert, Direction, Kind, Severity, Verdict
from liqwatch.engine.asymmetry import TOLD_AGAIN_MS, AsymmetrySettings
from liqwatch.engine.digest import DigestSettings
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.map_watch import EVERY_S, asymmetry, watch_map
from liqwatch.engine.merged import merge
from liqwatch.engine.positions import STALE_MS, PositionBook
from liqwatch.engine.price import Source
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol
from liqwatch.events import Position

PRICE, KEY, SIZE = 50_000.0, "bybit-linear|BTCUSDT", 1_000.0
HOUR_S = 3600
DAILY = MapSettings(digest=DigestSettings(at="08:00"))


class Coin:
    """A coin whose map is what one puts there, looked at once a minute."""

    def __init__(
        self,
        settings: MapSettings = MapSettings(),  # noqa: B008 - frozen
        price: float = PRICE,
        own: SymbolSettings = SymbolSettings(),  # noqa: B008 - frozen
    ) -> None:
        self.settings, self.own = settings, own
        self.state = SymbolState(name="BTC", number=0)
        self.state.price.price = price
        self.book = PositionBook.begin(SIZE, price, settings.bucket_bp / 1e4)
        self.state.map.books[KEY] = self.book
        self.state.sources[KEY] = Source(venue="bybit-linear", price=price)
        self.second = 0
        self.fresh = True
        self.adopt(self.state)

    def adopt(self, state: SymbolState) -> None:
        self.state, self.book = state, state.map.books[KEY]
        self.symbol = Symbol(
            state,
            settings=EngineSettings(map=self.settings),
            own=self.own,
            venues={},
            listings={},
        )

    def hold(self, shorts: dict[float, float], longs: dict[float, float]) -> None:
        """Put USD at distances from the price, in percent."""
        for ladder, held in ((self.book.shorts, shorts), (self.book.longs, longs)):
            for distance_pct, usd in held.items():
                ladder.add(self.state.price.price * (1 + distance_pct / 100), usd)

    def live(self, seconds: int, told: list[Alert] | None = None) -> list[Alert]:
        alerts: list[Alert] = []
        for _ in range(seconds // EVERY_S):
            self.second += EVERY_S
            now_ms = (self.second + 1) * 1000
            if self.fresh:
                self.symbol.map.positions.tell(KEY, SIZE)
            self.symbol.map.close_second(self.second, now_ms)
            alerts += watch_map(self.symbol, now_ms, told or [])
            told = None
        return alerts


def tilting(settings: MapSettings = DAILY) -> Coin:
    """Two hours old, even so far, and from now on three and a half shorts to a long."""
    coin = Coin(settings)
    coin.hold({5.0: 10e6, 7.0: 20e6}, {-5.0: 20e6})
    assert coin.live(2 * HOUR_S) == []
    coin.hold({6.0: 40e6}, {})
    return coin


def test_a_tilt_is_told_with_both_amounts_and_the_window() -> None:
    (alert,) = tilting().live(HOUR_S)

    assert (alert.kind, alert.severity) == (Kind.ASYMMETRY_CHANGED, Severity.INFO)
    assert (alert.position, alert.direction) == (Position.SHORT, Direction.UP)
    assert alert.evidence["window"] == "-15%..+15%"
    assert alert.evidence["short_usd"] == pytest.approx(70e6, rel=0.05)
    assert alert.evidence["long_usd"] == pytest.approx(20e6, rel=0.05)
    assert alert.evidence["ratio"] == pytest.approx(3.5, rel=0.01)
    assert alert.evidence["was"] is None
    assert alert.evidence["scale"] == "relative"


def test_what_lies_outside_the_window_does_not_count() -> None:
    coin = Coin()
    coin.hold({5.0: 10e6, 20.0: 90e6}, {-5.0: 10e6, -20.0: 90e6})
    sides = merge(coin.state.map, PRICE, coin.settings.bucket_bp / 1e4)
    seen = asymmetry(coin.symbol, sides, 0)

    assert seen.short_usd == pytest.approx(10e6, rel=1e-6)
    assert seen.long_usd == pytest.approx(10e6, rel=1e-6)


def test_a_young_map_tells_nothing_and_what_it_was_then_is_no_change() -> None:
    coin = Coin()
    coin.hold({5.0: 10e6}, {-5.0: 10e6})
    coin.live(HOUR_S // 2)
    coin.hold({5.0: 90e6}, {})

    assert coin.live(8 * HOUR_S) == []


def test_how_old_a_map_must_be_is_yours_to_say() -> None:
    coin = Coin(MapSettings(asymmetry=AsymmetrySettings(after_hours=0.25)))
    coin.hold({5.0: 10e6}, {-5.0: 10e6})
    assert coin.live(HOUR_S // 2) == []
    coin.hold({5.0: 90e6}, {})

    assert [alert.position for alert in coin.live(HOUR_S // 4)] == [Position.SHORT]


def test_a_map_too_small_to_name_a_cluster_has_no_tilt() -> None:
    coin = tilting(MapSettings(min_cluster_usd=1e9))

    assert coin.live(HOUR_S) == []


def test_while_open_interest_is_in_doubt_nothing_is_told() -> None:
    coin = tilting()
    coin.book.shorts.scale(0.4)
    coin.fresh = False
    coin.live(STALE_MS // 1000 + 60)
    coin.hold({6.0: 80e6}, {})
    assert coin.live(HOUR_S) == []
    coin.fresh = True

    assert [alert.kind for alert in coin.live(HOUR_S)] == [Kind.ASYMMETRY_CHANGED]


def test_a_change_is_told_at_most_once_in_six_hours() -> None:
    coin = tilting(MapSettings())
    (first,) = coin.live(HOUR_S)
    coin.hold({}, {-6.0: 500e6})
    (second,) = coin.live(8 * HOUR_S)

    assert second.position is Position.LONG
    assert second.evidence["was"] == "short"
    assert second.time - first.time == TOLD_AGAIN_MS


@given(
    held=st.dictionaries(st.floats(0.0105, 0.3), st.floats(1e5, 1e9), min_size=1, max_size=8),
    across=st.dictionaries(st.floats(0.0105, 0.3), st.floats(1e5, 1e9), max_size=8),
)
def test_a_mirrored_map_has_the_mirrored_asymmetry(
    held: dict[float, float], across: dict[float, float]
) -> None:
    window = AsymmetrySettings(below_pct=20.0, above_pct=25.0)  # mirrors of each other: 0.8 × 1.25
    coins = Coin(MapSettings(asymmetry=window), 1.0), Coin(MapSettings(asymmetry=window), 1.0)
    for coin, shorts, longs in zip(coins, (held, across), (across, held), strict=True):
        for ladder, side, sign in ((coin.book.shorts, shorts, 1), (coin.book.longs, longs, -1)):
            for distance, usd in side.items():
                ladder.add(e ** (sign * distance), usd)
    here, there = (
        asymmetry(coin.symbol, merge(coin.state.map, 1.0, coin.settings.bucket_bp / 1e4), 0)
        for coin in coins
    )

    assert here.short_usd == pytest.approx(there.long_usd, rel=1e-6, abs=1.0)
    assert here.long_usd == pytest.approx(there.short_usd, rel=1e-6, abs=1.0)


def test_a_digest_tells_the_nearest_clusters_and_what_happened_at_levels() -> None:
    coin = Coin(DAILY)
    coin.hold({4.0: 40e6, 9.0: 60e6}, {-3.0: 50e6})
    coin.hold(dict.fromkeys((n / 10 for n in range(5, 120)), 1e5), {})
    coin.hold({}, dict.fromkeys((-n / 10 for n in range(5, 120)), 1e5))
    assert coin.live(7 * HOUR_S) == []
    zone = next(one for one in coin.state.map.clusters if one.position is Position.SHORT)
    verdict = Alert(
        id="v",
        episode=None,
        kind=Kind.LEVEL_VERDICT,
        symbol="BTC",
        position=zone.position,
        direction=Direction.UP,
        time=1,
        price=PRICE,
        severity=Severity.INFO,
        level=zone.level(),
        verdict=Verdict.REVERSED,
        evidence={"reached": True},
        thresholds={},
    )
    (digest,) = coin.live(3 * HOUR_S, [verdict])

    assert digest.kind is Kind.MAP_DIGEST
    assert digest.time == (8 * HOUR_S + 1) * 1000
    above = [one["distance_pct"] for one in digest.evidence["above"]]
    assert above == pytest.approx([4.0, 9.0], abs=0.3)
    assert {tuple(one["sources"]) for one in digest.evidence["above"]} == {("estimate",)}
    assert [one["observed_share"] for one in digest.evidence["above"]] == [0.0, 0.0]
    assert digest.evidence["above"][0]["notional_range_usd"] is None, "not calibrated"
    (below,) = digest.evidence["below"]
    assert below["distance_pct"] == pytest.approx(-3.0, abs=0.3)
    assert (digest.evidence["approaches"], digest.evidence["clusters_reached"]) == (1, 1)
    assert digest.evidence["frozen_shares"] == {}
    assert digest.evidence["score"]["grade"] is None
    (tomorrow,) = coin.live(24 * HOUR_S)
    assert tomorrow.evidence["approaches"] == 0
    assert tomorrow.evidence["hours"] == 24.0


def test_nobody_who_has_not_asked_gets_a_digest() -> None:
    coin = Coin()
    coin.hold({4.0: 40e6}, {-4.0: 40e6})

    assert coin.live(30 * HOUR_S) == []


@pytest.mark.parametrize("cut", [30, 119, 121, 400])
def test_a_map_taken_up_from_a_snapshot_tells_the_same(cut: int) -> None:
    def lived(cuts: list[int]) -> tuple[list[Alert], SymbolState]:
        coin, alerts = tilting(DAILY), list[Alert]()
        for minutes in cuts:
            alerts += coin.live(minutes * 60)
            coin.adopt(unpack(pack(EngineState(symbols={"BTC": coin.state}))).symbols["BTC"])
        return alerts, coin.state

    whole, cut_twice = lived([900]), lived([cut, 900 - cut])
    assert {alert.kind for alert in whole[0]} == {Kind.ASYMMETRY_CHANGED, Kind.MAP_DIGEST}
    assert cut_twice == whole


def test_neighbouring_clusters_are_told_as_a_range_too() -> None:
    coin = Coin(DAILY)
    usd = dict.fromkeys(range(20, 140), 1e5) | dict.fromkeys(range(43, 60), 24e6)
    usd |= dict.fromkeys((40, 41, 42, 60, 61, 62, 120, 121, 122), 90e6)
    for step, amount in usd.items():
        coin.book.shorts.add(PRICE * exp((step + 0.5) * 0.001), amount)
    (digest,) = coin.live(9 * HOUR_S)

    assert [one["children"] for one in digest.evidence["above"]] == [0, 0, 0]
    (of_two,) = digest.evidence["ranges_above"]
    assert of_two["children"] == 2
    assert of_two["distance_pct"] == pytest.approx(4.0, abs=0.5)
    assert of_two["notional"] > sum(one["notional"] for one in digest.evidence["above"][:2])
    assert digest.evidence["ranges_below"] == []


def test_a_digest_of_a_map_no_better_than_chance_names_no_cluster_but_yours() -> None:
    mine = UserCluster(low=51_000.0, high=52_000.0, notional_usd=14e9, position=Position.SHORT)
    coin = Coin(DAILY, own=SymbolSettings(clusters=(mine,), watch_levels=(49_000.0,)))
    coin.hold({4.02: 40e6} | dict.fromkeys((n / 10 for n in range(5, 120)), 1e5), {})
    coin.live(8 * HOUR_S - EVERY_S)
    assert coin.state.map.clusters
    coin.state.map.names_levels = False
    (digest,) = watch_map(coin.symbol, (8 * HOUR_S + 1) * 1000, [])

    (yours,) = digest.evidence["above"]
    assert (yours["source"], yours["notional"], yours["distance_pct"]) == ("user", 14e9, 2.0)
    assert yours["notional_range_usd"] is None
    assert digest.evidence["below"] == []
    assert digest.evidence["names_levels"] is False
    assert digest.evidence["short_usd"] > 0
