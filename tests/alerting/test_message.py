import pytest
from msgspec import UNSET
from msgspec.structs import replace
from sample_alerts import (
    ALL,
    APPLIED,
    DEGRADED,
    DIGEST,
    ENDED,
    JUDGED,
    RECOVERED,
    REJECTED,
    RESUMED,
    STALLED,
    STARTED,
    STORY,
    TILTED,
)

from liqwatch.alerting.catalogues import LANGUAGES, Language
from liqwatch.alerting.headline import headline
from liqwatch.alerting.message import (
    Text,
    late,
    noted,
    possible_duplicate,
    render,
    sample,
    timeline,
    worded,
)
from liqwatch.alerts import Alert, Direction, Kind, Level, Outcome
from liqwatch.events import Position


def said(alert: Alert) -> str:
    return render(alert).plain()


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_there_is_a_sample_of_every_kind() -> None:
    assert {alert.kind for alert in ALL} == set(Kind)


def test_a_start_tells_what_was_seen_in_order_of_weight() -> None:
    assert said(STARTED).split("\n") == [
        "▲ BTC SHORT CASCADE STARTED · CRITICAL",
        "90,184, +1.4% in 60 s",
        "Level: est. $2.9B at 89,900–90,300",
        "Forced buying ≥$39M in 30 s",
        "  bybit-linear $22M · okx-swap ≥$9.4M",
        (
            "Flow 2.3x what a feed shows once in 7 d · "
            "Forced flow alone explains a move of est. 4.2σ (1.8–13σ)"
        ),
        "Confirmed: forced orders and price feed each other strongly",
        "Speed 61 bp/min · acceleration 3.1σ · drift 8.1σ in 30 s",
        "Ahead: est. $2.4B at 91,800–92,200 (2.0% away)",
        (
            "OI −1.8% in 5 min (closing) · funding +0.0061%/8h (24 min old) · "
            "spot CVD +$41M (confirms) · basis +4.2 bp · volatility rank 97%"
        ),
        "Complete feeds hold 43% of open interest · blind: binance-usdm",
        "Learning: 5 of 72 h · volatility warming up",
        "#BTC #cascade #BTC2240",
    ]


def test_flow_that_explains_little_is_said_to_explain_only_part() -> None:
    weak = replace(STARTED, evidence={"forced_impact_z_low": 0.2, "forced_impact_z_high": 0.9})

    assert "Visible forced flow explains only part of this move" in said(weak)


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ("burst", "Unconfirmed: a run of stop-losses can look like this"),
        ("confirmed", "Confirmed: forced orders and price feed each other"),
    ],
)
def test_a_start_says_how_sure_it_is(tier: str, words: str) -> None:
    assert words in said(replace(STARTED, evidence={"tier": tier})).split("\n")


def test_a_start_without_history_says_which_limit_it_passed() -> None:
    absolute = replace(
        STARTED,
        evidence=STARTED.evidence | {"path": "absolute"},
        thresholds={"forced_impact_z": 3.0},
    )

    assert "est. 4.2σ (1.8–13σ), 3.0σ asked" in said(absolute)


def test_a_crossing_within_a_cascade_is_not_judged_by_its_speeds() -> None:
    crossed = replace(JUDGED, evidence=JUDGED.evidence | {"in_cascade": True, "closest_pct": -0.4})

    assert "Crossed in a running cascade" in said(crossed)
    assert "0.40% through it" in said(crossed)
    assert "bp/min" not in said(crossed)


def test_a_young_map_says_how_young() -> None:
    young = replace(STARTED, evidence=STARTED.evidence | {"map_hours": 0.4})
    old = replace(STARTED, evidence=STARTED.evidence | {"map_hours": 30.0})

    assert "map of 24 min" in said(young)
    assert "map of" not in said(old)


def test_without_a_complete_feed_the_explained_move_is_a_lower_bound() -> None:
    sampled = replace(STARTED, evidence={"forced_impact_z_low": 3.4})

    assert "Forced flow alone explains a move of ≥3.4σ" in said(sampled)


def test_a_level_without_forced_orders_says_so() -> None:
    quiet = replace(JUDGED, evidence=JUDGED.evidence | {"forced_usd_at_level": 0.0})

    assert "No forced buying seen since the approach" in said(quiet)


