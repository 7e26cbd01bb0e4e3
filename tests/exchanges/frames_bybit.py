"""Frames of Bybit linear, written by hand after bybit-exchange.github.io/docs/v5
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

VENUE = "bybit-linear"
SILENT = ("ticker delta of the book only",)
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://api.bybit.com/v5/market/instruments-info?category=linear&limit=1000"
LIST = """{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[
{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC",
 "quoteCoin":"USDT","priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"qtyStep":"0.001"}},
{"symbol":"SHIB1000USDT","contractType":"LinearPerpetual","status":"Trading",
 "baseCoin":"SHIB1000","quoteCoin":"USDT","priceFilter":{"tickSize":"0.00001"}},
{"symbol":"BTCPERP","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC",
 "quoteCoin":"USDC","priceFilter":{"tickSize":"0.10"}},
{"symbol":"NEWUSDT","contractType":"LinearPerpetual","status":"PreLaunch","baseCoin":"NEW",
 "quoteCoin":"USDT","priceFilter":{"tickSize":"0.01"}},
{"symbol":"BTCUSDT-25DEC26","contractType":"LinearFutures","status":"Trading","baseCoin":"BTC",
 "quoteCoin":"USDT","priceFilter":{"tickSize":"0.10"}}],"nextPageCursor":""},
"retExtInfo":{},"time":1700000000000}"""


def listed(name: str, symbol: str, size: float, tick_size: float, status: str) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=ContractType.LINEAR,
        contract_size=size,
        tick_size=tick_size,
        status=status,
    )


REST: dict[str, tuple[str, str, list[Event]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            listed("BTCUSDT", "BTC", 1.0, 0.1, "Trading"),
            listed("SHIB1000USDT", "SHIB", 1000.0, 0.00001 / 1000, "Trading"),
            listed("BTCPERP", "BTC", 1.0, 0.1, "Trading"),
            listed("NEWUSDT", "NEW", 1.0, 0.01, "PreLaunch"),
        ],
    ),
    "margin tiers, not in order": (
        "https://api.bybit.com/v5/market/risk-limit?category=linear&symbol=SHIB1000USDT",
        """{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[
        {"id":2,"symbol":"SHIB1000USDT","riskLimitValue":"400000","maintenanceMargin":"0.02",
         "initialMargin":"0.04","isLowestRisk":0,"maxLeverage":"25.00","mmDeduction":"2000"},
        {"id":1,"symbol":"SHIB1000USDT","riskLimitValue":"200000","maintenanceMargin":"0.01",
         "initialMargin":"0.02","isLowestRisk":1,"maxLeverage":"50.00","mmDeduction":""}],
        "nextPageCursor":""},"retExtInfo":{},"time":1700000000000}""",
        [
            MarginTiers(
                venue=VENUE,
                symbol="SHIB",
                instrument="SHIB1000USDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="usd",
                tiers=(
                    MarginTier(cap=200_000.0, rate=0.01, max_leverage=50.0, amount=0.0),
                    MarginTier(cap=400_000.0, rate=0.02, max_leverage=25.0, amount=2000.0),
                ),
            )
        ],
    ),
    "past prices, newest first": (
        "https://api.bybit.com/v5/market/kline?category=linear&symbol=BTCUSDT&limit=200&interval=30",
        """{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSDT","category":"linear","list":[
        ["1700001000000","60100","60200","60000","60150","2","120300"],
        ["1699999200000","60000","60110","59900","60100","10","600100"]]},
        "retExtInfo":{},"time":1700001000000}""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=1_800_000,
                bars=(
                    PriceBar(1_699_999_200_000, 59_900.0, 60_110.0, 60_010.0),
                    PriceBar(1_700_001_000_000, 60_000.0, 60_200.0, 60_150.0),
                ),
            )
        ],
    ),
    "past open interest, counted on both sides by the older field": (
        "https://api.bybit.com/v5/market/open-interest?category=linear&symbol=BTCUSDT&limit=200&intervalTime=30min",
        """{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSDT","category":"linear","list":[
        {"openInterest":"63910.69100000","singleOpenInterest":"31955.346",
         "timestamp":"1700001000000"},
        {"openInterest":"63900.00000000","timestamp":"1699999200000"}],"nextPageCursor":""},
        "retExtInfo":{},"time":1700001000000}""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="coin",
                points=((1_699_999_200_000, 31_950.0), (1_700_001_000_000, 31_955.346)),
            )
        ],
    ),
}


def trade(name: str, symbol: str, price: float, size: float, side: Side, number: str) -> Trade:
    return Trade(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_000_000,
        received=RECEIVED,
        price=price,
        size=size,
        side=side,
        id=number,
    )


def liquidation(
    name: str, symbol: str, position: Position, price: float, size: float, notional_usd: float
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_000_100,
        received=RECEIVED,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.BANKRUPTCY,
        notional_usd=notional_usd,
        completeness=Completeness.FULL,
    )


TICKER_TIME = 1_700_000_000_200
BTC = (VENUE, "BTC", "BTCUSDT", TICKER_TIME, RECEIVED)
SHIB = (VENUE, "SHIB", "SHIB1000USDT", TICKER_TIME, RECEIVED)

FRAMES: dict[str, tuple[str, list[Event]]] = {
    "trades, the third one a block trade": (
        """{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1700000000005,"data":[
        {"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"0.010","p":"60000.10","L":"PlusTick",
         "i":"6f1c0000-0000-0000-0000-000000000001","BT":false,"RPI":false,"seq":1783284617},
        {"T":1700000000000,"s":"BTCUSDT","S":"Sell","v":"0.200","p":"60000.00","L":"MinusTick",
         "i":"6f1c0000-0000-0000-0000-000000000002","BT":false,"RPI":true,"seq":1783284617},
        {"T":1700000000000,"s":"BTCUSDT","S":"Sell","v":"99","p":"59000.00","L":"MinusTick",
         "i":"6f1c0000-0000-0000-0000-000000000003","BT":true,"RPI":false,"seq":1783284618}]}""",
        [
            trade(
                "BTCUSDT", "BTC", 60000.1, 0.01, Side.BUY, "6f1c0000-0000-0000-0000-000000000001"
            ),
            trade(
                "BTCUSDT", "BTC", 60000.0, 0.2, Side.SELL, "6f1c0000-0000-0000-0000-000000000002"
            ),
        ],
    ),
    "trade per 1,000 coins": (
        """{"topic":"publicTrade.SHIB1000USDT","type":"snapshot","ts":1700000000005,"data":[
        {"T":1700000000000,"s":"SHIB1000USDT","S":"Buy","v":"500","p":"0.0250",
         "L":"ZeroPlusTick","i":"6f1c-4","BT":false}]}""",
        [trade("SHIB1000USDT", "SHIB", 0.025 / 1000, 500_000.0, Side.BUY, "6f1c-4")],
    ),
    "liquidations: every row counts, the side is the position's": (
        """{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1700000000500,"data":[
        {"T":1700000000100,"s":"BTCUSDT","S":"Buy","v":"0.300","p":"59400.00"},
        {"T":1700000000100,"s":"BTCUSDT","S":"Sell","v":"0.020","p":"60600.00"}]}""",
        [
            liquidation("BTCUSDT", "BTC", Position.LONG, 59400.0, 0.3, 0.3 * 59400.0),
            liquidation("BTCUSDT", "BTC", Position.SHORT, 60600.0, 0.02, 0.02 * 60600.0),
        ],
    ),
    "liquidation of a USDC contract": (
        """{"topic":"allLiquidation.BTCPERP","type":"snapshot","ts":1700000000500,"data":[
        {"T":1700000000100,"s":"BTCPERP","S":"Buy","v":"1","p":"59000"}]}""",
        [liquidation("BTCPERP", "BTC", Position.LONG, 59000.0, 1.0, 59000.0)],
    ),
    "ticker snapshot": (
        """{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT",
        "tickDirection":"MinusTick","price24hPcnt":"-0.01","lastPrice":"60000.10",
        "markPrice":"60001.00","indexPrice":"60000.50","openInterest":"48001",
        "openInterestValue":"2880000000","fundingIntervalHour":"8","fundingCap":"0.005",
        "singleOpenInterest":"24000.5","singleOpenInterestValue":"1440000000",
        "nextFundingTime":"1700006400000","fundingRate":"0.0001","bid1Price":"60000.00",
        "preOpenPrice":"","curPreListingPhase":""},"cs":9532239429,"ts":1700000000200}""",
        [
            MarkPrice(*BTC, price=60001.0, index_price=60000.5),
            OpenInterest(*BTC, size=24000.5, notional_usd=1.44e9),
            Funding(*BTC, rate=0.0001, interval_hours=8.0, next_time=1_700_006_400_000),
        ],
    ),
    "ticker delta of the price only": (
        """{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT",
        "markPrice":"60002.00"},"cs":9532239430,"ts":1700000000200}""",
        [MarkPrice(*BTC, price=60002.0)],
    ),
    "ticker with doubled open interest, per 1,000 coins, with blanks": (
        """{"topic":"tickers.SHIB1000USDT","type":"snapshot","data":{"symbol":"SHIB1000USDT",
        "markPrice":"","indexPrice":"","openInterest":"800","openInterestValue":"20",
        "fundingRate":"","nextFundingTime":"","fundingIntervalHour":""},"ts":1700000000200}""",
        [OpenInterest(*SHIB, size=400_000.0, notional_usd=10.0)],
    ),
    "ticker delta of the book only": (
        """{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT",
        "bid1Price":"60000.00","bid1Size":"1.302"},"cs":9532239431,"ts":1700000000300}""",
        [],
    ),
    "trade of a dated future": (
        """{"topic":"publicTrade.BTCUSDT-25DEC26","type":"snapshot","ts":1700000000005,"data":[
        {"T":1700000000000,"s":"BTCUSDT-25DEC26","S":"Buy","v":"0.010","p":"61000.10",
         "L":"PlusTick","i":"6f1c-5","BT":false}]}""",
        [],
    ),
    "book": (
        """{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1700000000005,"data":{
        "s":"BTCUSDT","b":[["60000.10","0"]],"a":[],"u":177400507,"seq":66544703342}}""",
        [],
    ),
}
