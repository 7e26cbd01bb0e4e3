from math import log
from typing import Any

import pytest
from msgspec.structs import replace

from liqwatch.alerts import Direction, Kind, Outcome, Severity
from liqwatch.engine.cascade import TRANSITIONS, Episode, Observation, State, forgotten, step
from liqwatch.engine.clusters import Zone
from liqwatch.engine.start import DetectionSettings, Start

START = Start(
    path="rarity", tier="confirmed", severity=Severity.WARNING, venues=["v"], ratio=1.5,
    return_hours=168.0,
)  # fmt: skip


class Story:
    """An upward cascade that began at 100, told second by second."""

    def __init__(self, **episode: Any) -> None:
        self.second = 0
        self.episode = Episode(
            id="BTC-up-0", direction=Direction.UP, state=State.CASCADING, state_ms=0, started_ms=0,
            start_price=100.0, start_x=log(100.0), start_forced_usd=0.0, start_swept_usd=0.0,
            extreme_x=log(100.0), extreme_price=100.0, extreme_ms=0, peak_flow_usd_per_s=1e6,
            **episode,
        )  # fmt: skip

    def seen(self, price: float, flow: float, **changes: Any) -> Observation:
        plain = Observation(
            now_ms=self.second * 1000, price=price, x=log(price), start=None, continues=False,
            flow_usd_per_s=flow, forced_usd_60s=0.0, forced_total_usd=0.0, swept_usd=0.0,
            speed_bp_per_min=0.0,
            complete=True, crossed=[], blind_s=None, settings=DetectionSettings(),
        )  # fmt: skip
        return replace(plain, **changes)

    def tell(self, price: float, flow: float, seconds: int = 1, **changes: Any) -> list[Any]:
        told = []
        for _ in range(seconds):
            self.second += 1
            news = step(self.episode, self.seen(price, flow, **changes))
            if news is not None:
                told.append(news)
        return told

    def run_up(self, seconds: int = 20) -> None:
        for second in range(1, seconds + 1):
            assert self.tell(100 + second * 0.1, 1e6) == []


def stalled(**episode: Any) -> Story:
    story = Story(**episode)
    story.run_up()
    assert story.tell(101.9, 1e5, seconds=4)
    assert story.episode.state is State.STALLED
    return story


def test_every_state_has_its_row_and_the_end_can_only_be_rejoined() -> None:
    assert set(TRANSITIONS) == set(State)
    assert [kind for _, _, kind in TRANSITIONS[State.ENDED]] == [Kind.CASCADE_RESUMED]


def test_it_stalls_when_flow_fades_and_price_makes_no_new_extreme_for_three_seconds() -> None:
    story = Story()
    story.run_up()

    assert story.tell(101.9, 1e5, seconds=2) == []
    assert story.tell(101.9, 1e5) == [(Kind.CASCADE_STALLED, "flow_faded")]


def test_fading_flow_is_no_stall_while_price_goes_on() -> None:
    story = Story()
    for second in range(1, 30):
        assert story.tell(100 + second * 0.1, 1e4) == []


def test_a_pause_of_price_is_no_stall_while_flow_goes_on() -> None:
    story = Story()
    story.run_up()

    assert story.tell(101.9, 0.9e6, seconds=60) == []


def test_it_stalls_when_a_third_of_the_leg_is_given_back_whatever_flows() -> None:
    story = Story()
    story.run_up()

    assert story.tell(101.3, 1e6) == [(Kind.CASCADE_STALLED, "gave_back")]


@pytest.mark.parametrize("blind_s", [0, 5])
def test_nothing_is_concluded_from_flow_while_a_feed_is_deaf_or_just_was(blind_s: int) -> None:
    story = Story()
    story.run_up()

    assert story.tell(101.9, 0.0, seconds=30, blind_s=blind_s) == []


def test_price_can_end_it_while_a_feed_is_deaf() -> None:
    story = Story()
    story.run_up()

    assert story.tell(101.3, 0.0, blind_s=0) == [(Kind.CASCADE_STALLED, "gave_back")]


def test_a_feed_that_stays_deaf_does_not_keep_it_running_for_ever() -> None:
    story = Story()
    story.run_up()

    assert (Kind.CASCADE_STALLED, "stood_still") in story.tell(101.9, 0.0, seconds=90, blind_s=0)


def test_a_new_extreme_with_flow_behind_it_resumes_the_same_story() -> None:
    story = stalled()
    story.tell(101.9, 1e5, seconds=10)

    assert story.tell(102.5, 1e6, continues=True) == [(Kind.CASCADE_RESUMED, "runs_again")]
    assert story.episode.state is State.CASCADING
    assert story.episode.id == "BTC-up-0"


def test_it_does_not_resume_in_the_same_breath() -> None:
    story = stalled()

    assert story.tell(102.5, 1e6, seconds=5, continues=True) == []


def test_a_new_extreme_without_flow_does_not_resume_it() -> None:
    story = stalled()

    assert story.tell(102.5, 1e4) == []


def test_a_new_extreme_on_the_echo_of_old_flow_does_not_resume_it() -> None:
    """The 30-s kernel remembers the burst long after the orders have stopped."""
    story = stalled()

    assert story.tell(102.5, 1e4, continues=True) == []


def test_a_smaller_wave_that_would_start_a_story_of_its_own_resumes_it() -> None:
    story = stalled()
    story.tell(101.9, 1e4, seconds=60)

    assert story.tell(102.5, 1e5, start=START) == [(Kind.CASCADE_RESUMED, "runs_again")]


