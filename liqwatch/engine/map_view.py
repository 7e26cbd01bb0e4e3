"""The map of one coin as it is shown, out of what the engine holds."""

from math import log, sqrt
from typing import NamedTuple

from liqwatch.alerts import Direction
from liqwatch.engine import merged
from liqwatch.engine.clusters import Zone, as_price
from liqwatch.engine.map_ranges import Ranges
from liqwatch.engine.map_reach import distance_pct, taker_flow
from liqwatch.engine.map_watch import asymmetry
from liqwatch.engine.merged import Side, merge
from liqwatch.engine.symbol import Symbol
from liqwatch.events import Position
from liqwatch.map_view import Bucket, Cluster, MapScore, MapShown, MapView

DAY_S = 86_400
LOCAL = 50e-4  # log distance over which mass acts together, at …
LOCAL_AT_SIGMA_DAY = 0.022  # … this volatility

Held = dict[Direction, list[merged.Bucket]]


class _Map(NamedTuple):
    """A coin's map as it stands now, in what forms it is read."""

    symbol: Symbol
    sides: dict[Direction, Side]
    held: Held
    ranges: Ranges


def show_map(symbol: Symbol, now_ms: int) -> MapShown:
    """Return the map of a coin that has a price, as it stands now."""
    state, settings, price = symbol.state, symbol.settings.map, symbol.state.price.price
    sides = merge(state.map, price, settings.bucket_bp / 1e4, scale=symbol.map.factor())
    held = {direction: list(side.buckets()) for direction, side in sides.items()}
    view = MapView(
        symbol=state.name,
        time=now_ms,
        price=as_price(price),
        scale="relative" if symbol.map.scale() is None else "usd",
        bucket_bp=settings.bucket_bp,
        buckets=_buckets(held),
        clusters=_clusters(_Map(symbol, sides, held, Ranges(symbol))),
        asymmetry=asymmetry(symbol, sides, now_ms),
        score=_score(symbol),
        history=symbol.map.history(now_ms),
        venues={venue: round(share, 4) for venue, share in symbol.map.venue_weights().items()},
    )
    return MapShown(view, _watch_levels(symbol), state.path.points())


def _buckets(held: Held) -> tuple[Bucket, ...]:
    usd: dict[tuple[float, float], dict[Position, float]] = {}
    observed_usd: dict[tuple[float, float], float] = {}
    for direction, buckets in held.items():
        for low, high, amount, observed_share in buckets:
            usd.setdefault((low, high), {})[direction.position] = amount
            known = observed_usd.get((low, high), 0.0)
            observed_usd[low, high] = known + amount * observed_share
    return tuple(
        Bucket(
            low=as_price(ends[0]),
            high=as_price(ends[1]),
            long_usd=_usd(of.get(Position.LONG, 0.0)),
            short_usd=_usd(of.get(Position.SHORT, 0.0)),
            observed_share=round(observed_usd[ends] / sum(of.values()), 4),
        )
        for ends, of in sorted(usd.items())
    )


def _clusters(now: _Map) -> tuple[Cluster, ...]:
    state, zones = now.symbol.state.map, now.symbol.map.zones
    yours = [zone for zone in zones if zone.source == "user"]
    found = [
        _cluster(now, zone, zone.position)
        for zone in (*state.clusters, *state.ranges, *yours)
        if zone.position is not None
    ]
    return tuple(sorted(found, key=lambda cluster: (cluster.low, cluster.id)))


def _cluster(now: _Map, zone: Zone, position: Position) -> Cluster:
    direction, price = Direction.of(position), now.symbol.state.price.price
    side, far = now.sides[direction], zone.high if position is Position.SHORT else zone.low
    taker = taker_flow(now.symbol, zone, direction)
    return Cluster(
        id=zone.id,
        position=position,
        low=as_price(zone.low),
        high=as_price(zone.high),
        peak=_peak(now.held[direction], zone),
        notional_usd=None if zone.notional_usd is None else _usd(zone.notional_usd),
        notional_range_usd=now.ranges.of_zone(zone, side),
        distance_pct=round(distance_pct(now.symbol, zone, direction), 4),
        cumulative_usd=_usd(side.notional_usd(*sorted((price, far)))),
        criticality=_criticality(now.symbol, zone),
        sources=zone.sources,
        observed_share=None if zone.observed_share is None else round(zone.observed_share, 4),
        children=zone.children,
        taker_usd=taker and taker.usd,
        taker_range_usd=taker and taker.range_usd,
    )


def _peak(buckets: list[merged.Bucket], zone: Zone) -> float | None:
    """Return the middle of the heaviest bucket of the map that the zone reaches into."""
    within = (one for one in buckets if one.high > zone.low and one.low < zone.high)
    heaviest = max(within, key=lambda one: one.usd, default=None)
    return heaviest and as_price(sqrt(heaviest.low * heaviest.high))


def _criticality(symbol: Symbol, zone: Zone) -> float | None:
    """Return K = lambda rho: impact per USD times USD per log price.

    Each forced USD moves price by lambda, and on that way meets lambda rho further USD: from K = 1
    on a cluster feeds itself. Of a zone that is narrower than what acts together, rho is the mean
    over that.
    """
    sigma = symbol.state.price.momentum.sigma
    impact = symbol.state.impact.per_usd(sigma)
    if zone.notional_usd is None or not impact:
        return None
    local = LOCAL * sigma * sqrt(DAY_S) / LOCAL_AT_SIGMA_DAY
    width = max(log(zone.high / zone.low), local)
    return float(f"{impact * zone.notional_usd / width:.3g}")


def _score(symbol: Symbol) -> MapScore:
    score = symbol.map.score()
    return MapScore(**{name: getattr(score, name) for name in MapScore.__struct_fields__})


def _watch_levels(symbol: Symbol) -> tuple[float, ...]:
    return tuple(zone.low for zone in symbol.map.zones if zone.position is None)


def _usd(value: float) -> float:
    return round(value, 2)
