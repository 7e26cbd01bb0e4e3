"""Cascades of one coin: each second, what there is to see, and what the table makes of it."""

from math import exp

from liqwatch.alerts import Alert, Direction, Kind, Severity
from liqwatch.engine import report
from liqwatch.engine.burst import Burst
from liqwatch.engine.cascade import Episode, Observation, State, forgotten, give_up, step
from liqwatch.engine.clusters import Zone
from liqwatch.engine.near_miss import nearest_miss, note
from liqwatch.engine.start import FlowView, Start, continues, find_rarity, find_start
from liqwatch.engine.symbol import RUN_UP_MS, Symbol

HALF_WAY = 0.5  # of the drift at which a start is possible: from there on it is noted how near


def watch_cascades(symbol: Symbol, now_ms: int) -> list[Alert]:
    """Take the end of one second in both directions; return what it calls for."""
    alerts = []
    for direction in Direction:
        alert = _watch(symbol, direction, now_ms)
        if alert is not None:
            alerts.append(alert)
    return alerts


def end_unheard(symbol: Symbol, now_ms: int) -> list[Alert]:
    """End the cascades of a coin of which nothing is heard any more; how they ended is unknown."""
    alerts = []
    for direction, episode in symbol.state.episodes.items():
        if episode.state is not State.ENDED:
            give_up(episode, now_ms)
            flow = symbol.flow.view(direction, now_ms)
            seen = _observe(symbol, flow, direction, episode, now_ms)
            alerts.append(
                report.cascade_turned(symbol, episode, Kind.CASCADE_ENDED, "unheard", seen, flow)
            )
    return alerts


def _watch(symbol: Symbol, direction: Direction, now_ms: int) -> Alert | None:
    episodes = symbol.state.episodes
    episode = episodes.get(direction)
    quiet = (
        episode is None
        and direction not in symbol.state.bursts
        and symbol.state.price.momentum.z(30) * direction.sign
        < HALF_WAY * symbol.detection.drift_z30
    )
    if quiet and not symbol.flow.stirs(direction):
        return None  # nearly always: nothing is looked at any closer
    flow = symbol.flow.view(direction, now_ms)
    _follow_burst(symbol, flow, direction, now_ms)
    seen = _observe(symbol, flow, direction, episode, now_ms)
    if episode is not None and forgotten(episode, seen):
        del episodes[direction]
        episode = None
    if seen.start is None and (episode is None or episode.state is State.ENDED):
        _note(symbol, flow, direction, now_ms)
    if episode is None:
        return _begin(symbol, seen, flow, direction) if seen.start is not None else None
    moved = step(episode, seen)
    if moved is None:
        return None
    kind, reason = moved
    return report.cascade_turned(symbol, episode, kind, reason, seen, flow)


def _follow_burst(symbol: Symbol, flow: FlowView, direction: Direction, now_ms: int) -> None:
    bursts, rarity = symbol.state.bursts, find_rarity(flow, symbol.detection)
    burst = bursts.get(direction)
    if burst is not None and not burst.over(now_ms):
        burst.see(rarity, now_ms)
    elif rarity is not None and rarity.ratio >= 1:
        bursts[direction] = Burst(symbol.state.price.momentum.x, rarity, now_ms)
    else:
        bursts.pop(direction, None)


def _run_on_z(symbol: Symbol, direction: Direction) -> float:
    momentum, burst = symbol.state.price.momentum, symbol.state.bursts.get(direction)
    return burst.run_on_z(momentum.x, momentum.sigma, direction.sign) if burst else 0.0


def _start(symbol: Symbol, flow: FlowView, direction: Direction, now_ms: int) -> Start | None:
    burst = symbol.state.bursts.get(direction)
    return find_start(
        flow,
        burst.fresh(now_ms) if burst else None,
        _run_on_z(symbol, direction),
        symbol.state.price.momentum,
        direction,
        symbol.detection,
    )


def _note(symbol: Symbol, flow: FlowView, direction: Direction, now_ms: int) -> None:
    """Remember how near a start was that is not called."""
    momentum, run_on_z = symbol.state.price.momentum, _run_on_z(symbol, direction)
    miss = nearest_miss(flow, run_on_z, momentum, direction, symbol.detection, now_ms)
    if miss is not None:
        note(symbol.state.misses, miss)


def _observe(
    symbol: Symbol, flow: FlowView, direction: Direction, episode: Episode | None, now_ms: int
) -> Observation:
    price, momentum = symbol.state.price.price, symbol.state.price.momentum
    began_ms = now_ms if episode is None else episode.started_ms
    return Observation(
        now_ms=now_ms,
        price=price,
        x=momentum.x,
        start=_start(symbol, flow, direction, now_ms),
        continues=continues(flow, symbol.detection),
        flow_usd_per_s=symbol.flow.fast_usd_per_s(direction, now_ms),
        forced_usd_60s=symbol.flow.visible_usd(direction, now_ms, 60),
        forced_total_usd=symbol.flow.total_usd(direction),
        swept_usd=symbol.map.swept_usd(direction),
        speed_bp_per_min=momentum.speed_bp_per_min,
        complete=any(feed.complete and feed.healthy for feed in flow.feeds),
        crossed=symbol.map.met_since(direction, began_ms - RUN_UP_MS),
        blind_s=symbol.flow.deaf_s(began_ms, now_ms),
        settings=symbol.detection,
    )


def _begin(symbol: Symbol, seen: Observation, flow: FlowView, direction: Direction) -> Alert:
    momentum = symbol.state.price.momentum
    run_began = min(momentum.recent) if direction is Direction.UP else max(momentum.recent)
    episode = Episode(
        id=f"{symbol.state.name}-{direction}-{seen.now_ms}",
        direction=direction,
        state=State.CASCADING,
        state_ms=seen.now_ms,
        started_ms=seen.now_ms,
        start_price=seen.price * exp(run_began - seen.x),
        start_x=run_began,
        start_forced_usd=seen.forced_total_usd - seen.forced_usd_60s,
        start_swept_usd=seen.swept_usd,
        extreme_x=seen.x,
        extreme_price=seen.price,
        extreme_ms=seen.now_ms,
        severity=seen.start.severity if seen.start else Severity.WARNING,
        start_zone=_start_zone(symbol, seen, direction),
        against_map=symbol.map.against(direction),
        peak_flow_usd_per_s=seen.flow_usd_per_s,
        verdicts={
            name: watch.verdict
            for name, watch in symbol.state.levels.items()
            if watch.verdict is not None
            and watch.direction is direction
            and watch.judged_ms >= seen.now_ms - RUN_UP_MS
        },
        asymmetry=symbol.state.map.balance.newest,
    )
    symbol.state.episodes[direction] = episode
    return report.cascade_started(symbol, episode, seen, flow)


def _start_zone(symbol: Symbol, seen: Observation, direction: Direction) -> Zone | None:
    """Return the zone that the run reached last, or that it stands right before."""
    if seen.crossed:
        return seen.crossed[-1]
    a_little = symbol.state.price.momentum.five_minute_move / 2
    there = seen.price * exp(direction.sign * a_little)
    return next(iter(symbol.map.facing(seen.price, there, direction)), None)
