"""The worked cases of the design note, each from the venue's own page or formula."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine.margin import RELEVANT_USD, Terms, Tier, liquidation_price, usd_tiers
from liqwatch.engine.margin_tables import built_in
from liqwatch.events import ContractType, MarginTier, Position

LONG, SHORT = Position.LONG, Position.SHORT
LINEAR, INVERSE = ContractType.LINEAR, ContractType.INVERSE
BINANCE_BTC = built_in("binance-usdm", "BTC").tiers


def flat(rate: float, amount: float = 0.0) -> tuple[Tier]:
    return (Tier(inf, rate, amount),)


@pytest.mark.parametrize(
    ("position", "entry", "size", "leverage", "tiers", "fee", "expected"),
    [
        pytest.param(LONG, 67_000, 1, 10, BINANCE_BTC, 0, 60_552.76, id="binance-long-second-tier"),
        pytest.param(LONG, 67_000, 1, 10, flat(0.004), 0, 60_542.17, id="binance-without-tiers"),
        pytest.param(SHORT, 67_000, 0.5, 25, BINANCE_BTC, 0, 69_402.39, id="binance-short"),
        pytest.param(LONG, 67_000, 10, 20, BINANCE_BTC, 0, 64_161.62, id="binance-long-third-tier"),
        pytest.param(LONG, 20_000, 1, 50, flat(0.005), 0, 19_698.49, id="bybit-on-mark"),
        # The older page takes maintenance margin on the entry value: an amount, and no rate.
        pytest.param(LONG, 20_000, 1, 50, flat(0, -100), 0, 19_700.00, id="bybit-on-entry"),
        pytest.param(LONG, 67_000, 1, 10, flat(0.004), 0.0005, 60_572.58, id="okx-long-with-fee"),
        pytest.param(SHORT, 67_000, 1, 10, flat(0.004), 0.0005, 73_369.84, id="okx-short-with-fee"),
        pytest.param(LONG, 67_000, 1, 20, flat(1 / 80), 0, 64_455.70, id="hyperliquid-long"),
        pytest.param(SHORT, 67_000, 1, 20, flat(1 / 80), 0, 69_481.48, id="hyperliquid-short"),
    ],
)
def test_linear_worked_cases(position, entry, size, leverage, tiers, fee, expected) -> None:  # type: ignore[no-untyped-def]  # a table
    price = liquidation_price(
        position, entry=entry, size=size, leverage=leverage, tiers=tiers, fee_rate=fee
    )

    assert price == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("position", "size", "tiers", "fee", "expected"),
    [
        pytest.param(LONG, 60_000, flat(0.005), 0, 45_681.82, id="bybit-long"),
        pytest.param(SHORT, 60_000, flat(0.005), 0, 55_277.78, id="bybit-short"),
        pytest.param(LONG, 60_000, flat(0, -0.006), 0, 45_662.10, id="bybit-long-on-entry"),
        pytest.param(SHORT, 60_000, flat(0, -0.006), 0, 55_248.62, id="bybit-short-on-entry"),
        pytest.param(LONG, 10_000, flat(0.004), 0.0005, 45_659.09, id="okx-long"),
        pytest.param(SHORT, 10_000, flat(0.004), 0.0005, 55_305.56, id="okx-short"),
    ],
)
def test_inverse_worked_cases(position, size, tiers, fee, expected) -> None:  # type: ignore[no-untyped-def]  # a table
    price = liquidation_price(
        position,
        entry=50_000,
        size=size,
        leverage=10,
        tiers=tiers,
        fee_rate=fee,
        contract_type=INVERSE,
    )

    assert price == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("leverage", "linear_pct", "inverse_pct", "decimals"),
    [
        (5, (19.68, 19.52), (16.33, 24.50), 2),
        (10, (9.64, 9.56), (8.73, 10.67), 2),
        (20, (4.62, 4.58), (4.38, 4.84), 2),
        (50, (1.61, 1.59), (1.57, 1.63), 2),
        (100, (0.602, 0.598), (0.594, 0.606), 3),
        (125, (0.402, 0.398), (0.397, 0.403), 3),
    ],
)
def test_distances_at_a_maintenance_rate_of_0_4_pct(
    leverage: int,
    linear_pct: tuple[float, float],
    inverse_pct: tuple[float, float],
    decimals: int,
) -> None:
    for kind, expected in ((LINEAR, linear_pct), (INVERSE, inverse_pct)):
        terms = Terms(contract_type=kind)
        away = []
        for position in (LONG, SHORT):
            ratio = terms.liquidation_ratio(position, leverage=leverage, notional_usd=1_000)
            assert ratio is not None
            away.append(round(100 * abs(ratio - 1), decimals))
        assert tuple(away) == expected


def test_an_unlevered_long_is_never_liquidated() -> None:
    assert liquidation_price(LONG, entry=50_000, size=1, leverage=1) is None


def test_an_unlevered_inverse_short_is_never_liquidated() -> None:
    price = liquidation_price(
        SHORT, entry=50_000, size=10_000, leverage=1, contract_type=ContractType.INVERSE
    )

    assert price is None


@given(st.floats(1.5, 100), st.sampled_from([LONG, SHORT]), st.floats(1e3, 9e5))
def test_an_inverse_contract_is_a_linear_one_of_the_other_side_in_the_mirror(
    leverage: float, position: Position, notional_usd: float
) -> None:
    """Who is long coins for USD is short USD for coins; its price is one over the other's."""
    other = SHORT if position is LONG else LONG
    linear = Terms(BINANCE_BTC, 0.0005).liquidation_ratio(
        position, leverage=leverage, notional_usd=notional_usd
    )
    inverse = Terms(BINANCE_BTC, 0.0005, INVERSE).liquidation_ratio(
        other, leverage=leverage, notional_usd=notional_usd
    )

    assert linear is not None
    assert inverse == pytest.approx(1 / linear)


