"""What is told of a cascade when it is over, from the events to the words."""

from collections.abc import Iterator

import pytest
from walked_market import T0, VENUE, engine, market, run, traded

from liqwatch.alerting.message import render
from liqwatch.alerts import Alert, Kind
from liqwatch.engine.settings import SymbolSettings
from liqwatch.events import Event, OpenInterest, Tick

BURST_S = 1200
FIRST, SECOND, FAR = 90_300.0, 91_500.0, 99_000.0


def with_open_interest() -> Iterator[Event]:
    """A cascade from 90,000 up, in a market whose positions are known."""
    size = 10_000.0
    for event in traded(market(1800, burst_at=BURST_S)):
        yield event
        if isinstance(event, Tick):
            size += 2.0 if event.time < T0 + BURST_S * 1000 else 0.0
            yield OpenInterest(VENUE, "BTC", "BTCUSDT", event.time, event.time * 10**6, size)


@pytest.fixture(scope="module", name="end")
def ended() -> Alert:
    one = engine(BTC=SymbolSettings(watch_levels=(FIRST, SECOND, FAR)))
    (alert,) = (one for one in run(one, with_open_interest()) if one.kind is Kind.CASCADE_ENDED)
    return alert


def test_it_has_extent_duration_and_speed_against_what_volatility_implies(end: Alert) -> None:
    told = end.evidence

    assert told["extreme_price"] > told["start_price"] > 0
    assert told["leg_pct"] == pytest.approx(
        100 * (told["extreme_price"] / told["start_price"] - 1), abs=0.1
    )
    assert told["duration_s"] > 60
    assert told["speed_vs_volatility"] > 1
    assert 0 <= told["given_back_pct"] < 50


def test_it_has_the_forced_amounts_with_their_coverage(end: Alert) -> None:
    told = end.evidence

    assert told["forced_usd_total"] >= told["peak_forced_usd_60s"] > 1e8
    assert told["coverage"] == 1.0
    assert 0 <= told["late_forced_share"] < 0.5


def test_every_rung_it_crossed_has_its_verdict(end: Alert) -> None:
    crossed = {one["low"]: one["verdict"] for one in end.evidence["levels_crossed"]}

    assert crossed[FIRST] == crossed[SECOND] == "accelerated"
    assert FAR not in crossed


def test_both_sides_of_the_map_are_told_before_and_after(end: Alert) -> None:
    told = end.evidence

    assert told["asymmetry_window"] == "-15%..+15%"
    for when in ("before", "after"):
        ratio = told[f"above_usd_{when}"] / told[f"below_usd_{when}"]
        assert told[f"asymmetry_{when}"] == pytest.approx(ratio, rel=0.01)
    assert told["above_usd_after"] != told["above_usd_before"]


def test_the_message_says_all_of_it_in_both_languages(end: Alert) -> None:
    english, russian = (render(end, language).plain() for language in ("en", "ru"))

    for words in ("ENDED, EXHAUSTED after", "given back", "in all", "accelerated",
                  "what volatility implied", "shorts above est.", "shorts to longs"):  # fmt: skip
        assert words in english
    for words in ("ускорение", "шорты выше оц.", "шорты к лонгам"):
        assert words in russian