def test_flow_without_a_new_extreme_does_not_resume_it() -> None:
    story = stalled()

    assert story.tell(101.8, 1e6, continues=True) == []


def test_it_ends_exhausted_when_nothing_comes_of_a_stall() -> None:
    story = stalled()

    assert story.tell(101.9, 1e4, seconds=89)[-1:] == [(Kind.CASCADE_ENDED, "timed_out")] or (
        story.tell(101.9, 1e4, seconds=2) == [(Kind.CASCADE_ENDED, "timed_out")]
    )
    assert story.episode.outcome is Outcome.EXHAUSTED


def test_it_ends_rejected_when_half_the_leg_is_gone() -> None:
    story = stalled()
    told = story.tell(100.8, 1e4, seconds=30)

    assert told == [(Kind.CASCADE_ENDED, "turned_back")]
    assert story.episode.outcome is Outcome.REJECTED


def test_it_ends_rejected_when_price_is_back_out_of_the_zone_it_entered() -> None:
    zone = Zone(id="z", low=101.95, high=102.0, position=None, notional_usd=None, source="user")
    story = stalled(start_zone=zone)
    story.tell(101.9, 1e4, seconds=100)

    assert story.episode.outcome is Outcome.REJECTED


def spend(story: Story, *, seconds: int, **seen: Any) -> None:
    """Half a million a second is liquidated, and price stands still below its extreme."""
    for second in range(seconds):
        story.tell(101.9, 1e5, forced_total_usd=5e5 * (second + 1), **seen)


def test_it_ends_absorbed_when_rare_flow_moves_nothing() -> None:
    story = stalled()
    spend(story, seconds=100, continues=True)

    assert story.episode.outcome is Outcome.ABSORBED


def test_throttled_feeds_show_no_amounts_that_somebody_could_have_taken() -> None:
    story = stalled()
    spend(story, seconds=100, continues=True, complete=False)

    assert story.episode.outcome is Outcome.EXHAUSTED


def test_what_comes_in_one_blow_after_the_extreme_is_not_absorbed() -> None:
    story = stalled()
    spend(story, seconds=100, continues=False)

    assert story.episode.outcome is Outcome.EXHAUSTED


def test_flow_that_moved_price_to_its_end_is_exhausted() -> None:
    story = stalled()
    story.episode.start_forced_usd = -5e7
    spend(story, seconds=100, continues=True)

    assert story.episode.outcome is Outcome.EXHAUSTED


def test_nobody_says_absorbed_who_did_not_hear_all_of_it() -> None:
    story = Story()
    story.run_up()
    story.tell(101.9, 1e6, blind_s=0)
    spend(story, seconds=130, continues=True, blind_s=50)

    assert story.episode.outcome is Outcome.UNKNOWN


def test_feeds_that_were_deaf_only_before_it_stalled_leave_the_outcome_known() -> None:
    story = Story()
    story.run_up()
    story.tell(101.9, 1e6, blind_s=0)
    for deaf_s in range(1, 120):
        story.tell(101.9, 1e4, blind_s=deaf_s)

    assert story.episode.outcome is Outcome.EXHAUSTED


def test_the_way_of_a_long_cascade_is_remembered_in_few_steps() -> None:
    story = Story()
    for second in range(3000):
        story.tell(100 + second * 0.01, 1e6)

    assert len(story.episode.progress) <= 21


def test_its_outcome_is_unknown_when_feeds_were_deaf() -> None:
    story = stalled()
    story.tell(101.9, 1e4, seconds=100, blind_s=0)

    assert story.episode.outcome is Outcome.UNKNOWN


def test_a_start_soon_after_the_end_belongs_to_the_same_story() -> None:
    story = stalled()
    story.tell(101.9, 1e4, seconds=100)
    assert story.episode.state is State.ENDED

    assert story.tell(102.5, 1e6, start=START) == [(Kind.CASCADE_RESUMED, "rejoins")]


def test_a_start_after_half_the_leg_was_given_back_is_another_story() -> None:
    story = stalled()
    story.tell(100.5, 1e4, seconds=100)

    assert story.tell(100.6, 1e6, start=START) == []


def test_a_start_after_half_the_leg_was_given_back_lets_the_old_story_go() -> None:
    story = stalled()
    story.tell(100.5, 1e4, seconds=100)

    assert forgotten(story.episode, story.seen(100.6, 1e6, start=START))


def test_an_ended_story_is_forgotten_after_five_minutes() -> None:
    story = stalled()
    story.tell(101.9, 1e4, seconds=100)
    assert not forgotten(story.episode, story.seen(101.9, 0.0))
    story.second += 301

    assert forgotten(story.episode, story.seen(101.9, 0.0))


def test_levels_crossed_are_kept_once_each_in_order() -> None:
    story = Story()
    a, b = (
        Zone(id=name, low=price, high=price, position=None, notional_usd=None, source="user")
        for name, price in (("a", 100.5), ("b", 101.0))
    )
    story.tell(100.6, 1e6, crossed=[a])
    story.tell(101.1, 1e6, crossed=[a, b])

    assert [zone.id for zone in story.episode.crossed] == ["a", "b"]


@pytest.mark.parametrize(("after_s", "severity"), [(15, Severity.CRITICAL), (25, Severity.WARNING)])
def test_how_grave_it_is_may_show_within_twenty_seconds_of_its_start(
    after_s: int, severity: Severity
) -> None:
    story = Story()
    story.tell(100.1, 1e6)
    for second in range(after_s):
        strong = replace(START, severity=Severity.CRITICAL) if second == after_s - 1 else START
        story.tell(100.2 + second * 0.1, 1e6, start=strong)

    assert story.episode.severity is severity
