"""The frames and REST answers of Bitfinex, as typed structs; see bitfinex.py.

Nearly all of them are arrays, so the fields stand in the order of the documentation.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from liqwatch.exchanges.wire import Amount, Id, Positive, Rate, Share

Time = Annotated[float, Meta(ge=1, lt=1e14)]  # ms, at times with a fraction
Signed = Annotated[float, Meta(gt=-1e15, lt=1e15)]
NULL = Raw(b"null")


class Trade(Struct, array_like=True, gc=False):
    """A trade; the sign of its amount is the taker's side."""

    id: Id
    time: Time
    amount: Signed
    price: Positive


class Executed(Struct, array_like=True, gc=False):
    """A frame of trades:…; `tu` tells the same again a second later."""

    channel: Id
    kind: Literal["te"]
    trade: Trade


class Liquidation(Struct, array_like=True, gc=False):
    """A row of liq:global or of the history; the sign of its amount is that of the position."""

    kind: Literal["pos"]
    position: Id
    time: Time
    blank_3: Raw
    symbol: str
    amount: Signed
    base_price: Raw  # at which the position was entered
    blank_7: Raw
    is_match: Literal[0, 1]
    is_market_sold: Raw
    blank_10: Raw
    price: Positive | None = None


class Status(Struct, array_like=True, gc=False):
    """A frame of deriv:…; older ones end sooner."""

    time: Time
    blank_1: Raw
    book_price: Raw
    spot_price: Amount | None
    blank_4: Raw
    insurance_fund: Raw
    blank_6: Raw
    next_funding: Time | None
    accrued: Raw
    step: Raw
    blank_10: Raw
    funding: Rate | None
    blank_12: Raw = NULL
    blank_13: Raw = NULL
    mark_price: Amount | None = None
    blank_15: Raw = NULL
    blank_16: Raw = NULL
    open_interest: Amount | None = None


class Event(Struct, rename="camel"):
    """Every frame that is no array."""

    event: str = ""
    channel: str = ""
    chan_id: Id | None = None
    symbol: str = ""
    key: str = ""
    code: int | None = None
    msg: str = ""

    def topic(self) -> str:
        """Name the channel as we ask for it."""
        return self.key if self.channel == "status" else f"{self.channel}:{self.symbol}"


class Listing(Struct, array_like=True):
    """A pair of the list; its terms hold the margins."""

    pair: str
    terms: list[Raw]


executed = msgspec.json.Decoder(Executed)
trade = msgspec.json.Decoder(Trade)
liquidation = msgspec.json.Decoder(Liquidation)
status = msgspec.json.Decoder(Status)
frame = msgspec.json.Decoder(Event | list[Raw])
payload = msgspec.json.Decoder(str | list[Raw])
channel = msgspec.json.Decoder(Id)
time = msgspec.json.Decoder(Time)
text = msgspec.json.Decoder(str)
pages = msgspec.json.Decoder(list[list[Raw]])
listing = msgspec.json.Decoder(Listing)
share = msgspec.json.Decoder(Share | None, strict=False)
