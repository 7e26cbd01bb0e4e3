"""The frames and REST answers of OKX v5, as typed structs; see okx.py."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from liqwatch.exchanges.wire import Amount, Blank, Count, Id, Millis, Positive, Rate, Share


class TradesArg(Struct, gc=False, tag_field="channel", tag="trades"):
    """Names the channel, and nothing else that is of use."""


class Trade(Struct, gc=False, rename="camel"):
    """A row of `trades`: one match, or `count` of one order at one price."""

    inst_id: str
    trade_id: Id
    px: Positive
    sz: Positive
    side: Literal["buy", "sell"]
    ts: Millis
    count: Count = 1


class Trades(Struct, gc=False):
    """A whole frame of `trades`."""

    arg: TradesArg
    data: list[Trade]


class Liquidation(Struct, gc=False, rename="camel"):
    """A detail of `liquidation-orders`; `side` is that of the order."""

    side: Literal["buy", "sell"]
    bk_px: Positive
    sz: Positive
    ts: Millis
    pos_side: str = ""


class Liquidations(Struct, rename="camel"):
    """A row of `liquidation-orders`, of the stream and over REST."""

    inst_id: str
    details: list[Raw]


class OpenInterest(Struct, gc=False, rename="camel"):
    """A row of `open-interest`."""

    inst_id: str
    oi_ccy: Amount
    ts: Millis
    oi_usd: Amount | Blank = ""


class MarkPrice(Struct, gc=False, rename="camel"):
    """A row of `mark-price`."""

    inst_id: str
    mark_px: Positive
    ts: Millis


class Funding(Struct, gc=False, rename="camel"):
    """A row of `funding-rate`; `funding_time` is the next one to come."""

    inst_id: str
    funding_rate: Rate
    ts: Millis
    funding_time: Millis
    next_funding_time: Millis | Blank = ""


class Arg(Struct, frozen=True, rename="camel"):
    """What a frame is about."""

    channel: str = ""
    inst_id: str = ""
    inst_type: str = ""

    def topic(self) -> str:
        """Return it as we name topics."""
        return f"{self.channel}:{self.inst_id or self.inst_type}"


class Envelope(Struct):
    """What all frames and answers to requests share."""

    event: str = ""
    arg: Arg = Arg()
    data: Raw | UnsetType = UNSET
    code: str = ""
    msg: str = ""


class Listing(Struct, rename="camel"):
    """A row of `instruments`; of one that is not open yet, most is empty."""

    inst_id: str
    ct_type: Literal["linear", "inverse", ""]
    ct_val: Positive | Blank
    ct_mult: Positive | Blank
    tick_sz: Positive | Blank
    state: str


class Tier(Struct, rename="camel"):
    """A row of `position-tiers`."""

    inst_family: str
    max_sz: Positive
    mmr: Share
    max_lever: Positive


class Candle(Struct, array_like=True, gc=False):
    """A row of `candles`; `volume` in contracts, `coins` and `paid` what they were worth."""

    ts: Millis
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: Amount
    coins: Amount
    paid: Amount


class OpenInterestPoint(Struct, array_like=True, gc=False):
    """A row of `open-interest-history`: when its hour begins, contracts, coins."""

    ts: Millis
    oi: Amount
    oi_ccy: Positive


class Answer(Struct):
    """What all REST answers share."""

    code: str
    msg: str = ""
    data: list[Raw] = []


trades = msgspec.json.Decoder(Trades, strict=False)
trade = msgspec.json.Decoder(Trade, strict=False)
liquidations = msgspec.json.Decoder(Liquidations)
liquidation = msgspec.json.Decoder(Liquidation, strict=False)
open_interest = msgspec.json.Decoder(OpenInterest, strict=False)
mark_price = msgspec.json.Decoder(MarkPrice, strict=False)
funding = msgspec.json.Decoder(Funding, strict=False)
envelope = msgspec.json.Decoder(Envelope)
answer = msgspec.json.Decoder(Answer)
listing = msgspec.json.Decoder(Listing, strict=False)
candle = msgspec.json.Decoder(Candle, strict=False)
open_interest_point = msgspec.json.Decoder(OpenInterestPoint, strict=False)
tier = msgspec.json.Decoder(Tier, strict=False)
