"""What the two accounts of a Lighter trade hold after it.

Every row of the tape tells what both held before: the signed size, what it cost, and the margin.
"""

from collections.abc import Iterator

from liqwatch.events import AccountPosition, Instrument, Position
from liqwatch.exchanges.lighter_wire import FRACTIONS, Trade

_SMALLEST = 1e-18  # less is nothing


def positions_after(row: Trade, instrument: Instrument, received: int) -> Iterator[AccountPosition]:
    """Give what the buyer and the seller hold now; nothing of one whose position is not told."""
    if row.bid_account_id == row.ask_account_id:
        return  # traded with itself: nothing changed
    taker = (
        row.taker_position_size_before,
        row.taker_entry_quote_before,
        row.taker_initial_margin_fraction_before,
        row.taker_position_sign_changed,
    )
    maker = (
        row.maker_position_size_before,
        row.maker_entry_quote_before,
        row.maker_initial_margin_fraction_before,
        row.maker_position_sign_changed,
    )
    buyer, seller = (taker, maker) if row.is_maker_ask else (maker, taker)
    for account, before, bought in (
        (row.bid_account_id, buyer, row.size),
        (row.ask_account_id, seller, -row.size),
    ):
        size, entry_quote, margin_fraction, sign_changed = before
        # An empty position is left out like one that is not told; that its sign changed says that
        # it was empty.
        if size is None and not sign_changed:
            continue
        held = size or 0.0
        now = held + bought
        entry_price = _entry_price(row, held, now, entry_quote)
        yield AccountPosition(
            instrument.venue,
            instrument.symbol,
            instrument.instrument,
            row.timestamp,
            received,
            str(account),
            Position.LONG if (now or held) > 0 else Position.SHORT,
            abs(now) * instrument.contract_size,
            entry_price and entry_price / instrument.contract_size,
            leverage=FRACTIONS / margin_fraction if margin_fraction else None,
        )


def _entry_price(row: Trade, held: float, now: float, entry_quote: float) -> float | None:
    """Average price at which a position was entered, None where there is none or it is unknown."""
    if abs(now) < _SMALLEST:
        return None
    if abs(held) < _SMALLEST or (held > 0) != (now > 0):
        return row.price  # opened, or turned round
    if not entry_quote:
        return None
    if abs(now) > abs(held):
        return (entry_quote + row.size * row.price) / abs(now)
    return entry_quote / abs(held)  # closing a part leaves the entry of the rest
