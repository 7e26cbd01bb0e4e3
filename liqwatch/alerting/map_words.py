"""What is said of a map, beside its terminal ladder and on its picture."""

from liqwatch.alerting.map_frame import farthest, observed_share, side_usd
from liqwatch.alerting.numbers import amount, clean, name, price, signed_pct, utc
from liqwatch.events import Position
from liqwatch.map_view import Asymmetry, Cluster, MapScore, MapView

MOST_VENUES = 5
MAGNETS = "Clusters are magnets, not targets."
COMPARE = "Amounts are relative until calibrated: compare them with each other, not with dollars."
SOURCES = {
    "estimate": "estimate",
    "observed": "published positions",
    "imported": "imported",
    "user": "yours",
}


def title(view: MapView) -> str:
    """Name the map."""
    return f"{name(view.symbol)} liquidation map"


def moment(view: MapView) -> str:
    """Say when it was, and the price of then."""
    return f"{utc(view.time, '%Y-%m-%d %H:%M:%S')} UTC · price {price(view.price)}"


def sides(view: MapView) -> str:
    """Say what lies above and below: never a ratio without both amounts and the window."""
    if view.asymmetry is not None:
        return _asymmetry(view.asymmetry)
    shorts, longs = (amount(side_usd(view, one)) for one in (Position.SHORT, Position.LONG))
    low, high = (signed_pct(100 * (end / view.price - 1)) for end in farthest(view))
    return f"Within {low}..{high}: shorts est. {shorts}, longs est. {longs}"


def _asymmetry(asymmetry: Asymmetry) -> str:
    shorts, longs = amount(asymmetry.short_usd), amount(asymmetry.long_usd)
    amounts = f"Within {clean(asymmetry.window)}: shorts est. {shorts}, longs est. {longs}"
    if asymmetry.ratio is None:
        return amounts
    before = asymmetry.ratio_24h_ago
    return f"{amounts}, {_ratio(asymmetry.ratio)}" + (
        "" if before is None else f" (24 h ago {_ratio(before)})"
    )


def _ratio(shorts_over_longs: float) -> str:
    if 0 < shorts_over_longs < 1:
        return f"1:{1 / shorts_over_longs:.3g}"
    return f"{shorts_over_longs:.3g}:1"


def score(score: MapScore | None) -> str:
    """Say how good the map has been."""
    if score is None:
        return "Not scored yet."
    seen = f"{score.events:,} events in {score.days} d"
    if score.grade is None or score.top_decile_share is None:
        return f"Not scored yet: {seen} are too few."
    known = score.low is not None and score.high is not None
    bounds = f" ({score.low:.0%}–{score.high:.0%})" if known else ""
    verdict = ", no better than chance" if score.grade == "E" else ""
    return (
        f"Score {score.grade}{verdict}: {score.top_decile_share:.0%}{bounds} of liquidations"
        f" hit its top tenth, chance {score.uniform_share:.0%}; {seen}."
    )


def made_of(view: MapView) -> str:
    """Say whose positions it is made of, and how many of them are no estimate."""
    largest = sorted(view.venues.items(), key=lambda item: (-item[1], item[0]))
    venues = [f"{clean(venue)} {share:.0%}" for venue, share in largest[:MOST_VENUES]]
    if len(largest) > MOST_VENUES:
        venues.append(f"{len(largest) - MOST_VENUES} more")
    observed = observed_share(view)
    known = [] if observed is None else [f"{observed:.0%} observed, {1 - observed:.0%} estimated"]
    return " · ".join([*known, *venues]) or "Nothing is known yet."


def criticality(view: MapView) -> str:
    """Say what K is."""
    unit = ", if the amounts are dollars" if view.scale == "relative" else ""
    return f"K: further forced dollars that one forced dollar sets off there{unit}"


def caution(view: MapView) -> str:
    """Say how it may not be read."""
    return f"{MAGNETS} {COMPARE}" if view.scale == "relative" else MAGNETS


def sources(cluster: Cluster) -> str:
    """Say who tells of a cluster."""
    told = [SOURCES[source] for source in cluster.sources]
    if cluster.observed_share and len(told) > 1:
        told = [
            f"{one} {cluster.observed_share:.0%}" if one == SOURCES["observed"] else one
            for one in told
        ]
    return ", ".join(told) or "unknown"


def held(cluster: Cluster) -> str:
    """Say how much a cluster holds: of what is only estimated, that it is."""
    if cluster.notional_usd is None:
        return "?"
    exact = set(cluster.sources) == {"observed"}
    return amount(cluster.notional_usd) if exact else f"est. {amount(cluster.notional_usd)}"