# -- tiers as venues tell them


def test_amounts_that_are_not_told_are_those_without_a_step() -> None:
    told = (MarginTier(50_000, 0.004), MarginTier(250_000, 0.005), MarginTier(1e6, 0.01))

    assert [tier.amount for tier in usd_tiers(told, 1.0)] == pytest.approx([0, 50, 1_300])


def test_an_amount_that_is_told_is_taken_even_if_the_margin_then_steps() -> None:
    told = (MarginTier(50_000, 0.004, amount=0.0), MarginTier(250_000, 0.005, amount=0.0))

    assert [tier.amount for tier in usd_tiers(told, 1.0)] == [0, 0]


def test_caps_and_amounts_in_coins_become_usd() -> None:
    first, second = usd_tiers((MarginTier(1.0, 0.004), MarginTier(5.0, 0.005, 50)), 60_000.0)

    assert (first.cap, second.cap) == (60_000, 300_000)
    assert second.amount == pytest.approx(0.001 * 60_000)
    assert second.max_leverage == 50


def test_tiers_of_sizes_that_nothing_is_estimated_for_are_left_out() -> None:
    told = tuple(MarginTier(1e5 * 2**k, 0.004 + 0.001 * k) for k in range(20))
    kept = usd_tiers(told, 1.0)

    assert kept[-1].cap >= RELEVANT_USD
    assert len(kept) == 5


def test_the_highest_leverage_is_that_of_the_tier_or_half_the_inverse_maintenance_rate() -> None:
    assert Terms(BINANCE_BTC).max_leverage(100_000) == 100
    assert Terms(flat(0.01)).max_leverage(100_000) == 50


def test_venues_nobody_knows_have_terms_too() -> None:
    assert built_in("elsewhere", "BTC").tiers
    assert built_in("bybit-inverse", "BTC").contract_type is INVERSE
