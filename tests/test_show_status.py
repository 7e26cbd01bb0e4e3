"""What a person reads of a running daemon's feeds."""

import json

import pytest

from liqwatch.control import StatusAnswer
from liqwatch.engine.liveness import FeedHealth
from liqwatch.engine.pace import FeedState
from liqwatch.show_status import show, show_as_json

TOLD = StatusAnswer(
    "1/2 venues live",
    (
        FeedHealth("bybit-linear", "trades", FeedState.LIVE, "", 0),
        FeedHealth("bybit-linear", "liquidations", FeedState.QUIET, "", 40),
        FeedHealth("okx-swap", "trades", FeedState.DEAD, "takes nothing", 61),
    ),
)


def test_each_venue_is_a_line_and_what_is_wrong_has_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(TOLD)

    assert capsys.readouterr().out.splitlines() == [
        "1/2 venues live",
        "bybit-linear     trades live · liquidations quiet",
        "okx-swap         trades DEAD for 61 s: takes nothing",
    ]


def test_as_json_it_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show_as_json(TOLD)
    told = json.loads(capsys.readouterr().out)

    assert told["status"] == "1/2 venues live"
    assert told["feeds"][2] == {
        "venue": "okx-swap",
        "channel": "trades",
        "state": "dead",
        "reason": "takes nothing",
        "silent_s": 61,
    }
