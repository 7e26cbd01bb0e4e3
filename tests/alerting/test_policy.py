import pytest
from msgspec.structs import replace
from sample_alerts import (
    ALL,
    APPROACHED,
    DEGRADED,
    ENDED,
    JUDGED,
    RECOVERED,
    RESUMED,
    STALLED,
    STARTED,
)

from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.policy import plan
from liqwatch.alerts import Alert, Severity


def roles(alert: Alert, receiver: ReceiverKind) -> list[Role]:
    return [intent.role for intent in plan(alert, receiver)]


@pytest.mark.parametrize("alert", [STARTED, DEGRADED], ids=lambda alert: alert.kind)
def test_a_start_opens_the_message_of_its_story(alert: Alert) -> None:
    assert roles(alert, ReceiverKind.THREADED) == [Role.ROOT]


@pytest.mark.parametrize(
    "alert", [STALLED, RESUMED, ENDED, RECOVERED], ids=lambda alert: alert.kind
)
def test_a_turning_point_replies_and_updates_the_first_message(alert: Alert) -> None:
    assert roles(alert, ReceiverKind.THREADED) == [Role.REPLY, Role.EDIT]


def test_an_alert_outside_a_story_stands_alone() -> None:
    assert roles(APPROACHED, ReceiverKind.THREADED) == [Role.ALONE]
    assert roles(replace(JUDGED, episode="BTC-up-1"), ReceiverKind.THREADED) == [Role.ALONE]
    assert roles(replace(STALLED, episode=None), ReceiverKind.THREADED) == [Role.ALONE]


@pytest.mark.parametrize("alert", ALL, ids=lambda alert: alert.kind)
def test_a_plain_receiver_gets_each_alert_once(alert: Alert) -> None:
    assert roles(alert, ReceiverKind.PLAIN) == [Role.ALONE]


@pytest.mark.parametrize("severity", Severity)
def test_only_info_and_edits_are_silent(severity: Severity) -> None:
    reply, edit = plan(replace(STALLED, severity=severity), ReceiverKind.THREADED)

    assert (severity is Severity.INFO) == reply.silent
    assert edit.silent


def test_every_decision_has_a_reason() -> None:
    for alert in ALL:
        for receiver in ReceiverKind:
            assert all(intent.reason for intent in plan(alert, receiver))
