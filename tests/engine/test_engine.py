"""The engine as a whole, fed by a seeded walk; nothing here claims to be a market."""

from collections.abc import Iterator

import msgspec
import pytest
from walked_market import T0, VENUE, cascades, engine, forced, levered, market, run, trade

from liqwatch.alerts import Direction, Kind
from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import unpack
from liqwatch.events import (
    Completeness,
    Connect,
    Disconnect,
    Event,
    Liquidation,
    Mechanism,
    OpenInterest,
    Position,
    Side,
    Tick,
    Trade,
)


def test_a_calm_market_raises_nothing() -> None:
    assert run(engine(), market(3600)) == []


@pytest.mark.parametrize(("sign", "direction"), [(1, Direction.UP), (-1, Direction.DOWN)])
def test_a_cascade_starts_stalls_and_ends_as_one_story(sign: int, direction: Direction) -> None:
    alerts = [one for one in run(engine(), market(1800, burst_at=1200, sign=sign)) if one.episode]

    assert [one.kind for one in alerts] == [
        Kind.CASCADE_STARTED,
        Kind.CASCADE_STALLED,
        Kind.CASCADE_ENDED,
    ]
    assert len({one.episode for one in alerts}) == 1
    start = alerts[0]
    assert start.direction is direction
    assert start.position is direction.position
    assert T0 + 1_200_000 < start.time < T0 + 1_220_000
    assert start.evidence["path"] == "absolute"
    assert start.evidence["drift_z"] >= start.thresholds["drift_z"]
    assert start.level is not None
    assert start.level.source == "unmapped"


def test_after_hours_of_history_the_rarity_of_the_flow_is_enough() -> None:
    alerts = run(engine(), market(30_000, burst_at=29_000, burst_usd=30_000.0))
    start = next(one for one in alerts if one.kind is Kind.CASCADE_STARTED)

    assert start.evidence["path"] == "rarity"
    assert start.evidence["rarity_ratio"] >= 1
    assert start.evidence["return_hours"] == 168
    assert 7 < start.evidence["history_hours"] < 9
    assert start.severity == "warning"


def test_without_history_the_same_flow_is_enough_as_price_runs_far() -> None:
    alerts = run(engine(), market(1800, burst_at=1200, burst_usd=30_000.0))
    start = next(one for one in alerts if one.kind is Kind.CASCADE_STARTED)

    assert start.evidence["path"] == "absolute"
    assert start.evidence["forced_impact_z"] < 0.5
    assert cascades(run(engine(), market(1800, burst_at=1200, burst_usd=300.0))) == []


def test_price_that_runs_without_forced_flow_starts_nothing() -> None:
    assert cascades(run(engine(), market(1800, burst_at=1200, burst_usd=10.0))) == []


def test_forced_flow_that_never_met_the_book_does_not_count() -> None:
    def backstop() -> Iterator[Event]:
        for event in market(1800, burst_at=1200):
            if isinstance(event, Liquidation):
                yield msgspec.structs.replace(event, mechanism=Mechanism.BACKSTOP)
            else:
                yield event

    assert cascades(run(engine(), backstop())) == []


def test_a_burst_of_a_whole_block_in_one_millisecond_starts_one_cascade() -> None:
    """22,558 forced orders in one second were seen on Hyperliquid in October 2025."""

    def burst() -> Iterator[Event]:
        for event in market(1800, burst_at=1200, burst_usd=1.0):
            yield event
            if isinstance(event, Trade) and event.time == T0 + 1_205_000:
                for _ in range(22_558):
                    yield forced(event.time, event.price, 8_000.0, Position.SHORT)

    assert cascades(run(engine(), burst())).count(Kind.CASCADE_STARTED) == 1


def test_alerts_are_the_same_for_the_same_events() -> None:
    first, second = (run(engine(), market(1800, burst_at=1200)) for _ in range(2))

    assert first
    assert first == second


@pytest.mark.parametrize("cut_at_s", [5, 1199, 1207, 1240, 1275, 1500])
def test_a_snapshot_anywhere_changes_nothing_that_follows(cut_at_s: int) -> None:
    events = list(market(1800, burst_at=1200))
    cut = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, Tick) and event.time >= T0 + cut_at_s * 1000
    )
    before = engine()
    alerts = run(before, events[:cut])
    after = Engine(
        EngineSettings(),
        watch=None,
        promises={VENUE: Promise(completeness=Completeness.FULL)},
        state=unpack(before.snapshot()),
    )
    alerts += run(after, events[cut:])
    whole = engine()

    assert alerts == run(whole, events)
    assert after.snapshot() == whole.snapshot()


def test_only_watched_coins_are_decided_on() -> None:
    assert run(engine(ETH=SymbolSettings()), market(1800, burst_at=1200)) == []


