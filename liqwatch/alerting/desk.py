"""What the policy remembers of one receiver: stories it was told, what is held back, its mutes."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from liqwatch.alerting.intents import Role
from liqwatch.alerting.matter import Matter, tells_story
from liqwatch.alerting.rules import LARGEST_BUDGET
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import MARKET, Alert, Direction, Kind, Severity

DESK_VERSION = 1

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

RUNNING_MS = HOUR_MS  # a cascade that nothing was heard of for so long no longer counts as running
ENDED_MS = 3 * HOUR_MS  # a story that has ended may go on for so long
UNHEARD_MS = 14 * DAY_MS  # and one that has not ended is given up
MOST_STORIES = 500
MOST_MEMBERS = 200
MOST_HELD = 200  # alerts that wait for one summary: then it is due
MOST_SILENCES = 100

FEEDS = frozenset({Kind.FEED_DEGRADED, Kind.FEED_RECOVERED})


class Story(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A cascade, an outage of feeds, or with `members` the cascades of several coins.

    Times in ms, amounts in USD; `told_…` is what the receiver's newest message said.
    """

    symbol: str
    direction: Direction | None  # None: an outage
    heard_ms: int
    ended: bool = False
    fate: Role | None = None  # ROOT: it has a message; HELD, OFF: it has none; None: not decided on
    severity: Severity = Severity.INFO  # the gravest that was decided on
    summary: str = ""  # the key of the one it was held for
    decided_ms: int = 0  # when it was last told, or held back
    told_usd: float = 0.0
    told_rungs: int | None = None
    told_members: int = 0
    edited_ms: int = 0
    replies_ms: list[int] = []
    group: str = ""
    members: dict[str, str] = {}  # coins by episode
    critical_coins: int = 0  # as many that cascade are critical; 0: no story of the market

    @property
    def told(self) -> bool:
        """Whether it has a message of its own."""
        return self.fate is Role.ROOT

    def runs(self, now_ms: int) -> bool:
        """Whether it is a cascade that goes on."""
        unheard = now_ms - self.heard_ms >= RUNNING_MS
        return self.direction is not None and not self.ended and not unheard

    @property
    def coins(self) -> int:
        """How many coins it is the story of."""
        return len({*self.members.values()} - {MARKET}) or 1


class Place(NamedTuple):
    """The summary in which an alert is to be told."""

    key: str
    why: Literal["quiet_hours", "budget", "mute", "digest"]
    subject: str | None
    due_ms: int
    loud: bool = False


class Summary(msgspec.Struct, kw_only=True):
    """Alerts that were held back, to be told together."""

    why: Literal["quiet_hours", "budget", "mute", "digest"]
    subject: str | None
    since_ms: int
    due_ms: int
    alerts: list[str] = []
    loud: bool = False


