"""The frames and REST answers of Kraken Futures, as typed structs; see kraken.py."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from liqwatch.exchanges.wire import Amount, Id, Millis, Moment, Positive, Rate, UtcTime


class Trade(Struct, gc=False, frozen=True):
    """A trade, live or in a snapshot; `side` is the taker's.

    `seq` counts the trades of a product; it is 0 where it is not told.
    """

    product: str = field(name="product_id")
    uid: str
    side: Literal["buy", "sell"]
    type: str
    time: Millis
    quantity: Positive = field(name="qty")
    price: Positive
    seq: Id = 0


class PastTrade(Struct, gc=False):
    """A row of `/history`."""

    uid: str
    side: Literal["buy", "sell"]
    type: str
    time: UtcTime
    quantity: Positive = field(name="size")
    price: Positive


class Ticker(Struct, gc=False):
    """A frame of `ticker`; the funding rate is relative to the price, per hour."""

    product: str = field(name="product_id")
    time: Millis
    mark_price: Amount | None = field(name="markPrice", default=None)
    index_price: Amount | None = field(name="index", default=None)
    open_interest: Amount | None = field(name="openInterest", default=None)
    funding_rate: Rate | None = field(name="relative_funding_rate", default=None)
    funding_time: Moment | None = field(name="next_funding_rate_time", default=None)


class Message(Struct):
    """Any frame: what it is, and what the answer to a request tells."""

    feed: str = ""
    event: str = ""
    product_ids: list[str] = []
    message: str = ""
    trades: Raw | UnsetType = UNSET


class Level(Struct):
    """A margin level and where it begins: in contracts or, for `PF_`, in dollars."""

    initial: Positive = field(name="initialMargin")
    maintenance: Positive = field(name="maintenanceMargin")
    contracts: Amount | None = None
    dollars: Amount | None = field(name="numNonContractUnits", default=None)


class Listing(Struct):
    """A row of `/instruments`; indices have neither tick nor contract size."""

    symbol: str
    tick: Positive | None = field(name="tickSize", default=None)
    size: Positive | None = field(name="contractSize", default=None)
    tradeable: bool = False
    levels: list[Level] | None = field(name="marginLevels", default=None)


class Answer(Struct):
    """What surrounds the rows of both REST pages."""

    result: str
    error: str = ""
    instruments: list[Raw] = []
    history: list[Raw] = []


trade = msgspec.json.Decoder(Trade, strict=False)
past_trade = msgspec.json.Decoder(PastTrade, strict=False)
ticker = msgspec.json.Decoder(Ticker, strict=False)
message = msgspec.json.Decoder(Message)
listing = msgspec.json.Decoder(Listing, strict=False)
answer = msgspec.json.Decoder(Answer)
