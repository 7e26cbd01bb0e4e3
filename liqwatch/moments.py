"""Moments as people write them."""

from datetime import UTC, datetime, time, timedelta


def moment_ms(word: str, before_ms: int) -> int:
    """Return what is meant, in ms since the Unix epoch; UTC unless it says otherwise.

    A time of day is the last such moment up to `before_ms`. Raises ValueError.

    >>> noon = moment_ms("2026-11-22T12:00", 0)
    >>> [(noon - moment_ms(one, noon)) / 3_600_000 for one in ("11:30", "12:00:01", "13:30+02:00")]
    [0.5, 23.999722222222223, 0.5]
    """
    try:
        if ":" not in word or "-" in word.split(":", 1)[0]:
            return _ms(datetime.fromisoformat(word))
        clock = time.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{word!r} is no time such as 14:05 or 2026-11-22T14:05") from None
    before = datetime.fromtimestamp(before_ms / 1000, clock.tzinfo or UTC)
    moment = datetime.combine(before, clock, clock.tzinfo or UTC)
    return _ms(moment if moment <= before else moment - timedelta(days=1))


def _ms(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
