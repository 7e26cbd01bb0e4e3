"""A seeded walk as a feed; nothing here claims to be a market."""

from collections.abc import Iterable, Iterator, Sequence
from math import exp
from random import Random

from liqwatch.alerts import Alert, Kind
from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.events import (
    Completeness,
    Connect,
    Event,
    Liquidation,
    Mechanism,
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Tick,
    Trade,
)

VENUE = "bybit-linear"
T0 = 1_791_565_200_000
LATENCY_MS = 60


def engine(**watch: SymbolSettings) -> Engine:
    return Engine(
        EngineSettings(),
        watch=watch or None,
        promises={
            VENUE: Promise(completeness=Completeness.FULL),
            "binance-usdm": Promise(completeness=Completeness.SAMPLED),
        },
    )


def trade(time_ms: int, price: float, usd: float = 20_000.0, *, venue: str = VENUE) -> Trade:
    side = Side.BUY if usd > 0 else Side.SELL
    received = (time_ms + LATENCY_MS) * 1_000_000
    return Trade(venue, "BTC", "BTCUSDT", time_ms, received, price, abs(usd) / price, side)


def forced(time_ms: int, price: float, usd: float, position: Position, **other: str) -> Liquidation:
    return Liquidation(
        venue=VENUE, symbol="BTC", instrument="BTCUSDT", time=time_ms,
        received=(time_ms + LATENCY_MS) * 1_000_000, position=position, size=usd / price,
        price=price, price_kind=PriceKind.BANKRUPTCY, notional_usd=usd,
        completeness=Completeness.FULL,
        mechanism=Mechanism(other.get("mechanism", "book")),
    )  # fmt: skip


def market(
    seconds: int,
    *,
    burst_at: int | None = None,
    sign: int = 1,
    burst_usd: float = 3e6,
    seed: int = 1,
) -> Iterator[Event]:
    """Two trades a second; from `burst_at` on a minute of forced orders and a price that runs."""
    rng, x = Random(seed), 0.0
    position = Position.SHORT if sign > 0 else Position.LONG
    yield Connect(venue=VENUE, time=T0, received=T0 * 1_000_000, stream="s/1")
    for second in range(seconds):
        running = burst_at is not None and burst_at <= second < burst_at + 60
        for half in (0, 500):
            at = T0 + second * 1000 + half
            x += rng.gauss(0, 3e-5) + (2e-4 * sign if running else 0.0)
            price = 90_000 * exp(x)
            yield trade(at, price, rng.choice((-20_000.0, 20_000.0)))
            if running:
                yield forced(at + 50, price, burst_usd, position)
            elif rng.random() < 0.01:
                either = rng.choice((Position.SHORT, Position.LONG))
                yield forced(at + 50, price, rng.lognormvariate(7, 1.5), either)
            yield Tick(at + 250)


def traded(events: Iterable[Event]) -> Iterator[Event]:
    """The same, with a trade for every forced order: only so are they believed where open interest
    is known.
    """
    for event in events:
        if isinstance(event, Liquidation):
            sign = 1 if event.position is Position.SHORT else -1
            yield trade(event.time - 10, event.price, sign * event.notional_usd)
        yield event


def along(prices: Iterable[float], *, begin_ms: int = T0) -> Iterator[Event]:
    """A price a second, with open interest beside it."""
    yield Connect(venue=VENUE, time=begin_ms, received=begin_ms * 1_000_000, stream="s/1")
    for second, price in enumerate(prices):
        for half, usd in ((0, 20_000.0), (500, -20_000.0)):
            at = begin_ms + second * 1000 + half
            yield trade(at, price * (1 + usd * 1e-9), usd)
            yield Tick(at + 250)
        size = 10_000.0 + second
        yield OpenInterest(VENUE, "BTC", "BTCUSDT", at + 250, (at + 250) * 10**6, size)


def steadily(*prices: float, bp_per_s: float) -> Iterator[float]:
    """From price to price."""
    at = prices[0]
    for price in prices[1:]:
        while abs(price / at - 1) > bp_per_s / 1e4:
            at *= 1 + bp_per_s / 1e4 * (1 if price > at else -1)
            yield at


def levered() -> Iterator[Event]:
    size = 10_000.0
    for event in market(900, seed=2):
        yield event
        if isinstance(event, Tick):
            size += 2.0
            yield OpenInterest(VENUE, "BTC", "BTCUSDT", event.time, event.time * 10**6, size)


def run(one: Engine, events: Iterator[Event] | Sequence[Event]) -> list[Alert]:
    return [alert for event in events for alert in one.update(event)]


def cascades(alerts: Sequence[Alert]) -> list[Kind]:
    return [alert.kind for alert in alerts if alert.episode is not None]
