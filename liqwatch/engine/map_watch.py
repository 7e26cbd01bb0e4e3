"""The map of one coin as it changes: the side it tilts to, and its daily summary."""

from collections.abc import Iterable
from math import ceil, floor, log
from typing import Any

import msgspec
from msgspec.structs import replace

from liqwatch.alerts import Alert, Direction, Kind, Severity
from liqwatch.engine.clusters import Zone, as_price, find_ranges
from liqwatch.engine.map_ranges import Ranges
from liqwatch.engine.map_reach import distance_pct, taker_flow
from liqwatch.engine.merged import Side
from liqwatch.engine.symbol import Symbol
from liqwatch.engine.symbol_map import with_sources
from liqwatch.events import Position
from liqwatch.map_view import Asymmetry

EVERY_S = 60  # a multiple of the time after which clusters are found anew, and in the same second
MOST_FROZEN = 0.5  # of open interest: with more of it in doubt, neither side's data are fresh
NEAREST = 3

Sides = dict[Direction, Side]


def watch_map(symbol: Symbol, now_ms: int, of_levels: Iterable[Alert]) -> list[Alert]:
    """Take the end of one second and what was told of levels in it; return what is to be told."""
    state, settings = symbol.state, symbol.settings.map
    if settings.digest.at is not None:
        state.map.diary.note(of_levels)
    if (now_ms // 1000 - 1 + state.number) % EVERY_S or not symbol.map.sides:
        return []
    _renew_ranges(symbol)
    seen = asymmetry(symbol, symbol.map.sides, now_ms)
    state.map.balance.newest = seen
    alerts = []
    if _trusted(symbol, seen, now_ms):
        was = state.map.balance.heavy
        if state.map.balance.update(seen, now_ms, settings.asymmetry):
            alerts.append(_asymmetry_changed(symbol, seen, was, now_ms))
    if state.map.diary.due(now_ms, settings.digest):
        alerts.append(_map_digest(symbol, seen, now_ms))
    return alerts


def asymmetry(symbol: Symbol, sides: Sides, now_ms: int) -> Asymmetry:
    """Return shorts against longs of the map, in the window that is set."""
    settings, price = symbol.settings.map.asymmetry, symbol.state.price.price
    low, high = settings.ends(price)
    up, down, ranges = sides[Direction.UP], sides[Direction.DOWN], Ranges(symbol)
    short_usd, long_usd = up.notional_usd(price, high), down.notional_usd(low, price)
    return replace(
        symbol.state.map.balance.read(short_usd, long_usd, now_ms, settings),
        short_range_usd=ranges.of(short_usd, up, price, high),
        long_range_usd=ranges.of(long_usd, down, low, price),
    )


def _trusted(symbol: Symbol, seen: Asymmetry, now_ms: int) -> bool:
    hours = symbol.map.hours(now_ms)
    if hours is None or hours < symbol.settings.map.asymmetry.after_hours:
        return False
    enough = seen.short_usd + seen.long_usd >= _least_usd(symbol)
    return enough and sum(symbol.map.frozen_shares(now_ms).values()) <= MOST_FROZEN


def _least_usd(symbol: Symbol) -> float:
    return round(symbol.settings.map.min_cluster_usd * symbol.map.factor(), 2)


def _renew_ranges(symbol: Symbol) -> None:
    state, bucket = symbol.state.map, symbol.settings.map.bucket_bp / 1e4
    found: list[Zone] = []
    for direction, side in symbol.map.sides.items():
        clusters = [zone for zone in state.clusters if zone.faces(direction)]
        if len(clusters) > 1:
            ends = (log(clusters[0].low), log(clusters[-1].high))
            mass = side.by_key(floor(ends[0] / bucket) - 2, ceil(ends[1] / bucket) + 2)
            known = [zone for zone in state.ranges if zone.faces(direction)]
            ranges = find_ranges(
                clusters, mass, bucket=bucket, known=known, prefix=symbol.state.name
            )
            found += [with_sources(zone, side) for zone in ranges]
    state.ranges = found


def _asymmetry_changed(symbol: Symbol, seen: Asymmetry, was: Position | None, now_ms: int) -> Alert:
    settings = symbol.settings.map
    heavy = symbol.state.map.balance.heavy
    return _alert(
        symbol,
        Kind.ASYMMETRY_CHANGED,
        now_ms,
        position=heavy,
        evidence=_amounts(symbol, seen)
        | {
            "was": None if was is None else was.value,
            "map_hours": round(symbol.map.hours(now_ms) or 0.0, 2),
        },
        thresholds={
            "ratio": settings.asymmetry.ratio,
            "back_ratio": settings.asymmetry.back_ratio,
            "min_usd": _least_usd(symbol),
        },
    )


def _map_digest(symbol: Symbol, seen: Asymmetry, now_ms: int) -> Alert:
    state, hours = symbol.state.map, symbol.map.hours(now_ms)
    frozen = symbol.map.frozen_shares(now_ms)
    clusters, ranges = (state.clusters, state.ranges) if state.names_levels else ([], [])
    clusters = [*clusters, *(zone for zone in symbol.map.zones if zone.source == "user")]
    return _alert(
        symbol,
        Kind.MAP_DIGEST,
        now_ms,
        position=None,
        evidence={
            **_amounts(symbol, seen),
            "above": _nearest(symbol, clusters, Direction.UP),
            "below": _nearest(symbol, clusters, Direction.DOWN),
            "ranges_above": _nearest(symbol, ranges, Direction.UP),
            "ranges_below": _nearest(symbol, ranges, Direction.DOWN),
            **state.diary.close(now_ms),
            "score": msgspec.to_builtins(symbol.map.score()),
            "names_levels": state.names_levels,
            "frozen_shares": {venue: round(share, 4) for venue, share in frozen.items()},
            "map_hours": None if hours is None else round(hours, 2),
        },
        thresholds={"at": symbol.settings.map.digest.at},
    )


def _alert(
    symbol: Symbol,
    kind: Kind,
    now_ms: int,
    *,
    position: Position | None,
    evidence: dict[str, Any],
    thresholds: dict[str, Any],
) -> Alert:
    return Alert(
        id=f"{symbol.state.name}-{kind}-{now_ms}",
        episode=None,
        kind=kind,
        symbol=symbol.state.name,
        position=position,
        direction=None if position is None else Direction.of(position),
        time=now_ms,
        price=as_price(symbol.state.price.price),
        severity=Severity.INFO,
        evidence=evidence,
        thresholds=thresholds,
    )


def _amounts(symbol: Symbol, seen: Asymmetry) -> dict[str, Any]:
    amounts: dict[str, Any] = msgspec.to_builtins(seen)
    return amounts | {"scale": "relative" if symbol.map.scale() is None else "usd"}


def _nearest(symbol: Symbol, zones: Iterable[Zone], direction: Direction) -> list[dict[str, Any]]:
    """Return the zones that a move this way would meet first, with the way to each in percent (0
    within it) and in net taker flow.
    """
    facing = (zone for zone in zones if zone.position is direction.position)
    nearest = sorted(facing, key=lambda zone: direction.sign * zone.near_edge(direction))
    return [
        msgspec.to_builtins(zone.level())
        | {
            "distance_pct": round(distance_pct(symbol, zone, direction), 2),
            "children": len(zone.children),
            "sources": list(zone.sources),
            "observed_share": zone.observed_share,
        }
        | _estimates(symbol, zone, direction)
        for zone in nearest[:NEAREST]
    ]


def _estimates(symbol: Symbol, zone: Zone, direction: Direction) -> dict[str, Any]:
    taker, side = taker_flow(symbol, zone, direction), symbol.map.sides[direction]
    return {
        "notional_range_usd": msgspec.to_builtins(Ranges(symbol).of_zone(zone, side)),
        "taker_usd": taker and taker.usd,
        "taker_range_usd": msgspec.to_builtins(taker and taker.range_usd),
    }
