"""Takes what a venue sends and keeps account of it, instead of deciding on it."""

from collections import Counter, deque
from collections.abc import Sequence
from statistics import median

import msgspec

from liqwatch.events import (
    AccountPosition,
    Funding,
    Liquidation,
    MarginTiers,
    MarketEvent,
    MarkPrice,
    OpenInterest,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Channel, Control, Exchange, MalformedFrame
from liqwatch.records import Record

CHANNELS: dict[type, Channel] = {
    Trade: Channel.TRADES,
    Liquidation: Channel.LIQUIDATIONS,
    OpenInterest: Channel.OPEN_INTEREST,
    MarkPrice: Channel.MARK_PRICE,
    Funding: Channel.FUNDING,
    MarginTiers: Channel.MARGIN_TIERS,
    AccountPosition: Channel.POSITIONS,
}
# What comes in the first second of a connection may be told again, and says nothing of the clock.
FRESH_NS = 1_000_000_000
OFFSETS = 5_000  # kept, the newest
_REFUSED = "http_"  # what a refused request is counted as; whoever asked tells of it


class Stream(msgspec.Struct, kw_only=True):
    """One connection."""

    url: str
    opened_ns: int
    closed_ns: int | None = None
    first_frame_ns: int | None = None  # that is no answer, whatever it holds
    first_data_ns: int | None = None
    asked: bool = False
    acknowledged: bool = False

    @property
    def took_some(self) -> bool:
        """Whether it acknowledged something, or nothing had to be asked."""
        return self.acknowledged or not self.asked


class Told(msgspec.Struct, kw_only=True):
    """What came of one channel."""

    events: int
    first_after_s: float
    newest_ns: int


class Hearing:
    """Everything heard from one venue since `began_ns`, a time of the clock that stamps records."""

    def __init__(self, exchange: Exchange, began_ns: int) -> None:
        self._exchange = exchange
        self._began_ns = began_ns
        self._offsets_ms: deque[float] = deque(maxlen=OFFSETS)
        self.streams: dict[str, Stream] = {}
        self.channels: dict[Channel, Told] = {}
        self.asked: set[str] = set()  # over REST, whatever the answer
        self.unreadable: Counter[str] = Counter()
        self.bug: str | None = None

    @property
    def clock_trades(self) -> int:
        """How many trades say how the clocks differ."""
        return len(self._offsets_ms)

    @property
    def clock_offset_ms(self) -> float | None:
        """The median of receipt minus event time of trades."""
        return median(self._offsets_ms) if self._offsets_ms else None

    def ingest(self, record: Record) -> Sequence[Control]:
        """Take one record; return what the venue said about the connection itself.

        A bug of the venue's file is noted and raised.
        """
        self._note_connection(record)
        try:
            decoded = self._decode(record)
        except MalformedFrame as error:
            if not error.kind.startswith(_REFUSED):
                self.unreadable[error.kind] += 1
            self._note_frame(record, (), has_data=False)
            return ()
        except Exception as bug:
            self.bug = f"{type(bug).__name__}: {bug}"
            raise
        controls = []
        for one in decoded:
            if isinstance(one, Control):
                controls.append(one)
            else:
                self._count(record, one)
        self._note_frame(record, controls, has_data=len(controls) < len(decoded))
        return controls

    def _decode(self, record: Record) -> Sequence[MarketEvent | Control]:
        if record.get is not None:
            self.asked.add(record.get)
            text = record.text or ""
            return self._exchange.decode_rest(record.get, record.status or 0, text, record.at)
        frame = record.b64 if record.text is None else record.text
        return () if frame is None else self._exchange.decode(frame, record.at)

    def _note_connection(self, record: Record) -> None:
        name = record.stream or ""
        if record.open is not None:
            self.streams[name] = Stream(url=record.open, opened_ns=record.at)
        stream = self.streams.get(name)
        if stream is None:  # one that was not to be had
            return
        if record.sent is not None:
            stream.asked = True
        elif record.close is not None:
            stream.closed_ns = record.at

    def _note_frame(self, record: Record, controls: Sequence[Control], *, has_data: bool) -> None:
        stream = self.streams.get(record.stream or "")
        if stream is None or (record.text is None and record.b64 is None):
            return
        if not controls and stream.first_frame_ns is None:
            stream.first_frame_ns = record.at
        if any(isinstance(one, Acknowledged) for one in controls):
            stream.acknowledged = True
        if has_data and stream.first_data_ns is None:
            stream.first_data_ns = record.at

    def _count(self, record: Record, event: MarketEvent) -> None:
        channel = CHANNELS.get(type(event))
        if channel is None:
            return
        stream = self.streams.get(record.stream or "")
        told = self.channels.get(channel)
        if told is None:
            since_ns = self._began_ns if stream is None else stream.opened_ns
            after_s = (record.at - since_ns) / 1e9
            told = self.channels[channel] = Told(events=0, first_after_s=after_s, newest_ns=0)
        told.events += 1
        told.newest_ns = record.at
        is_fresh = (
            stream is not None
            and stream.first_data_ns is not None
            and record.at - stream.first_data_ns >= FRESH_NS
        )
        if channel is Channel.TRADES and is_fresh:
            self._offsets_ms.append(record.at / 1e6 - event.time)
