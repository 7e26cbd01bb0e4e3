from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerts import Alert, Direction, Kind, Level, Severity, Verdict
from liqwatch.engine.digest import MOST_JUDGED, SEVERAL, Diary, DigestSettings
from liqwatch.events import Position

BERLIN = "Europe/Berlin"  # clocks skip 02:00-03:00 on 2026-03-29, repeat it on 2026-10-25
MINUTE_MS = 60_000


def due(settings: DigestSettings, start: datetime, hours: int, step_min: int = 1) -> list[datetime]:
    """When a digest falls due, in local time, if one asks every so many minutes."""
    diary, begin_ms = Diary(), int(start.timestamp() * 1000)
    zone = ZoneInfo(settings.time_zone)
    return [
        datetime.fromtimestamp(ms / 1000, tz=zone)
        for ms in range(begin_ms, begin_ms + hours * 60 * MINUTE_MS, step_min * MINUTE_MS)
        if diary.due(ms, settings)
    ]


@pytest.mark.parametrize("at", ["00:00", "01:59", "02:00", "02:30", "03:00", "08:00", "23:59"])
@pytest.mark.parametrize("month_day", [(3, 27), (10, 23)], ids=["skipped", "repeated"])
def test_it_is_due_once_a_day_when_clocks_change(at: str, month_day: tuple[int, int]) -> None:
    start = datetime(2026, *month_day, 12, tzinfo=ZoneInfo(BERLIN))
    times = due(DigestSettings(at=at, time_zone=BERLIN), start, 96)

    assert len(times) == 4
    assert len({one.date() for one in times}) == 4
    skipped = (3, 29) if at in {"02:00", "02:30"} else None
    for one in times:
        shown = "03:00" if (one.month, one.day) == skipped else at
        assert one.strftime("%H:%M") == shown


@given(
    at=st.times().map(lambda time: time.strftime("%H:%M")),
    zone=st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    day=st.integers(0, 364),
)
def test_it_is_due_once_a_day_anywhere_and_at_any_time(at: str, zone: str, day: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    times = due(DigestSettings(at=at, time_zone=zone), start, 73, step_min=10)

    assert 2 <= len(times) <= 4
    assert all(22 <= (b - a) / timedelta(hours=1) <= 26 for a, b in pairwise(times))


def test_a_day_that_had_begun_before_us_has_none_and_a_missed_time_is_made_up_for() -> None:
    settings = DigestSettings(at="08:00")
    late = datetime(2026, 5, 1, 8, 1, tzinfo=UTC)
    diary = Diary()

    assert not diary.due(int(late.timestamp() * 1000), settings)
    assert diary.due(int((late + timedelta(hours=30)).timestamp() * 1000), settings)
    assert not diary.due(int((late + timedelta(hours=31)).timestamp() * 1000), settings)


def test_time_that_goes_back_brings_no_second_one() -> None:
    settings, diary = DigestSettings(at="08:00"), Diary()
    eight = int(datetime(2026, 5, 1, 8, tzinfo=UTC).timestamp() * 1000)

    asked = [diary.due(eight + step, settings) for step in (-1, 0, -1, 0, -86_400_000, 0)]
    assert asked == [False, True, False, False, False, False]


def test_without_a_time_of_day_there_is_none() -> None:
    assert due(DigestSettings(), datetime(2026, 5, 1, tzinfo=UTC), 72) == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone such as Europe/Berlin"):
        DigestSettings(at="08:00", time_zone=zone)


def verdict(
    low: float,
    verdict: Verdict,
    *,
    reached: bool = True,
    position: Position | None = Position.SHORT,
) -> Alert:
    return Alert(
        id=f"{low}",
        episode=None,
        kind=Kind.LEVEL_VERDICT,
        symbol="BTC",
        position=position,
        direction=Direction.UP,
        time=1,
        price=low,
        severity=Severity.INFO,
        level=Level(low=low, high=low + 1, notional=None, source="estimate"),
        verdict=verdict,
        evidence={"reached": reached},
        thresholds={},
    )


def test_it_tells_which_levels_were_reached_and_whether_they_activated() -> None:
    diary = Diary()
    diary.note(
        [
            verdict(1.0, Verdict.ACCELERATED),
            verdict(2.0, Verdict.REVERSED),
            verdict(3.0, Verdict.FADED, reached=False),
        ]
    )
    told = diary.close(7_200_000)

    assert (told["approaches"], told["activated"], told["clusters_reached"]) == (3, 1, 2)
    assert [(one["low"], one["verdict"]) for one in told["levels_reached"]] == [
        (1.0, "accelerated"),
        (2.0, "reversed"),
    ]
    assert told["hours"] is None
    assert diary.close(10_800_000) | {"levels_reached": []} == {
        "hours": 1.0,
        "approaches": 0,
        "activated": 0,
        "clusters_reached": 0,
        "map_not_activating": False,
        "levels_reached": [],
    }


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        ([verdict(float(n), Verdict.REVERSED) for n in range(SEVERAL)], True),
        ([verdict(1.0, Verdict.REVERSED) for _ in range(SEVERAL)], False),
        ([verdict(float(n), Verdict.REVERSED, position=None) for n in range(SEVERAL)], False),
        ([verdict(float(n), Verdict.FADED, reached=False) for n in range(SEVERAL)], False),
        (
            [
                *(verdict(float(n), Verdict.REVERSED) for n in range(SEVERAL)),
                verdict(9.0, Verdict.ACCELERATED),
            ],
            False,
        ),
    ],
    ids=["several clusters", "one cluster", "watched prices", "never reached", "one activated"],
)
def test_a_map_does_not_activate_when_several_clusters_were_reached_and_none_did(
    alerts: list[Alert], expected: bool
) -> None:
    diary = Diary()
    diary.note(alerts)

    assert diary.close(0)["map_not_activating"] is expected


def test_it_remembers_no_more_than_it_can_hold_and_survives_a_snapshot() -> None:
    diary = Diary(day=3)
    diary.note([verdict(float(n), Verdict.FADED) for n in range(2 * MOST_JUDGED)])

    assert len(diary.judged) == MOST_JUDGED
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(diary), type=Diary) == diary
