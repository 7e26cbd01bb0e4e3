"""Numbers, times and names as people write them.

Amounts carry two significant digits: more would be a pretence.
"""

import unicodedata
from datetime import UTC, datetime
from math import floor, log10
from typing import Literal

SYMBOL_LENGTH = 16
MINUS = "−"

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def amount(usd: float) -> str:
    """Write an amount of USD.

    >>> amount(38_640_000), amount(7.1e6), amount(2.9e9), amount(999_900)
    ('$39M', '$7.1M', '$2.9B', '$1.0M')
    """
    usd = float(f"{usd:.1e}")
    for size, unit in _UNITS:
        if abs(usd) >= size:
            return f"${significant(usd / size)}{unit}"
    return f"${significant(usd)}"


def significant(value: float) -> str:
    """Write a number with two significant digits and no exponent while it stays readable.

    >>> (
    ...     significant(61.4),
    ...     significant(3.14),
    ...     significant(0.0712),
    ...     significant(1234.0),
    ...     significant(0.0),
    ... )
    ('61', '3.1', '0.071', '1,200', '0')
    """
    if value == 0:
        return "0"
    if not 1e-6 <= abs(value) < 1e9:
        return f"{value:.1e}".replace("-", MINUS)
    value = float(f"{value:.1e}")
    decimals = max(0, 1 - floor(log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def price(value: float) -> str:
    """Write a price as a venue shows it: five significant digits, all digits before the point.

    >>> price(90184.3), price(3912.44), price(142.153), price(0.41791), price(0.000012345)
    ('90,184', '3,912.4', '142.15', '0.4179', '0.00001234')
    """
    if value == 0 or not 1e-9 <= abs(value) < 1e12:
        return f"{value:.4g}"
    digits = 4 if abs(value) >= 1 else 3
    decimals = max(0, digits - floor(log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def signed(value: float) -> str:
    """Write a difference.

    >>> signed(3.24), signed(-18.1)
    ('+3.2', '−18')
    """
    return f"{'+' if value >= 0 else ''}{significant(value)}"


def signed_pct(value: float) -> str:
    """Write a change in percent.

    >>> signed_pct(1.42), signed_pct(-0.067)
    ('+1.4%', '−0.067%')
    """
    return f"{signed(value)}%"


def duration(seconds: float) -> str:
    """Write a span of time in minutes and seconds.

    >>> duration(220), duration(3723)
    ('3:40', '1:02:03')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def span(hours: float) -> str:
    """Write a longer span of time in minutes, hours or days.

    >>> span(0.3), span(9.2), span(168)
    ('18 min', '9 h', '7 d')
    """
    return " ".join(span_of(hours))


def span_of(hours: float) -> tuple[str, Literal["min", "h", "d"]]:
    """Return a longer span of time as a count and its unit."""
    if hours < 1:
        return f"{round(hours * 60)}", "min"
    return (f"{round(hours / 24)}", "d") if hours >= 48 else (f"{round(hours)}", "h")


def ordinal(count: int) -> str:
    """Write which one of a row it is.

    >>> ordinal(1), ordinal(3), ordinal(12), ordinal(22)
    ('1st', '3rd', '12th', '22nd')
    """
    teens = 10 <= count % 100 < 20
    return f"{count}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def utc(time_ms: int, pattern: str = "%H:%M:%S") -> str:
    """Write the time of day of `time_ms` (since the Unix epoch), in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).strftime(pattern)


def clean(text: object) -> str:
    """Take out of a foreign name what could turn, hide or break the text around it.

    Names come from venues' listings: control, bidi and zero-width characters, half surrogate
    pairs and line breaks do not pass.
    """
    shown = (
        c if unicodedata.category(c)[0] not in "CZ" else " " if c.isspace() else ""
        for c in str(text)
    )
    return " ".join("".join(shown).split())


def name(symbol: str) -> str:
    """Return a symbol fit for a first line: clean and short."""
    return shortened(clean(symbol), SYMBOL_LENGTH) or "?"


def shortened(text: str, length: int) -> str:
    """Cut what is longer.

    >>> shortened("liquidation", 7), shortened("BTC", 7)
    ('liquid…', 'BTC')
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"
