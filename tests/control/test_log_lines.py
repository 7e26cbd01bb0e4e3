import io

import structlog

from liqwatch import log, log_lines
from liqwatch.control import Control
from liqwatch.control.vocabulary import AskLog, LogAnswer
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings


def test_the_newest_lines_can_be_asked_for_and_hold_no_secret() -> None:
    log.configure("INFO", io.StringIO())
    for number in range(300):
        structlog.get_logger("liqwatch.test").info(
            "spoke", number=number, url="https://x/bot123456789:AAFakeFakeFakeFakeFakeFakeFake/y"
        )
    control = Control(Engine(EngineSettings(), watch=None, promises={}), lambda: "well")
    answer = control.answer(AskLog(3))

    assert isinstance(answer, LogAnswer)
    assert [line.partition("number=")[2].split()[0] for line in answer.lines] == [
        "297",
        "298",
        "299",
    ]
    assert "AAFake" not in "".join(answer.lines)
    assert "\x1b" not in "".join(answer.lines)
    assert len(log_lines.last(1000)) <= 200
