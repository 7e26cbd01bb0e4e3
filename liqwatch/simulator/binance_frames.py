"""Binance USDⓈ-M as its documentation has it.

developers.binance.com/docs/derivatives/usds-margined-futures: websocket market streams (aggregate
trade, mark price, all market liquidation order; routed `/market` class, combined form) and REST
(exchange information, open interest, kline candlestick data, open interest statistics).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count

from liqwatch.events import Position
from liqwatch.simulator.frames import (
    FUNDING_RATE,
    LISTED_MS,
    Answer,
    Frame,
    Throttle,
    VenueFrames,
    decimals,
    decode_object,
    encode,
    is_whole_second,
    price_text,
    size_text,
)
from liqwatch.simulator.past import BAR_MS, PastBar
from liqwatch.simulator.scenarios import Coin
from liqwatch.simulator.seeds import Random
from liqwatch.simulator.world import Fill, ForcedOrder, Step

_FORCED = "!forceOrder@arr"


class BinanceFrames(VenueFrames):
    """Shows one forced order per symbol and second, the largest."""

    venue = "binance-usdm"
    number = 0
    websocket = "wss://fstream.binance.com/market/stream"
    rest_host = "https://fapi.binance.com"

    def __init__(self, coins: Sequence[Coin], rng: Random, start_ms: int) -> None:
        super().__init__(coins, rng, start_ms)
        self._aggregate_ids = {coin.symbol: count(rng.randint(10**9, 2 * 10**9)) for coin in coins}
        self._trade_ids = {coin.symbol: rng.randint(4 * 10**9, 6 * 10**9) for coin in coins}
        self._throttle = Throttle(largest=True)
        self._last: dict[str, Step] = {}

    def topics(self) -> Sequence[str]:
        """Everything one can subscribe to."""
        names = [symbol.lower() + "usdt" for symbol in self.coins]
        return [
            *(f"{name}@{stream}" for name in names for stream in ("aggTrade", "markPrice@1s")),
            _FORCED,
            "!contractInfo",  # nothing is listed and no margin tier changes while it plays
        ]

    def request(self, topics: Sequence[str]) -> str:
        """Return the frame with which a client subscribes to these topics."""
        return encode({"method": "SUBSCRIBE", "params": topics, "id": 1})

    def answer(self, request: str, subscribed: Collection[str]) -> Answer:
        """Answer a client's frame; `subscribed` is what it hears already."""
        match decode_object(request):
            case {"method": "SUBSCRIBE", "params": [*params], "id": number}:
                known = self.topics()
                if all(param in known for param in params):
                    return Answer((encode({"result": None, "id": number}),), tuple(params))
                return _refused(2, "Invalid request: invalid stream", number)
            case {"method": "LIST_SUBSCRIPTIONS", "id": number}:
                return Answer((encode({"result": sorted(subscribed), "id": number}),))
            case {"id": number}:
                return _refused(2, "Invalid request: unknown method", number)
        return _refused(3, "Invalid JSON", None)

    def greeting(self, topic: str) -> str | None:  # noqa: ARG002 - Binance greets nobody
        """Nothing: every frame is news."""
        return None

    def step(self, step: Step) -> Iterator[Frame]:
        """Tell what the venue sends about a step of one coin."""
        self._last[step.symbol] = step
        part = self.part(step)
        for fill in part.trades:
            yield self._trade(step.symbol, fill)
        forced = self._throttle.step(step, part.forced)
        if forced is not None:
            yield self._forced(step.symbol, forced)
        if is_whole_second(step):
            yield self._mark_price(step)

    def bootstrap(self) -> Sequence[str]:
        """Path and query of what clients ask by REST before anything else."""
        return ["/fapi/v1/exchangeInfo"]

    def polls(self) -> Sequence[str]:
        """Path and query of what clients ask by REST again and again: there is no stream of it."""
        return [f"/fapi/v1/openInterest?symbol={symbol}USDT" for symbol in self.coins]

    def rest(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Answer a REST request with status and body."""
        if path == "/fapi/v1/exchangeInfo":
            listed = [_listing(coin) for coin in self.coins.values()]
            info = {"timezone": "UTC", "serverTime": self._start_ms, "symbols": listed}
            return 200, encode(info)
        if path == "/fapi/v1/openInterest":
            step = self._last.get(query.get("symbol", "").removesuffix("USDT"))
            if step is None:
                return 400, encode({"code": -1121, "msg": "Invalid symbol."})
            size = f"{self.part(step).open_interest:.3f}"
            return 200, encode(
                {"openInterest": size, "symbol": query["symbol"], "time": step.time_ms}
            )
        coin = self.coins.get(query.get("symbol", "").removesuffix("USDT"))
        if path in {"/fapi/v1/klines", "/futures/data/openInterestHist"} and coin is not None:
            return 200, encode(self._told_past(path, coin, int(query["limit"])))
        return 404, encode({"code": -5000, "msg": f"Path {path}, Method GET is invalid"})

    def _told_past(self, path: str, coin: Coin, most: int) -> list[object]:
        past = self.pasts[coin.symbol]
        if path == "/fapi/v1/klines":
            return [_kline(bar, coin) for bar in past.bars(BAR_MS, most)]
        return [
            {
                "symbol": f"{coin.symbol}USDT",
                "sumOpenInterest": f"{size:.8f}",
                "sumOpenInterestValue": f"{size * coin.price:.8f}",
                "timestamp": time_ms,
            }
            for time_ms, size in past.points(BAR_MS, most)
        ]

    def _trade(self, symbol: str, fill: Fill) -> Frame:
        coin = self.coins[symbol]
        size = size_text(fill.coins, coin.lot)
        first = self._trade_ids[symbol]
        last = first + int(fill.coins * fill.price / 5_000)
        self._trade_ids[symbol] = last + 1
        return self._combined(
            f"{symbol.lower()}usdt@aggTrade",
            fill.time_ms,
            {
                "e": "aggTrade",
                "E": fill.time_ms + 5,
                "a": next(self._aggregate_ids[symbol]),
                "s": f"{symbol}USDT",
                "p": price_text(fill.price, coin),
                "q": size,
                "nq": size,
                "f": first,
                "l": last,
                "T": fill.time_ms,
                "m": not fill.buy,
                "st": 1,
            },
        )

    def _forced(self, symbol: str, order: ForcedOrder) -> Frame:
        coin = self.coins[symbol]
        buys = order.position is Position.SHORT
        limit = order.price * (1 + (1 if buys else -1) * self._rng.uniform(0.009, 0.014))
        filled = size_text(order.coins, coin.lot)
        last = size_text(order.coins * self._rng.choice((1.0, self._rng.random())), coin.lot)
        event_ms = order.time_ms + 1000  # the window in which only one order is shown
        return self._combined(
            _FORCED,
            event_ms,
            {
                "e": "forceOrder",
                "E": event_ms,
                "o": {
                    "s": f"{symbol}USDT",
                    "S": "BUY" if buys else "SELL",
                    "o": "LIMIT",
                    "f": "IOC",
                    "q": filled,
                    "p": price_text(limit, coin),
                    "ap": price_text(order.price, coin),
                    "X": "FILLED",
                    "l": last,
                    "z": filled,
                    "T": order.time_ms,
                    "ps": f"{symbol}USDT",
                    "st": 1,
                },
            },
        )

    def _mark_price(self, step: Step) -> Frame:
        mark, index = f"{self.part(step).mark_price:.8f}", f"{step.index_price:.8f}"
        return self._combined(
            f"{step.symbol.lower()}usdt@markPrice@1s",
            step.time_ms,
            {
                "e": "markPriceUpdate",
                "E": step.time_ms,
                "s": f"{step.symbol}USDT",
                "p": mark,
                "ap": mark,
                "i": index,
                "P": index,
                "r": f"{FUNDING_RATE:.8f}",
                "T": self.next_funding_ms(step.time_ms),
                "st": 1,
            },
        )

    def _combined(self, topic: str, event_ms: int, payload: dict[str, object]) -> Frame:
        return self.frame(topic, event_ms, {"stream": topic, "data": payload})


def _refused(code: int, message: str, number: object) -> Answer:
    return Answer((encode({"error": {"code": code, "msg": message}, "id": number}),))


def _kline(bar: PastBar, coin: Coin) -> list[object]:
    prices = [price_text(price, coin) for price in (bar.open, bar.high, bar.low, bar.close)]
    end_ms, paid = bar.begin_ms + BAR_MS - 1, f"{bar.paid:.5f}"
    return [bar.begin_ms, *prices, f"{bar.coins:.8f}", end_ms, paid, 308, "0", "0", "0"]


def _listing(coin: Coin) -> dict[str, object]:
    return {
        "symbol": f"{coin.symbol}USDT",
        "pair": f"{coin.symbol}USDT",
        "contractType": "PERPETUAL",
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "baseAsset": coin.symbol,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": decimals(coin.tick),
        "quantityPrecision": decimals(coin.lot),
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": price_text(coin.tick, coin)},
            {"filterType": "LOT_SIZE", "stepSize": size_text(coin.lot, coin.lot)},
        ],
    }
