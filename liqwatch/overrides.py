"""A configuration with some settings changed for a while, held to the same bounds as the file.

Only what decides can be changed so (the sections of `SECTIONS`, and what a coin is watched for):
where alerts go and what is listened to stays what the file says.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from liqwatch.config import Config
from liqwatch.engine.settings import SymbolSettings
from liqwatch.store.overrides import Override
from liqwatch.yaml import tree
from liqwatch.yaml.reader import Reader, suggestion
from liqwatch.yaml.tree import UnreadableError

SECTIONS = ("detection", "market", "levels", "map")
FIXED = ("map.imports", "map.coinglass")  # files and keys: not for whoever may write to a chat
WATCH_LEVELS = "watch_levels."
MOST_LEVELS = 50  # of one coin


class OverrideError(ValueError):
    """A setting cannot be changed so; one line says why."""


class Applied(NamedTuple):
    """A configuration with overrides, and those that could not be applied, each with the reason."""

    config: Config
    refused: list[tuple[Override, str]]


def apply(config: Config, overrides: Iterable[Override]) -> Applied:
    """Apply all that can be: a configuration that was read again may have no use for some.

    Those of everything come first, so that a coin's own prevail.
    """
    refused = []
    for one in sorted(overrides, key=lambda one: (one.symbol is not None, one.name)):
        try:
            config = with_override(config, one)
        except OverrideError as error:
            refused.append((one, str(error)))
    return Applied(config, refused)


def with_override(config: Config, override: Override) -> Config:
    """Return the configuration with one setting changed. Raises OverrideError."""
    if override.symbol is None:
        return _everywhere(config, override)
    own = _own(config, override.symbol)
    if override.key.startswith(WATCH_LEVELS):
        changed = _with_level(own, override)
    else:
        detection = own.detection or config.detection
        changed = replace(own, detection=_changed(detection, override, "detection"))
    return replace(config, symbols={**(config.symbols or {}), override.symbol: changed})


def full_key(word: str, *, of_symbol: bool) -> str:
    """Return the full name of a setting that may be changed, of which the end is enough.

    >>> full_key("drift_z30", of_symbol=False)
    'detection.drift_z30'

    Raises OverrideError, also when several end so.
    """
    known = keys(of_symbol=of_symbol)
    found = [key for key in known if key == word or key.endswith(f".{word}")]
    match [key for key in found if key == word] or found:
        case [key]:
            return key
        case []:
            short = {key.rpartition(".")[2] if "." in key else key: None for key in known}
            meant = suggestion(word, [*short, *known])
            raise OverrideError(f"{word} is no setting that can be changed; {meant}")
        case several:
            raise OverrideError(f"{word} may be {' or '.join(several)}")


def keys(*, of_symbol: bool) -> list[str]:
    """Return the full names of the settings that can be changed, of everything or of one coin."""
    sections = SECTIONS[:1] if of_symbol else SECTIONS
    return [key for name in sections for key in _names(name, _SECTION_TYPES[name])]


def value_of(config: Config, symbol: str | None, key: str) -> str:
    """Return the value in force, as it would be written. Raises OverrideError for unknown coins."""
    section, *rest = key.split(".")
    value: Any = getattr(config, section)
    if symbol is not None:
        value = _own(config, symbol).detection or value
    for name in rest:
        value = getattr(value, name)
    return written(value)


def written(value: object) -> str:
    """Return a value of a setting as it would be written.

    >>> written(6.0), written(5_000_000.0), written(None), written("normal")
    ('6', '5,000,000', 'null', 'normal')
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:,.10g}"
        case _:
            return str(value)


def read_price(word: str) -> float:
    """Return a price as people write it, such as 85k. Raises OverrideError."""
    value: float = _read(word, inspect.FloatType(gt=0), "a price")
    return value


def level_key(price: float) -> str:
    """Return the key under which a watched price is overridden."""
    return f"{WATCH_LEVELS}{price:.10g}"


def _everywhere(config: Config, override: Override) -> Config:
    section, _, rest = override.key.partition(".")
    if section not in SECTIONS or not rest or override.key not in keys(of_symbol=False):
        raise OverrideError(f"{override.key} is no setting that can be changed")
    before = getattr(config, section)
    after = _changed(before, override, section)
    if section == "detection" and config.symbols is not None:
        config = replace(
            config,
            symbols={
                name: replace(own, detection=_inherited(own.detection, before, after))
                for name, own in config.symbols.items()
            },
        )
    return replace(config, **{section: after})


def _inherited(own: Any, before: msgspec.Struct, after: msgspec.Struct) -> Any:
    # What a coin does not say for itself is what the general section says.
    if own is None:
        return None
    follows = {
        name: getattr(after, name)
        for name in own.__struct_fields__
        if getattr(own, name) == getattr(before, name)
    }
    return replace(own, **follows)


def _own(config: Config, symbol: str) -> SymbolSettings:
    if config.symbols is None:
        raise OverrideError("with `symbols: all` a coin has no settings of its own")
    if symbol not in config.symbols:
        known = suggestion(symbol, config.symbols)
        raise OverrideError(f"{symbol} is not among the watched coins; {known}")
    return config.symbols[symbol]


def _with_level(own: SymbolSettings, override: Override) -> SymbolSettings:
    price = read_price(override.key.removeprefix(WATCH_LEVELS))
    levels = {*own.watch_levels}
    if override.value == "true":
        levels.add(price)
    else:
        levels.discard(price)
    if len(levels) > MOST_LEVELS:
        raise OverrideError(f"more than {MOST_LEVELS} prices of {override.symbol} are too many")
    return replace(own, watch_levels=tuple(sorted(levels)))


def _changed(section: Any, override: Override, root: str) -> Any:
    """Return a section with the setting of `override` read into its place."""
    path = override.key.split(".")
    if path[0] != root or override.key not in keys(of_symbol=override.symbol is not None):
        raise OverrideError(f"{override.name} is no setting that can be changed")
    return _placed(section, path[1:], override)


def _placed(settings: Any, path: list[str], override: Override) -> Any:
    name, *rest = path
    if rest:
        value = _placed(getattr(settings, name), rest, override)
    else:
        kinds = {field.name: field.type for field in _struct(type(settings)).fields}
        value = _read(override.value, kinds[name], override.name)
    try:
        return replace(settings, **{name: value})
    except ValueError as error:  # settings that do not go together
        raise OverrideError(f"{override.name}: {error}") from None


def _read(text: str, kind: inspect.Type, key: str) -> Any:
    try:
        node, problems = tree.parse(text)
    except UnreadableError as error:
        raise OverrideError(f"{key}: {error}") from None
    reader = Reader()
    value = reader.read(node, kind, key)
    for problem in [*problems, *reader.problems]:
        raise OverrideError(problem.message)
    return value


def _names(name: str, kind: type) -> Iterable[str]:
    for field in _struct(kind).fields:
        full = f"{name}.{field.encode_name}"
        bare = field.type.type if isinstance(field.type, inspect.Metadata) else field.type
        if isinstance(bare, inspect.StructType):
            yield from _names(full, bare.cls)
        elif full not in FIXED:
            yield full


def _struct(kind: type) -> inspect.StructType:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - narrows: settings are structs
    return info


_SECTION_TYPES: dict[str, type] = {name: type(getattr(Config(), name)) for name in SECTIONS}
