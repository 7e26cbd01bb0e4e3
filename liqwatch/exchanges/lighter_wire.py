"""The frames and REST answers of Lighter, as typed structs; see lighter.py."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from liqwatch.exchanges.wire import Amount, Blank, Id, Millis, Positive, Rate

FRACTIONS = 10_000  # margin fractions are in 1/10,000

Signed = Annotated[float, Meta(gt=-1e15, lt=1e15)]
Fraction = Annotated[int, Meta(ge=0, le=FRACTIONS)]
PositiveFraction = Annotated[int, Meta(ge=1, le=FRACTIONS)]


class Trade(Struct, gc=False):
    """A row of `trades` or `liquidation_trades`; what both sides held before it is signed."""

    trade_id: Id
    type: str
    market_id: Id
    size: Positive
    price: Positive
    ask_account_id: Id
    bid_account_id: Id
    is_maker_ask: bool
    timestamp: Millis
    # Each of these is left out where it is zero, empty or false.
    taker_position_size_before: Signed | None = None
    taker_entry_quote_before: Amount = 0
    taker_initial_margin_fraction_before: Fraction = 0
    taker_position_sign_changed: bool = False
    maker_position_size_before: Signed | None = None
    maker_entry_quote_before: Amount = 0
    maker_initial_margin_fraction_before: Fraction = 0
    maker_position_sign_changed: bool = False

    @property
    def key(self) -> str:
        """Tell it from all others; that ids are of all markets together is not documented."""
        return f"{self.market_id} {self.trade_id}"


class Tape(Struct, gc=False):
    """A frame of trade/…, if every row is good."""

    type: str
    trades: list[Trade] | None = None
    liquidation_trades: list[Trade] | None = None


class Error(Struct):
    """Why a subscription was refused."""

    code: int = 0
    message: str = ""


class Message(Struct):
    """Any frame, its rows undecoded."""

    type: str = ""
    channel: str = ""
    timestamp: Millis | None = None
    trades: list[Raw] | None = None
    liquidation_trades: list[Raw] | None = None
    market_stats: dict[str, Raw] = {}
    error: Error | None = None


class Stats(Struct, gc=False):
    """A market in market_stats/all."""

    market_id: Id
    mark_price: Amount | Blank = ""
    index_price: Amount | Blank = ""
    open_interest: Amount | Blank = ""
    current_funding_rate: Rate | Blank = ""


class Listing(Struct):
    """A market in orderBookDetails; its open interest is in coins."""

    symbol: str
    market_id: Id
    status: str
    price_decimals: Annotated[int, Meta(ge=0, le=18)]
    min_initial_margin_fraction: PositiveFraction
    maintenance_margin_fraction: PositiveFraction
    open_interest: Amount
    market_type: str = "perp"


class Answer(Struct):
    """The answer of orderBookDetails."""

    code: int
    message: str = ""
    markets: list[Raw] = field(name="order_book_details", default_factory=list)


tape = msgspec.json.Decoder(Tape, strict=False)
trade = msgspec.json.Decoder(Trade, strict=False)
message = msgspec.json.Decoder(Message, strict=False)
stats = msgspec.json.Decoder(Stats, strict=False)
listing = msgspec.json.Decoder(Listing, strict=False)
answer = msgspec.json.Decoder(Answer)
