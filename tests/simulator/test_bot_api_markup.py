"""Telegram's HTML as the server reads it (tdlib/td, MessageEntity.cpp)."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.simulator.bot_api.markup import Words, read_html, utf16_length
from liqwatch.simulator.bot_api.refusals import Refused


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("plain & simple", "plain & simple", []),
        ("&lt;b&gt; &quot;&amp;&quot; &nbsp; &#8721;&#x1F525;", '<b> "&" &nbsp; ∑🔥', []),
        ("<b>a</b><strong>b</strong>", "ab", [("bold", 0, 1), ("bold", 1, 1)]),
        ("<i>a</i><em>b</em>", "ab", [("italic", 0, 1), ("italic", 1, 1)]),
        ("<u>a</u><s>b</s>", "ab", [("underline", 0, 1), ("strikethrough", 1, 1)]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
        ("<B>a</B>", "a", [("bold", 0, 1)]),
        ("<b>a</>", "a", [("bold", 0, 1)]),
        ("🔥<b>🔥</b>", "🔥🔥", [("bold", 2, 2)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<code>a<b>b</b></code>", "ab", [("code", 0, 2)]),
        ("<pre>a</pre>", "a", [("pre", 0, 1)]),
        ("<blockquote>a</blockquote>", "a", [("blockquote", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        ("<a>a</a>", "a", []),
        ("<b></b>a", "a", []),
        ("  <b> a </b>\n", "a", [("bold", 0, 1)]),
    ],
)
def test_marks_become_entities(html: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    words = read_html(html)

    assert words.text == text
    assert [(one.type, one.offset, one.length) for one in words.entities] == entities


def test_what_tags_carry_is_kept() -> None:
    (link,) = read_html('<a href="https://x.org/?a=1&amp;b=2">x</a>').entities
    (code,) = read_html('<pre><code class="language-python">x</code></pre>').entities
    (emoji,) = read_html('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>').entities
    (time,) = read_html("<tg-time unix='1761000000' format=wDT>x</tg-time>").entities
    (relative,) = read_html('<tg-time unix="1761000000" format="r">x</tg-time>').entities

    assert link.url == "https://x.org/?a=1&b=2"
    assert (code.type, code.language) == ("pre", "python")
    assert emoji.custom_emoji_id == "5368324170671202286"
    assert time.unix_time == relative.unix_time == 1761000000
    assert relative.date_time_format == "r"


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("ж <b", "Unclosed start tag at byte offset 3"),
        ("a <= b > c", 'Unsupported start tag "=" at byte offset 2'),
        ("<script>", 'Unsupported start tag "script" at byte offset 0'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
        ("</b>", "Unexpected end tag at byte offset 0"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        (
            "<b><i>a</b></i>",
            'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a ="x">a</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/y>a</a>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ('<tg-emoji emoji-id="x">a</tg-emoji>', "Invalid custom emoji identifier specified"),
        ('<tg-time unix="soon">a</tg-time>', "Invalid Unix time specified"),
        ('<tg-time unix="1" format="x">a</tg-time>', "Invalid date-time format specified"),
    ],
)
def test_what_cannot_be_read_is_refused(html: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        read_html(html)

    assert refused.value.description == f"Bad Request: can't parse entities: {says}"


@given(st.text(alphabet=" ab&<>/=\"'#;ж🔥\nuipre", max_size=40))
def test_whatever_comes_is_read_or_refused(html: str) -> None:
    words = Words("")
    with suppress(Refused):
        words = read_html(html)
    length = utf16_length(words.text)

    assert all(0 <= one.offset < one.offset + one.length <= length for one in words.entities)


@given(st.text())
def test_escaped_text_comes_out_as_it_was(text: str) -> None:
    escaped = re.sub(r"[&<>]", lambda sign: f"&#{ord(sign[0])};", text)

    assert read_html(escaped).text == text.strip()
