"""The price at which a position is liquidated, exactly, for linear and inverse contracts.

Sources: Binance "How to calculate liquidation price of USDⓈ-M futures contracts"
(support/faq/b3c689c1f50a44cabb3a84e663b81d93),
Bybit help centre "Liquidation Price Calculation under Isolated Mode", OKX "tiered maintenance
margin ratio rules".
"""

from collections.abc import Sequence
from math import inf

import msgspec

from liqwatch.events import ContractType, MarginTier, Position

RELEVANT_USD = 1e6  # a tier above the one that holds this decides nothing that is estimated here


class Tier(msgspec.Struct, frozen=True):
    """Maintenance margin of positions up to `cap` (USD for linear contracts, coins for inverse
    ones).
    """

    cap: float
    rate: float  # maintenance margin as a share of the position's value
    amount: float = 0.0  # the venue's "maintenance amount" or "deduction"
    max_leverage: float | None = None


FLAT_TIER = (Tier(cap=inf, rate=0.004),)


class Terms(msgspec.Struct, frozen=True):
    """On what terms positions of an instrument are held; caps and amounts in USD.

    Those of an inverse contract, which its venue gives in coins, are worth that at the entry.
    """

    tiers: tuple[Tier, ...] = FLAT_TIER
    fee_rate: float = 0.0  # of closing, where the venue counts it as maintenance margin
    contract_type: ContractType = ContractType.LINEAR

    def liquidation_ratio(
        self, position: Position, *, leverage: float, notional_usd: float
    ) -> float | None:
        """Return liquidation price over entry price of an isolated position, None if it has none.

        `notional_usd` is what it was worth at the entry.
        """
        return liquidation_price(
            position,
            entry=1.0,
            size=notional_usd,
            leverage=leverage,
            tiers=self.tiers,
            fee_rate=self.fee_rate,
            contract_type=self.contract_type,
        )

    def max_leverage(self, notional_usd: float) -> float:
        """Return how much leverage a position of that size may have.

        Where the venue does not say: as if a position were opened with twice the maintenance
        margin, which is the usual ratio.
        """
        tier = next((tier for tier in self.tiers if notional_usd <= tier.cap), self.tiers[-1])
        return tier.max_leverage or 1 / (2 * max(tier.rate, 1e-4))


def usd_tiers(tiers: Sequence[MarginTier], unit_usd: float) -> tuple[Tier, ...]:
    """Return the tiers that matter, with caps and amounts in USD; `unit_usd` is one of their unit.

    An amount the venue does not say is the one that lets the margin grow without a step.
    """
    usable: list[Tier] = []
    floor = rate = amount = 0.0
    for tier in tiers:
        amount = amount + floor * (tier.rate - rate) if tier.amount is None else tier.amount
        floor, rate = tier.cap, tier.rate
        usable.append(Tier(tier.cap * unit_usd, rate, amount * unit_usd, tier.max_leverage))
        if usable[-1].cap >= RELEVANT_USD:
            break
    return tuple(usable)


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
    one at the liquidation price itself; the last one has no end.
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
