"""The stories a simulated market can live through, each a few lines of data."""

import math
from typing import Literal

import msgspec


class Coin(msgspec.Struct, frozen=True, kw_only=True):
    """A market of one coin over the three venues, and how its contracts are cut."""

    symbol: str
    price: float
    volume_usd_day: float
    open_interest_usd: float
    volatility_day: float
    impact_per_usd: float  # log price moved by one USD of taker flow when nobody is nervous
    tick: float
    lot: float  # smallest size in coins (Binance, Bybit)
    okx_contract: float  # coins per OKX contract


class Act(msgspec.Struct, frozen=True):
    """Price runs to a place, then stays around it, for reasons other than liquidations.

    Places are bp beyond the level (before it: negative), or beyond the coin's price without one.
    """

    to_bp: float
    speed_bp_s: float
    hold_s: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one coin. A crowd enters so that its 50x liquidations begin at `level`."""

    coin: Coin
    acts: tuple[Act, ...]
    level: float | None = None
    crowd_before_usd: float = 0.0  # entered before the first frame
    crowd_usd: float = 0.0  # enters during the first act: seen as rising open interest
    large_share: float = 0.0  # of its positions: so large that venues close them step by step
    fund_usd: float = math.inf  # of the venues' insurance funds together
    common_share: float = 0.0  # of the variance of outside shocks: what moves all such coins alike
    wall_bp: float = 1000.0  # beyond it resting orders swallow what comes
    wall_impact: float = 0.15  # … so that only this share of the usual impact is left

    @property
    def origin(self) -> float:
        """The price that places are measured from."""
        return self.coin.price if self.level is None else self.level


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A named market. Up or down is the seed's choice unless `direction` is given."""

    seconds: int
    plans: tuple[Plan, ...]
    direction: Literal[1, -1] | None = None
    dust: tuple[Coin, ...] = ()  # a tiny account holds all of these, and loses them in one second
    outage: bool = False  # the complete liquidation feed breaks off during the cascade


BTC = Coin(
    symbol="BTC",
    price=88_650.0,
    volume_usd_day=13e9,
    open_interest_usd=11e9,
    volatility_day=0.022,
    impact_per_usd=2.1e-11,
    tick=0.1,
    lot=0.001,
    okx_contract=0.01,
)
ETH = Coin(
    symbol="ETH",
    price=3_050.0,
    volume_usd_day=9e9,
    open_interest_usd=6e9,
    volatility_day=0.026,
    impact_per_usd=4.5e-11,
    tick=0.01,
    lot=0.001,
    okx_contract=0.1,
)
SOL = Coin(
    symbol="SOL",
    price=138.0,
    volume_usd_day=4e9,
    open_interest_usd=2.4e9,
    volatility_day=0.034,
    impact_per_usd=1.0e-10,
    tick=0.01,
    lot=0.1,
    okx_contract=1.0,
)
BNB = Coin(
    symbol="BNB",
    price=880.0,
    volume_usd_day=1.5e9,
    open_interest_usd=1e9,
    volatility_day=0.026,
    impact_per_usd=2.0e-10,
    tick=0.01,
    lot=0.01,
    okx_contract=0.01,
)
BCH = Coin(
    symbol="BCH",
    price=540.0,
    volume_usd_day=0.6e9,
    open_interest_usd=0.4e9,
    volatility_day=0.030,
    impact_per_usd=4.0e-10,
    tick=0.01,
    lot=0.01,
    okx_contract=0.1,
)

