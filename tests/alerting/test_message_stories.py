"""Messages of more than one alert: a cascade that goes on, several coins, what was held back."""

import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, JUDGED, RESUMED, STALLED, START_MS, STARTED, STORY

from liqwatch.alerting.catalogues import LANGUAGES, Language
from liqwatch.alerting.intents import Remark
from liqwatch.alerting.message import escalated, group, remark, render, timeline
from liqwatch.alerts import Alert, Direction, Severity
from liqwatch.events import Position
from liqwatch.samples import (
    GROUP,
    MARKET_ENDED,
    MARKET_STARTED,
    MARKET_STORY,
    REMARKS,
    RUNNING,
    messages,
)

# -- a cascade that goes on ------------------------------------------------------------------------


def test_a_running_cascade_shows_its_newest_numbers_above_how_it_began() -> None:
    assert timeline([STARTED], RUNNING).plain().split("\n")[:8] == [
        "▲ BTC SHORT CASCADE RUNNING 2:10 · CRITICAL",
        "22:40:05 started at 90,184 (UTC)",
        "91,020 (+0.93% since start), peak 91,060",
        "Forced buying ≥$96M (peak ≥$44M/min, now ≥$31M/min)",
        "Speed 44 bp/min",
        "Rungs: 89,900–90,300 ✓ · next est. $2.4B at 91,800–92,200 (0.86% away)",
        "At the start:",
        "90,184, +1.4% in 60 s",
    ]


def test_complete_feeds_show_all_there_is() -> None:
    assert "Forced buying $96M (" in timeline([STARTED], replace(RUNNING, complete=True)).plain()


def test_a_cascade_down_has_a_low_and_its_next_level_is_reached_from_above() -> None:
    level = replace(RUNNING.crossed[0], low=87_000.0, high=88_000.0)
    down = replace(
        RUNNING,
        position=Position.LONG,
        direction=Direction.DOWN,
        price=89_000.0,
        extreme_price=88_900.0,
        against_map=True,
        crossed=(),
        next_level=level,
    )
    lines = escalated(down).plain().split("\n")

    assert lines[0] == "▼ BTC LONG CASCADE GROWS 2:10 · CRITICAL · AGAINST THE MAP"
    assert lines[1] == "89,000 (−1.3% since start), low 88,900"
    assert lines[2].startswith("Forced selling ≥")
    assert lines[4] == "Rungs: next est. $2.9B at 87,000–88,000 (1.1% away)"


def test_of_many_crossed_levels_the_newest_are_shown() -> None:
    levels = tuple(replace(RUNNING.crossed[0], low=1000.0 + n, high=1000.0 + n) for n in range(9))
    text = escalated(replace(RUNNING, crossed=levels, next_level=None)).plain()

    assert "Rungs: … · 1,003.0 ✓ · 1,004.0 ✓" in text
    assert "1,008.0 ✓\n" in text


def test_while_a_cascade_stalls_its_message_says_so() -> None:
    stalled = replace(RUNNING, stalled=True, time=STALLED.time + 1000)

    assert timeline([STARTED, STALLED], stalled).plain().startswith("▲ BTC SHORT CASCADE STALLED 3")


def test_older_numbers_and_those_of_an_ended_cascade_are_not_shown() -> None:
    assert timeline(STORY, replace(RUNNING, time=ENDED.time + 1)).plain() == timeline(STORY).plain()
    stale = timeline([STARTED, STALLED], replace(RUNNING, time=STALLED.time - 1))
    assert stale.plain() == timeline([STARTED, STALLED]).plain()


# -- several coins ---------------------------------------------------------------------------------


def coins() -> list[Alert]:
    bitcoin, ether, solana = GROUP
    ended = replace(ENDED, id="sol-end", symbol="SOL", price=184.2)
    stalled = replace(STALLED, id="eth-stall", symbol="ETH", price=3_300.0)
    return [bitcoin, ether, solana, stalled, ended]


def test_a_group_tells_each_coin_in_a_line_the_most_affected_first() -> None:
    assert group(coins()).plain().split("\n") == [
        "▲ MARKET SHORT CASCADE · 3 coins · CRITICAL",
        "Since 22:40:05 UTC",
        "ETH 3,412.6 → 3,300.0 (−3.3%) · ≥$96M forced · stalled",
        "BTC 90,184 · ≥$39M forced · started",
        "SOL 187.40 → 184.20 (−1.7%) · $210M forced · ended",
        "#MARKET #cascade #MARKET2240",
    ]


