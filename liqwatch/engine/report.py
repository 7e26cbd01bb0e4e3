"""What the engine saw becomes the facts of an alert: evidence and the thresholds it met."""

from math import floor, sqrt
from typing import Any

import msgspec
from msgspec import UNSET

from liqwatch.alerts import Alert, Direction, Kind, Level, Severity, Verdict
from liqwatch.engine import context
from liqwatch.engine.cascade import Episode, Observation
from liqwatch.engine.clusters import Zone, as_price
from liqwatch.engine.levels import LevelSettings, LevelWatch, Sight
from liqwatch.engine.start import DetectionSettings, FlowView, Start
from liqwatch.engine.symbol import Symbol
from liqwatch.events import Completeness

HOUR_MS = 3_600_000
RUN_UP_S = 60  # the leg begins within the minute before its start was called


def cascade_started(symbol: Symbol, episode: Episode, seen: Observation, flow: FlowView) -> Alert:
    """Return the alert that opens an episode."""
    return _cascade(
        symbol,
        episode,
        seen,
        kind=Kind.CASCADE_STARTED,
        severity=seen.start.severity if seen.start else Severity.WARNING,
        evidence=_start_evidence(symbol, episode.direction, seen, flow),
        thresholds=_start_thresholds(symbol.detection, seen.start, flow),
    )


def cascade_turned(
    symbol: Symbol,
    episode: Episode,
    kind: Kind,
    reason: str,
    seen: Observation,
    flow: FlowView,
) -> Alert:
    """Return the alert of a later turn: stalled, resumed or ended."""
    leg = _leg_evidence(symbol, episode, seen, reason)
    if kind is Kind.CASCADE_RESUMED:
        severity = seen.start.severity if seen.start else Severity.WARNING
        evidence = _start_evidence(symbol, episode.direction, seen, flow) | leg
        thresholds = _start_thresholds(symbol.detection, seen.start, flow)
    elif kind is Kind.CASCADE_STALLED:
        severity, evidence = Severity.WARNING, leg
        thresholds = _stall_thresholds(symbol.detection)
    else:
        severity = Severity.INFO
        evidence = leg | _post_mortem(symbol, episode, seen)
        evidence |= context.evidence(symbol, seen.now_ms)
        thresholds = {"resolve_after_s": symbol.detection.resolve_after_s}
    return _cascade(
        symbol,
        episode,
        seen,
        kind=kind,
        severity=severity,
        evidence=evidence,
        thresholds=thresholds,
    )


def level_approached(symbol: Symbol, watch: LevelWatch, sight: Sight) -> Alert:
    """Return the alert that price comes near a level."""
    return _level(
        symbol,
        watch,
        sight,
        kind=Kind.LEVEL_APPROACHED,
        severity=Severity.INFO,
        evidence={
            "distance_pct": _pct(watch.distance(sight.price)),
            "distance_sigma": round(watch.distance(sight.price) / sight.yardstick, 2),
            "speed_bp_per_min": round(sight.speed_bp_per_min * watch.direction.sign, 2),
            **context.evidence(symbol, sight.now_ms),
        },
        thresholds={"approach_sigma": symbol.settings.levels.approach_sigma},
        verdict=None,
    )


def level_verdict(symbol: Symbol, watch: LevelWatch, verdict: Verdict, sight: Sight) -> Alert:
    """Return what reaching a level did to the move."""
    sign = watch.direction.sign
    settings: LevelSettings = symbol.settings.levels
    crossed = watch.crossed_ms >= watch.approach_ms
    return _level(
        symbol,
        watch,
        sight,
        kind=Kind.LEVEL_VERDICT,
        severity=Severity.INFO,
        evidence={
            "speed_before_bp_per_min": round(watch.speed_before_bp_per_min, 2) if crossed else None,
            "speed_after_bp_per_min": round(sight.speed_bp_per_min * sign, 2),
            "acceleration_sigma": round(sight.z10 * sign - watch.z10_before, 2)
            if crossed
            else None,
            "run_before_pct": _pct(watch.came) if crossed else None,
            "run_after_pct": _pct(watch.ran(sight)) if crossed else None,
            "forced_usd_at_level": _usd(
                max(0.0, sight.forced_total_usd[watch.direction] - watch.forced_before_usd)
            ),
            "reached": watch.reached,
            "closest_pct": _pct(watch.closest),
            "duration_s": (sight.now_ms - watch.approach_ms) // 1000,
            "activated": watch.activated,
            "hours": round((sight.now_ms - watch.first_ms) / HOUR_MS, 2),
            "in_cascade": watch.direction in sight.cascading,
            "coverage": _share(symbol.flow.coverage()),
        },
        thresholds={
            "faster_sigma": settings.faster_sigma,
            "retreat_sigma": settings.retreat_sigma,
            "retreat_s": settings.retreat_s,
            "verdict_s": settings.verdict_s,
        },
        verdict=verdict,
    )


