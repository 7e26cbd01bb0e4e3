import pytest
import telegram_html
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerting.rich import KEPT, Moment, Section, Text, line

TIME_MS = 1_761_000_005_000  # 2025-10-20 22:40:05 UTC


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_html_is_escaped_with_a_bold_first_line() -> None:
    assert Text("a <b> &\nc > d").html() == "<b>a &lt;b&gt; &amp;</b>\nc &gt; d"
    assert Text("").html() == ""


def test_a_moment_is_the_readers_own_time_with_utc_to_fall_back_on() -> None:
    said = Text(Section((line("late", "en", time=Moment.minute(TIME_MS)),)))

    assert said.plain() == "late, from 22:40 UTC:"
    assert said.html() == (
        '<b>late, from <tg-time unix="1761000005" format="t">22:40 UTC</tg-time>:</b>'
    )


def test_the_order_of_moments_is_the_phrases() -> None:
    later = Moment.minute(TIME_MS + 60_000)

    assert line("period", "en", until=later, since=Moment.minute(TIME_MS)) == (
        "From ",
        Moment.minute(TIME_MS),
        " to ",
        later,
    )


def test_what_fits_stays_as_it_is() -> None:
    text = Text("a\nb")

    assert text.fitted(3) is text


def test_the_least_weight_goes_first_and_of_equals_the_last() -> None:
    sections = [Section(((f"line {number}" * 5,),)) for number in range(5)]
    text = Text("first", *sections, Section((("heavy",),), 1), Section((("#tag",),), KEPT))

    assert text.fitted(120).plain().split("\n") == [
        "first",
        "line 0" * 5,
        "line 1" * 5,
        "(3 more lines)",
        "heavy",
        "#tag",
    ]
    assert text.fitted(30).plain() == "first\n(6 more lines)\n#tag"


def test_lines_of_a_section_go_together() -> None:
    pair = Section((("a" * 20,), ("b" * 20,)))

    assert Text("first", pair, language="ru").fitted(40).plain() == "first\n(ещё 2 строки)"


def test_a_line_above_keeps_the_first_line_with_it() -> None:
    text = Text("first", "second" * 9, Section((("#tag",),), KEPT)).below("note")

    assert text.plain().startswith("note\nfirst\nsecond")
    assert text.fitted(40).plain() == "note\nfirst\n(1 more line)\n#tag"


def test_lengths_are_counted_as_telegram_counts_them() -> None:
    text = Text("first\n" + "😀" * 10)

    assert text.length == 26
    assert text.fitted(26) is text
    assert "😀" not in text.fitted(25).plain()


def test_too_many_entities_are_left_out_with_their_lines() -> None:
    moments = [Section(((Moment.at(TIME_MS),),)) for _ in range(200)]
    fitted = Text("first", *moments).fitted()

    text, entities = telegram_html.read(fitted.html())
    assert entities == 100
    assert text.endswith("(101 more lines)")


ANY_TEXT = st.text(st.sampled_from("ab <>&\"'😀\n#"), max_size=200)


@given(
    first=st.text(st.sampled_from("ab<>&"), min_size=1, max_size=40),
    rest=st.lists(st.tuples(ANY_TEXT, st.integers(0, 3), st.booleans()), max_size=30),
    limit=st.integers(80, 500),
)
def test_whatever_is_left_out_it_fits_and_is_valid(
    first: str, rest: list[tuple[str, int, bool]], limit: int
) -> None:
    sections = [
        Section(((words, *([Moment.at(TIME_MS)] if timed else [])),), weight)
        for words, weight, timed in rest
    ]
    fitted = Text(first, *sections).fitted(limit, 10)

    text, entities = telegram_html.read(fitted.html())
    assert text == fitted.plain()
    assert units(text) == fitted.length <= limit
    assert entities <= 10
    assert text.startswith(first)


@pytest.mark.parametrize(
    "html", ["<b>a", "a</b>", "a < b", "<i>a</i>", "<b><b>a</b></b>", "&nbsp;"]
)
def test_the_reader_of_these_tests_is_strict(html: str) -> None:
    with pytest.raises(ValueError, match=r"no Telegram HTML|closes nothing|left open|within"):
        telegram_html.read(html)
