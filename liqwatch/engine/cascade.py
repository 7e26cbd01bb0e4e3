"""The life of a cascade, as a table: cascading → stalled → cascading again or ended.

Every transition a cascade can make stands in `TRANSITIONS`; everything it depends on is in
`Observation`.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from liqwatch.alerts import Direction, Kind, Outcome, Severity, Verdict
from liqwatch.engine.clusters import Zone
from liqwatch.engine.start import DetectionSettings, Start
from liqwatch.map_view import Asymmetry

PROGRESS_STEP = 0.005  # of the leg: how finely its way is remembered
LAST_PART = 0.1  # of the leg: price that makes no more than this does not move …
ABSORBED_SHARE = 0.5  # … while such a share of the forced USD comes: somebody takes it all …
ABSORBED_S = 50  # … if it came rare for so long; what comes in one blow proves nothing
REJECTED_RETRACE = 0.5
REJECTED_AFTER_S = 15
RESUME_AFTER_S = 10
ECHO_S = 60  # after a stall, in which the start rule still sees what was before it
MOST_RETURNS = 2  # that are told; then it runs until it is over
PATIENCE = 16  # a story that came back is called stalled after so many times the quiet
BLIND_AFTERGLOW_S = 10  # after a gap falling flow proves nothing
GRAVER_WITHIN_S = 20  # of its start: how strongly a cascade feeds itself shows early


class State(StrEnum):
    """Where a cascade stands."""

    CASCADING = "cascading"
    STALLED = "stalled"
    ENDED = "ended"


class Observation(msgspec.Struct, frozen=True):
    """What one second shows of one coin in one direction."""

    now_ms: int
    price: float
    x: float  # log price
    start: Start | None
    continues: bool  # flow still rare, or still explains the move
    flow_usd_per_s: float  # forced, over about 5 s
    forced_usd_60s: float  # visible
    forced_total_usd: float  # ever seen, this direction
    swept_usd: float  # mass of the map that price has passed, ever, this direction
    speed_bp_per_min: float
    complete: bool  # a healthy feed shows every order; throttled ones show no amounts
    crossed: list[Zone]  # that price met since the episode's start
    blind_s: int | None  # seconds since a feed was last deaf; 0: now; None: never
    settings: DetectionSettings


class Progress(msgspec.Struct, frozen=True):
    """A new extreme, and what had come by then."""

    x: float
    forced_usd: float
    rare_s: int


class Episode(msgspec.Struct):
    """One story: every alert from start to end carries its id.

    The leg and its forced orders are counted from where the run began, which is before the start
    was called.
    """

    id: str
    direction: Direction
    state: State
    state_ms: int  # when it entered the state
    started_ms: int
    start_price: float
    start_x: float
    start_forced_usd: float
    start_swept_usd: float
    extreme_x: float
    extreme_price: float
    extreme_ms: int
    severity: Severity = Severity.WARNING  # as far as it has shown
    start_zone: Zone | None = None
    against_map: bool = False
    crossed: list[Zone] = msgspec.field(default_factory=list)  # from start to extreme, in order
    verdicts: dict[str, Verdict] = msgspec.field(default_factory=dict)  # on zones, by id
    asymmetry: Asymmetry | None = None  # of the map, before it
    peak_flow_usd_per_s: float = 0.0  # since it last began to run
    top_forced_usd_60s: float = 0.0  # visible in its worst minute
    peak_speed_bp_per_min: float = 0.0
    rare_s: int = 0  # in which forced flow was rare
    progress: list[Progress] = msgspec.field(default_factory=list)  # through the leg's last tenth
    returns: int = 0  # how often it was resumed
    rejoined: bool = False  # … after its end was told
    was_blind: bool = False
    outcome: Outcome | None = None

    def observe(self, seen: Observation) -> None:
        """Follow extremes and peaks through one more second."""
        sign = self.direction.sign
        if self.state is State.ENDED:
            return
        if (seen.x - self.extreme_x) * sign > 0:
            self.extreme_x, self.extreme_price, self.extreme_ms = seen.x, seen.price, seen.now_ms
        self.peak_flow_usd_per_s = max(self.peak_flow_usd_per_s, seen.flow_usd_per_s)
        self.top_forced_usd_60s = max(self.top_forced_usd_60s, seen.forced_usd_60s)
        known = {zone.id for zone in self.crossed}
        self.crossed += [zone for zone in seen.crossed if zone.id not in known]
        self.peak_speed_bp_per_min = max(self.peak_speed_bp_per_min, seen.speed_bp_per_min * sign)
        self.rare_s += seen.continues
        self._progress(seen)
        self.was_blind |= seen.blind_s == 0
        young = seen.now_ms - self.started_ms <= GRAVER_WITHIN_S * 1000
        if young and seen.start is not None and seen.start.severity is Severity.CRITICAL:
            self.severity = Severity.CRITICAL

    @property
    def stalls_no_more(self) -> bool:
        """Whether it came back so often that another pause is no news."""
        return self.returns >= MOST_RETURNS

    def resolve_s(self, settings: DetectionSettings) -> int:
        """Return how long it may stand still; a story that came back could do so again."""
        if not self.returns:
            return settings.resolve_after_s
        return max(settings.resolve_after_s, settings.rejoin_s)

    def _progress(self, seen: Observation) -> None:
        sign, progress = self.direction.sign, self.progress
        step = PROGRESS_STEP * self.leg
        if not progress or (self.extreme_x - progress[-1].x) * sign > step:
            progress.append(Progress(self.extreme_x, seen.forced_total_usd, self.rare_s))
        while (self.extreme_x - progress[0].x) * sign > LAST_PART * self.leg:
            del progress[0]

    def late_share(self, forced_total_usd: float) -> float:
        """Return the share of the forced USD that came while price made the last tenth of the leg,
        and after.
        """
        came_usd = forced_total_usd - self.start_forced_usd
        late_usd = forced_total_usd - self.progress[0].forced_usd if self.progress else 0.0
        return late_usd / came_usd if came_usd > 0 else 0.0

    def age_s(self, now_ms: int) -> float:
        """Seconds in the present state."""
        return (now_ms - self.state_ms) / 1000

    @property
    def leg(self) -> float:
        """Length of the move so far, log price, never negative."""
        return max(0.0, (self.extreme_x - self.start_x) * self.direction.sign)

    def retraced(self, x: float) -> float:
        """Return the share of the leg that was given back."""
        back = (self.extreme_x - x) * self.direction.sign
        return back / self.leg if self.leg > 0 else 0.0


def flow_faded(episode: Episode, seen: Observation) -> bool:
    """Forced flow fell, no new extreme: not to be concluded while a feed is deaf or just was."""
    settings = seen.settings
    if episode.stalls_no_more:
        return False
    if seen.blind_s is not None and seen.blind_s < BLIND_AFTERGLOW_S:
        return False
    return (
        episode.age_s(seen.now_ms) >= settings.stall_min_age_s
        and seen.now_ms - episode.extreme_ms
        >= settings.stall_quiet_s * PATIENCE**episode.returns * 1000
        and seen.flow_usd_per_s < settings.stall_flow_share * episode.peak_flow_usd_per_s
    )


def gave_back(episode: Episode, seen: Observation) -> bool:
    """Price itself turned: true with or without feeds."""
    return (
        not episode.stalls_no_more
        and episode.age_s(seen.now_ms) >= seen.settings.stall_min_age_s
        and episode.retraced(seen.x) >= seen.settings.stall_retrace
    )


def stood_still(episode: Episode, seen: Observation) -> bool:
    """No new extreme for as long as a stalled cascade is given: whatever flows, or cannot be heard,
    moves nothing.
    """
    return seen.now_ms - episode.extreme_ms >= episode.resolve_s(seen.settings) * 1000


def is_over(episode: Episode, seen: Observation) -> bool:
    """A story that stalls no more ends as it runs, when price stands still or turns."""
    over = stood_still(episode, seen) or turned_back(episode, seen)
    return episode.stalls_no_more and over


def runs_again(episode: Episode, seen: Observation) -> bool:
    """A new extreme since the stall, with forced flow behind it that came back to life, or that
    would start a story of its own.
    """
    if episode.age_s(seen.now_ms) < RESUME_AFTER_S:
        return False
    alive = seen.flow_usd_per_s >= seen.settings.stall_flow_share * episode.peak_flow_usd_per_s
    anew = seen.start is not None and episode.age_s(seen.now_ms) >= ECHO_S
    rare = seen.start is not None or seen.continues
    return episode.extreme_ms > episode.state_ms and (anew or (alive and rare))


def turned_back(episode: Episode, seen: Observation) -> bool:
    """More than half the leg is gone."""
    return (
        episode.age_s(seen.now_ms) >= REJECTED_AFTER_S
        and episode.retraced(seen.x) > REJECTED_RETRACE
    )


def timed_out(episode: Episode, seen: Observation) -> bool:
    """It stalled and nothing came of it."""
    return episode.age_s(seen.now_ms) >= episode.resolve_s(seen.settings)


def rejoins(episode: Episode, seen: Observation) -> bool:
    """A start soon after the end, unless half the leg was given back or the story has ended
    before: the same story.
    """
    spent = episode.rejoined or episode.stalls_no_more
    return not spent and seen.start is not None and episode.retraced(seen.x) <= REJECTED_RETRACE


Condition = Callable[[Episode, Observation], bool]

TRANSITIONS: dict[State, tuple[tuple[Condition, State, Kind], ...]] = {
    State.CASCADING: (
        (is_over, State.ENDED, Kind.CASCADE_ENDED),
        (flow_faded, State.STALLED, Kind.CASCADE_STALLED),
        (gave_back, State.STALLED, Kind.CASCADE_STALLED),
        (stood_still, State.STALLED, Kind.CASCADE_STALLED),
    ),
    State.STALLED: (
        (runs_again, State.CASCADING, Kind.CASCADE_RESUMED),
        (turned_back, State.ENDED, Kind.CASCADE_ENDED),
        (timed_out, State.ENDED, Kind.CASCADE_ENDED),
    ),
    State.ENDED: ((rejoins, State.CASCADING, Kind.CASCADE_RESUMED),),
}


def step(episode: Episode, seen: Observation) -> tuple[Kind, str] | None:
    """Move the episode through one second; return the kind of alert this calls for, and the
    condition's name.
    """
    episode.observe(seen)
    for condition, state, kind in TRANSITIONS[episode.state]:
        if condition(episode, seen):
            if state is State.ENDED:
                episode.outcome = _outcome(episode, seen)
            if state is State.CASCADING:
                episode.returns += 1
                episode.rejoined |= episode.state is State.ENDED
                episode.peak_flow_usd_per_s = seen.flow_usd_per_s
            episode.state, episode.state_ms = state, seen.now_ms
            return kind, condition.__name__
    return None


def forgotten(episode: Episode, seen: Observation) -> bool:
    """Return whether an ended episode is too old to be rejoined, or another begins."""
    if episode.state is not State.ENDED:
        return False
    another = seen.start is not None and not rejoins(episode, seen)
    return another or episode.age_s(seen.now_ms) > seen.settings.rejoin_s


def give_up(episode: Episode, now_ms: int) -> None:
    """End an episode of which nothing can be heard any more."""
    episode.state, episode.state_ms, episode.outcome = State.ENDED, now_ms, Outcome.UNKNOWN


def _outcome(episode: Episode, seen: Observation) -> Outcome:
    zone = episode.start_zone
    back_out = (
        zone is not None
        and (seen.price - zone.near_edge(episode.direction)) * episode.direction.sign < 0
    )
    if back_out or episode.retraced(seen.x) > REJECTED_RETRACE:
        return Outcome.REJECTED
    stood_s = min(episode.age_s(seen.now_ms), episode.resolve_s(seen.settings))
    if seen.blind_s is not None and seen.blind_s <= stood_s:
        return Outcome.UNKNOWN
    if _absorbed(episode, seen):
        return Outcome.UNKNOWN if episode.was_blind else Outcome.ABSORBED
    return Outcome.EXHAUSTED


def _absorbed(episode: Episode, seen: Observation) -> bool:
    return (
        seen.complete
        and episode.late_share(seen.forced_total_usd) >= ABSORBED_SHARE
        and episode.rare_s - episode.progress[0].rare_s >= ABSORBED_S
    )
