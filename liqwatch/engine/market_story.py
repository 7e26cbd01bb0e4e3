"""The life of a market's story, as a table: coins that cascade the same way at once are one.

It is told from the coins' own cascades alone, and decides nothing about them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from liqwatch.alerts import Direction, Kind, Outcome, Severity
from liqwatch.engine.cascade import State

MUCH_MORE = 2  # times the coins that make a market
WEAKEST_FIRST = (Outcome.UNKNOWN, Outcome.EXHAUSTED, Outcome.ABSORBED, Outcome.REJECTED)


class MarketSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When cascades of several coins are one story of the market.

    What three coins do of five is the market; of five hundred it is three coins.
    """

    coins: Annotated[int, Meta(ge=3, le=1000)] = 3
    """So many coins must cascade the same way at once …"""

    share_pct: Annotated[float, Meta(ge=0, le=100)] = 2.0
    """… and at least this share of the coins that are watched and trade."""

    window_s: Annotated[int, Meta(ge=0, le=3600)] = 60
    """A cascade that stalls sooner after its start counts for so long."""

    def needed(self, watched: int) -> int:
        """Return how many of so many coins make a market.

        >>> [MarketSettings().needed(watched) for watched in (2, 10, 500)]
        [3, 3, 10]
        """
        return max(self.coins, ceil(watched * self.share_pct / 100))


class Part(msgspec.Struct, frozen=True):
    """One coin's cascade as the market's story sees it. Amounts in USD, as far as visible."""

    coin: str
    episode: str
    state: State
    started_ms: int
    leg: float  # log price, never negative
    yardstick: float  # one sigma of a five-minute move, log price
    forced_usd: float
    forced_usd_60s: float
    coverage: float | None
    severity: Severity
    against_map: bool
    outcome: Outcome | None

    @property
    def runs(self) -> bool:
        """Whether it goes on, and has not stalled."""
        return self.state is State.CASCADING

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state is State.ENDED

    def counts(self, now_ms: int, settings: MarketSettings) -> bool:
        """Return whether it makes a market, together with others."""
        young = now_ms - self.started_ms <= settings.window_s * 1000
        return self.runs or (young and not self.ended)


class Sight(msgspec.Struct, frozen=True):
    """What one second shows of all coins in one direction."""

    now_ms: int
    parts: Sequence[Part]
    watched: int
    settings: MarketSettings
    rejoin_s: int

    @property
    def needed(self) -> int:
        """How many coins make a market now."""
        return self.settings.needed(self.watched)

    @property
    def critical(self) -> int:
        """How many coins make it critical, however grave each of them is."""
        return MUCH_MORE * self.needed

    @property
    def running(self) -> int:
        """How many coins cascade."""
        return sum(part.runs for part in self.parts)

    @property
    def counted(self) -> list[Part]:
        """The cascades that make a market if they are enough."""
        return [part for part in self.parts if part.counts(self.now_ms, self.settings)]


class Member(msgspec.Struct):
    """A coin's part in the story: its newest cascade, and what came before that."""

    newest: Part
    yardstick: float  # when it joined: the cascade itself raises volatility
    earlier_leg: float = 0.0
    earlier_usd: float = 0.0

    def follow(self, part: Part | None) -> None:
        """Take the coin's cascade as it is now; None: nobody follows it any more."""
        newest = self.newest
        if part is None:
            if not newest.ended:
                self.newest = replace(newest, state=State.ENDED, outcome=Outcome.UNKNOWN)
        elif part.episode != newest.episode:
            self.earlier_leg, self.earlier_usd = self.leg, self.forced_usd
            self.newest = part
        elif not (newest.ended and part.ended):  # what flows after its end is no part of it
            self.newest = part

    @property
    def leg(self) -> float:
        """The longest leg, log price."""
        return max(self.earlier_leg, self.newest.leg)

    @property
    def leg_sigma(self) -> float:
        """How much it is affected: its leg in sigmas of its own five-minute move."""
        return self.leg / self.yardstick

    @property
    def forced_usd(self) -> float:
        """Visible forced USD of all its cascades in the story."""
        return self.earlier_usd + self.newest.forced_usd


