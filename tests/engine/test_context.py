"""What is told beside an alert; the walk is nobody's market."""

from collections.abc import Iterator

import pytest
from walked_market import T0, VENUE, engine, levered, market, run, trade, traded

from liqwatch.alerts import Kind
from liqwatch.engine import Engine
from liqwatch.engine.context import Context, evidence, surroundings
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import unpack
from liqwatch.engine.symbol import Symbol
from liqwatch.events import Event, Funding, OpenInterest, Tick

HOUR_S = 3600


def known(one: Engine) -> Symbol:
    return one._symbols["BTC"]


def context(one: Engine, *, later_s: int = 0) -> Context:
    return surroundings(known(one), one.state.now_ms + 1000 * later_s)


def open_interest(at_ms: int, size: float, venue: str = VENUE) -> OpenInterest:
    return OpenInterest(venue, "BTC", "BTCUSDT", at_ms, at_ms * 10**6, size)


def funding(at_ms: int, rate: float, venue: str = VENUE, hours: float = 8.0) -> Funding:
    return Funding(venue, "BTC", "BTCUSDT", at_ms, at_ms * 10**6, rate, hours)


def test_of_a_coin_that_nothing_is_told_of_everything_is_unknown() -> None:
    one = engine()
    run(one, market(60))

    assert context(one) == Context()


def test_open_interest_that_grows_is_told_with_its_age() -> None:
    one = engine()
    run(one, levered())

    # Two coins a quarter of a second and more, of ten thousand.
    assert context(one).open_interest_change_pct_5m == pytest.approx(10, abs=2)
    assert context(one).open_interest_age_s == pytest.approx(0, abs=2)
    assert context(one, later_s=500).open_interest_age_s == pytest.approx(500, abs=2)


def test_open_interest_of_long_ago_is_unknown() -> None:
    one = engine()
    run(one, levered())
    later = context(one, later_s=610)

    assert (later.open_interest_change_pct_5m, later.open_interest_age_s) == (None, None)


def test_funding_is_the_mean_of_the_venues_by_open_interest() -> None:
    def told() -> Iterator[Event]:
        for event in market(60):
            yield event
            if isinstance(event, Tick) and event.time == T0 + 30_250:
                yield trade(event.time - 100, 90_000.0, venue="binance-usdm")
                yield trade(event.time, 90_000.0, venue="binance-usdm")
                yield open_interest(event.time, 3000.0)
                yield open_interest(event.time, 1000.0, "binance-usdm")
                yield funding(event.time, 1e-4)
                yield funding(event.time, 1e-4, "binance-usdm", hours=1.0)

    one = engine()
    run(one, told())

    assert context(one).funding_pct_8h == pytest.approx((3 * 0.01 + 0.08) / 4)
    assert context(one).funding_age_s == pytest.approx(29.5, abs=1)
    assert context(one, later_s=8 * HOUR_S).funding_pct_8h is not None
    assert context(one, later_s=9 * HOUR_S).funding_pct_8h is None
    assert context(one, later_s=9 * HOUR_S).funding_age_s is None


def test_funding_of_a_venue_that_is_left_out_no_longer_counts() -> None:
    one = engine()
    run(one, market(60))
    run(one, [funding(T0 + 60_000, 1e-4)])
    assert known(one).state.funding

    one.configure(EngineSettings(), None, venues=["binance-usdm"])
    assert known(one).state.funding == {}


def test_the_volatility_has_a_rank_after_a_day() -> None:
    one = engine()
    run(one, market(900))
    volatility = known(one).state.volatility
    assert len(volatility.sigmas) == 1, "none before it is warm, then one an hour"
    assert context(one).volatility_rank_pct is None

    second = one.state.now_ms // 1000
    for hour in range(1, 25):
        volatility.update(second + hour * HOUR_S, 1.0 if hour % 2 else 1e-6)
    assert context(one).volatility_rank_pct == pytest.approx(100 * 12 / 25)


def test_it_is_evidence_of_starts_ends_and_approaches() -> None:
    def told() -> Iterator[Event]:
        for event in traded(market(1800, burst_at=1200)):
            yield event
            if isinstance(event, Tick):
                yield open_interest(event.time, 10_000.0 - (event.time - T0) / 2000)
                yield funding(event.time, 1e-4)

    alerts = run(engine(BTC=SymbolSettings(watch_levels=(90_150.0,))), told())
    tells = {Kind.CASCADE_STARTED, Kind.CASCADE_ENDED, Kind.LEVEL_APPROACHED}
    telling = [one for one in alerts if one.kind in tells]

    assert {one.kind for one in telling} == tells
    for alert in telling:
        assert set(Context.__struct_fields__) <= set(alert.evidence)
        assert alert.evidence["open_interest_change_pct_5m"] == pytest.approx(-1.55, abs=0.1)
        assert alert.evidence["funding_pct_8h"] == 0.01
        assert alert.evidence["basis_bp"] is None


def test_what_is_known_outlives_the_process() -> None:
    one = engine()
    run(one, levered())
    run(one, [funding(T0 + 900_000, 1e-4)])
    restored = Engine(EngineSettings(), watch=None, promises={}, state=unpack(one.snapshot()))

    assert context(restored) == context(one)
    assert context(one).funding_pct_8h == pytest.approx(0.01)
    assert evidence(known(restored), one.state.now_ms) == evidence(known(one), one.state.now_ms)