def test_a_stall_and_an_end_tell_the_leg_and_the_forced_flow() -> None:
    assert said(STALLED).split("\n")[:3] == [
        "▲ BTC SHORT CASCADE STALLED at 91,240 after 3:40 · WARNING",
        "90,184 → 91,300 (+1.2%), now 91,240",
        "Speed 61 → 6.0 bp/min",
    ]
    assert said(ENDED).split("\n")[:6] == [
        "▲ BTC SHORT CASCADE ENDED, EXHAUSTED after 11:20 · INFO",
        "90,184 → 92,410 (+2.5%), now 91,560, 38% given back",
        "Forced buying $210M in all, $58M in its worst minute",
        "Crossed 92,000 (your level) accelerated",
        "est. $5.3B of the map lay in its path",
        "Speed 4.2x what volatility implied",
    ]
    assert (
        "Within −15%..+15%: shorts above est. $14B → $5.0B, longs below est. $980M → $980M,"
        " shorts to longs 14:1 → 5.1:1"
    ) in said(ENDED)
    assert ("лонги ниже оц. $980M → $980M, шорты к лонгам 14:1 → 5.1:1") in render(
        ENDED, "ru"
    ).plain()
    one_sided = replace(ENDED, evidence={**ENDED.evidence, "asymmetry_after": None})
    assert "shorts to longs" not in said(one_sided)


def test_a_verdict_counts_the_approaches_that_set_off_nothing() -> None:
    text = said(JUDGED)

    assert text.startswith("▲ BTC REVERSED at 89,900–90,300 · 3rd approach · INFO\n")
    assert "3 approaches in 9 h, none activated" in text


def test_a_configuration_message_lists_each_change_or_error() -> None:
    assert said(APPLIED) == "Configuration applied · INFO\ndetection.drift_z30 4 → 5"
    assert "liqwatch.yaml:9:22: detection.drift_z30: 0 is too small" in said(REJECTED)


def test_a_visible_amount_is_a_lower_bound_unless_the_feeds_are_complete() -> None:
    whole = replace(STARTED, evidence={**STARTED.evidence, "coverage": 1.0})

    assert "Forced buying ≥$39M" in said(STARTED)
    assert "Forced buying $39M" in said(whole)


def test_every_figure_of_the_map_says_est_and_unmapped_is_said() -> None:
    def level_line(source: str) -> str:
        level = Level(low=9.0, high=9.0, notional=1e6, source=source)  # type: ignore[arg-type]  # the five words
        return said(replace(STARTED, level=level)).split("\n")[2]

    assert level_line("estimate") == "Level: est. $1.0M at 9.0000"
    assert level_line("imported") == "Level: est. $1.0M at 9.0000 (imported)"
    assert level_line("observed") == "Level: $1.0M at 9.0000 (published positions)"
    assert level_line("user") == "Level: 9.0000 (your level, est. $1.0M there)"
    assert level_line("unmapped") == "Unmapped: no cluster is known here"


def test_a_cascade_against_the_map_says_so_in_its_first_line() -> None:
    down = replace(STARTED, against_map=True, position=Position.LONG, direction=Direction.DOWN)

    assert headline(down) == "▼ BTC LONG CASCADE STARTED · CRITICAL · AGAINST THE MAP"
    assert "Forced selling" in said(down)


def test_an_end_that_was_not_seen_says_so() -> None:
    text = said(replace(ENDED, outcome=Outcome.UNKNOWN))

    assert "ENDED, OUTCOME UNKNOWN" in text
    assert "could not be followed to its end" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("alert", ALL, ids=lambda alert: alert.kind)
def test_the_first_line_fits_a_lock_screen(alert: Alert, language: Language) -> None:
    for symbol in ("BTC", "1000PEPE"):
        assert len(headline(replace(alert, symbol=symbol), language)) <= 60


@pytest.mark.parametrize("alert", ALL, ids=lambda alert: alert.kind)
def test_missing_evidence_only_leaves_lines_out(alert: Alert) -> None:
    bare = replace(alert, evidence={}, level=None, price=None, position=None, direction=None)
    bare = replace(bare, members=UNSET)
    empty = replace(bare, evidence=dict.fromkeys(alert.evidence))

    assert said(bare) == said(empty)
    assert len(said(bare).split("\n")) <= 2


def test_the_one_message_of_a_story_shows_its_newest_state_and_the_way_there() -> None:
    lines = timeline([STARTED, STALLED]).plain().split("\n")

    assert said(STARTED) == timeline([STARTED]).plain()
    assert lines[:4] == [
        "▲ BTC SHORT CASCADE STALLED at 91,240 after 3:40 · WARNING",
        "22:40:05 started at 90,184 → 22:43:45 stalled at 91,240 (UTC)",
        "At the start:",
        "90,184, +1.4% in 60 s",
    ]


