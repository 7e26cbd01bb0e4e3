"""The samples that people may ask for."""

from collections.abc import Sequence
from typing import get_args

import pytest

from liqwatch import notify_test, samples
from liqwatch.alerting.catalogues import LANGUAGES, Language
from liqwatch.alerting.intents import ReceiverKind, Remark
from liqwatch.alerting.rules import Rules
from liqwatch.alerts import Kind
from liqwatch.sinks.base import Delivery, DeliveryError, RetryLater, TopicsBy, Undeliverable


def test_there_is_one_of_every_kind_and_of_every_remark() -> None:
    assert {one.kind for one in samples.ALL} == set(Kind)
    assert [one.why for one in samples.REMARKS] == [*get_args(Remark.__annotations__["why"])]
    assert len({one.id for one in (*samples.ALL, *samples.GROUP)}) == len(samples.ALL) + 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_is_marked_as_such_in_its_first_line(language: Language) -> None:
    mark = {"en": "SAMPLE", "ru": "ОБРАЗЕЦ"}[language]
    told = samples.messages(language)

    assert len(told) > len(samples.ALL) + len(samples.REMARKS)
    assert all(one.text.plain().startswith(mark) for one in told)
    assert all(one.alert is None or one.alert.id.startswith("sample-") for one in told)


class Receiver:
    """Takes everything, or fails."""

    name = "receiver"
    receiver = "receiver"
    kind = ReceiverKind.PLAIN
    rules = Rules(language="ru")
    edit_gap_s = 0.0
    topics = TopicsBy.NONE
    pins_status = False

    def __init__(self, *failures: DeliveryError) -> None:
        self.taken: list[Delivery] = []
        self.closed = False
        self._failures = [*failures]

    def wait_s(self, *, urgent: bool) -> float:
        return float(urgent)

    async def send(self, delivery: Delivery) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.taken.append(delivery)

    async def close(self) -> None:
        self.closed = True


def _first_lines(taken: Sequence[Delivery]) -> list[str]:
    return [one.text.plain().partition("\n")[0] for one in taken]


async def test_every_receiver_gets_all_in_both_languages_its_own_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    receiver, broken = Receiver(RetryLater("busy", 0.001)), Receiver(Undeliverable("not there"))
    code = await notify_test._send_all([receiver, broken])

    lines = _first_lines(receiver.taken)
    assert len(lines) == 2 * len(samples.messages("en"))
    assert lines[0].startswith("ОБРАЗЕЦ")
    assert lines[-1].startswith("SAMPLE")
    assert all(one.silent for one in receiver.taken)
    assert code == 1
    assert receiver.closed
    assert broken.closed
    assert capsys.readouterr().err.splitlines() == [
        "receiver: all samples were sent",
        "receiver: not there",
    ]
