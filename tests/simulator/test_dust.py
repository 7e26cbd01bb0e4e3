"""A tiny account liquidated on sixty coins at once: many symbols, next to no dollars."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from liqwatch.alerts import Alert
from liqwatch.events import Event, Liquidation
from liqwatch.replay import assemble
from liqwatch.simulator.dust import AT_S
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.simulate import write_tape
from liqwatch.sources.tape import TapeReader

SYMBOLS = {coin.symbol for coin in SCENARIOS["dust"].dust}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tiny_account_liquidated_on_sixty_coins_is_no_cascade(seed: int, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    truth = write_tape(tape, scenario="dust", seed=seed)
    liquidations, alerts = replayed(tape)

    dust = [one for one in liquidations if one.symbol in SYMBOLS and not one.history]
    seconds = {(one.time - truth.begin_ms) // 1000 for one in dust}
    assert len({one.symbol for one in dust}) == len(SYMBOLS) == 60
    assert len({one.venue for one in dust}) == 1
    assert seconds == {AT_S}
    assert sum(one.notional_usd for one in dust) < 20_000
    assert truth.legs == []
    assert not [alert for alert in alerts if alert.kind.startswith("cascade")]


def replayed(tape: Path) -> tuple[Sequence[Liquidation], Sequence[Alert]]:
    alerts: list[Alert] = []
    events: list[Event] = []
    pipeline = assemble(None, None, on_alerts=alerts.extend, on_event=events.append)
    for record in TapeReader(tape):
        pipeline.ingest(record)
    return [event for event in events if isinstance(event, Liquidation)], alerts
