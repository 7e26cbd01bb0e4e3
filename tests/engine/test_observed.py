import pytest

from liqwatch.engine.margin import Terms, Tier
from liqwatch.engine.observed import ASKED_MS, LEAST_USD, MOST_ACCOUNTS, TRADED_MS, Observed
from liqwatch.events import AccountPosition, Position

LONG, SHORT = Position.LONG, Position.SHORT
PRICE, BUCKET = 100.0, 0.001
TERMS = Terms((Tier(float("inf"), 0.012),))


def position(
    account: str,
    size: float,
    liquidation_price: float | None = None,
    *,
    side: Position = LONG,
    entry: float | None = None,
    leverage: float | None = None,
    time_ms: int = 1,
) -> AccountPosition:
    return AccountPosition(
        "hyperliquid",
        "BTC",
        "BTC",
        time_ms,
        1,
        account,
        side,
        size,
        entry,
        liquidation_price,
        leverage,
    )


def observed(*events: AccountPosition) -> Observed:
    known = Observed()
    for event in events:
        known.take(event, PRICE, TERMS)
    return known


def test_an_account_counts_with_its_latest_position() -> None:
    known = observed(position("a", 100, 90.0), position("b", 50, 80.0), position("a", 60, 85.0))

    assert known.size(LONG) == 110
    assert sum(known.mass(LONG, BUCKET).values()) == pytest.approx(60 * 85 + 50 * 80)
    assert known.mass(SHORT, BUCKET) == {}


def test_a_position_closed_or_too_small_to_matter_is_gone() -> None:
    known = observed(position("a", 100, 90.0), position("b", 50, 80.0))
    known.take(position("a", 0), PRICE, TERMS)
    known.take(position("b", 0.9 * LEAST_USD / PRICE, 80.0), PRICE, TERMS)

    assert known.accounts == {}


def test_where_the_venue_gives_no_price_it_is_computed() -> None:
    known = observed(position("a", 100, entry=100.0, leverage=20))

    assert known.accounts["a"].liquidation_price == pytest.approx(100 * 0.95 / (1 - 0.012))


def test_where_the_venue_gives_prices_a_position_without_one_is_safe_and_still_known() -> None:
    known = observed(
        position("early", 100, entry=100.0, leverage=20),
        position("a", 100, 90.0),
        position("late", 100, entry=100.0, leverage=20),
    )

    assert known.accounts["early"].liquidation_price is None
    assert known.accounts["late"].liquidation_price is None
    assert known.size(LONG) == 300


def test_a_position_of_which_too_little_is_told_has_no_price() -> None:
    assert observed(position("a", 100)).mass(LONG, BUCKET) == {}


def test_price_takes_what_it_reaches() -> None:
    known = observed(
        position("a", 100, 90.0),
        position("b", 100, 110.0, side=SHORT),
        position("safe", 100),
    )
    known.sweep(95.0)
    assert len(known.accounts) == 3
    known.sweep(90.0)
    assert set(known.accounts) == {"b", "safe"}
    known.sweep(111.0)
    assert set(known.accounts) == {"safe"}


def test_an_account_that_is_asked_about_and_not_heard_of_for_a_quarter_of_an_hour_is_let_go() -> (
    None
):
    known = observed(position("a", 100, 90.0), position("b", 100, 80.0))
    known.take(position("b", 100, 80.0, time_ms=ASKED_MS), PRICE, TERMS)

    known.forget(1 + ASKED_MS)
    assert set(known.accounts) == {"a", "b"}
    known.forget(2 + ASKED_MS)
    assert set(known.accounts) == {"b"}


def test_an_account_known_by_its_trades_has_what_it_had_until_it_trades_for_a_day() -> None:
    known = observed(position("a", 100, entry=100.0, leverage=20))

    known.forget(1 + TRADED_MS)
    assert set(known.accounts) == {"a"}
    known.forget(2 + TRADED_MS)
    assert known.accounts == {}


def test_of_too_many_accounts_the_largest_are_kept() -> None:
    known = observed(*(position(str(n), 100 + n, 90.0) for n in range(2 * MOST_ACCOUNTS)))

    assert MOST_ACCOUNTS <= len(known.accounts) <= 1.2 * MOST_ACCOUNTS
    assert str(2 * MOST_ACCOUNTS - 1) in known.accounts
    assert "0" not in known.accounts
