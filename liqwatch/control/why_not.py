"""Why no cascade was called about a time: what was decided then, and the starts that were near."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from liqwatch.alerts import Alert, Direction, Kind
from liqwatch.control.maps import but, coin
from liqwatch.control.vocabulary import ControlError, Criterion, NearMiss, WhyNotAnswer
from liqwatch.engine import Engine
from liqwatch.engine.near_miss import MOST, Miss
from liqwatch.engine.recent import STEPS
from liqwatch.engine.state import SymbolState
from liqwatch.engine.venue import Venue
from liqwatch.moments import moment_ms
from liqwatch.store import Database

AROUND_MS = 300_000
RUNS_AT_MOST_MS = 6 * 3_600_000  # before a time: what began earlier is not running then

_decode = msgspec.json.Decoder(Alert).decode


def past_moment_ms(word: str, now_ms: int) -> int:
    """Return which moment up to now is meant. Raises ControlError."""
    try:
        at_ms = moment_ms(word, now_ms)
    except ValueError as error:
        raise ControlError(str(error)) from None
    if at_ms > now_ms:
        raise ControlError(f"{word} is still to come")
    return at_ms


def explain_silence(
    engine: Engine, symbol: str, at_ms: int, decided: Database | Iterable[Alert]
) -> WhyNotAnswer:
    """Explain what became of a coin within five minutes of a time.

    `decided` has the alerts. Raises ControlError for a coin of which nothing is known.
    """
    name = coin(symbol, engine.state.symbols)
    known = engine.state.symbols.get(name)
    if known is None or not known.price.price:
        raise ControlError(f"nothing is known of {symbol}{but(engine)}")
    since_ms, until_ms = at_ms - AROUND_MS, at_ms + AROUND_MS
    alerts = _read(decided, since_ms, until_ms) if isinstance(decided, Database) else decided
    told = _told([one for one in alerts if one.symbol == name], since_ms, until_ms)
    ran = {alert.direction for alert in told if alert.episode is not None}
    prices = [price for at, price in known.path.points() if since_ms <= at <= until_ms]
    return WhyNotAnswer(
        symbol=name,
        at=at_ms,
        since=since_ms,
        until=until_ms,
        told=tuple(told),
        misses=_misses(known, since_ms, until_ms, without=ran),
        remembered=bool(prices) and not _forgotten(known.misses, since_ms),
        moved_pct=100 * (max(prices) / min(prices) - 1) if prices else None,
        forced_usd=_forced_usd(known, since_ms, until_ms),
        deaf=_deaf(engine, known, since_ms, until_ms),
    )


# -- what was decided ------------------------------------------------------------------------------


def _read(database: Database, since_ms: int, until_ms: int) -> list[Alert]:
    rows = database.read(_DECIDED, since_ms - RUNS_AT_MOST_MS, until_ms)
    return [_decode(json) for (json,) in rows]


def _told(alerts: Sequence[Alert], since_ms: int, until_ms: int) -> list[Alert]:
    """Return the alerts of a time, after the last word on each cascade that ran into it."""
    running: dict[str, Alert] = {}
    for alert in alerts:
        if alert.episode is not None and alert.time < since_ms:
            running[alert.episode] = alert
    ran_into = [one for one in running.values() if one.kind is not Kind.CASCADE_ENDED]
    return [*ran_into, *(one for one in alerts if since_ms <= one.time <= until_ms)]


_DECIDED = "SELECT json FROM alerts WHERE time_ms BETWEEN ? AND ? ORDER BY number"


# -- what was near ---------------------------------------------------------------------------------


def _misses(
    of: SymbolState, since_ms: int, until_ms: int, *, without: Collection[Direction | None]
) -> tuple[NearMiss, ...]:
    found = [
        _near_miss(one)
        for one in of.misses
        if since_ms <= one.time_ms <= until_ms and one.direction not in without
    ]
    return tuple(sorted(found, key=lambda one: -one.nearness))


def _near_miss(one: Miss) -> NearMiss:
    path = one.path
    return NearMiss(
        time=one.time_ms,
        direction=one.direction,
        path=path.name,
        venue=path.venue,
        return_hours=path.return_hours,
        nearness=one.nearness,
        criteria=tuple(Criterion(*each, at_least=True) for each in (*path.flow, *path.price)),
        deaf=one.deaf,
        learning=one.learning,
    )


def _forgotten(misses: Sequence[Miss], since_ms: int) -> bool:
    return len(misses) == MOST and misses[0].time_ms > since_ms


# -- what the market did ---------------------------------------------------------------------------


def _forced_usd(of: SymbolState, since_ms: int, until_ms: int) -> float | None:
    """Return the visible forced USD of a time; None where that is not known any more."""
    times = [at for at, _ in of.recent.prices_by_time()]
    if not times or (times[0] > since_ms and len(of.recent.prices) == STEPS):
        return None
    return sum(
        usd
        for direction in Direction
        for at, usd in of.recent.forced_by_time(direction)
        if since_ms <= at <= until_ms
    )


def _deaf(engine: Engine, of: SymbolState, since_ms: int, until_ms: int) -> tuple[str, ...]:
    names = dict.fromkeys(source.venue for source in of.sources.values())
    venues = (engine.state.venues[name] for name in names)
    return tuple(one.name for one in venues if _was_deaf(one, since_ms, until_ms))


def _was_deaf(venue: Venue, since_ms: int, until_ms: int) -> bool:
    """Return whether a venue was deaf in a time, as far as the last time that it was tells."""
    if venue.deaf_began_ms is None or venue.deaf_began_ms > until_ms:
        return False
    return venue.healthy_since_ms is None or venue.healthy_since_ms >= since_ms
