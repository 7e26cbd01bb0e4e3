"""The Russian catalogue, read as whole messages."""

import pytest
from msgspec.structs import replace
from sample_alerts import DEGRADED, DIGEST, ENDED, JUDGED, RECOVERED, STARTED, TILTED

from liqwatch.alerting.headline import headline
from liqwatch.alerting.message import render
from liqwatch.alerts import Alert, Direction, Verdict
from liqwatch.events import Position


def said(alert: Alert) -> list[str]:
    return render(alert, "ru").plain().split("\n")


def test_a_start_tells_what_was_seen_in_order_of_weight() -> None:
    assert said(STARTED) == [
        "▲ BTC ШОРТ-СКВИЗ НАЧАЛСЯ · КРИТИЧНО",
        "90,184, +1.4% за 60 с",
        "Уровень: оц. $2.9B на 89,900–90,300",
        "Принудительные покупки ≥$39M за 30 с",
        "  bybit-linear $22M · okx-swap ≥$9.4M",
        (
            "Объём 2.3x от того, что лента показывает раз в 7 д · "
            "Одни принудительные ордера объясняют движение в оц. 4.2σ (1.8–13σ)"
        ),
        "Подтверждено: принудительные ордера и цена сильно подпитывают друг друга",
        "Скорость 61 б.п./мин · ускорение 3.1σ · сдвиг 8.1σ за 30 с",
        "Впереди: оц. $2.4B на 91,800–92,200 (до него 2.0%)",
        (
            "ОИ −1.8% за 5 мин (закрытие) · фандинг +0.0061%/8 ч (24 мин назад) · "
            "дельта спота +$41M (подтверждает) · базис +4.2 б.п. · ранг волатильности 97%"
        ),
        "Полные ленты охватывают 43% открытого интереса · не слышно: binance-usdm",
        "Обучение: 5 из 72 ч · волатильность ещё набирается",
        "#BTC #cascade #BTC2240",
    ]


def test_a_cascade_against_the_map_says_so_in_its_first_line() -> None:
    down = replace(STARTED, against_map=True, position=Position.LONG, direction=Direction.DOWN)

    assert headline(down, "ru") == "▼ BTC КАСКАД ЛОНГОВ НАЧАЛСЯ · КРИТИЧНО · ПРОТИВ КАРТЫ"


def test_an_end_sums_the_cascade_up() -> None:
    assert said(ENDED)[:3] == [
        "▲ BTC ШОРТ-СКВИЗ ОКОНЧЕН, ВЫДОХСЯ через 11:20 · ИНФО",
        "90,184 → 92,410 (+2.5%), сейчас 91,560, отдано 38%",
        "Принудительные покупки $210M всего, $58M за худшую минуту",
    ]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.ACCELERATED, "УСКОРЕНИЕ на"),
        (Verdict.FADED, "ЗАТУХАНИЕ у"),
        (Verdict.REVERSED, "ОТБОЙ от"),
    ],
)
def test_each_verdict_has_its_word(verdict: Verdict, words: str) -> None:
    first = said(replace(JUDGED, verdict=verdict))[0]

    assert first == f"▲ BTC {words} 89,900–90,300 · 3-й подход · ИНФО"


@pytest.mark.parametrize(
    ("approach", "activated", "words"),
    [
        (2, 0, "2 подхода за 9 ч, ни один не сработал"),
        (5, 1, "5 подходов за 9 ч, сработал 1"),
        (21, 2, "21 подход за 9 ч, сработало 2"),
    ],
)
def test_approaches_are_counted_as_russians_count(
    approach: int, activated: int, words: str
) -> None:
    seen = replace(JUDGED, approach=approach, evidence=JUDGED.evidence | {"activated": activated})

    assert words in said(seen)


def test_a_ratio_never_stands_without_both_amounts_and_its_window() -> None:
    assert said(TILTED)[0] == "• BTC КАРТА: ПЕРЕВЕС ШОРТОВ, 14:1 · ИНФО"
    assert said(TILTED)[2] == (
        "В пределах −15%..+40%: шорты выше оц. $14B, лонги ниже оц. $980M, 14:1 (24 ч назад 12:1)"
    )


def test_a_digest_says_that_the_map_does_not_activate() -> None:
    assert "КАРТА НЕ СРАБАТЫВАЕТ: цена дошла до 3 кластеров, реакции не было" in said(DIGEST)
    assert "Кластеры это магниты, а не прогноз. Не финансовый совет." in said(DIGEST)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("takes the subscription and delivers nothing", "Принимает подписку и ничего не передаёт"),
        ("does not answer the subscription", "Не отвечает на подписку"),
        ("delivers other things, but no trade", "Передаёт другое, но ни одной сделки"),
        ("connection lost (1006)", "Соединение потеряно (1006)"),
        (
            "nothing for 46 s, usually something every 1.2 s",
            "Ничего уже 46 с, обычно что-то каждые 1.2 с",
        ),
        (
            "shows none while other venues showed 41: about 17 were to be expected",
            "Не показывает ничего, а другие площадки показали 41: ожидалось около 17",
        ),
        ("HTTP 451", "HTTP 451"),
    ],
)
def test_each_reason_of_a_failure_is_told_in_the_readers_language(reason: str, words: str) -> None:
    failed = replace(DEGRADED, evidence=DEGRADED.evidence | {"reason": reason})

    assert said(failed)[1] == words
    assert render(failed).plain().split("\n")[1].lower() == reason.lower()


def test_feeds_that_fail_and_are_back() -> None:
    assert said(DEGRADED)[0] == "• СБОЙ ДАННЫХ: binance-usdm (trades, liquidations) · ВАЖНО"
    assert said(RECOVERED)[0] == "• ДАННЫЕ СНОВА ИДУТ: binance-usdm через 4:12 · ИНФО"
    several = replace(DEGRADED, evidence={"venues": ["binance-usdm", "okx-swap"]})
    assert said(several)[0] == "• СБОЙ ДАННЫХ: все 2 площадки · ВАЖНО"
