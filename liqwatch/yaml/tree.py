"""YAML text as a tree in which every word knows its line and column.

It refuses to know what the words mean: `85k`, `no` and `2e9` stay text until a setting asks. So
nothing is ever built from a tag, and a small file cannot unfold into a large one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

MAX_DEPTH = 20
MAX_NODES = 100_000


class Position(NamedTuple):
    """Where a word begins; both count from 1, as editors do."""

    line: int
    column: int


class Problem(NamedTuple):
    """What is wrong, and where."""

    at: Position
    message: str


class Scalar(NamedTuple):
    """One word. `plain`: it stands without quotes, so it may be a number, a yes or a no."""

    at: Position
    text: str
    plain: bool = True

    @property
    def empty(self) -> bool:
        """Nothing was written here."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Sequence(NamedTuple):
    """A list."""

    at: Position
    items: list["Node"]


class Mapping(NamedTuple):
    """Keys and values, in the order of the file."""

    at: Position
    pairs: list[tuple[Scalar, "Node"]]


Node = Scalar | Sequence | Mapping


class UnreadableError(ValueError):
    """The text is not YAML that can be read any further."""

    def __init__(self, at: Position, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(at, message)


def parse(text: str) -> tuple[Node, list[Problem]]:
    """Return the tree of the one document in `text`, an empty word if it is empty.

    Beside it stand the problems that did not stop the reading: keys that stand twice.
    Raises UnreadableError.
    """
    composer = _Composer(YAML(typ="safe", pure=True).parse(text))
    try:
        return composer.document(), composer.problems
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark is not None else composer.at
        raise UnreadableError(at, f"not YAML: {error.problem or error.context}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position)
        column = error.position - (text.rfind("\n", 0, error.position) + 1)
        raise UnreadableError(
            Position(line + 1, column + 1), "not YAML: unprintable character"
        ) from None
    except (AssertionError, ArithmeticError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        # The parser's own slips, on absurd escapes and version lines.
        raise UnreadableError(composer.at, f"not YAML near here: {error}") from None


class _Composer:
    def __init__(self, events: Iterator[Event]) -> None:
        self.at = Position(1, 1)
        self.problems: list[Problem] = []
        self._events = events
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self) -> Node:
        found: Node | None = None
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            self._move_to(event)
            if found is not None:
                raise UnreadableError(self.at, "a second document begins here; one file holds one")
            found = self._node(self._next(), 0)
        return found if found is not None else Scalar(Position(1, 1), "")

    def _next(self) -> Event:
        event = next(self._events)
        self._move_to(event)
        return event

    def _move_to(self, event: Event) -> None:
        self.at = Position(event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Event, depth: int) -> Node:
        before = self._nodes
        self._count(1)
        if depth > MAX_DEPTH:
            raise UnreadableError(self.at, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor)
        # By YAML's grammar nothing else begins a value.
        assert isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)  # noqa: S101 - narrows
        if event.tag is not None:
            raise UnreadableError(self.at, f"tags such as {event.tag} have no meaning here")
        node = self._value(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _alias(self, anchor: str) -> Node:
        if anchor not in self._anchors:
            raise UnreadableError(self.at, f"*{anchor} stands for nothing: no &{anchor} before it")
        node, size = self._anchors[anchor]
        self._count(size)
        return node

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise UnreadableError(self.at, f"unfolds into more than {MAX_NODES} values")

    def _value(
        self, event: ScalarEvent | SequenceStartEvent | MappingStartEvent, depth: int
    ) -> Node:
        at = self.at
        match event:
            case SequenceStartEvent():
                return Sequence(at, list(self._items(depth)))
            case MappingStartEvent():
                return Mapping(at, list(self._pairs(depth)))
            case _:
                return Scalar(at, event.value, plain=event.style in (None, ""))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _pairs(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise UnreadableError(key.at, "a key must be one word")
            value = self._node(self._next(), depth + 1)
            if key.text in lines:
                self.problems.append(
                    Problem(key.at, f"{key.text} stands twice; first in line {lines[key.text]}")
                )
            lines.setdefault(key.text, key.at.line)
            yield key, value
