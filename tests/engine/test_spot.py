"""The spot market beside the walk; nothing here claims to be a market."""

from collections.abc import Iterable, Iterator, Sequence

import pytest
from msgspec.structs import asdict, replace
from walked_market import T0, VENUE, engine, levered, market, run, trade

from liqwatch.alerts import Alert, Kind
from liqwatch.engine import Engine
from liqwatch.engine.context import Context
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import unpack
from liqwatch.engine.spot import Spot
from liqwatch.events import Completeness, Connect, Disconnect, Event, Tick, Trade

SPOT = "coinbase-spot"
PROMISES = {
    VENUE: Promise(completeness=Completeness.FULL),
    SPOT: Promise(channels=frozenset({"trades"}), spot=True),
}


def beside() -> Engine:
    return Engine(EngineSettings(), watch=None, promises=PROMISES)


def with_spot(
    events: Iterable[Event], *, of_price: float = 1.0, usd: float = 50_000.0, off_ms: int = 0
) -> Iterator[Event]:
    """A spot trade after each of the perpetual's, stamped by a clock that is off."""
    yield Connect(venue=SPOT, time=T0, received=T0 * 1_000_000, stream="spot/1")
    for event in events:
        yield event
        if isinstance(event, Trade):
            at = event.time + 5
            spot = trade(at, event.price * of_price, usd, venue=SPOT)
            yield replace(spot, time=at + off_ms)


def without_context(alerts: Sequence[Alert]) -> list[Alert]:
    context = asdict(Context())
    return [
        replace(
            one, evidence={key: told for key, told in one.evidence.items() if key not in context}
        )
        for one in alerts
    ]


def spot_of(*trades: Trade) -> Spot:
    spot = Spot()
    for one in trades:
        spot.take(one, one.time)
    return spot


@pytest.mark.parametrize("off_ms", [0, -3_000, 3_000])
def test_spot_trades_far_off_the_perpetual_change_no_decision(off_ms: int) -> None:
    alone, both = beside(), beside()
    spot = with_spot(market(1800, burst_at=1200), of_price=0.5, usd=-9e7, off_ms=off_ms)
    alerts = run(alone, market(1800, burst_at=1200))
    told = run(both, spot)

    assert Kind.CASCADE_STARTED in {one.kind for one in alerts}
    assert told != alerts, "the context is told"
    assert without_context(told) == without_context(alerts)
    assert both.state.venues == alone.state.venues
    assert both.state.lag_ms == alone.state.lag_ms
    left = replace(both.state.symbols["BTC"], spot=Spot())
    assert left == alone.state.symbols["BTC"]


def test_a_start_tells_basis_and_the_takers_of_the_spot_market() -> None:
    alerts = run(beside(), with_spot(market(1800, burst_at=1200), of_price=0.999))
    start = next(one for one in alerts if one.kind is Kind.CASCADE_STARTED).evidence
    end = next(one for one in alerts if one.kind is Kind.CASCADE_ENDED).evidence

    assert start["basis_bp"] == pytest.approx(10, abs=3)
    assert 0 <= start["basis_age_s"] < 1
    assert start["spot_taker_usd_5m"] == pytest.approx(2 * 50_000 * 300, rel=0.05)
    assert 0 <= start["spot_age_s"] < 1
    assert end["spot_taker_usd_5m"] > 0


def test_a_coin_that_only_the_spot_market_trades_is_not_watched() -> None:
    one = beside()
    run(one, (replace(event, venue=SPOT) for event in market(60) if isinstance(event, Trade)))
    run(one, [Tick(T0 + 120_000)])

    assert one.state.symbols == {}
    assert one.state.lag_ms is None, "it sets no clock"


def test_a_coin_that_nobody_watches_is_not_followed_on_spot_either() -> None:
    one = Engine(EngineSettings(), watch={"ETH": SymbolSettings()}, promises=PROMISES)
    run(one, with_spot(market(60)))

    assert one.state.symbols == {}


def test_the_health_of_a_spot_venue_is_shown() -> None:
    one = beside()
    run(one, with_spot(market(60)))

    health = [feed for feed in one.feeds() if feed.venue == SPOT]
    assert [(feed.channel, feed.state) for feed in health] == [("trades", "live")]


