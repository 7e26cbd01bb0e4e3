"""For venues whose trades say themselves that they were forced: Kraken, Paradex."""

from liqwatch.events import (
    Completeness,
    Liquidation,
    Mechanism,
    Position,
    PriceKind,
    Side,
    Trade,
)


def forced_taker(
    trade: Trade,
    completeness: Completeness,
    *,
    notional_usd: float,
    mechanism: Mechanism = Mechanism.BOOK,
    history: bool = False,
) -> Liquidation:
    """Return the liquidation that a trade was whose taker had to: selling closes a long."""
    return Liquidation(
        venue=trade.venue,
        symbol=trade.symbol,
        instrument=trade.instrument,
        time=trade.time,
        received=trade.received,
        position=Position.LONG if trade.side is Side.SELL else Position.SHORT,
        size=trade.size,
        price=trade.price,
        price_kind=PriceKind.FILL,
        notional_usd=notional_usd,
        completeness=completeness,
        mechanism=mechanism,
        history=history,
    )
