"""Frame to events against `orjson.loads` alone, interleaved in one run: only the ratios count.

Run by hand: python tests/benchmarks/bench_decode.py
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import orjson

from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Exchange

FRAMES = 20_000
ROUNDS = 9
TIME_MS = 1_700_000_000_000


def binance(number: int) -> str:
    return (
        f'{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{TIME_MS + number + 20},'
        f'"a":{5_933_014 + number},"s":"BTCUSDT","p":"60000.10","q":"0.250","nq":"0.250",'
        f'"f":100,"l":105,"T":{TIME_MS + number},"m":true,"st":1}}}}'
    )


def bybit(number: int) -> str:
    row = (
        '{"T":%d,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"60000.10","L":"PlusTick",'
        '"i":"20f43950-d8dd-5b31-9112-%012x","BT":false,"RPI":false,"seq":1783284617}'
    )
    rows = ",".join(row % (TIME_MS + number, 3 * number + each) for each in range(3))
    return (
        f'{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{TIME_MS + number},'
        f'"data":[{rows}]}}'
    )


def okx(number: int) -> str:
    return (
        '{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":'
        f'"BTC-USDT-SWAP","tradeId":"{130_639_474 + number}","px":"60000.1","sz":"2.5",'
        f'"side":"buy","ts":"{TIME_MS + number}","count":"1","source":"0","seqId":1234}}]}}'
    )


def okx_with_instruments() -> Exchange:
    exchange = EXCHANGES["okx-swap"]()
    exchange.decode_rest(
        "https://www.okx.com/api/v5/public/instruments?instType=SWAP",
        200,
        '{"code":"0","data":[{"instId":"BTC-USDT-SWAP","ctType":"linear","ctVal":"0.01",'
        '"ctMult":"1","tickSz":"0.1","state":"live"}]}',
        TIME_MS * 1_000_000,
    )
    return exchange


def cost_us(run: Callable[[list[str]], None], frames: list[str]) -> float:
    begun = time.process_time()
    run(frames)
    return (time.process_time() - begun) / len(frames) * 1e6


def load_all(frames: list[str]) -> None:
    for frame in frames:
        orjson.loads(frame)


def decode_all(exchange: Exchange, frames: list[str]) -> None:
    decode = exchange.decode
    for frame in frames:
        decode(frame, 1)


def main() -> None:
    cases: list[tuple[str, Callable[[int], str], Callable[[], Exchange]]] = [
        ("Binance aggTrade", binance, EXCHANGES["binance-usdm"]),
        ("Bybit publicTrade, 3 rows", bybit, EXCHANGES["bybit-linear"]),
        ("OKX trades", okx, okx_with_instruments),
    ]
    print(f"{'frame':28}{'orjson.loads':>14}{'decode':>10}{'ratio':>8}")  # noqa: T201 - a script
    for name, make, new_exchange in cases:
        frames = [make(number) for number in range(FRAMES)]
        anchors, costs = [], []
        for _ in range(ROUNDS):
            exchange = new_exchange()  # each round hears the frames for the first time
            anchors.append(cost_us(load_all, frames))
            costs.append(cost_us(partial(decode_all, exchange), frames))
        ratio = statistics.median(b / a for a, b in zip(anchors, costs, strict=True))
        anchor, cost = statistics.median(anchors), statistics.median(costs)
        print(f"{name:28}{anchor:11.2f} us{cost:7.2f} us{ratio:8.2f}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