def test_a_watched_level_is_named_in_alerts() -> None:
    watched = engine(BTC=SymbolSettings(watch_levels=(90_035.0,)))
    alerts = run(watched, market(1800, burst_at=1200))
    kinds = [one.kind for one in alerts]
    start = next(one for one in alerts if one.kind is Kind.CASCADE_STARTED)
    end = next(one for one in alerts if one.kind is Kind.CASCADE_ENDED)

    assert Kind.LEVEL_VERDICT in kinds
    assert start.level is not None
    assert (start.level.low, start.level.source) == (90_035.0, "user")
    assert [level["low"] for level in end.evidence["levels_crossed"]] == [90_035.0]


def test_a_price_after_a_gap_is_not_a_move() -> None:
    def gap() -> Iterator[Event]:
        yield from market(1200)
        lost = T0 + 1_200_000
        yield Disconnect(VENUE, lost, lost * 1_000_000, "s/1", "gone")
        again = lost + 20_000_000
        yield Tick(again)
        yield Connect(VENUE, again, again * 1_000_000, "s/2")
        for second in range(120):
            at = again + second * 1000
            yield trade(at, 95_000.0)
            yield forced(at, 95_000.0, 5e6, Position.SHORT)
            yield Tick(at + 250)

    assert cascades(run(engine(), gap())) == []


def test_a_venue_that_is_lost_is_deaf_until_a_stream_delivers_again() -> None:
    one = engine()
    run(one, market(30))
    at = T0 + 30_000
    one.update(Disconnect(VENUE, at, at * 1_000_000, "s/1", "gone"))
    deaf = one.state.venues[VENUE].healthy
    one.update(Connect(VENUE, at + 500, (at + 500) * 1_000_000, "s/2"))

    assert not deaf
    assert one.state.venues[VENUE].healthy


def test_a_venue_that_says_nothing_for_a_minute_is_deaf_though_connected() -> None:
    one = engine()
    run(one, market(30))
    for second in range(30, 120):
        one.update(Tick(T0 + second * 1000))

    assert not one.state.venues[VENUE].healthy
    run(one, [trade(T0 + 120_000, 90_000.0), Tick(T0 + 122_000)])
    assert one.state.venues[VENUE].healthy


def test_a_venue_ahead_of_our_clock_is_understood() -> None:
    """Our clock 1.27 s behind, as in a real recording: time follows the venue."""
    one = engine()
    for second in range(60):
        at = T0 + second * 1000
        one.update(Trade(VENUE, "BTC", "BTCUSDT", at, (at - 1270) * 1_000_000, 9e4, 1.0, Side.BUY))
        one.update(Tick(at - 1270 + 250))

    assert one.state.venues[VENUE].implausible == 0
    assert one.state.symbols["BTC"].price.momentum.seconds > 50


@pytest.mark.parametrize("off_ms", [3_600_000, -3_600_000])
def test_a_single_absurd_stamp_moves_neither_time_nor_price(off_ms: int) -> None:
    one = engine()
    run(one, market(60))
    before = one.state.venues[VENUE].implausible
    price, now = one.state.symbols["BTC"].sources[f"{VENUE}|BTCUSDT"].price, one.state.now_ms
    at = T0 + 60_000
    one.update(Trade(VENUE, "BTC", "BTCUSDT", at + off_ms, at * 1_000_000, 1.0, 1.0, Side.BUY))
    one.update(Tick(at + 250))

    assert one.state.venues[VENUE].implausible == before + 1
    assert one.state.symbols["BTC"].sources[f"{VENUE}|BTCUSDT"].price == price
    assert abs(one.state.now_ms - now) < 5_000


def test_one_forced_order_from_the_future_silences_nothing() -> None:
    def spoiled() -> Iterator[Event]:
        for event in market(1800, burst_at=1200):
            yield event
            if isinstance(event, Tick) and event.time == T0 + 1_000_250:
                late = forced(T0 + 1_000_000, 90_000.0, 5_000.0, Position.SHORT)
                yield msgspec.structs.replace(late, time=T0 + 86_400_000)

    assert cascades(run(engine(), spoiled())) == cascades(
        run(engine(), market(1800, burst_at=1200))
    )


def test_a_venue_with_a_wrong_clock_that_dies_does_not_take_the_price_with_it() -> None:
    def with_skewed() -> Iterator[Event]:
        for event in market(1800, burst_at=1200):
            yield event
            if isinstance(event, Trade) and event.time < T0 + 600_000:
                yield msgspec.structs.replace(
                    event, venue="okx-swap", time=event.time + 20_000, id=None
                )

    assert Kind.CASCADE_STARTED in cascades(run(engine(), with_skewed()))


