"""The context line: what is known, in both languages, and nothing of what is not."""

import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, STARTED

from liqwatch.alerting.catalogues import Language
from liqwatch.alerting.context_words import context_line
from liqwatch.alerting.message import render
from liqwatch.alerting.speech import Speech
from liqwatch.alerts import Alert, Direction


def said(
    evidence: dict[str, object], language: Language = "en", *, alert: Alert = STARTED
) -> str | None:
    return context_line(Speech(replace(alert, evidence=evidence), language))


def test_what_is_unknown_is_left_out() -> None:
    unknown = {"open_interest_change_pct_5m": None, "basis_bp": None, "spot_taker_usd_5m": None}

    assert said({}) is None
    assert said({"funding_pct_8h": "nonsense", "volatility_rank_pct": float("nan")}) is None
    assert said(unknown | {"funding_pct_8h": -0.012}) == "Funding −0.012%/8h"


@pytest.mark.parametrize(
    ("change", "english", "russian"),
    [
        (-1.8, "OI −1.8% in 5 min (closing)", "ОИ −1.8% за 5 мин (закрытие)"),
        (0.42, "OI +0.42% in 5 min (opening)", "ОИ +0.42% за 5 мин (открытие)"),
        (-0.04, "OI −0.040% in 5 min", "ОИ −0.040% за 5 мин"),
    ],
)
def test_open_interest_says_whether_positions_are_closed_or_opened(
    change: float, english: str, russian: str
) -> None:
    told: dict[str, object] = {"open_interest_change_pct_5m": change}

    assert said(told) == english
    assert said(told, "ru") == russian


@pytest.mark.parametrize(
    ("direction", "usd", "english", "russian"),
    [
        (Direction.UP, 41e6, "+$41M (confirms)", "+$41M (подтверждает)"),
        (Direction.UP, -41e6, "−$41M (against)", "−$41M (против)"),
        (Direction.DOWN, -41e6, "−$41M (confirms)", "−$41M (подтверждает)"),
        (Direction.DOWN, 41e6, "+$41M (against)", "+$41M (против)"),
        (Direction.DOWN, 0.0, "+$0", "+$0"),
        (None, 41e6, "+$41M", "+$41M"),
    ],
)
def test_spot_takers_confirm_a_move_or_go_against_it(
    direction: Direction | None, usd: float, english: str, russian: str
) -> None:
    alert = replace(STARTED, direction=direction)
    told: dict[str, object] = {"spot_taker_usd_5m": usd}

    assert said(told, alert=alert) == f"Spot CVD {english}"
    assert said(told, "ru", alert=alert) == f"Дельта спота {russian}"


@pytest.mark.parametrize(
    ("age_s", "english", "russian"),
    [
        (5.0, "", ""),
        (None, "", ""),
        (40.2, " (40 s old)", " (40 с назад)"),
        (600.0, " (10 min old)", " (10 мин назад)"),
        (9 * 3600.0, " (9 h old)", " (9 ч назад)"),
    ],
)
def test_what_is_not_of_now_says_how_old_it_is(
    age_s: float | None, english: str, russian: str
) -> None:
    told: dict[str, object] = {"funding_pct_8h": 0.01, "funding_age_s": age_s, "basis_bp": -3.2}

    assert said(told) == f"Funding +0.010%/8h{english} · basis −3.2 bp"
    assert said(told, "ru") == f"Фандинг +0.010%/8 ч{russian} · базис −3.2 б.п."


def test_a_note_and_an_age_share_their_brackets() -> None:
    told: dict[str, object] = {"open_interest_change_pct_5m": -1.8, "open_interest_age_s": 31.0}

    assert said(told) == "OI −1.8% in 5 min (closing, 31 s old)"


def test_the_rank_of_the_volatility_is_a_percentage() -> None:
    assert said({"volatility_rank_pct": 97.2}) == "Volatility rank 97%"
    assert said({"volatility_rank_pct": 97.2}, "ru") == "Ранг волатильности 97%"


def test_an_approach_tells_it_too() -> None:
    told = {"open_interest_change_pct_5m": 0.9}
    alert = replace(APPROACHED, evidence=APPROACHED.evidence | told)

    assert "OI +0.90% in 5 min (opening)" in render(alert).plain().split("\n")


def test_where_there_is_no_room_it_goes_before_what_is_above_it() -> None:
    fitted = render(STARTED).fitted(limit=400).plain()

    assert "Forced buying" in fitted
    assert "OI −1.8%" not in fitted