def test_a_group_says_which_coins_go_against_their_map() -> None:
    bitcoin, ether, solana = GROUP
    lines = group([bitcoin, replace(ether, against_map=True), solana]).plain().split("\n")

    assert [line for line in lines if "AGAINST" in line] == [
        "ETH 3,412.6 · ≥$39M forced · started · AGAINST THE MAP"
    ]


def test_a_group_that_is_over_says_so() -> None:
    over = [replace(ENDED, id=f"{one.symbol}-end", symbol=one.symbol) for one in GROUP]
    first = group([*GROUP, *over], "ru").plain().split("\n")[0]

    assert first == "▲ РЫНОК ШОРТ-СКВИЗ ОКОНЧЕН · 3 монеты · ИНФО"


def test_a_group_that_is_the_markets_story_ranks_its_coins_as_that_does() -> None:
    assert group([*GROUP, MARKET_STARTED]).plain().split("\n") == [
        "▲ MARKET SHORT CASCADE · 3 coins · CRITICAL",
        "Since 22:40:05 UTC",
        "SOL 187.40 · ≥$39M forced · started",
        "ETH 3,412.6 · ≥$39M forced · started",
        "BTC 90,184 · ≥$39M forced · started",
        "#MARKET #cascade #MARKET2240",
    ]
    joined = replace(STARTED, id="xrp", symbol="XRP", price=0.5)
    assert group([*GROUP, MARKET_STARTED, joined]).plain().split("\n")[-2].startswith("XRP")


def test_a_market_is_as_grave_as_its_own_story_until_that_is_over() -> None:
    calm = [replace(one, severity=Severity.WARNING) for one in GROUP]
    assert (
        group([*calm, MARKET_STARTED])
        .plain()
        .startswith("▲ MARKET SHORT CASCADE · 3 coins · CRITICAL")
    )
    over = [replace(ENDED, id=f"{one.symbol}-end", symbol=one.symbol) for one in GROUP]
    text = group([*GROUP, MARKET_STARTED, *over, MARKET_ENDED]).plain()
    assert text.split("\n")[:5] == [
        "▲ MARKET SHORT CASCADE ENDED · 3 coins · INFO",
        "Since 22:40:05 UTC",
        "Forced buying ≥$310M in all",
        "Median leg 6.4x a usual five-minute move",
        "2 exhausted · 1 rejected",
    ]


def test_so_many_coins_are_critical_however_grave_each_of_them_is() -> None:
    grave = Severity.WARNING
    story = replace(MARKET_STARTED, severity=grave)
    six = [replace(STARTED, id=f"{n}", symbol=f"C{n}", severity=grave) for n in range(6)]

    for coins, said in ((six[:5], "5 coins · WARNING"), (six, "6 coins · CRITICAL")):
        assert group([*coins, story]).plain().split("\n")[0].endswith(said)


def test_the_markets_story_alone_is_told_like_any_other() -> None:
    assert render(MARKET_ENDED, "en").plain().split("\n") == [
        "▲ MARKET SHORT CASCADE ENDED, EXHAUSTED after 11:21 · INFO",
        "3 coins of 5 watched",
        "Forced buying ≥$310M in all",
        "Median leg 6.4x a usual five-minute move",
        "2 exhausted · 1 rejected",
        "Most affected: SOL +4.1%, ETH +3.0%, BTC +2.5%",
        "#MARKET #cascade #MARKET2240",
    ]
    assert render(MARKET_STARTED, "ru").plain().split("\n")[:5] == [
        "▲ РЫНОК ШОРТ-СКВИЗ НАЧАЛСЯ · 3 монеты · КРИТИЧНО",
        "3 монеты из 5 отслеживаемых",
        "Принудительные покупки ≥$71M за 60 с",
        "Медианный ход 6.4x обычного за пять минут",
        "Сильнее всего: SOL +2.9%, ETH +1.6%, BTC +1.4%",
    ]
    assert timeline(MARKET_STORY).plain().split("\n")[1] == (
        "22:40:14 started → 22:44:05 stalled → 22:51:35 ended (UTC)"
    )


