"""The worked cases of the design note, each from the venue's own page or formula."""

import pytest

from liqwatch.engine.margin import Tier, liquidation_price
from liqwatch.events import ContractType, Position

LONG, SHORT = Position.LONG, Position.SHORT
BINANCE_BTC = (Tier(50_000, 0.004), Tier(250_000, 0.005, 50), Tier(1_000_000, 0.01, 1_300))


def flat(rate: float) -> tuple[Tier]:
    return (Tier(float("inf"), rate),)


@pytest.mark.parametrize(
    ("position", "entry", "size", "leverage", "tiers", "fee", "expected"),
    [
        pytest.param(LONG, 67_000, 1, 10, BINANCE_BTC, 0, 60_552.76, id="binance-long-second-tier"),
        pytest.param(SHORT, 67_000, 0.5, 25, BINANCE_BTC, 0, 69_402.39, id="binance-short"),
        pytest.param(LONG, 67_000, 10, 20, BINANCE_BTC, 0, 64_161.62, id="binance-long-third-tier"),
        pytest.param(LONG, 20_000, 1, 50, flat(0.005), 0, 19_698.49, id="bybit-on-mark"),
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

    assert price == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("position", "size", "rate", "fee", "expected"),
    [
        pytest.param(LONG, 60_000, 0.005, 0, 45_681.82, id="bybit-long"),
        pytest.param(SHORT, 60_000, 0.005, 0, 55_277.78, id="bybit-short"),
        pytest.param(LONG, 10_000, 0.004, 0.0005, 45_659.09, id="okx-long"),
        pytest.param(SHORT, 10_000, 0.004, 0.0005, 55_305.56, id="okx-short"),
    ],
)
def test_inverse_worked_cases(position, size, rate, fee, expected) -> None:  # type: ignore[no-untyped-def]  # a table
    price = liquidation_price(
        position,
        entry=50_000,
        size=size,
        leverage=10,
        tiers=flat(rate),
        fee_rate=fee,
        contract_type=ContractType.INVERSE,
    )

    assert price == pytest.approx(expected, abs=0.005)


def test_an_unlevered_long_is_never_liquidated() -> None:
    assert liquidation_price(LONG, entry=50_000, size=1, leverage=1) is None


def test_an_unlevered_inverse_short_is_never_liquidated() -> None:
    price = liquidation_price(
        SHORT, entry=50_000, size=10_000, leverage=1, contract_type=ContractType.INVERSE
    )

    assert price is None
