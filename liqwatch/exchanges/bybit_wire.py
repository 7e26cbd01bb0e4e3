"""The frames and REST answers of Bybit v5, as typed structs; see bybit.py."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from liqwatch.events import MarginTier
from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.wire import Amount, Blank, Millis, Moment, Positive, Rate


class Trade(Struct, gc=False):
    """A row of `publicTrade`; its side is the taker's."""

    time: Millis = field(name="T")
    symbol: str = field(name="s")
    side: Literal["Buy", "Sell"] = field(name="S")
    size: Positive = field(name="v")
    price: Positive = field(name="p")
    id: str = field(name="i")
    block: bool = field(name="BT", default=False)


class Trades(Struct, gc=False):
    """A whole frame of `publicTrade`."""

    topic: str
    rows: list[Trade] = field(name="data")


class Liquidation(Struct, gc=False):
    """A row of `allLiquidation`; its side is the position's."""

    time: Millis = field(name="T")
    symbol: str = field(name="s")
    side: Literal["Buy", "Sell"] = field(name="S")
    size: Positive = field(name="v")
    price: Positive = field(name="p")


class Ticker(Struct, gc=False, rename="camel"):
    """A frame of `tickers`: all fields in a snapshot, in a delta those that changed."""

    symbol: str
    mark_price: Amount | Blank | None = None
    index_price: Amount | Blank | None = None
    open_interest: Amount | Blank | None = None
    open_interest_value: Amount | Blank | None = None
    single_open_interest: Amount | Blank | None = None
    single_open_interest_value: Amount | Blank | None = None
    funding_rate: Rate | Blank | None = None
    funding_interval_hour: Amount | Blank | None = None
    next_funding_time: Moment | Blank | None = None

    def open_once(self) -> float | None:
        """Return the open interest, counted on one side."""
        return _single_sided(self.single_open_interest, self.open_interest)

    def open_value_once(self) -> float | None:
        """Return what it is worth, counted on one side."""
        return _single_sided(self.single_open_interest_value, self.open_interest_value)


def _single_sided(single: Amount | Blank | None, double: Amount | Blank | None) -> float | None:
    # `openInterest` counts long and short; since 2026-06-11 there is a field that counts once.
    if isinstance(single, float):
        return single
    return double / 2 if isinstance(double, float) else None


class Envelope(Struct):
    """What all frames and answers to requests share."""

    topic: str = ""
    ts: Millis | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    op: str = ""
    success: bool = True
    ret_msg: str = ""


class PriceFilter(Struct, rename="camel"):
    """The part of a listing that is about prices."""

    tick_size: Positive


class Listing(Struct, rename="camel"):
    """A row of `instruments-info`."""

    symbol: str
    contract_type: str
    status: str
    price_filter: PriceFilter


class Page(Struct):
    """A page of `instruments-info`."""

    rows: list[Raw] = field(name="list")
    next_cursor: str | None = field(name="nextPageCursor", default=None)


class RiskLimit(Struct, rename="camel"):
    """A row of `risk-limit`."""

    symbol: str
    risk_limit_value: Positive
    maintenance_margin: Positive
    initial_margin: Positive
    max_leverage: Positive
    is_lowest_risk: Literal[0, 1] = 0
    mm_deduction: Amount | Blank = ""

    def tier(self) -> MarginTier:
        """Return the tier, its rate as a share. Raises MalformedFrame where the scale is unclear.

        The documentation's sample has percent, the venue was seen to send decimals.
        """
        exact = self.initial_margin * self.max_leverage  # 1, or 100
        if 0.5 < exact < 2:
            scale = 1.0
        elif 50 < exact < 200:
            scale = 0.01
        else:
            raise MalformedFrame("unclear_scale", f"{self.initial_margin} at {self.max_leverage}x")
        nothing = 0.0 if self.is_lowest_risk else None
        return MarginTier(
            cap=self.risk_limit_value,
            rate=self.maintenance_margin * scale,
            max_leverage=self.max_leverage,
            amount=nothing if self.mm_deduction == "" else self.mm_deduction,
        )


class RiskLimits(Struct):
    """The answer of `risk-limit`."""

    rows: list[RiskLimit] = field(name="list")


class Kline(Struct, array_like=True, gc=False):
    """A row of `kline`; volume and turnover in coins and dollars, of inverse perpetuals the other
    way round.
    """

    time: Millis
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: Amount
    turnover: Amount


class OpenInterestPoint(Struct, rename="camel"):
    """A row of `open-interest`: coins, of inverse perpetuals dollars."""

    timestamp: Millis
    open_interest: Amount | Blank = ""
    single_open_interest: Amount | Blank = ""

    def open_once(self) -> float | None:
        """Return what is open, counted on one side; None where the row does not tell it."""
        return _single_sided(self.single_open_interest, self.open_interest)


class Past(Struct):
    """The answer of `kline` and `open-interest`."""

    rows: list[Raw] = field(name="list")


class Answer(Struct):
    """What all REST answers share."""

    code: int = field(name="retCode")
    message: str = field(name="retMsg", default="")
    result: Raw | UnsetType = UNSET


trades = msgspec.json.Decoder(Trades, strict=False)
trade = msgspec.json.Decoder(Trade, strict=False)
liquidation = msgspec.json.Decoder(Liquidation, strict=False)
ticker = msgspec.json.Decoder(Ticker, strict=False)
envelope = msgspec.json.Decoder(Envelope, strict=False)
answer = msgspec.json.Decoder(Answer)
page = msgspec.json.Decoder(Page)
listing = msgspec.json.Decoder(Listing, strict=False)
past = msgspec.json.Decoder(Past)
kline = msgspec.json.Decoder(Kline, strict=False)
open_interest_point = msgspec.json.Decoder(OpenInterestPoint, strict=False)
risk_limits = msgspec.json.Decoder(RiskLimits, strict=False)
