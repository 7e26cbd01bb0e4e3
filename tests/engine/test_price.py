from math import log

import pytest

from liqwatch.engine.price import Composite, Source


def printed(venue: str, price: float, at_ms: int) -> Source:
    return Source(venue=venue, price=price, last_ms=at_ms)


def test_one_venue_gives_its_own_returns() -> None:
    composite, source = Composite(), printed("a", 100.0, 1000)
    composite.close_second([source], 1000)
    source.price, source.last_ms = 101.0, 2000

    assert composite.close_second([source], 2000) == pytest.approx(log(1.01))
    assert composite.price == pytest.approx(101.0)


def test_a_venue_that_joins_with_another_price_does_not_move_it() -> None:
    composite, first = Composite(), printed("a", 100.0, 1000)
    composite.close_second([first], 1000)
    first.last_ms = 2000

    step = composite.close_second([first, printed("b", 103.0, 2000)], 2000)

    assert step == pytest.approx(0.0)


def test_a_venue_that_goes_silent_does_not_hold_it_back() -> None:
    composite = Composite()
    a, b = printed("a", 100.0, 1000), printed("b", 100.0, 1000)
    composite.close_second([a, b], 1000)
    total = 0.0
    for second in range(2, 20):
        a.price, a.last_ms = 100.0 + second, second * 1000
        total += composite.close_second([a, b], second * 1000) or 0.0

    assert total > 0.8 * log(119 / 100)


def test_one_venue_printing_nonsense_between_two_that_agree_is_outvoted() -> None:
    composite = Composite()
    sources = [printed(name, 100.0, 1000) for name in "abc"]
    composite.close_second(sources, 1000)
    for source in sources:
        source.last_ms = 2000
    sources[1].price = 9000.0

    assert composite.close_second(sources, 2000) == pytest.approx(0.0)
    assert composite.price == pytest.approx(100.0)


def test_without_fresh_prices_there_is_no_return() -> None:
    composite, source = Composite(), printed("a", 100.0, 1000)
    composite.close_second([source], 1000)

    assert composite.close_second([source], 7000) is None


def test_a_price_after_a_long_gap_is_not_a_move() -> None:
    composite, source = Composite(), printed("a", 100.0, 1000)
    composite.close_second([source], 1000)
    for second in range(2, 60):
        composite.close_second([source], second * 1000)
    source.price, source.last_ms = 120.0, 60_000

    assert composite.close_second([source], 60_000) == pytest.approx(0.0)
    assert composite.momentum.z(30) == 0


def test_those_who_waited_through_a_gap_see_where_price_is_now() -> None:
    composite, source = Composite(), printed("a", 100.0, 1000)
    composite.close_second([source], 1000)
    before = composite.momentum.x
    for second in range(2, 60):
        composite.close_second([source], second * 1000)
    source.price, source.last_ms = 120.0, 60_000
    composite.close_second([source], 60_000)

    assert composite.momentum.x - before == pytest.approx(log(1.2))
    assert composite.price == pytest.approx(120.0)


def test_a_venue_with_another_price_going_stale_does_not_make_the_price_jump() -> None:
    composite = Composite()
    a, b = printed("a", 100.0, 1000), printed("b", 100.6, 1000)
    prices = []
    for second in range(1, 120):
        a.last_ms = second * 1000
        if second % 8 == 0:
            b.last_ms = second * 1000
        composite.close_second([a, b], second * 1000)
        prices.append(composite.price)

    assert max(prices) / min(prices) - 1 < 0.001


def test_a_price_after_a_short_silence_is_a_move() -> None:
    composite, source = Composite(), printed("a", 100.0, 1000)
    composite.close_second([source], 1000)
    for second in range(2, 12):
        composite.close_second([source], second * 1000)
    source.price, source.last_ms = 101.0, 12_000

    assert composite.close_second([source], 12_000) == pytest.approx(log(1.01))
