"""What one receiver is told of its own messages: what was held back, and why."""

from collections import Counter
from collections.abc import Sequence

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import joined
from liqwatch.alerting.headline import headline
from liqwatch.alerting.intents import Remark
from liqwatch.alerting.numbers import clean, shortened
from liqwatch.alerting.rich import Moment, Section, Text, line
from liqwatch.alerts import Alert, Kind, Severity

SUBJECT_LENGTH = 24
DAY_MS = 86_400_000

_WEIGHTS = {Severity.CRITICAL: 2, Severity.WARNING: 1, Severity.INFO: 0}


def remark(remark: Remark, alerts: Sequence[Alert], language: Language = "en") -> Text:
    """Return a remark on those of its alerts that are still known, each with its first line."""
    top = phrase(
        f"remark-{remark.why.replace('_', '-')}",
        language,
        subject=shortened(clean(remark.subject or ""), SUBJECT_LENGTH) or "none",
        count=len(remark.alerts),
    )
    kinds = Counter(alert.kind for alert in alerts)
    counts = joined(
        *(phrase("kinds", language, kind=kind, count=kinds[kind]) for kind in Kind if kinds[kind])
    )
    critical = phrase("never-folded", language) if remark.why == "budget" else None
    lines = [(top,), _period(remark, language), *((line,) for line in (critical, counts) if line)]
    told = (
        Section(
            ((Moment.at(one.time, "t", "%H:%M"), f" {headline(one, language)}"),),
            _WEIGHTS[one.severity],
        )
        for one in alerts
    )
    return Text(Section(tuple(lines)), *told, language=language)


def _period(remark: Remark, language: Language) -> tuple[str | Moment, ...]:
    within_a_day = remark.until_ms - remark.since_ms < DAY_MS
    since, until = (
        Moment.minute(ms) if within_a_day else Moment.at(ms, "dt", "%Y-%m-%d %H:%M UTC")
        for ms in (remark.since_ms, remark.until_ms)
    )
    return line("period", language, since=since, until=until)
