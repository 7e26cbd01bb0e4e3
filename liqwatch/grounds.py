"""What counts over tapes rest on: how long was heard, and what had been learned by then."""

from liqwatch.alerting.numbers import span, utc
from liqwatch.engine import Engine
from liqwatch.engine.rarity import ARMED_HOURS
from liqwatch.events import Completeness, Disconnect, MarketEvent

GAP_NS = 60_000_000_000  # a longer silence of everybody was not heard
HOUR_NS = 3_600_000_000_000
ENOUGH_HOURS = 72.0  # of less it is said that it is little


class Grounds:
    """Counts the hours in which anything was heard of the market."""

    def __init__(self) -> None:
        self._first_ns = self._last_ns = self._heard_ns = 0

    def write(self, event: MarketEvent | Disconnect) -> None:
        """Take what was heard."""
        passed_ns = event.received - self._last_ns
        if passed_ns <= GAP_NS:
            self._heard_ns += passed_ns
        self._first_ns = self._first_ns or event.received
        self._last_ns = event.received

    @property
    def hours(self) -> float:
        """Hours that were heard."""
        return self._heard_ns / HOUR_NS

    def a_day(self, count: int) -> float:
        """Return how many that is a day."""
        return 24 * count / self.hours if self.hours else 0.0

    def __str__(self) -> str:
        if not self._heard_ns:
            return "Nothing was heard"
        since, until = (
            utc(ns // 1_000_000, "%Y-%m-%d %H:%M") for ns in (self._first_ns, self._last_ns)
        )
        return f"{span(self.hours)} of market, {since} to {until.removeprefix(since[:11])} UTC"


def cautions(grounds: Grounds, engine: Engine, return_hours: float) -> list[str]:
    """Say in how far so little says little: hours heard, and history of flow that is seen once in
    `return_hours`.
    """
    if not grounds.hours:
        return []
    learned = _learning(engine, return_hours)
    short = f"{span(grounds.hours)} say little of what comes a few times a week."
    return [*([short] if grounds.hours < ENOUGH_HOURS else []), *([learned] if learned else [])]


def _learned_hours(engine: Engine) -> float:
    """Return how long the history of a feed is that shows every liquidation, and has enough of it
    to call flow rare; of several the longest, 0 without any.
    """
    return max(
        (
            feed.past.history.hours
            for symbol in engine.state.symbols.values()
            for feeds in symbol.feeds.values()
            for feed in feeds.values()
            if feed.completeness is Completeness.FULL and feed.past.history.armed
        ),
        default=0.0,
    )


def _learning(engine: Engine, return_hours: float) -> str | None:
    hours = _learned_hours(engine)
    if not hours:
        return (
            f"Learning: no feed that shows every liquidation had the {ARMED_HOURS:.0f} h of history"
            " it takes to call flow rare, so return_hours decided nothing."
        )
    if hours < return_hours:
        return (
            "Learning: the longest history of a feed that shows every liquidation is"
            f" {span(hours)}; what is seen once in {span(return_hours)} is extrapolated."
        )
    return None
