"""Frames of HTX linear swaps, written by hand after huobiapi.github.io/docs/usdt_swap/v1/en
(websocket market data and notification, public REST) and htx.com/en-us/opend/newApiPages (v5), with
the events they must give.
"""

import gzip

from liqwatch.events import (
    Completeness,
    ContractType,
    Event,
    Funding,
    Instrument,
    Liquidation,
    OpenInterest,
    OpenInterestHistory,
    Position,
    PriceBar,
    PriceHistory,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Control, Notice, Refused, Reply

VENUE = "htx-linear"
RECEIVED = 1_700_000_002_000_000_000
REST_URL = "https://api.hbdm.com"
LIST_URL = f"{REST_URL}/linear-swap-api/v1/swap_contract_info"
LIST = """{"status":"ok","data":[
{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":0.001,"price_tick":0.1,
 "delivery_date":"","contract_status":1,"support_margin_mode":"all","business_type":"swap",
 "pair":"BTC-USDT","contract_type":"swap","trade_partition":"USDT"},
{"symbol":"1000SATS","contract_code":"1000SATS-USDT","contract_size":10.0,"price_tick":0.0001,
 "contract_status":1,"business_type":"swap"},
{"symbol":"GONE","contract_code":"GONE-USDT","contract_size":1.0,"price_tick":0.01,
 "contract_status":3,"business_type":"swap"},
{"symbol":"BTC","contract_code":"BTC-USDT-231229","contract_size":0.001,"price_tick":0.1,
 "contract_status":1,"business_type":"futures"}],"ts":1700000000000}"""


def WIRE(text: str) -> bytes:  # noqa: N802 - a name of the contract test
    return gzip.compress(text.encode(), mtime=0)


def listed(name: str, symbol: str, size: float, tick_size: float, status: str = "1") -> Instrument:
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


TIME = 1_700_000_000_000
OLD = TIME - 2_340_000  # 39 minutes
BTC = (VENUE, "BTC", "BTC-USDT", TIME, RECEIVED)
SATS = (VENUE, "SATS", "1000SATS-USDT", TIME, RECEIVED)


def liquidation(
    about: tuple[str, str, str, int, int],
    position: Position,
    size: float,
    price: float,
    notional_usd: float,
    kind: PriceKind = PriceKind.BANKRUPTCY,
    *,
    history: bool = False,
) -> Liquidation:
    return Liquidation(
        *about,
        position=position,
        size=size,
        price=price,
        price_kind=kind,
        notional_usd=notional_usd,
        completeness=Completeness.UNKNOWN,
        history=history,
    )


PAST_URL = f"{REST_URL}/v5/market/liquidation_orders?contract_code=BTC-USDT&limit=100"

REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "contracts": (
        LIST_URL,
        LIST,
        [
            listed("BTC-USDT", "BTC", 0.001, 0.1),
            listed("1000SATS-USDT", "SATS", 10_000.0, 0.0001 / 1000),
            listed("GONE-USDT", "GONE", 1.0, 0.01, "3"),
        ],
    ),
    "open interest of both sides": (
        f"{REST_URL}/linear-swap-api/v1/swap_open_interest",
        """{"status":"ok","data":[{"volume":2017,"amount":2.017,"symbol":"BTC","value":26376.309,
        "contract_code":"BTC-USDT"},{"volume":40,"amount":400.0,"symbol":"1000SATS",
        "contract_code":"1000SATS-USDT"},{"volume":9,"amount":0.009,"value":540.0,
        "contract_code":"BTC-USDT-231229"}],"ts":1700000000000}""",
        [
            OpenInterest(*BTC, size=2.017 / 2, notional_usd=26376.309 / 2),
            OpenInterest(*SATS, size=200_000.0),
        ],
    ),
    "funding": (
        f"{REST_URL}/linear-swap-api/v1/swap_batch_funding_rate",
        """{"status":"ok","data":[{"estimated_rate":null,"funding_rate":"-0.000100000000000000",
        "contract_code":"BTC-USDT","symbol":"BTC","fee_asset":"USDT",
        "funding_time":"1700006400000","next_funding_time":null},{"funding_rate":null,
        "contract_code":"GONE-USDT","funding_time":null}],"ts":1700000000000}""",
        [Funding(*BTC, rate=-0.0001, next_time=1_700_006_400_000)],
    ),
    "past liquidations tell contracts": (
        PAST_URL,
        """{"code":200,"message":"Success","data":[{"id":"150153038758","contract_code":"BTC-USDT",
        "liquidation_time":"1700000000000","side":"buy","position_side":"short","volume":"2",
        "amount":"2","bankrupt_price":"62978.5","trade_turnover":"125.957"},
        {"id":"150153038759","contract_code":"1000SATS-USDT","liquidation_time":"1700000000000",
        "side":"sell","position_side":"both","volume":"4","amount":"4","bankrupt_price":"0",
        "trade_turnover":"8.0"}],"ts":1700000001000}""",
        [
            liquidation(BTC, Position.SHORT, 2 * 0.001, 62978.5, 125.957, history=True),
            liquidation(
                SATS, Position.LONG, 40_000.0, 0.0002, 8.0, PriceKind.REFERENCE, history=True
            ),
        ],
    ),
    "past prices, both sides counted": (
        f"{REST_URL}/linear-swap-ex/market/history/kline?contract_code=BTC-USDT&period=60min&size=200",
        """{"ch":"market.BTC-USDT.kline.60min","status":"ok","data":[
        {"id":1699995600,"open":60000,"close":60100,"low":59900,"high":60110,"amount":20,
         "vol":20000,"trade_turnover":1200200,"count":308}],"ts":1700000001000}""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC-USDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=3_600_000,
                bars=(PriceBar(1_699_995_600_000, 59_900.0, 60_110.0, 60_010.0),),
            )
        ],
    ),
    "past open interest, both sides counted": (
        f"{REST_URL}/linear-swap-api/v1/swap_his_open_interest?contract_code=BTC-USDT&period=60min&size=200&amount_type=2",
        """{"status":"ok","data":{"symbol":"BTC","contract_code":"BTC-USDT","contract_type":"swap",
        "pair":"BTC-USDT","business_type":"swap","tick":[
        {"volume":"4001.0000","amount_type":2,"ts":1699999200000,"value":"240060000"},
        {"volume":"4000.5000","amount_type":2,"ts":1699995600000,"value":"240030000"}]},
        "ts":1700000001000}""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC-USDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="coin",
                points=((1_699_995_600_000, 2_000.25), (1_699_999_200_000, 2_000.5)),
            )
        ],
    ),
}


