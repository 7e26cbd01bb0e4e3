"""What a person may ask of the running daemon or tell it, and what is answered: facts, no prose.

Times are ms since the Unix epoch. `who` is the person as the others know him.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from liqwatch.alerting.silences import Silence
from liqwatch.alerts import Alert, Direction, LevelSource, Verdict
from liqwatch.engine.levels import Phase
from liqwatch.engine.liveness import FeedHealth
from liqwatch.events import Position
from liqwatch.map_view import MapShown

Hours = Annotated[float, Meta(gt=0, le=24 * 366)]


class ControlError(Exception):
    """What was asked cannot be told or done; one line says why."""


class NoMapError(ControlError):
    """There is no map of that coin; it is said of which there is one."""


# -- questions -------------------------------------------------------------------------------------


class AskStatus(msgspec.Struct, frozen=True, tag_field="ask", tag="status"):
    """How the daemon and each of its feeds are."""


class AskMap(msgspec.Struct, frozen=True, tag_field="ask", tag="map"):
    """The map of a coin."""

    symbol: str


class AskLevels(msgspec.Struct, frozen=True, tag_field="ask", tag="levels"):
    """What price did at the levels of a coin, clusters too, or at all levels it came near."""

    symbol: str | None = None


class AskWhy(msgspec.Struct, frozen=True, tag_field="ask", tag="why"):
    """Why an alert was decided on, and what became of it.

    `id` is that of a story, or any part of an alert's own, of which the newest is meant.
    """

    id: str = ""


class AskWhyNot(msgspec.Struct, frozen=True, tag_field="ask", tag="why_not"):
    """Why no cascade of a coin was called about a time, or which one was.

    `at` is ISO 8601 or the last such time of day, such as 14:05; UTC unless it says otherwise.
    """

    symbol: str
    at: str


class AskReplay(msgspec.Struct, frozen=True, tag_field="ask", tag="replay"):
    """How to decide again what was decided in a story; `id` as in AskWhy."""

    id: str = ""


class AskLog(msgspec.Struct, frozen=True, tag_field="ask", tag="log"):
    """The newest lines of the log."""

    lines: Annotated[int, Meta(ge=1, le=200)] = 20


class Mute(msgspec.Struct, frozen=True, tag_field="ask", tag="mute"):
    """Send nothing of a coin (None: of any), or of one of its levels, to a receiver (None: to
    nobody).
    """

    symbol: str | None
    hours: Hours
    who: str
    receiver: str | None = None
    level: tuple[float, float] | None = None  # low, high


class Unmute(msgspec.Struct, frozen=True, tag_field="ask", tag="unmute"):
    """End the mutes of a coin (None: all), or of one of its levels, for a receiver (None: for
    everybody).
    """

    symbol: str | None = None
    receiver: str | None = None
    level: tuple[float, float] | None = None


class AskMutes(msgspec.Struct, frozen=True, tag_field="ask", tag="mutes"):
    """What is muted for a receiver (None: for any)."""

    receiver: str | None = None


class Watch(msgspec.Struct, frozen=True, tag_field="ask", tag="watch"):
    """Watch prices of a coin; as they would be written in the configuration, such as 85k."""

    symbol: str
    prices: tuple[str, ...]
    hours: Hours
    who: str


class Unwatch(msgspec.Struct, frozen=True, tag_field="ask", tag="unwatch"):
    """No longer watch prices of a coin; without prices, none."""

    symbol: str
    prices: tuple[str, ...]
    hours: Hours
    who: str


class AskThreshold(msgspec.Struct, frozen=True, tag_field="ask", tag="threshold"):
    """What a setting is, for everything or for one coin, and where that comes from."""

    key: str
    symbol: str | None = None


class SetThreshold(msgspec.Struct, frozen=True, tag_field="ask", tag="set_threshold"):
    """Change a setting for a while; without a value, take back what was changed."""

    key: str
    value: str | None
    hours: Hours
    who: str
    symbol: str | None = None


class AskDiff(msgspec.Struct, frozen=True, tag_field="ask", tag="diff"):
    """In what the settings in force differ from those of the file."""


class Reload(msgspec.Struct, frozen=True, tag_field="ask", tag="reload"):
    """Read the configuration again."""


# -- answers ---------------------------------------------------------------------------------------


class StatusAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="status"):
    """How the daemon is, in one line, and each of its feeds."""

    status: str
    feeds: tuple[FeedHealth, ...]


class MapAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="map"):
    """The map."""

    shown: MapShown


class Judged(msgspec.Struct, frozen=True):
    """What reaching a level once did to the move."""

    time: int
    verdict: Verdict


class LevelScore(msgspec.Struct, frozen=True, kw_only=True):
    """What price did at a level; approaches are those of a day without a longer pause."""

    symbol: str
    low: float
    high: float
    source: LevelSource
    position: Position | None  # whose positions lie there; None for a watched price
    direction: Direction  # of a move that would meet it
    distance_pct: float  # from the price, positive above
    notional_usd: float | None
    phase: Phase
    approaches: int
    activated: int
    verdicts: tuple[Judged, ...]  # newest first


class LevelsAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="levels"):
    """The levels, by coin and from high to low."""

    levels: tuple[LevelScore, ...]


class Criterion(msgspec.Struct, frozen=True):
    """A number held against its limit; `at_least`: the limit is a lower one."""

    name: str
    value: float
    limit: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the number was on the right side of its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def margin_pct(self) -> float | None:
        """By how much it was, in percent of the limit; negative where it was not."""
        if not self.limit:
            return None
        share = 100 * (self.value / self.limit - 1)
        return share if self.at_least else -share


class Delivered(msgspec.Struct, frozen=True):
    """What became of an alert for one receiver: as what it was sent or held, and why."""

    receiver: str
    role: str
    state: str
    reason: str
    outcome: str


class Explained(msgspec.Struct, frozen=True):
    """An alert, what it was decided on, and what became of it."""

    alert: Alert
    criteria: tuple[Criterion, ...]
    deliveries: tuple[Delivered, ...]


class WhyAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="why"):
    """The alerts of a story, oldest first, or one alert that is none's."""

    explained: tuple[Explained, ...]


