"""Everything a person reads of liqwatch in Telegram, a language a file: Project Fluent catalogues.

The numbers in a phrase come written, the same in every language; a count comes as an integer too
where words depend on it.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import FluentInt

from liqwatch.alerting.numbers import ordinal, shortened

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")

LONGEST_VALUE = 2000  # Fluent itself gives up on a message for a value of more than 2,500
LARGEST_COUNT = 10**9  # nothing that is counted comes near

_SOURCES = {one: files(__name__).joinpath(f"{one}.ftl").read_text("utf-8") for one in LANGUAGES}
_FUNCTIONS: dict[str, Any] = {"NTH": ordinal}  # English: 1st, 2nd, 3rd


@cache
def _bundle(language: Language) -> FluentBundle:
    # Without isolation marks: what is said is cut, searched and compared.
    bundle = FluentBundle([language], functions=_FUNCTIONS, use_isolating=False)
    bundle.add_resource(FluentResource(_SOURCES[language]))
    return bundle


def phrase(name: str, language: Language, /, **values: str | int) -> str:
    """Return what is said so in that language. Raises LookupError for what nobody says."""
    bundle = _bundle(language)
    message = bundle.get_message(name)
    if message.value is None:
        raise LookupError(name)
    said, errors = bundle.format_pattern(
        message.value, {key: _bounded(value) for key, value in values.items()}
    )
    if errors:
        raise LookupError(f"{name}: {errors}")
    return str(said)


def _bounded(value: str | int) -> str | int:
    if isinstance(value, str):
        return shortened(value, LONGEST_VALUE)
    return FluentInt(min(value, LARGEST_COUNT), useGrouping=False)
