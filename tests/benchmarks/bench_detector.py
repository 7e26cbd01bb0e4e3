"""What deciding costs, beyond decoding: a trade, a forced order, a second, and a burst of orders
that all bear the stamp of one millisecond.

Beside each cost stands what a call of a method that does next to nothing costs in the same run.

Run by hand: python tests/benchmarks/bench_detector.py [--coins N] [--venues N]
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from random import Random
from statistics import median

from liqwatch.engine import Engine
from liqwatch.engine.feeds import Promise
from liqwatch.engine.settings import EngineSettings
from liqwatch.events import (
    Completeness,
    Connect,
    Event,
    Liquidation,
    Mechanism,
    Position,
    PriceKind,
    Side,
    Tick,
    Trade,
)

BURST = 22_558  # forced orders that one venue once stamped with the same millisecond
T0 = 1_791_565_200_000
LATENCY_MS = 60


class Plain:
    """What is compared with: a call that looks an event's type up and counts it."""

    def __init__(self) -> None:
        self.counts: dict[type, int] = {}

    def update(self, event: Event) -> None:
        self.counts[type(event)] = self.counts.get(type(event), 0) + 1


def engine(venues: int) -> Engine:
    promises = {f"v{number}": Promise(completeness=Completeness.FULL) for number in range(venues)}
    return Engine(EngineSettings(), watch=None, promises=promises)


def trade(coin: int, venue: int, at: int, price: float, usd: float) -> Trade:
    side = Side.BUY if usd > 0 else Side.SELL
    size, received = abs(usd) / price, (at + LATENCY_MS) * 1_000_000
    return Trade(f"v{venue}", f"C{coin}", f"C{coin}USDT", at, received, price, size, side)


def forced(coin: int, venue: int, at: int, price: float, usd: float) -> Liquidation:
    return Liquidation(
        venue=f"v{venue}",
        symbol=f"C{coin}",
        instrument=f"C{coin}USDT",
        time=at,
        received=(at + LATENCY_MS) * 1_000_000,
        position=Position.LONG,
        size=usd / price,
        price=price,
        price_kind=PriceKind.BANKRUPTCY,
        notional_usd=usd,
        completeness=Completeness.FULL,
        mechanism=Mechanism.BOOK,
    )


def market(coins: int, venues: int, seconds: int, begin: int = T0) -> Iterator[Event]:
    """One trade a second of every coin at every venue, and a forced order now and then."""
    rng = Random(1)
    for venue in range(venues):
        yield Connect(venue=f"v{venue}", time=begin, received=begin * 1_000_000, stream="s/1")
    for at in range(begin, begin + 1000 * seconds, 1000):
        for coin in range(coins):
            for venue in range(venues):
                usd = rng.choice((-20_000.0, 20_000.0))
                yield trade(coin, venue, at, 100 + rng.gauss(0, 0.01), usd)
            if rng.random() < 0.01:
                yield forced(coin, 0, at, 100.0, rng.lognormvariate(7, 1.5))
        yield Tick(at + 300)


def warm(coins: int, venues: int, seconds: int) -> Engine:
    one = engine(venues)
    for event in market(coins, venues, seconds):
        one.update(event)
    return one


def each_us(update: Callable[[Event], object], events: Iterable[Event], rounds: int = 7) -> float:
    """Median over rounds of the time of one event, in µs; every round takes other events."""
    told = list(events)
    share = len(told) // rounds
    taken = []
    for number in range(rounds):
        part = told[number * share : (number + 1) * share]
        begun = time.process_time()
        for event in part:
            update(event)
        taken.append((time.process_time() - begun) / share * 1e6)
    return median(taken)


def say(what: str, value: str) -> None:
    print(f"{what:60}{value:>22}")  # noqa: T201 - a script


def compare(what: str, cost_us: float, plain_us: float) -> None:
    say(what, f"{cost_us:.2f} µs = {cost_us / plain_us:.1f}x")


def of_events() -> None:
    one, plain, now = warm(1, 3, 900), Plain(), T0 + 900_000
    trades = [trade(0, n % 3, now + n // 200, 100.0, 500.0) for n in range(70_000)]
    plain_us = each_us(plain.update, trades)
    say("a call that counts", f"{plain_us:.2f} µs = 1.0x")
    compare("a trade", each_us(one.update, trades), plain_us)
    orders = [forced(0, n % 3, now + n, 100.0, 500.0) for n in range(14_000)]
    compare("a forced order", each_us(one.update, orders), plain_us)


def of_seconds(coins: int, venues: int) -> None:
    one, now = warm(coins, venues, 120), T0 + 120_000
    taken = []
    for event in market(coins, venues, 20, begin=now):
        begun = time.process_time()
        one.update(event)
        if isinstance(event, Tick):
            taken.append(time.process_time() - begun)
    say(f"a second of {coins} coins x {venues} venues, at once", f"{median(taken) * 1e3:.1f} ms")


def of_a_burst() -> None:
    taken, starts = [], 0
    for _ in range(5):
        one, now = warm(1, 1, 1200), T0 + 1_200_000
        orders = [forced(0, 0, now + 500, 99.8, 9_000.0) for _ in range(BURST)]
        told: list[Event] = [*orders, trade(0, 0, now + 600, 99.8, -2e8), Tick(now + 1_300)]
        begun = time.process_time()
        for event in told:
            one.update(event)
        taken.append(time.process_time() - begun)
        for second in range(1, 60):
            at = now + 1000 * second
            one.update(trade(0, 0, at, 99.8 - 0.05 * second, -1e6))
            alerts = one.update(Tick(at + 300))
            starts += sum(alert.kind == "cascade_started" for alert in alerts)
    say(f"{BURST} forced orders of one millisecond, drained", f"{median(taken) * 1e3:.1f} ms")
    say("… starts called, as price runs on", f"{starts / 5:g}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--coins", type=int, default=500)
    parser.add_argument("--venues", type=int, default=3)
    arguments = parser.parse_args()
    of_events()
    of_seconds(arguments.coins, arguments.venues)
    of_a_burst()


if __name__ == "__main__":
    main()
