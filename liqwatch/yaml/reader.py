"""A tree of words held against settings: values out, or every problem with its place.

The settings are msgspec structs; their types and `Meta` bounds are the whole schema.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

from liqwatch.yaml import tree, words
from liqwatch.yaml.tree import Node, Problem, Scalar, Sequence


def suggestion(word: str, known: Collection[str]) -> str:
    """Say which known word was probably meant, or else all of them."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


class Reader:
    """Reads settings and collects `problems`; a value read beside a new problem means nothing.

    `defaults` holds, by struct, the values of keys left out where they are not the struct's own.
    """

    def __init__(self, defaults: Mapping[type, msgspec.Struct] | None = None) -> None:
        self.problems: list[Problem] = []
        self._defaults = defaults or {}

    def read(self, node: Node, kind: inspect.Type, key: str) -> Any:
        """Return what `node` says, as a `kind`; `key` is the full name that messages use."""
        bare = kind.type if isinstance(kind, inspect.Metadata) else kind
        match bare, node:
            case inspect.StructType() as struct, tree.Mapping():
                return self._struct(node, struct, key)
            case inspect.StructType() as struct, Scalar(empty=True):
                return self._struct(tree.Mapping(node.at, []), struct, key)
            case inspect.UnionType() as union, _:
                return self._union(node, union, key)
            case inspect.DictType() as entries, tree.Mapping():
                return self._dict(node, entries, key)
            case inspect.VarTupleType(item_type=item), Sequence():
                return tuple(
                    self.read(one, item, f"{key}[{place}]") for place, one in enumerate(node.items)
                )
        value = words.value(node, bare, key) if isinstance(node, Scalar) else None
        return value if value is not None else self._refuse(node, kind, key)

    def _struct(self, node: tree.Mapping, kind: inspect.StructType, key: str) -> Any:
        problems_before = len(self.problems)
        base = self._defaults.get(kind.cls)
        values = msgspec.structs.asdict(base) if base is not None else {}
        fields = {field.encode_name: field for field in kind.fields}
        for name, value in node.pairs:
            full = _join(key, name.text)
            if (field := fields.get(name.text)) is not None:
                values[field.name] = self.read(value, field.type, full)
            else:
                self._report(name, f"{full} is no setting; {suggestion(name.text, fields)}")
        for field in kind.fields:
            if field.required and field.name not in values:
                self._report(node, f"{key or 'the file'} needs {field.encode_name}")
        if len(self.problems) > problems_before:
            return None
        try:
            return kind.cls(**values)
        except ValueError as error:  # keys that do not go together
            return self._report(node, f"{key or 'the file'}: {error}")

    def _union(self, node: Node, kind: inspect.UnionType, key: str) -> Any:
        options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
        if len(options) < len(kind.types) and isinstance(node, Scalar) and node.empty:
            return None
        if len(options) == 1:
            return self.read(node, options[0], key)
        for option in options:
            attempt = Reader(self._defaults)
            value = attempt.read(node, option, key)
            if not attempt.problems:
                return value
        return self._refuse(node, kind, key)

    def _dict(self, node: tree.Mapping, kind: inspect.DictType, key: str) -> Any:
        if len(node.pairs) < (kind.min_length or 0):
            self._report(node, f"{key} must not be empty")
        entries = {}
        for name, value in node.pairs:
            # A key is always text: there are coins called 4 and TRUE.
            entry = self.read(name._replace(plain=False), kind.key_type, f"a name in {key}")
            entries[entry] = self.read(value, kind.value_type, _join(key, name.text))
        return entries

    def _refuse(self, node: Node, kind: inspect.Type, key: str) -> None:
        expected = f"{key or 'the file'} must be {words.allowed(kind, key)}"
        self._report(node, f"{expected}, not {words.shown(node)}{words.hint(node, kind, key)}")

    def _report(self, node: Node, message: str) -> None:
        self.problems.append(Problem(node.at, message))


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