def test_the_one_message_of_an_ended_story_sums_it_up() -> None:
    lines = timeline(STORY).plain().split("\n")

    assert headline(ENDED) == lines[0]
    assert lines[2] == "90,184 → 92,410 (+2.5%), now 91,560, 38% given back"


def test_a_long_story_leaves_out_its_middle() -> None:
    story = timeline([STARTED, *(STALLED, RESUMED) * 20]).plain().split("\n")[1]

    assert story.startswith("22:40:05 started at 90,184 → … → ")
    assert len(story) < 250


def test_marks_stand_in_the_first_line() -> None:
    text = Text("first\nsecond")

    assert late(text, STARTED.time).plain() == "late, from 22:40 UTC: first\nsecond"
    assert possible_duplicate(text).plain() == "first (possible duplicate)\nsecond"
    assert late(text, STARTED.time, "ru").plain().startswith("с опозданием, от 22:40 UTC: first")


def test_a_sample_and_a_note_stand_above_the_message() -> None:
    assert sample(Text("first")).plain() == "SAMPLE, not a real alert\nfirst"
    assert noted(Text("first"), "note").plain() == "note\nfirst"


def test_a_worded_alert_carries_its_message() -> None:
    assert said(STARTED) == worded(STARTED).text


def test_names_lose_what_could_turn_or_hide_text() -> None:
    hostile = replace(STARTED, symbol="B\u202eT\u200bC\n\x07\ud800<b>")

    assert headline(hostile) == "▲ BTC <b> SHORT CASCADE STARTED · CRITICAL"


def test_too_long_a_message_loses_whole_lines_from_its_end_and_says_so() -> None:
    errors = [f"liqwatch.yaml:{line}: {'x' * 90}" for line in range(200)]
    lines = worded(replace(REJECTED, evidence={"errors": errors})).text.split("\n")

    assert errors[: len(lines) - 2] == lines[1:-1]
    assert f"({200 - len(lines) + 2} more lines)" == lines[-1]


def test_a_feed_that_fails_says_why_and_what_is_still_heard() -> None:
    assert said(DEGRADED).split("\n") == [
        "• FEED DEGRADED: binance-usdm · WARNING",
        "Takes the subscription and delivers nothing",
        "Silent for 1:01 · 43% of the liquidations seen in a day",
        "Still heard: bybit-linear, okx-swap",
        "#MARKET #feed #MARKET2240",
    ]


def test_a_feed_that_fails_names_its_channels_where_there_is_room() -> None:
    short = replace(
        DEGRADED, evidence=DEGRADED.evidence | {"venues": ["dydx"], "channels": ["trades"]}
    )

    assert headline(short) == "• FEED DEGRADED: dydx (trades) · WARNING"


def test_feeds_that_fail_together_are_counted_and_each_says_why() -> None:
    several = replace(
        DEGRADED,
        evidence={
            "venues": ["binance-usdm", "okx-swap"],
            "channels": ["trades"],
            "reason": None,
            "remaining_venues": [],
            "by_venue": {
                "binance-usdm": {"reason": "nothing for 46 s"},
                "okx-swap": {"reason": "connection lost (1006)"},
            },
        },
    )

    assert said(several).split("\n") == [
        "• FEEDS DEGRADED: all 2 venues · WARNING",
        "binance-usdm: nothing for 46 s",
        "okx-swap: connection lost (1006)",
        "Blind: no other venue is heard",
        "#MARKET #feed #MARKET2240",
    ]


def test_a_feed_that_is_back_says_after_how_long_and_what_is_missing() -> None:
    some = replace(
        RECOVERED,
        evidence=RECOVERED.evidence
        | {"venues": ["binance-usdm", "bybit-linear"], "still_degraded": ["okx-swap"]},
    )

    assert said(RECOVERED).split("\n") == [
        "• FEED RECOVERED: binance-usdm after 4:12 · INFO",
        "Liquidations of that time may be missing",
        "#MARKET #feed #MARKET2240",
    ]
    assert said(some).split("\n")[:4] == [
        "• FEEDS RECOVERED: 2 venues after 4:12 · INFO",
        "Live again: binance-usdm, bybit-linear",
        "Liquidations of that time may be missing",
        "Still missing: okx-swap",
    ]


def test_the_one_message_of_an_outage_tells_its_end_and_how_it_began() -> None:
    lines = timeline([DEGRADED, RECOVERED]).plain().split("\n")

    assert lines[:2] == [
        "• FEED RECOVERED: binance-usdm after 4:12 · INFO",
        "22:40:05 degraded → 22:44:17 recovered (UTC)",
    ]
    assert "Takes the subscription and delivers nothing" in lines


