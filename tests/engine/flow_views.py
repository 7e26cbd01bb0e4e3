"""What the feeds of a coin show, made up: one and a half times as much as once a week."""

from typing import Any

from liqwatch.engine.start import (
    DetectionSettings,
    FeedView,
    FlowView,
    MarketView,
    impact_z_asked,
)

SETTINGS = DetectionSettings()


def feed(**changes: Any) -> FeedView:
    plain: dict[str, Any] = {
        "venue": "bybit-linear",
        "complete": True,
        "healthy": True,
        "armed": True,
        "history_hours": 200.0,
        "root_sum": 1500.0,
        "levels": {5.0: 300.0, 24.0: 600.0, 168.0: 1000.0},
        "visible_usd_30s": 500_000.0,
        "floor_usd_30s": 1_000.0,
    }
    return FeedView(**(plain | changes))


def flow(*feeds: FeedView, market: float = 0.0, z: float = 0.1, run_z60: float = 0.0) -> FlowView:
    return FlowView(
        feeds=list(feeds),
        markets=[MarketView(venue="binance-usdm", ratio=market)],
        forced_impact_z=z,
        raw_impact_z=z,
        scaled_impact_z=None,
        impact_z_asked=impact_z_asked(feeds, run_z60, SETTINGS),
        visible_usd_30s=sum((one.visible_usd_30s for one in feeds), 0.0),
    )
