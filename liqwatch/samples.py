"""Samples of everything that is ever sent: one short story, and what is told beside it.

For who wants to see it arrive, and for tests. The numbers are made up.
"""

from typing import NamedTuple, get_args

from msgspec.structs import replace

from liqwatch.alerting.catalogues import Language
from liqwatch.alerting.intents import Remark
from liqwatch.alerting.message import escalated, group, remark, render, sample, timeline
from liqwatch.alerting.rich import Text
from liqwatch.alerts import (
    MARKET,
    Alert,
    Direction,
    Kind,
    Level,
    Outcome,
    Running,
    Severity,
    Verdict,
)
from liqwatch.events import Position

START_MS = 1_761_000_005_000  # 2025-10-20 22:40:05 UTC

STARTED = Alert(
    id="start",
    episode="BTC-up-1",
    kind=Kind.CASCADE_STARTED,
    symbol="BTC",
    position=Position.SHORT,
    direction=Direction.UP,
    time=START_MS,
    price=90_184.3,
    severity=Severity.CRITICAL,
    level=Level(low=89_900.0, high=90_300.0, notional=2.9e9, source="estimate"),
    evidence={
        "path": "rarity",
        "tier": "strong",
        "forced_usd_30s": 38.64e6,
        "forced_usd_30s_by_venue": {"okx-swap": 9.4e6, "bybit-linear": 22.1e6},
        "feeds": {"bybit-linear": "full", "okx-swap": "sampled"},
        "forced_impact_z": 4.2,
        "forced_impact_z_low": 1.8,
        "forced_impact_z_high": 12.6,
        "drift_z": 8.1,
        "speed_bp_per_min": 61.0,
        "acceleration_sigma": 3.1,
        "rarity_ratio": 2.3,
        "return_hours": 168.0,
        "history_hours": 5.0,
        "coverage": 0.43,
        "blind_venues": ["binance-usdm"],
        "warming_up": True,
        "move_pct_60s": 1.4,
        "open_interest_change_pct_5m": -1.8,
        "open_interest_age_s": 4.0,
        "funding_pct_8h": 0.0061,
        "funding_age_s": 1440.0,
        "basis_bp": 4.2,
        "basis_age_s": 0.3,
        "spot_taker_usd_5m": 41.2e6,
        "spot_age_s": 0.3,
        "volatility_rank_pct": 97.1,
        "next_level": {
            "low": 91_800.0,
            "high": 92_200.0,
            "notional": 2.4e9,
            "source": "estimate",
            "distance_pct": 2.0,
        },
    },
    thresholds={},
)
STALLED = replace(
    STARTED,
    id="stall",
    kind=Kind.CASCADE_STALLED,
    severity=Severity.WARNING,
    time=START_MS + 220_000,
    price=91_240.0,
    evidence={
        "duration_s": 220.0,
        "start_price": 90_184.3,
        "extreme_price": 91_300.0,
        "speed_peak_bp_per_min": 61.0,
        "speed_bp_per_min": 6.0,
        "forced_usd_total": 96.4e6,
        "retrace_pct": 5.4,
    },
)
RESUMED = replace(STARTED, id="resume", kind=Kind.CASCADE_RESUMED, time=START_MS + 260_000)
ENDED = replace(
    STARTED,
    id="end",
    kind=Kind.CASCADE_ENDED,
    severity=Severity.INFO,
    time=START_MS + 680_000,
    price=91_560.0,
    outcome=Outcome.EXHAUSTED,
    evidence={
        "duration_s": 680.0,
        "start_price": 90_184.3,
        "extreme_price": 92_410.0,
        "given_back_pct": 38.0,
        "forced_usd_total": 212e6,
        "peak_forced_usd_60s": 58e6,
        "levels_crossed": [
            {"low": 92_000.0, "high": 92_000.0, "source": "user", "verdict": "accelerated"}
        ],
        "map_swept_usd": 5.3e9,
        "speed_vs_volatility": 4.2,
        "asymmetry_window": "-15%..+15%",
        "asymmetry_before": 14.3,
        "asymmetry_after": 5.1,
        "above_usd_before": 14e9,
        "above_usd_after": 5e9,
        "below_usd_before": 980e6,
        "below_usd_after": 980e6,
        "scale": "usd",
        "coverage": 1.0,
    },
)
APPROACHED = replace(
    STARTED,
    id="approach",
    episode=None,
    kind=Kind.LEVEL_APPROACHED,
    severity=Severity.INFO,
    evidence={"distance_pct": 0.42, "distance_sigma": 1.1, "speed_bp_per_min": 14.0},
)
JUDGED = replace(
    APPROACHED,
    id="verdict",
    kind=Kind.LEVEL_VERDICT,
    verdict=Verdict.REVERSED,
    approach=3,
    evidence={
        "speed_before_bp_per_min": 24.0,
        "speed_after_bp_per_min": -3.0,
        "acceleration_sigma": 0.4,
        "forced_usd_at_level": 1.2e6,
        "closest_pct": 0.07,
        "duration_s": 370.0,
        "activated": 0,
        "hours": 9.0,
    },
)
APPLIED = replace(
    APPROACHED,
    id="applied",
    kind=Kind.CONFIG_APPLIED,
    position=None,
    direction=None,
    level=None,
    price=None,
    evidence={"changes": ["detection.drift_z30 4 → 5"]},
)
REJECTED = replace(
    APPLIED,
    id="rejected",
    kind=Kind.CONFIG_REJECTED,
    severity=Severity.WARNING,
    evidence={"errors": ["liqwatch.yaml:9:22: detection.drift_z30: 0 is too small"]},
)
DEGRADED = Alert(
    id="degraded",
    episode="feed-binance-usdm-1",
    kind=Kind.FEED_DEGRADED,
    symbol=MARKET,
    position=None,
    direction=None,
    time=START_MS,
    price=None,
    severity=Severity.WARNING,
    evidence={
        "venue": "binance-usdm",
        "venues": ["binance-usdm"],
        "channels": ["trades", "liquidations"],
        "state": "dead",
        "reason": "takes the subscription and delivers nothing",
        "silent_s": 61,
        "share_pct": 43.0,
        "remaining_venues": ["bybit-linear", "okx-swap"],
        "by_venue": {
            "binance-usdm": {
                "channels": ["trades", "liquidations"],
                "reason": "takes the subscription and delivers nothing",
                "silent_s": 61,
                "share_pct": 43.0,
            }
        },
    },
    thresholds={"delivers_nothing_s": 55},
)
RECOVERED = replace(
    DEGRADED,
    id="recovered",
    kind=Kind.FEED_RECOVERED,
    severity=Severity.INFO,
    time=START_MS + 252_000,
    evidence={
        "venue": "binance-usdm",
        "venues": ["binance-usdm"],
        "channels": ["trades", "liquidations"],
        "state": "live",
        "duration_s": 252,
        "remaining_venues": ["binance-usdm", "bybit-linear", "okx-swap"],
        "still_degraded": [],
    },
)

