"""The frames and REST answers of Bitget's USDT perpetuals, as typed structs; see bitget.py."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from liqwatch.exchanges.wire import Amount, Blank, Millis, Moment, Positive, Rate, Share


class Arg(Struct, frozen=True, rename="camel"):
    """What a frame is about."""

    inst_type: str = ""
    topic: str = ""
    symbol: str = ""
    channel: str = ""  # of the versions before

    def named(self) -> str:
        """Name it as a topic."""
        return f"{self.topic}:{self.symbol or self.inst_type}"


class TradesArg(Struct, gc=False, rename="camel", tag_field="topic", tag="publicTrade"):
    """What a frame of trades is about."""

    inst_type: Literal["usdt-futures"]
    symbol: str


class Trade(Struct, gc=False):
    """A row of publicTrade; `side` is the taker's."""

    id: str = field(name="i")
    price: Positive = field(name="p")
    size: Positive = field(name="v")
    side: Literal["buy", "sell"] = field(name="S")
    time: Millis = field(name="T")


class Trades(Struct, gc=False):
    """A frame of publicTrade that is no history."""

    action: Literal["update"]
    arg: TradesArg
    data: list[Trade]


class Liquidation(Struct, gc=False):
    """A row of liquidation, or of liquidations over REST; `side` is the position's."""

    symbol: str
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    ts: Millis

    def key(self) -> str:
        """Name the liquidation as both sources do."""
        return f"{self.symbol} {self.ts} {self.side} {self.price}"


class Ticker(Struct, gc=False, rename="camel"):
    """A row of ticker."""

    mark_price: Amount | Blank = ""
    index_price: Amount | Blank = ""
    open_interest: Amount | Blank = ""
    funding_rate: Rate | Blank = ""
    next_funding_time: Moment | Blank = ""


class Envelope(Struct):
    """Any frame; `code` and `msg` say why a request was refused."""

    event: str = ""
    action: str = ""
    arg: Arg = Arg()
    data: Raw | UnsetType = UNSET
    ts: Moment = 0
    code: str | int = ""
    msg: str = ""


class Answer(Struct):
    """Any answer over REST."""

    code: str
    msg: str = ""
    data: Raw | UnsetType = UNSET


class Listing(Struct, rename="camel"):
    """A row of instruments; `price_multiplier` is the tick size."""

    symbol: str
    type: str
    status: str
    price_multiplier: Positive
    fund_interval: Amount | Blank = ""  # hours


class Tier(Struct, rename="camel"):
    """A row of position-tier, in USDT."""

    max_tier_value: Positive
    mmr: Share
    leverage: Positive | Blank = ""


class Page(Struct):
    """A page of liquidations over REST."""

    rows: list[Raw] = field(name="list")


trades = msgspec.json.Decoder(Trades, strict=False)
trade = msgspec.json.Decoder(Trade, strict=False)
liquidation = msgspec.json.Decoder(Liquidation, strict=False)
ticker = msgspec.json.Decoder(Ticker, strict=False)
envelope = msgspec.json.Decoder(Envelope, strict=False)
answer = msgspec.json.Decoder(Answer)
listing = msgspec.json.Decoder(Listing, strict=False)
tier = msgspec.json.Decoder(Tier, strict=False)
page = msgspec.json.Decoder(Page)
