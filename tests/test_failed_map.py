"""A map that has proved no better than chance: it says so, and only what is yours goes on."""

from collections.abc import Iterator
from math import exp

import pytest

from liqwatch.alerting.map_text import ladder
from liqwatch.alerts import Alert, Kind
from liqwatch.config import loads
from liqwatch.control import find_map
from liqwatch.engine.self_score import DAY_MS, Day
from liqwatch.map_view import MapShown
from liqwatch.records import Record
from liqwatch.replay import assemble

VENUE, PRICE = "binance-usdm", 60_000.0
START_MS = 1_791_565_600_000  # 17:06:40 UTC
SECONDS, STANDING_S = 1000, 150
CONFIG = f"""
symbols: {{BTC: {{watch_levels: [60500]}}}}
venues: [{VENUE}]
map: {{digest: {{at: "17:09"}}}}
"""
SILENT = "It names no levels by itself; yours and cascade alerts go on."


Lived = tuple[list[Alert], MapShown]


def market() -> Iterator[Record]:
    """Open interest rises while price stands still; then price runs up to a watch level."""
    # Aggregate-Trade-Streams and Open-Interest of developers.binance.com, USDⓈ-M futures.
    for second in range(SECONDS):
        ms = START_MS + 1000 * second
        price = PRICE * exp(5e-5 * max(0, second - STANDING_S))
        trade = (
            f'{{"e":"aggTrade","E":{ms},"a":{second},"s":"BTCUSDT","p":"{price:.2f}",'
            f'"q":"0.250","f":1,"l":1,"T":{ms},"m":false,"st":1}}'
        )
        yield Record(at=ms * 10**6, venue=VENUE, stream=f"{VENUE}/1", text=trade)
        if second % 10 == 0:
            size = 100_000 * (1 + min(second, STANDING_S) / 600)
            told = f'{{"openInterest":"{size:.3f}","symbol":"BTCUSDT","time":{ms}}}'
            url = "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"
            yield Record(at=ms * 10**6 + 1, venue=VENUE, get=url, status=200, text=told)


def lived(*, caught: float) -> Lived:
    """Live through the market with a map that caught this share of a hundred earlier events."""
    alerts: list[Alert] = []
    pipeline = assemble(loads(CONFIG, "c"), None, on_alerts=alerts.extend, on_event=None)
    for number, record in enumerate(market()):
        pipeline.ingest(record)
        if number == 5:
            score = pipeline.engine.state.symbols["BTC"].map.score
            day = Day(number=START_MS // DAY_MS, weight=100.0, squares=100.0, events=100)
            day.caught = 100 * caught
            score.days.append(day)
    return alerts, find_map(pipeline.engine, "BTC")


@pytest.fixture(scope="module")
def failed() -> Lived:
    return lived(caught=0.05)


@pytest.fixture(scope="module")
def well() -> Lived:
    return lived(caught=0.9)


def test_the_digest_says_that_the_map_failed_and_names_none_of_its_levels(
    failed: Lived,
) -> None:
    (digest,) = [alert for alert in failed[0] if alert.kind is Kind.MAP_DIGEST]

    assert "Score E, no better than chance" in digest.text
    assert (digest.evidence["above"], digest.evidence["below"]) == ([], [])
    assert "Above:" not in digest.text
    assert "Within" in digest.text, "what it holds in all is still told"


def test_the_map_that_is_asked_for_says_so_too(failed: Lived) -> None:
    said = " ".join(ladder(failed[1], 80).plain.split())

    assert "Score E, no better than chance: 5%" in said
    assert SILENT in said


def test_watch_levels_go_on_and_clusters_are_silent(failed: Lived, well: Lived) -> None:
    def sources(of: Lived) -> set[str]:
        return {
            one.level.source for one in of[0] if one.kind is Kind.LEVEL_APPROACHED and one.level
        }

    assert sources(failed) == {"user"}
    assert sources(well) == {"user", "estimate"}, "there was a cluster on the way"


def test_a_map_that_did_well_names_its_clusters(well: Lived) -> None:
    alerts, shown = well
    (digest,) = [alert for alert in alerts if alert.kind is Kind.MAP_DIGEST]

    assert digest.evidence["above"]
    assert digest.evidence["names_levels"] is True
    assert SILENT not in " ".join(ladder(shown, 80).plain.split())
