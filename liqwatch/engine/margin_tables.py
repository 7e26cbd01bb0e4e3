"""Margin terms of each venue as last seen by people: used until the venue tells its own, and for
those that never do.

As of 2026-11. Where nothing is cited the figures are assumed: what the venue shows new traders of
its large coins, or twice the maintenance margin for opening a position. For Binance and Aster,
which tell their tiers only to account holders, and Deribit and HTX, which do not tell them, this is
all there is.
"""

from math import inf

from liqwatch.engine.margin import Terms, Tier
from liqwatch.events import ContractType

INVERSE = ContractType.INVERSE


def _flat(rate: float, max_leverage: float) -> tuple[Tier, ...]:
    return (Tier(inf, rate, max_leverage=max_leverage),)


# Binance support/faq/b3c689c1f50a44cabb3a84e663b81d93 gives the amounts of the first three tiers.
_BINANCE_BTC = (
    Tier(50_000, 0.004, max_leverage=125),
    Tier(250_000, 0.005, 50, max_leverage=100),
    Tier(1_000_000, 0.01, 1_300, max_leverage=50),
)

LARGE_COINS = frozenset({"BTC", "ETH"})

# By venue: large coins, all others.
_TERMS: dict[str, tuple[Terms, Terms]] = {
    "binance-usdm": (Terms(_BINANCE_BTC), Terms(_flat(0.01, 50))),  # others: assumed
    "aster": (Terms(_BINANCE_BTC), Terms(_flat(0.01, 50))),  # assumed to be like Binance
    "binance-coinm": (  # assumed
        Terms(_flat(0.004, 125), contract_type=INVERSE),
        Terms(_flat(0.01, 50), contract_type=INVERSE),
    ),
    # The sample of market/risk-limit (BTCUSD, 100x: 0.5 %); others assumed.
    "bybit-linear": (Terms(_flat(0.005, 100)), Terms(_flat(0.01, 50))),
    "bybit-inverse": (
        Terms(_flat(0.005, 100), contract_type=INVERSE),
        Terms(_flat(0.01, 50), contract_type=INVERSE),
    ),
    # The taker fee is part of the maintenance margin ("tiered maintenance margin ratio rules").
    "okx-swap": (Terms(_flat(0.004, 100), 0.0005), Terms(_flat(0.01, 50), 0.0005)),
    # The sample of futures/usdt/risk_limit_tiers (125x: 0.4 %); others assumed.
    "gate-usdt": (Terms(_flat(0.004, 125)), Terms(_flat(0.01, 50))),
    # The sample of market/position-tier (125x: 0.4 %); others assumed.
    "bitget-usdt": (Terms(_flat(0.004, 125)), Terms(_flat(0.01, 50))),
    "htx-linear": (Terms(_flat(0.005, 100)), Terms(_flat(0.01, 50))),  # assumed
    # Half the initial margin at the highest leverage, which is 40x for BTC; others assumed.
    "hyperliquid": (Terms(_flat(1 / 80, 40)), Terms(_flat(1 / 20, 10))),
    # The sample of orderBookDetails (2 %, 1.2 %); others assumed.
    "lighter": (Terms(_flat(0.012, 50)), Terms(_flat(0.03, 20))),
    # 50x in get_instruments; 1 % is assumed. Other coins settle in USDC: linear, assumed.
    "deribit": (
        Terms(_flat(0.01, 50), contract_type=INVERSE),
        Terms(_flat(0.02, 25)),
    ),
    # The sample of /instruments (2 %, 1 %); others assumed.
    "kraken-futures": (Terms(_flat(0.01, 50)), Terms(_flat(0.02, 25))),
    "bitfinex": (Terms(_flat(0.005, 100)), Terms(_flat(0.01, 50))),  # assumed
    # The sample of perpetualMarkets (BTC: 2 %, 1.2 %); others assumed.
    "dydx": (Terms(_flat(0.012, 50)), Terms(_flat(0.03, 20))),
    "paradex": (Terms(_flat(0.01, 50)), Terms(_flat(0.02, 25))),  # assumed
}
_UNKNOWN_VENUE = (Terms(_flat(0.005, 100)), Terms(_flat(0.01, 50)))


def built_in(venue: str, symbol: str) -> Terms:
    """Return the terms to go by where a venue has told nothing."""
    large, others = _TERMS.get(venue, _UNKNOWN_VENUE)
    return large if symbol in LARGE_COINS else others
