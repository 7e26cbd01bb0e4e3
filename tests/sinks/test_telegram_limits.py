import doctest

from hypothesis import given
from hypothesis import strategies as st

from liqwatch.sinks.telegram import limits
from liqwatch.sinks.telegram.limits import Limits

GROUP, PERSON = -100, 7


def sent_at(
    limits: Limits, chats: list[int], waits_s: list[float], *, urgent: bool = True
) -> list[tuple[int, float]]:
    now_s = 0.0
    sent = []
    for chat, wait_s in zip(chats, waits_s, strict=True):
        now_s += wait_s
        now_s += limits.wait_s(chat, now_s, urgent=urgent)
        limits.spend(chat, now_s)
        sent.append((chat, now_s))
    return sent


def most_within(times_s: list[float], seconds: float) -> int:
    return max(
        (sum(start <= t < start + seconds - 1e-9 for t in times_s) for start in times_s), default=0
    )


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(limits).failed == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([GROUP, PERSON, *range(10, 60)]), st.floats(0, 3)), max_size=120
    )
)
def test_no_span_of_time_holds_more_than_telegram_allows(calls: list[tuple[int, float]]) -> None:
    sent = sent_at(Limits(), [c for c, _ in calls], [w for _, w in calls])

    assert most_within([t for _, t in sent], 1.0) <= 30
    assert most_within([t for c, t in sent if c == PERSON], 1.0) <= 1
    assert most_within([t for c, t in sent if c == GROUP], 60.0) <= 20


def test_a_busy_chat_does_not_hold_up_another() -> None:
    limits = Limits()
    limits.spend(PERSON, 0.0)

    assert limits.wait_s(PERSON, 0.25) == 0.75
    assert limits.wait_s(8, 0.25) == 0.0


def test_the_twenty_first_message_to_a_group_waits_for_the_minute() -> None:
    times_s = [t for _, t in sent_at(Limits(), [GROUP] * 21, [0.0] * 21)]

    assert times_s == [*map(float, range(20)), 60.0]


def test_what_can_wait_leaves_room_for_the_start_of_a_cascade() -> None:
    limits = Limits()
    times_s = [t for _, t in sent_at(limits, [GROUP] * 15, [0.0] * 15, urgent=False)]

    assert times_s == [*map(float, range(14)), 60.0]
    assert limits.wait_s(GROUP, 60.5, urgent=True) == 0.5
    assert limits.wait_s(GROUP, 60.5) == 0.5  # the minute of the first message is over
    assert limits.wait_s(GROUP, 61.0, urgent=False) == 0.0


def test_a_chat_that_telegram_froze_waits_and_no_other() -> None:
    limits = Limits()
    limits.freeze(GROUP, 40.0)

    assert limits.wait_s(GROUP, 10.0, urgent=True) == 30.0
    assert limits.wait_s(PERSON, 10.0) == 0.0
    assert limits.wait_s(GROUP, 41.0) == 0.0