def test_a_stream_stopped_on_purpose_is_not_waited_for() -> None:
    one = engine()
    run(one, market(30))
    at = T0 + 30_000
    for stream in ("s/1", "s/2"):
        one.update(Disconnect(VENUE, at, at * 1_000_000, stream, "1000 stopped"))
    one.update(Connect(VENUE, at + 500, (at + 500) * 1_000_000, "s/3"))

    assert one.state.venues[VENUE].healthy


def test_a_venue_that_comes_back_during_a_cascade_does_not_blur_its_outcome() -> None:
    def returning() -> Iterator[Event]:
        other = "okx-swap"
        for event in market(1800, burst_at=1200):
            yield event
            if isinstance(event, Trade) and (
                event.time < T0 + 600_000 or event.time > T0 + 1_230_000
            ):
                yield msgspec.structs.replace(event, venue=other)
            if isinstance(event, Tick) and event.time == T0 + 600_250:
                yield Disconnect(other, event.time, event.time * 1_000_000, "o/1", "gone")
            if isinstance(event, Tick) and event.time == T0 + 1_230_250:
                yield Connect(other, event.time, event.time * 1_000_000, "o/2")

    end = next(one for one in run(engine(), returning()) if one.kind is Kind.CASCADE_ENDED)

    assert end.outcome == "exhausted"


def test_when_nothing_is_heard_any_more_a_running_cascade_ends_unknown() -> None:
    one = engine()
    run(one, (event for event in market(1220, burst_at=1200)))
    later = T0 + 1_220_000 + 8 * 3_600_000
    alerts = list(one.update(Tick(later)))

    assert [alert.kind for alert in alerts][-1] is Kind.CASCADE_ENDED
    assert alerts[-1].outcome == "unknown"
    assert alerts[-1].time < T0 + 1_220_000 + 130_000


def test_hours_without_a_word_are_not_closed_second_by_second() -> None:
    one = engine()
    run(one, market(60))
    one.update(Tick(T0 + 400 * 86_400_000))
    seconds = one.state.symbols["BTC"].price.stale_s

    assert seconds < 200


