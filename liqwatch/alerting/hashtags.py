"""Hashtags, by which Telegram's search makes the chat a journal. The same in every language."""

from liqwatch.alerting.evidence import number
from liqwatch.alerting.numbers import name, utc
from liqwatch.alerts import Alert, Kind

_BEGINNINGS = {Kind.CASCADE_STARTED, Kind.FEED_DEGRADED}


def hashtags(symbol: str, subject: str, began_ms: int | None) -> str:
    """Return `#BTC #cascade #BTC0412`, the last by when the story began (ms since the epoch, UTC).

    Nothing of a symbol that makes no hashtag.
    """
    tag = "".join(c for c in name(symbol) if c.isalnum())
    if not tag:
        return ""
    story = "" if began_ms is None else f" #{tag}{utc(began_ms, '%H%M')}"
    return f"#{tag} #{subject}{story}"


def of_alert(alert: Alert, began_ms: int | None = None) -> str:
    """Return the hashtags of an alert; of a changed configuration there are none."""
    subject = alert.kind.split("_")[0]
    return "" if subject == "config" else hashtags(alert.symbol, subject, began_ms or began(alert))


def began(alert: Alert) -> int | None:
    """Return when the alert's story began, in ms since the Unix epoch; None where it has none, or
    does not know.
    """
    if alert.episode is None:
        return None
    if alert.kind in _BEGINNINGS:
        return alert.time
    lasted_s = number(alert, "duration_s")
    return None if lasted_s is None else alert.time - round(1000 * lasted_s)
