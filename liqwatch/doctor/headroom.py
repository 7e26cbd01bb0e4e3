"""How much more a venue may be asked over REST, from what it says in its headers."""

from collections.abc import Mapping

# How venues say what is left of the requests they allow: left and allowed, or used of a number
# that stands in their documentation. Bybit: v5/rate-limit; Gate: api/v4, "Frequency limit rule";
# the last two: draft-ietf-httpapi-ratelimit-headers, and its forerunner. Binance: "LIMITS".
_LEFT_OF = (
    ("x-bapi-limit-status", "x-bapi-limit"),
    ("x-gate-ratelimit-requests-remain", "x-gate-ratelimit-limit"),
    ("ratelimit-remaining", "ratelimit-limit"),
    ("x-ratelimit-remaining", "x-ratelimit-limit"),
)
_USED_OF = (("x-mbx-used-weight-1m", 2400),)


def headroom(headers: Mapping[str, str]) -> float | None:
    """Return how many percent of the requests allowed are left, as headers in lower case say."""
    for left, allowed in _LEFT_OF:
        if left in headers and (of := _number(headers.get(allowed))):
            return round(100 * _number(headers[left]) / of, 1)
    for used, of in _USED_OF:
        if used in headers:
            return round(100 - 100 * _number(headers[used]) / of, 1)
    return None


def _number(text: str | None) -> int:
    digits = (text or "").partition(",")[0].strip()  # the draft lists the windows after a comma
    return int(digits) if digits.isdecimal() else 0