def test_many_ticks_through_a_silence_decide_as_one_does() -> None:
    tail = list(market(1300, burst_at=1250))[-800:]
    gap_ms = 3_600_000

    def later(event: Event) -> Event:
        changes = {"time": event.time + gap_ms}
        if not isinstance(event, Tick):
            changes["received"] = event.received + gap_ms * 1_000_000
        return msgspec.structs.replace(event, **changes)

    def heard(ticks: int) -> bytes:
        one = engine()
        run(one, market(1000))
        for number in range(1, ticks + 1):
            one.update(Tick(T0 + 1_000_000 + gap_ms * number // ticks // 250 * 250))
        run(one, [later(event) for event in tail])
        return one.snapshot()

    assert heard(1) == heard(5000)


def test_a_coin_that_stops_trading_does_not_cascade_for_ever() -> None:
    def delisted() -> Iterator[Event]:
        for event in market(1600, burst_at=1200):
            quiet = isinstance(event, Trade | Liquidation) and event.time > T0 + 1_220_000
            if quiet and isinstance(event, Trade):
                yield msgspec.structs.replace(event, symbol="ETH", instrument="ETHUSDT")
            elif not quiet:
                yield event

    end = [one for one in run(engine(), delisted()) if one.kind is Kind.CASCADE_ENDED]

    assert [one.outcome for one in end] == ["unknown"]


def test_a_venue_that_joins_does_not_look_like_new_open_interest() -> None:
    one = engine()

    def joined() -> Iterator[Event]:
        for event in market(900):
            yield event
            if isinstance(event, Tick):
                at, size = event.time, 1000.0 + (event.time - T0) / 1e6
                yield OpenInterest(VENUE, "BTC", "BTCUSDT", at, at * 10**6, size)
                if at > T0 + 400_000:
                    yield trade(at, 90_000.0, venue="okx-swap")
                    yield OpenInterest("okx-swap", "BTC", "BTCUSDT", at, at * 10**6, 5000.0)

    changes = []
    for event in joined():
        one.update(event)
        if isinstance(event, Tick) and "BTC" in one._symbols:
            changes.append(one._symbols["BTC"].map.open_interest_change_pct())

    known = [change for change in changes if change is not None]
    assert known
    assert max(known) < 1


def test_other_buckets_begin_the_map_anew() -> None:
    one = engine()

    run(one, levered())
    assert one.state.symbols["BTC"].map.clusters
    one.configure(EngineSettings(map=MapSettings(bucket_bp=5)), None)

    assert one.state.symbols["BTC"].map.clusters == []
    assert one.state.symbols["BTC"].map.books == {}


def test_coverage_is_unknown_until_every_venue_has_told_its_open_interest() -> None:
    one = engine()
    run(one, market(5))
    run(one, [trade(T0 + 5_000 + i, 90_000.0, venue="binance-usdm") for i in range(3)])
    one.update(OpenInterest(VENUE, "BTC", "BTCUSDT", T0 + 5_000, (T0 + 5_060) * 10**6, 100.0))
    flow = one._symbols["BTC"].flow
    assert flow.coverage() is None
    one.update(
        OpenInterest("binance-usdm", "BTC", "BTCUSDT", T0 + 5_000, (T0 + 5_060) * 10**6, 300.0)
    )

    assert flow.coverage() == pytest.approx(0.25)


def test_one_venue_with_a_wrong_clock_does_not_set_the_time_for_the_others() -> None:
    one = engine()
    for second in range(60):
        at = T0 + second * 1000
        for venue, off in (("a", 0), ("b", 0), ("c", 3_600_000)):
            one.update(Trade(venue, "BTC", "BTCUSDT", at + off, at * 1_000_000, 9e4, 1.0, Side.BUY))
        one.update(Tick(at + 250))

    assert abs(one.state.now_ms - (T0 + 59_250)) < 1_000


def test_open_interest_builds_a_map_whose_clusters_are_named() -> None:
    one = engine()

    run(one, levered())
    clusters = one.state.symbols["BTC"].map.clusters

    assert {zone.position for zone in clusters} == {Position.LONG, Position.SHORT}
    assert all(zone.low > 90_000 for zone in clusters if zone.position is Position.SHORT)


def test_open_interest_and_marks_of_unseen_venues_are_harmless() -> None:
    one = engine()
    run(one, market(5))
    one.update(OpenInterest("okx-swap", "BTC", "BTC-USDT-SWAP", T0, T0 * 10**6, 5.0))
    one.update(Tick(T0 + 9_000))

    assert "okx-swap" in one.state.venues


def test_other_settings_apply_at_once_and_forget_nothing() -> None:
    one = engine()
    run(one, market(600))
    seconds = one.state.symbols["BTC"].price.momentum.seconds
    one.configure(EngineSettings(), {"BTC": SymbolSettings(watch_levels=(91_000.0,))})
    run(one, [trade(T0 + 600_000, 90_000.0), Tick(T0 + 602_000)])

    assert "BTC-91000" in one.state.symbols["BTC"].levels
    assert one.state.symbols["BTC"].price.momentum.seconds > seconds


def test_a_coin_no_longer_watched_ends_its_story_and_a_venue_gone_is_forgotten() -> None:
    one = engine()
    run(one, market(1230, burst_at=1200))
    run(one, [trade(T0 + 1_230_000, 90_500.0, venue="okx-swap")])
    ended = one.configure(EngineSettings(), {"ETH": SymbolSettings()}, venues=[VENUE])

    assert [alert.kind for alert in ended] == [Kind.CASCADE_ENDED]
    assert ended[0].outcome == "unknown"
    assert list(one.state.venues) == [VENUE]
    assert one.state.symbols == {}


def test_a_venue_gone_takes_its_prices_and_its_open_interest_along() -> None:
    one = engine()
    run(one, market(30))
    run(one, [trade(T0 + 30_000 + i, 90_500.0, venue="okx-swap") for i in range(3)])
    one.update(OpenInterest("okx-swap", "BTC", "BTCUSDT", T0, T0 * 10**6, 300.0))
    one.configure(EngineSettings(), None, venues=[VENUE])
    symbol = one.state.symbols["BTC"]

    assert [source.venue for source in symbol.sources.values()] == [VENUE]
    assert symbol.map.open_interest == {}


def test_between_two_runs_nobody_listened() -> None:
    one = engine()
    run(one, market(600))
    hours = [
        feed.past.history.hours
        for feeds in one.state.symbols["BTC"].feeds.values()
        for feed in feeds.values()
    ]
    later = Engine(
        EngineSettings(), watch=None, promises={VENUE: Promise(completeness=Completeness.FULL)},
        state=unpack(one.snapshot()),
    )  # fmt: skip
    later.interrupted()
    later.update(Tick(T0 + 86_400_000))
    run(later, [trade(T0 + 86_400_000, 99_000.0), Tick(T0 + 86_402_000)])
    symbol = later.state.symbols["BTC"]

    assert symbol.price.momentum.z(30) == 0
    assert hours == [
        feed.past.history.hours for feeds in symbol.feeds.values() for feed in feeds.values()
    ]


def test_a_broken_snapshot_is_refused_with_a_value_error() -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack(b"\x00\x01")
