"""A trade whose taker was forced tells whose position it closed."""

import pytest

from liqwatch.events import Completeness, Mechanism, Position, PriceKind, Side, Trade
from liqwatch.exchanges.typed_trades import forced_taker


@pytest.mark.parametrize(
    ("side", "position"), [(Side.SELL, Position.LONG), (Side.BUY, Position.SHORT)]
)
def test_the_forced_order_closes_the_opposite_position(side: Side, position: Position) -> None:
    trade = Trade("venue", "BTC", "BTCUSD", 1, 2, price=50.0, size=3.0, side=side, id="4")

    forced = forced_taker(trade, Completeness.FULL, notional_usd=150.0)

    assert forced.position is position
    assert (forced.price, forced.size, forced.notional_usd) == (50.0, 3.0, 150.0)
    assert (forced.price_kind, forced.mechanism) == (PriceKind.FILL, Mechanism.BOOK)
    assert (forced.venue, forced.instrument, forced.time, forced.received) == (
        trade.venue,
        trade.instrument,
        trade.time,
        trade.received,
    )
