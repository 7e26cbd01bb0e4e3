"""What is said of a map, beside its terminal ladder and on its picture."""

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.map_frame import observed_share
from liqwatch.alerting.numbers import clean, name, price, utc
from liqwatch.map_view import Cluster, MapScore, MapView

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


def score(score: MapScore | None, language: Language = "en") -> str:
    """Say how good the map has been."""
    if score is None:
        return phrase("not-scored", language)
    days, events = str(score.days), f"{score.events:,}"
    if score.grade is None or score.top_decile_share is None:
        return phrase("few-events", language, days=days, count=score.events, events=events)
    known = score.low is not None and score.high is not None
    return phrase(
        "score-of-chance" if score.grade == "E" else "score",
        language,
        grade=score.grade,
        share=f"{score.top_decile_share:.0%}",
        bounds=f" ({score.low:.0%}–{score.high:.0%})" if known else "",
        chance=f"{score.uniform_share:.0%}",
        days=days,
        count=score.events,
        events=events,
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