def test_a_group_of_many_coins_says_how_many_it_leaves_out() -> None:
    many = [replace(STARTED, id=str(n), symbol=f"COIN{n}") for n in range(200)]
    lines = group(many).fitted().plain().split("\n")

    assert lines[0] == "▲ MARKET SHORT CASCADE · 200 coins · CRITICAL"
    assert lines[-2].endswith(" more lines)")
    assert lines[-1] == "#MARKET #cascade #MARKET2240"


# -- what was held back ----------------------------------------------------------------------------


def held(why: str, *alerts: Alert, subject: str | None = None) -> Remark:
    known = {one.why for one in REMARKS}
    assert why in known
    first = next(one for one in REMARKS if one.why == why)
    return replace(first, alerts=tuple(one.id for one in alerts), subject=subject)


def test_a_remark_says_why_and_when_and_what() -> None:
    assert remark(held("quiet_hours", APPROACHED, JUDGED), [APPROACHED, JUDGED]).plain().split(
        "\n"
    ) == [
        "Quiet hours are over: 2 alerts held back",
        "From 21:40 UTC to 22:40 UTC",
        "levels approached: 1 · verdicts on levels: 1",
        "22:40 ▲ BTC APPROACHES 89,900–90,300 (SHORT LEVEL) · INFO",
        "22:40 ▲ BTC REVERSED at 89,900–90,300 · 3rd approach · INFO",
    ]


@pytest.mark.parametrize(
    ("why", "english", "russian"),
    [
        (
            "budget",
            "Alert budget for BTC spent: 1 alert",
            "Лимит алертов по BTC исчерпан:",
        ),
        ("mute", "BTC unmuted: 1 alert held back", "BTC: снова слышно, задержан 1 алерт"),
        ("digest", "Digest: 1 alert summed up", "Сводка: сведён 1 алерт"),
        ("late", "Too late to come as live: 1 alert", "С опозданием: сведён 1 алерт"),
    ],
)
def test_each_reason_has_its_words(why: str, english: str, russian: str) -> None:
    about = held(why, JUDGED, subject="BTC" if why in {"budget", "mute"} else None)

    assert remark(about, [JUDGED]).plain().startswith(english)
    assert remark(about, [JUDGED], "ru").plain().startswith(russian)


def test_a_mute_that_held_back_nothing_ends_with_a_word() -> None:
    assert remark(held("mute"), []).plain().split("\n")[0] == "Unmuted: nothing was held back"


def test_alerts_that_are_no_longer_known_still_count() -> None:
    assert remark(held("digest", APPROACHED, JUDGED), []).plain().startswith("Digest: 2 alerts")


def test_what_is_grave_is_left_out_last() -> None:
    quiet = [replace(JUDGED, id=str(number)) for number in range(100)]
    lines = remark(held("budget", *quiet, STARTED), [*quiet, STARTED]).fitted().plain().split("\n")

    assert lines[-1] == "22:40 ▲ BTC SHORT CASCADE STARTED · CRITICAL"
    assert lines[-2].endswith("more lines)")


def test_a_time_of_another_day_is_told_with_its_date() -> None:
    long = replace(held("mute"), since_ms=START_MS - 3 * 86_400_000)

    assert "From 2025-10-17 22:40 UTC to 2025-10-20 22:40 UTC" in remark(long, []).plain()


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_fits_a_lock_screen_and_telegram(language: Language) -> None:
    for _, text in messages(language):
        lines = text.plain().split("\n")

        assert all(len(line) <= 60 for line in lines[:2])  # that it is a sample stands above
        assert text.length <= 4096
        assert len(text.fitted(1024).plain()) <= 1024


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_running_cascade_fits_a_lock_screen_however_long_it_runs(
    language: Language, severity: Severity
) -> None:
    worst = replace(
        RUNNING,
        symbol="1000PEPE",
        position=Position.LONG,
        severity=severity,
        time=START_MS + 3_723_000,
    )
    for seen in (worst, replace(worst, against_map=True)):
        for text in (timeline([STARTED], seen, language), escalated(seen, language)):
            assert len(text.plain().split("\n")[0]) <= 60


def test_a_caption_keeps_the_newest_and_the_hashtags() -> None:
    caption = timeline([STARTED, STALLED, RESUMED], None, "ru").fitted(400).plain().split("\n")

    assert caption[0] == "▲ BTC ШОРТ-СКВИЗ ПРОДОЛЖИЛСЯ · КРИТИЧНО"
    assert caption[-1] == "#BTC #cascade #BTC2240"
