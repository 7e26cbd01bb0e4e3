"""The frames and REST answers of HTX's linear swaps, as typed structs; see htx.py."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from liqwatch.exchanges.wire import Amount, Blank, Id, Millis, Positive, Rate

Stamp = int | Annotated[str, Meta(max_length=32)]  # text in pings, a number in answers


class Message(Struct, rename={"error_code": "err-code", "error": "err-msg"}):
    """Any frame of either socket."""

    ping: Millis | UnsetType = UNSET
    ch: str = ""
    tick: Raw | UnsetType = UNSET
    subbed: str = ""
    status: str = ""
    id: str = ""
    op: str = ""
    topic: str = ""
    ts: Stamp | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    error_code: int | str = 0
    error: str = ""


class Tick(Struct):
    """What a trade message carries."""

    data: Raw


class Trade(Struct, gc=False):
    """A row of `trade.detail`; `quantity` is coins, `direction` the taker's, and may be empty."""

    id: Id
    ts: Millis
    price: Positive
    quantity: Positive
    direction: Literal["buy", "sell", ""]


class Liquidation(Struct, gc=False):
    """A row of `liquidation_orders`; `side` is that of the closing order."""

    code: str = field(name="contract_code")
    side: Literal["buy", "sell"] = field(name="direction")
    contracts: Positive = field(name="volume")
    coins: Positive = field(name="amount")
    turnover: Positive = field(name="trade_turnover")
    time: Millis = field(name="created_at")
    price: Amount | Blank | None = None


class PastLiquidation(Struct, gc=False):
    """A row of the v5 list, whose `amount` is contracts; `side` is that of the closing order."""

    code: str = field(name="contract_code")
    side: Literal["buy", "sell"]
    position_side: Literal["long", "short", "both"]
    contracts: Positive = field(name="volume")
    turnover: Positive = field(name="trade_turnover")
    time: Millis = field(name="liquidation_time")
    price: Amount | Blank | None = field(name="bankrupt_price", default=None)


class OpenInterest(Struct, gc=False):
    """A row of `swap_open_interest`: coins and dollars of both sides."""

    code: str = field(name="contract_code")
    coins: Amount = field(name="amount")
    value: Amount | None = None


class Funding(Struct, gc=False):
    """A row of `swap_batch_funding_rate`, whose `time` is that of the next payment, or of the topic
    `funding_rate`, which calls that the settlement.
    """

    code: str = field(name="contract_code")
    rate: Rate | None = field(name="funding_rate", default=None)
    time: Millis | None = field(name="funding_time", default=None)
    settlement: Millis | None = field(name="settlement_time", default=None)


class Listing(Struct):
    """A row of `swap_contract_info`; status 1 is trading."""

    code: str = field(name="contract_code")
    size: Positive = field(name="contract_size")
    tick: Positive = field(name="price_tick")
    status: int = field(name="contract_status")


class Kline(Struct, gc=False):
    """A row of the history of prices: `id` is its begin in s; both sides' coins and dollars."""

    id: Annotated[int, Meta(gt=0, lt=10**11)]
    low: Positive
    high: Positive
    close: Positive
    coins: Amount = field(name="amount", default=0)
    paid: Amount = field(name="trade_turnover", default=0)


class OpenInterestPoint(Struct, gc=False):
    """A row of `swap_his_open_interest`: coins (amount_type 2) of both sides."""

    ts: Millis
    coins: Positive = field(name="volume")


class Ticks(Struct):
    """The data of `swap_his_open_interest`."""

    tick: list[Raw]


class Answer(Struct, rename={"error": "err_msg"}):
    """What surrounds the rows: `status` in v1, `code` in v5."""

    data: Raw | UnsetType = UNSET
    status: str = ""
    code: int = 0
    error: str = ""
    message: str = ""
    ts: Millis | UnsetType = UNSET


message = msgspec.json.Decoder(Message)
tick = msgspec.json.Decoder(Tick)
trade = msgspec.json.Decoder(Trade, strict=False)
liquidation = msgspec.json.Decoder(Liquidation, strict=False)
past_liquidation = msgspec.json.Decoder(PastLiquidation, strict=False)
open_interest = msgspec.json.Decoder(OpenInterest, strict=False)
funding = msgspec.json.Decoder(Funding, strict=False)
kline = msgspec.json.Decoder(Kline, strict=False)
ticks = msgspec.json.Decoder(Ticks)
open_interest_point = msgspec.json.Decoder(OpenInterestPoint, strict=False)
listing = msgspec.json.Decoder(Listing, strict=False)
answer = msgspec.json.Decoder(Answer)
