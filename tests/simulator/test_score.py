from typing import Any

import msgspec
import pytest

from liqwatch.alerts import Alert, Direction, Kind, Severity
from liqwatch.events import Position
from liqwatch.simulator.score import score
from liqwatch.simulator.summary import summary
from liqwatch.simulator.truth import Leg, LevelTruth, Truth, Visit

MINUTE_MS = 60_000


def leg(onset_ms: int, direction: Direction = Direction.UP, *, minor: bool = False) -> Leg:
    """A leg of twenty seconds, over in a straight line."""
    return Leg(
        symbol="BTC",
        direction=direction,
        onset_ms=onset_ms,
        end_ms=onset_ms + 18_000,
        start_price=90_300.0,
        extreme_price=92_400.0,
        displacement=0.02,
        forced_usd=5e8,
        minor=minor,
        path_begin_ms=onset_ms - 2_000,
        path=[second / 20 for second in range(21)],
    )


def truth(*legs: Leg, levels: list[LevelTruth] | None = None) -> Truth:
    return Truth(
        scenario="cascade",
        seed=1,
        symbols=["BTC"],
        begin_ms=0,
        end_ms=60 * MINUTE_MS,
        legs=list(legs),
        levels=levels or [],
    )


def alert(kind: str, time: int, episode: str = "e1", **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "symbol": "BTC",
        "direction": "up",
        "time": time,
        "episode": episode,
        **more,
    }


def test_a_start_in_time_is_right_and_measured() -> None:
    result = score([alert("cascade_started", 103_000)], truth(leg(100_000)))
    assert (result.precision, result.recall, result.f1) == (1.0, 1.0, 1.0)
    assert result.start_delays_s == [3.0]
    assert result.share_gone == 0.25


@pytest.mark.parametrize("time_ms", [40_000, 100_000, 120_000])
def test_the_window_reaches_from_a_minute_before_to_two_seconds_after(time_ms: int) -> None:
    assert score([alert("cascade_started", time_ms)], truth(leg(100_000))).recall == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        alert("cascade_started", 39_999),
        alert("cascade_started", 120_001),
        alert("cascade_started", 103_000, direction="down"),
        alert("cascade_started", 103_000, symbol="ETH"),
    ],
)
def test_a_start_outside_its_leg_is_false_and_the_leg_missed(wrong: dict[str, Any]) -> None:
    result = score([wrong], truth(leg(100_000)))
    assert result.false_starts == [wrong["time"]]
    assert (result.precision, result.recall, result.f1) == (0.0, 0.0, 0.0)


def test_repeats_are_ignored_for_five_minutes_after_the_end() -> None:
    times = [103_000, 110_000, 118_000 + 300_000, 118_000 + 300_001]
    result = score([alert("cascade_started", t) for t in times], truth(leg(100_000)))
    assert result.false_starts == times[3:]
    assert result.precision == 0.5


def test_a_leg_too_small_to_be_asked_for_excuses_and_counts_for_nothing() -> None:
    result = score([alert("cascade_started", 103_000)], truth(leg(100_000, minor=True)))
    assert result.false_starts == []
    assert result.calls == []
    assert result.f1 is None


def test_two_legs_take_a_start_each_and_a_resumption_counts_as_one() -> None:
    alerts = [alert("cascade_started", 101_000), alert("cascade_resumed", 161_000)]
    result = score(alerts, truth(leg(100_000), leg(160_000)))
    assert result.start_delays_s == [1.0, 1.0]
    assert score([alert("cascade_resumed", 5_000)], truth(leg(100_000))).false_starts == []


def test_a_story_of_the_market_is_not_scored_for_each_of_its_coins_has_its_own() -> None:
    market = alert("cascade_started", 101_000, symbol="MARKET", members=["ETH", "BTC"])
    result = score([market], truth(leg(100_000)))
    assert (result.recall, result.false_starts) == (0.0, [])


def test_a_stall_is_premature_when_more_than_a_seventh_was_to_come() -> None:
    start = alert("cascade_started", 101_000)
    early = score([start, alert("cascade_stalled", 114_000)], truth(leg(100_000)))
    assert early.stall_accuracy == 0.0
    assert early.stall_delays_s == []
    right = score([start, alert("cascade_stalled", 115_000)], truth(leg(100_000)))
    assert right.stall_accuracy == 1.0
    assert right.stall_delays_s == [-3.0]


def test_the_stall_of_another_story_is_not_this_ones() -> None:
    alerts = [alert("cascade_started", 101_000), alert("cascade_stalled", 130_000, "e2")]
    assert score(alerts, truth(leg(100_000))).stall_accuracy is None


def test_alerts_and_objects_of_the_alert_file_score_alike() -> None:
    decided = Alert(
        id="a",
        episode="e1",
        kind=Kind.CASCADE_STARTED,
        symbol="BTC",
        position=Position.SHORT,
        direction=Direction.UP,
        time=103_000,
        price=90_500.0,
        severity=Severity.WARNING,
        evidence={},
        thresholds={},
    )
    written = msgspec.json.decode(msgspec.json.encode(decided))
    assert score([decided], truth(leg(100_000))) == score([written], truth(leg(100_000)))


def test_nothing_to_score_says_so() -> None:
    assert str(score([], truth())).splitlines()[0].startswith("starts  0 of 0 found, 0 false")


def test_the_summary_tells_each_event_with_its_alert() -> None:
    level = LevelTruth(
        "BTC",
        90_000.0,
        Direction.UP,
        [
            Visit(5 * MINUTE_MS, 89_940.0, rejected_ms=6 * MINUTE_MS),
            Visit(12 * MINUTE_MS, 90_010.0, crossed_ms=13 * MINUTE_MS),
        ],
    )
    near = {"low": 89_900.0, "high": 90_100.0, "notional": None, "source": "user"}
    onset = 13 * MINUTE_MS + 20_000
    text = summary(
        [
            alert("level_approached", 5 * MINUTE_MS - 30_000, level=near),
            alert("level_verdict", 7 * MINUTE_MS, level=near, verdict="reversed"),
            alert("cascade_started", onset + 4_000),
            alert("cascade_stalled", onset + 25_000),
            alert("cascade_ended", onset + 90_000, outcome="exhausted"),
            alert("cascade_started", 50 * MINUTE_MS, "e2"),
        ],
        truth(leg(onset), levels=[level]),
    )
    rows = [" ".join(line.split()) for line in text.splitlines()[1:]]
    assert rows == [
        "5:00 BTC 90,000 approached level approached, 30.0 s before",
        "6:00 BTC 90,000 rejected at 89,940 level verdict: reversed, 60.0 s later",
        "12:00 BTC 90,000 approached –",
        "13:00 BTC 90,000 crossed –",
        "13:20 BTC ▲ cascade from 90,300 cascade started, 4.0 s later, 30% of the forced move gone",
        "13:38 BTC ▲ over at 92,400, $500M forced cascade stalled, 7.0 s later",
        "13:38 cascade ended: exhausted, 72.0 s later",
        "false starts: 1",
    ]
