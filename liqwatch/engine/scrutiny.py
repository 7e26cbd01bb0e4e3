"""What is told of one coin, held against limits before it is counted."""

from liqwatch.engine.conduct import material, near, price_of_others
from liqwatch.engine.feeds import LIQUIDATIONS, MARK_PRICE, OPEN_INTEREST, TRADES
from liqwatch.engine.price import Source
from liqwatch.engine.quarantine import PRICE_OFF_S, Quarantine, QuarantineSettings
from liqwatch.engine.state import SymbolState
from liqwatch.events import Liquidation, MarkPrice, OpenInterest


class Scrutiny:
    """Judges the feeds of one coin. Who tells what cannot be true comes into the quarantine that
    all coins share.
    """

    def __init__(
        self, state: SymbolState, settings: QuarantineSettings, quarantine: Quarantine
    ) -> None:
        self._state = state
        self._settings = settings
        self._price_limit = settings.price_off_pct / 100
        self._quarantine = quarantine

    # -- events ------------------------------------------------------------------------------------

    def convicts(self, event: Liquidation, source: Source, time_ms: int) -> bool:
        """Judge one forced order; return whether a quarantine begins with it."""
        conduct, price = source.conduct, self._state.price.price
        times = conduct.force(event.notional_usd, source.traded_since_usd(price))
        if times is None or times <= self._settings.forced_times_traded:
            return False
        share = conduct.open_share(price, time_ms)
        if share is None or not material(conduct.forced_usd, share):
            return False
        reason = (
            f"forced orders of a minute are {times:.0f} times what was traded"
            f" and {100 * share:.2g}% of open interest"
        )
        return self._hold(f"{event.venue}|{event.instrument}", LIQUIDATIONS, reason, time_ms)

    def open_interest(self, event: OpenInterest, source: Source, time_ms: int) -> bool:
        """Judge a sample; return whether the map may follow it."""
        key, price = f"{event.venue}|{event.instrument}", self._state.price.price
        times = self._settings.open_interest_times
        before = source.conduct.leaps(event.size, price, time_ms, times)
        if before is not None:
            reason = (
                f"open interest went from {_plain(before)} to {_plain(event.size)} coins at once"
            )
            self._hold(key, OPEN_INTEREST, reason, time_ms)
        return not (self._holds(key, OPEN_INTEREST) or self._holds(key, TRADES))

    def mark_price(self, event: MarkPrice, source: Source, time_ms: int) -> bool:
        """Judge a mark; return whether positions may be judged by it."""
        key, price, conduct = f"{event.venue}|{event.instrument}", self._state.price, source.conduct
        if not price.price or price.stale_s or near(event.price, price.price, self._price_limit):
            conduct.mark_off_since_ms = None
            return not self._holds(key, MARK_PRICE)
        if conduct.mark_off_since_ms is None:
            conduct.mark_off_since_ms = time_ms
        elif time_ms - conduct.mark_off_since_ms >= PRICE_OFF_S * 1000:
            others = self._others(event.venue, self._fresh(time_ms), event.price)
            if others is not None:
                self._hold(key, MARK_PRICE, _off("mark", event.price, others), time_ms)
        return False

    # -- seconds -----------------------------------------------------------------------------------

    def believed(self, now_ms: int) -> list[Source]:
        """Judge the prices of a second; return the instruments whose price counts."""
        sources, fresh = self._state.sources, self._fresh(now_ms)
        prices = [source.price for source in fresh.values()]
        together = not prices or near(max(prices), min(prices), self._price_limit)
        for key, source in fresh.items():
            others = None if together else self._others(source.venue, fresh, source.price)
            source.conduct.off_s = 0 if others is None else source.conduct.off_s + 1
            if others is not None and source.conduct.off_s >= PRICE_OFF_S:
                self._hold(key, TRADES, _off("price", source.price, others), now_ms)
        believed = []
        for key, source in sources.items():
            if self._holds(key, TRADES):
                source.leave_out()
            else:
                believed.append(source)
        return believed

    def _fresh(self, now_ms: int) -> dict[str, Source]:
        return {key: one for key, one in self._state.sources.items() if one.fresh(now_ms)}

    def _others(self, venue: str, fresh: dict[str, Source], price: float) -> float | None:
        """Return the price of the other venues if this one is off; None if it is not, or nobody
        knows.
        """
        prices: dict[str, list[float]] = {}
        for source in fresh.values():
            prices.setdefault(source.venue, []).append(source.price)
        others = price_of_others(venue, prices, self._price_limit)
        return None if others is None or near(price, others, self._price_limit) else others

    # -- who is believed ---------------------------------------------------------------------------

    def disbelieves(self, venue: str) -> bool:
        """Return whether a venue's liquidations of this coin are not counted."""
        if not self._quarantine.holds:  # nearly always
            return False
        return self._holds(f"{venue}|{self._state.name}", LIQUIDATIONS)

    def counts_since_s(self, venue: str) -> int | None:
        """Return since which second a venue's liquidations are believed, None if they are not."""
        return self._quarantine.counts_since_s(f"{venue}|{self._state.name}", LIQUIDATIONS)

    def quarantined(self) -> dict[str, str]:
        """Return, by venue, why some of what it tells of this coin is not counted."""
        return {hold.venue: hold.reason for hold in self._quarantine.of_coin(self._state.name)}

    def _holds(self, who: str, channel: str) -> bool:
        return self._quarantine.holds_back(who, channel)

    def _hold(self, key: str, channel: str, reason: str, time_ms: int) -> bool:
        # Liquidations are counted by coin and venue: all instruments stand in for one that lies.
        venue, _, instrument = key.partition("|")
        who = f"{venue}|{self._state.name}" if channel == LIQUIDATIONS else key
        return self._quarantine.offend(
            who,
            channel,
            reason,
            venue=venue,
            symbol=self._state.name,
            instrument=instrument,
            time_ms=time_ms,
            lasts_s=self._settings.quarantine_s,
        )


def _off(what: str, price: float, others: float) -> str:
    return f"{what} {_plain(price)} while other venues trade at {_plain(others)}"


def _plain(value: float) -> str:
    return f"{float(f'{value:.6g}'):.15g}"
