"""What an alert of each kind has to say after its first line.

Amounts of visible forced orders are lower bounds (`≥`) unless the feeds are complete, figures of
the map are estimates (`est.`), `long` and `short` name whose position is liquidated. Evidence that
is missing leaves its line out.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from liqwatch.alerting import map_words
from liqwatch.alerting.evidence import entries, finite, joined, mapping, number, told
from liqwatch.alerting.numbers import (
    MINUS,
    amount,
    clean,
    duration,
    name,
    price,
    signed_pct,
    significant,
    span,
)
from liqwatch.alerts import Alert, Direction, Kind, Outcome
from liqwatch.map_view import MapScore

LEARNED_HOURS = 72
MAP_HOURS = 24
MAGNETS = "Clusters are magnets, not a forecast."

Line = str | None


def body(alert: Alert) -> list[Line]:
    """Return the lines below the first one in order of weight, None for those left out."""
    return _BODIES[alert.kind](alert)


def zone(low: float, high: float) -> str:
    """Write a price zone, one price when both ends read the same."""
    return "–".join(dict.fromkeys((price(low), price(high))))


def ratio(alert: Alert, pattern: str, key: str = "ratio") -> str:
    """Fill in shorts over longs, such as 14:1; nothing is said of a ratio that is not known."""
    times = number(alert, key)
    if times is None or times <= 0:
        return ""
    said = f"{significant(times)}:1" if times >= 1 else f"1:{significant(1 / times)}"
    return pattern.format(said)


def _running(alert: Alert) -> list[Line]:
    return [
        _members(alert),
        joined(_now(alert), told(alert, "move_pct_60s", "{} in 60 s", signed_pct), by=", "),
        _here(alert),
        _forced(alert, forced_usd_30s="in 30 s", forced_usd_60s="in 60 s"),
        _by_venue(alert),
        _grounds(alert),
        joined(
            told(alert, "speed_bp_per_min", "Speed {} bp/min", significant),
            told(alert, "acceleration_sigma", "acceleration {}σ", significant),
            told(alert, "drift_z", "drift {}σ in 30 s", significant),
        ),
        _ahead(alert),
        told(alert, "open_interest_change_pct_5m", "Open interest {} in 5 min", signed_pct),
        _sight(alert),
        _learning(alert),
    ]


def _stalled(alert: Alert) -> list[Line]:
    return [
        joined(_leg(alert), _now(alert), by=", now "),
        _speeds(alert, "speed_peak_bp_per_min", "speed_bp_per_min"),
        _forced(alert, forced_usd_total="in all", forced_usd_5s_rate="a second at the end"),
        told(alert, "retrace_pct", "{}% of the leg given back", _size),
        _ahead(alert),
    ]


def _ended(alert: Alert) -> list[Line]:
    levels = [_level(level) for level in entries(alert, "levels_crossed")]
    crossed = joined(*levels)
    return [
        joined(
            _leg(alert),
            _now(alert) and f"now {_now(alert)}",
            told(alert, "given_back_pct", "{}% given back", _size),
            by=", ",
        ),
        _forced(alert, forced_usd_total="in all", peak_forced_usd_60s="in its worst minute"),
        crossed and f"Crossed {crossed}",
        told(alert, "map_swept_usd", "est. {} of the map lay in its path", amount),
        told(alert, "speed_vs_volatility", "Speed {}x what volatility implied", significant),
        "It could not be followed to its end: feeds were silent or left out"
        if alert.outcome is Outcome.UNKNOWN
        else None,
    ]


def _approached(alert: Alert) -> list[Line]:
    return [
        joined(
            _now(alert),
            told(alert, "distance_pct", "{}% away", _size),
            told(alert, "distance_sigma", "{}σ", _size),
            by=", ",
        ),
        _here(alert),
        told(alert, "speed_bp_per_min", "Speed {} bp/min", significant),
    ]


def _judged(alert: Alert) -> list[Line]:
    return [
        joined(
            _now(alert),
            _closest(alert),
            told(alert, "duration_s", "{} near it", duration),
            by=", ",
        ),
        "Crossed in a running cascade"
        if alert.evidence.get("in_cascade") is True
        else joined(
            _speeds(alert, "speed_before_bp_per_min", "speed_after_bp_per_min"),
            told(alert, "acceleration_sigma", "acceleration {}σ", significant),
        ),
        _forced(alert, forced_usd_at_level="since the approach"),
        _activated(alert),
        _here(alert),
    ]


def _tilted(alert: Alert) -> list[Line]:
    return [_now(alert), *_balance(alert), _map_age(alert), _caution(alert)]


def _digest(alert: Alert) -> list[Line]:
    return [
        _now(alert),
        *_balance(alert),
        *(_rungs(alert, key) for key in ("above", "below", "ranges_above", "ranges_below")),
        *_reached(alert),
        _score(alert),
        _frozen(alert),
        _map_age(alert),
        joined(
            _caution(alert),
            "No financial advice." if alert.evidence.get("window") else None,
            by=" ",
        ),
    ]


def _balance(alert: Alert) -> list[Line]:
    # Never a ratio without both amounts and the window.
    window: Any = alert.evidence.get("window")
    amounts = joined(
        told(alert, "short_usd", "shorts above est. {}", amount),
        told(alert, "long_usd", "longs below est. {}", amount),
        by=", ",
    )
    if not window or amounts is None:
        return []
    times = ratio(alert, ", {}") + ratio(alert, " (24 h ago {})", "ratio_24h_ago")
    relative = alert.evidence.get("scale") == "relative"
    return [
        f"Within {clean(window).replace('-', MINUS)}: {amounts}{times}",
        "Amounts compare with each other, not with dollars" if relative else None,
    ]


def _rungs(alert: Alert, key: str) -> Line:
    rungs = [rung for rung in entries(alert, key) if isinstance(rung, Mapping)]
    said = joined(*map(_rung, rungs), by=", ")
    return said and f"{_sentence(key.replace('_', ' '))}: {said}"


def _rung(rung: Mapping[str, Any]) -> Line:
    level, away, children = _level(rung), finite(rung.get("distance_pct")), rung.get("children")
    within = f" of {children} clusters" if isinstance(children, int) and children > 1 else ""
    return level and f"{level}{within}{'' if away is None else f' ({signed_pct(away)})'}"


def _reached(alert: Alert) -> list[Line]:
    approaches, activated = number(alert, "approaches"), number(alert, "activated")
    if approaches is None or activated is None:
        return []
    since = told(alert, "hours", "In {}", span) or "Since the start"
    reached = [
        f"{zone(low, high)} {clean(level.get('verdict'))}"
        for level in entries(alert, "levels_reached")
        if isinstance(level, Mapping)
        and (low := finite(level.get("low"))) is not None
        and (high := finite(level.get("high"))) is not None
    ]
    return [
        f"{since}: {approaches:.0f} approaches to levels, {activated:.0f} activated",
        f"Reached: {', '.join(reached)}" if reached else None,
        told(
            alert,
            "clusters_reached",
            "MAP NOT ACTIVATING: {} clusters reached, none reacted",
            _whole,
        )
        if alert.evidence.get("map_not_activating") is True
        else None,
    ]


def _score(alert: Alert) -> Line:
    try:
        return map_words.score(msgspec.convert(alert.evidence.get("score"), MapScore))
    except msgspec.ValidationError:
        return None


def _frozen(alert: Alert) -> Line:
    shares = mapping(alert, "frozen_shares").items()
    venues = [f"{clean(venue)} {share:.0%}" for venue, told in shares if (share := finite(told))]
    return f"Frozen, open interest in doubt: {', '.join(venues)} of it" if venues else None


def _caution(alert: Alert) -> Line:
    return MAGNETS if alert.evidence.get("window") else None


def _map_age(alert: Alert) -> Line:
    return told(alert, "map_hours", "Map of {}", span) if _young(alert) else None


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _closest(alert: Alert) -> Line:
    nearest = number(alert, "closest_pct")
    if nearest is None:
        return None
    return f"closest {_size(nearest)}%" if nearest > 0 else f"{_size(nearest)}% through it"


def _members(alert: Alert) -> Line:
    members = [] if alert.members is UNSET else alert.members
    return f"Most affected: {', '.join(map(name, members[:8]))}" if members else None


def _now(alert: Alert) -> Line:
    return None if alert.price is None else price(alert.price)


def _leg(alert: Alert) -> Line:
    start, extreme = number(alert, "start_price"), number(alert, "extreme_price")
    if not start or extreme is None:
        return told(alert, "leg_pct", "Moved {}", signed_pct)
    return f"{price(start)} → {price(extreme)} ({signed_pct((extreme / start - 1) * 100)})"


def _here(alert: Alert) -> Line:
    if alert.level is None:
        return None
    if alert.level.source == "unmapped":
        return "Unmapped: no cluster is known here"
    described = _level(msgspec.structs.asdict(alert.level))
    return described and f"Level: {described}"


def _ahead(alert: Alert) -> Line:
    level = mapping(alert, "next_level")
    described, distance = _level(level), finite(level.get("distance_pct"))
    away = "" if distance is None else f" ({_size(distance)}% away)"
    return described and f"Ahead: {described}{away}"


def _level(level: object) -> Line:
    # "est. $2.4B at 91,800–92,200"
    if not isinstance(level, Mapping):
        return None
    low, high, notional = (finite(level.get(key)) for key in ("low", "high", "notional"))
    if low is None or high is None:
        return None
    where = zone(low, high)
    held = where if notional is None else f"{amount(notional)} at {where}"
    stacked = "" if notional is None else f", est. {amount(notional)} there"
    pattern = _LEVELS.get(str(level.get("source")), "{zone} (unmapped)")
    return pattern.format(held=held, zone=where, stacked=stacked)


def _forced(alert: Alert, **windows: str) -> Line:
    flow = {Direction.UP: "buying", Direction.DOWN: "selling", None: "orders"}[alert.direction]
    bound = "" if number(alert, "coverage") == 1 else "≥"
    if all(number(alert, key) == 0 for key in windows):
        return f"No forced {flow} seen {' or '.join(windows.values())}"
    parts = [told(alert, key, f"{bound}{{}} {window}", amount) for key, window in windows.items()]
    seen = joined(*parts, by=", ")
    return seen and f"Forced {flow} {seen}"


def _by_venue(alert: Alert) -> Line:
    feeds, flows = mapping(alert, "feeds"), mapping(alert, "forced_usd_30s_by_venue")
    seen = {venue: usd for venue, flow in flows.items() if (usd := finite(flow))}
    parts = [
        f"{clean(venue)} {'' if feeds.get(venue) == 'full' else '≥'}{amount(usd)}"
        for venue, usd in sorted(seen.items(), key=lambda flow: -flow[1])
    ]
    return f"  {' · '.join(parts)}" if parts else None


def _grounds(alert: Alert) -> Line:
    # Which path of the start rule fired, and how strongly.
    ratio, hours = number(alert, "rarity_ratio"), number(alert, "return_hours")
    path: Any = alert.evidence.get("path")
    rare = None
    if path != "absolute" and ratio is not None and hours is not None:
        whose = "throttled feeds show" if path == "backup" else "a feed shows"
        rare = f"Flow {significant(ratio)}x what {whose} once in {span(hours)}"
    return joined(rare, _impact(alert))


def _impact(alert: Alert) -> Line:
    # The move that the forced orders should cause by themselves: a range, never one number.
    low, high = number(alert, "forced_impact_z_low"), number(alert, "forced_impact_z_high")
    if low is None:
        return None
    if max(low, high or 0.0) < 1:
        return "Visible forced flow explains only part of this move"
    asked = finite(alert.thresholds.get("forced_impact_z"))
    decided = alert.evidence.get("path") == "absolute" and asked is not None
    limit = f", {significant(asked or 0.0)}σ asked" if decided else ""
    if high is None or high <= low:
        return f"Forced flow alone explains a move of ≥{significant(low)}σ{limit}"
    middle = told(alert, "forced_impact_z", "{}σ ", significant) or ""
    limits = f"({significant(low)}–{significant(high)}σ)"
    return f"Forced flow alone explains a move of est. {middle}{limits}{limit}"


def _speeds(alert: Alert, before: str, after: str) -> Line:
    return joined(
        told(alert, before, "Speed {}", significant),
        told(alert, after, "{} bp/min", significant),
        by=" → ",
    )


def _activated(alert: Alert) -> Line:
    # "2 approaches in 9 h, none activated": that a level does not react is news, too.
    activated, hours = number(alert, "activated"), number(alert, "hours")
    if activated is None or hours is None or alert.approach is UNSET or alert.approach < 2:
        return None
    count = f"{activated:.0f}" if activated else "none"
    return f"{alert.approach} approaches in {span(hours)}, {count} activated"


def _sight(alert: Alert) -> Line:
    blind = ", ".join(map(clean, entries(alert, "blind_venues")))
    return joined(
        told(alert, "coverage", "Complete feeds hold {} of open interest", "{:.0%}".format),
        f"blind: {blind}" if blind else None,
    )


def _learning(alert: Alert) -> Line:
    hours = number(alert, "history_hours")
    return joined(
        f"Learning: {hours:.0f} of {LEARNED_HOURS} h"
        if hours is not None and hours < LEARNED_HOURS
        else None,
        "volatility warming up" if alert.evidence.get("warming_up") is True else None,
        told(alert, "map_hours", "map of {}", span) if _young(alert) else None,
    )


def _young(alert: Alert) -> bool:
    hours = number(alert, "map_hours")
    return hours is not None and hours < MAP_HOURS


def _size(value: float) -> str:
    return significant(abs(value))


def _degraded(alert: Alert) -> list[Line]:
    reason: Any = alert.evidence.get("reason")
    failures = mapping(alert, "by_venue").items()
    return [
        _sentence(clean(reason)) if reason else None,
        *([] if reason else [_failure(venue, failure) for venue, failure in failures]),
        joined(
            told(alert, "silent_s", "Silent for {}", duration),
            told(alert, "share_pct", "{}% of the liquidations seen in a day", _size),
        ),
        _remaining(alert),
    ]


def _failure(venue: str, failure: object) -> Line:
    reason = failure.get("reason") if isinstance(failure, Mapping) else None
    return f"{name(venue)}: {clean(reason)}" if reason else None


def _recovered(alert: Alert) -> list[Line]:
    missing = ", ".join(map(clean, entries(alert, "still_degraded")))
    back = entries(alert, "venues")
    return [
        f"Live again: {', '.join(map(clean, back))}" if len(back) > 1 else None,
        "Liquidations of that time may be missing" if back else None,
        f"Still missing: {missing}" if missing else None,
    ]


def _remaining(alert: Alert) -> Line:
    remaining = ", ".join(map(clean, entries(alert, "remaining_venues")))
    if not remaining:
        return "Blind: no other venue is heard" if entries(alert, "venues") else None
    return f"Still heard: {remaining}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _changes(alert: Alert) -> list[Line]:
    return [clean(change) for change in entries(alert, "changes")]


def _errors(alert: Alert) -> list[Line]:
    return [clean(error) for error in entries(alert, "errors")]


_LEVELS = {
    "estimate": "est. {held}",
    "imported": "est. {held} (imported)",
    "observed": "{held} (published positions)",
    "user": "{zone} (your level{stacked})",
}

_BODIES: dict[Kind, Callable[[Alert], list[Line]]] = {
    Kind.CASCADE_STARTED: _running,
    Kind.CASCADE_RESUMED: _running,
    Kind.CASCADE_STALLED: _stalled,
    Kind.CASCADE_ENDED: _ended,
    Kind.LEVEL_APPROACHED: _approached,
    Kind.LEVEL_VERDICT: _judged,
    Kind.ASYMMETRY_CHANGED: _tilted,
    Kind.MAP_DIGEST: _digest,
    Kind.FEED_DEGRADED: _degraded,
    Kind.FEED_RECOVERED: _recovered,
    Kind.CONFIG_APPLIED: _changes,
    Kind.CONFIG_REJECTED: _errors,
}
