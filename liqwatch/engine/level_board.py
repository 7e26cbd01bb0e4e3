"""The levels of one coin: which are watched, what price does about each, what is worth telling."""

from liqwatch.alerts import Alert, Direction, Verdict
from liqwatch.engine import report
from liqwatch.engine.cascade import State
from liqwatch.engine.levels import LevelWatch, Sight
from liqwatch.engine.symbol import Symbol


def watch_levels(symbol: Symbol, now_ms: int) -> list[Alert]:
    """Take the end of one second; return new approaches and verdicts."""
    _adopt_zones(symbol)
    sight = _sight(symbol, now_ms)
    alerts = []
    for watch in symbol.state.levels.values():
        news = watch.update(sight, symbol.settings.levels)
        if isinstance(news, Verdict):
            _tell_the_cascade(symbol, watch, news)
            alerts.append(report.level_verdict(symbol, watch, news, sight))
        elif news and _worth_telling(symbol, watch, sight):
            alerts.append(report.level_approached(symbol, watch, sight))
    return alerts


def _tell_the_cascade(symbol: Symbol, watch: LevelWatch, verdict: Verdict) -> None:
    episode = symbol.state.episodes.get(watch.direction)
    if episode is not None and episode.state is not State.ENDED:
        episode.verdicts[watch.zone.id] = verdict


def _sight(symbol: Symbol, now_ms: int) -> Sight:
    momentum = symbol.state.price.momentum
    return Sight(
        now_ms=now_ms,
        price=symbol.state.price.price,
        yardstick=momentum.five_minute_move,
        z10=momentum.z(10),
        z60=momentum.z(60),
        run_30s=momentum.run(30),
        speed_bp_per_min=momentum.speed_bp_per_min,
        forced_total_usd={one: symbol.flow.total_usd(one) for one in Direction},
        cascading=frozenset(
            direction
            for direction, episode in symbol.state.episodes.items()
            if episode.state is State.CASCADING
        ),
    )


def _worth_telling(symbol: Symbol, watch: LevelWatch, sight: Sight) -> bool:
    """A running cascade tells of its levels itself, and one approach is told once."""
    running = watch.direction in sight.cascading
    return not running and watch.may_announce(sight.now_ms, symbol.settings.levels)


def _adopt_zones(symbol: Symbol) -> None:
    """Watch every zone there is now; let go of those that vanished with nothing pending."""
    levels, price = symbol.state.levels, symbol.state.price.price
    present = {zone.id: zone for zone in symbol.map.zones}
    for name, zone in present.items():
        watch = levels.get(name)
        if watch is None:
            watch = levels[name] = LevelWatch(zone=zone)
            watch.reset(price)
        elif watch.idle:
            watch.zone = zone
    for name in [name for name, watch in levels.items() if watch.idle and name not in present]:
        del levels[name]
