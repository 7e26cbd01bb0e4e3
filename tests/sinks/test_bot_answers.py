"""Answers of the daemon as people read them, in every language."""

import re
from html import unescape

import pytest
from msgspec.structs import replace
from sample_alerts import ENDED, JUDGED, STARTED
from sample_map import small_map

from liqwatch.alerting.catalogues import LANGUAGES, Language
from liqwatch.alerts import Direction, Verdict
from liqwatch.control.vocabulary import (
    Answer,
    Changed,
    Criterion,
    Delivered,
    DiffAnswer,
    Explained,
    Judged,
    LevelsAnswer,
    LevelScore,
    LogAnswer,
    MapAnswer,
    MutesAnswer,
    NearMiss,
    OrderedAnswer,
    ReplayAnswer,
    StatusAnswer,
    ThresholdAnswer,
    WatchedAnswer,
    WhyAnswer,
    WhyNotAnswer,
)
from liqwatch.control.why import criteria
from liqwatch.engine.levels import Phase
from liqwatch.engine.liveness import FeedHealth
from liqwatch.engine.pace import FeedState
from liqwatch.map_view import MapShown
from liqwatch.sinks.telegram.bot.answers import Reply, feeds_reply, help_reply, reply

__all__ = ["small_map"]  # a fixture

FEEDS = (
    FeedHealth("bybit-linear", "trades", FeedState.LIVE, "", 0),
    FeedHealth("okx-swap", "trades", FeedState.DEAD, "takes nothing", 61),
)
LEVEL = LevelScore(
    symbol="BTC",
    low=90_000.0,
    high=90_000.0,
    source="user",
    position=None,
    direction=Direction.UP,
    distance_pct=-1.1,
    notional_usd=None,
    phase=Phase.JUDGED,
    approaches=3,
    activated=0,
    verdicts=(Judged(1_761_000_000_000, Verdict.REVERSED),),
)
EXPLAINED = Explained(
    replace(STARTED, text="BTC started", thresholds={"drift_z": 6.0, "forced_impact_z": 5.0}),
    criteria(replace(STARTED, thresholds={"drift_z": 6.0, "forced_impact_z": 5.0})),
    (
        Delivered("telegram:-100123", "root", "sent", "a story begins", ""),
        Delivered("webhook", "alone", "dropped", "every alert is sent", "HTTP 410"),
    ),
)
AT_MS = 1_761_000_000_000
MISS = NearMiss(
    time=AT_MS + 72_000,
    direction=Direction.UP,
    path="rarity",
    venue="bybit-linear",
    return_hours=168.0,
    nearness=0.805,
    criteria=(
        Criterion("rarity_ratio", 0.61, 1.0, at_least=True),
        Criterion("drift_z", 7.2, 6.0, at_least=True),
    ),
    deaf=("okx-swap",),
    learning={"gate-usdt": 2.1},
)
SILENCE = WhyNotAnswer(
    symbol="BTC",
    at=AT_MS,
    since=AT_MS - 300_000,
    until=AT_MS + 300_000,
    told=(),
    misses=(),
    remembered=True,
    moved_pct=0.25,
    forced_usd=4_100.0,
    deaf=("okx-swap",),
)
BY_IMPACT = replace(MISS, venue=None, return_hours=None, direction=Direction.DOWN, nearness=0.5)
ANSWERS: list[Answer] = [
    StatusAnswer("1/2 venues live", FEEDS),
    StatusAnswer("2/2 venues live", FEEDS[:1]),
    LevelsAnswer((LEVEL,)),
    LevelsAnswer(()),
    WhyAnswer((EXPLAINED,)),
    ReplayAnswer("BTC", STARTED.time, ENDED.time, ("a.zst",), "liqwatch replay a.zst", None),
    ReplayAnswer("BTC", STARTED.time, ENDED.time, (), "", replace(ENDED, text="BTC ended\nby 2%")),
    LogAnswer(("a line",)),
    LogAnswer(()),
    MutesAnswer(()),
    WatchedAnswer("BTC", (85_000.0, 90_000.0), 1_761_000_000_000),
    WatchedAnswer("BTC", (), 1_761_000_000_000),
    ThresholdAnswer("detection.drift_z30", "6", "default"),
    ThresholdAnswer("detection.drift_z30", "7", "file"),
    ThresholdAnswer("detection.drift_z30", "5", "override", 1_761_000_000_000, "@x"),
    DiffAnswer((Changed("a 1 → 2", 1_761_000_000_000, "@x"),)),
    DiffAnswer((Changed("a 1 → 2", 1_761_000_000_000, "@x", "gone"),)),
    DiffAnswer(()),
    OrderedAnswer(),
    SILENCE,
    replace(SILENCE, misses=(MISS, BY_IMPACT), told=(JUDGED,)),
    replace(SILENCE, misses=(BY_IMPACT,)),
    replace(SILENCE, told=(replace(STARTED, text="BTC started"), ENDED), deaf=()),
    replace(SILENCE, remembered=False, moved_pct=None, forced_usd=None, deaf=()),
]