def test_a_tilt_is_a_ratio_with_both_amounts_and_the_window() -> None:
    assert said(TILTED).split("\n") == [
        "• BTC MAP TILTS TO SHORTS, 14:1 · INFO",
        "71,450",
        "Within −15%..+40%: shorts above est. $14B, longs below est. $980M, 14:1 (24 h ago 12:1)",
        "Amounts compare with each other, not with dollars",
        "Map of 9 h",
        "Clusters are magnets, not a forecast.",
        "#BTC #asymmetry",
    ]


def test_a_tilt_to_longs_reads_as_one_to_so_many() -> None:
    longs = replace(TILTED, position=Position.LONG, evidence=TILTED.evidence | {"ratio": 0.25})
    even = replace(TILTED, position=None, evidence=TILTED.evidence | {"ratio": 1.8})

    assert headline(longs) == "• BTC MAP TILTS TO LONGS, 1:4.0 · INFO"
    assert headline(even) == "• BTC MAP NO LONGER TILTS, 1.8:1 · INFO"


def test_a_ratio_that_is_not_known_is_left_out_and_the_amounts_stay() -> None:
    one_sided = TILTED.evidence | {"long_usd": 0.0, "ratio": None, "ratio_24h_ago": None}
    text = said(replace(TILTED, evidence=one_sided))

    assert text.startswith("• BTC MAP TILTS TO SHORTS · INFO")
    assert "Within −15%..+40%: shorts above est. $14B, longs below est. $0\n" in text


def test_a_digest_tells_what_lies_where_and_what_came_of_it() -> None:
    assert said(DIGEST).split("\n") == [
        "• BTC MAP DIGEST, shorts to longs 14:1 · INFO",
        "71,450",
        "Within −15%..+40%: shorts above est. $14B, longs below est. $980M, 14:1 (24 h ago 12:1)",
        "Amounts compare with each other, not with dollars",
        "Above: est. $1.6B at 84,900–85,200 (+19%)",
        "Ranges above: est. $14B at 84,000–100,000 of 7 clusters (+18%)",
        "In 24 h: 4 approaches to levels, 0 activated",
        "Reached: 72,900–73,100 reversed",
        "MAP NOT ACTIVATING: 3 clusters reached, none reacted",
        (
            "Score B: 31% (27%–36%) of liquidations hit its top tenth, chance 10%; "
            "412 events in 30 d."
        ),
        "Frozen, open interest in doubt: okx-swap 23% of it",
        "Map of 9 h",
        "Clusters are magnets, not a forecast. No financial advice.",
        "#BTC #map",
    ]


def test_a_map_that_does_activate_is_not_said_not_to() -> None:
    reacting = replace(DIGEST, evidence=DIGEST.evidence | {"map_not_activating": False})

    assert "NOT ACTIVATING" not in said(reacting)


def test_amounts_of_a_calibrated_map_are_told_as_ranges() -> None:
    ranges = {"low": 1.6e9, "high": 2.4e9}
    rung = {**DIGEST.evidence["above"][0], "notional_range_usd": ranges}
    text = said(
        replace(
            DIGEST,
            evidence=DIGEST.evidence
            | {"above": [rung], "short_range_usd": ranges, "long_range_usd": None},
        )
    )

    assert "Above: est. $1.6–2.4B at 84,900–85,200 (+19%)" in text
    assert "shorts above est. $1.6–2.4B, longs below est. $980M" in text


def test_a_map_no_better_than_chance_is_said_to_name_no_levels() -> None:
    failed = replace(DIGEST, evidence=DIGEST.evidence | {"names_levels": False})

    assert "The map names no levels by itself" in said(failed)
    assert "names no levels" not in said(DIGEST)


def test_every_message_of_a_story_has_the_hashtag_of_its_beginning() -> None:
    known = replace(RESUMED, evidence=RESUMED.evidence | {"duration_s": 260})

    for alert in (STARTED, STALLED, known, ENDED):
        assert said(alert).endswith("\n#BTC #cascade #BTC2240")
    assert said(JUDGED).endswith("\n#BTC #level")


def test_huge_evidence_still_gives_a_valid_message() -> None:
    flows = {f"venue-{number}" * 20: 1e6 for number in range(500)}
    huge = replace(STARTED, evidence={**STARTED.evidence, "forced_usd_30s_by_venue": flows})

    assert headline(STARTED) == worded(huge).text.split("\n")[0]
    assert utf16_length(worded(huge).text) <= 4096
