"""What a map's amounts are worth: ranges where they are known, and what they rest on."""

from liqwatch.alerting import map_words as words
from liqwatch.alerting.map_frame import farthest, side_usd
from liqwatch.alerting.numbers import amount, clean, price, signed_pct, span
from liqwatch.events import Position
from liqwatch.map_view import Asymmetry, Cluster, MapScore, MapView, Range

FLOW = {Position.SHORT: "buying", Position.LONG: "selling"}  # that goes towards a cluster
SILENT = "It names no levels by itself; yours and cascade alerts go on."
CALIBRATED = "Amounts are calibrated: ranges hold their scale four times in five."


def between(low: float, high: float) -> str:
    """Write a range of USD, with the digits that differ.

    >>> between(1.6e9, 2.4e9), between(9.5e8, 1.1e9), between(2.01e9, 2.04e9)
    ('$1.6–2.4B', '$950M–$1.1B', '$2.0B')
    """
    least, most = amount(low), amount(high)
    if least == most:
        return most
    if least[-1] == most[-1] and most[-1].isalpha():
        return f"{least[:-1]}–{most.removeprefix('$')}"
    return f"{least}–{most}"


def ranged(usd: float | None, known: Range | None) -> str:
    """Write an amount of the map: as its range where that is known."""
    if usd is None:
        return "?"
    return amount(usd) if known is None else between(known.low, known.high)


def held(cluster: Cluster) -> str:
    """Say how much a cluster holds; published positions are no estimate."""
    if cluster.notional_usd is None:
        return "?"
    if set(cluster.sources) == {"observed"}:
        return amount(cluster.notional_usd)
    return f"est. {ranged(cluster.notional_usd, cluster.notional_range_usd)}"


def told_by(cluster: Cluster) -> str:
    """Say who tells of a cluster in few words; nothing where it is all our own estimate."""
    if "user" in cluster.sources:
        return "yours"
    share = cluster.observed_share or 0.0
    observed = "observed" if share == 1 else f"{share:.0%} observed" if share else ""
    imported = "imported" if "imported" in cluster.sources else ""
    return ", ".join(filter(None, (imported, observed)))


def sides(view: MapView) -> str:
    """Say what lies above and below: never a ratio without both amounts and the window."""
    if view.asymmetry is not None:
        return _asymmetry(view.asymmetry)
    shorts, longs = (amount(side_usd(view, one)) for one in (Position.SHORT, Position.LONG))
    low, high = (signed_pct(100 * (end / view.price - 1)) for end in farthest(view))
    return f"Within {low}..{high}: shorts est. {shorts}, longs est. {longs}"


def _asymmetry(told: Asymmetry) -> str:
    shorts = ranged(told.short_usd, told.short_range_usd)
    longs = ranged(told.long_usd, told.long_range_usd)
    amounts = f"Within {clean(told.window)}: shorts est. {shorts}, longs est. {longs}"
    if told.ratio is None:
        return amounts
    before = told.ratio_24h_ago
    return f"{amounts}, {_ratio(told.ratio)}" + (
        "" if before is None else f" (24 h ago {_ratio(before)})"
    )


def _ratio(shorts_over_longs: float) -> str:
    if 0 < shorts_over_longs < 1:
        return f"1:{1 / shorts_over_longs:.3g}"
    return f"{shorts_over_longs:.3g}:1"


def taker(cluster: Cluster) -> str | None:
    """Write the net taker flow that would move price to a cluster; None where it is unknown."""
    if cluster.taker_usd is None or not cluster.distance_pct:
        return None
    return ranged(cluster.taker_usd, cluster.taker_range_usd)


def reach(view: MapView) -> str | None:
    """Say what it would take to reach the next cluster on each side; None where nobody knows."""
    ways = []
    for position in (Position.SHORT, Position.LONG):
        own = [one for one in view.clusters if one.position is position and one.distance_pct]
        nearest = min(own, key=lambda one: abs(one.distance_pct), default=None)
        flow = nearest and taker(nearest)
        if nearest and flow:
            edge = nearest.low if position is Position.SHORT else nearest.high
            ways.append(f"est. {flow} of {FLOW[position]} to {price(edge)}")
    return f"Taker flow to the next cluster: {', '.join(ways)}." if ways else None


def standing(view: MapView) -> str:
    """Say how good the map has been, what others would have hit, and what follows where it is no
    better than chance.
    """
    if view.score is None:
        return words.score(None)
    failed = view.score.grade == "E"
    said = [words.score(view.score), _others(view.score), SILENT if failed else ""]
    return " ".join(filter(None, said))


def _others(score: MapScore) -> str:
    shares = {
        "usual distances": score.distance_share,
        "round numbers": score.round_share,
        "the volume profile": score.volume_share,
    }
    told = [f"{name} {share:.0%}" for name, share in shares.items() if share is not None]
    return f"On the same: {', '.join(told)}." if told and score.grade is not None else ""


def age(view: MapView) -> str | None:
    """Say how much of a young map comes from the venues' own records; None where nothing does."""
    told = view.history
    if told is None:
        return None
    return (
        f"Warm-started from {span(told.hours)} of the venues' history"
        f" ({told.share:.0%} of open interest), live for {span(told.live_hours)}."
    )


def caution(view: MapView) -> str:
    """Say how the amounts may be read."""
    return f"{words.MAGNETS} {CALIBRATED}" if view.scale == "usd" else words.caution(view)
