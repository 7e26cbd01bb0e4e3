import math
from random import Random

import pytest

from liqwatch.simulator.positions import Book, Fund, Holding, Terms

HEDGER, ENDLESS = Terms(1), Fund(math.inf)


def test_liquidation_prices_are_those_of_the_linear_formula() -> None:
    # Binance's published formula at 0.4 % maintenance, no maintenance amount.
    assert Holding(-1, 67_000, Terms(25), 0.5).liquidation_price == pytest.approx(69_402.39)
    assert Holding(1, 100, Terms(50), 1).liquidation_price == pytest.approx(100 * 0.98 / 0.996)
    assert Holding(-1, 100, Terms(50), 1).bankruptcy_price == pytest.approx(102)


def test_spare_margin_moves_liquidation_away() -> None:
    tight, spare = Holding(1, 100, Terms(20), 1), Holding(1, 100, Terms(20, spare=0.5), 1)
    assert spare.liquidation_price < tight.liquidation_price


@pytest.mark.parametrize("sign", [1, -1])
def test_a_position_is_liquidated_exactly_at_its_price(sign: int) -> None:
    book = Book()
    terms = Terms(25)
    book.open(2.0, 100.0, *((terms, HEDGER) if sign > 0 else (HEDGER, terms)))
    price = Holding(sign, 100.0, terms, 2.0).liquidation_price
    book.trigger(math.nextafter(price, 100.0))
    assert book.queued == 0
    book.trigger(price)
    assert book.queued == 2.0


def test_a_stop_is_an_ordinary_trade_and_no_liquidation() -> None:
    book = Book()
    book.open(2.0, 100.0, HEDGER, Terms(25, stop=0.5))
    assert book.trigger(101.9) == 2.0  # liquidation would be at 103.6
    assert book.queued == 0
    book.check()


def test_the_queue_is_worked_off_oldest_first_and_closes_some_of_the_other_side() -> None:
    book = Book()
    book.open(100.0, 100.0, HEDGER, HEDGER)
    book.open(1.0, 100.0, HEDGER, Terms(50))
    book.open(1.0, 100.0, HEDGER, Terms(25))
    book.trigger(110.0)
    drained = book.drain(1.5, 110.0, ENDLESS)
    assert [(holding.terms.leverage, coins) for holding, coins in drained.sold] == [
        (50, 1.0),
        (25, 0.5),
    ]
    assert not drained.deleveraged
    assert book.queued == pytest.approx(0.5)
    assert 100.5 < book.open_interest < 102.0
    book.check()


def test_longs_equal_shorts_whatever_happens() -> None:
    rng = Random(3)
    book = Book()
    book.open(50.0, 100.0, HEDGER, HEDGER)
    price, fund, deleveraged = 100.0, Fund(0.0), 0
    for _ in range(3_000):
        price *= math.exp(rng.gauss(0, 0.004))
        stop = rng.choice((None, 0.5))
        terms = [
            Terms(rng.choice((1, 5, 20, 50)), rng.random(), stop, rng.choice((0, 2)))
            for _ in range(2)
        ]
        book.open(rng.random(), price, *terms)
        book.close(rng.random(), rng.random(), rng.random())
        book.trigger(price)
        deleveraged += len(book.drain(rng.random(), price, fund).deleveraged)
    book.check()
    assert book.open_interest > 0
    assert deleveraged > 0
    assert fund.usd >= 0


def test_a_large_position_is_closed_step_by_step_at_ever_further_prices() -> None:
    book = Book()
    book.open(100.0, 100.0, HEDGER, HEDGER)
    book.open(8.0, 100.0, HEDGER, Terms(50, steps=2))
    closed: list[tuple[float, float]] = []
    price = 100.0
    while book.open_interest > 0 and len(closed) < 3:
        price += 0.01
        book.trigger(price)
        closed += [(round(price, 1), coins) for _, coins in book.drain(99, price, ENDLESS).sold]
    book.check()
    assert [coins for _, coins in closed] == [4.0, 2.0, 2.0]
    first, second, third = (price for price, _ in closed)
    assert first == pytest.approx(101.6, abs=0.1)  # 2 % margin less what must be left
    assert second / first == pytest.approx(third / second, abs=1e-3) == pytest.approx(1.004, 1e-3)


def test_a_fund_gets_what_is_left_of_the_margin_and_pays_what_is_lost_beyond_it() -> None:
    long, fund = Holding(1, 100.0, Terms(50), 10.0), Fund(5.0)
    assert long.bankruptcy_price == pytest.approx(98.0)
    assert fund.settles(long, 2.0, 98.5)
    assert fund.usd == pytest.approx(6.0)
    assert fund.settles(long, 2.0, 97.0)
    assert fund.usd == pytest.approx(4.0)
    assert not fund.settles(long, 8.0, 97.0)
    assert fund.usd == pytest.approx(4.0)


def test_what_the_fund_cannot_pay_is_closed_against_those_who_gain_most_by_their_leverage() -> None:
    book = Book()
    book.open(5.0, 100.0, Terms(10), Terms(50))
    book.open(3.0, 90.0, Terms(2), HEDGER)
    book.open(4.0, 80.0, Terms(20), HEDGER)
    book.trigger(103.0)
    drained = book.drain(0.1, 103.0, Fund(0.0))
    assert [coins for _, coins in drained.deleveraged] == [5.0]
    assert not drained.sold
    assert book.queued == 0
    assert {holding.entry: holding.coins for holding in book.holdings()} == {100.0: 5.0, 90.0: 2.0}
    assert book.open_interest == pytest.approx(7.0)
    book.check()
