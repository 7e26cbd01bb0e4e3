"""OKX swaps as the venue's documentation has it.

okx.com/docs-v5: websocket channels trades, open-interest, mark-price and funding-rate by contract,
liquidation-orders by contract type; REST public/instruments, public/position-tiers,
public/open-interest, market/candles and the contract open interest history by the hour. Sizes are
contracts.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from liqwatch.events import Position
from liqwatch.simulator.frames import (
    FUNDING_RATE,
    HOUR_MS,
    Answer,
    Frame,
    Throttle,
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

_FORCED = "liquidation-orders:SWAP"
_CHANNELS = ("trades", "open-interest", "mark-price", "funding-rate")
_LOT = 0.01  # contracts
_HISTORY_ROWS = 5


class OkxFrames(VenueFrames):
    """Shows one forced order per contract and second, the last one."""

    venue = "okx-swap"
    number = 2
    websocket = "wss://ws.okx.com:8443/ws/v5/public"
    rest_host = "https://www.okx.com"

    def __init__(self, coins: Sequence[Coin], rng: Random, start_ms: int) -> None:
        super().__init__(coins, rng, start_ms)
        self._connection_id = f"{rng.getrandbits(32):08x}"
        self._trade_ids = {coin.symbol: rng.randint(10**9, 2 * 10**9) for coin in coins}
        self._sequence = count(rng.randint(10**9, 2 * 10**9))
        self._throttle = Throttle(largest=False)
        self._newest: dict[str, Step] = {}
        self._history = deque((self._bygone(coin) for coin in coins), maxlen=_HISTORY_ROWS)

    def topics(self) -> Sequence[str]:
        """Everything one can subscribe to."""
        return [*(f"{c}:{_name(s)}" for c in _CHANNELS for s in self.coins), _FORCED]

    def request(self, topics: Sequence[str]) -> str:
        """Return the frame with which a client subscribes to these topics."""
        return encode({"op": "subscribe", "args": [_arg(topic) for topic in topics]})

    def answer(self, request: str, subscribed: Collection[str]) -> Answer:  # noqa: ARG002 - not asked for here
        """Answer a client's frame; each topic is acknowledged or refused for itself."""
        if request == "ping":
            return Answer(("pong",))
        match decode_object(request):
            case {"op": "subscribe", "args": [*args]}:
                meant = [[t for t in self.topics() if _arg(t) == arg] for arg in args]
                replies = [self._reply(a, ok=bool(t)) for a, t in zip(args, meant, strict=True)]
                return Answer(tuple(replies), tuple(topic for topics in meant for topic in topics))
        return Answer((self._error("60012", f"Invalid request: {request[:100]}"),))

    def greeting(self, topic: str) -> str | None:
        """Return the latest value; for liquidation orders some of the past, as the venue does."""
        channel, _, name = topic.partition(":")
        if channel == "liquidation-orders":
            return encode({"arg": _arg(topic), "data": list(self._history)})
        step = self._newest.get(name.removesuffix("-USDT-SWAP"))
        if step is None or channel == "trades":
            return None
        return encode({"arg": _arg(topic), "data": [self._row(channel, step)]})

    def step(self, step: Step) -> Iterator[Frame]:
        """Tell what the venue sends about a step of one coin."""
        self._newest[step.symbol] = step
        part = self.part(step)
        for fill in part.trades:
            yield self._push("trades", step.symbol, fill.time_ms, self._trade(step.symbol, fill))
        forced = self._throttle.step(step, part.forced)
        if forced is not None:
            row = self._forced(self.coins[step.symbol], forced)
            self._history.append(row)
            yield self.frame(_FORCED, step.time_ms, {"arg": _arg(_FORCED), "data": [row]})
        for channel, seconds in (("mark-price", 1), ("open-interest", 3), ("funding-rate", 60)):
            if is_whole_second(step, seconds):
                yield self._push(channel, step.symbol, step.time_ms, self._row(channel, step))

    def bootstrap(self) -> Sequence[str]:
        """Path and query of what clients ask by REST before anything else."""
        return ["/api/v5/public/instruments?instType=SWAP"]

    def rest(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Answer a REST request with status and body."""
        rows: list[Any]
        if path == "/api/v5/public/instruments":
            rows = [_listing(coin) for coin in self.coins.values()]
        elif path == "/api/v5/public/open-interest":
            wanted = query.get("instId")
            rows = [
                self._row("open-interest", step)
                for symbol, step in self._newest.items()
                if wanted in {None, _name(symbol)}
            ]
        elif path == "/api/v5/market/candles":
            rows = [_candle(bar, coin) for coin, bar in self._bars(query)]
        elif path == "/api/v5/rubik/stat/contracts/open-interest-history":
            rows = [_open_interest_of(bar, coin) for coin, bar in self._bars(query)]
        elif path == "/api/v5/public/position-tiers":
            families = query.get("instFamily", "").split(",")
            rows = [_tier(symbol) for symbol in self.coins if f"{symbol}-USDT" in families]
        else:
            return 404, encode({"code": "404", "data": [], "msg": "Not Found"})
        return 200, encode({"code": "0", "data": rows, "msg": ""})

    def _bars(self, query: Mapping[str, str]) -> list[tuple[Coin, PastBar]]:
        symbol, most = query.get("instId", "").removesuffix("-USDT-SWAP"), int(query["limit"])
        if symbol not in self.coins:
            return []
        bars = self.pasts[symbol].bars(HOUR_MS, most)
        return [(self.coins[symbol], bar) for bar in reversed(bars)]

    def _trade(self, symbol: str, fill: Fill) -> dict[str, str | int]:
        coin = self.coins[symbol]
        merged = 1 + int(fill.coins * fill.price / 10_000)
        self._trade_ids[symbol] += merged
        return {
            "instId": _name(symbol),
            "tradeId": str(self._trade_ids[symbol]),
            "px": price_text(fill.price, coin),
            "sz": _contracts(fill.coins, coin),
            "side": "buy" if fill.buy else "sell",
            "ts": str(fill.time_ms),
            "count": str(merged),
            "source": "0",
            "seqId": next(self._sequence),
        }

    def _forced(self, coin: Coin, order: ForcedOrder) -> dict[str, Any]:
        long = order.position is Position.LONG
        details = {
            "bkLoss": "0",
            "bkPx": price_text(order.bankruptcy_price, coin),
            "ccy": "",
            "posSide": "long" if long else "short",
            "side": "sell" if long else "buy",
            "sz": _contracts(order.coins, coin),
            "ts": str(order.time_ms),
        }
        return {
            "details": [details],
            "instFamily": f"{coin.symbol}-USDT",
            "instId": _name(coin.symbol),
            "instType": "SWAP",
            "uly": f"{coin.symbol}-USDT",
        }

    def _bygone(self, coin: Coin) -> dict[str, Any]:
        # A liquidation from before the market was looked at.
        time_ms = self._start_ms - self._rng.randint(3, 20) * 60_000
        price = coin.price * 0.99
        return self._forced(coin, ForcedOrder(time_ms, Position.LONG, 900 / price, price, price))

    def _row(self, channel: str, step: Step) -> dict[str, str]:
        coin, part, time = self.coins[step.symbol], self.part(step), str(step.time_ms)
        row = {"instId": _name(step.symbol), "instType": "SWAP"}
        if channel == "mark-price":
            return {**row, "markPx": price_text(part.mark_price, coin), "ts": time}
        if channel == "open-interest":
            return {
                **row,
                "oi": f"{part.open_interest / coin.okx_contract:.2f}",
                "oiCcy": f"{part.open_interest:.4f}",
                "oiUsd": f"{part.open_interest * step.index_price:.2f}",
                "ts": time,
            }
        next_ms = self.next_funding_ms(step.time_ms)
        return {
            **row,
            "formulaType": "noRate",
            "fundingRate": f"{FUNDING_RATE}",
            "fundingTime": str(next_ms),
            "method": "current_period",
            "nextFundingRate": "",
            "nextFundingTime": str(next_ms + 8 * HOUR_MS),
            "settState": "settled",
            "ts": time,
        }

    def _push(self, channel: str, symbol: str, event_ms: int, row: Mapping[str, object]) -> Frame:
        topic = f"{channel}:{_name(symbol)}"
        return self.frame(topic, event_ms, {"arg": _arg(topic), "data": [row]})

    def _reply(self, arg: object, *, ok: bool) -> str:
        if ok:
            return encode({"event": "subscribe", "arg": arg, "connId": self._connection_id})
        asked = arg if isinstance(arg, dict) else {}
        words = ",".join(f"{key}:{value}" for key, value in asked.items())
        return self._error("60018", f"{words} doesn't exist")

    def _error(self, code: str, message: str) -> str:
        reply = {"event": "error", "code": code, "msg": message, "connId": self._connection_id}
        return encode(reply)


def _name(symbol: str) -> str:
    return f"{symbol}-USDT-SWAP"


def _arg(topic: str) -> dict[str, str]:
    channel, _, name = topic.partition(":")
    return {"channel": channel, "instType" if topic == _FORCED else "instId": name}


def _contracts(coins: float, coin: Coin) -> str:
    return size_text(coins / coin.okx_contract, _LOT)


def _candle(bar: PastBar, coin: Coin) -> list[str]:
    prices = [price_text(price, coin) for price in (bar.open, bar.high, bar.low, bar.close)]
    amounts = [_contracts(bar.coins, coin), f"{bar.coins:.8f}", f"{bar.paid:.5f}"]
    return [str(bar.begin_ms), *prices, *amounts, "1"]


def _open_interest_of(bar: PastBar, coin: Coin) -> list[str]:
    size = bar.open_interest
    worth = f"{size * bar.close:.8f}"
    return [str(bar.begin_ms), _contracts(size, coin), f"{size:.8f}", worth]


def _listing(coin: Coin) -> dict[str, str]:
    return {
        "instType": "SWAP",
        "instId": _name(coin.symbol),
        "instFamily": f"{coin.symbol}-USDT",
        "uly": f"{coin.symbol}-USDT",
        "ctType": "linear",
        "ctVal": f"{coin.okx_contract:g}",
        "ctMult": "1",
        "ctValCcy": coin.symbol,
        "settleCcy": "USDT",
        "lotSz": f"{_LOT}",
        "tickSz": price_text(coin.tick, coin),
        "state": "live",
    }


def _tier(symbol: str) -> dict[str, str]:
    return {
        "instFamily": f"{symbol}-USDT",
        "tier": "1",
        "minSz": "0",
        "maxSz": "100000000",
        "mmr": str(MAINTENANCE_RATE),
        "imr": "0.01",
        "maxLever": "100",
    }
