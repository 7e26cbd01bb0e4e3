"""Which coin a name means."""

import pytest

from liqwatch.events import ContractType, Instrument
from liqwatch.exchanges.symbols import choose, coin_of


@pytest.mark.parametrize(
    ("name", "coin", "multiplier"),
    [
        ("BTCUSDT", "BTC", 1),
        ("BTCUSDC", "BTC", 1),
        ("BTCPERP", "BTC", 1),
        ("PERPUSDT", "PERP", 1),
        ("1000PEPEUSDT", "PEPE", 1000),
        ("1000PEPEPERP", "PEPE", 1000),
        ("10000SATSUSDT", "SATS", 10_000),
        ("1000000MOGUSDT", "MOG", 1_000_000),
        ("1MBABYDOGEUSDT", "BABYDOGE", 1_000_000),
        ("SHIB1000USDT", "SHIB", 1000),
        ("1000XUSDT", "X", 1000),
        ("1INCHUSDT", "1INCH", 1),
        ("0GUSDT", "0G", 1),
        ("4USDT", "4", 1),
        ("LUNA2USDT", "LUNA2", 1),
        ("BANANAS31USDT", "BANANAS31", 1),
        ("币安人生USDT", "币安人生", 1),
    ],
)
def test_a_name_means_a_coin_and_how_many(name: str, coin: str, multiplier: int) -> None:
    assert coin_of(name) == (coin, multiplier)


@pytest.mark.parametrize(
    "name",
    ["", "USDT", "ETHBTC", "BTCUSD_PERP", "BTCUSDT_261225", "BTCUSDT-25DEC26", "BTCUSD", "btcusdt"],
)
def test_what_is_no_perpetual_in_dollars_means_nothing(name: str) -> None:
    assert coin_of(name) is None


def listed(name: str, symbol: str, *, status: str = "live", linear: bool = True) -> Instrument:
    return Instrument(
        venue="v",
        symbol=symbol,
        instrument=name,
        time=1,
        received=1,
        contract_type=ContractType.LINEAR if linear else ContractType.INVERSE,
        contract_size=1.0,
        tick_size=0.1,
        status=status,
    )


def test_one_open_linear_usdt_perpetual_is_chosen_per_coin() -> None:
    instruments = [
        listed("ETHUSDT", "ETH"),
        listed("1000PEPEUSDT", "PEPE"),
        listed("PEPEUSDT", "PEPE"),
        listed("BTCUSDT", "BTC", linear=False),
        listed("BTCUSDC", "BTC"),
        listed("OLDUSDT", "OLD", status="delisting"),
    ]
    names = {each.instrument: each for each in instruments}

    assert choose(None, names, suffix="USDT", trading="live") == ["ETHUSDT", "1000PEPEUSDT"]
    assert choose({"PEPE", "OLD"}, names, suffix="USDT", trading="live") == ["1000PEPEUSDT"]


def test_a_venue_where_nothing_is_open_is_in_maintenance_and_goes_on_being_heard() -> None:
    instruments = [listed("BTCUSDT", "BTC", status="suspend"), listed("ETHUSDC", "ETH")]
    names = {each.instrument: each for each in instruments}

    assert choose({"BTC", "ETH"}, names, suffix="USDT", trading="live") == ["BTCUSDT"]


def test_the_order_of_the_wish_changes_nothing() -> None:
    assert choose(["ETH", "BTC"], {}, suffix="USDT", trading="") == ["BTCUSDT", "ETHUSDT"]
