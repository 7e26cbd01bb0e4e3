"""Coins that cascade together, told as one story: the market's own, where there is one."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from msgspec import UNSET

from liqwatch.alerting import market_words
from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.evidence import joined, limit, number
from liqwatch.alerting.hashtags import hashtags
from liqwatch.alerting.headline import of_market
from liqwatch.alerting.numbers import amount, name, price, signed_pct
from liqwatch.alerting.rich import Moment, Text, line, message
from liqwatch.alerting.rules import graver
from liqwatch.alerting.speech import Speech
from liqwatch.alerts import MARKET, Alert, Kind, Severity

CRITICAL = "coins_critical"  # from so many on, however grave each of them is
_FLOWS = ("forced_usd_total", "forced_usd_60s", "forced_usd_30s")


class _Coin(NamedTuple):
    """One coin's part of the story: its alerts, oldest first."""

    alerts: list[Alert]

    @property
    def newest(self) -> Alert:
        return self.alerts[-1]

    @property
    def ended(self) -> bool:
        return self.newest.kind is Kind.CASCADE_ENDED

    @property
    def forced_usd(self) -> float:
        return max(number(alert, key) or 0.0 for alert in self.alerts for key in _FLOWS)


def group(alerts: Sequence[Alert], language: Language = "en") -> Text:
    """Return the one message of several coins' cascades, the most affected first.

    `alerts` are those of all of them so far, oldest first, at least one, with those of the market.
    """
    market = [alert for alert in alerts if alert.of_market]
    by_symbol: dict[str, list[Alert]] = {}
    for alert in alerts:
        if not alert.of_market:
            by_symbol.setdefault(alert.symbol, []).append(alert)
    rank = _rank(market)
    coins = sorted(
        map(_Coin, by_symbol.values()),
        key=lambda coin: (coin.ended, rank.get(coin.newest.symbol, len(rank)), -coin.forced_usd),
    )
    running = [alert for coin in coins if not coin.ended for alert in coin.alerts]
    sums: list[str | None] = []  # at the end: before that they would soon be old
    if market and market[-1].kind is Kind.CASCADE_ENDED:
        sums = market_words.sums(Speech(market[-1], language))
    elif market:
        running.append(market[-1])
    severity = _gravest(running)
    if market and sum(not coin.ended for coin in coins) >= (limit(market[0], CRITICAL) or inf):
        severity = Severity.CRITICAL
    top = of_market(
        "market-cascade" if running else "market-cascade-ended",
        alerts[0].direction,
        len(coins),
        severity,
        language,
    )
    began_ms = min(alert.time for alert in alerts)
    since = line("since", language, time=Moment.at(began_ms, "T", "%H:%M:%S UTC"))
    tags = hashtags(MARKET, "cascade", began_ms)
    told = (_told(coin, language) for coin in coins)
    return message(language, top, [since, *sums, *told], tags)


def _rank(market: Sequence[Alert]) -> dict[str, int]:
    # By the market's newest word; who joined later comes after them.
    members = [] if not market or market[-1].members is UNSET else market[-1].members
    return {coin: place for place, coin in enumerate(members)}


def _told(coin: _Coin, language: Language) -> str | None:
    newest = coin.newest
    bound = "" if number(newest, "coverage") == 1 else "≥"
    usd = coin.forced_usd
    return joined(
        joined(name(newest.symbol), _way(coin.alerts[0].price, newest.price), by=" "),
        phrase("coin-forced", language, amount=f"{bound}{amount(usd)}") if usd else None,
        phrase(f"step-{newest.kind.replace('_', '-')}", language),
        phrase("against-map", language) if newest.against_map else None,
    )


def _way(start: float | None, now: float | None) -> str | None:
    if not start or now is None:
        return None if now is None else price(now)
    if start == now:
        return price(now)
    return f"{price(start)} → {price(now)} ({signed_pct(100 * (now / start - 1))})"


def _gravest(alerts: Sequence[Alert]) -> Severity:
    gravest = Severity.INFO
    for alert in alerts:
        gravest = alert.severity if graver(alert.severity, gravest) else gravest
    return gravest
