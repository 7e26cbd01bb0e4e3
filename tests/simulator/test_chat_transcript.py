"""A chat in words."""

from io import BytesIO

from PIL import Image

from liqwatch.secret import Secret
from liqwatch.simulator.bot_api import TOKEN, BotApi, Bubble
from liqwatch.simulator.bot_api.transcript import transcript
from liqwatch.sinks.telegram.connection import Connection

SENT_S = 1_761_066_225  # 2025-10-21 17:03:45 UTC


def told(*bubbles: Bubble) -> list[str]:
    """Return the lines below the date."""
    day, _, *lines = transcript(bubbles).splitlines()
    assert day == "21 October 2025, UTC"
    return lines


def test_each_message_has_its_time_and_stands_indented_below_it() -> None:
    assert told(
        Bubble(id=1, text="first\n  second", sent_s=SENT_S),
        Bubble(id=2, text="third", sent_s=SENT_S + 60),
    ) == ["17:03:45", "    first", "      second", "", "17:04:45", "    third"]


def test_what_a_person_does_not_hear_and_what_has_changed_is_said_in_words() -> None:
    bubble = Bubble(id=1, text="up", sent_s=SENT_S, edited_s=SENT_S + 61, silent=True, pinned=True)

    assert told(bubble)[0] == "17:03:45 (silent) (edited 17:04:46) (pinned)"


def test_a_reply_quotes_the_first_words_as_they_are_now() -> None:
    root = Bubble(id=1, text=f"BTC {'falls ' * 20}\nmore", sent_s=SENT_S)
    reply = Bubble(id=2, text="stalled", sent_s=SENT_S, reply_to=1)
    orphan = Bubble(id=3, text="ended", sent_s=SENT_S, reply_to=77)

    quotes = [line.strip() for line in told(root, reply, orphan) if "↪" in line]

    assert quotes[0].startswith("↪ reply to: BTC falls falls")
    assert quotes[0].endswith("falls …")
    assert len(quotes[0]) <= len("↪ reply to: ") + 60
    assert quotes[1] == "↪ reply to: deleted message"


def test_a_photo_is_named_by_its_size_above_its_caption_and_buttons_stand_below() -> None:
    png = BytesIO()
    Image.new("L", (1080, 1350)).save(png, "PNG")
    bubble = Bubble(
        id=1,
        text="caption",
        sent_s=SENT_S,
        photo=png.getvalue(),
        buttons=(("Mute BTC 1h", "Why?"), ("Map",)),
    )

    assert [line.strip() for line in told(bubble)[1:]] == [
        "[photo 1080×1350]",
        "caption",
        "[Mute BTC 1h] [Why?]",
        "[Map]",
    ]


def test_people_and_topics_are_named() -> None:
    bubble = Bubble(id=1, text="/map", sent_s=SENT_S, author="Ann", topic="BTC")

    assert told(bubble)[0] == "17:03:45 Ann in BTC"


def test_a_new_day_begins_with_its_date() -> None:
    bubbles = [Bubble(id=day, text="x", sent_s=SENT_S + 86_400 * day) for day in (0, 1)]

    days = [line for line in transcript(bubbles).splitlines() if line.endswith("UTC")]

    assert days == ["21 October 2025, UTC", "22 October 2025, UTC"]


def test_an_empty_chat_has_no_words() -> None:
    assert transcript([]) == ""


async def test_it_shows_what_the_library_sent() -> None:
    async with BotApi(1, now_s=lambda: float(SENT_S)) as api:
        connection = Connection(Secret(TOKEN), api.base_url)
        await connection.bot.send_message(1, "<b>BTC</b> &lt; 1", parse_mode="HTML")
        await connection.close()

        assert told(*api.bubbles(1)) == ["17:03:45", "    BTC < 1"]
