"""What every venue file must answer: where to connect, what to say there, what the frames mean.

An `Exchange` is pure: frames in, events out. It remembers only what the meaning of the next frame
depends on (instruments, ids already seen), and that memory can be saved and restored.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Sequence
from typing import ClassVar

import msgspec

from liqwatch.events import Completeness, Instrument, MarketEvent


class MalformedFrame(ValueError):  # noqa: N818 - the word of the contracts
    """A frame that is not what the venue documents. `kind` is a short, countable reason."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


class Heartbeat(msgspec.Struct, frozen=True):
    """A text frame the venue wants to hear every `interval_s` seconds."""

    text: str
    interval_s: float


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One websocket connection: its address, what to send after opening, how to keep it alive."""

    url: str
    requests: tuple[str, ...]  # subscribe frames, in order
    topics: tuple[str, ...]  # what they ask for, in the venue's words
    request_gap_s: float = 0.2  # pause between two of our frames, within the venue's limit
    heartbeat: Heartbeat | None = None
    protocol_ping_s: float | None = None  # websocket ping frames, where the venue allows them
    idle_timeout_s: float = 30.0  # nothing at all received for so long: the connection is dead
    rotate_after_s: float | None = None  # planned reconnect, before the venue forces one


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """One REST address to ask again and again."""

    url: str
    interval_s: float


class Acknowledged(msgspec.Struct, frozen=True):
    """The venue took a subscription; topics are empty where its answer does not name them."""

    topics: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """The venue refused a subscription, in its own words."""

    reason: str
    topics: tuple[str, ...] = ()


class Notice(msgspec.Struct, frozen=True):
    """The venue announces that it will close this connection: open another one now."""

    reason: str


Control = Acknowledged | Refused | Notice


class Exchange(ABC):
    """One venue. Subclasses say where to listen and what they hear.

    `counts` counts, by short reason, what was seen and deliberately not turned into an event
    (duplicates, history, unknown instruments, messages of no interest).
    """

    venue: ClassVar[str]
    title: ClassVar[str]  # as people say it: "Binance USDⓈ-M"
    completeness: ClassVar[Completeness]  # of the liquidation feed
    limits: ClassVar[str]  # what the feeds do not show, one line for the README
    connects_per_s: ClassVar[float]  # connection attempts the venue allows, shared by all sockets

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}  # by the venue's own name
        self.counts: Counter[str] = Counter()

    @abstractmethod
    def bootstrap(self) -> Sequence[Poll]:
        """Polls that must be answered before subscribing: instruments, contract sizes."""

    @abstractmethod
    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Connections for these base coins (None: every perpetual listed), within the limits.

        Uses `instruments`; one linear USDT perpetual per coin is chosen.
        """

    @abstractmethod
    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Slow facts that no stream brings, and a slow reload of the instruments."""

    @abstractmethod
    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one websocket frame, received at `received` ns, into events.

        Raises MalformedFrame. A frame of no interest gives an empty sequence and is counted.
        """

    @abstractmethod
    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:
        """Turn one REST answer into events, remember instruments. Raises MalformedFrame."""

    @abstractmethod
    def snapshot(self) -> bytes:
        """Everything the meaning of later frames depends on, as msgpack."""

    @abstractmethod
    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave."""