def _cascade(
    symbol: Symbol,
    episode: Episode,
    seen: Observation,
    *,
    kind: Kind,
    severity: Severity,
    evidence: dict[str, Any],
    thresholds: dict[str, Any],
) -> Alert:
    zone = episode.start_zone
    return Alert(
        id=f"{symbol.state.name}-{kind}-{episode.direction}-{seen.now_ms}",
        episode=episode.id,
        kind=kind,
        symbol=symbol.state.name,
        position=episode.direction.position,
        direction=episode.direction,
        time=seen.now_ms,
        price=as_price(seen.price),
        severity=severity,
        level=zone.level() if zone is not None else _unmapped(episode.start_price),
        against_map=episode.against_map,
        outcome=episode.outcome or UNSET if kind is Kind.CASCADE_ENDED else UNSET,
        evidence=evidence,
        thresholds=thresholds,
    )


def _level(
    symbol: Symbol,
    watch: LevelWatch,
    sight: Sight,
    *,
    kind: Kind,
    severity: Severity,
    evidence: dict[str, Any],
    thresholds: dict[str, Any],
    verdict: Verdict | None,
) -> Alert:
    return Alert(
        id=f"{watch.zone.id}-{kind}-{sight.now_ms}",
        episode=None,
        kind=kind,
        symbol=symbol.state.name,
        position=watch.zone.position,
        direction=watch.direction,
        time=sight.now_ms,
        price=as_price(sight.price),
        severity=severity,
        level=watch.zone.level(),
        verdict=verdict or UNSET,
        approach=watch.approaches,
        evidence=evidence | {"feeds": _feeds(symbol, watch.direction)},
        thresholds=thresholds,
    )


def _unmapped(price: float) -> Level:
    where = as_price(price)
    return Level(low=where, high=where, notional=None, source="unmapped")


def _start_evidence(
    symbol: Symbol, direction: Direction, seen: Observation, flow: FlowView
) -> dict[str, Any]:
    momentum = symbol.state.price.momentum
    sign = direction.sign
    start = seen.start
    scaled = flow.scaled_impact_z
    moved = momentum.x - momentum.recent[0] if momentum.recent else 0.0
    history = [view.history_hours for view in flow.feeds if start and view.venue in start.venues]
    return {
        "path": start.path if start else None,
        "tier": start.tier if start else None,
        "forced_usd_30s": _usd(flow.visible_usd_30s),
        "forced_usd_60s": _usd(seen.forced_usd_60s),
        "forced_usd_30s_by_venue": {
            view.venue: _usd(view.visible_usd_30s)
            for view in flow.feeds
            if view.visible_usd_30s > 0
        },
        "forced_impact_z": _round(flow.forced_impact_z),
        "forced_impact_z_low": _round(flow.raw_impact_z),
        "forced_impact_z_high": _round(3 * scaled) if scaled is not None else None,
        "drift_z": _round(momentum.z(30) * sign),
        "drift_z_10s": _round(momentum.z(10) * sign),
        "new_extreme_share": momentum.new_extreme_share(sign),
        "speed_bp_per_min": _round(momentum.speed_bp_per_min * sign),
        "acceleration_sigma": _round(momentum.acceleration * sign),
        "move_pct_60s": _pct(moved),
        "rarity_ratio": _round(start.ratio) if start and start.return_hours else None,
        "return_hours": start.return_hours if start else None,
        "run_on_z": _round(start.run_on_z) if start else None,
        "history_hours": _round(max(history, default=0.0)),
        "coverage": _share(symbol.flow.coverage()),
        "venues": sum(view.visible_usd_30s > 0 for view in flow.feeds),
        "feeds": _feeds(symbol, direction),
        "quarantined_venues": symbol.scrutiny.quarantined(),
        "blind_venues": [venue.name for venue in symbol.flow.own_venues() if not venue.healthy],
        "warming_up": not momentum.warm,
        "map_hours": _round(symbol.map.hours(seen.now_ms)),
        **context.evidence(symbol, seen.now_ms),
        "next_level": _ahead(symbol.map.zones.ahead(seen.price, direction), seen.price, direction),
    }


