"""The frames and REST answers of Gate's USDT perpetuals, as typed structs; see gate.py."""

from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from liqwatch.exchanges.symbols import split_multiplier
from liqwatch.exchanges.wire import Amount, Blank, Id, Moment, Positive, Rate, Share

Contracts = Annotated[float, Meta(gt=-1e15, lt=1e15)]  # signed
Stamp = Annotated[float, Meta(ge=1, lt=1e14)]  # s or ms, perhaps with a fraction


class Trade(Struct, gc=False):
    """A row of futures.trades; `size` above 0: the taker bought."""

    contract: str
    id: Id
    size: Contracts
    price: Positive
    create_time: Stamp
    create_time_ms: Stamp | None = None  # not in the form of 2020
    is_internal: bool = False


class Trades(Struct, tag_field="channel", tag="futures.trades"):
    """A frame of futures.trades."""

    event: Literal["update"]
    result: list[Trade]


class Ticker(Struct, gc=False):
    """A row of futures.tickers; `total_size` is open interest, single-sided."""

    contract: str
    mark_price: Amount | Blank = ""
    index_price: Amount | Blank = ""
    total_size: Amount | Blank = ""
    funding_rate: Rate | Blank = ""
    t: Moment = 0


class Liquidation(Struct, gc=False):
    """A row of futures.public_liquidates; `price` is the order's."""

    contract: str
    size: Contracts
    price: Positive
    time: Stamp


class LiquidationOrder(Struct, gc=False):
    """A row of liq_orders; `size` is the position's, above 0: a long."""

    contract: str
    size: Contracts  # of the position
    time: Stamp
    order_price: Positive
    fill_price: Amount | Blank = ""
    order_size: Contracts = 0  # of the order, which may close the position only in part


class Error(Struct):
    """Why a request was refused."""

    code: int = 0
    message: str = ""


class Envelope(Struct):
    """Any frame."""

    channel: str = ""
    event: str = ""
    time: Amount = 0
    time_ms: Moment = 0
    result: Raw | UnsetType = UNSET
    error: Error | None = None
    payload: list[str] | None = None


class System(Struct):
    """The result of futures.system."""

    type: str = ""
    msg: str = ""


class Listing(Struct):
    """A row of the list of contracts; times in s."""

    name: str
    order_price_round: Positive
    quanto_multiplier: Amount = 0
    in_delisting: bool = False
    status: str = "trading"
    funding_interval: Annotated[int, Meta(ge=0, le=10**7)] = 0
    funding_next_apply: Annotated[float, Meta(ge=0, lt=1e11)] = 0


class Named(Struct):
    """Which contract a row of any list is about."""

    contract: str


class Tier(Struct):
    """A row of risk_limit_tiers; limit and deduction in USDT."""

    risk_limit: Positive
    maintenance_rate: Share
    leverage_max: Positive | None = None
    deduction: Amount | None = None


class Candle(Struct, gc=False):
    """A row of candlesticks: time in s, volume in contracts, `sum` in USDT."""

    t: Stamp
    high: Positive = field(name="h")
    low: Positive = field(name="l")
    close: Positive = field(name="c")
    volume: Amount = field(name="v", default=0)
    paid: Amount = field(name="sum", default=0)


class Stat(Struct, gc=False):
    """A row of contract_stats: time in s, open interest in contracts, single-sided."""

    time: Stamp
    open_interest: Positive


trades = msgspec.json.Decoder(Trades, strict=False)
trade = msgspec.json.Decoder(Trade, strict=False)
ticker = msgspec.json.Decoder(Ticker, strict=False)
liquidation = msgspec.json.Decoder(Liquidation, strict=False)
liquidation_order = msgspec.json.Decoder(LiquidationOrder, strict=False)
envelope = msgspec.json.Decoder(Envelope, strict=False)
system = msgspec.json.Decoder(System)
rows = msgspec.json.Decoder(list[Raw])
listing = msgspec.json.Decoder(Listing, strict=False)
named = msgspec.json.Decoder(Named)
candle = msgspec.json.Decoder(Candle, strict=False)
stat = msgspec.json.Decoder(Stat, strict=False)
tier = msgspec.json.Decoder(Tier, strict=False)

_OWN_NAMES = {"MBABYDOGE": ("BABYDOGE", 1_000_000)}


@lru_cache(maxsize=4096)
def coin_of(contract: str) -> tuple[str, int] | None:
    """Coin and multiplier of a contract (`BTC_USDT`); None for dated ones and other quotes."""
    base = contract.removesuffix("_USDT")
    if base in {contract, ""} or "_" in base:
        return None
    return _OWN_NAMES.get(base) or split_multiplier(base)


def multiplier_of(contract: str) -> int:
    """How many coins the contract's price is for."""
    coin = coin_of(contract)
    return 1 if coin is None else coin[1]


def to_ms(time: float) -> int:
    """Turn a time into ms: Gate writes s or ms, and small numbers are s."""
    return round(time * 1000 if time < 1e11 else time)


def is_none(size: float) -> bool:
    """Whether it is nothing, such as a fraction of a contract that was rounded down."""
    return abs(size) < 1e-18
