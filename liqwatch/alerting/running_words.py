"""What is told of a cascade while it goes on."""

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import joined
from liqwatch.alerting.level_words import named, zone
from liqwatch.alerting.numbers import amount, price, signed_pct, significant
from liqwatch.alerting.speech import size
from liqwatch.alerts import Direction, Level, Running

MOST_RUNGS = 6  # the newest


def running_lines(running: Running, language: Language) -> list[str | None]:
    """Return the lines below the first one, in order of weight."""
    return [
        phrase(
            "running-price",
            language,
            price=price(running.price),
            change=signed_pct(100 * (running.price / running.start_price - 1)),
            direction=running.direction,
            extreme=price(running.extreme_price),
        ),
        _forced(running, language),
        phrase("speed", language, speed=significant(running.speed_bp_per_min)),
        _rungs(running, language),
    ]


def _forced(running: Running, language: Language) -> str:
    amounts = {
        "total": running.forced_usd_total,
        "peak": running.peak_forced_usd_60s,
        "now": running.forced_usd_60s,
    }
    bound = "" if running.complete else "≥"
    return phrase(
        "running-forced",
        language,
        direction=running.direction,
        **{key: f"{bound}{amount(usd)}" for key, usd in amounts.items()},
    )


def _rungs(running: Running, language: Language) -> str | None:
    crossed = running.crossed[-MOST_RUNGS:]
    parts = [f"{zone(level.low, level.high)} ✓" for level in crossed]
    if len(running.crossed) > MOST_RUNGS:
        parts.insert(0, "…")
    if running.next_level is not None:
        parts.append(_next(running, running.next_level, language))
    rungs = joined(*parts)
    return rungs and phrase("rungs", language, rungs=rungs)


def _next(running: Running, level: Level, language: Language) -> str:
    edge = level.low if running.direction is Direction.UP else level.high
    away = phrase("away", language, distance=size(100 * (edge / running.price - 1)))
    return f"{phrase('next-rung', language, level=named(level, language))} ({away})"
