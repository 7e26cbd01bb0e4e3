"""What the liquidation map costs: memory, an open-interest update, a renewal, a query, a snapshot.

Every ladder is filled to its ends, as after days of trading.

Run by hand: python tests/benchmarks/bench_map_cost.py [--symbols N] [--venues N]
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from math import exp
from random import Random
from statistics import median

from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.price import Source
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol_map import SymbolMap
from liqwatch.events import Position, Side

PRICE = 50_000.0


def coin(number: int, venues: int, rng: Random) -> SymbolState:
    state = SymbolState(name=f"C{number}", number=0)
    state.price.price = PRICE
    for venue in range(venues):
        key = f"venue-{venue}|C{number}USDT"
        source = state.sources[key] = Source(venue=f"venue-{venue}")
        source.print(0, PRICE, 1.0, Side.BUY)
        state.map.open_interest[key] = 1e4
        book = PositionBook.begin(1e4, PRICE, MapSettings().bucket_bp / 1e4)
        for step in range(0, 60, 12):
            book.open(rng.uniform(1e6, 2e6), PRICE * exp(step / 1000))
            book.open(rng.uniform(1e6, 2e6), PRICE * exp(-step / 1000))
        for ladder in book.ladders:
            for index in range(len(ladder.cells)):
                ladder.cells[index] += rng.uniform(1, 1e4)
                ladder.reach[index] += rng.uniform(1, 1e3)
            ladder.sweep(PRICE)
        state.map.books[key] = book
    return state


def seconds(work: Callable[[], object], times: int) -> float:
    """Median of one call."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def say(what: str, value: str) -> None:
    print(f"{what:52}{value:>14}")  # noqa: T201 - a script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--venues", type=int, default=5)
    chosen = parser.parse_args()
    rng = Random(1)
    coin(0, chosen.venues, rng)  # what is made once and shared
    tracemalloc.start()
    states = [coin(number, chosen.venues, rng) for number in range(chosen.symbols)]
    maps = [SymbolMap(one, MapSettings(), SymbolSettings(), {}) for one in states]
    books = tracemalloc.get_traced_memory()[0]
    for number, one in enumerate(maps):
        one.close_second(10, 10_000 + number)
    views = tracemalloc.get_traced_memory()[0] - books
    tracemalloc.stop()
    ladder = next(iter(states[0].map.books.values())).longs
    say("books, MiB", f"{books / 2**20:.1f}")
    say("merged views and clusters, MiB", f"{views / 2**20:.1f}")
    say("bytes a bucket, both sides", f"{4 * ladder.cells.itemsize}")
    say("buckets a side", f"{len(ladder.cells)}")

    one, state = maps[0], states[0]
    key = next(iter(state.map.books))
    size = 1e4

    def update() -> None:
        nonlocal size
        size *= 1.0001
        one.positions.tell(key, size)
        one.close_second(11, 11_000)

    say("open-interest update, one venue, us", f"{1e6 * seconds(update, 500):.0f}")
    everyone = [(lambda m=m: m.close_second(11, 11_000)) for m in maps]
    say(
        "a second of all coins without news, ms",
        f"{1e3 * sum(seconds(e, 1) for e in everyone):.1f}",
    )
    say(
        "a renewal of one coin, ms",
        f"{1e3 * seconds(lambda: one.close_second(10, 10_000), 50):.2f}",
    )
    say(
        "a minute of one coin, ms",
        f"{1e3 * seconds(lambda: one.close_second(1260, 10_000), 50):.2f}",
    )
    query = seconds(lambda: one.notional_usd(51_000.0, 57_000.0, Position.SHORT), 2000)
    say("a query between two prices, us", f"{1e6 * query:.1f}")

    engine = EngineState(symbols={one.name: one for one in states})
    begun = time.perf_counter()
    snapshot = pack(engine)
    packed = time.perf_counter()
    unpack(snapshot)
    say("snapshot, MB", f"{len(snapshot) / 1e6:.1f}")
    say("pack / unpack, s", f"{packed - begun:.2f} / {time.perf_counter() - packed:.2f}")


if __name__ == "__main__":
    main()
