from math import exp

import pytest

from liqwatch.engine.leverage import GRAIN, HEDGED_SHARE, OFFERED, distances, leverage_shares
from liqwatch.engine.margin import Terms, Tier
from liqwatch.events import ContractType, Position

TERMS = Terms()


def test_the_leverage_prior_shares_out_all_levered_open_interest_bottom_heavy() -> None:
    shares = leverage_shares()

    assert sum(shares.values()) == pytest.approx(1.0)
    assert sum(share for leverage, share in shares.items() if leverage <= 10) > 0.6


def test_leverages_that_order_forms_offer_stand_out_among_their_neighbours() -> None:
    shares = leverage_shares()

    for offered in OFFERED:
        near = [one for one in shares if one != offered and abs(one / offered - 1) < 0.1]
        assert shares[offered] > max(shares[one] for one in near)


def test_what_hedgers_hold_is_not_in_the_map_and_shorts_hedge_more() -> None:
    held = {p: sum(share for _, share in distances(TERMS, p)) for p in Position}

    assert held[Position.LONG] <= 1 - HEDGED_SHARE[Position.LONG] + 1e-9
    assert held[Position.SHORT] < held[Position.LONG]


def test_everybody_is_liquidated_against_his_position_nearest_first() -> None:
    for position in Position:
        away = [distance for distance, _ in distances(TERMS, position)]
        assert away == sorted(away)
        assert away[0] > 0


def test_a_venue_that_allows_less_leverage_has_its_crowd_at_the_most_it_allows() -> None:
    terms = Terms((Tier(float("inf"), 0.0125, max_leverage=40),))
    nearest, share = distances(terms, Position.SHORT)[0]

    assert exp(nearest) == pytest.approx((1 + 1 / 40) / 1.0125, abs=GRAIN)
    assert share > distances(TERMS, Position.SHORT)[0][1]


def test_inverse_shorts_lie_farther_away_than_linear_ones() -> None:
    linear, inverse = (
        dict(distances(Terms(contract_type=kind), Position.SHORT)) for kind in ContractType
    )

    assert max(inverse) > max(linear)


def test_a_table_that_would_liquidate_at_the_entry_puts_nobody_there() -> None:
    assert all(distance > 0 for distance, _ in distances(Terms((Tier(1e9, 0.3),)), Position.LONG))
