"""Which feeds work, judged every second by what they should deliver.

Runs on our own clock and on receipt, as what a venue stamps on its events says nothing about the
line. A venue's silence counts only in seconds in which others trade: when all are silent at once
the fault is ours, and when nothing at all reaches us, not even the end of a connection, we were
asleep. So a clock that jumps and a machine that was suspended accuse nobody.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from liqwatch.alerts import Alert
from liqwatch.engine.feed_report import feeds_degraded, feeds_recovered
from liqwatch.engine.feeds import NOTHING_S, UNPROMISED, Promise, VenueFeeds
from liqwatch.engine.outage import Outage, Outages
from liqwatch.engine.pace import FeedState
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness, OpenInterest

TRADING_MS = 10_000  # who traded in this time proves that the market moves and our line works
# A connection that hears nothing ends itself in half a minute, and its end is a record. After so
# long without any record nobody was there to write one.
ASLEEP_S = 45
STEPPED_BACK_S = 5
NOTHING = "nothing is heard from any venue"


class FeedHealth(NamedTuple):
    """How one feed is, and for how many seconds it has been silent while others traded, or has not
    been believed.
    """

    venue: str
    channel: str
    state: FeedState
    reason: str
    silent_s: int


class Liveness(msgspec.Struct):
    """What is remembered of all feeds together; the feeds themselves are in their venues."""

    judged: int | None = None  # the last second, on our clock
    asleep: bool = False
    nothing_s: int = 0  # since anything was heard
    outages: Outages = msgspec.field(default_factory=Outages)

    def pass_time(
        self,
        venues: Mapping[str, Venue],
        promises: Mapping[str, Promise],
        *,
        spot: Mapping[str, Venue],
        now_ms: int,
        recorded_ms: int,
        lag_ms: int,
    ) -> list[Alert]:
        """Judge every second up to `now_ms`; return what is to be told.

        `recorded_ms` is when the newest record came, `lag_ms` how far our clock is ahead of the
        market's. Venues of `spot` decide nothing: they are judged, nobody is told, and what they
        deliver says nothing of the others.
        """
        if not recorded_ms:
            return []
        second, recorded = now_ms // 1000, recorded_ms // 1000
        last = min(second, recorded + ASLEEP_S)
        if self.judged is None or (self.asleep and recorded > self.judged):
            self.judged, self.asleep = recorded, False
        elif second < self.judged - STEPPED_BACK_S:
            self.judged = second
            self._rearm([*venues.values(), *spot.values()])
        alerts: list[Alert] = []
        for each in range(self.judged + 1, last + 1):
            self.judged = each
            alerts += self._judge(venues, promises, spot.values(), each, lag_ms)
        if second > last and not self.asleep:
            self.asleep = True
            self._rearm([*venues.values(), *spot.values()])
        return alerts

    def interrupted(self, venues: Iterable[Venue]) -> None:
        """Say that all connections are gone, as when the program starts again."""
        self.judged, self.asleep = None, False
        self.nothing_s = 0
        for venue in venues:
            venue.feeds.disarm()

    def _rearm(self, venues: Iterable[Venue]) -> None:
        self.nothing_s = 0
        for venue in venues:
            venue.feeds.rearm()

    def _judge(
        self,
        venues: Mapping[str, Venue],
        promises: Mapping[str, Promise],
        spot: Iterable[Venue],
        second: int,
        lag_ms: int,
    ) -> list[Alert]:
        now_ms = second * 1000
        armed = {name: venue for name, venue in venues.items() if venue.feeds.armed}
        trading = self._listen(venues, armed, now_ms)
        for name, venue in armed.items():
            feeds = venue.feeds
            others_trade = len(trading) > (name in trading)
            feeds.wait(now_ms, counts=others_trade, lost=bool(venue.down))
            feeds.judge(
                self._nothing(feeds, len(armed)),
                _prior(name, armed, promises) if feeds.liquidations.doubtful else None,
                now_ms,
                sampled=venue.completeness is Completeness.SAMPLED,
            )
            venue.see(now_ms - lag_ms, blind=feeds.liquidations.state is FeedState.DEAD)
        _judge_spot(spot, now_ms, others_trade=bool(trading))
        return self._tell(armed, second, now_ms - lag_ms)

    def _listen(
        self, venues: Mapping[str, Venue], armed: Mapping[str, Venue], now_ms: int
    ) -> set[str]:
        """Take what came in a second; return who trades."""
        came = [venue.feeds.take(now_ms) for venue in venues.values()]
        trading = {
            name
            for name, venue in venues.items()
            if venue.feeds.trades.heard_ms > now_ms - TRADING_MS
        }
        # Answers to our questions prove little while no stream brings anything.
        delivered = trading or any(venue.feeds.delivers for venue in venues.values())
        self.nothing_s = 0 if not armed or (any(came) and delivered) else self.nothing_s + 1
        return trading

    def _nothing(self, feeds: VenueFeeds, armed: int) -> str:
        if self.nothing_s < NOTHING_S:
            return ""
        return NOTHING if armed > 1 or feeds.delivers else feeds.why()

    def _tell(self, armed: Mapping[str, Venue], second: int, now_ms: int) -> list[Alert]:
        outages = self.outages
        dead = {name: gone for name, venue in armed.items() if (gone := venue.feeds.dead())}
        if not (dead or outages.failing or outages.running):
            return []
        alerts: list[Alert] = []
        if failed := outages.failed(dead, second):
            who = failed[0] if len(failed) == 1 else "market"
            outage = Outage(f"feed-{who}-{now_ms}", now_ms, {name: dead[name] for name in failed})
            outages.running.append(outage)
            alerts.append(feeds_degraded(outage, armed, now_ms))
        live = {name: venue.feeds.live for name, venue in armed.items()}
        for outage, back in outages.recovered(live, second):
            alerts.append(feeds_recovered(outage, back, armed, now_ms))
            for name in back:
                outages.forget(name)
        return alerts


def _judge_spot(venues: Iterable[Venue], now_ms: int, *, others_trade: bool) -> None:
    for venue in venues:
        venue.feeds.take(now_ms)
        if venue.feeds.armed:
            venue.feeds.wait(now_ms, counts=others_trade, lost=bool(venue.down))
            venue.feeds.judge("", None, now_ms, sampled=False)


def show_liquidation(
    venues: Mapping[str, Venue], venue: str, coin: str, now_ms: int, *, believed: bool = True
) -> None:
    """Take note that a venue showed a liquidation; one that is not believed accuses no other."""
    if venues[venue].feeds.liquidations.show(coin, now_ms) and believed:
        for name, other in venues.items():
            if name != venue and other.feeds.armed:
                other.feeds.liquidations.shown_elsewhere(venue, now_ms)


def weigh_open_interest(venues: Mapping[str, Venue], event: OpenInterest, now_ms: int) -> None:
    """Suspect a venue that shows no liquidation while positions vanish and others show some."""
    feeds = venues[event.venue].feeds
    feeds.open_interest.count += 1
    fall = feeds.fell(event.instrument, event.size, now_ms)
    if fall is None:
        return
    share, since_ms = fall
    shown = feeds.liquidations
    others = (other.feeds.liquidations for name, other in venues.items() if name != event.venue)
    if max(shown.coins.values(), default=0) < since_ms and any(
        other.coins.get(event.symbol, 0) >= since_ms for other in others
    ):
        took_s = (now_ms - since_ms) // 1000
        shown.suspect(
            f"open interest of {event.symbol} fell by {share:.1%} in {took_s} s"
            " and it shows no liquidation, though other venues do",
            now_ms,
        )


def feed_health(
    venues: Mapping[str, Venue], promises: Mapping[str, Promise]
) -> Iterator[FeedHealth]:
    """Return how each feed is that should deliver, venue by venue."""
    for name, venue in venues.items():
        promised = promises.get(name, UNPROMISED).channels if venue.feeds.armed else ()
        for channel, feed in venue.feeds.by_channel().items():
            if channel in promised:
                yield FeedHealth(name, channel, feed.state, feed.reason, feed.silent_s)


def _prior(name: str, armed: Collection[str], promises: Mapping[str, Promise]) -> float | None:
    """How many liquidations a venue usually shows for each one shown elsewhere.

    Of a venue that nobody has measured it is assumed that it shows as many as the busiest.
    """
    usual = {venue: promise.usual_liquidations_per_h for venue, promise in promises.items()}
    own = usual.get(name)
    if own is None or len(armed) < 2:
        return None
    busiest = max(rate for rate in usual.values() if rate is not None)
    return own / sum(usual.get(venue) or busiest for venue in armed if venue != name)
