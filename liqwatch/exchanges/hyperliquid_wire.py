"""Hyperliquid's JSON as structs: rows of its streams, answers of its info endpoint.

The addresses of the documentation stand in hyperliquid.py.
"""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from liqwatch.events import MarginTier
from liqwatch.exchanges.wire import NO_CAP, UNREADABLE, Amount, Id, Millis, Positive, Rate

Address = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$")]
_Signed = Annotated[float, Meta(gt=-1e15, lt=1e15)]
_Leverage = Annotated[int, Meta(ge=1, le=1000)]
_MAX_DECIMALS = 6  # of a perpetual's price, before those of its size are taken off


class TradeRow(Struct, gc=False):
    """A public trade. `side` is the taker's, `users` are buyer and seller (absent until 2024)."""

    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: Positive
    time: Millis
    tid: Id
    users: tuple[Address, Address] | None = None

    @property
    def key(self) -> str:
        """What tells this match from all others; `tid` alone is a hash of 50 bits."""
        return f"{self.time} {self.coin} {self.tid}"

    @property
    def taker(self) -> str:
        """Who crossed the spread, "" if nobody is named."""
        return self.users[self.side == "A"].lower() if self.users else ""

    @property
    def maker(self) -> str:
        """Whose order rested on the book, "" if nobody is named."""
        return self.users[self.side == "B"].lower() if self.users else ""


class Trades(Struct, gc=False):
    """One frame of trades."""

    channel: Literal["trades"]
    data: list[TradeRow]


class FillLiquidation(Struct, gc=False, rename="camel"):
    """What a fill says of the liquidation it is part of."""

    method: Literal["market", "backstop"]
    liquidated_user: Address | None = None


class FillRow(Struct, gc=False):
    """A match as one of its two parties is told of it. `side` is that party's own."""

    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: Positive
    time: Millis
    tid: Id
    dir: str = ""
    liquidation: FillLiquidation | None = None

    @property
    def key(self) -> str:
        """The same for both parties, and the same as that of the public trade."""
        return f"{self.time} {self.coin} {self.tid}"

    @property
    def victim(self) -> str:
        """Who is liquidated, "" if nobody is, or is not named."""
        user = self.liquidation and self.liquidation.liquidated_user
        return user.lower() if user else ""


class UserFills(Struct, rename="camel"):
    """Fills of `user`; the first after subscribing are history."""

    user: Address
    fills: list[Raw]
    is_snapshot: bool = False


class UserEvents(Struct):
    """What happened to a user who is not named; fills are one kind of it."""

    fills: list[Raw] | UnsetType = UNSET


class ContextRow(Struct, gc=False, rename="camel"):
    """The state of one perpetual. Open interest is one side, in coins; funding is per hour."""

    mark_px: Positive
    oracle_px: Positive
    open_interest: Amount
    funding: Rate


class Contexts(Struct):
    """Name and contexts of each dex, the contexts in the order of its universe."""

    ctxs: list[tuple[str, Raw]]


class Subscription(Struct, rename="camel", omit_defaults=True):
    """A subscription as we ask for it and the venue repeats it."""

    type: str = ""
    coin: str = ""
    user: str = ""
    aggregate_by_time: bool | None = None

    @property
    def topic(self) -> str:
        """Its name, such as `trades:BTC`."""
        about = self.coin or self.user
        return f"{self.type}:{about}" if about else self.type


class Request(Subscription):
    """What an answer is about: a request, or the subscription itself."""

    method: str = ""
    subscription: Subscription | None = None


class Envelope(Struct):
    """Any frame."""

    channel: str = ""
    data: Raw | UnsetType = UNSET


