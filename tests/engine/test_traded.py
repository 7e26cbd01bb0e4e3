import pytest
from walked_market import engine, market, run

from liqwatch.engine.frozen_map import REACH, WIDTH, bucket_key
from liqwatch.engine.snapshot import unpack
from liqwatch.engine.traded import HALF_LIFE_MS, Traded
from liqwatch.events import Trade

PRICE = 50_000.0


def test_what_is_traded_is_remembered_where_it_was_traded() -> None:
    traded = Traded()
    for price, usd in ((PRICE, 3.0), (PRICE, 4.0), (PRICE * (1 + 4 * WIDTH), 5.0)):
        traded.add(price, usd)
    profile = traded.profile(1, PRICE)

    assert profile is not None
    assert profile.first_key == bucket_key(PRICE) - REACH
    assert profile.usd[REACH] == 7.0
    assert sum(profile.usd[REACH + 1 :]) == 5.0


def test_nothing_traded_is_no_profile() -> None:
    assert Traded().profile(1, PRICE) is None


def test_what_was_traded_long_ago_counts_less_and_is_forgotten_in_the_end() -> None:
    traded = Traded()
    traded.add(PRICE, 8.0)
    traded.profile(1, PRICE)
    profile = traded.profile(1 + HALF_LIFE_MS, PRICE)
    assert profile is not None
    assert sum(profile.usd) == pytest.approx(4.0)

    traded.add(2 * PRICE, 1e9)
    traded.profile(2 + HALF_LIFE_MS, PRICE)
    assert set(traded.usd) == {bucket_key(2 * PRICE)}


def test_how_often_it_is_asked_does_not_matter() -> None:
    often, once = Traded(), Traded()
    for traded in (often, once):
        traded.add(PRICE, 8.0)
        traded.profile(1, PRICE)
    for part in range(1, 11):
        often.profile(1 + part * HALF_LIFE_MS // 10, PRICE)
    once.profile(1 + HALF_LIFE_MS, PRICE)

    assert often.usd == pytest.approx(once.usd)


def test_all_that_a_coin_trades_goes_into_its_profile() -> None:
    one, events = engine(), list(market(120))
    run(one, events)
    told = sum(event.price * event.size for event in events if isinstance(event, Trade))
    known = sum(unpack(one.snapshot()).symbols["BTC"].map.score.traded.usd.values())

    assert known == pytest.approx(told, rel=0.05)  # less the first second and the last
