"""Tape line to alert decision against `orjson.loads` of the same lines, interleaved in one run.

Only the ratios compare from machine to machine. The busy tape holds a million trade frames of
three coins on three venues, a thousand a second; peak memory must not grow with its length.

Run by hand: python tests/benchmarks/bench_replay.py
"""

import math
import resource
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import orjson

from liqwatch.records import Record
from liqwatch.replay import assemble
from liqwatch.simulator.simulate import START_MS, write_tape
from liqwatch.sources.tape import TapeReader, TapeWriter

FRAMES = 1_000_000
LINES_A_TURN = 20_000
COINS = {"BTC": 90_000.0, "ETH": 3_000.0, "SOL": 150.0}
# Payloads as developers.binance.com (Aggregate-Trade-Streams), bybit-exchange.github.io (v5
# websocket public trade) and www.okx.com/docs-v5 (trades channel, instruments) document them.
BINANCE = (
    '{{"stream":"{low}usdt@aggTrade","data":{{"e":"aggTrade","E":{ms},"a":{n},"s":"{coin}USDT",'
    '"p":"{price:.2f}","q":"0.250","nq":"0.250","f":{n},"l":{n},"T":{ms},"m":true,"st":1}}}}'
)
BYBIT = (
    '{{"topic":"publicTrade.{coin}USDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},'
    '"s":"{coin}USDT","S":"Buy","v":"0.250","p":"{price:.2f}","L":"PlusTick",'
    '"i":"20f43950-d8dd-5b31-9112-{serial:012x}","BT":false,"RPI":false,"seq":1783284617}}]}}'
)
OKX = (
    '{{"arg":{{"channel":"trades","instId":"{coin}-USDT-SWAP"}},"data":[{{"instId":'
    '"{coin}-USDT-SWAP","tradeId":"{n}","px":"{price:.2f}","sz":"2.5","side":"sell","ts":"{ms}",'
    '"count":"1","source":"0","seqId":{n}}}]}}'
)
FRAMES_OF = {"binance-usdm": BINANCE, "bybit-linear": BYBIT, "okx-swap": OKX}


def busy(frames: int) -> Iterator[Record]:
    """Trades one millisecond apart: each coin of each venue in turn."""
    listed = [
        {"instId": f"{coin}-USDT-SWAP", "instType": "SWAP", "ctType": "linear", "ctVal": "0.01",
         "ctMult": "1", "ctValCcy": coin, "settleCcy": "USDT", "tickSz": "0.01", "state": "live"}
        for coin in COINS
    ]  # fmt: skip
    yield Record(
        at=START_MS * 1_000_000,
        venue="okx-swap",
        get="https://www.okx.com/api/v5/public/instruments?instType=SWAP",
        status=200,
        text=msgspec.json.encode({"code": "0", "data": listed}).decode(),
    )
    turns = [(coin, venue) for coin in COINS for venue in FRAMES_OF]
    for number in range(frames):
        coin, venue = turns[number % len(turns)]
        ms = START_MS + 1000 + number
        price = COINS[coin] * (1 + 0.002 * math.sin(number / 40_000) + 0.0001 * math.sin(number))
        text = FRAMES_OF[venue].format(
            coin=coin,
            low=coin.lower(),
            n=number // len(turns) + 1,
            serial=number,
            ms=ms,
            price=price,
        )
        at = (ms + 30) * 1_000_000
        yield Record(at=at, venue=venue, stream=f"{venue}/1", text=text)


def write_busy_tape(path: Path) -> None:
    with TapeWriter(path, note="busy", created_ns=START_MS * 1_000_000) as tape:
        for record in busy(FRAMES):
            tape.write(record)


def lines_of(path: Path) -> Iterator[bytes]:
    lines = TapeReader(path)._lines()
    next(lines)  # the header
    return lines


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, tape: Path) -> None:
    pipeline = assemble(None, None, on_alerts=lambda _: None, on_event=None)
    lines = lines_of(tape)
    deciding = map(pipeline.ingest, TapeReader(tape))
    anchors, costs, peaks = [], [], []
    while turn := list(islice(lines, LINES_A_TURN)):
        begun = time.process_time()
        deque(map(orjson.loads, turn), maxlen=0)
        between = time.process_time()
        deque(islice(deciding, len(turn)), maxlen=0)
        anchors.append((between - begun) / len(turn))
        costs.append((time.process_time() - between) / len(turn))
        peaks.append(peak_mib())
    ratio = statistics.median(cost / anchor for anchor, cost in zip(anchors, costs, strict=True))
    cost_us = 1e6 * statistics.fmean(costs)
    print(  # noqa: T201 - a script
        f"{name:9}{1e6 / cost_us:9,.0f} lines a second{cost_us:7.2f} us a line"
        f"{ratio:6.1f} x orjson.loads{peaks[len(peaks) // 10]:7.1f} MiB peak after a tenth,"
        f"{peaks[-1]:6.1f} MiB at the end"
    )
    assert not pipeline.malformed


def main() -> None:
    makers: dict[str, Callable[[Path], object]] = {
        "busy": write_busy_tape,
        "cascade": partial(write_tape, scenario="cascade", seed=1),
    }
    with tempfile.TemporaryDirectory(prefix="liqwatch-bench-") as folder:
        for name, make in makers.items():
            tape = Path(folder) / f"{name}.jsonl.zst"
            make(tape)
            measure(name, tape)


if __name__ == "__main__":
    main()
