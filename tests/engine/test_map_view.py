import json
import re
from math import log, sqrt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from liqwatch.engine.clusters import Zone
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.map_view import show_map
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol
from liqwatch.events import Position
from liqwatch.map_view import MapShown, MapView

PRICE, NOW_MS = 50_000.0, 1_791_565_600_000
CONTRACT = Path(__file__).resolve().parents[2].parent / "shared" / "contracts" / "map.md"


def coin() -> SymbolState:
    """A coin with longs at −2 % and −20 %, shorts at +3 % and +24 %, and a cluster of shorts."""
    state = SymbolState(name="BTC", number=0)
    state.price.price = PRICE
    state.price.momentum.x = log(PRICE)
    book = PositionBook.begin(1_000.0, PRICE, EngineSettings().map.bucket_bp / 1e4)
    book.longs.add(0.98 * PRICE, 2e6)
    book.longs.add(0.80 * PRICE, 20e6)
    book.shorts.add(1.03 * PRICE, 3e6)
    book.shorts.add(1.031 * PRICE, 9e6)
    book.shorts.add(1.24 * PRICE, 24e6)
    state.map.books["bybit-linear|BTCUSDT"] = book
    state.map.clusters = [
        Zone(
            id="BTC-short-51525",
            low=1.029 * PRICE,
            high=1.033 * PRICE,
            position=Position.SHORT,
            notional_usd=12e6,
            source="estimate",
            sources=("estimate",),
            observed_share=0.0,
        )
    ]
    return state


def shown(state: SymbolState, own: SymbolSettings | None = None) -> MapShown:
    symbol = Symbol(
        state,
        settings=EngineSettings(),
        own=own or SymbolSettings(),
        venues={},
        listings={},
    )
    return show_map(symbol, NOW_MS)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract lies beside the checkout")
def test_its_json_has_all_of_the_contract_and_what_is_added_is_null_where_it_is_not_known() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", CONTRACT.read_text(), re.DOTALL)
    said = json.loads(block)
    ours = json.loads(msgspec.json.encode(msgspec.json.decode(block, type=MapView)))

    assert without_nulls(ours) == said


def without_nulls(value: Any) -> Any:
    """The value without keys that hold null."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def test_buckets_hold_all_that_lies_within_a_quarter_and_none_is_empty() -> None:
    buckets = shown(coin()).map.buckets

    assert sum(one.long_usd for one in buckets) == pytest.approx(22e6, rel=1e-6)
    assert sum(one.short_usd for one in buckets) == pytest.approx(36e6, rel=1e-6)
    assert all(one.long_usd or one.short_usd for one in buckets)
    assert [one.low for one in buckets] == sorted(one.low for one in buckets)
    assert all(one.high <= PRICE for one in buckets if one.long_usd)


def test_a_cluster_tells_its_peak_its_distance_and_what_lies_up_to_it() -> None:
    (cluster,) = shown(coin()).map.clusters

    assert cluster.peak == pytest.approx(1.031 * PRICE, rel=1e-3)
    assert cluster.distance_pct == pytest.approx(2.9, abs=0.01)
    assert cluster.cumulative_usd == pytest.approx(12e6, rel=1e-6)
    assert cluster.sources == ("estimate",)
    assert cluster.observed_share == 0.0


def test_a_price_within_a_cluster_is_at_no_distance_from_it() -> None:
    state = coin()
    state.price.price = 1.031 * PRICE
    (cluster,) = shown(state).map.clusters

    assert cluster.distance_pct == 0.0


def test_what_takers_must_spend_to_reach_a_cluster_grows_with_the_way_and_is_a_range() -> None:
    state = coin()
    (unknown,) = shown(state).map.clusters
    assert (unknown.taker_usd, unknown.taker_range_usd) == (None, None)

    state.impact.volume_usd_per_s = 100_000.0
    state.map.clusters += [
        replace(state.map.clusters[0], id="far", low=1.06 * PRICE, high=1.07 * PRICE),
        replace(state.map.clusters[0], id="here", low=0.99 * PRICE, high=1.01 * PRICE),
    ]
    here, near, far = shown(state).map.clusters

    assert near.taker_usd is not None
    assert near.taker_usd == pytest.approx(log(1.029) / state.impact.per_usd(1e-4), rel=0.01)
    assert near.taker_range_usd is not None
    assert near.taker_range_usd.low < near.taker_usd < near.taker_range_usd.high
    assert far.taker_usd == pytest.approx(near.taker_usd * log(1.06) / log(1.029), rel=0.01)
    assert here.taker_usd == 0.0


def test_criticality_grows_with_impact_and_is_unknown_without() -> None:
    state = coin()
    (before,) = shown(state).map.clusters
    assert before.criticality is None

    state.impact.volume_usd_per_s = 100_000.0
    (thick,) = shown(state).map.clusters
    state.impact.volume_usd_per_s = 1_000.0
    (thin,) = shown(state).map.clusters
    assert thick.criticality is not None
    assert thin.criticality == pytest.approx(100 * thick.criticality, rel=0.02)


def test_criticality_is_impact_times_density_of_a_narrow_cluster_over_what_acts_together() -> None:
    state = coin()
    state.impact.volume_usd_per_s = 1_000.0
    impact, sigma_day = state.impact.per_usd(1e-4), 1e-4 * sqrt(86_400)
    (narrow,) = shown(state).map.clusters
    assert narrow.criticality == pytest.approx(
        impact * 12e6 / (50e-4 * sigma_day / 0.022), rel=0.01
    )

    state.map.clusters = [replace(state.map.clusters[0], low=1.02 * PRICE, high=1.06 * PRICE)]
    (wide,) = shown(state).map.clusters
    assert wide.criticality == pytest.approx(impact * 12e6 / log(1.06 / 1.02), rel=0.01)


def test_what_you_watch_and_name_yourself_is_shown_as_yours() -> None:
    own = SymbolSettings(
        watch_levels=(51_000.0,),
        clusters=(
            UserCluster(low=55_000.0, high=56_000.0, notional_usd=1e9, position=Position.SHORT),
        ),
    )
    said = shown(coin(), own)

    assert said.watch_levels == (51_000.0,)
    _, yours = said.map.clusters
    assert yours.sources == ("user",)
    assert yours.notional_usd == 1e9
    assert yours.cumulative_usd == pytest.approx(12e6, rel=1e-6), "of the map, not of your own"
    assert yours.peak is None
    assert yours.observed_share is None


def test_what_nobody_has_told_yet_is_null_and_the_scale_is_relative() -> None:
    view = shown(coin()).map

    assert view.asymmetry is not None
    assert view.asymmetry.ratio_24h_ago is None
    assert view.score is not None
    assert (view.score.events, view.score.grade, view.score.top_decile_share) == (0, None, None)
    assert view.scale == "relative"
    assert view.venues == {"bybit-linear": 1.0}


def test_a_coin_without_open_interest_has_an_empty_map() -> None:
    state = SymbolState(name="BTC", number=0)
    state.price.price = PRICE
    view = shown(state).map

    assert (view.buckets, view.clusters, view.venues) == ((), (), {})


def test_the_path_of_the_price_survives_a_snapshot() -> None:
    state = coin()
    state.path.update(0, PRICE)
    state.path.update(60, PRICE + 1)
    remembered = unpack(pack(EngineState(symbols={"BTC": state}))).symbols["BTC"]

    assert shown(remembered) == shown(state)
    assert shown(remembered).price_path == ((0, PRICE), (60_000, PRICE + 1))
