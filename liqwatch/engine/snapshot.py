"""All that the engine remembers, and how it is packed to outlive the process."""

from array import array
from typing import Any

import msgspec

from liqwatch.alerts import Direction
from liqwatch.engine.listings import Listing
from liqwatch.engine.liveness import Liveness
from liqwatch.engine.market_story import MarketStory
from liqwatch.engine.quarantine import Quarantine
from liqwatch.engine.state import SymbolState
from liqwatch.engine.venue import Venue
from liqwatch.events import PriceHistory


class EngineState(msgspec.Struct):
    """All that the engine remembers."""

    now_ms: int = 0  # on the venues' clock
    closed: int | None = None  # the last closed second
    lag_ms: int | None = None  # how far our clock runs ahead of it
    heard_ns: int = 0  # when anything was received last, our clock
    asleep: bool = False  # nothing was heard for so long that time stopped
    liveness: Liveness = msgspec.field(default_factory=Liveness)
    quarantine: Quarantine = msgspec.field(default_factory=Quarantine)
    venues: dict[str, Venue] = msgspec.field(default_factory=dict)
    spot_venues: dict[str, Venue] = msgspec.field(default_factory=dict)  # of coins themselves
    listings: dict[str, Listing] = msgspec.field(default_factory=dict)  # by instrument
    past_prices: dict[str, PriceHistory] = msgspec.field(default_factory=dict)  # by venue, the last
    symbols: dict[str, SymbolState] = msgspec.field(default_factory=dict)
    market: dict[Direction, MarketStory] = msgspec.field(default_factory=dict)

    @property
    def every_venue(self) -> dict[str, Venue]:
        """All that are listened to, whatever they trade."""
        return self.venues | self.spot_venues


def pack(state: EngineState) -> bytes:
    """Return the state as msgpack."""
    return msgspec.msgpack.encode(state, enc_hook=_encode)


def unpack(snapshot: bytes) -> EngineState:
    """Return the state in a snapshot; raises msgspec.ValidationError if it is not one."""
    return msgspec.msgpack.decode(snapshot, type=EngineState, dec_hook=_decode)


def _encode(value: object) -> object:
    if isinstance(value, array):
        return value.tobytes()
    raise TypeError(f"{type(value)} has no place in a snapshot")


def _decode(kind: type, value: Any) -> object:
    if kind is array:
        cells = array("f")
        cells.frombytes(value)
        return cells
    raise TypeError(f"{kind} has no place in a snapshot")
