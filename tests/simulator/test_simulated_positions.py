import math
from random import Random

import pytest

from liqwatch.simulator.positions import Book, Holding, Terms

HEDGER = Terms(1)


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
    drained = [(holding.terms.leverage, coins) for holding, coins in book.drain(1.5)]
    assert drained == [(50, 1.0), (25, 0.5)]
    assert book.queued == pytest.approx(0.5)
    assert 100.5 < book.open_interest < 102.0
    book.check()


def test_longs_equal_shorts_whatever_happens() -> None:
    rng = Random(3)
    book = Book()
    book.open(50.0, 100.0, HEDGER, HEDGER)
    price = 100.0
    for _ in range(3_000):
        price *= math.exp(rng.gauss(0, 0.004))
        stop = rng.choice((None, 0.5))
        terms = [Terms(rng.choice((1, 5, 20, 50)), rng.random(), stop) for _ in range(2)]
        book.open(rng.random(), price, *terms)
        book.close(rng.random(), rng.random(), rng.random())
        book.trigger(price)
        list(book.drain(rng.random()))
    book.check()
    assert book.open_interest > 0
