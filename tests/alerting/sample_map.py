"""A small map to look at."""

import pytest

from liqwatch.events import Position
from liqwatch.map_view import Asymmetry, Bucket, Cluster, MapScore, MapShown, MapView, Range

START_MS = 1_791_565_600_000


def bucket(low: float, *, longs: float = 0.0, shorts: float = 0.0, observed: float = 0.0) -> Bucket:
    return Bucket(low, low + 100.0, longs, shorts, observed)


@pytest.fixture(name="shown")
def small_map() -> MapShown:
    """A price of 70,000, one cluster to each side, one watch level and half an hour of prices."""
    return MapShown(
        map=MapView(
            symbol="BTC",
            time=START_MS,
            price=70_000.0,
            scale="relative",
            bucket_bp=10.0,
            buckets=(
                bucket(49_000.0, longs=9e9),  # farther away than anybody looks
                bucket(55_000.0, longs=1e6),
                bucket(64_000.0, longs=1e6),
                bucket(68_000.0, longs=4e6, observed=0.5),
                bucket(72_000.0, shorts=10e6),
                bucket(75_000.0, shorts=30e6),
                bucket(99_900.0, shorts=9e9),
            ),
            clusters=(
                Cluster(
                    id="BTC-long-68050",
                    position=Position.LONG,
                    low=68_000.0,
                    high=68_100.0,
                    peak=68_050.0,
                    notional_usd=4e6,
                    distance_pct=-2.7143,
                    cumulative_usd=4e6,
                    criticality=None,
                    sources=("estimate", "observed"),
                    observed_share=0.5,
                ),
                Cluster(
                    id="BTC-short-75050",
                    position=Position.SHORT,
                    low=75_000.0,
                    high=75_100.0,
                    peak=75_050.0,
                    notional_usd=30e6,
                    distance_pct=7.1429,
                    cumulative_usd=40e6,
                    criticality=1.3,
                    sources=("estimate",),
                    observed_share=0.0,
                    taker_usd=550e6,
                    taker_range_usd=Range(480e6, 620e6),
                ),
            ),
            venues={"binance-usdm": 0.6, "okx-swap": 0.4},
        ),
        watch_levels=(71_500.0,),
        price_path=tuple((START_MS - m * 60_000, 70_000.0 - 20 * m) for m in range(30, 0, -1)),
    )


@pytest.fixture(name="asymmetry")
def tilted() -> Asymmetry:
    """The contract's example."""
    return Asymmetry(
        window="-15%..+40%", short_usd=14.0e9, long_usd=0.98e9, ratio=14.3, ratio_24h_ago=11.8
    )


@pytest.fixture(name="score")
def graded() -> MapScore:
    """The contract's example."""
    return MapScore(
        events=412,
        top_decile_share=0.31,
        uniform_share=0.10,
        low=0.27,
        high=0.36,
        grade="B",
        days=30,
    )