def trade_frame(rows: str, code: str = "BTC-USDT") -> str:
    return (
        f'{{"ch":"market.{code}.trade.detail","ts":1700000000010,"tick":{{"id":131602265,'
        f'"ts":1700000000000,"data":[{rows}]}}}}'
    )


def liquidation_frame(rows: str) -> str:
    return (
        '{"op":"notify","topic":"public.BTC-USDT.liquidation_orders","ts":1700000000060,'
        f'"data":[{rows}]}}'
    )


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trades, ids beyond what a float holds": (
        trade_frame(
            """{"amount":250,"quantity":0.25,"trade_turnover":15000.0,"ts":1700000000000,
            "id":131602265000000001,"price":60000.0,"direction":"buy"},{"amount":1,
            "quantity":0.001,"trade_turnover":60.0001,"ts":1700000000000,
            "id":131602265000000002,"price":60000.1,"direction":"sell"}"""
        ),
        [
            Trade(*BTC, price=60000.0, size=0.25, side=Side.BUY, id="131602265000000001"),
            Trade(*BTC, price=60000.1, size=0.001, side=Side.SELL, id="131602265000000002"),
        ],
    ),
    "trade of a contract per 1,000 coins": (
        trade_frame(
            """{"amount":4,"quantity":40,"trade_turnover":8.0,"ts":1700000000000,"id":7,
            "price":0.2,"direction":"sell"}""",
            "1000SATS-USDT",
        ),
        [Trade(*SATS, price=0.2 / 1000, size=40_000.0, side=Side.SELL, id="7")],
    ),
    "the first trade after subscribing is old": (
        trade_frame(
            f"""{{"amount":4,"quantity":4,"trade_turnover":16.0,"ts":{OLD},"id":8,"price":4.0,
            "direction":"buy"}}""",
            "GONE-USDT",
        ),
        [],
    ),
    "trade without a side": (
        trade_frame(
            """{"amount":2,"quantity":0.002,"trade_turnover":120.0,"ts":1700000000000,"id":9,
            "price":60000.0,"direction":""}"""
        ),
        [],
    ),
    "trade of a dated future": (
        trade_frame(
            """{"amount":2,"quantity":0.002,"trade_turnover":120.0,"ts":1700000000000,"id":10,
            "price":60000.0,"direction":"buy"}""",
            "BTC-USDT-231229",
        ),
        [],
    ),
    "book": (
        """{"ch":"market.BTC-USDT.depth.step0","ts":1700000000000,"tick":{"mrid":1,"id":2,
        "bids":[[59999.9,100]],"asks":[[60000.0,12]],"ts":1700000000000,"version":3}}""",
        [],
    ),
    "liquidations: selling closes a long": (
        liquidation_frame(
            """{"symbol":"BTC","contract_code":"BTC-USDT","direction":"sell","offset":"close",
            "volume":300,"price":59400.0,"created_at":1700000000000,"amount":0.3,
            "trade_turnover":17820.0,"contract_type":"swap","pair":"BTC-USDT",
            "business_type":"swap","trade_partition":"USDT"},{"symbol":"1000SATS",
            "contract_code":"1000SATS-USDT","direction":"buy","offset":"close","volume":4,
            "price":0.2,"created_at":1700000000000,"amount":40,"trade_turnover":8.0}"""
        ),
        [
            liquidation(BTC, Position.LONG, 0.3, 59400.0, 17820.0),
            liquidation(SATS, Position.SHORT, 40_000.0, 0.2 / 1000, 8.0),
        ],
    ),
    "liquidation without a price": (
        liquidation_frame(
            """{"symbol":"BTC","contract_code":"BTC-USDT","direction":"buy","offset":"close",
            "volume":500,"price":"","created_at":1700000000000,"amount":0.5,
            "trade_turnover":30000.0}"""
        ),
        [liquidation(BTC, Position.SHORT, 0.5, 60000.0, 30000.0, PriceKind.REFERENCE)],
    ),
    "liquidation told late": (
        liquidation_frame(
            f"""{{"symbol":"BTC","contract_code":"BTC-USDT","direction":"sell","offset":"close",
            "volume":100,"price":59400.0,"created_at":{OLD},"amount":0.1,
            "trade_turnover":5940.0}}"""
        ),
        [
            liquidation(
                (VENUE, "BTC", "BTC-USDT", OLD, RECEIVED),
                Position.LONG,
                0.1,
                59400.0,
                5940.0,
                history=True,
            )
        ],
    ),
    "liquidation of a dated future": (
        liquidation_frame(
            """{"symbol":"BTC","contract_code":"BTC-USDT-231229","direction":"buy",
            "offset":"close","volume":5,"price":60600.0,"created_at":1700000000000,
            "amount":0.005,"trade_turnover":303.0}"""
        ),
        [],
    ),
    "funding pushed": (
        """{"op":"notify","topic":"public.*.funding_rate","ts":1700000000000,"data":[
        {"contract_code":"BTC-USDT","funding_rate":"0.0001","funding_time":"1699999980000",
        "settlement_time":"1700006400000"}]}""",
        [Funding(*BTC, rate=0.0001, next_time=1_700_006_400_000)],
    ),
    "contracts pushed": (
        """{"op":"notify","topic":"public.*.contract_info","ts":1700000000000,"data":[]}""",
        [],
    ),
    "ping of the market": ('{"ping":1700000001990}', [Reply('{"pong":1700000001990}')]),
    "ping of the notifications": (
        '{"op":"ping","ts":"1700000001990"}',
        [Reply('{"op":"pong","ts":"1700000001990"}')],
    ),
    "trades subscribed": (
        """{"id":"market.BTC-USDT.trade.detail","subbed":"market.BTC-USDT.trade.detail",
        "ts":1700000000000,"status":"ok"}""",
        [Acknowledged(("market.BTC-USDT.trade.detail",))],
    ),
    "trades refused": (
        """{"ts":1700000000000,"status":"error","err-code":"bad-request",
        "err-msg":"invalid topic","id":"market.XXX-USDT.trade.detail"}""",
        [Refused("bad-request invalid topic", ("market.XXX-USDT.trade.detail",))],
    ),
    "liquidations subscribed": (
        """{"op":"sub","cid":"public.*.liquidation_orders","topic":"public.*.liquidation_orders",
        "ts":1700000000000,"err-code":0}""",
        [Acknowledged(("public.*.liquidation_orders",))],
    ),
    "liquidations subscribed again": (
        """{"op":"sub","cid":"public.*.liquidation_orders","topic":"public.BTC-USDT.liquidation_orders",
        "ts":1700000000000,"err-code":2014,"err-msg":"Repeated subscription"}""",
        [Acknowledged(("public.BTC-USDT.liquidation_orders",))],
    ),
    "liquidations refused": (
        """{"op":"sub","cid":"public.*.liquidation_orders","topic":"public.*.liquidation_orders",
        "ts":1700000000000,"err-code":2011,"err-msg":"invalid topic"}""",
        [Refused("2011 invalid topic", ("public.*.liquidation_orders",))],
    ),
    "error without a topic": (
        '{"op":"error","ts":1700000000000,"err-code":2002,"err-msg":"invalid.auth.state"}',
        [Refused("2002 invalid.auth.state")],
    ),
    "close": ('{"op":"close","ts":1700000000000}', [Notice("close")]),
}
