"""Records in, alerts out: the same path for live, replay and demo.

Everything that reaches liqwatch from outside passes `Pipeline.ingest` as a record of the tape, in
order of receipt, so what was recorded decides the same again. Time passes on quarter seconds of the
records' own clock.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from liqwatch.alerting.catalogues import Language
from liqwatch.alerting.message import worded
from liqwatch.alerts import Alert
from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, unpack
from liqwatch.events import (
    AccountPosition,
    Connect,
    Disconnect,
    Event,
    Failed,
    MarginTiers,
    MarketEvent,
    Opened,
    OpenInterestHistory,
    PriceHistory,
    Subscribed,
    Tick,
)
from liqwatch.exchanges.base import (
    Acknowledged,
    Alive,
    Control,
    Exchange,
    MalformedFrame,
    Notice,
    Refused,
    Reply,
)
from liqwatch.map_import import ImportedMap, is_import, read_record
from liqwatch.records import Record

STATE_VERSION = 1
AWAKE_NS = 130 * 1_000_000_000  # what is judged by silence has been judged by then
TICK_NS = 250_000_000
SAMPLES = 20  # malformed frames kept per venue, the newest
SAMPLE_CHARS = 500
HTTP_REFUSED = 400
NONE: Sequence[Control] = ()
UNREADABLE: Sequence[Control] = (Alive(),)  # somebody is there, but it is no data
AlertsCallback = Callable[[Sequence[Alert]], None]
EventCallback = Callable[[MarketEvent | Disconnect], None]
UNUSABLE = ("malformed_row", "unknown_instrument", "uncertain_side")  # counted by the venues
# Not of the event file's contract.
UNWRITTEN = frozenset({MarginTiers, AccountPosition, PriceHistory, OpenInterestHistory})
CONTROL = frozenset({Acknowledged, Refused, Notice, Reply, Alive})


class EngineError(Exception):
    """A bug while deciding or wording. What follows cannot be trusted: nothing should go on."""


class PipelineState(msgspec.Struct):
    """What replaying the rest of a tape depends on."""

    version: int
    engine: bytes
    exchanges: dict[str, bytes]
    connected: dict[str, list[str]]
    next_tick_ns: int
    recorded_ns: int = 0


def promises(exchanges: Mapping[str, type[Exchange]]) -> dict[str, Promise]:
    """Return what each venue promises to deliver, in the engine's words."""
    return {
        venue: Promise(
            completeness=kind.completeness,
            channels=frozenset(channel.value for channel in kind.channels),
            usual_liquidations_per_h=kind.usual_liquidations_per_h,
            spot=kind.spot,
        )
        for venue, kind in exchanges.items()
    }


