import pytest

from liqwatch.engine.listings import TIERS_KEPT, Listing, note, terms_of
from liqwatch.engine.margin_tables import built_in
from liqwatch.events import ContractType, Instrument, MarginTier, MarginTiers

KEY = "okx-swap|BTC-USD-SWAP"


def instrument(contract_type: ContractType) -> Instrument:
    return Instrument("okx-swap", "BTC", "BTC-USD-SWAP", 1, 1, contract_type, 100.0, 0.1, "live")


def tiers(unit: str, *rates: float) -> MarginTiers:
    each = tuple(MarginTier(cap=2.0 * (n + 1), rate=rate) for n, rate in enumerate(rates))
    return MarginTiers("okx-swap", "BTC", "BTC-USD-SWAP", 1, 1, unit, each)  # type: ignore[arg-type]  # a literal


def test_what_a_venue_did_not_tell_is_as_built_in() -> None:
    assert terms_of({}, KEY, "BTC", 5e4) == built_in("okx-swap", "BTC")


def test_type_and_tiers_come_in_any_order_and_the_fee_stays() -> None:
    for events in (
        (instrument(ContractType.INVERSE), tiers("coin", 0.004, 0.006)),
        (tiers("coin", 0.004, 0.006), instrument(ContractType.INVERSE)),
    ):
        listings: dict[str, Listing] = {}
        for event in events:
            note(listings, event)
        terms = terms_of(listings, KEY, "BTC", 50_000.0)

        assert terms.contract_type is ContractType.INVERSE
        assert [tier.cap for tier in terms.tiers] == [100_000, 200_000]
        assert terms.tiers[1].amount == pytest.approx(0.004 * 50_000)
        assert terms.fee_rate == 0.0005


def test_newer_tiers_replace_older_ones_and_not_all_of_many_are_kept() -> None:
    listings: dict[str, Listing] = {}
    note(listings, tiers("usd", 0.004))
    note(listings, tiers("usd", *(0.004 + n / 1000 for n in range(50))))

    assert len(listings[KEY].tiers) == TIERS_KEPT
