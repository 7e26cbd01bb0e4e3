"""What the venues said, normalised: the only words that cross from the exchanges to the engine.

Times are the venue's own, in ms since the Unix epoch; `received` is our clock at receipt, in ns.
Prices are quote currency per coin, sizes are base coins. The shapes are those of the event file.
"""

from enum import StrEnum
from typing import ClassVar, Literal

import msgspec


class Position(StrEnum):
    """Whose position a liquidation closes."""

    LONG = "long"
    SHORT = "short"


class Side(StrEnum):
    """The taker's side of a trade."""

    BUY = "buy"
    SELL = "sell"


class PriceKind(StrEnum):
    """What the price of a liquidation is. Only `FILL` may enter a price series."""

    FILL = "fill"
    BANKRUPTCY = "bankruptcy"
    ORDER = "order"
    MARK = "mark"
    REFERENCE = "reference"


class Completeness(StrEnum):
    """How much of the venue's forced flow its liquidation feed shows."""

    FULL = "full"
    SAMPLED = "sampled"
    UNKNOWN = "unknown"


class Mechanism(StrEnum):
    """How a position was closed; only `BOOK` pushes the price."""

    BOOK = "book"
    BACKSTOP = "backstop"
    ADL = "adl"


class ContractType(StrEnum):
    """Linear contracts are worth coins, inverse ones are worth USD."""

    LINEAR = "linear"
    INVERSE = "inverse"


class Trade(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="trade"):
    """One match on the book, or several of one taker order at one price."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    price: float
    size: float
    side: Side
    id: str | None = None


class Liquidation(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag_field="kind",
    tag="liquidation",
    omit_defaults=True,  # `history` is written only where it is true
):
    """A position closed by force."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    position: Position
    size: float
    price: float
    price_kind: PriceKind
    notional_usd: float
    completeness: Completeness
    mechanism: Mechanism = msgspec.field(default_factory=lambda: Mechanism.BOOK)  # always written
    history: bool = False  # told again, or late, after a subscription or a gap: decides nothing


class OpenInterest(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="open_interest"):
    """Open contracts in base coins, counted on one side only."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    size: float
    notional_usd: float | None = None


class MarkPrice(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="mark_price"):
    """The price at which the venue judges margin."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    price: float
    index_price: float | None = None


class Funding(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="funding"):
    """The funding rate per interval, as a decimal; `next_time` in ms."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    rate: float
    interval_hours: float | None = None
    next_time: int | None = None


class Instrument(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="instrument"):
    """A contract as the venue lists it. `contract_size` is base coins (linear) or USD (inverse)."""

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    contract_type: ContractType
    contract_size: float
    tick_size: float
    status: str


class MarginTier(msgspec.Struct, frozen=True, gc=False):
    """Maintenance margin of positions up to `cap`, in the unit of its `MarginTiers`.

    `rate` is a share of the position's value; `amount` is what the venue subtracts from the margin
    so that it grows without a step ("maintenance amount", "deduction"), None if it does not say.
    """

    cap: float
    rate: float
    max_leverage: float | None = None
    amount: float | None = None


class MarginTiers(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="margin_tiers"):
    """The margin tiers of an instrument, smallest first; a last cap of 1e18 means none.

    Internal: never written to the event file.
    """

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    unit: Literal["usd", "coin"]  # of the caps and amounts
    tiers: tuple[MarginTier, ...]


class AccountPosition(
    msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="account_position"
):
    """What an account holds, where the venue publishes it; size 0: nothing any more.

    `liquidation_price` is the venue's own figure, None where it gives none. Internal: never written
    to the event file.
    """

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    account: str
    position: Position
    size: float
    entry_price: float | None = None
    liquidation_price: float | None = None
    leverage: float | None = None


class PriceBar(msgspec.Struct, frozen=True, gc=False):
    """What was traded in the interval that begins at `time`, at prices per coin.

    `average` is what was paid over what was traded, or the middle of the bar where that is not
    told.
    """

    time: int
    low: float
    high: float
    average: float


class PriceHistory(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="price_history"):
    """What an instrument was traded at before anybody listened, oldest first.

    Internal: never written to the event file.
    """

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    interval_ms: int
    bars: tuple[PriceBar, ...]


class OpenInterestHistory(
    msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="open_interest_history"
):
    """What was open before anybody listened, counted on one side: (time, size), oldest first.

    Internal: never written to the event file.
    """

    venue: str
    symbol: str
    instrument: str
    time: int
    received: int
    unit: Literal["usd", "coin"]  # of the sizes; inverse contracts are counted in USD
    points: tuple[tuple[int, float], ...]


STOPPED = "stopped"  # ends the reason of a disconnect that we wanted ourselves


class Disconnect(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="disconnect"):
    """A gap begins: this stream delivers nothing until a `Connect` follows."""

    symbol: ClassVar[None] = None

    venue: str
    time: int
    received: int
    stream: str
    reason: str


class Connect(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="connect"):
    """A stream delivered its first data. Internal: never written to the event file."""

    venue: str
    time: int
    received: int
    stream: str


class Opened(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="opened"):
    """A stream was opened: from now on data is expected. Internal."""

    venue: str
    time: int
    received: int
    stream: str


class Subscribed(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="subscribed"):
    """The venue took a subscription on a stream, which promises nothing. Internal."""

    venue: str
    time: int
    received: int
    stream: str


class Failed(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="failed"):
    """A stream ended or was not to be had, or, without a stream, a request was refused. Internal.

    Whether that is a gap in the data is said by `Disconnect` alone.
    """

    venue: str
    time: int
    received: int
    stream: str | None
    reason: str


class Tick(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="tick"):
    """Time passed on our clock (ms). Internal: never written to the event file.

    `recorded` is when the newest record of any kind was received, 0 where that is not known.
    """

    time: int
    recorded: int = 0


MarketEvent = (
    Trade
    | Liquidation
    | OpenInterest
    | MarkPrice
    | Funding
    | Instrument
    | MarginTiers
    | AccountPosition
    | PriceHistory
    | OpenInterestHistory
)
Event = MarketEvent | Disconnect | Connect | Opened | Subscribed | Failed | Tick
