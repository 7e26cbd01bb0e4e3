from collections.abc import Mapping

import pytest

from liqwatch.control import (
    AskMap,
    AskStatus,
    Control,
    MapAnswer,
    NoMapError,
    StatusAnswer,
    find_map,
)
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.snapshot import EngineState
from liqwatch.engine.state import SymbolState


def engine(prices: Mapping[str, float]) -> Engine:
    state = EngineState()
    for number, (name, price) in enumerate(prices.items()):
        state.symbols[name] = SymbolState(name=name, number=number)
        state.symbols[name].price.price = price
    return Engine(EngineSettings(), watch=None, promises={}, state=state)


@pytest.mark.parametrize(
    ("asked", "found"), [("BTC", "BTC"), ("btc", "BTC"), ("kPEPE", "kPEPE"), ("KPEPE", "KPEPE")]
)
def test_a_coin_is_found_in_upper_or_lower_case(asked: str, found: str) -> None:
    known = engine({"BTC": 70_000.0, "kPEPE": 0.01, "KPEPE": 0.02})

    assert find_map(known, asked).map.symbol == found


def test_of_an_unknown_coin_it_is_said_which_are_known() -> None:
    with pytest.raises(NoMapError, match=r"^no map of XYZ; known: BTC, ETH$"):
        find_map(engine({"ETH": 3_000.0, "BTC": 70_000.0, "SOL": 0.0}), "XYZ")
    many = {f"C{number:03}": 1.0 for number in range(300)}
    with pytest.raises(NoMapError, match=r"C018, C019 and 280 more$"):
        find_map(engine(many), "XYZ")


def test_before_any_price_there_is_no_map() -> None:
    with pytest.raises(NoMapError, match="no coin has a price yet"):
        find_map(engine({"BTC": 0.0}), "BTC")


def test_the_daemon_tells_how_it_is_and_what_its_map_is() -> None:
    known = engine({"BTC": 70_000.0})
    asked = Control(known, lambda: "16/16 venues live")

    assert asked.answer(AskStatus()) == StatusAnswer("16/16 venues live", ())
    assert asked.answer(AskMap("btc")) == MapAnswer(find_map(known, "BTC"))
