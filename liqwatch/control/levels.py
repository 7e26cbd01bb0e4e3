"""The scoreboard of levels: how often price came, and what came of it."""

import msgspec

from liqwatch.alerts import Alert, Kind
from liqwatch.control.maps import coin
from liqwatch.control.vocabulary import ControlError, Judged, LevelScore
from liqwatch.engine import Engine
from liqwatch.engine.levels import LevelWatch, Phase
from liqwatch.engine.state import SymbolState
from liqwatch.store import Database

VERDICTS = 5  # shown of a level
MOST_LEVELS = 40

_decode = msgspec.json.Decoder(Alert).decode


def scoreboard(engine: Engine, database: Database, symbol: str | None) -> tuple[LevelScore, ...]:
    """Return the levels of a coin from high to low, or all those that price came near.

    Raises ControlError for a coin that nobody watches.
    """
    symbols = engine.state.symbols
    if symbol is None:
        near = [(one, each) for one in symbols.values() for each in _nearest_first(one)]
        chosen = [pair for pair in near if pair[1].approaches or pair[1].phase is not Phase.FAR]
    else:
        name = coin(symbol, symbols)
        if name not in symbols or not symbols[name].price.price:
            raise ControlError(f"{symbol} has no price yet, so no levels")
        chosen = [(symbols[name], each) for each in _nearest_first(symbols[name])]
    scores = [_score(of, watch, database) for of, watch in chosen[:MOST_LEVELS]]
    return tuple(sorted(scores, key=lambda one: (one.symbol, -one.low)))


def _nearest_first(of: SymbolState) -> list[LevelWatch]:
    price = of.price.price
    return sorted(of.levels.values(), key=lambda one: abs(one.zone.low - price)) if price else []


def _score(of: SymbolState, watch: LevelWatch, database: Database) -> LevelScore:
    zone, price = watch.zone, of.price.price
    edge = min(max(price, zone.low), zone.high)  # the nearest price of the zone
    return LevelScore(
        symbol=of.name,
        low=zone.low,
        high=zone.high,
        source=zone.source,
        position=zone.position,
        direction=watch.direction,
        distance_pct=100 * (edge / price - 1),
        notional_usd=zone.notional_usd,
        phase=watch.phase,
        approaches=watch.approaches,
        activated=watch.activated,
        verdicts=_verdicts(database, zone.id),
    )


def _verdicts(database: Database, zone_id: str) -> tuple[Judged, ...]:
    # Ids of such alerts are the zone's, the kind and a time: the index on ids finds them.
    first = f"{zone_id}-{Kind.LEVEL_VERDICT}-"
    query = "SELECT json FROM alerts WHERE id >= ? AND id < ? ORDER BY number DESC LIMIT ?"
    alerts = (_decode(json) for (json,) in database.read(query, first, f"{first}~", VERDICTS))
    return tuple(
        Judged(one.time, one.verdict) for one in alerts if one.verdict is not msgspec.UNSET
    )
