"""Frames of OKX swaps, written by hand after okx.com/docs-v5/en (public-data and market-data
websocket channels, public-data-rest-api-get-instruments, -get-position-tiers; text of 2026-07-19;
liquidation orders over REST as the channel has them), with the events they must give.
"""

from typing import Literal

from liqwatch.events import (
    Completeness,
    ContractType,
    Event,
    Funding,
    Instrument,
    Liquidation,
    MarginTier,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    OpenInterestHistory,
    Position,
    PriceBar,
    PriceHistory,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Alive, Control

VENUE = "okx-swap"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://www.okx.com/api/v5/public/instruments?instType=SWAP"
LIST = """{"code":"0","msg":"","data":[
{"instType":"SWAP","instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","ctType":"linear",
 "ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","lotSz":"0.01","tickSz":"0.1","state":"live"},
{"instType":"SWAP","instId":"BTC-USD-SWAP","instFamily":"BTC-USD","ctType":"inverse",
 "ctVal":"100","ctMult":"1","ctValCcy":"USD","lotSz":"1","tickSz":"0.1","state":"live"},
{"instType":"SWAP","instId":"PEPE-USDT-SWAP","instFamily":"PEPE-USDT","ctType":"linear",
 "ctVal":"1000000","ctMult":"10","ctValCcy":"PEPE","lotSz":"0.1","tickSz":"0.000000001",
 "state":"suspend"},
{"instType":"SWAP","instId":"ETH-BTC-SWAP","instFamily":"ETH-BTC","ctType":"linear",
 "ctVal":"0.1","ctMult":"1","ctValCcy":"ETH","lotSz":"1","tickSz":"0.00001","state":"live"},
{"instType":"SWAP","instId":"NEW-USDT-SWAP","instFamily":"NEW-USDT","ctType":"","ctVal":"",
 "ctMult":"","ctValCcy":"","lotSz":"","tickSz":"","state":"preopen"}]}"""


def listed(
    name: str, kind: ContractType, size: float, tick_size: float, status: str = "live"
) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=name.partition("-")[0],
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=kind,
        contract_size=size,
        tick_size=tick_size,
        status=status,
    )


TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-USDT-SWAP", TIME, RECEIVED)
BTC_INVERSE = (VENUE, "BTC", "BTC-USD-SWAP", TIME, RECEIVED)


def liquidation(
    name: str,
    position: Position,
    price: float,
    size: float,
    notional_usd: float,
    *,
    history: bool = False,
    time: int = TIME,
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol=name.partition("-")[0],
        instrument=name,
        time=time,
        received=RECEIVED,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.REFERENCE,
        notional_usd=notional_usd,
        completeness=Completeness.SAMPLED,
        history=history,
    )


