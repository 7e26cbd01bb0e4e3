"""Moments as people write them."""

from datetime import UTC, datetime

import pytest

from liqwatch.moments import moment_ms, parsed

NOW = datetime(2026, 11, 22, 14, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("14:05", "2026-11-22T14:05:00"),
        ("14:05:30", "2026-11-22T14:05:30"),
        ("14:05:31", "2026-11-21T14:05:31"),
        ("9:05", "2026-11-22T09:05:00"),
        ("23:59", "2026-11-21T23:59:00"),
        ("16:05+02:00", "2026-11-22T14:05:00"),
        ("01:00+02:00", "2026-11-21T23:00:00"),
        ("2026-11-22T14:05", "2026-11-22T14:05:00"),
        ("2026-11-23 14:05", "2026-11-23T14:05:00"),
        ("2026-11-22T14:05+02:00", "2026-11-22T12:05:00"),
        ("2026-11-22", "2026-11-22T00:00:00"),
        ("20261122T14:05", "2026-11-22T14:05:00"),
    ],
)
def test_a_time_of_day_is_the_last_such_moment(word: str, meant: str) -> None:
    expected = datetime.fromisoformat(meant).replace(tzinfo=UTC)

    assert moment_ms(word, int(NOW.timestamp() * 1000)) == int(expected.timestamp() * 1000)


@pytest.mark.parametrize(
    "word", ["", "soon", "14", "1405", "2026", "24:00", "14:60", "14:05 pm", ":", "0001-01-01"]
)
def test_what_is_no_time_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(ValueError, match="is no time such as 14:05 or 2026-11-22T14:05"):
        parsed(word)