_LEVEL = 90_000.0
_GATHER = Act(-151, 1, 780)
_TOUCH = Act(-7.5, 0.6, 0)
_FALL_BACK = Act(-87, 0.7, 210)
_BREAK = Act(14, 0.45, 90)
_SETTLE = Act(-30, 0.1, 600)
_CROWD = Plan(
    coin=BTC,
    level=_LEVEL,
    acts=(_GATHER, _BREAK, _SETTLE),
    crowd_before_usd=300e6,
    crowd_usd=310e6,
    wall_bp=255,
)
_CALM_ETH = Plan(coin=ETH, acts=(Act(0, 1, 3000),))
_THIN = msgspec.structs.replace(_CROWD, crowd_before_usd=60e6, crowd_usd=90e6)
_EMPTY = msgspec.structs.replace(_CROWD, crowd_before_usd=0.0, crowd_usd=0.0)
_DUST_COINS = (
    "AAVE ADA ALGO APE APT ARB ATOM AVAX AXS BLUR CAKE CFX CHZ COMP CRV DASH DOGE DOT DYDX EGLD "
    "ENA ENS ETC FET FIL FLOW GALA GMT GMX GRT HBAR ICP IMX INJ JTO JUP KAVA LDO LINK LTC MANA "
    "MASK NEAR NEO ONDO OP ORDI PENDLE QTUM RUNE SAND SEI STX SUI TIA TON UNI WIF WLD XTZ"
)


def _dust(symbol: str, price: float) -> Coin:
    return Coin(
        symbol=symbol,
        price=price,
        volume_usd_day=60e6,
        open_interest_usd=30e6,
        volatility_day=0.05,
        impact_per_usd=2e-9,
        tick=0.0001,
        lot=0.1,
        okx_contract=1.0,
    )


def _with(plan: Plan, *acts: Act) -> Plan:
    return msgspec.structs.replace(plan, acts=acts)


def _alike(coin: Coin) -> Plan:
    # The same crowd for the depth of its market, and the same story at the same pace.
    share = BTC.impact_per_usd / coin.impact_per_usd
    return msgspec.structs.replace(
        _CROWD,
        coin=coin,
        level=coin.price * _LEVEL / BTC.price,
        acts=(Act(-151, 1, 480), _BREAK, _SETTLE),
        crowd_before_usd=_CROWD.crowd_before_usd * share,
        crowd_usd=_CROWD.crowd_usd * share,
        common_share=0.7,
    )


SCENARIOS: dict[str, Scenario] = {
    "demo": Scenario(
        seconds=2040,
        plans=(_with(_CROWD, _GATHER, _TOUCH, _FALL_BACK, _BREAK, _SETTLE), _CALM_ETH),
        direction=1,
    ),
    "cascade": Scenario(seconds=1800, plans=(_CROWD,)),
    "rejected": Scenario(
        seconds=1800, plans=(_with(_CROWD, _GATHER, _TOUCH, _FALL_BACK, Act(-160, 0.2, 600)),)
    ),
    "absorbed": Scenario(
        seconds=1800, plans=(msgspec.structs.replace(_CROWD, wall_bp=3, wall_impact=0.1),)
    ),
    "grind": Scenario(seconds=2700, plans=(_with(_THIN, _GATHER, Act(150, 0.2, 600)),)),
    "news": Scenario(seconds=1500, plans=(_with(_EMPTY, Act(-151, 1, 780), Act(-40, 30, 900)),)),
    "spike": Scenario(
        seconds=1500,
        plans=(_with(_EMPTY, Act(-151, 1, 780), Act(-60, 25, 1), Act(-145, 15, 900)),),
    ),
    "quiet": Scenario(seconds=2400, plans=(_with(_EMPTY, Act(-151, 1, 2400)),)),
    "outage": Scenario(seconds=1800, plans=(_CROWD,), outage=True),
    "deleveraging": Scenario(
        seconds=1800,
        plans=(msgspec.structs.replace(_CROWD, large_share=0.5, fund_usd=0.2e6),),
    ),
    "market": Scenario(
        seconds=1200,
        plans=(*map(_alike, (BTC, ETH, SOL, BNB)), Plan(coin=BCH, acts=(Act(0, 1, 3000),))),
    ),
    "dust": Scenario(
        seconds=420,
        plans=(_with(_EMPTY, Act(-151, 1, 3000)), _CALM_ETH),
        dust=tuple(_dust(symbol, 0.5 + n % 7) for n, symbol in enumerate(_DUST_COINS.split())),
    ),
}