def tiers(name: str, unit: Literal["usd", "coin"], *ladder: MarginTier) -> MarginTiers:
    return MarginTiers(
        venue=VENUE,
        symbol=name.partition("-")[0],
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        unit=unit,
        tiers=ladder,
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            listed("BTC-USDT-SWAP", ContractType.LINEAR, 0.01, 0.1),
            listed("BTC-USD-SWAP", ContractType.INVERSE, 100.0, 0.1),
            listed("PEPE-USDT-SWAP", ContractType.LINEAR, 1e7, 1e-9, "suspend"),
        ],
    ),
    "margin tiers of two families, caps in contracts, not in order": (
        (
            "https://www.okx.com/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated"
            "&instFamily=BTC-USDT,BTC-USD"
        ),
        """{"code":"0","msg":"","data":[
        {"baseMaxLoan":"","imr":"0.02","instFamily":"BTC-USDT","instId":"","maxLever":"50",
         "maxSz":"5000","minSz":"1000.01","mmr":"0.005","optMgnFactor":"0","quoteMaxLoan":"",
         "tier":"2","uly":"BTC-USDT"},
        {"baseMaxLoan":"","imr":"0.01","instFamily":"BTC-USDT","instId":"","maxLever":"100",
         "maxSz":"1000","minSz":"0","mmr":"0.004","optMgnFactor":"0","quoteMaxLoan":"",
         "tier":"1","uly":"BTC-USDT"},
        {"baseMaxLoan":"","imr":"0.01","instFamily":"BTC-USD","instId":"","maxLever":"100",
         "maxSz":"20000","minSz":"0","mmr":"0.004","optMgnFactor":"0","quoteMaxLoan":"",
         "tier":"1","uly":"BTC-USD"}]}""",
        [
            tiers(
                "BTC-USDT-SWAP",
                "coin",
                MarginTier(cap=10.0, rate=0.004, max_leverage=100.0, amount=0.0),
                MarginTier(cap=50.0, rate=0.005, max_leverage=50.0, amount=0.0),
            ),
            tiers(
                "BTC-USD-SWAP",
                "usd",
                MarginTier(cap=2e6, rate=0.004, max_leverage=100.0, amount=0.0),
            ),
        ],
    ),
    "liquidations that were missed": (
        (
            "https://www.okx.com/api/v5/public/liquidation-orders?instType=SWAP&state=filled"
            "&before=1699999000000&instFamily=BTC-USDT"
        ),
        """{"code":"0","msg":"","data":[{"details":[{"bkLoss":"0","bkPx":"59000","ccy":"",
        "posSide":"long","side":"sell","sz":"100","time":"1699999990000","ts":"1699999990000"}],
        "instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP","totalLoss":"0",
        "uly":"BTC-USDT"}]}""",
        [
            liquidation(
                "BTC-USDT-SWAP",
                Position.LONG,
                59000.0,
                1.0,
                59000.0,
                history=True,
                time=TIME - 10_000,
            )
        ],
    ),
    "past prices, newest first": (
        "https://www.okx.com/api/v5/market/candles?instId=BTC-USDT-SWAP&limit=100&bar=1H",
        """{"code":"0","msg":"","data":[
        ["1699999200000","60100","60200","60000","60150","200","2","120300","0"],
        ["1699995600000","60000","60110","59900","60100","1000","10","600100","1"]]}""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC-USDT-SWAP",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=3_600_000,
                bars=(
                    PriceBar(1_699_995_600_000, 59_900.0, 60_110.0, 60_010.0),
                    PriceBar(1_699_999_200_000, 60_000.0, 60_200.0, 60_150.0),
                ),
            )
        ],
    ),
    "past open interest: an hour tells how it ended, the last one how it stands": (
        "https://www.okx.com/api/v5/rubik/stat/contracts/open-interest-history?instId=BTC-USDT-SWAP&limit=100&period=1H",
        """{"code":"0","msg":"","data":[
        ["1699999200000","2800480","28004.8","1680288000"],
        ["1699995600000","2800476.45","28004.7645","1680285870"]]}""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC-USDT-SWAP",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="coin",
                points=((1_699_999_200_000, 28_004.7645), (RECEIVED // 1_000_000, 28_004.8)),
            )
        ],
    ),
}

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade merged of three": (
        """{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":
        "BTC-USDT-SWAP","tradeId":"130639474","px":"60000.1","sz":"2.5","side":"buy",
        "ts":"1700000000000","count":"3","source":"0","seqId":1234}]}""",
        [Trade(*BTC, price=60000.1, size=2.5 * 0.01, side=Side.BUY, id="130639474")],
    ),
    "trade of an inverse swap": (
        """{"arg":{"channel":"trades","instId":"BTC-USD-SWAP"},"data":[{"instId":
        "BTC-USD-SWAP","tradeId":"7","px":"60000","sz":"30","side":"sell",
        "ts":"1700000000000"}]}""",
        [Trade(*BTC_INVERSE, price=60000.0, size=0.05, side=Side.SELL, id="7")],
    ),
    "liquidations of two instruments": (
        """{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[
        {"details":[{"bkLoss":"0","bkPx":"59400.0","ccy":"","posSide":"long","side":"sell",
          "sz":"8.55","ts":"1700000000000"},{"bkLoss":"0","bkPx":"60600.0","ccy":"",
          "posSide":"net","side":"buy","sz":"1","ts":"1700000000000"}],
         "instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"},
        {"details":[{"bkLoss":"0","bkPx":"50000","ccy":"","posSide":"short","side":"buy",
          "sz":"10","ts":"1700000000000"}],
         "instFamily":"BTC-USD","instId":"BTC-USD-SWAP","instType":"SWAP","uly":"BTC-USD"}]}""",
        [
            liquidation(
                "BTC-USDT-SWAP", Position.LONG, 59400.0, 8.55 * 0.01, 8.55 * 0.01 * 59400.0
            ),
            liquidation("BTC-USDT-SWAP", Position.SHORT, 60600.0, 0.01, 0.01 * 60600.0),
            liquidation("BTC-USD-SWAP", Position.SHORT, 50000.0, 0.02, 1000.0),
        ],
    ),
    "liquidation whose two sides contradict each other": (
        """{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[
        {"bkLoss":"0","bkPx":"59400.0","ccy":"","posSide":"short","side":"sell","sz":"3",
         "ts":"1700000000000"}],"instId":"BTC-USDT-SWAP","instType":"SWAP"}]}""",
        [],
    ),
    "open interest": (
        """{"arg":{"channel":"open-interest","instId":"BTC-USDT-SWAP"},"data":[{"instId":
        "BTC-USDT-SWAP","instType":"SWAP","oi":"2216113.01","oiCcy":"22161.1301",
        "oiUsd":"1329667806.5","ts":"1700000000000"}]}""",
        [OpenInterest(*BTC, size=22161.1301, notional_usd=1329667806.5)],
    ),
    "mark price": (
        """{"arg":{"channel":"mark-price","instId":"BTC-USDT-SWAP"},"data":[{"instId":
        "BTC-USDT-SWAP","instType":"SWAP","markPx":"60001.5","ts":"1700000000000"}]}""",
        [MarkPrice(*BTC, price=60001.5)],
    ),
    "funding rate": (
        """{"arg":{"channel":"funding-rate","instId":"BTC-USDT-SWAP"},"data":[{"formulaType":
        "noRate","fundingRate":"-0.00018","fundingTime":"1700006400000","impactValue":"",
        "instId":"BTC-USDT-SWAP","instType":"SWAP","method":"current_period",
        "nextFundingRate":"","nextFundingTime":"1700020800000","settState":"settled",
        "ts":"1700000000000"}]}""",
        [Funding(*BTC, rate=-0.00018, interval_hours=4.0, next_time=1_700_006_400_000)],
    ),
    "funding rate without a following interval": (
        """{"arg":{"channel":"funding-rate","instId":"BTC-USD-SWAP"},"data":[{"fundingRate":
        "0.0001","fundingTime":"1700006400000","instId":"BTC-USD-SWAP","instType":"SWAP",
        "nextFundingRate":"","nextFundingTime":"","ts":"1700000000000"}]}""",
        [Funding(*BTC_INVERSE, rate=0.0001, next_time=1_700_006_400_000)],
    ),
    "trade of a spot pair": (
        """{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",
        "tradeId":"9","px":"60000","sz":"0.12","side":"buy","ts":"1700000000000"}]}""",
        [],
    ),
    "trade of an instrument not listed": (
        """{"arg":{"channel":"trades","instId":"DOGE-USDT-SWAP"},"data":[{"instId":
        "DOGE-USDT-SWAP","tradeId":"9","px":"0.1","sz":"12","side":"buy",
        "ts":"1700000000000"}]}""",
        [],
    ),
    "book": (
        """{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"action":"update","data":[
        {"asks":[["60000.2","1","0","1"]],"bids":[],"ts":"1700000000000","seqId":12}]}""",
        [],
    ),
    "pong": ("pong", [Alive()]),
}
