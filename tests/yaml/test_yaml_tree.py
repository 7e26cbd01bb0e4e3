from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.yaml import tree
from liqwatch.yaml.tree import Mapping, Scalar, Sequence, UnreadableError


def words(node: tree.Node) -> object:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [words(item) for item in node.items]
        case Mapping():
            return {name.text: words(value) for name, value in node.pairs}


def test_words_stay_text() -> None:
    node, problems = tree.parse("a: [85k, no, 12:30, 010, 2e9, ~]\nb: {c: 'x'}\n")

    assert problems == []
    assert words(node) == {"a": ["85k", "no", "12:30", "010", "2e9", "~"], "b": {"c": "x"}}


def test_every_word_knows_its_line_and_column() -> None:
    node, _ = tree.parse("symbols:\n  BTC:\n    watch_levels: [85k, 90k]\n")
    assert isinstance(node, Mapping)
    coins = node.pairs[0][1]
    assert isinstance(coins, Mapping)
    name, settings = coins.pairs[0]
    assert isinstance(settings, Mapping)
    levels = settings.pairs[0][1]
    assert isinstance(levels, Sequence)

    assert name.at == (2, 3)
    assert [item.at for item in levels.items] == [(3, 20), (3, 25)]


@pytest.mark.parametrize("text", ["", "# nothing but a remark\n", "---\n", "~"])
def test_an_empty_file_is_an_empty_word(text: str) -> None:
    node, problems = tree.parse(text)

    assert isinstance(node, Scalar)
    assert node.empty
    assert problems == []


def test_a_key_that_stands_twice_is_a_problem_at_its_second_place() -> None:
    node, problems = tree.parse("a: 1\nb: 2\na: 3\n")

    assert words(node) == {"a": "3", "b": "2"}
    assert problems == [((3, 1), "a stands twice; first in line 1")]


def test_an_alias_repeats_what_its_anchor_marked() -> None:
    node, _ = tree.parse("a: &quiet {x: 1}\nb: *quiet\n")

    assert words(node) == {"a": {"x": "1"}, "b": {"x": "1"}}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("a: [1, 2\nb: 3\n", (2, 2), "expected ',' or ']'"),
        ("a: 'open\n", (2, 1), "end of stream"),
        ("a: 1\n\tb: 2\n", (2, 1), "'\\t'"),
        ("a: \x07\n", (1, 4), "unprintable character"),
        ("b: 1\na: \ud800\n", (2, 4), "unprintable character"),
        ('a: "\\UFFFFFFFF"\n', (1, 1), "near here"),
        ("%YAML 1.3\n---\na: 1\n", (1, 1), "near here"),
        ("? [a, b]\n: c\n", (1, 3), "a key must be one word"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
        ("a: !!python/object:os.system {}\n", (1, 4), "tags such as"),
        ("a: *nowhere\n", (1, 4), "stands for nothing"),
        ("a: &loop [*loop]\n", (1, 11), "stands for nothing"),
        ("[" * 5000, (1, 22), "nested deeper than 20"),
        (BOMB, (5, 45), "more than 100000 values"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, at: tuple[int, int], says: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        tree.parse(text)

    assert caught.value.problem.at == at
    assert says in caught.value.problem.message


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%#?,~ \n\t\\U0x1\x00é\ud800")))
def test_any_text_is_a_tree_or_unreadable(text: str) -> None:
    with suppress(UnreadableError):
        tree.parse(text)
