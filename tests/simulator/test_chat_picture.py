"""A chat as a picture: told by its size and its colours, since nothing here reads letters."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from liqwatch.map_view import Theme
from liqwatch.simulator.bot_api.bubbles import Bubble, Entity
from liqwatch.simulator.bot_api.lettering import (
    Line,
    Style,
    drawable,
    shortened,
    styled,
    width,
    wrapped,
)
from liqwatch.simulator.bot_api.picture import BUBBLE, COLORS, MOST_HEIGHT, WIDTH, picture

SENT_S = 1_761_066_225
PINK = "#ff0080"


def drawn(*bubbles: Bubble, theme: Theme = Theme.DARK) -> Image.Image:
    return Image.open(BytesIO(picture(bubbles, "liqwatch", theme))).convert("RGB")


def saying(text: str, number: int = 1) -> Bubble:
    return Bubble(id=number, text=text, sent_s=SENT_S + number)


def photo(size: tuple[int, int]) -> bytes:
    png = BytesIO()
    Image.new("RGB", size, PINK).save(png, "PNG")
    return png.getvalue()


def share(image: Image.Image, color: str) -> float:
    """Return which share of the picture has a colour."""
    wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    return float((np.asarray(image) == wanted).all(axis=-1).mean())


def lines(text: str, *entities: Entity, most: float = 10_000) -> list[Line]:
    return [one for line in styled(text, entities) for one in wrapped(line, most)]


def words(line: Line) -> str:
    return "".join(run.text for run in line)


# -- the chat ---------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", Theme)
def test_what_the_bot_says_and_what_people_say_have_their_colours(theme: Theme) -> None:
    known = COLORS[theme]
    theirs = drawn(saying("BTC\n" * 20), theme=theme)
    own = drawn(Bubble(id=1, text="wide words\n" * 20, sent_s=SENT_S, author="Ann"), theme=theme)

    assert share(theirs, known.ink) > 0
    assert share(theirs, known.own) == 0
    assert share(own, known.own) > 0.05


def test_the_same_chat_is_the_same_picture() -> None:
    chat = [saying("▲ BTC ≥ $1M, шорты"), saying("ETH", 2)]

    assert picture(chat, "liqwatch", Theme.DARK) == picture(chat, "liqwatch", Theme.DARK)


def test_it_grows_with_what_is_said() -> None:
    short, long = drawn(saying("a line")), drawn(saying("a line\n" * 9))

    assert short.width == long.width == WIDTH
    assert short.height < long.height


def test_a_photo_fills_its_bubble_and_keeps_its_shape() -> None:
    image = drawn(Bubble(id=1, text="x", sent_s=SENT_S, photo=photo((300, 150))))

    pixels = share(image, PINK) * image.width * image.height
    assert pixels == pytest.approx((BUBBLE - 16) ** 2 / 2, rel=0.01)


def test_buttons_a_reply_and_a_pin_take_their_room() -> None:
    root = saying("root")
    plain = drawn(root, saying("x", 2))
    richer = [
        Bubble(id=2, text="x", sent_s=SENT_S, reply_to=1),
        Bubble(id=2, text="x", sent_s=SENT_S, buttons=(("Why?",),)),
        Bubble(id=2, text="x", sent_s=SENT_S, pinned=True),
        Bubble(id=2, text="x", sent_s=SENT_S, topic="BTC"),
    ]

    assert all(drawn(root, one).height > plain.height for one in richer)


def test_of_a_chat_that_is_too_long_the_newest_is_shown() -> None:
    old = [saying("old words\n" * 20, number) for number in range(30)]
    newest = Bubble(id=99, text="x", sent_s=SENT_S, photo=photo((300, 150)))

    image = drawn(*old, newest)

    assert 0.8 * MOST_HEIGHT < image.height <= MOST_HEIGHT
    bottom = image.crop((0, image.height - 1000, WIDTH, image.height))
    assert share(bottom, PINK) > 0.3


def test_an_empty_chat_is_only_its_name() -> None:
    assert drawn().height < 200


# -- letters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("▲ BTC ≥ $1M → «шорты» 4.2σ ✓", "▲ BTC ≥ $1M → «шорты» 4.2σ ✓"),
        ("🔥 hot", "• hot"),
        ("漢字", "□□"),
        ("a\u200db\ufe0f", "ab"),
    ],
)
def test_a_sign_that_the_font_lacks_is_replaced(text: str, shown: str) -> None:
    assert drawable(text) == shown


def test_entities_count_in_utf_16_units() -> None:
    (line,) = lines("🔥🔥 BTC up", Entity("bold", 5, 3))

    assert [run.text.strip() for run in line if run.style.font == "bold"] == ["BTC"]


def test_a_moment_in_time_looks_like_a_link() -> None:
    (line,) = lines("at 17:03:45", Entity("date_time", 3, 8))

    assert [run.text for run in line if run.style.link] == ["17:03:45"]


def test_words_stay_whole_where_they_can() -> None:
    wide = width(lines("several words")[0])

    assert [words(line) for line in lines("several words", most=wide)] == ["several words"]
    assert [words(line) for line in lines("several words", most=wide - 1)] == ["several ", "words"]


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=200), most=st.integers(60, 900))
def test_no_line_is_too_wide_and_no_letter_is_lost(text: str, most: int) -> None:
    broken = lines(text, most=most)

    assert "".join(map(words, broken)) == drawable(text).replace("\n", "")
    for line in broken:
        last = line[-1] if line else None
        spaces = (
            0 if last is None else width([last]) - width([last._replace(text=last.text.rstrip())])
        )
        assert width(line) - spaces <= most


def test_what_does_not_fit_is_cut_with_an_ellipsis() -> None:
    whole = shortened("Mute BTC 1h", Style(), 900)
    cut = shortened("Mute BTC 1h", Style(), whole.width - 1)

    assert whole.text == "Mute BTC 1h"
    assert cut.text.endswith("…")
    assert cut.width < whole.width
