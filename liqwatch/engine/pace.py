"""How often a feed speaks, and how long it may be silent before something is wrong with it."""

from enum import StrEnum

import msgspec


class FeedState(StrEnum):
    """How a feed is, judged by what it should deliver."""

    LIVE = "live"
    QUIET = "quiet"
    """Nothing for a while, and nothing that speaks against it."""

    SAMPLED = "sampled"
    """Live, and the venue shows only a part."""

    STALE = "stale"
    """Silent for longer than usual."""

    DEAD = "dead"
    """Silent where silence is no longer believed."""

    QUARANTINED = "quarantined"
    """It speaks, and some of what it tells cannot be true."""


class Patience(msgspec.Struct, frozen=True):
    """Seconds of silence that are nothing unusual, however often the feed speaks otherwise."""

    stale_s: float
    dead_s: float | None  # None: silence alone proves nothing
    unlearned: bool = True  # whether silence is judged before the usual gap is learned


TRADE_PATIENCE = Patience(stale_s=10.0, dead_s=45.0)
MARK_PATIENCE = Patience(stale_s=10.0, dead_s=45.0, unlearned=False)
FACT_PATIENCE = Patience(stale_s=60.0, dead_s=None, unlearned=False)  # some tell only changes
STALE_GAPS = 10  # and so many times the usual gap between two words of the feed
DEAD_GAPS = 30
LEARNED_GAPS = 20
REMEMBERED_S = 3600.0
NOTHING_YET = "nothing yet"


class Pace(msgspec.Struct):
    """One feed of a venue, all coins together, in whole seconds of our own clock.

    The usual gap is learned from gaps that ended by themselves; two of ten seconds are assumed to
    begin with. It is slow to forget, so a feed that thins out within minutes is called stale.
    """

    count: int = 0  # events so far; whoever hears one adds to it
    seen: int = 0  # of them at the last closed second
    heard_ms: int = 0  # the second in which the newest came; 0: the connection broke since
    silent_s: int = 0  # since then, as far as silence counts
    gaps: float = 2.0
    gaps_s: float = 20.0
    state: FeedState = FeedState.QUIET
    reason: str = NOTHING_YET

    @property
    def usual_gap_s(self) -> float:
        """The mean time between two seconds in which it spoke."""
        return self.gaps_s / self.gaps

    @property
    def learned(self) -> bool:
        """Whether the usual gap is known."""
        return self.gaps >= LEARNED_GAPS

    def heard(self, now_ms: int) -> None:
        """Take note, at a second's end, that something came."""
        self.seen = self.count
        if self.heard_ms:
            longest_s = STALE_GAPS * self.usual_gap_s + TRADE_PATIENCE.stale_s
            self.gaps += 1
            self.gaps_s += min((now_ms - self.heard_ms) / 1000, longest_s)
            if self.gaps_s > REMEMBERED_S:
                self.gaps /= 2
                self.gaps_s /= 2
        self.heard_ms = now_ms
        self.silent_s = 0
        self.state, self.reason = FeedState.LIVE, ""

    def judge(self, patience: Patience) -> None:
        """Hold the silence against what is usual. Once dead, only a word revives it."""
        if self.silent_s < patience.stale_s or not (self.learned or patience.unlearned):
            return
        if self.state in {FeedState.DEAD, FeedState.QUIET}:
            return
        gap_s = self.usual_gap_s
        if patience.dead_s is not None and self.silent_s >= max(patience.dead_s, DEAD_GAPS * gap_s):
            self.state = FeedState.DEAD
        elif self.silent_s >= STALE_GAPS * gap_s:
            self.state = FeedState.STALE
        if self.state is not FeedState.LIVE:
            self.reason = f"nothing for {self.silent_s} s, usually something every {gap_s:.1f} s"

    def fail(self, reason: str) -> None:
        """Call it dead for a reason that lies elsewhere."""
        if self.state is not FeedState.DEAD:
            self.state, self.reason = FeedState.DEAD, reason

    def break_off(self) -> None:
        """Take note that the connection broke: the gap that follows says nothing of the market."""
        self.heard_ms = 0

    def forget(self) -> None:
        """Expect nothing until something is heard. What was dead stays so until then."""
        self.seen = self.count
        if self.state is not FeedState.DEAD:
            self.state, self.reason = FeedState.QUIET, NOTHING_YET

    def rearm(self) -> None:
        """Begin to count silence anew."""
        self.heard_ms = self.silent_s = 0
        if self.state is FeedState.STALE:
            self.state, self.reason = FeedState.LIVE, ""
