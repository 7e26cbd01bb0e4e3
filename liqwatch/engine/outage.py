"""Feeds that fail, told as stories: once when they do, once when they are back."""

from collections.abc import Mapping, Sequence

import msgspec

TOGETHER_S = 3  # venues that fail within this time fail together
BACK_S = 10  # live again for so long: recovered
STRAGGLERS_S = 30  # those that are back wait so long for the others of their story


class Outage(msgspec.Struct):
    """Venues that failed together and were told of; those that recovered are left out."""

    id: str
    began_ms: int  # on the market's clock
    channels: dict[str, list[str]]  # by venue
    back: dict[str, int] = msgspec.field(default_factory=dict)  # since which second of ours


class Outages(msgspec.Struct):
    """What failed. All seconds are those of our clock."""

    failing: dict[str, int] = msgspec.field(default_factory=dict)  # not told yet, since which
    running: list[Outage] = msgspec.field(default_factory=list)

    def failed(self, dead: Mapping[str, Sequence[str]], second: int) -> list[str]:
        """Take the venues with dead channels; return those that are to be told of now, together."""
        known = {venue for outage in self.running for venue in outage.channels}
        self.failing = {
            venue: self.failing.get(venue, second) for venue in dead if venue not in known
        }
        if not self.failing or second - min(self.failing.values()) < TOGETHER_S:
            return []
        told, self.failing = list(self.failing), {}
        return told

    def recovered(self, live: Mapping[str, bool], second: int) -> list[tuple[Outage, list[str]]]:
        """Take which venues are live; return the stories that have news, and who is back."""
        news = []
        for outage in self.running:
            outage.back = {
                venue: outage.back.get(venue, second)
                for venue in outage.channels
                if live.get(venue, False)
            }
            back = [venue for venue, since in outage.back.items() if second - since >= BACK_S]
            waited_s = second - min(outage.back.values(), default=second)
            if back and (len(back) == len(outage.channels) or waited_s >= STRAGGLERS_S):
                news.append((outage, back))
        return news

    def forget(self, venue: str) -> None:
        """Drop a venue that nobody listens to any more."""
        self.failing.pop(venue, None)
        for outage in self.running:
            outage.channels.pop(venue, None)
            outage.back.pop(venue, None)
        self.running = [outage for outage in self.running if outage.channels]
