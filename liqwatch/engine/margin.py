"""The price at which a position is liquidated, exactly, for linear and inverse contracts.

Sources: Binance "How to calculate liquidation price of USDⓈ-M futures contracts"
(support/faq/b3c689c1f50a44cabb3a84e663b81d93),
Bybit help centre "Liquidation Price Calculation under Isolated Mode", OKX "tiered maintenance
margin ratio rules".
"""

from collections.abc import Sequence

import msgspec

from liqwatch.events import ContractType, Position


class Tier(msgspec.Struct, frozen=True):
    """Maintenance margin of positions up to `cap` (USD for linear contracts, coins for inverse
    ones).
    """

    cap: float
    rate: float  # maintenance margin as a share of the position's value
    amount: float = 0.0  # the venue's "maintenance amount" or "deduction"


FLAT_TIER = (Tier(cap=float("inf"), rate=0.004),)


def liquidation_price(
    position: Position,
    *,
    entry: float,
    size: float,
    leverage: float,
    tiers: Sequence[Tier] = FLAT_TIER,
    fee_rate: float = 0.0,
    contract_type: ContractType = ContractType.LINEAR,
) -> float | None:
    """Return the mark price at which an isolated position is liquidated, None if it never is.

    `size` is base coins for linear contracts and USD for inverse ones; `fee_rate` is the closing
    fee where the venue counts it as part of the maintenance margin. The tier that applies is the
    one at the liquidation price itself.
    """
    solve = _linear if contract_type is ContractType.LINEAR else _inverse
    sign = 1 if position is Position.LONG else -1
    price = None
    for tier in tiers:
        price = solve(sign, entry, size, leverage, tier, fee_rate)
        if price is None:
            return None
        value = size * price if contract_type is ContractType.LINEAR else size / price
        if value <= tier.cap:
            return price
    return price


def _linear(
    sign: int, entry: float, size: float, leverage: float, tier: Tier, fee_rate: float
) -> float | None:
    """Solve margin + s q (P - E) = q P (m + f) - c for P."""
    margin = size * entry / leverage
    price = (margin + tier.amount - sign * size * entry) / (size * (tier.rate + fee_rate - sign))
    return price if price > 0 else None


def _inverse(
    sign: int, entry: float, size: float, leverage: float, tier: Tier, fee_rate: float
) -> float | None:
    """Solve margin + s Q (1/E - 1/P) = (Q/P) (m + f) - c for P."""
    margin = size / (entry * leverage)
    left = margin + tier.amount + sign * size / entry
    price = size * (sign + tier.rate + fee_rate) / left if left else -1.0
    return price if price > 0 else None