TILTED = Alert(
    id="tilted",
    episode=None,
    kind=Kind.ASYMMETRY_CHANGED,
    symbol="BTC",
    position=Position.SHORT,
    direction=Direction.UP,
    time=START_MS,
    price=71_450.0,
    severity=Severity.INFO,
    evidence={
        "window": "-15%..+40%",
        "short_usd": 14.0e9,
        "long_usd": 0.98e9,
        "ratio": 14.3,
        "ratio_24h_ago": 11.8,
        "scale": "relative",
        "was": None,
        "map_hours": 9.0,
    },
    thresholds={"ratio": 3.0, "back_ratio": 2.0, "min_usd": 5e6},
)
DIGEST = replace(
    TILTED,
    id="digest",
    kind=Kind.MAP_DIGEST,
    position=None,
    direction=None,
    evidence=TILTED.evidence
    | {
        "above": [
            {
                "low": 84_900.0,
                "high": 85_200.0,
                "notional": 1.6e9,
                "source": "estimate",
                "distance_pct": 18.82,
                "children": 0,
            },
        ],
        "below": [],
        "ranges_above": [
            {
                "low": 84_000.0,
                "high": 100_000.0,
                "notional": 14.0e9,
                "source": "estimate",
                "distance_pct": 17.56,
                "children": 7,
            },
        ],
        "ranges_below": [],
        "hours": 24.0,
        "approaches": 4,
        "activated": 0,
        "clusters_reached": 3,
        "map_not_activating": True,
        "levels_reached": [
            {
                "low": 72_900.0,
                "high": 73_100.0,
                "notional": 3.1e8,
                "source": "estimate",
                "verdict": "reversed",
                "time": START_MS - 3_600_000,
            },
        ],
        "score": {
            "events": 412,
            "top_decile_share": 0.31,
            "uniform_share": 0.1,
            "low": 0.27,
            "high": 0.36,
            "grade": "B",
            "days": 30,
        },
        "frozen_shares": {"okx-swap": 0.23},
    },
    thresholds={"at": "08:00"},
)
MARKET_STARTED = Alert(
    id="market-start",
    episode="MARKET-up-1",
    kind=Kind.CASCADE_STARTED,
    symbol=MARKET,
    members=["SOL", "ETH", "BTC"],
    position=Position.SHORT,
    direction=Direction.UP,
    time=START_MS + 9_000,
    price=None,
    severity=Severity.CRITICAL,
    evidence={
        "coins": 3,
        "coins_cascading": 3,
        "coins_watched": 5,
        "median_leg_sigma": 6.4,
        "forced_usd_60s": 71.0e6,
        "forced_usd_total": 77.0e6,
        "coverage": 0.43,
        "by_member": {
            "SOL": {"leg_pct": 2.9, "leg_sigma": 8.8, "outcome": None},
            "ETH": {"leg_pct": 1.6, "leg_sigma": 6.4, "outcome": None},
            "BTC": {"leg_pct": 1.4, "leg_sigma": 5.9, "outcome": None},
        },
    },
    thresholds={"coins_cascading": 3, "coins_critical": 6, "window_s": 60},
)
MARKET_STALLED = replace(
    MARKET_STARTED,
    id="market-stall",
    kind=Kind.CASCADE_STALLED,
    severity=Severity.WARNING,
    time=START_MS + 240_000,
    evidence=MARKET_STARTED.evidence | {"duration_s": 231, "coins_cascading": 0},
)
MARKET_ENDED = replace(
    MARKET_STARTED,
    id="market-end",
    kind=Kind.CASCADE_ENDED,
    severity=Severity.INFO,
    time=START_MS + 690_000,
    outcome=Outcome.EXHAUSTED,
    evidence=MARKET_STARTED.evidence
    | {
        "duration_s": 681,
        "coins_cascading": 0,
        "forced_usd_total": 310.0e6,
        "by_member": {
            "SOL": {"leg_pct": 4.1, "leg_sigma": 9.9, "outcome": "exhausted"},
            "ETH": {"leg_pct": 3.0, "leg_sigma": 8.1, "outcome": "rejected"},
            "BTC": {"leg_pct": 2.5, "leg_sigma": 7.7, "outcome": "exhausted"},
        },
    },
    thresholds={},
)
STORY = (STARTED, STALLED, RESUMED, ENDED)
MARKET_STORY = (MARKET_STARTED, MARKET_STALLED, MARKET_ENDED)
ALL = (
    *STORY,
    *MARKET_STORY,
    APPROACHED,
    JUDGED,
    TILTED,
    DIGEST,
    DEGRADED,
    RECOVERED,
    APPLIED,
    REJECTED,
)

