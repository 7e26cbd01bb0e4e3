"""What is told of a cascade while it goes on."""

import pytest
from walked_market import T0, engine, market, run

from liqwatch.alerts import Direction
from liqwatch.engine.settings import SymbolSettings

START_S = 1200


@pytest.mark.parametrize(("sign", "direction"), [(1, Direction.UP), (-1, Direction.DOWN)])
def test_a_cascade_is_followed_in_numbers_until_it_ends(sign: int, direction: Direction) -> None:
    one = engine(BTC=SymbolSettings(watch_levels=(90_000 * (1 + 0.004 * sign),)))
    events = list(market(START_S + 600, burst_at=START_S, sign=sign))
    until = next(n for n, event in enumerate(events) if event.time >= T0 + (START_S + 50) * 1000)
    (started,) = [alert for alert in run(one, events[:until]) if alert.episode]

    (now,) = one.running()

    assert (now.episode, now.symbol, now.direction) == (started.episode, "BTC", direction)
    assert now.position is direction.position
    assert not now.stalled
    assert now.started == started.time < now.time
    assert (now.price - now.start_price) * sign > 0
    assert (now.extreme_price - now.price) * sign >= 0
    assert now.speed_bp_per_min > 0
    assert now.forced_usd_60s == pytest.approx(6e6 * 50, rel=0.1)
    assert now.forced_usd_total >= now.peak_forced_usd_60s
    assert not now.complete, "it told no open interest"
    assert [level.source for level in now.crossed] == ["user"]

    run(one, events[until:])
    assert one.running() == []


def test_the_picture_shows_the_minutes_before_and_only_what_pushes_on() -> None:
    one = engine()
    events = list(market(START_S + 60, burst_at=START_S))
    run(one, events)

    shown = one.show_episode("BTC", Direction.UP)

    assert shown is not None
    assert shown.prices[0][0] <= T0 + 5000 < T0 + START_S * 1000 < shown.prices[-1][0]
    burst = sum(usd for time_ms, usd in shown.forced_usd if time_ms >= T0 + START_S * 1000)
    assert burst == pytest.approx(6e6 * 59, rel=0.05)
    assert one.show_episode("BTC", Direction.DOWN) is None
    assert one.show_episode("ETH", Direction.UP) is None