class ListingRow(Struct, rename="camel"):
    """One entry of the universe."""

    name: Annotated[str, Meta(min_length=1)]
    sz_decimals: Annotated[int, Meta(ge=0, le=_MAX_DECIMALS)]
    max_leverage: _Leverage
    margin_table_id: Annotated[int, Meta(ge=1)] | None = None
    is_delisted: bool = False

    @property
    def price_decimals(self) -> int:
        """Of the smallest prices; larger ones have at most five significant figures."""
        return _MAX_DECIMALS - self.sz_decimals


class TierRow(Struct, rename="camel"):
    """From this position value on, in dollars, less leverage is allowed."""

    lower_bound: Amount
    max_leverage: _Leverage


class MarginTable(Struct, rename="camel"):
    """How the leverage allowed falls with the size of a position."""

    margin_tiers: Annotated[list[TierRow], Meta(min_length=1)]

    def tiers(self) -> tuple[MarginTier, ...]:
        """Return the tiers. Half of what it takes to open a position must be left to keep it."""
        rows = sorted(self.margin_tiers, key=lambda row: row.lower_bound)
        caps = [row.lower_bound for row in rows[1:]] + [NO_CAP]
        tiers: list[MarginTier] = []
        rate = amount = 0.0
        for row, cap in zip(rows, caps, strict=True):
            higher = 1 / (2 * row.max_leverage)
            amount += row.lower_bound * (higher - rate)
            rate = higher
            tiers.append(MarginTier(cap, rate, row.max_leverage, amount))
        return tuple(tiers)


class Universe(Struct, rename="camel"):
    """The answer to `meta`."""

    universe: list[Raw]
    margin_tables: list[Raw] = []


class _Leveraged(Struct):
    value: Positive


class PositionRow(Struct, rename="camel"):
    """What an account holds of one coin; `szi` is negative for a short."""

    coin: str
    szi: _Signed
    leverage: _Leveraged
    position_value: Amount
    entry_px: Positive | None = None
    liquidation_px: Amount | None = None  # null where it cannot be liquidated

    @property
    def worth_usd(self) -> float:
        """What it is worth; negative for a short."""
        return math.copysign(self.position_value, self.szi)


class _AssetPosition(Struct):
    position: PositionRow


class AccountState(Struct, rename="camel"):
    """The answer to `clearinghouseState`."""

    asset_positions: list[_AssetPosition]
    time: Millis

    @property
    def positions(self) -> list[PositionRow]:
        """What the account holds."""
        return [asset.position for asset in self.asset_positions if asset.position.szi]


class _Children(Struct, rename="camel"):
    child_addresses: Annotated[list[Address], Meta(min_length=1)]


class _Relationship(Struct):
    data: _Children


class Vault(Struct):
    """The answer to `vaultDetails` of a parent vault."""

    relationship: _Relationship


class InfoRequest(Struct):
    """What was asked of the info endpoint."""

    type: str
    user: str = ""


trades = msgspec.json.Decoder(Trades, strict=False)
trade = msgspec.json.Decoder(TradeRow, strict=False)
user_fills = msgspec.json.Decoder(UserFills)
user_events = msgspec.json.Decoder(UserEvents)
fill = msgspec.json.Decoder(FillRow, strict=False)
contexts = msgspec.json.Decoder(Contexts)
context = msgspec.json.Decoder(ContextRow, strict=False)
envelope = msgspec.json.Decoder(Envelope)
request = msgspec.json.Decoder(Request)
words = msgspec.json.Decoder(str)
universe = msgspec.json.Decoder(Universe)
listing = msgspec.json.Decoder(ListingRow)
margin_table = msgspec.json.Decoder(tuple[int, MarginTable], strict=False)
account_state = msgspec.json.Decoder(AccountState, strict=False)
vault = msgspec.json.Decoder(Vault)
info_request = msgspec.json.Decoder(InfoRequest)


def topic_in(words: str) -> str:
    """Return what a refusal is about, "" if it does not end with the request in JSON."""
    try:
        asked = request.decode(words[words.find("{") :])
    except UNREADABLE:
        return ""
    return (asked.subscription or asked).topic
