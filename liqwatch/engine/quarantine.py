"""Feeds that tell what cannot be true are not counted until they have behaved for a while."""

from typing import Annotated

import msgspec
from msgspec import Meta

from liqwatch.engine.outage import Outages

PRICE_OFF_S = 30
MOST_RELAPSES = 6  # that double the time: to 64 times at most
REMEMBERED_MS = 86_400_000  # after its end, for relapses


class QuarantineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a venue may tell of a coin before it is no longer believed.

    Wide limits: to stop believing a venue that tells the truth of a wild market is worse than a
    lie. What is not believed is not counted; what other feeds tell decides alone.
    """

    price_off_pct: Annotated[float, Meta(ge=2, le=1000)] = 20.0
    """A price (of trades, or a mark) is off when it stands this far from that of two or more other
    venues which agree, for half a minute.
    """

    forced_times_traded: Annotated[float, Meta(ge=1, le=1e6)] = 3.0
    """Forced orders are trades: more than so many times what an instrument traded in a minute
    cannot be.
    """

    open_interest_times: Annotated[float, Meta(ge=1.5, le=1e6)] = 5.0
    """Open interest that grows or shrinks by so much from one sample to the next is a mistake."""

    quarantine_s: Annotated[int, Meta(ge=60, le=86_400)] = 600
    """A feed is believed again when it has behaved for so long; each relapse within a day doubles
    the time.
    """


class Hold(msgspec.Struct):
    """One feed in quarantine, and for a day after it."""

    venue: str
    symbol: str
    instrument: str
    channel: str
    reason: str
    since_ms: int
    until_ms: int
    relapses: int = 0
    active: bool = True


class Quarantine(msgspec.Struct):
    """All feeds that are not believed, by whose feed it is and which."""

    holds: dict[str, Hold] = msgspec.field(default_factory=dict)
    outages: Outages = msgspec.field(default_factory=Outages)

    def holds_back(self, who: str, channel: str) -> bool:
        """Return whether a feed is not believed now.

        `who` is "venue|instrument", or "venue|coin" for liquidations, which are counted by coin.
        """
        hold = self.holds.get(f"{who}|{channel}") if self.holds else None
        return hold is not None and hold.active

    def counts_since_s(self, who: str, channel: str) -> int | None:
        """Return since which second a feed is believed, 0 if ever since, None if it is not."""
        hold = self.holds.get(f"{who}|{channel}") if self.holds else None
        if hold is None:
            return 0
        return None if hold.active else -(-hold.until_ms // 1000)

    def offend(
        self,
        who: str,
        channel: str,
        reason: str,
        *,
        venue: str,
        symbol: str,
        instrument: str,
        time_ms: int,
        lasts_s: int,
    ) -> bool:
        """Take note of what cannot be true; return whether a quarantine begins. One that lasts goes
        on.
        """
        key = f"{who}|{channel}"
        known = self.holds.get(key)
        begins = known is None or not known.active
        if known is None or begins:
            relapses = 0 if known is None else min(known.relapses + 1, MOST_RELAPSES)
            known = self.holds[key] = Hold(
                venue, symbol, instrument, channel, reason, time_ms, time_ms, relapses
            )
        lasts_ms = lasts_s * 1000 * 2**known.relapses
        known.until_ms = max(known.until_ms, time_ms + lasts_ms)
        return begins

    def of_venue(self, venue: str) -> list[Hold]:
        """Return what is not believed of a venue."""
        return [hold for hold in self.holds.values() if hold.active and hold.venue == venue]

    def of_coin(self, symbol: str) -> list[Hold]:
        """Return what is not believed of a coin."""
        return [hold for hold in self.holds.values() if hold.active and hold.symbol == symbol]

    def pass_time(self, now_ms: int) -> None:
        """Believe again who behaved, and forget who did so for a day."""
        for key, hold in list(self.holds.items()):
            hold.active = now_ms < hold.until_ms
            if now_ms > hold.until_ms + REMEMBERED_MS:
                del self.holds[key]

    def forget(self, *, venues: set[str], symbols: set[str]) -> None:
        """Drop all that concerns venues or coins that nobody listens to any more."""
        self.holds = {
            key: hold
            for key, hold in self.holds.items()
            if hold.venue not in venues and hold.symbol not in symbols
        }
        for venue in venues:
            self.outages.forget(venue)
