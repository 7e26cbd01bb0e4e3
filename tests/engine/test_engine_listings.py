"""What the engine keeps of contracts and of accounts."""

import pytest

from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import unpack
from liqwatch.events import (
    AccountPosition,
    ContractType,
    Event,
    Instrument,
    MarginTier,
    MarginTiers,
    OpenInterest,
    Position,
    Side,
    Tick,
    Trade,
)

T0 = 1_791_565_200_000
KEY = "okx-swap|BTC-USD-SWAP"
ABOUT = ("okx-swap", "BTC", "BTC-USD-SWAP", T0, T0 * 10**6)


def engine(*watched: str) -> Engine:
    watch = dict.fromkeys(watched, SymbolSettings()) or None
    return Engine(EngineSettings(), watch=watch, promises={})


def told() -> list[Event]:
    """In the order of a start: what is listed, then the first trades."""
    events: list[Event] = [
        Instrument(*ABOUT, ContractType.INVERSE, 100.0, 0.1, "live"),
        MarginTiers(*ABOUT, "coin", (MarginTier(10.0, 0.004, 100),)),
    ]
    for second in range(5):
        at = T0 + second * 1000
        event_about = ("okx-swap", "BTC", "BTC-USD-SWAP", at, at * 10**6)
        events += [
            Trade(*event_about, 50_000.0, 1.0, Side.BUY),
            OpenInterest(*event_about, 1000.0 + second),
            Tick(at + 300),
        ]
    return events


def test_what_is_listed_before_the_first_trade_is_known_to_the_map() -> None:
    one = engine()
    for event in told():
        one.update(event)
    terms = one.state.symbols["BTC"].map.books[KEY].terms

    assert terms.contract_type is ContractType.INVERSE
    assert terms.tiers[0].cap == pytest.approx(500_000)
    assert terms.fee_rate == 0.0005


def test_it_is_still_known_after_a_restart_in_between() -> None:
    one = engine()
    first, *rest = told()
    one.update(first)
    later = Engine(EngineSettings(), watch=None, promises={}, state=unpack(one.snapshot()))
    for event in rest:
        later.update(event)

    terms = later.state.symbols["BTC"].map.books[KEY].terms
    assert terms.contract_type is ContractType.INVERSE


def test_contracts_of_coins_and_venues_that_are_not_watched_are_not_kept() -> None:
    one = engine("ETH")
    one.update(told()[0])
    assert one.state.listings == {}

    one = engine()
    for event in told():
        one.update(event)
    one.configure(EngineSettings(), None, venues=["bybit-linear"])
    assert one.state.listings == {}


def test_what_an_account_holds_is_taken_once_the_coin_has_a_price() -> None:
    one = engine()
    held = AccountPosition(*ABOUT, "0xa", Position.LONG, 100.0, 50_000.0, 45_000.0)
    one.update(held)
    for event in told():
        one.update(event)
    assert one.state.symbols["BTC"].map.observed == {}
    one.update(held)

    assert list(one.state.symbols["BTC"].map.observed[KEY].accounts) == ["0xa"]
