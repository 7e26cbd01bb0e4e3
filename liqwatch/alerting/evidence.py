"""Reading an alert's evidence without trusting it: what is missing or malformed is nothing."""

from math import isfinite
from typing import Any

from liqwatch.alerts import Alert


def finite(value: object) -> float | None:
    """Return `value` as a float if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:  # an integer beyond every float
        return None


def number(alert: Alert, key: str) -> float | None:
    """Return a number of the evidence."""
    return finite(alert.evidence.get(key))


def limit(alert: Alert, key: str) -> float | None:
    """Return a number that evidence was held against."""
    return finite(alert.thresholds.get(key))


def entries(alert: Alert, key: str) -> list[Any]:
    """Return a list of the evidence, empty when there is none."""
    found = alert.evidence.get(key)
    return list(found) if isinstance(found, list | tuple) else []


def mapping(alert: Alert, key: str) -> dict[str, Any]:
    """Return a mapping of the evidence, empty when there is none."""
    found = alert.evidence.get(key)
    return found if isinstance(found, dict) else {}


def joined(*parts: str | None, by: str = " · ") -> str | None:
    """Return the parts that are there, None when there are none."""
    return by.join(part for part in parts if part) or None
