"""Frames of Bybit inverse, written by hand after bybit-exchange.github.io/docs/v5
(websocket/public/trade, /ticker, /all-liquidation, market/instrument, market/risk-limit; texts of
2026-07), with the events they must give.
"""

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

VENUE = "bybit-inverse"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://api.bybit.com/v5/market/instruments-info?category=inverse&limit=1000"
LIST = """{"retCode":0,"retMsg":"OK","result":{"category":"inverse","list":[
{"symbol":"BTCUSD","contractType":"InversePerpetual","status":"Trading","baseCoin":"BTC",
 "quoteCoin":"USD","settleCoin":"BTC","priceFilter":{"tickSize":"0.10"}},
{"symbol":"BTCUSDZ26","contractType":"InverseFutures","status":"Trading","baseCoin":"BTC",
 "quoteCoin":"USD","settleCoin":"BTC","priceFilter":{"tickSize":"0.50"}}],"nextPageCursor":""},
"retExtInfo":{},"time":1700000000000}"""
LISTED_MS = RECEIVED // 1_000_000

REST: dict[str, tuple[str, str, list[Event]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            Instrument(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD",
                time=LISTED_MS,
                received=RECEIVED,
                contract_type=ContractType.INVERSE,
                contract_size=1.0,
                tick_size=0.1,
                status="Trading",
            )
        ],
    ),
    "margin tiers in coins, rates in percent": (
        "https://api.bybit.com/v5/market/risk-limit?category=inverse&symbol=BTCUSD",
        """{"retCode":0,"retMsg":"OK","result":{"category":"inverse","list":[
        {"id":1,"symbol":"BTCUSD","riskLimitValue":"150","maintenanceMargin":"0.5",
         "initialMargin":"1","isLowestRisk":1,"maxLeverage":"100.00","mmDeduction":""},
        {"id":2,"symbol":"BTCUSD","riskLimitValue":"300","maintenanceMargin":"1",
         "initialMargin":"1.5","isLowestRisk":0,"maxLeverage":"66.67","mmDeduction":"0.75"}],
        "nextPageCursor":""},"retExtInfo":{},"time":1700000000000}""",
        [
            MarginTiers(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD",
                time=LISTED_MS,
                received=RECEIVED,
                unit="coin",
                tiers=(
                    MarginTier(cap=150.0, rate=0.005, max_leverage=100.0, amount=0.0),
                    MarginTier(cap=300.0, rate=0.01, max_leverage=66.67, amount=0.75),
                ),
            )
        ],
    ),
    "past prices: volume in dollars, turnover in coins": (
        "https://api.bybit.com/v5/market/kline?category=inverse&symbol=BTCUSD&limit=200&interval=30",
        """{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSD","category":"inverse","list":[
        ["1699999200000","60000","60110","59900","60100","600100","10"]]},
        "retExtInfo":{},"time":1700001000000}""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD",
                time=LISTED_MS,
                received=RECEIVED,
                interval_ms=1_800_000,
                bars=(PriceBar(1_699_999_200_000, 59_900.0, 60_110.0, 60_010.0),),
            )
        ],
    ),
    "past open interest in dollars": (
        "https://api.bybit.com/v5/market/open-interest?category=inverse&symbol=BTCUSD&limit=200&intervalTime=30min",
        """{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSD","category":"inverse","list":[
        {"openInterest":"63910691.00000000","singleOpenInterest":"31955346",
         "timestamp":"1699999200000"}],"nextPageCursor":""},
        "retExtInfo":{},"time":1700001000000}""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD",
                time=LISTED_MS,
                received=RECEIVED,
                unit="usd",
                points=((1_699_999_200_000, 31_955_346.0),),
            )
        ],
    ),
}

BTC = (VENUE, "BTC", "BTCUSD")
TIME = 1_700_000_000_000

FRAMES: dict[str, tuple[str, list[Event]]] = {
    "trades, sizes in USD, the second one a block trade": (
        """{"topic":"publicTrade.BTCUSD","type":"snapshot","ts":1700000000005,"data":[
        {"T":1700000000000,"s":"BTCUSD","S":"Sell","v":"3000","p":"60000.00","L":"MinusTick",
         "i":"6f1c0000-0000-0000-0000-000000000001","BT":false,"RPI":false,"seq":1783284617},
        {"T":1700000000000,"s":"BTCUSD","S":"Buy","v":"900000","p":"60000.00","L":"ZeroPlusTick",
         "i":"6f1c0000-0000-0000-0000-000000000002","BT":true,"RPI":false,"seq":1783284618}]}""",
        [
            Trade(
                *BTC,
                TIME,
                RECEIVED,
                price=60000.0,
                size=0.05,
                side=Side.SELL,
                id="6f1c0000-0000-0000-0000-000000000001",
            )
        ],
    ),
    "liquidation of a long, its size in USD": (
        """{"topic":"allLiquidation.BTCUSD","type":"snapshot","ts":1700000000500,"data":[
        {"T":1700000000000,"s":"BTCUSD","S":"Buy","v":"5900","p":"59000.00"}]}""",
        [
            Liquidation(
                *BTC,
                TIME,
                RECEIVED,
                position=Position.LONG,
                size=0.1,
                price=59000.0,
                price_kind=PriceKind.BANKRUPTCY,
                notional_usd=5900.0,
                completeness=Completeness.FULL,
            )
        ],
    ),
    "ticker snapshot with open interest in USD, of both sides and of one": (
        """{"topic":"tickers.BTCUSD","type":"snapshot","data":{"symbol":"BTCUSD",
        "lastPrice":"60000.10","markPrice":"60000.00","indexPrice":"60000.50",
        "openInterest":"480000000","openInterestValue":"8000.00","fundingIntervalHour":"8",
        "singleOpenInterest":"240000000","singleOpenInterestValue":"4000.00",
        "nextFundingTime":"1700006400000","fundingRate":"-0.0000392"},"cs":24987956059,
        "ts":1700000000000}""",
        [
            MarkPrice(*BTC, TIME, RECEIVED, price=60000.0, index_price=60000.5),
            OpenInterest(*BTC, TIME, RECEIVED, size=4000.0, notional_usd=2.4e8),
            Funding(
                *BTC,
                TIME,
                RECEIVED,
                rate=-0.0000392,
                interval_hours=8.0,
                next_time=1_700_006_400_000,
            ),
        ],
    ),
    "trade of a dated future, whose name does not tell": (
        """{"topic":"publicTrade.BTCUSDZ26","type":"snapshot","ts":1700000000005,"data":[
        {"T":1700000000000,"s":"BTCUSDZ26","S":"Buy","v":"100","p":"61000.50","L":"PlusTick",
         "i":"6f1c-5","BT":false}]}""",
        [],
    ),
    "liquidation of a perpetual that is not listed": (
        """{"topic":"allLiquidation.NEWUSD","type":"snapshot","ts":1700000000500,"data":[
        {"T":1700000000000,"s":"NEWUSD","S":"Buy","v":"10","p":"2"}]}""",
        [],
    ),
}
