"""A venue that tells what cannot be true: it changes no story, is told of, and comes back."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from simulated_market import (
    BINANCE,
    BYBIT,
    OKX,
    VENUES,
    Change,
    assert_same_story,
    cascade,
    decide,
    engine,
    honest,
    of,
    pipeline,
    quiet,
    run,
    story,
)

from liqwatch.alerting.message import worded
from liqwatch.alerts import Alert, Direction, Kind, Severity
from liqwatch.engine.conduct import Conduct, price_of_others
from liqwatch.engine.feeds import LIQUIDATIONS, TRADES
from liqwatch.engine.pace import FeedState
from liqwatch.engine.quarantine import Quarantine
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.snapshot import unpack
from liqwatch.events import (
    Event,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Position,
    PriceKind,
    Tick,
    Trade,
)
from liqwatch.exchanges import EXCHANGES
from liqwatch.sources.tape import TapeReader

QUIET_TAPE = (
    Path(__file__).resolve().parents[2].parent
    / "shared"
    / "recordings"
    / "quiet-2025-12-27.jsonl.zst"
)
T0 = 1_791_565_200_000


# -- lies ------------------------------------------------------------------------------------------


def prices(times: float) -> Change:
    def change(event: Event) -> Event:
        if isinstance(event, Trade | MarkPrice):
            return replace(event, price=event.price * times)
        return event

    return change


def stuck() -> Change:
    first: dict[str, float] = {}

    def change(event: Event) -> Event:
        if isinstance(event, Trade):
            return replace(event, price=first.setdefault(event.instrument, event.price))
        return event

    return change


def marks(times: float) -> Change:
    def change(event: Event) -> Event:
        return replace(event, price=event.price * times) if isinstance(event, MarkPrice) else event

    return change


def notionals(times: float) -> Change:
    def change(event: Event) -> Event:
        if isinstance(event, Liquidation):
            return replace(event, size=event.size * times, notional_usd=event.notional_usd * times)
        return event

    return change


def open_interest(times: float) -> Change:
    """Every other half minute."""

    def change(event: Event) -> Event:
        if isinstance(event, OpenInterest) and event.time // 30_000 % 2:
            return replace(event, size=event.size * times)
        return event

    return change


def fabricated(events: Sequence[Event], venue: str, usd: float) -> Iterator[Event]:
    """Twice a second a forced order that nobody traded."""
    last_ms = 0
    for event in events:
        yield event
        if isinstance(event, Trade) and event.venue == venue and event.time >= last_ms + 500:
            last_ms = event.time
            yield Liquidation(
                venue=venue, symbol=event.symbol, instrument=event.instrument, time=event.time,
                received=event.received, position=Position.SHORT, size=usd / event.price,
                price=event.price, price_kind=PriceKind.BANKRUPTCY, notional_usd=usd,
                completeness=EXCHANGES[venue].completeness,
            )  # fmt: skip


def feeds(alerts: Sequence[Alert]) -> list[Alert]:
    return [one for one in alerts if one.kind in {Kind.FEED_DEGRADED, Kind.FEED_RECOVERED}]


def the_verdict(alerts: Sequence[Alert]) -> Alert:
    (verdict,) = feeds(alerts)
    assert verdict.kind is Kind.FEED_DEGRADED
    assert verdict.evidence["state"] == "quarantined"
    return verdict


# -- no story changes ------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("times", [0.001, 0.99, 1.05, 1.5, 1000])
def test_one_venues_mad_prices_change_nothing(venue: str, times: float) -> None:
    _, alerts = decide(cascade(), of(venue, prices(times)))

    assert_same_story(alerts, within_s=1)
    if 1 / 1.2 < times < 1.2:
        assert not feeds(alerts)
    else:
        verdict = the_verdict(alerts)
        assert verdict.evidence["venue"] == venue
        assert verdict.evidence["channels"][0] == "trades"
        assert verdict.severity is Severity.WARNING


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("change", [stuck(), marks(0.95), marks(1000), open_interest(10),
                                    open_interest(0)],
                         ids=["stuck", "mark -5%", "mark x1000", "oi x10", "oi 0"])  # fmt: skip
def test_other_lies_change_nothing_either(venue: str, change: Change) -> None:
    assert_same_story(decide(cascade(), of(venue, change))[1], within_s=1)


@pytest.mark.parametrize("venue", VENUES)
def test_forced_orders_a_thousand_times_too_large_start_nothing_sooner(venue: str) -> None:
    """What is left are the feeds of the others, which may show only a throttled part: then more is
    asked of the price.
    """
    _, alerts = decide(cascade(), of(venue, notionals(1000)))

    assert_same_story(alerts, within_s=25)
    (start,) = (one for one in alerts if one.kind is Kind.CASCADE_STARTED)
    assert -2_000 <= start.time - story(honest())[0].time <= 10_000
    assert start.evidence["forced_usd_30s"] <= story(honest())[0].evidence["forced_usd_30s"]
    verdict = the_verdict(alerts)
    assert (verdict.evidence["venue"], verdict.evidence["channels"]) == (venue, ["liquidations"])
    assert "times what was traded" in verdict.evidence["reason"]


@pytest.mark.parametrize("venue", VENUES)
def test_fabricated_orders_neither_start_nor_hide_a_cascade(venue: str) -> None:
    snapshot, events = cascade()
    _, alerts = decide((snapshot, list(fabricated(events, venue, 3e6))))

    assert_same_story(alerts, within_s=25)
    start = story(alerts)[0]
    assert -2_000 <= start.time - story(honest())[0].time <= 10_000
    assert start.evidence["quarantined_venues"] == {venue: the_verdict(alerts).evidence["reason"]}
    assert venue not in start.evidence["forced_usd_30s_by_venue"]


@pytest.mark.parametrize(
    "change",
    [prices(1.01), prices(1.5), prices(1000), stuck(), marks(1000), notionals(1000),
     open_interest(10)],
)  # fmt: skip
def test_on_a_quiet_market_no_lie_starts_anything(change: Change) -> None:
    for venue in VENUES:
        assert not story(decide(quiet(), of(venue, change))[1])


def test_fabricated_orders_on_a_quiet_market_accuse_no_other_venue() -> None:
    snapshot, events = quiet()
    for venue in VENUES:
        one, alerts = decide((snapshot, list(fabricated(events, venue, 3e6))))

        assert not story(alerts)
        assert the_verdict(alerts).evidence["venues"] == [venue]
        assert one.state.symbols["BTC"].feeds[Direction.UP][venue].past.history.level(168.0) < 1e5


# -- nobody is accused wrongly ---------------------------------------------------------------------


def test_an_honest_cascade_puts_nothing_in_quarantine() -> None:
    one, alerts = decide(cascade())

    assert story(alerts) == story(honest())
    assert not one.state.quarantine.holds


@pytest.mark.skipif(not QUIET_TAPE.exists(), reason="recordings are not beside this checkout")
def test_two_real_days_put_nothing_in_quarantine() -> None:
    one = engine()
    through = pipeline(one)
    for record in TapeReader(QUIET_TAPE):
        through.ingest(record)

    assert one.state.venues
    assert not one.state.quarantine.holds


def test_of_two_venues_that_differ_nobody_knows_which_one_errs() -> None:
    assert price_of_others("a", {"a": [150.0], "b": [100.0]}, 0.2) is None
    assert price_of_others("a", {"a": [150.0], "b": [100.0], "c": [70.0]}, 0.2) is None
    assert price_of_others("a", {"a": [150.0], "b": [100.0], "c": [101.0]}, 0.2) == 100.5
    assert price_of_others("a", {"a": [1.0], "b": [1.0], "c": [1.0], "d": [900.0]}, 0.2) == 1.0


def test_without_trades_to_compare_with_nothing_is_said_of_forced_orders() -> None:
    conduct = Conduct()
    for _ in range(60):
        assert conduct.force(1e9, 0.0) is None
        conduct.close_second(100.0, heard=True)
    assert conduct.force(0.0, 0.0) is not None
    conduct.close_second(0.0, heard=False)
    assert conduct.force(1e9, 1e6) is None


def test_forced_orders_that_are_all_that_is_traded_are_not_more_than_that() -> None:
    conduct = Conduct()
    for second in range(600):
        busy = 1.0 if second < 300 else 50.0
        ratio = conduct.force(1_000.0 * busy, 1_000.0 * busy)
        assert ratio is None or ratio <= 1.01
        conduct.close_second(1_000.0 * busy, heard=True)


# -- how it begins and ends ------------------------------------------------------------------------


def offended(quarantine: Quarantine, at_s: int) -> None:
    quarantine.offend(
        "a|BTC", LIQUIDATIONS, "reason", venue="a", symbol="BTC", instrument="BTCUSDT",
        time_ms=T0 + at_s * 1000, lasts_s=600,
    )  # fmt: skip


def test_a_quarantine_lasts_until_it_has_behaved_for_ten_minutes() -> None:
    quarantine = Quarantine()
    for at_s in (0, 300):
        offended(quarantine, at_s)

    quarantine.pass_time(T0 + 899_000)
    assert quarantine.holds_back("a|BTC", LIQUIDATIONS)
    assert quarantine.counts_since_s("a|BTC", LIQUIDATIONS) is None
    assert not quarantine.holds_back("a|BTC", TRADES)

    quarantine.pass_time(T0 + 900_000)
    assert not quarantine.holds_back("a|BTC", LIQUIDATIONS)
    assert quarantine.counts_since_s("a|BTC", LIQUIDATIONS) == T0 // 1000 + 900


def test_each_relapse_within_a_day_doubles_the_time() -> None:
    quarantine, at_s, lasted = Quarantine(), 0, []
    for _ in range(9):
        offended(quarantine, at_s)
        (hold,) = quarantine.holds.values()
        lasted.append((hold.until_ms - hold.since_ms) // 1000)
        at_s += lasted[-1] + 60
        quarantine.pass_time(T0 + at_s * 1000)
    assert lasted == [600, 1200, 2400, 4800, 9600, 19_200, 38_400, 38_400, 38_400]

    quarantine.pass_time(T0 + (at_s + 86_401) * 1000)
    assert not quarantine.holds


def lying_for(seconds: int) -> list[Event]:
    """The quiet market, then a minute of mad prices, then as much honest time as asked for."""
    _, events = quiet()
    began_ms = events[0].time
    change = of(OKX, prices(1.5))
    first = [change(event) if event.time < began_ms + 60_000 else event for event in events]
    told = list(first)
    span_ms = 300_000
    for number in range(1, seconds // 300 + 1):
        told += [later(event, number * span_ms) for event in events]
    return told


def later(event: Event, ms: int) -> Event:
    if isinstance(event, Tick):
        return replace(event, time=event.time + ms, recorded=event.recorded + ms)
    return replace(event, time=event.time + ms, received=event.received + ms * 1_000_000)


def test_a_liar_that_behaves_again_is_told_of_and_counts_again() -> None:
    snapshot, _ = quiet()
    one, alerts = decide((snapshot, lying_for(600)))
    degraded, recovered = feeds(alerts)

    assert recovered.kind is Kind.FEED_RECOVERED
    assert recovered.episode == degraded.episode
    assert 600 <= recovered.evidence["duration_s"] <= 660
    assert OKX in recovered.evidence["remaining_venues"]
    assert not story(alerts)
    assert one.state.symbols["BTC"].price.price < 100_000


def test_a_cut_during_a_quarantine_changes_nothing_that_is_told() -> None:
    snapshot, events = quiet()[0], lying_for(600)
    whole, alerts = decide((snapshot, events))
    began_ms = events[0].time
    for cut_s in (20, 32, 300, 655):
        cut = next(n for n, one in enumerate(events) if one.time >= began_ms + cut_s * 1000)
        first, told = decide((snapshot, events[:cut]))
        second = engine(unpack(first.snapshot()))
        assert told + run(second, events[cut:]) == alerts
        assert second.snapshot() == whole.snapshot()


def test_the_map_does_not_follow_a_liar() -> None:
    """Neither marks nor trades nor open interest of its; what is known already stays."""
    key = f"{OKX}|BTC-USDT-SWAP"
    truth, _ = decide(quiet())
    for change in (prices(1000), marks(1000), open_interest(10)):
        one, _ = decide(quiet(), of(OKX, change))
        kept = one.state.symbols["BTC"].map
        expected = truth.state.symbols["BTC"].map

        assert kept.open_interest[key] == pytest.approx(expected.open_interest[key], rel=0.05)
        for position in Position:
            book, true = (each.books[key].side(position) for each in (kept, expected))
            assert 0.2 * true.total() < book.total() <= 1.01 * true.total()


def test_its_health_says_why() -> None:
    one, _ = decide(quiet(), of(OKX, prices(1.5)))
    doubted = [feed for feed in one.feeds() if feed.state is FeedState.QUARANTINED]

    assert [feed.channel for feed in doubted] == ["trades", "mark price"]
    assert {feed.venue for feed in doubted} == {OKX}
    assert doubted[0].reason.startswith("BTC: price 1")
    assert doubted[0].silent_s > 200


def test_what_is_no_longer_listened_to_is_forgotten() -> None:
    one, _ = decide(quiet(), of(OKX, prices(1.5)))
    one.configure(EngineSettings(), None, venues=[BINANCE, BYBIT])

    assert not one.state.quarantine.holds
    assert not one.state.quarantine.outages.running


# -- in words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (prices(1.5), "BTC: price 1"),
        (open_interest(10), "BTC: open interest went from"),
        (marks(1000), "BTC: mark 9"),
    ],
)  # fmt: skip
def test_a_verdict_is_told_with_its_reason(change: Change, line: str) -> None:
    verdict = the_verdict(decide(quiet(), of(OKX, change))[1])
    text = worded(verdict, "en").text.split("\n")

    assert text[0].startswith("• FEED DEGRADED: okx-swap")
    assert text[1].startswith(line)
    assert "Not counted until it has behaved for 10:00" in text
    assert verdict.evidence["remaining_venues"] == [BYBIT, BINANCE]
    assert worded(verdict, "ru").text != worded(verdict, "en").text
