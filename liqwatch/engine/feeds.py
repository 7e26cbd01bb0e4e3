"""What one venue promises to deliver, what came of it, and what its silence means."""

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from liqwatch.engine.pace import (
    FACT_PATIENCE,
    MARK_PATIENCE,
    STALE_GAPS,
    TRADE_PATIENCE,
    FeedState,
    Pace,
)
from liqwatch.engine.witness import Witness
from liqwatch.events import STOPPED, Completeness

TRADES = "trades"
LIQUIDATIONS = "liquidations"
OPEN_INTEREST = "open interest"
MARK_PRICE = "mark price"
FUNDING = "funding"
CHANNELS = (TRADES, LIQUIDATIONS, OPEN_INTEREST, MARK_PRICE, FUNDING)

LOST_S = 20  # a connection that does not come back in this time is missed
DELIVERS_NOTHING_S = 55  # a minute with what it takes to say so
NO_TRADE_S = 300  # of a venue that does deliver other things
NOTHING_S = 60  # without a word from anybody
# RFC 6455 section 7.4.1, without a word of the venue's: how a recorder ends that was told to.
NORMAL_END = "1000"
FALL = 0.03  # of open interest …
FALL_MS = 120_000  # … in this time is not to be had without liquidations


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue should deliver: channels by name, how much of its forced flow, how often."""

    completeness: Completeness = Completeness.UNKNOWN
    channels: frozenset[str] = frozenset(CHANNELS)
    usual_liquidations_per_h: float | None = None  # None: nothing was ever measured
    spot: bool = False
    """Coins themselves are traded there, not contracts: context, never a price to decide on."""


UNPROMISED = Promise()


class Stream(IntEnum):
    """How far a connection has come."""

    OPENED = 0
    ACKNOWLEDGED = 1
    DELIVERS = 2


class VenueFeeds(msgspec.Struct):
    """The feeds of one venue. Silence counts only while other venues trade."""

    trades: Pace = msgspec.field(default_factory=Pace)
    mark_price: Pace = msgspec.field(default_factory=Pace)
    open_interest: Pace = msgspec.field(default_factory=Pace)
    funding: Pace = msgspec.field(default_factory=Pace)
    liquidations: Witness = msgspec.field(default_factory=Witness)
    armed: bool = False  # somebody listens: from now on something is expected
    streams: dict[str, Stream] = msgspec.field(default_factory=dict)  # open ones
    lost_s: int = 0  # since a stream was lost that nothing has replaced
    trouble: str = ""  # why a connection ended, or was not to be had
    interest: dict[str, tuple[float, int]] = msgspec.field(default_factory=dict)

    @property
    def paces(self) -> tuple[Pace, Pace, Pace, Pace]:
        """The feeds that speak at a pace of their own."""
        return self.trades, self.mark_price, self.open_interest, self.funding

    @property
    def delivers(self) -> bool:
        """Whether a stream is open that has brought data."""
        return Stream.DELIVERS in self.streams.values()

    @property
    def live(self) -> bool:
        """Whether it is listened to, trades are heard, and no feed is dead."""
        return self.armed and self.trades.state is not FeedState.QUIET and not self.dead()

    def dead(self) -> list[str]:
        """Return the channels that are dead."""
        states = (self.trades.state, self.liquidations.state, self.mark_price.state)
        if FeedState.DEAD not in states:  # nearly always
            return []
        return [name for name, feed in self.by_channel().items() if feed.state is FeedState.DEAD]

    def by_channel(self) -> Mapping[str, Pace | Witness]:
        """Return the feeds by the name of their channel."""
        return {
            TRADES: self.trades,
            LIQUIDATIONS: self.liquidations,
            OPEN_INTEREST: self.open_interest,
            MARK_PRICE: self.mark_price,
            FUNDING: self.funding,
        }

    # -- connections --------------------------------------------------------------------------

    def reached(self, stream: str, far: Stream) -> None:
        """Take note how far a connection has come."""
        self.armed = True
        self.streams[stream] = max(far, self.streams.get(stream, far))

    def ended(self, stream: str | None, reason: str) -> None:
        """Take note that a connection ended or was not to be had, or that a request was refused."""
        if stream is not None:
            self.streams.pop(stream, None)
        if reason.endswith(STOPPED) or reason == NORMAL_END:
            if not self.streams:
                self.disarm()
            return
        self.armed = True
        if not self.delivers:
            self.trouble = reason if stream is None else f"connection lost ({reason})"

    def lost(self, reason: str) -> None:
        """Take note that a stream ended that had delivered, and that none has taken its place."""
        self.trouble = f"connection lost ({reason})"
        for pace in self.paces:
            pace.break_off()

    def disarm(self) -> None:
        """Expect nothing until a connection is opened again."""
        self.armed = False
        self.streams.clear()
        self.rearm()
        self.liquidations.seen = self.liquidations.count
        for pace in self.paces:
            pace.forget()

    def rearm(self) -> None:
        """Begin to count silence anew, as after a time in which nobody listened."""
        self.lost_s = 0
        self.liquidations.rearm()
        for pace in self.paces:
            pace.rearm()

    # -- data ---------------------------------------------------------------------------------

    def fell(self, instrument: str, size: float, now_ms: int) -> tuple[float, int] | None:
        """Take the open interest of an instrument; return how much of it went, and since when, if
        that is more than people close of their own will.
        """
        most, since_ms = self.interest.get(instrument, (0.0, 0))
        if size >= most or not 0 <= now_ms - since_ms <= FALL_MS:
            self.interest[instrument] = (size, now_ms)
            return None
        share = 1 - size / most
        return (share, since_ms) if share > FALL else None

    def take(self, now_ms: int) -> bool:
        """Take a second's end: note what came; return whether anything did."""
        came = False
        for pace in self.paces:
            if pace.count != pace.seen:
                pace.heard(now_ms)
                came = True
        shown = self.liquidations
        if shown.count != shown.seen:
            shown.heard(now_ms)
            came = self.armed = True
        if self.trades.heard_ms == now_ms:
            self.armed = True
        return came

    # -- judgement ----------------------------------------------------------------------------

    def wait(self, now_ms: int, *, counts: bool, lost: bool) -> None:
        """Take one more second; it counts if other venues traded. `lost`: a stream is missing."""
        if counts:
            for pace in self.paces:
                if pace.heard_ms != now_ms:
                    pace.silent_s += 1
            if self.liquidations.heard_ms != now_ms:
                self.liquidations.silent_s += 1
            self.lost_s += 1
        if not lost:
            self.lost_s = 0
            if self.delivers:
                self.trouble = ""

    def judge(self, nothing: str, prior: float | None, now_ms: int, *, sampled: bool) -> None:
        """Judge every feed; `nothing` is why none can be heard at all, if that is so."""
        trades, shown = self.trades, self.liquidations
        broken = nothing or self._broken()
        if broken:
            self._fail(broken, everything=bool(nothing))
        elif trades.state is FeedState.QUIET and trades.silent_s >= NO_TRADE_S:
            trades.fail("delivers other things, but no trade")
        trades.judge(TRADE_PATIENCE)
        self.mark_price.judge(MARK_PATIENCE)
        self.open_interest.judge(FACT_PATIENCE)
        self.funding.judge(FACT_PATIENCE)
        if broken or (trades.state is FeedState.DEAD and shown.silent_s >= trades.silent_s):
            shown.state, shown.reason = FeedState.DEAD, broken or trades.reason
            shown.begin()
        else:
            shown.judge(prior, now_ms, sampled=sampled)

    def _broken(self) -> str:
        # Why the venue, or a part of it, is out of reach.
        if self.lost_s >= LOST_S:
            return self.why()
        if self.trades.state is FeedState.QUIET and not self.delivers:
            usual_s = self.trades.usual_gap_s if self.trades.learned else 0.0
            if self.trades.silent_s >= max(DELIVERS_NOTHING_S, STALE_GAPS * usual_s):
                return self.why()
        return ""

    def why(self) -> str:
        """Say why nothing can come from here."""
        if Stream.ACKNOWLEDGED in self.streams.values() and not self.delivers:
            return "takes the subscription and delivers nothing"
        return self.trouble or "does not answer the subscription"

    def _fail(self, reason: str, *, everything: bool) -> None:
        for pace in (self.trades, self.mark_price):
            unheard = pace is self.mark_price and pace.state is FeedState.QUIET
            if not unheard and (everything or pace.silent_s >= LOST_S):
                pace.fail(reason)
