"""Cascades that go on, in numbers, for messages that change while they do."""

from liqwatch.alerts import Direction, Running
from liqwatch.engine.cascade import Episode, State
from liqwatch.engine.clusters import as_price
from liqwatch.engine.map_view import show_map
from liqwatch.engine.recent import STEP_S
from liqwatch.engine.symbol import Symbol
from liqwatch.episode_view import EpisodeShown


def running(symbol: Symbol, now_ms: int) -> list[Running]:
    """Return the coin's cascades that have not ended."""
    return [
        _running(symbol, episode, now_ms)
        for episode in symbol.state.episodes.values()
        if episode.state is not State.ENDED
    ]


def show_episode(symbol: Symbol, direction: Direction, now_ms: int) -> EpisodeShown | None:
    """Return the coin's cascade this way, running or just ended; None where there is none."""
    episode = symbol.state.episodes.get(direction)
    if episode is None:
        return None
    recent = symbol.state.recent
    return EpisodeShown(
        running=_running(symbol, episode, now_ms),
        shown=show_map(symbol, now_ms),
        prices=recent.prices_by_time(),
        forced_usd=recent.forced_by_time(direction),
        step_ms=STEP_S * 1000,
    )


def _running(symbol: Symbol, episode: Episode, now_ms: int) -> Running:
    direction, flow = episode.direction, symbol.flow
    ahead = symbol.map.zones.ahead(episode.extreme_price, direction)
    speed = symbol.state.price.momentum.speed_bp_per_min * direction.sign
    return Running(
        episode=episode.id,
        symbol=symbol.state.name,
        position=direction.position,
        direction=direction,
        severity=episode.severity,
        against_map=episode.against_map,
        stalled=episode.state is State.STALLED,
        time=now_ms,
        started=episode.started_ms,
        price=as_price(symbol.state.price.price),
        start_price=as_price(episode.start_price),
        extreme_price=as_price(episode.extreme_price),
        speed_bp_per_min=round(speed, 3),
        forced_usd_total=round(max(0.0, flow.total_usd(direction) - episode.start_forced_usd), 2),
        forced_usd_60s=round(flow.visible_usd(direction, now_ms, 60), 2),
        peak_forced_usd_60s=round(episode.top_forced_usd_60s, 2),
        complete=flow.coverage() == 1.0,
        crossed=tuple(zone.level() for zone in episode.crossed),
        next_level=ahead.level() if ahead is not None else None,
    )