class Pipeline:
    """Decode, let time pass, decide, render.

    `on_alerts` gets what was decided, in order, worded in `language`; `on_event` every normalised
    event before the engine does; `on_connect` every stream that begins to deliver. Bad frames never
    raise: they are counted in `malformed` by venue and kind, and the newest are kept in `samples`.
    """

    def __init__(
        self,
        engine: Engine,
        exchanges: Mapping[str, Exchange],
        *,
        on_alerts: AlertsCallback,
        on_event: EventCallback | None = None,
        on_connect: Callable[[Connect], None] | None = None,
        language: Language = "en",
    ) -> None:
        self.engine = engine
        self.exchanges = exchanges
        self.malformed: Counter[tuple[str, str]] = Counter()
        self.samples: dict[str, deque[str]] = {}
        self._on_alerts = on_alerts
        self._on_event = on_event
        self._on_connect = on_connect
        self.language: Language = language
        # By venue, the streams that have delivered data.
        self._connected: dict[str, set[str]] = {venue: set() for venue in exchanges}
        self._next_tick_ns = 0
        self._recorded_ns = 0  # when the newest record was received

    def ingest(self, record: Record) -> Sequence[Control]:
        """Take one record; return what the venue said about the connection itself."""
        if record.at >= self._next_tick_ns:
            self.advance(record.at)
        self._recorded_ns = record.at
        exchange = self.exchanges.get(record.venue)
        if exchange is None:
            self._take_other(record)
            return NONE
        decoded: Sequence[MarketEvent | Control] = NONE
        is_new = record.stream is not None and record.stream not in self._connected[record.venue]
        duplicates = exchange.counts["duplicate"] if is_new else 0
        try:
            if record.get is not None:
                status = record.status or 0
                if status >= HTTP_REFUSED:
                    self._failed(record, f"HTTP {status}")
                decoded = exchange.decode_rest(record.get, status, record.text or "", record.at)
            elif record.text is not None:
                decoded = exchange.decode(record.text, record.at)
            elif record.b64 is not None:
                decoded = exchange.decode(record.b64, record.at)
            elif record.close is not None:
                code, why = record.close.code, record.close.reason
                self._failed(record, why or str(code))
                self._lost(record, f"{code} {why}".strip())
            elif record.open is not None:
                self._opened(record)
        except MalformedFrame as error:
            self._malformed(record, error)
            return UNREADABLE
        if is_new and (
            any(type(event) not in CONTROL for event in decoded)
            or exchange.counts["duplicate"] > duplicates  # its predecessor is ahead of it
        ):
            self._connect(record)
        return self._take(record, decoded) if decoded else NONE

    def skipped(self) -> Counter[tuple[str, str]]:
        """Return how often what was heard could not be used, by venue and kind.

        What is only of no interest, or was heard before, is not among it, nor are refused requests:
        whoever asked has told of those.
        """
        refused = "http_"
        counts = Counter(
            {key: n for key, n in self.malformed.items() if not key[1].startswith(refused)}
        )
        for name, venue in self.engine.state.every_venue.items():
            counts[name, "implausible_time"] = venue.implausible
            counts[name, "implausible_history"] = venue.implausible_history
        for name, exchange in self.exchanges.items():
            for kind in UNUSABLE:
                counts[name, kind] = exchange.counts[kind]
        return +counts

    def configure(
        self,
        settings: EngineSettings,
        watch: Mapping[str, SymbolSettings] | None,
        *,
        venues: Collection[str],
    ) -> None:
        """Decide by other settings from now on, hearing only these venues."""
        alerts = self.engine.configure(settings, watch, venues=venues)
        if alerts:
            self._on_alerts([worded(alert, self.language) for alert in alerts])

    def advance(self, now_ns: int) -> None:
        """Let time pass up to `now_ns` of our clock.

        Every quarter of a second is told, however late: so it makes no difference how often a live
        run, or the records of a tape, let time pass. In a long silence nothing happens any more.
        """
        if now_ns < self._next_tick_ns:
            return
        last_ns = now_ns - now_ns % TICK_NS
        first_ns = self._next_tick_ns
        self._next_tick_ns = last_ns + TICK_NS
        awake_ns = min(last_ns, self._recorded_ns + AWAKE_NS)
        for tick_ns in range(first_ns or last_ns, awake_ns, TICK_NS):
            self._tick(tick_ns)
        self._tick(last_ns)

    def _tick(self, tick_ns: int) -> None:
        recorded = self._recorded_ns // 1_000_000
        self._decide(Tick(time=tick_ns // 1_000_000, recorded=recorded))

    def _take(self, record: Record, decoded: Sequence[Any]) -> Sequence[Control]:
        controls = NONE
        on_event = self._on_event
        for event in decoded:
            if type(event) in CONTROL:  # isinstance costs as much as the rest of this loop
                controls = [*controls, event]
                if type(event) is Acknowledged:
                    self._far(Subscribed, record)
                continue
            if on_event is not None and type(event) not in UNWRITTEN:
                on_event(event)
            self._decide(event)
        return controls

    def _take_other(self, record: Record) -> None:
        """Take a record of no venue: a map that somebody else made."""
        if not is_import(record):
            self.malformed[record.venue, "unknown_venue"] += 1
            return
        try:
            imported = read_record(record)
        except ValueError as error:
            self._malformed(record, MalformedFrame("map", str(error)))
        else:
            self._decide(imported)

    def _decide(self, event: Event | ImportedMap) -> None:
        try:
            alerts = self.engine.update(event)
            if alerts:
                alerts = [worded(alert, self.language) for alert in alerts]
        except Exception as error:
            raise EngineError(f"the engine failed on {type(event).__name__}") from error
        if alerts:
            self._on_alerts(alerts)

    def _connect(self, record: Record) -> None:
        """A connection is up when it delivers data, not when it is acknowledged."""
        stream, now_ms = record.stream or "", record.at // 1_000_000
        self._connected[record.venue].add(stream)
        back = Connect(venue=record.venue, time=now_ms, received=record.at, stream=stream)
        if self._on_connect is not None:
            self._on_connect(back)
        self._decide(back)

    def _opened(self, record: Record) -> None:
        self._lost(record, "cut off")  # its close is missing: the recorder was killed
        self._far(Opened, record)

    def _far(self, how: type[Opened | Subscribed], record: Record) -> None:
        if record.stream is not None:
            now_ms, stream = record.at // 1_000_000, record.stream
            self._decide(how(venue=record.venue, time=now_ms, received=record.at, stream=stream))

    def _failed(self, record: Record, reason: str) -> None:
        now_ms = record.at // 1_000_000
        self._decide(Failed(record.venue, now_ms, record.at, record.stream, reason))

    def _lost(self, record: Record, reason: str) -> None:
        """A stream that delivered has ended: a gap, unless its successor delivers already."""
        connected = self._connected[record.venue]
        if record.stream is None or record.stream not in connected:
            return
        connected.discard(record.stream)
        _, _, successor = reason.partition("replaced by ")
        if successor in connected:
            return
        lost = Disconnect(
            venue=record.venue,
            time=record.at // 1_000_000,
            received=record.at,
            stream=record.stream,
            reason=reason,
        )
        if self._on_event is not None:
            self._on_event(lost)
        self._decide(lost)

    def _malformed(self, record: Record, error: MalformedFrame) -> None:
        self.malformed[record.venue, error.kind] += 1
        frame = record.text if record.b64 is None else record.b64
        kept = self.samples.setdefault(record.venue, deque(maxlen=SAMPLES))
        kept.append(f"{error}: {(frame or '')[:SAMPLE_CHARS]!r}")

    def snapshot(self) -> bytes:
        """Return everything the rest of a tape depends on."""
        return msgspec.msgpack.encode(
            PipelineState(
                version=STATE_VERSION,
                engine=self.engine.snapshot(),
                exchanges={venue: one.snapshot() for venue, one in self.exchanges.items()},
                connected={venue: sorted(those) for venue, those in self._connected.items()},
                next_tick_ns=self._next_tick_ns,
                recorded_ns=self._recorded_ns,
            )
        )

    def resume(self, state: PipelineState, *, connected: bool) -> None:
        """Take back what `snapshot` gave, save the engine's part, which is given to the engine when
        made.

        `connected` says whether the connections of then still stand: true on a tape that goes on,
        false in a daemon that starts again. Raises ValueError, once all else is taken back, naming
        the venues whose part cannot be read.
        """
        unreadable = [venue for venue in state.exchanges if not self._restored(venue, state)]
        if connected:
            for venue in self.exchanges:
                self._connected[venue] = set(state.connected.get(venue, ()))
            self._next_tick_ns = state.next_tick_ns
            self._recorded_ns = state.recorded_ns
        else:
            self.engine.interrupted()
        if unreadable:
            raise ValueError(f"the state of {', '.join(unreadable)} cannot be read")

    def _restored(self, venue: str, state: PipelineState) -> bool:
        try:
            if venue in self.exchanges:
                self.exchanges[venue].restore(state.exchanges[venue])
        except ValueError:
            return False
        return True


def read_snapshot(blob: bytes) -> tuple[PipelineState, EngineState]:
    """Return the states in a snapshot; raises msgspec.ValidationError (a ValueError) if it is not
    one.
    """
    state = msgspec.msgpack.decode(blob, type=PipelineState)
    if state.version != STATE_VERSION:
        raise msgspec.ValidationError(f"snapshot version {state.version}, not {STATE_VERSION}")
    return state, unpack(state.engine)
