"""What holds for every phrase of every language."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from liqwatch.alerting import catalogues
from liqwatch.alerting.catalogues import LANGUAGES, LONGEST_VALUE, Language, phrase

# No promise, no advice; long and short name positions, nobody is told to buy or to sell.
FORBIDDEN = {
    "en": re.compile(
        r"\b(targets?|will|won't|guarantee\w*|certain(ly)?|buy|sell)\b", re.IGNORECASE
    ),
    "ru": re.compile(
        r"\b(цел(ь|и|ей|ью|ям|ями|ях)|гарант\w*|обязательно|непременно|неизбежно|точно"
        r"|буд(ет|ут|ем|ете|ешь|у)|куп(и|ить|ите)|покупай(те)?|прода(й|йте|ть|вай|вать|вайте))\b",
        re.IGNORECASE,
    ),
}
SKULLS_AND_COLOURS = re.compile("[☠💀🔴🟠🟡🟢🔵🟥🟧🟨🟩🟦]")
HIDDEN = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff]")


class _Found(Visitor):
    """What a message says, and what it asks for."""

    def __init__(self, message: ast.Message) -> None:
        self.text: list[str] = []
        self.variables: set[str] = set()
        self.messages: set[str] = set()
        self.keys: list[set[str]] = []
        self.visit(message)

    def visit_TextElement(self, node: ast.TextElement) -> None:  # noqa: N802 - the library's names
        self.text.append(node.value)

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - as above
        self.variables.add(node.id.name)

    def visit_MessageReference(self, node: ast.MessageReference) -> None:  # noqa: N802 - as above
        self.messages.add(node.id.name)

    def visit_SelectExpression(self, node: ast.SelectExpression) -> None:  # noqa: N802 - as above
        keys = (variant.key for variant in node.variants)
        self.keys.append({one.name for one in keys if isinstance(one, ast.Identifier)})
        self.generic_visit(node)


def entries(language: Language) -> Iterator[ast.EntryType]:
    source = files(catalogues).joinpath(f"{language}.ftl").read_text("utf-8")
    yield from FluentParser().parse(source).body


def messages(language: Language) -> dict[str, _Found]:
    return {one.id.name: _Found(one) for one in entries(language) if isinstance(one, ast.Message)}


def variables(found: dict[str, _Found], name: str) -> set[str]:
    """Return what a message needs, with what the messages within it need."""
    own = found[name]
    return own.variables.union(*(variables(found, one) for one in own.messages))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_no_mistakes_and_says_nothing_twice(language: Language) -> None:
    names = [one.id.name for one in entries(language) if isinstance(one, ast.Message)]

    assert not [one for one in entries(language) if isinstance(one, ast.Junk)]
    assert len(names) == len(set(names))


def test_every_language_has_the_same_messages_with_the_same_variables() -> None:
    said = {one: messages(one) for one in LANGUAGES}
    asked = {one: {name: variables(found, name) for name in found} for one, found in said.items()}

    assert asked["ru"] == asked["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_promises_or_advises_or_speaks_in_colours(language: Language) -> None:
    for name, found in messages(language).items():
        text = " ".join(found.text)

        assert FORBIDDEN[language].search(text) is None, name
        assert SKULLS_AND_COLOURS.search(text) is None, name
        assert HIDDEN.search(text) is None, name


def test_the_russian_is_in_cyrillic_wherever_words_are_said() -> None:
    english = messages("en")
    for name, found in messages("ru").items():
        if re.search("[a-z]{3}", " ".join(english[name].text)):
            assert re.search("[а-яё]", " ".join(found.text), re.IGNORECASE), name


@pytest.mark.parametrize(
    ("count", "coins"),
    [(1, "1 монета"), (2, "2 монеты"), (5, "5 монет"), (11, "11 монет"), (22, "22 монеты")],
)
def test_russian_counts_as_russians_do(count: int, coins: str) -> None:
    assert phrase("coins", "ru", count=count) == coins


def test_numbers_are_written_alike_in_every_language() -> None:
    assert phrase("coins", "en", count=12_345) == "12345 coins"
    assert phrase("coins", "ru", count=12_345) == "12345 монет"


def test_an_english_row_has_its_ordinals() -> None:
    assert phrase("nth-approach", "en", count=22) == "22nd approach"
    assert phrase("nth-approach", "ru", count=22) == "22-й подход"


def test_what_nobody_says_and_what_lacks_a_value_is_an_error() -> None:
    with pytest.raises(LookupError):
        phrase("no-such-phrase", "en")
    with pytest.raises(LookupError):
        phrase("speed", "en")


def test_a_value_of_any_length_leaves_the_phrase_whole() -> None:
    said = phrase("still-heard", "en", venues="x" * 10_000)

    assert said.startswith("Still heard: xxx")
    assert len(said) <= LONGEST_VALUE + 20
    assert phrase("coins", "en", count=10**400).endswith(" coins")