def shown(one: Reply) -> str:
    return unescape(re.sub(r"</?(b|pre)>", "", one.html()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: type(one).__name__)
def test_every_answer_can_be_said_in_every_language(answer: Answer, language: Language) -> None:
    said = shown(reply(answer, language))

    assert said.strip()
    assert "bot-" not in said
    assert "{" not in said


def test_the_status_names_what_is_wrong() -> None:
    assert shown(reply(ANSWERS[0], "en")).splitlines() == [
        "1/2 venues live",
        "okx-swap trades: DEAD for 61 s, takes nothing",
    ]
    assert shown(feeds_reply(StatusAnswer("1/2 venues live", FEEDS), "en")).splitlines() == [
        "1/2 venues live",
        "bybit-linear: trades live",
        "okx-swap: trades DEAD",
    ]


def test_the_scoreboard_tells_approaches_and_verdicts_of_a_level() -> None:
    assert shown(reply(ANSWERS[2], "en")).splitlines() == [
        "BTC levels",
        "90,000 (−1.1%) yours: judged",
        "  3 approaches, 0 activated · 10-20 22:40 reversed",
    ]


def test_why_tells_margins_and_what_became_of_it_but_no_chat_ids() -> None:
    said = shown(reply(ANSWERS[4], "en"))

    assert "rarity_ratio 2.3, limit 1.0 (+130%)" in said
    assert "drift_z 8.1, limit 6.0 (+35%)" in said
    assert "forced_impact_z 4.2, limit 5.0 (−16%), not met" in said
    assert "Share of the market that was heard: 43%" in said
    assert "spot CVD +$41M (confirms)" in said
    assert "telegram: root, sent (a story begins)" in said
    assert "webhook: alone, dropped (every alert is sent; HTTP 410)" in said
    assert "-100123" not in said


def test_what_is_to_be_copied_stands_in_type_of_one_width() -> None:
    assert reply(ANSWERS[5], "en").html().endswith("<pre>liqwatch replay a.zst</pre>")
    assert reply(LogAnswer(("a <b> & c",)), "en").html() == "<pre>a &lt;b&gt; &amp; c</pre>"


def test_a_map_fits_a_caption(shown: MapShown) -> None:
    clusters = tuple(
        replace(shown.map.clusters[0], id=str(number), low=1.0 * number, distance_pct=float(number))
        for number in range(1, 200)
    )
    many = replace(shown, map=replace(shown.map, clusters=clusters))
    said = reply(MapAnswer(many), "en")

    assert said.shown is many
    assert len(re.sub(r"<[^>]+>", "", said.html())) <= 1024


@pytest.mark.parametrize("letter", ["x", "<", "&", "😀"])
def test_whole_lines_are_left_out_of_what_is_too_long(letter: str) -> None:
    for one in (
        Reply([letter * 100] * 500),
        Reply([letter * 10_000]),
        Reply(["title"], [letter * 200] * 200),
    ):
        text = unescape(re.sub(r"</?(b|pre)>", "", one.html()))
        assert 0 < len(text.encode("utf-16-le")) // 2 <= 4096
        assert text.rstrip("\n").endswith("…")


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_fits_one_message(language: Language) -> None:
    assert "…" not in help_reply(language).html()


def test_the_nearest_miss_is_told_number_by_number_and_the_others_in_a_line() -> None:
    answer = replace(SILENCE, misses=(MISS, BY_IMPACT))

    assert shown(reply(answer, "en")).splitlines() == [
        "BTC 2025-10-20 22:40:00 UTC: no cascade was called within 5 min",
        (
            "Nearest at 22:41:12 up, 80% of the way:"
            " flow of bybit-linear against what it shows once in 7 d"
        ),
        "rarity_ratio 0.61 of 1.0: short by 39%",
        "drift_z 7.2 of 6.0: reached",
        "Not heard then: okx-swap",
        "Too little history to call their flow rare: gate-usdt (2 h)",
        "At 22:41:12 down, 50% of the way, short of rarity_ratio",
        "Price moved by 0.25% in that time.",
        "Forced orders shown in that time: $4.1K",
    ]


def test_a_cascade_of_that_time_points_to_its_numbers() -> None:
    told = (replace(STARTED, text="BTC started\nand more"),)

    assert shown(reply(replace(SILENCE, told=told), "en")).splitlines()[:3] == [
        "BTC 2025-10-20 22:40:00 UTC: a cascade ran or was called within 5 min",
        "22:40:05 BTC started",
        f"Its numbers: why {STARTED.episode}",
    ]


def test_what_is_forgotten_is_not_called_ordinary() -> None:
    forgotten = replace(SILENCE, remembered=False, moved_pct=None, forced_usd=None, deaf=())

    assert shown(reply(SILENCE, "en")).splitlines()[1] == "Nothing came near a start."
    assert "is not remembered" in shown(reply(forgotten, "en"))
    assert "is not remembered" not in shown(reply(replace(forgotten, misses=(MISS,)), "en"))
