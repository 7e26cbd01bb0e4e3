"""What Binance's futures markets and their forks put on the wire, field by field.

`market` (`st`, since 2026-06-30) is 1 for USDⓈ-M, 2 for COIN-M, absent (here 0) in older forms and
on the forks. Quantities are base coins on linear markets, contracts on inverse ones.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from liqwatch.events import Instrument
from liqwatch.exchanges.seen import Newest, SeenIds
from liqwatch.exchanges.wire import Amount, Blank, Id, Millis, Moment, Positive, Rate, Share

Cap = Annotated[float, Meta(gt=0, lt=1e20)]  # without end is written as the largest 64-bit number


class AggTrade(Struct, gc=False, tag_field="e", tag="aggTrade"):
    """Fills of one taker order at one price; ids are contiguous per symbol."""

    symbol: str = field(name="s")
    id: Id = field(name="a")
    price: Positive = field(name="p")
    size: Positive = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")
    market: int = field(name="st", default=0)


class SingleTrade(Struct, gc=False, tag_field="e", tag="trade"):
    """One fill, or a transfer that is none: `origin` tells."""

    symbol: str = field(name="s")
    id: Id = field(name="t")
    price: Amount = field(name="p")
    size: Amount = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")
    origin: str = field(name="X", default="MARKET")  # the form of 2019 has none
    market: int = field(name="st", default=0)


class Order(Struct, gc=False):
    """A forced order: what counts is what it filled, at the average price of that."""

    symbol: str = field(name="s")
    side: Literal["BUY", "SELL"] = field(name="S")
    average_price: Amount = field(name="ap")
    filled: Amount = field(name="z")
    time: Millis = field(name="T")
    market: int = field(name="st", default=0)


class ForceOrder(Struct, gc=False, tag_field="e", tag="forceOrder"):
    """One forced order of a symbol and second."""

    order: Order = field(name="o")
    market: int = field(name="st", default=0)


class MarkPriceUpdate(Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    """Mark and index price, and the funding that is due next."""

    symbol: str = field(name="s")
    time: Millis = field(name="E")
    price: Positive = field(name="p")
    index_price: Amount | Blank = field(name="i", default="")
    rate: Rate | Blank = field(name="r", default="")
    next_time: Moment = field(name="T", default=0)
    market: int = field(name="st", default=0)


class Bracket(Struct, gc=False):
    """One margin tier: cap and amount in dollars."""

    cap: Cap = field(name="bnc")
    rate: Share = field(name="mmr")
    amount: Amount = field(name="cf")
    max_leverage: Positive = field(name="ma")


class ContractInfo(Struct, gc=False, tag_field="e", tag="contractInfo"):
    """A listing, a settlement, or new margin tiers; `brackets` only with the last."""

    symbol: str = field(name="s")
    time: Millis = field(name="E")
    brackets: list[Bracket] = field(name="bks", default=[])
    market: int = field(name="st", default=0)


Payload = AggTrade | SingleTrade | ForceOrder | MarkPriceUpdate | ContractInfo
KINDS = frozenset({"aggTrade", "trade", "forceOrder", "markPriceUpdate", "contractInfo"})


class Combined(Struct, gc=False):
    """How a combined stream wraps a payload."""

    data: Payload


class Error(Struct):
    """Why a request was refused."""

    code: int = 0
    msg: str = ""


class Envelope(Struct):
    """Any frame that is an object: combined, raw, or the answer to a request."""

    data: Raw | UnsetType = UNSET
    result: list[str] | UnsetType | None = UNSET
    error: Error | UnsetType = UNSET
    code: int = 0
    msg: str | UnsetType = UNSET  # an error, unwrapped


class Kind(Struct):
    """What a payload calls itself."""

    kind: str = field(name="e", default="")


class Filter(Struct, rename="camel"):
    """A rule for orders."""

    tick_size: Positive | None = None  # of PRICE_FILTER only


class Listing(Struct, rename="camel"):
    """A contract as exchangeInfo has it."""

    symbol: str
    contract_type: str
    filters: list[Filter]
    status: str | None = None
    contract_status: str | None = None  # what COIN-M calls it
    contract_size: Positive | None = None  # USD, on COIN-M only


class ExchangeInfo(Struct):
    """The list of contracts."""

    symbols: list[Raw]


class OpenInterestAnswer(Struct):
    """Open interest of one symbol, counted on one side."""

    symbol: str
    time: Millis
    size: Amount = field(name="openInterest")


class Kline(Struct, array_like=True, gc=False):
    """A bar of prices; `volume` in the unit of quantities, `turnover` in what contracts are paid
    in: dollars, on COIN-M coins.
    """

    time: Millis
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: Amount
    end: Millis
    turnover: Amount


class OpenInterestPoint(Struct, gc=False):
    """A row of openInterestHist, counted on one side."""

    size: Positive = field(name="sumOpenInterest")
    time: Millis = field(name="timestamp")


class State(Struct):
    """What is remembered between frames."""

    instruments: dict[str, Instrument]
    aggregates: SeenIds
    singles: SeenIds
    orders: list[str]
    funding: dict[str, tuple[float, int]]
    marks: dict[str, float]
    newest: Newest


combined = msgspec.json.Decoder(Combined, strict=False)
payload = msgspec.json.Decoder(Payload, strict=False)
outer = msgspec.json.Decoder(Envelope | list[Raw])
kind = msgspec.json.Decoder(Kind)
exchange_info = msgspec.json.Decoder(ExchangeInfo)
listing = msgspec.json.Decoder(Listing, strict=False)
open_interest = msgspec.json.Decoder(OpenInterestAnswer, strict=False)
rows = msgspec.json.Decoder(list[Raw])
kline = msgspec.json.Decoder(Kline, strict=False)
open_interest_point = msgspec.json.Decoder(OpenInterestPoint, strict=False)
state = msgspec.msgpack.Decoder(State)
