"""How much is said of one cascade, however often it pauses and comes back."""

from collections.abc import Iterable
from itertools import groupby, pairwise
from math import exp, log

from hypothesis import given, settings
from hypothesis import strategies as st

from liqwatch.alerts import Direction, Kind, Severity
from liqwatch.engine.cascade import Episode, Observation, State, forgotten, step
from liqwatch.engine.start import DetectionSettings, Start

MOST = 7
LONG_S = 2400
START = Start(
    path="rarity", tier="confirmed", severity=Severity.WARNING, venues=["v"], ratio=1.5,
    return_hours=168.0,
)  # fmt: skip
Waves = list[tuple[int, int, float]]


class Market:
    """Forced flow in waves that push price up, and what is said of it, by episode."""

    def __init__(self) -> None:
        self.second, self.x = 0, log(100.0)
        self.flow = self.total = 0.0
        self.episode: Episode | None = None
        self.told: list[tuple[str, Kind]] = []

    def live(self, waves: Iterable[tuple[int, int, float]]) -> list[list[Kind]]:
        """Run so many seconds, pause so many, giving back a share of the wave, again and again."""
        for run_s, pause_s, given_back in waves:
            self._pass(run_s, usd_per_s=1e6, drift=1e-4)
            self._pass(pause_s, usd_per_s=0.0, drift=-1e-4 * run_s * given_back / pause_s)
        self._pass(900, usd_per_s=0.0, drift=0.0)
        return [[kind for _, kind in each] for _, each in groupby(self.told, lambda one: one[0])]

    def _pass(self, seconds: int, *, usd_per_s: float, drift: float) -> None:
        for _ in range(seconds):
            self.second += 1
            self.x += drift
            self.flow += (usd_per_s - self.flow) / 5
            self.total += self.flow
            self._see(runs=usd_per_s > 0)

    def _see(self, *, runs: bool) -> None:
        seen = Observation(
            now_ms=self.second * 1000, price=exp(self.x), x=self.x,
            start=START if runs and self.flow > 6e5 else None, continues=self.flow > 3e5,
            flow_usd_per_s=self.flow, forced_usd_60s=0.0, forced_total_usd=self.total,
            swept_usd=0.0, speed_bp_per_min=60.0, complete=True, crossed=[], blind_s=None,
            settings=DetectionSettings(),
        )  # fmt: skip
        if self.episode is not None and forgotten(self.episode, seen):
            self.episode = None
        if self.episode is not None:
            moved = step(self.episode, seen)
            if moved is not None:
                self.told.append((self.episode.id, moved[0]))
        elif seen.start is not None:
            self.episode = Episode(
                id=f"{self.second}", direction=Direction.UP, state=State.CASCADING,
                state_ms=seen.now_ms, started_ms=seen.now_ms, start_price=seen.price,
                start_x=seen.x, start_forced_usd=self.total, start_swept_usd=0.0, extreme_x=seen.x,
                extreme_price=seen.price, extreme_ms=seen.now_ms, peak_flow_usd_per_s=self.flow,
            )  # fmt: skip
            self.told.append((self.episode.id, Kind.CASCADE_STARTED))


@st.composite
def waves(draw: st.DrawFn) -> Waves:
    """Forty minutes of them."""
    pauses = st.one_of(st.integers(4, 20), st.integers(20, 90), st.integers(90, 420))
    drawn: Waves = []
    while sum(run_s + pause_s for run_s, pause_s, _ in drawn) < LONG_S:
        drawn.append((draw(st.integers(20, 300)), draw(pauses), draw(st.floats(0, 0.7))))
    return drawn


@settings(max_examples=60, deadline=None)
@given(waves())
def test_a_story_is_seven_messages_at_most_and_each_has_its_place(drawn: Waves) -> None:
    for story in Market().live(drawn):
        assert len(story) <= MOST
        assert story[0] is Kind.CASCADE_STARTED
        assert Kind.CASCADE_STARTED not in story[1:]
        assert story[-1] is Kind.CASCADE_ENDED
        paused = {Kind.CASCADE_STALLED, Kind.CASCADE_ENDED}
        assert not any(a in paused and b is Kind.CASCADE_STALLED for a, b in pairwise(story))
        assert story.count(Kind.CASCADE_STALLED) <= story.count(Kind.CASCADE_RESUMED) + 1


def test_forty_minutes_with_a_pause_every_minute_are_one_story() -> None:
    (story,) = Market().live([(60, 15, 0.1)] * 32)

    assert story.count(Kind.CASCADE_ENDED) == 1
    assert len(story) <= MOST


def test_three_waves_are_each_told_as_they_stall_and_come_back() -> None:
    (story,) = Market().live([(120, 70, 0.1)] * 3)

    names = [kind.removeprefix("cascade_") for kind in story]
    assert names == ["started", "stalled", "resumed", "stalled", "resumed", "ended"]


def test_a_wave_long_after_the_end_is_another_story() -> None:
    assert len(Market().live([(120, 450, 0.1)] * 3)) == 3