class NearMiss(msgspec.Struct, frozen=True, kw_only=True):
    """A second in which no start was called: how near one was, by the path that was nearest.

    `nearness` is the share of the way, from 0 to 1; `venue` whose flow was held against what it
    shows once in `return_hours` (None: the flow of all, against the move). `learning` has the hours
    that venues were heard which are still too few to call anything rare.
    """

    time: int
    direction: Direction
    path: str
    venue: str | None
    return_hours: float | None
    nearness: float
    criteria: tuple[Criterion, ...]
    deaf: tuple[str, ...]
    learning: dict[str, float]


class WhyNotAnswer(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="why_not"):
    """What was decided on a coin from `since` to `until`, and the starts that were near but not
    called.
    """

    symbol: str
    at: int
    since: int
    until: int
    told: tuple[Alert, ...]  # of that time, and the latest of each cascade that ran into it
    misses: tuple[NearMiss, ...]  # the nearest first; none of the direction of a cascade then
    remembered: bool  # False: that nothing is known of a near start does not say there was none
    moved_pct: float | None  # from the lowest to the highest price, by the minute
    forced_usd: float | None  # visible; None: not known any more
    deaf: tuple[str, ...]  # venues that were not heard for a while then, as far as is known

    @property
    def called(self) -> bool:
        """Whether a cascade ran or was called then."""
        return any(alert.episode is not None for alert in self.told)

    @property
    def forgotten(self) -> bool:
        """Whether there is no telling why."""
        return not (self.remembered or self.misses or self.called)


class ReplayAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="replay"):
    """The tapes of a story's time that are still there, and what to type to decide again.

    `ended` is the alert that closed it, with the post-mortem.
    """

    subject: str
    begun: int
    over: int
    tapes: tuple[str, ...]
    command: str
    ended: Alert | None


class LogAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="log"):
    """Lines of the log, oldest first."""

    lines: tuple[str, ...]


class Muted(msgspec.Struct, frozen=True):
    """What a receiver is not told."""

    receiver: str
    silence: Silence


class MutesAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="mutes"):
    """What is muted now."""

    mutes: tuple[Muted, ...]


class WatchedAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="watched"):
    """The prices of a coin that are watched now."""

    symbol: str
    prices: tuple[float, ...]
    until_ms: int  # when what was just said ends


class ThresholdAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="threshold"):
    """A setting in force. `until_ms` and `who` are those of an override."""

    name: str
    value: str
    source: Literal["default", "file", "override"]
    until_ms: int | None = None
    who: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """A setting that is overridden, as `name was → now`, until when and by whom.

    `refused` says why it is not in force although somebody asked for it.
    """

    change: str
    until_ms: int
    who: str
    refused: str | None = None


class DiffAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="diff"):
    """What is overridden."""

    changes: tuple[Changed, ...]


class OrderedAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="ordered"):
    """It will be done; what comes of it is an alert."""


Question = (
    AskStatus
    | AskMap
    | AskLevels
    | AskWhy
    | AskWhyNot
    | AskReplay
    | AskLog
    | Mute
    | Unmute
    | AskMutes
    | Watch
    | Unwatch
    | AskThreshold
    | SetThreshold
    | AskDiff
    | Reload
)
Answer = (
    StatusAnswer
    | MapAnswer
    | LevelsAnswer
    | WhyAnswer
    | WhyNotAnswer
    | ReplayAnswer
    | LogAnswer
    | MutesAnswer
    | WatchedAnswer
    | ThresholdAnswer
    | DiffAnswer
    | OrderedAnswer
)
