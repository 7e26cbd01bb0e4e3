"""Moments as people write them."""

from datetime import UTC, datetime, time, timedelta


def parsed(word: str) -> datetime | time:
    """Return a moment or a time of day, in UTC unless it says otherwise. Raises ValueError.

    >>> parsed("9:05"), parsed("2026-11-22T14:05+02:00").isoformat()
    (datetime.time(9, 5, tzinfo=datetime.timezone.utc), '2026-11-22T14:05:00+02:00')
    """
    try:
        if ":" in word[:3]:
            clock = time.fromisoformat(word if word[2] == ":" else f"0{word}")
            return clock if clock.tzinfo else clock.replace(tzinfo=UTC)
        moment = datetime.fromisoformat(word)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, IndexError):
        moment = None
    if moment is None or moment.year < 1971:
        raise ValueError(f"{word!r} is no time such as 14:05 or 2026-11-22T14:05")
    return moment


def moment_ms(word: str, before_ms: int) -> int:
    """Return what is meant, in ms since the Unix epoch.

    A time of day is the last such moment up to `before_ms`. Raises ValueError.
    """
    meant = parsed(word)
    if isinstance(meant, time):
        before = datetime.fromtimestamp(before_ms / 1000, meant.tzinfo)
        meant = datetime.combine(before, meant)
        meant -= timedelta(days=meant > before)
    return int(meant.timestamp() * 1000)
