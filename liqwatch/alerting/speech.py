"""An alert on its way into words."""

from collections.abc import Callable
from typing import NamedTuple

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import number
from liqwatch.alerting.numbers import significant, span_of
from liqwatch.alerts import Alert


class Speech(NamedTuple):
    """An alert, and the language it is told in."""

    alert: Alert
    language: Language

    def say(self, name: str, /, **values: str | int) -> str:
        """Return a phrase of the catalogue."""
        return phrase(name, self.language, **values)

    def told(self, key: str, name: str, value: str, write: Callable[[float], str]) -> str | None:
        """Return a phrase whose `value` is a number of the evidence, written by `write`."""
        known = number(self.alert, key)
        return None if known is None else self.say(name, **{value: write(known)})

    def span(self, hours: float) -> str:
        """Write a longer span of time."""
        return span(hours, self.language)


def span(hours: float, language: Language) -> str:
    """Write a longer span of time."""
    count, unit = span_of(hours)
    return phrase(f"span-{unit}", language, count=count)


def size(value: float) -> str:
    """Write how large a number is, whatever its sign."""
    return significant(abs(value))


def sentence(text: str) -> str:
    """Begin with a capital."""
    return text[:1].upper() + text[1:]