class MarketStory(msgspec.Struct):
    """One story in one direction: every alert from start to end carries its id.

    It keeps every coin that was ever in it, so it holds no more than there are coins.
    """

    id: str
    direction: Direction
    started_ms: int
    state: State = State.CASCADING
    state_ms: int = 0
    members: dict[str, Member] = msgspec.field(default_factory=dict)
    outcome: Outcome | None = None

    def observe(self, seen: Sight) -> None:
        """Follow its coins through one more second; coins that cascade now join it."""
        parts = {part.coin: part for part in seen.parts}
        for coin, member in self.members.items():
            member.follow(parts.get(coin))
        if self.state is not State.ENDED:
            self.take_in(seen)

    def take_in(self, seen: Sight) -> None:
        """Make members of the coins that cascade."""
        for part in seen.counted:
            if part.coin not in self.members:
                self.members[part.coin] = Member(newest=part, yardstick=part.yardstick)

    def most_affected(self) -> list[tuple[str, Member]]:
        """Return the members, those with the longest leg for their volatility first."""
        return sorted(self.members.items(), key=lambda one: (-one[1].leg_sigma, one[0]))

    @property
    def median_leg_sigma(self) -> float:
        """The leg of the coin in the middle."""
        return median(member.leg_sigma for member in self.members.values())

    @property
    def against_map(self) -> bool:
        """Whether most members run against their maps."""
        against = sum(member.newest.against_map for member in self.members.values())
        return 2 * against > len(self.members)

    def severity(self, seen: Sight) -> Severity:
        """Return how grave it is while it runs."""
        grave = any(part.severity is Severity.CRITICAL for part in seen.counted)
        many = len(seen.counted) >= seen.critical
        return Severity.CRITICAL if grave or many else Severity.WARNING


class Standing(NamedTuple):
    """Where a story's cascades stand."""

    running: int
    needed: int
    unended: int


def enough_run(now: Standing) -> bool:
    """As many coins cascade as make a market."""
    return now.running >= now.needed


def none_runs(now: Standing) -> bool:
    """Every cascade has stalled or ended: one that goes on keeps the story running."""
    return now.running == 0


def all_ended(now: Standing) -> bool:
    """Nothing can come of the stalled ones any more."""
    return now.unended == 0


Condition = Callable[[Standing], bool]

TRANSITIONS: dict[State, tuple[tuple[Condition, State, Kind], ...]] = {
    State.CASCADING: (
        (all_ended, State.ENDED, Kind.CASCADE_ENDED),
        (none_runs, State.STALLED, Kind.CASCADE_STALLED),
    ),
    State.STALLED: (
        (all_ended, State.ENDED, Kind.CASCADE_ENDED),
        (enough_run, State.CASCADING, Kind.CASCADE_RESUMED),
    ),
    State.ENDED: ((enough_run, State.CASCADING, Kind.CASCADE_RESUMED),),
}


def begin(direction: Direction, seen: Sight) -> MarketStory | None:
    """Return the story of the coins that cascade now; None where they are no market."""
    if len(seen.counted) < seen.needed:
        return None
    story = MarketStory(
        id=f"MARKET-{direction}-{seen.now_ms}",
        direction=direction,
        started_ms=seen.now_ms,
        state_ms=seen.now_ms,
    )
    story.take_in(seen)
    return story


def step(story: MarketStory, seen: Sight) -> tuple[Kind, str] | None:
    """Move the story through one second; return the kind of alert this calls for, and the
    condition's name.
    """
    story.observe(seen)
    unended = sum(not member.newest.ended for member in story.members.values())
    now = Standing(seen.running, seen.needed, unended)
    for condition, state, kind in TRANSITIONS[story.state]:
        if condition(now):
            story.state, story.state_ms = state, seen.now_ms
            if state is State.ENDED:
                story.outcome = _outcome(story)
            else:
                story.take_in(seen)
            return kind, condition.__name__
    return None


def forgotten(story: MarketStory, seen: Sight) -> bool:
    """Return whether an ended story is too old to go on."""
    age_ms = seen.now_ms - story.state_ms
    return story.state is State.ENDED and age_ms > seen.rejoin_s * 1000


def _outcome(story: MarketStory) -> Outcome:
    # What most members came to; where none prevails, the one that claims least.
    counts = Counter(member.newest.outcome for member in story.members.values())
    return max(WEAKEST_FIRST, key=lambda outcome: counts[outcome])