def test_a_spot_venue_that_is_lost_makes_nothing_unknown() -> None:
    def lost() -> Iterator[Event]:
        for event in with_spot(market(1800, burst_at=1200)):
            if not (isinstance(event, Trade) and event.venue == SPOT and event.time > at):
                yield event
            if isinstance(event, Tick) and event.time == at:
                yield Disconnect(SPOT, at, at * 1_000_000, "spot/1", "1006")

    at = T0 + 1_210_250
    told = run(beside(), lost())
    end = next(one for one in told if one.kind is Kind.CASCADE_ENDED)

    assert without_context(told) == without_context(run(beside(), market(1800, burst_at=1200)))
    assert end.outcome != "unknown"
    assert end.evidence["spot_taker_usd_5m"] is None
    assert end.evidence["basis_bp"] is None


@pytest.mark.parametrize("cut_at_s", [5, 1207, 1500])
def test_a_snapshot_anywhere_changes_nothing_that_follows(cut_at_s: int) -> None:
    events = list(with_spot(market(1800, burst_at=1200), off_ms=2_000))
    cut = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, Tick) and event.time >= T0 + cut_at_s * 1000
    )
    whole, before = beside(), beside()
    alerts = run(before, events[:cut])
    after = Engine(
        EngineSettings(), watch=None, promises=PROMISES, state=unpack(before.snapshot())
    )  # fmt: skip
    alerts += run(after, events[cut:])

    assert alerts == run(whole, events)
    assert after.snapshot() == whole.snapshot()


def test_a_spot_venue_that_is_left_out_is_forgotten() -> None:
    one = beside()
    run(one, with_spot(levered()))
    one.configure(EngineSettings(), None, venues=[VENUE])

    assert one.state.spot_venues == {}
    assert one.state.symbols["BTC"].spot.prices == {}


def test_without_a_spot_venue_nothing_is_said_of_it() -> None:
    alerts = run(engine(), market(1800, burst_at=1200))
    start = next(one for one in alerts if one.kind is Kind.CASCADE_STARTED).evidence

    assert start["spot_taker_usd_5m"] is None
    assert start["basis_bp"] is None


# -- what is known of one coin


def test_the_takers_balance_does_not_depend_on_the_order_of_arrival() -> None:
    first, second = trade(T0, 100.0, 700.0, venue=SPOT), trade(T0 + 900, 100.0, -300.0, venue=SPOT)
    early, late = spot_of(first, second), spot_of(second, first)

    assert early.balance_usd.at(T0 + 5_000) == pytest.approx(late.balance_usd.at(T0 + 5_000))
    assert early.balance_usd.at(T0 + 5_000) == pytest.approx(400, rel=0.02)


def test_the_balance_is_told_after_five_minutes_and_begins_anew_after_a_silence() -> None:
    steady = [trade(T0 + 1000 * second, 100.0, 10.0, venue=SPOT) for second in range(301)]
    spot = spot_of(*steady)

    assert spot_of(*steady[:-1]).taker_usd(steady[-2].time) is None
    assert spot.taker_usd(steady[-1].time) == pytest.approx(300 * 10 * 0.632, rel=0.01)
    again = trade(steady[-1].time + 61_000, 100.0, 10.0, venue=SPOT)
    spot.take(again, again.time)
    assert spot.taker_usd(again.time) is None
    assert spot.balance_usd.at(again.time) == 10


def test_a_price_that_is_older_than_the_others_by_seconds_is_left_out() -> None:
    old = trade(T0, 90.0, venue="a-spot")
    now = [trade(T0 + 6_000, price, venue=name) for price, name in ((100.0, "b"), (102.0, "c"))]

    assert spot_of(old, *now).price() == 101
    assert spot_of(old).price() == 90
    assert Spot().price() is None


def test_a_late_trade_is_no_price() -> None:
    spot = spot_of(trade(T0 + 500, 100.0, venue=SPOT), trade(T0, 90.0, venue=SPOT))

    assert spot.price() == 100


def test_after_a_minute_nothing_is_known() -> None:
    spot = spot_of(trade(T0, 100.0, venue=SPOT))

    assert spot.age_ms(T0 + 60_000) == 60_000
    assert spot.age_ms(T0 + 60_001) is None
    assert spot.age_ms(T0 - 400) == 0
    assert Spot().age_ms(T0) is None
