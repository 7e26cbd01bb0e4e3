"""How the value of a setting may be written, and how to say what was expected instead.

The name of a setting says its unit, so numbers may be written as people say them: `85k`, `15M`,
`2e9`; `45s`, `10m` for `…_s`, `…_hours`, `…_days`; `0.25%` for `…_pct`.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import inspect

from liqwatch.yaml.tree import Node, Scalar, Sequence

NumberType = inspect.IntType | inspect.FloatType
ChoiceType = inspect.LiteralType | inspect.EnumType


_AMOUNTS = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9}
_TIMES_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Unit(NamedTuple):
    ending: str  # of the setting's name
    words: str = ""
    size: int = 1
    letters: dict[str, int] = _AMOUNTS  # what may stand behind a number, and what it multiplies by
    example: str = ""


_WRITTEN = " (also written 45s, 10m, 2h, 7d)"
_UNITS = (
    _Unit("_s", " of seconds", 1, _TIMES_S, _WRITTEN),
    _Unit("_hours", " of hours", 3600, _TIMES_S, _WRITTEN),
    _Unit("_days", " of days", 86400, _TIMES_S, _WRITTEN),
    _Unit("_pct", " in percent", 1, {"%": 1}),
    _Unit(""),
)

_NUMBER = re.compile(r"([-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)([a-zA-Z%]*)")
_LONGEST_NUMBER = 40
_LARGEST_NUMBER = 10**18

# What YAML 1.2 takes for something else than text when it stands without quotes.
_NOT_TEXT = re.compile(
    r"~|null|true|false|[-+]?(\.inf|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)|\.nan", re.IGNORECASE
)


def value(word: Scalar, kind: inspect.Type, key: str) -> Any:
    """Return the word as a value of that type, None where it is none. `key` names the setting."""
    match kind:
        case inspect.BoolType():
            return {"true": True, "false": False}.get(word.text.lower()) if word.plain else None
        case inspect.IntType() | inspect.FloatType():
            return _bounded(_number(word.text, key), kind)
        case inspect.LiteralType() | inspect.EnumType():
            return _choices(kind).get(word.text)
        case inspect.StrType():
            return word.text if _is_text(word, kind.pattern) else None
        case inspect.CustomType() if kind.cls is Path:
            return _path(word.text) if _is_text(word) else None
        case _:
            return None


def allowed(kind: inspect.Type, key: str) -> str:
    """Say in plain words what may be written."""
    match kind:
        case inspect.Metadata():
            described = (kind.extra_json_schema or {}).get("description")
            return str(described or allowed(kind.type, key))
        case inspect.UnionType(types=types):
            options = (option for option in types if not isinstance(option, inspect.NoneType))
            return " or ".join(allowed(option, key) for option in options)
        case inspect.IntType() | inspect.FloatType():
            return _allowed_number(kind, key)
        case inspect.LiteralType() | inspect.EnumType():
            return " or ".join(sorted(_choices(kind)))
        case inspect.VarTupleType():
            return f"a list, each {allowed(kind.item_type, key)}"
        case _:
            return _PLAIN_WORDS.get(type(kind), "text")


_PLAIN_WORDS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.StructType: "a mapping (key: value)",
    inspect.DictType: "a mapping (key: value)",
}


def shown(node: Node) -> str:
    """Say what was written instead."""
    match node:
        case Scalar(empty=True):
            return "empty"
        case Scalar():
            return f'"{node.text[:40]}"' if node.text.isprintable() else "unprintable characters"
        case Sequence():
            return "a list"
        case _:
            return "a mapping"


def hint(node: Node, kind: inspect.Type, key: str) -> str:
    """Say what was probably meant, if that can be told."""
    match kind, node:
        case inspect.UnionType(types=types), _:
            return "".join(hint(node, option, key) for option in types)
        case ((inspect.LiteralType() | inspect.EnumType()), Scalar()):
            return _did_you_mean(get_close_matches(node.text, _choices(kind), n=1))
        case ((inspect.IntType() | inspect.FloatType()), Scalar()):
            return _did_you_mean(_tidy_numbers(node.text, key))
        case inspect.StrType(), Scalar(plain=True, empty=False) if _NOT_TEXT.fullmatch(node.text):
            return "; put it in quotes"
        case _:
            return ""


def _did_you_mean(words: list[str]) -> str:
    return f"; did you mean {words[0]}?" if words else ""


def _is_text(word: Scalar, pattern: str | None = None) -> bool:
    if not word.text or not word.text.isprintable():
        return False
    if word.plain and _NOT_TEXT.fullmatch(word.text):
        return False
    return pattern is None or re.search(pattern, word.text) is not None


def _path(text: str) -> Path | None:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # `~somebody` whom this machine does not know
        return None


def _unit(key: str) -> _Unit:
    name = key.split("[", maxsplit=1)[0]
    return next(unit for unit in _UNITS if name.endswith(unit.ending))


def _number(text: str, key: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    unit = _unit(key)
    if match is None or match[2] not in {"", *unit.letters}:
        return None
    return Decimal(match[1].replace("_", "")) * unit.letters.get(match[2], unit.size) / unit.size


def _tidy_numbers(text: str, key: str) -> list[str]:
    tidy = re.sub(r"[\s,$]", "", text)
    if _number(text, key) is not None:  # understood, but out of bounds
        return []
    return [form for form in (tidy, tidy.upper(), tidy.lower()) if _number(form, key) is not None]


def _bounded(number: Decimal | None, kind: NumberType) -> int | float | None:
    if number is None or abs(number) > _LARGEST_NUMBER:
        return None
    whole = isinstance(kind, inspect.IntType)
    if whole and number != number.to_integral_value():
        return None
    bounded = int(number) if whole else float(number)
    fits = (
        (kind.gt is None or bounded > kind.gt)
        and (kind.ge is None or bounded >= kind.ge)
        and (kind.lt is None or bounded < kind.lt)
        and (kind.le is None or bounded <= kind.le)
    )
    return bounded if fits else None


def _allowed_number(kind: NumberType, key: str) -> str:
    unit = _unit(key)
    noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    if kind.ge is not None and kind.le is not None:
        return f"{noun}{unit.words} from {kind.ge:,} to {kind.le:,}{unit.example}"
    bounds = (
        ("more than", kind.gt),
        ("at least", kind.ge),
        ("less than", kind.lt),
        ("at most", kind.le),
    )
    said = " and ".join(f"{word} {bound:,}" for word, bound in bounds if bound is not None)
    return f"{noun}{unit.words} {said}".rstrip() + unit.example


def _choices(kind: ChoiceType) -> dict[str, Any]:
    members: Iterable[Any] = kind.values if isinstance(kind, inspect.LiteralType) else kind.cls
    return {str(member): member for member in members}
