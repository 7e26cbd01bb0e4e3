"""Frames of Gate's USDT perpetuals, written by hand after gate.com/docs/developers/futures/ws and
gate.com/docs/developers/apiv4 (list-all-futures-contracts, retrieve-liquidation-history,
list-risk-limit-tiers; text of 2026-08-20), with the events they must give.
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
from liqwatch.exchanges.base import Alive, Control, Notice, Refused

VENUE = "gate-usdt"
RECEIVED = 1_700_000_002_000_000_000
REST_URL = "https://api.gateio.ws/api/v4/futures/usdt"
LIST_URL = f"{REST_URL}/contracts"
LIST = """[
{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","order_price_round":"0.1",
 "mark_price_round":"0.01","maintenance_rate":"0.004","leverage_max":"125","in_delisting":false,
 "funding_interval":28800,"funding_next_apply":1699977600,"funding_rate":"0.0001",
 "position_size":73648,"trade_id":27753479,"enable_decimal":true,"status":"trading"},
{"name":"PEPE_USDT","type":"direct","quanto_multiplier":"10000000",
 "order_price_round":"0.0000000001","in_delisting":false,"status":"trading"},
{"name":"MBABYDOGE_USDT","type":"direct","quanto_multiplier":"100","order_price_round":"0.000001",
 "in_delisting":false},
{"name":"OLD_USDT","type":"direct","quanto_multiplier":"1","order_price_round":"0.001",
 "in_delisting":true,"status":"trading"},
{"name":"QUANTO_USDT","type":"direct","quanto_multiplier":"0","order_price_round":"0.1"},
{"name":"BTC_USDT_20240329","type":"direct","quanto_multiplier":"0.0001",
 "order_price_round":"0.1"}]"""
TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC_USDT", TIME, RECEIVED)
BABYDOGE = (VENUE, "BABYDOGE", "MBABYDOGE_USDT", TIME, RECEIVED)


def listed(symbol: str, name: str, size: float, tick_size: float, status: str) -> Instrument:
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


def liquidation(
    position: Position,
    contracts: float,
    price: float,
    *,
    price_kind: PriceKind,
    history: bool,
    time: int = TIME,
) -> Liquidation:
    """A liquidation of BTC_USDT."""
    return Liquidation(
        *BTC[:3],
        time,
        RECEIVED,
        position=position,
        size=contracts * 0.0001,
        price=price,
        price_kind=price_kind,
        notional_usd=contracts * 0.0001 * price,
        completeness=Completeness.FULL,
        history=history,
    )


def missed(
    position: Position, contracts: float, price: float, price_kind: PriceKind
) -> Liquidation:
    """One of ten seconds ago, as REST tells it."""
    return liquidation(
        position, contracts, price, price_kind=price_kind, history=True, time=TIME - 10_000
    )


def update(channel: str, *rows: str) -> str:
    return (
        f'{{"time":1700000000,"time_ms":1700000000000,"channel":"{channel}","event":"update",'
        f'"result":[{",".join(rows)}]}}'
    )


LIQUIDATIONS = update(
    "futures.public_liquidates",
    '{"price":"59400","size":"-124","time":1700000000000,"contract":"BTC_USDT"}',
)

REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "contracts": (
        LIST_URL,
        LIST,
        [
            listed("BTC", "BTC_USDT", 0.0001, 0.1, "trading"),
            listed("PEPE", "PEPE_USDT", 1e7, 1e-10, "trading"),
            listed("BABYDOGE", "MBABYDOGE_USDT", 1e8, 0.000001 / 1_000_000, "trading"),
            listed("OLD", "OLD_USDT", 1.0, 0.001, "delisting"),
        ],
    ),
    "liquidations": (
        f"{REST_URL}/liq_orders?limit=1000",
        """[{"contract":"BTC_USDT","size":165,"order_size":-124,"left":0,"order_price":"59400",
        "fill_price":"59550","time":1699999990},
        {"contract":"BTC_USDT","size":"-20.5","order_price":"60600","fill_price":"0",
        "left":0,"time":1699999990}]""",
        [
            missed(Position.LONG, 124.0, 59550.0, PriceKind.FILL),
            missed(Position.SHORT, 20.5, 60600.0, PriceKind.ORDER),
        ],
    ),
    "margin tiers of several contracts": (
        f"{REST_URL}/risk_limit_tiers?limit=100&offset=0",
        """[{"contract":"BTC_USDT","tier":2,"risk_limit":"2000000","maintenance_rate":"0.005",
        "initial_rate":"0.01","leverage_max":"100","deduction":"1000"},
        {"contract":"BTC_USDT","tier":1,"risk_limit":"1000000","maintenance_rate":"0.004",
        "initial_rate":"0.008","leverage_max":"125","deduction":"0"},
        {"contract":"PEPE_USDT","tier":1,"risk_limit":"5000","maintenance_rate":"0.02",
        "initial_rate":"0.05","leverage_max":"20"}]""",
        [
            MarginTiers(
                VENUE,
                symbol,
                f"{symbol}_USDT",
                RECEIVED // 1_000_000,
                RECEIVED,
                unit="usd",
                tiers=tiers,
            )
            for symbol, tiers in {
                "BTC": (
                    MarginTier(1e6, 0.004, 125.0, 0.0),
                    MarginTier(2e6, 0.005, 100.0, 1000.0),
                ),
                "PEPE": (MarginTier(5000.0, 0.02, 20.0),),
            }.items()
        ],
    ),
    "past prices": (
        f"{REST_URL}/candlesticks?contract=BTC_USDT&interval=1h&limit=100",
        """[{"t":1699995600,"v":100000,"o":"60000","h":"60110","l":"59900","c":"60100",
             "sum":"600100"},
            {"t":1699999200,"v":0,"o":"60100","h":"60100","l":"60100","c":"60100","sum":"0"}]""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC_USDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=3_600_000,
                bars=(
                    PriceBar(1_699_995_600_000, 59_900.0, 60_110.0, 60_010.0),
                    PriceBar(1_699_999_200_000, 60_100.0, 60_100.0, 60_100.0),
                ),
            )
        ],
    ),
    "past open interest in contracts": (
        f"{REST_URL}/contract_stats?contract=BTC_USDT&interval=1h&limit=100",
        """[{"time":1699995600,"contract":"BTC_USDT","lsr_taker":100,"lsr_account":0.5,
             "long_liq_size":0,"short_liq_size":0,"open_interest":120000000,"short_liq_usd":0,
             "mark_price":"60010","open_interest_usd":720120000}]""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTC_USDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="coin",
                points=((1_699_995_600_000, 12_000.0),),
            )
        ],
    ),
}

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trades, sizes as text, times with a fraction": (
        update(
            "futures.trades",
            '{"size":"-108.5","id":27753479,"create_time":1700000000,'
            '"create_time_ms":1700000000000.4,"price":"60000.1","contract":"BTC_USDT"}',
            '{"size":3,"id":27753480,"create_time":1700000000,"create_time_ms":1700000000000,'
            '"price":"60000.2","contract":"BTC_USDT"}',
        ),
        [
            Trade(*BTC, price=60000.1, size=108.5 * 0.0001, side=Side.SELL, id="27753479"),
            Trade(*BTC, price=60000.2, size=3 * 0.0001, side=Side.BUY, id="27753480"),
        ],
    ),
    "trade without milliseconds, priced per million coins": (
        update(
            "futures.trades",
            '{"size":"2","id":7,"create_time":1700000000,"price":"0.0019",'
            '"contract":"MBABYDOGE_USDT"}',
        ),
        [Trade(*BABYDOGE, price=0.0019 / 1_000_000, size=2e8, side=Side.BUY, id="7")],
    ),
    "position taken over by the insurance fund": (
        update(
            "futures.trades",
            '{"size":"-50","id":27753481,"create_time":1700000000,'
            '"create_time_ms":1700000000123,"price":"59000","contract":"BTC_USDT",'
            '"is_internal":true}',
        ),
        [],
    ),
    "trade of less than a contract, rounded down": (
        update(
            "futures.trades",
            '{"size":0,"id":27753482,"create_time":1700000000,'
            '"create_time_ms":1700000000123,"price":"59000","contract":"BTC_USDT"}',
        ),
        [],
    ),
    "ticker": (
        update(
            "futures.tickers",
            '{"contract":"BTC_USDT","last":"60000.1","change_percentage":"0.77",'
            '"funding_rate":"-0.000114","funding_rate_indicative":"0.01875",'
            '"mark_price":"60001.5","index_price":"60001.2","total_size":"73648.5",'
            '"quanto_base_rate":"","volume_24h_base":"5526","price_type":"last",'
            '"t":1700000000000}',
        ),
        [
            MarkPrice(*BTC, price=60001.5, index_price=60001.2),
            OpenInterest(*BTC, size=73648.5 * 0.0001),
            Funding(*BTC, rate=-0.000114, interval_hours=8.0, next_time=1_700_006_400_000),
        ],
    ),
    "ticker without time and funding times": (
        update(
            "futures.tickers",
            '{"contract":"MBABYDOGE_USDT","funding_rate":"0.0001","mark_price":"0.0019",'
            '"index_price":"","total_size":"10"}',
        ),
        [
            MarkPrice(*BABYDOGE, price=0.0019 / 1_000_000),
            OpenInterest(*BABYDOGE, size=1e9),
            Funding(*BABYDOGE, rate=0.0001),
        ],
    ),
    "liquidation whose side is not certain yet": (LIQUIDATIONS, []),
    "liquidation of a dated contract": (
        update(
            "futures.public_liquidates",
            '{"price":"1","size":"5","time":1700000000,"contract":"BTC_USDT_20240329"}',
        ),
        [],
    ),
    "trade of a contract without a size": (
        update(
            "futures.trades",
            '{"size":"5","id":1,"create_time":1700000000,"price":"1","contract":"QUANTO_USDT"}',
        ),
        [],
    ),
    "candles": (
        update("futures.candlesticks", '{"t":1700000000,"v":0,"c":"1","n":"1m_BTC_USDT"}'),
        [],
    ),
    "pong": (
        (
            '{"time":1700000000,"time_ms":1700000000123,"channel":"futures.pong","event":"",'
            '"result":null}'
        ),
        [Alive()],
    ),
    "upgrade": (
        (
            '{"time":1700000000,"time_ms":1700000000107,"channel":"futures.system","event":"update",'
            '"result":{"type":"upgrade","msg":"Please reconnect."}}'
        ),
        [Notice("Please reconnect.")],
    ),
    "another word of the system": (
        '{"time":1700000000,"channel":"futures.system","event":"update","result":{"type":"hello"}}',
        [],
    ),
    "refused": (
        (
            '{"time":1700000000,"channel":"futures.trades","event":"subscribe","error":{"code":2,'
            '"message":"unknown contract X_USDT"},"result":{"status":"fail"}}'
        ),
        [Refused("2 unknown contract X_USDT", ("futures.trades:X_USDT",))],
    ),
}
