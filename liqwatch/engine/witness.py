"""What the liquidations of other venues say about the silence of one.

No liquidations is what a quiet market looks like, so silence alone proves nothing. While a feed
works, it is learned how many orders it shows for each one shown elsewhere. When it is silent while
others are not, that gives how many it should have shown by now, E. Liquidations come in clumps and
each clump prefers some venues, so the ratio is believed only loosely, as a Gamma variable of shape
3: no order in spite of E expected ones has the chance (1 + E / 3)^-3, not exp(-E).

What keeps it from crying wolf: a coin counts once in ten seconds and a venue once a second, as one
account or one jump of the price liquidates many; and a venue that bursts all alone is no witness:
of one minute, no more counts than one order and twice what the venues besides the busiest showed.
Silence teaches only once an order has ended it. It is wrong for a while when a large venue joins
the others, until the ratio has followed; it is slow where only two venues are heard, or few coins.
"""

import msgspec

from liqwatch.engine.pace import NOTHING_YET, FeedState

CLUMP_MS = 10_000  # a coin counts once in this time
SHAPE = 3.0
LEARNED = 20  # own orders from which a ratio is known without a prior
REMEMBERED = 200.0  # own orders
LONGEST_RUN = 8  # own orders in a row that teach; more is a burst of this venue alone
MINUTE_MS = 60_000
STALE_CHANCE, STALE_S = 0.02, 30
DEAD_CHANCE, DEAD_S = 0.002, 60
QUIET_S = 120
SUSPECT_MS = 600_000
COINS_MS = 120_000


class Witness(msgspec.Struct):
    """The liquidations of one venue, held against those of the others. Times are our clock's."""

    count: int = 0
    seen: int = 0
    heard_ms: int = 0
    silent_s: int = 0
    own: float = 0.0  # orders counted while the feed worked, here …
    others: float = 0.0  # … and elsewhere
    run: int = 0
    second: int = 0  # the one in which an order was counted last
    elsewhere: int = 0  # shown by other venues since our last one …
    counted: int = 0  # … and what counts of it, without the running minute
    minute: int = 0
    shown: dict[str, int] = msgspec.field(default_factory=dict)  # by venue, in this minute
    coins: dict[str, int] = msgspec.field(default_factory=dict)  # when each was counted last
    deaf: bool = False  # proven so; only an order of its own refutes that
    suspicion: str = ""
    suspect_until_ms: int = 0
    state: FeedState = FeedState.QUIET
    reason: str = NOTHING_YET

    @property
    def doubtful(self) -> bool:
        """Whether its silence is long enough to be held against what others showed."""
        return self.silent_s >= STALE_S and self.elsewhere > 0

    def show(self, coin: str, now_ms: int) -> bool:
        """Take one order of this venue; return whether it counts for the others."""
        self.count += 1
        if self.elsewhere:
            self.others += 0 if self.deaf else self.elsewhere
            self.begin()
        last_ms = self.coins.get(coin)
        if last_ms is not None and 0 <= now_ms - last_ms < CLUMP_MS:
            return False
        self.coins[coin] = now_ms
        if now_ms // 1000 == self.second:
            return False
        self.second = now_ms // 1000
        if self.run < LONGEST_RUN:
            self.run += 1
            self.own += 1
            if self.own > REMEMBERED:
                self.own /= 2
                self.others /= 2
        return True

    def shown_elsewhere(self, venue: str, now_ms: int) -> None:
        """Take one order that another venue showed."""
        if self.minute != now_ms // MINUTE_MS:
            self.minute = now_ms // MINUTE_MS
            self.counted += self._confirmed()
            self.shown.clear()
        self.shown[venue] = self.shown.get(venue, 0) + 1
        self.elsewhere += 1
        self.run = 0

    def heard(self, now_ms: int) -> None:
        """Take note, at a second's end, that something came."""
        self.seen = self.count
        self.heard_ms = now_ms
        self.silent_s = 0
        self.deaf = False
        self.suspect_until_ms = 0
        self.coins = {coin: at for coin, at in self.coins.items() if now_ms - at < COINS_MS}

    def suspect(self, suspicion: str, now_ms: int) -> None:
        """Doubt it until it shows one, or for a while."""
        self.suspicion, self.suspect_until_ms = suspicion, now_ms + SUSPECT_MS

    def judge(self, prior: float | None, now_ms: int, *, sampled: bool) -> None:
        """Judge the silence; `prior` is the ratio to assume before it is learned, None: none."""
        if self.doubtful and not self.deaf:
            expected = self._expected(prior)
            chance = (1 + expected / SHAPE) ** -SHAPE
            if chance < STALE_CHANCE:
                self.deaf = chance < DEAD_CHANCE and self.silent_s >= DEAD_S
                self.suspect(
                    f"shows none while other venues showed {self.elsewhere}:"
                    f" about {expected:.0f} were to be expected",
                    now_ms,
                )
        if self.deaf:
            self.state, self.reason = FeedState.DEAD, self.suspicion
        elif now_ms < self.suspect_until_ms:
            self.state, self.reason = FeedState.STALE, self.suspicion
        elif not self.count:
            self.state, self.reason = FeedState.QUIET, NOTHING_YET
        elif self.silent_s > QUIET_S:
            self.state, self.reason = FeedState.QUIET, "none for a while, nothing speaks against it"
        elif sampled:
            self.state, self.reason = FeedState.SAMPLED, "the venue shows only a part"
        else:
            self.state, self.reason = FeedState.LIVE, ""

    def _confirmed(self) -> int:
        shown = sum(self.shown.values())
        besides = shown - max(self.shown.values(), default=0)
        return min(shown, 2 * besides + 1)

    def _expected(self, prior: float | None) -> float:
        counted = self.counted + self._confirmed()
        if prior is not None:
            return counted * (SHAPE + self.own) / (SHAPE / prior + self.others)
        return counted * self.own / self.others if self.own >= LEARNED and self.others else 0.0

    def begin(self) -> None:
        """Forget what other venues showed so far."""
        self.elsewhere = self.counted = 0
        self.shown.clear()

    def rearm(self) -> None:
        """Begin to count silence anew."""
        self.silent_s = 0
        self.begin()
