"""Coins that are driven together, and whether the engine takes them for one story."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import correlation

import pytest

from liqwatch.alerts import Alert, Kind
from liqwatch.replay import replay_until
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.simulate import write_tape
from liqwatch.simulator.truth import Truth
from liqwatch.simulator.world import worlds
from liqwatch.sources.tape import TapeReader

TOGETHER = ["BTC", "ETH", "SOL", "BNB"]
CALM = "BCH"


def replayed(scenario: str, seed: int, folder: Path) -> tuple[Truth, Sequence[Alert]]:
    tape = folder / "tape.jsonl"
    truth = write_tape(tape, scenario=scenario, seed=seed)
    alerts: list[Alert] = []
    replay_until([TapeReader(tape)], None, on_alerts=alerts.extend)
    return truth, alerts


def test_coins_that_fall_together_are_one_story_of_the_market(tmp_path: Path) -> None:
    truth, alerts = replayed("market", 1, tmp_path)
    assert sorted(leg.symbol for leg in truth.legs) == sorted(TOGETHER)  # each has its own twin
    onsets = sorted(leg.onset_ms for leg in truth.legs)

    of_market = [alert for alert in alerts if alert.of_market]
    start = of_market[0]
    assert [alert.kind for alert in of_market].count(Kind.CASCADE_STARTED) == 1
    assert {alert.episode for alert in of_market} == {start.episode}
    assert {start.direction} == {leg.direction for leg in truth.legs}
    assert abs(start.time - onsets[2]) < 30_000  # the third coin makes it a market
    assert len(start.members or ()) >= 3
    assert sorted(of_market[-1].members or ()) == sorted(TOGETHER)
    assert not [alert for alert in alerts if alert.symbol == CALM]


def test_one_coin_alone_is_no_story_of_the_market(tmp_path: Path) -> None:
    _, alerts = replayed("cascade", 3, tmp_path)
    assert any(alert.kind is Kind.CASCADE_STARTED for alert in alerts)
    assert not any(alert.of_market for alert in alerts)


@pytest.mark.parametrize(("coin", "expected"), [("ETH", 0.7), ("BNB", 0.7), (CALM, 0.0)])
def test_what_moves_all_coins_is_the_common_share_of_their_variance(
    coin: str, expected: float
) -> None:
    of_coin = {
        world.plan.coin.symbol: world
        for world in worlds(SCENARIOS["market"], seed=2, start_ms=0)
        if world.plan.coin.symbol in {"BTC", coin}
    }
    moves: dict[str, list[float]] = {}
    for symbol, world in of_coin.items():
        prices = [world.step().index_price for _ in range(1200)]
        moves[symbol] = [after / before for before, after in pairwise(prices)]
    assert correlation(moves["BTC"], moves[coin]) == pytest.approx(expected, abs=0.12)
