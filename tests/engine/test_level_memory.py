"""What is remembered of levels that price comes to in vain, and told."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from walked_market import T0, VENUE, along, run, steadily

from liqwatch.alerting.message import render
from liqwatch.alerts import Alert, Kind, Verdict
from liqwatch.engine import Engine
from liqwatch.engine.digest import DigestSettings
from liqwatch.engine.feeds import Promise
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.snapshot import EngineState, unpack
from liqwatch.events import Completeness, Event, Position

PRICE, LEVEL = 90_000.0, 90_500.0
CALM = [PRICE] * 700  # until volatility is known
TRY = [*steadily(PRICE, LEVEL - 5, PRICE, bp_per_s=0.6), *[PRICE] * 30]
THREE = tuple(
    UserCluster(low=low, high=low + 50, notional_usd=1e9, position=Position.SHORT)
    for low in (90_400.0, 90_800.0, 91_200.0)
)


def engine(
    own: SymbolSettings, *, at: str | None = None, state: EngineState | None = None
) -> Engine:
    return Engine(
        EngineSettings(map=MapSettings(digest=DigestSettings(at=at))),
        watch={"BTC": own},
        promises={VENUE: Promise(completeness=Completeness.FULL)},
        state=state,
    )


def verdicts(alerts: Sequence[Alert]) -> list[tuple[object, object, object]]:
    return [
        (alert.verdict, alert.approach, alert.evidence["activated"])
        for alert in alerts
        if alert.kind is Kind.LEVEL_VERDICT
    ]


@pytest.mark.parametrize("cut", [None, 750, 800, 900])
def test_the_third_approach_is_the_third_after_a_restart_as_well(cut: int | None) -> None:
    own = SymbolSettings(watch_levels=(LEVEL,))
    one, alerts = engine(own), list[Alert]()
    for event in along([*CALM, *TRY * 3, PRICE]):
        if cut is not None and event.time >= T0 + cut * 1000:
            one, cut = engine(own, state=unpack(one.snapshot())), None
        alerts += one.update(event)

    assert verdicts(alerts) == [(Verdict.REVERSED, count, 0) for count in (1, 2, 3)]


def digest_of(events: Sequence[Event], **own: object) -> Alert:
    """Return the digest that is due when they end."""
    due = datetime.fromtimestamp((events[-1].time - 120_000) / 1000, tz=UTC)
    told = run(engine(SymbolSettings(**own), at=f"{due:%H:%M}"), events)  # type: ignore[arg-type]  # its own keys
    (digest,) = (alert for alert in told if alert.kind is Kind.MAP_DIGEST)
    return digest


def test_price_that_strolls_through_three_clusters_leaves_the_map_not_activating() -> None:
    stroll = [*CALM, *steadily(PRICE, 91_400.0, bp_per_s=0.2), *[91_400.0] * 480]
    digest = digest_of(list(along(stroll)), clusters=THREE)
    told = digest.evidence

    assert "MAP NOT ACTIVATING: 3 clusters reached, none reacted" in render(digest, "en").plain()
    assert "КАРТА НЕ СРАБАТЫВАЕТ: цена дошла до 3 кластеров" in render(digest, "ru").plain()
    assert told["map_not_activating"] is True
    assert (told["clusters_reached"], told["activated"]) == (3, 0)
    assert {one["verdict"] for one in told["levels_reached"]} == {"faded"}


def test_a_run_that_starts_at_one_of_them_is_an_activation() -> None:
    run_through = [
        *CALM,
        *steadily(PRICE, 90_420.0, bp_per_s=0.2),
        *steadily(90_420.0, 91_400.0, bp_per_s=4.0),
        *[91_400.0] * 480,
    ]
    told = digest_of(list(along(run_through)), clusters=THREE).evidence

    assert told["map_not_activating"] is False
    assert told["activated"] > 0
