"""One short story, for the tests of what becomes of alerts."""

from liqwatch.samples import (
    ALL,
    APPLIED,
    APPROACHED,
    DEGRADED,
    DIGEST,
    ENDED,
    JUDGED,
    RECOVERED,
    REJECTED,
    RESUMED,
    STALLED,
    START_MS,
    STARTED,
    STORY,
    TILTED,
)

__all__ = [
    "ALL",
    "APPLIED",
    "APPROACHED",
    "DEGRADED",
    "DIGEST",
    "ENDED",
    "JUDGED",
    "RECOVERED",
    "REJECTED",
    "RESUMED",
    "STALLED",
    "STARTED",
    "START_MS",
    "STORY",
    "TILTED",
]
