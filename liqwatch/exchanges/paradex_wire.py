"""The frames and REST answers of Paradex as typed structs; its binary trades; see paradex.py."""

import struct
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.wire import Amount, Blank, Millis, Positive, Rate

SCHEMA = (1).to_bytes(2, "little")  # bytes 4 and 5 of a frame, such as no JSON text can have
TRADE_EVENT, HEARTBEAT_EVENT = 1, 40  # templates
_HEADER = struct.Struct("<HHHH")  # block length, template, schema, version
_TRADE = struct.Struct("<qqqBqqqB")
_SIDES = {1: "BUY", 2: "SELL"}
_TYPES = {
    1: "FILL",
    2: "LIQUIDATION",
    3: "UNWIND_TRANSFER",
    4: "SETTLE_MARKET",
    5: "RPI",
    6: "BLOCK_TRADE",
}
_LOW_64_BITS = (1 << 64) - 1


class Trade(Struct, gc=False):
    """A trade; `side` is the taker's, empty where it cannot be told.

    `seq` is its number in the order book, 0 for a trade that never was there; JSON does not tell.
    """

    id: str
    market: str
    side: Literal["BUY", "SELL", ""]
    size: Positive
    price: Positive
    time: Millis = field(name="created_at")
    type: str = field(name="trade_type")
    seq: int | None = None


class Summary(Struct, gc=False):
    """A row of `/markets/summary`."""

    market: str = field(name="symbol")
    time: Millis = field(name="created_at")
    mark_price: Amount | Blank | None = None
    index_price: Amount | Blank | None = field(name="underlying_price", default=None)
    open_interest: Amount | Blank | None = None
    funding_rate: Rate | Blank | None = None


class Margin(Struct):
    """Initial margin, and the share of it that is the maintenance margin."""

    initial: Amount | Blank = field(name="imf_base", default="")
    maintenance_share: Amount | Blank = field(name="mmf_factor", default="")
    growth: Amount | Blank = field(name="imf_factor", default="")


class Listing(Struct):
    """A row of `/markets`."""

    market: str = field(name="symbol")
    tick: Positive = field(name="price_tick_size")
    margin: Margin | None = field(name="delta1_cross_margin_params", default=None)
    funding_hours: Positive | None = field(name="funding_period_hours", default=None)


class Params(Struct):
    """What a pushed message carries."""

    channel: str = ""
    data: Raw | UnsetType = UNSET


class Result(Struct):
    """What was subscribed."""

    channel: str = ""


class Error(Struct):
    """Why it was not."""

    code: int = 0
    message: str = ""


class Message(Struct):
    """Any JSON frame."""

    method: str = ""
    params: Params | UnsetType = UNSET
    result: Result | UnsetType = UNSET
    error: Error | UnsetType = UNSET


class Answer(Struct):
    """What surrounds the rows of a REST answer."""

    results: list[Raw]


trade = msgspec.json.Decoder(Trade, strict=False)
summary = msgspec.json.Decoder(Summary, strict=False)
listing = msgspec.json.Decoder(Listing, strict=False)
message = msgspec.json.Decoder(Message)
answer = msgspec.json.Decoder(Answer)


def template(frame: bytes) -> int:
    """What a binary frame is. Raises MalformedFrame: `cut_off`."""
    if len(frame) < _HEADER.size:
        raise MalformedFrame("cut_off", "header")
    return int.from_bytes(frame[2:4], "little")


def trade_event(frame: bytes) -> Trade:
    """Read a binary trade, header and all. Raises MalformedFrame: `cut_off` or `bad_field`.

    Later versions append fields to the block, and texts behind the name of the market.
    """
    block_length, *_ = _HEADER.unpack_from(frame)
    name = _HEADER.size + block_length + 1
    length = frame[name - 1] if name <= len(frame) else 0
    if block_length < _TRADE.size or not length or len(frame) < name + length:
        raise MalformedFrame("cut_off", "trade")
    _, seq, number, side, price, size, created_us, kind = _TRADE.unpack_from(frame, _HEADER.size)
    fields = {
        "id": str(number & _LOW_64_BITS),
        "market": frame[name : name + length].decode(errors="replace"),
        "side": _SIDES.get(side, ""),
        "size": size / 1e8,
        "price": price / 1e8,
        "created_at": created_us // 1000,
        "trade_type": _TYPES.get(kind, str(kind)),
        "seq": seq,
    }
    try:
        return msgspec.convert(fields, Trade)
    except msgspec.ValidationError as error:
        raise MalformedFrame("bad_field", str(error)[:200]) from None


def low_64_bits(number: str) -> str:
    """What the binary form leaves of an id, so that both forms and the past trades agree."""
    is_number = len(number) <= 40 and number.isdecimal()
    return str(int(number) & _LOW_64_BITS) if is_number else number
