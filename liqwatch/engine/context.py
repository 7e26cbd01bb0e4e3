"""What else is known at the moment of an alert: shown beside the decision, no part of it."""

import msgspec

from liqwatch.engine.funding import weighted
from liqwatch.engine.positions import STALE_MS
from liqwatch.engine.spot import KNOWN_MS
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of one coin. Each is None when it is unknown or too old, with its age."""

    open_interest_change_pct_5m: float | None = None
    """By how much more is open than five minutes ago: positions were opened, or closed."""

    open_interest_age_s: float | None = None

    funding_pct_8h: float | None = None
    """Mean of the venues by open interest, per eight hours; positive: longs pay shorts."""

    funding_age_s: float | None = None

    basis_bp: float | None = None
    """How far the perpetual price is above the spot price."""

    basis_age_s: float | None = None

    spot_taker_usd_5m: float | None = None
    """Bought by takers on spot venues less what they sold, fading over five minutes."""

    spot_age_s: float | None = None

    volatility_rank_pct: float | None = None
    """Hours of the last thirty days whose volatility was below that of the last half hour."""


def surroundings(symbol: Symbol, now_ms: int) -> Context:
    """Return what is known at a moment, on the venues' clock."""
    state = symbol.state
    return Context(
        **_open_interest(symbol, now_ms),
        **_funding(state, now_ms),
        **_spot(state, now_ms),
        volatility_rank_pct=state.volatility.rank_pct(state.price.momentum.sigma),
    )


def evidence(symbol: Symbol, now_ms: int) -> dict[str, float | None]:
    """Return it as evidence of an alert, in five significant digits."""
    known = msgspec.structs.asdict(surroundings(symbol, now_ms))
    return {key: None if value is None else float(f"{value:.5g}") for key, value in known.items()}


def _open_interest(symbol: Symbol, now_ms: int) -> dict[str, float]:
    books = symbol.state.map.books.values()
    change, total = symbol.map.open_interest_change_pct(), sum(book.open_size for book in books)
    if change is None or total <= 0:
        return {}
    age_ms = sum(book.open_size * max(0, now_ms - book.sampled_ms) for book in books) / total
    if age_ms > STALE_MS:
        return {}
    return {"open_interest_change_pct_5m": change, "open_interest_age_s": age_ms / 1000}


def _funding(state: SymbolState, now_ms: int) -> dict[str, float]:
    sizes = {key: book.open_size for key, book in state.map.books.items()}
    mean = weighted(state.funding, sizes, now_ms)
    if mean is None:
        return {}
    return {"funding_pct_8h": mean.pct_8h, "funding_age_s": mean.age_ms / 1000}


def _spot(state: SymbolState, now_ms: int) -> dict[str, float]:
    spot_age_ms, spot, perpetual = state.spot.age_ms(now_ms), state.spot.price(), state.price
    if spot_age_ms is None or spot is None:
        return {}
    known = {"spot_age_s": spot_age_ms / 1000}
    taker_usd = state.spot.taker_usd(now_ms)
    if taker_usd is not None:
        known["spot_taker_usd_5m"] = taker_usd
    age_s = max(spot_age_ms / 1000, perpetual.stale_s)
    if perpetual.price > 0 and age_s <= KNOWN_MS / 1000:
        known |= {"basis_bp": 1e4 * (perpetual.price / spot - 1), "basis_age_s": age_s}
    return known