def _feeds(symbol: Symbol, direction: Direction) -> dict[str, str]:
    feeds = symbol.state.feeds[direction].values()
    return {feed.venue: Completeness(feed.completeness).value for feed in feeds}


def _leg_evidence(
    symbol: Symbol, episode: Episode, seen: Observation, reason: str
) -> dict[str, Any]:
    sign = episode.direction.sign
    return {
        "reason": reason,
        "duration_s": (seen.now_ms - episode.started_ms) // 1000,
        "start_price": as_price(episode.start_price),
        "extreme_price": as_price(episode.extreme_price),
        "leg_pct": _pct(episode.leg * sign),
        "retrace_pct": _round(100 * episode.retraced(seen.x)),
        "speed_bp_per_min": _round(seen.speed_bp_per_min * sign),
        "speed_peak_bp_per_min": _round(episode.peak_speed_bp_per_min),
        "forced_usd_total": _usd(max(0.0, seen.forced_total_usd - episode.start_forced_usd)),
        "forced_usd_5s_rate": _usd(seen.flow_usd_per_s),
        "coverage": _share(symbol.flow.coverage()),
        "next_level": _ahead(
            symbol.map.zones.ahead(episode.extreme_price, episode.direction),
            seen.price,
            episode.direction,
        ),
    }


def _post_mortem(symbol: Symbol, episode: Episode, seen: Observation) -> dict[str, Any]:
    momentum = symbol.state.price.momentum
    running_s = RUN_UP_S + max(0.0, (episode.extreme_ms - episode.started_ms) / 1000)
    return {
        "given_back_pct": _round(100 * episode.retraced(seen.x)),
        "late_forced_share": _share(episode.late_share(seen.forced_total_usd)),
        "peak_forced_usd_60s": _usd(episode.top_forced_usd_60s),
        "map_swept_usd": _usd((seen.swept_usd - episode.start_swept_usd) * symbol.map.factor()),
        "levels_crossed": [
            msgspec.to_builtins(zone.level())
            | {"verdict": msgspec.to_builtins(episode.verdicts.get(zone.id))}
            for zone in episode.crossed
        ],
        **_asymmetry(symbol, episode),
        "speed_vs_volatility": _round(episode.leg / (momentum.sigma * sqrt(running_s))),
    }


def _asymmetry(symbol: Symbol, episode: Episode) -> dict[str, Any]:
    """Return both sides of the map before and after; nothing where one is unknown."""
    before, after = episode.asymmetry, symbol.state.map.balance.newest
    if before is None or after is None or before.window != after.window:
        return {}
    return {
        "asymmetry_window": after.window,
        "asymmetry_before": before.ratio,
        "asymmetry_after": after.ratio,
        "above_usd_before": before.short_usd,
        "above_usd_after": after.short_usd,
        "below_usd_before": before.long_usd,
        "below_usd_after": after.long_usd,
        "scale": "relative" if symbol.map.scale() is None else "usd",
    }


def _ahead(zone: Zone | None, price: float, direction: Direction) -> dict[str, Any] | None:
    if zone is None:
        return None
    away = zone.near_edge(direction) / price - 1
    level: dict[str, Any] = msgspec.to_builtins(zone.level())
    return level | {"distance_pct": _pct(away)}


def _start_thresholds(
    settings: DetectionSettings, start: Start | None, flow: FlowView
) -> dict[str, Any]:
    return {
        "return_hours": settings.complete_return_hours,
        "return_hours_throttled": settings.return_hours_throttled,
        "return_hours_market": settings.return_hours_market,
        "forced_impact_z": _round(flow.impact_z_asked),
        "run_on_z": start.run_on_z_asked if start else None,
        "drift_z": settings.drift_z30,
        "drift_z_10s": settings.drift_z10,
        "new_extreme_share": settings.new_extreme_share,
        "floor_usd_30s": settings.floor_usd_30s,
    }


def _stall_thresholds(settings: DetectionSettings) -> dict[str, Any]:
    return {
        "stall_flow_share": settings.stall_flow_share,
        "stall_quiet_s": settings.stall_quiet_s,
        "stall_retrace_pct": 100 * settings.stall_retrace,
    }


def _usd(value: float) -> float:
    return round(value, 2)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _share(value: float | None) -> float | None:
    """Round down: only what is whole may say that it is."""
    return None if value is None else floor(value * 1000) / 1000


def _pct(log_distance: float) -> float:
    return round(100 * log_distance, 4)