RUNNING = Running(
    episode="BTC-up-1",
    symbol="BTC",
    position=Position.SHORT,
    direction=Direction.UP,
    severity=Severity.CRITICAL,
    against_map=False,
    stalled=False,
    time=START_MS + 130_000,
    started=START_MS,
    price=91_020.0,
    start_price=90_184.3,
    extreme_price=91_060.0,
    speed_bp_per_min=44.0,
    forced_usd_total=96.4e6,
    forced_usd_60s=31e6,
    peak_forced_usd_60s=44e6,
    complete=False,
    crossed=(Level(low=89_900.0, high=90_300.0, notional=2.9e9, source="estimate"),),
    next_level=Level(low=91_800.0, high=92_200.0, notional=2.4e9, source="estimate"),
)

GROUP = tuple(
    replace(
        STARTED,
        id=f"start-{symbol}",
        episode=f"{symbol}-up-1",
        symbol=symbol,
        price=price,
        level=None,
        time=START_MS + after_ms,
    )
    for symbol, price, after_ms in (
        ("BTC", 90_184.3, 0),
        ("ETH", 3_412.6, 4_000),
        ("SOL", 187.4, 9_000),
    )
)

REMARKS = tuple(
    Remark(
        why=why,
        alerts=(APPROACHED.id, JUDGED.id),
        since_ms=START_MS - 3_600_000,
        until_ms=START_MS,
        subject="BTC" if why in {"mute", "budget"} else None,
    )
    for why in get_args(Remark.__annotations__["why"])
)


class Sample(NamedTuple):
    """A message; without an alert one that tells of several, or of one that goes on."""

    alert: Alert | None
    text: Text


def messages(language: Language) -> list[Sample]:
    """Return a sample of every message, marked as such."""
    told: list[tuple[Alert | None, Text]] = [(one, render(one, language)) for one in ALL]
    told += [
        (None, timeline(STORY[:1], RUNNING, language)),
        (None, timeline(STORY, None, language)),
        (None, escalated(RUNNING, language)),
        (None, group([*GROUP, MARKET_STARTED], language)),
    ]
    told += [(None, remark(one, (APPROACHED, JUDGED), language)) for one in REMARKS]
    return [
        Sample(
            None if alert is None else replace(alert, id=f"sample-{alert.id}"),
            sample(text, language).fitted(),
        )
        for alert, text in told
    ]
