from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.engine.asymmetry import (
    DAY_HOURS,
    HOUR_MS,
    TOLD_AGAIN_MS,
    AsymmetrySettings,
    Balance,
    heavy_side,
)
from liqwatch.events import Position

SETTINGS = AsymmetrySettings()
LONG, SHORT = Position.LONG, Position.SHORT
USD = st.floats(0, 1e12)
MIRRORED = {LONG: SHORT, SHORT: LONG, None: None}
NOW_MS = 500_000 * HOUR_MS


def told(
    balance: Balance, short_usd: float, long_usd: float, now_ms: int = NOW_MS
) -> tuple[bool, Position | None]:
    seen = balance.read(short_usd, long_usd, now_ms, SETTINGS)
    return balance.update(seen, now_ms, SETTINGS), balance.heavy


@given(short_usd=USD, long_usd=USD, was=st.sampled_from([LONG, SHORT, None]))
def test_mirrored_amounts_tilt_to_the_mirrored_side(
    short_usd: float, long_usd: float, was: Position | None
) -> None:
    here = heavy_side(short_usd, long_usd, was, SETTINGS)

    assert heavy_side(long_usd, short_usd, MIRRORED[was], SETTINGS) is MIRRORED[here]


def test_where_we_came_in_is_no_change_and_a_crossing_is_told_once() -> None:
    balance = Balance()

    assert told(balance, 2e9, 1e9) == (False, None)
    assert told(balance, 3e9, 1e9) == (True, SHORT)
    assert told(balance, 9e9, 1e9) == (False, SHORT)
    assert told(Balance(), 9e9, 1e9) == (False, SHORT)


def test_a_side_without_anything_across_is_heavy_and_has_no_ratio() -> None:
    balance = Balance()
    told(balance, 1e9, 1e9)

    assert told(balance, 0.0, 1e9) == (True, LONG)
    assert balance.read(0.0, 1e9, NOW_MS, SETTINGS).ratio is None
    assert heavy_side(0.0, 0.0, SHORT, SETTINGS) is None


def test_a_tilt_holds_until_the_lower_ratio() -> None:
    balance = Balance()
    told(balance, 4e9, 1e9)
    later = NOW_MS + TOLD_AGAIN_MS

    assert told(balance, 2.1e9, 1e9, later) == (False, SHORT)
    assert told(balance, 1.9e9, 1e9, later) == (True, None)
    assert told(balance, 2.9e9, 1e9, later + TOLD_AGAIN_MS) == (False, None)


def test_what_came_too_soon_is_told_later_if_it_still_holds() -> None:
    balance = Balance()
    told(balance, 1e9, 1e9)
    told(balance, 4e9, 1e9)

    assert told(balance, 1e9, 4e9, NOW_MS + TOLD_AGAIN_MS - 1) == (False, SHORT)
    assert told(balance, 1e9, 4e9, NOW_MS + TOLD_AGAIN_MS) == (True, LONG)


@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(1, 300)), min_size=2, max_size=300))
def test_it_never_flaps(steps: list[tuple[float, int]]) -> None:
    balance, now_ms, told_at = Balance(), NOW_MS, list[tuple[int, Position | None, float]]()
    for times, minutes in steps:
        now_ms += minutes * 60_000
        changed, heavy = told(balance, times * 1e9, 1e9, now_ms)
        if changed:
            told_at.append((now_ms, heavy, times))

    assert all(after[0] - before[0] >= TOLD_AGAIN_MS for before, after in pairwise(told_at))
    assert all(after[1] is not before[1] for before, after in pairwise(told_at))
    for _, heavy, times in told_at:
        if heavy is None:
            assert max(times, 1 / times) < SETTINGS.ratio
        else:
            assert max(times, 1 / times) >= SETTINGS.ratio * (1 - 1e-9)


def test_it_stays_silent_between_the_two_ratios() -> None:
    balance = Balance()
    told(balance, 1e9, 1e9)
    wobbling = [
        told(balance, times * 1e9, 1e9, NOW_MS + n * TOLD_AGAIN_MS)[0]
        for n, times in enumerate([2.9, 2.1, 2.9, 3.1, 2.1, 2.9, 2.1, 3.1, 2.1])
    ]

    assert sum(wobbling) == 1


def test_a_ratio_is_held_against_that_of_a_day_ago() -> None:
    balance = Balance()
    told(balance, 2e9, 1e9)
    for hour in range(1, DAY_HOURS):
        told(balance, 1e9, 1e9, NOW_MS + hour * HOUR_MS)
    tomorrow = NOW_MS + DAY_HOURS * HOUR_MS

    assert balance.read(1e9, 1e9, NOW_MS, SETTINGS).ratio_24h_ago is None
    assert balance.read(3e9, 1e9, tomorrow, SETTINGS).ratio_24h_ago == 2.0
    assert balance.read(3e9, 1e9, tomorrow, SETTINGS).ratio == 3.0
    told(balance, 1e9, 1e9, tomorrow + HOUR_MS)
    assert min(balance.ratios) == NOW_MS // HOUR_MS + 1


def test_another_window_begins_anew() -> None:
    wide = AsymmetrySettings(above_pct=40)
    balance = Balance()
    told(balance, 2e9, 1e9)
    tomorrow = NOW_MS + DAY_HOURS * HOUR_MS
    seen = balance.read(9e9, 1e9, tomorrow, wide)

    assert (seen.window, seen.ratio_24h_ago) == ("-15%..+40%", None)
    assert not balance.update(seen, tomorrow, wide)
    assert balance.heavy is SHORT


def test_a_tilt_that_ends_as_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="back_ratio must be below ratio"):
        AsymmetrySettings(ratio=2, back_ratio=2)
