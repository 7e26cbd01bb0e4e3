"""What every venue file must answer: where to connect, what to say there, what the frames mean.

An `Exchange` is pure: frames in, events out. It remembers only what the meaning of the next frame
depends on (instruments, ids already seen), and that memory can be saved and restored.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
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
    """One websocket connection: its address, what to send after opening, how to keep it alive.

    `routes` are other addresses for the same streams, tried in turn when `url` takes the
    subscriptions and stays silent.
    """

    url: str
    routes: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()  # of the HTTP request that opens the connection
    requests: tuple[str, ...]  # subscribe frames, in order
    topics: tuple[str, ...]  # what they ask for, in the venue's words
    request_gap_s: float = 0.2  # pause between two of our frames, within the venue's limit
    heartbeat: Heartbeat | None = None
    protocol_ping_s: float | None = None  # websocket ping frames, where the venue allows them
    idle_timeout_s: float = 30.0  # nothing at all received for so long: the connection is dead
    silent_after_s: float | None = None  # no data for so long, though alive: the route is dead
    rotate_after_s: float | None = None  # planned reconnect, before the venue forces one


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """One REST address to ask again and again; a fragment (`#…`) is the body of a POST."""

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


class Reply(msgspec.Struct, frozen=True):
    """The venue asked for an answer at once, such as the pong to a ping inside its protocol."""

    text: str


class Alive(msgspec.Struct, frozen=True):
    """The venue answered our heartbeat, or sent its own: the connection lives. It is no data."""


Control = Acknowledged | Refused | Notice | Reply | Alive


class Channel(StrEnum):
    """What a venue can tell of its market."""

    TRADES = "trades"
    LIQUIDATIONS = "liquidations"
    OPEN_INTEREST = "open interest"
    MARK_PRICE = "mark price"
    FUNDING = "funding"
    MARGIN_TIERS = "margin tiers"
    POSITIONS = "positions"


class Exchange(ABC):
    """One venue. Subclasses say where to listen and what they hear.

    `counts` counts, by short reason, what was seen and deliberately not turned into an event
    (duplicates, history, unknown instruments, messages of no interest).
    """

    venue: ClassVar[str]
    title: ClassVar[str]  # as people say it: "Binance USDⓈ-M"
    spot: ClassVar[bool] = False  # coins themselves are traded there: context, decides nothing
    completeness: ClassVar[Completeness]  # of the liquidation feed
    channels: ClassVar[frozenset[Channel]]  # what its file brings, by stream or poll
    limits: ClassVar[str]  # what the feeds do not show, one line for the README
    connects_per_s: ClassVar[float]  # connection attempts the venue allows, shared by all sockets
    rest_per_s: ClassVar[float] = 10.0  # REST requests, likewise, with room to spare
    # Requests a second for the past of instruments; None where the venue documents no past of both
    # open interest and prices.
    history_per_s: ClassVar[float | None] = None
    # Forced orders an hour on an ordinary day, all coins together: what silence is judged by until
    # the feed's own rate is learned. None where nothing was ever measured.
    usual_liquidations_per_h: ClassVar[float | None] = None

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}  # by the venue's own name
        self.counts: Counter[str] = Counter()

    @abstractmethod
    def bootstrap(self) -> Sequence[Poll]:
        """Polls that must be answered before subscribing: instruments, contract sizes."""

    @abstractmethod
    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Connections for these base coins (None: every perpetual listed), within the limits.

        Uses `instruments`; one perpetual per coin is chosen, the linear one where there are two.
        """

    @abstractmethod
    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:
        """Slow facts that no stream brings, and a slow reload of the instruments.

        Asked again every minute and after new instruments, so it may change with what was learned.
        """

    def backfill(
        self,
        symbols: Collection[str] | None,  # noqa: ARG002 - most venues offer nothing to ask for
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> Sequence[Poll]:
        """What to ask once, after a gap in the streams, for liquidations that were missed.

        Their events are marked as history.
        """
        return ()

    def history(self, instrument: str) -> Sequence[Poll]:  # noqa: ARG002 - many venues tell none
        """What to ask once for the past of an instrument: its prices, then its open interest.

        Nothing of one that is not listed, or where there is no `history_per_s`.
        """
        return ()

    def open_questions(self) -> Sequence[str]:
        """What is not certain yet about the feeds' meaning, each in a few words for people."""
        return ()

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
