"""Votes and meetings: when a question is decided, reopened, and which tellings belong together."""

import pytest

from liqwatch.exchanges.calibration import Meetings, Telling, Votes


def votes(cast: str) -> Votes:
    counted = Votes()
    for each in cast:
        counted.add(first=each == "+")
    return counted


@pytest.mark.parametrize(
    ("cast", "verdict"),
    [
        ("", None),
        ("++++", None),
        ("+++++", True),
        ("-----", False),
        ("++++-", None),
        ("+++++++++-", True),
        ("---------+", False),
        ("+" * 20 + "--", True),
        ("+" * 20 + "---", None),
        ("+" * 1000 + "-" * 18, False),
    ],
)
def test_five_votes_decide_if_nine_of_ten_agree_and_only_the_last_twenty_count(
    cast: str, verdict: bool | None
) -> None:
    assert votes(cast).verdict is verdict


def test_progress_is_told_in_words() -> None:
    assert votes("+-+").progress() == "3 of 5 matches between stream and REST"
    assert votes("+-+-+-").progress() == "matches between stream and REST disagree, 3 of 6"


def telling(time: int, value: float = 1.0) -> Telling:
    return Telling(time, value, is_event=True)


def test_the_two_tellings_of_one_liquidation_meet_whichever_comes_first() -> None:
    meetings = Meetings()

    assert meetings.of_stream("a", telling(10), within=2) is None
    assert meetings.of_rest("b", telling(10), within=2) is None
    assert meetings.of_rest("a", telling(12), within=2) == telling(10)
    assert meetings.of_stream("b", telling(8), within=2) == telling(10)


def test_a_telling_is_met_once_and_never_by_its_own_source() -> None:
    meetings = Meetings()
    meetings.of_stream("a", telling(10))

    assert meetings.of_stream("a", telling(10)) is None
    assert [meetings.of_rest("a", telling(10)) for _ in range(3)] == [
        telling(10),
        telling(10),
        None,
    ]


def test_the_nearest_in_time_is_met_and_what_is_too_far_waits() -> None:
    meetings = Meetings()
    for time in (8, 11, 20):
        meetings.of_stream("a", telling(time), within=2)

    assert meetings.of_rest("a", telling(10), within=2) == telling(11)
    assert meetings.of_rest("a", telling(15), within=2) is None
    assert meetings.stream["a"] == (telling(8), telling(20))


def test_what_waits_is_bounded() -> None:
    meetings = Meetings()
    for number in range(5000):
        meetings.of_stream(f"{number}", telling(1))
        meetings.of_rest("other", telling(number))

    assert len(meetings.stream) == 4096
    assert len(meetings.rest["other"]) == 16
