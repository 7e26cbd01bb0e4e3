"""A venue may stamp thousands of forced orders with one millisecond."""

from collections.abc import Iterator

from walked_market import T0, engine, forced, market, run, trade

from liqwatch.alerts import Kind
from liqwatch.events import Event, Position, Tick

ORDERS, USD = 22_558, 9_000.0
BURST_MS = T0 + 1_200_000


def burst() -> Iterator[Event]:
    """The orders, and a price that runs on after them."""
    yield from (event for event in market(1200, seed=3))
    for _ in range(ORDERS):
        yield forced(BURST_MS + 500, 89_900.0, USD, Position.LONG)
    yield trade(BURST_MS + 600, 89_900.0, -ORDERS * USD)
    for second in range(1, 90):
        at = BURST_MS + 1000 * second
        yield trade(at, 89_900.0 - 20 * second, -1e6)
        yield Tick(at + 300)


def test_a_burst_of_one_millisecond_is_one_start() -> None:
    kinds = [alert.kind for alert in run(engine(), burst())]

    assert kinds.count(Kind.CASCADE_STARTED) == 1
