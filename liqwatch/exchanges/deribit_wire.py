"""The frames and REST answers of Deribit, as typed structs; see deribit.py."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from liqwatch.exchanges.wire import Amount, Id, Millis, Positive, Rate


class Trade(Struct, gc=False):
    """A row of `trades`; `liquidation` says who of the two was liquidated: T, M or MT."""

    instrument_name: str
    timestamp: Millis
    trade_seq: Id
    trade_id: str
    price: Positive
    amount: Positive
    direction: Literal["buy", "sell"]
    liquidation: str = ""
    block_trade_id: str | int | None = None
    block_rfq_id: str | int | None = None
    combo_id: str | int | None = None
    combo_trade_id: str | int | None = None

    @property
    def off_book(self) -> str:
        """What it is instead of a match on this instrument's book, empty for a match."""
        if self.block_trade_id is not None or self.block_rfq_id is not None:
            return "block"
        return "" if self.combo_id is None and self.combo_trade_id is None else "combo"


class Ticker(Struct, gc=False):
    """What `ticker` tells of a perpetual."""

    instrument_name: str
    timestamp: Millis
    mark_price: Positive
    open_interest: Amount
    index_price: Positive | None = None
    funding_8h: Rate | None = None


class Params(Struct, frozen=True):
    """What a notification is about, and what a heartbeat wants."""

    channel: str = ""
    data: Raw | UnsetType = UNSET
    type: str = ""


class Error(Struct):
    """Why a request was refused."""

    code: int
    message: str = ""


class Envelope(Struct):
    """What all frames and REST answers share: they are JSON-RPC 2.0."""

    method: str = ""
    params: Params = Params()
    result: Raw | UnsetType = UNSET
    error: Error | UnsetType = UNSET


class Listing(Struct):
    """A row of `get_instruments`."""

    instrument_name: str
    settlement_period: str
    base_currency: str
    quote_currency: str
    contract_size: Positive
    tick_size: Positive
    instrument_type: Literal["reversed", "linear"] | None = None
    future_type: Literal["reversed", "linear"] | None = None  # its older name
    state: str = ""
    is_active: bool = True


class LastTrades(Struct):
    """The answer of `get_last_trades_by_instrument_and_time`."""

    trades: list[Raw]
    has_more: bool = False


trade = msgspec.json.Decoder(Trade)
trades = msgspec.json.Decoder(list[Trade])
ticker = msgspec.json.Decoder(Ticker)
envelope = msgspec.json.Decoder(Envelope)
channels = msgspec.json.Decoder(list[str])
listing = msgspec.json.Decoder(Listing)
last_trades = msgspec.json.Decoder(LastTrades)