class Desk(msgspec.Struct, kw_only=True):
    """Everything the decisions for one receiver depend on, besides its rules.

    Bounded in size. Goes through msgspec.json and msgspec.msgpack unchanged.
    """

    version: int = DESK_VERSION
    stories: dict[str, Story] = {}  # by episode, or id of the group
    summaries: dict[str, Summary] = {}
    silences: dict[str, Silence] = {}
    sent_ms: dict[str, list[int]] = {}  # messages of the last hour, by coin
    chatter_ms: dict[str, list[int]] = {}  # those of them that were chatter
    deaf: dict[str, list[str]] = {}  # venues whose feeds fail, and which
    all_deaf: bool = False

    def hear(self, alert: Alert) -> None:
        """Take note of what an alert says of stories and feeds, whatever is told of it."""
        if alert.kind in FEEDS:
            self._hear_feeds(alert)
        if not tells_story(alert):
            return
        key = alert.episode or ""
        if key not in self.stories:
            self._forget(alert.time)
            self.stories[key] = Story(
                symbol=alert.symbol, direction=alert.direction, heard_ms=alert.time
            )
        story = self.stories[key]
        story.heard_ms = max(story.heard_ms, alert.time)
        story.ended = alert.kind is Kind.CASCADE_ENDED or (
            alert.kind is Kind.FEED_RECOVERED and not alert.evidence.get("still_degraded")
        )

    def _hear_feeds(self, alert: Alert) -> None:
        evidence = alert.evidence
        if "quarantined" in evidence:  # it speaks, and the other coins of that venue are believed
            return
        if alert.kind is Kind.FEED_DEGRADED:
            for venue, failure in evidence.get("by_venue", {}).items():
                self.deaf[venue] = failure["channels"]
        else:
            for venue in evidence.get("venues", ()):
                self.deaf.pop(venue, None)
        self.all_deaf = not evidence.get("remaining_venues", True)

    def cascades(self, now_ms: int) -> Iterator[tuple[str, Story]]:
        """Yield the cascades of single coins that run, and are not kept off by a rule."""
        for key, story in self.stories.items():
            single = not story.members and story.symbol != MARKET
            if single and story.fate is not Role.OFF and story.runs(now_ms):
                yield key, story

    def shown_in(self, key: str) -> str | None:
        """Return the story whose message shows this one: itself or its group; None: neither."""
        for one in (key, self.stories[key].group):
            if one in self.stories and self.stories[one].told:
                return one
        return None

    def waits_in(self, story: Story) -> Place | None:
        """Return where the beginning of a story that was held back still waits."""
        found = self.summaries.get(story.summary)
        if found is None or found.since_ms > story.decided_ms:
            return None
        return Place(story.summary, found.why, found.subject, found.due_ms)

    def summarise(self, place: Place, now_ms: int) -> Summary:
        """Return the summary at a place, begun now if there is none."""
        return self.summaries.setdefault(
            place.key,
            Summary(why=place.why, subject=place.subject, since_ms=now_ms, due_ms=place.due_ms),
        )

    def hold(self, place: Place, alert: str, now_ms: int) -> None:
        """Keep an alert for a summary."""
        summary = self.summarise(place, now_ms)
        summary.alerts.append(alert)
        summary.loud |= place.loud
        if summary.subject != place.subject:
            summary.subject = None
        if len(summary.alerts) >= MOST_HELD:
            summary.due_ms = now_ms

    def spend(self, matter: Matter) -> None:
        """Count a message against the budgets."""
        counted = (self.sent_ms, self.chatter_ms) if matter.is_chatter else (self.sent_ms,)
        for times_ms in counted:
            kept = last_hour(times_ms.get(matter.symbol, ()), matter.time_ms)
            times_ms[matter.symbol] = [*kept, matter.time_ms][-LARGEST_BUDGET:]

    def _forget(self, now_ms: int) -> None:
        """Drop what is over, before another story is taken in."""
        self.sent_ms = _of_last_hour(self.sent_ms, now_ms)
        self.chatter_ms = _of_last_hour(self.chatter_ms, now_ms)
        groups = {story.group for story in self.stories.values() if not _over(story, now_ms)}
        self.stories = {
            key: story
            for key, story in self.stories.items()
            if key in groups or not _over(story, now_ms)
        }
        while len(self.stories) >= MOST_STORIES:
            oldest = min(self.stories, key=lambda key: self.stories[key].heard_ms)
            del self.stories[oldest]


def last_hour(times_ms: Sequence[int], now_ms: int) -> list[int]:
    """Return those of the times that lie within an hour before now."""
    return [one for one in times_ms if now_ms - one < HOUR_MS]


def _of_last_hour(by_symbol: dict[str, list[int]], now_ms: int) -> dict[str, list[int]]:
    kept = {symbol: last_hour(times_ms, now_ms) for symbol, times_ms in by_symbol.items()}
    return {symbol: times_ms for symbol, times_ms in kept.items() if times_ms}


def _over(story: Story, now_ms: int) -> bool:
    return now_ms - story.heard_ms > (ENDED_MS if story.ended else UNHEARD_MS)
