"""Bybit linear as its documentation has it.

bybit-exchange.github.io/docs/v5: websocket/public/trade, ticker and all-liquidation, ws/connect,
market/instrument, market/risk-limit, market/kline, market/open-interest. The venue whose
liquidation feed is complete.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID

from liqwatch.events import Position
from liqwatch.simulator.frames import (
    FUNDING_RATE,
    Answer,
    Frame,
    VenueFrames,
    decode_object,
    encode,
    is_whole_second,
    price_text,
    size_text,
)
from liqwatch.simulator.past import PastBar
from liqwatch.simulator.positions import MAINTENANCE_RATE
from liqwatch.simulator.scenarios import Coin
from liqwatch.simulator.seeds import Random
from liqwatch.simulator.world import Fill, ForcedOrder, Step

_CHANNELS = ("publicTrade", "tickers", "allLiquidation")


class BybitFrames(VenueFrames):
    """Shows every forced order, in batches of half a second."""

    venue = "bybit-linear"
    number = 1
    websocket = "wss://stream.bybit.com/v5/public/linear"
    rest_host = "https://api.bybit.com"
    liquidations = "allLiquidation."  # how these topics begin

    def __init__(self, coins: Sequence[Coin], rng: Random, start_ms: int) -> None:
        super().__init__(coins, rng, start_ms)
        self._connection_id = self._uuid()
        self._sequence = count(rng.randint(10**9, 2 * 10**9))
        self._unsent: dict[str, list[ForcedOrder]] = {coin.symbol: [] for coin in coins}
        self._tickers: dict[str, dict[str, str]] = {}
        self._ticker_ms = start_ms

    def topics(self) -> Sequence[str]:
        """Everything one can subscribe to."""
        return [f"{channel}.{symbol}USDT" for channel in _CHANNELS for symbol in self.coins]

    def connections(self) -> Sequence[Sequence[str]]:
        """All topics, by the connections that clients spread them over: liquidations come apart."""
        forced = [topic for topic in self.topics() if topic.startswith(self.liquidations)]
        return [[topic for topic in self.topics() if topic not in forced], forced]

    def request(self, topics: Sequence[str]) -> str:
        """Return the frame with which a client subscribes to these topics."""
        return encode({"op": "subscribe", "args": topics})

    def answer(self, request: str, subscribed: Collection[str]) -> Answer:  # noqa: ARG002 - not asked for here
        """Answer a client's frame. One unknown topic refuses the whole request."""
        match decode_object(request):
            case {"op": "subscribe", "args": [*args], **asked}:
                known = self.topics()
                bad = next((arg for arg in args if arg not in known), None)
                problem = "" if bad is None else f"error:handler not found,topic:{bad}"
                reply = self._reply("subscribe", asked, problem, ok=bad is None)
                return Answer((reply,), tuple(args) if bad is None else ())
            case {"op": "ping", **asked}:
                return Answer((self._reply("ping", asked, "pong", ok=True),))
        return Answer((self._reply("", {}, "error:request not supported", ok=False),))

    def greeting(self, topic: str) -> str | None:
        """Return the ticker's snapshot; the other topics have none."""
        channel, _, name = topic.partition(".")
        ticker = self._tickers.get(name.removesuffix("USDT"))
        if channel != "tickers" or ticker is None:
            return None
        return encode(self._ticker_frame(topic, "snapshot", ticker))

    def step(self, step: Step) -> Iterator[Frame]:
        """Tell what the venue sends about a step of one coin."""
        part = self.part(step)
        if part.trades:
            topic = f"publicTrade.{step.symbol}USDT"
            rows = [self._trade(step.symbol, fill) for fill in part.trades]
            yield self._push(topic, step.time_ms, rows)
        self._unsent[step.symbol] += part.forced
        if step.time_ms % 500 == 0 and self._unsent[step.symbol]:
            yield self._liquidations(step)
        if is_whole_second(step) or step.symbol not in self._tickers:
            yield from self._ticker(step)

    def bootstrap(self) -> Sequence[str]:
        """Path and query of what clients ask by REST before anything else."""
        return ["/v5/market/instruments-info?category=linear&limit=1000"]

    def rest(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Answer a REST request with status and body."""
        wanted = query.get("symbol")
        coins = [coin for coin in self.coins.values() if wanted in {None, f"{coin.symbol}USDT"}]
        rows: list[Any]
        if path == "/v5/market/instruments-info":
            rows = [_listing(coin) for coin in coins]
        elif path == "/v5/market/risk-limit":
            rows = [_risk_limit(coin) for coin in coins]
        elif path == "/v5/market/kline":
            rows = [_kline(bar, coin) for coin in coins for bar in self._bars(coin, query)]
        elif path == "/v5/market/open-interest":
            rows = [_point(*point) for coin in coins for point in self._points(coin, query)]
        else:
            return 404, encode({"retCode": 404, "retMsg": "Not Found"})
        result = {"category": query.get("category", "linear"), "list": rows, "nextPageCursor": ""}
        return 200, encode(
            {
                "retCode": 0,
                "retMsg": "OK",
                "result": result,
                "retExtInfo": {},
                "time": self._start_ms,
            }
        )

    def _bars(self, coin: Coin, query: Mapping[str, str]) -> list[PastBar]:
        minutes, most = int(query["interval"]), int(query["limit"])
        return self.pasts[coin.symbol].bars(minutes * 60_000, most)[::-1]

    def _points(self, coin: Coin, query: Mapping[str, str]) -> list[tuple[int, float]]:
        minutes, most = int(query["intervalTime"].removesuffix("min")), int(query["limit"])
        return self.pasts[coin.symbol].points(minutes * 60_000, most)[::-1]

    def _trade(self, symbol: str, fill: Fill) -> dict[str, object]:
        coin = self.coins[symbol]
        return {
            "T": fill.time_ms,
            "s": f"{symbol}USDT",
            "S": "Buy" if fill.buy else "Sell",
            "v": size_text(fill.coins, coin.lot),
            "p": price_text(fill.price, coin),
            "L": "PlusTick" if fill.buy else "MinusTick",
            "i": self._uuid(),
            "BT": False,
            "RPI": False,
            "seq": next(self._sequence),
        }

    def _liquidations(self, step: Step) -> Frame:
        coin, orders = self.coins[step.symbol], self._unsent[step.symbol]
        rows = [
            {
                "T": order.time_ms,
                "s": f"{step.symbol}USDT",
                "S": "Buy" if order.position is Position.LONG else "Sell",  # the position's side
                "v": size_text(order.coins, coin.lot),
                "p": price_text(order.bankruptcy_price, coin),
            }
            for order in orders
        ]
        orders.clear()
        return self._push(f"allLiquidation.{step.symbol}USDT", step.time_ms, rows)

    def _ticker(self, step: Step) -> Iterator[Frame]:
        coin, part = self.coins[step.symbol], self.part(step)
        single = round(part.open_interest, 3)
        now = {
            "symbol": f"{step.symbol}USDT",
            "lastPrice": price_text(part.price, coin),
            "markPrice": price_text(part.mark_price, coin),
            "indexPrice": price_text(step.index_price, coin),
            "openInterest": f"{2 * single:.3f}",  # both sides
            "openInterestValue": f"{2 * single * part.mark_price:.2f}",
            "singleOpenInterest": f"{single:.3f}",
            "singleOpenInterestValue": f"{single * part.mark_price:.2f}",
            "fundingIntervalHour": "8",
            "nextFundingTime": str(self.next_funding_ms(step.time_ms)),
            "fundingRate": f"{FUNDING_RATE:.6f}",
        }
        before = self._tickers.get(step.symbol, {})
        self._tickers[step.symbol], self._ticker_ms = now, step.time_ms
        changed = {key: text for key, text in now.items() if before.get(key) != text}
        if before and changed:
            topic = f"tickers.{step.symbol}USDT"
            delta = {"symbol": now["symbol"], **changed}
            yield self.frame(topic, step.time_ms, self._ticker_frame(topic, "delta", delta))

    def _ticker_frame(self, topic: str, kind: str, row: dict[str, str]) -> dict[str, object]:
        return {
            "topic": topic,
            "type": kind,
            "data": row,
            "cs": next(self._sequence),
            "ts": self._ticker_ms,
        }

    def _push(self, topic: str, time_ms: int, rows: Sequence[object]) -> Frame:
        payload = {"topic": topic, "type": "snapshot", "ts": time_ms, "data": rows}
        return self.frame(topic, time_ms, payload)

    def _reply(self, op: str, asked: Mapping[Any, object], message: str, *, ok: bool) -> str:
        return encode(
            {
                "success": ok,
                "ret_msg": message,
                "conn_id": self._connection_id,
                "req_id": asked.get("req_id", ""),
                "op": op,
            }
        )

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def _kline(bar: PastBar, coin: Coin) -> list[str]:
    prices = [price_text(price, coin) for price in (bar.open, bar.high, bar.low, bar.close)]
    return [str(bar.begin_ms), *prices, f"{bar.coins:.8f}", f"{bar.paid:.5f}"]


def _point(time_ms: int, size: float) -> dict[str, str]:
    return {
        "openInterest": f"{2 * size:.8f}",
        "singleOpenInterest": f"{size:.8f}",
        "timestamp": str(time_ms),
    }


def _listing(coin: Coin) -> dict[str, object]:
    return {
        "symbol": f"{coin.symbol}USDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": coin.symbol,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"tickSize": price_text(coin.tick, coin)},
        "lotSizeFilter": {"qtyStep": size_text(coin.lot, coin.lot)},
        "fundingInterval": 480,
    }


def _risk_limit(coin: Coin) -> dict[str, Any]:
    return {
        "id": 1,
        "symbol": f"{coin.symbol}USDT",
        "riskLimitValue": "1000000000",
        "maintenanceMargin": str(MAINTENANCE_RATE),
        "initialMargin": "0.01",
        "isLowestRisk": 1,
        "maxLeverage": "100.00",
        "mmDeduction": "",
    }
