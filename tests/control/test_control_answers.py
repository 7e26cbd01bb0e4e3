"""What a daemon with all its workings answers."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, JUDGED, STALLED, START_MS, STARTED

from liqwatch.alerting.intents import Intent, Role
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import Alert, Direction, Verdict
from liqwatch.config import Config, loads
from liqwatch.control import Control, ControlError, Settings, Workings
from liqwatch.control.vocabulary import (
    AskDiff,
    AskLevels,
    AskMutes,
    AskReplay,
    AskThreshold,
    AskWhy,
    AskWhyNot,
    DiffAnswer,
    LevelsAnswer,
    Mute,
    Muted,
    MutesAnswer,
    OrderedAnswer,
    Reload,
    ReplayAnswer,
    SetThreshold,
    ThresholdAnswer,
    Unmute,
    Unwatch,
    Watch,
    WatchedAnswer,
    WhyAnswer,
    WhyNotAnswer,
)
from liqwatch.engine import Engine
from liqwatch.engine.clusters import Zone
from liqwatch.engine.levels import LevelWatch, Phase
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.snapshot import EngineState
from liqwatch.engine.state import SymbolState
from liqwatch.samples import MARKET_STARTED
from liqwatch.store import Database, Deliveries
from liqwatch.store.deliveries import Queued
from liqwatch.store.overrides import Overrides

NOW_MS = START_MS + 3_600_000
HOUR_MS = 3_600_000
CONFIG = loads("symbols: {BTC: {watch_levels: [90k]}, ETH: }\ndetection: {drift_z30: 7}", "x.yaml")


class Quiet:
    """Receivers that remember what they were asked not to be told."""

    def __init__(self) -> None:
        self.held: list[Muted] = []

    def mute(self, receiver: str | None, silence: Silence) -> None:
        self.held.append(Muted(receiver or "all", silence))

    def unmute(self, receiver: str, silence_id: str) -> None:
        self.held = [
            one for one in self.held if (one.receiver, one.silence.id) != (receiver, silence_id)
        ]

    def mutes(self, receiver: str | None) -> Sequence[Muted]:
        return [one for one in self.held if receiver in {None, one.receiver}]


class Asked:
    """A daemon that knows one coin, on the disk of a test."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "db")
        self.now_ms = NOW_MS
        self.configured: list[Config] = []
        self.reloads = 0
        self.settings = Settings(CONFIG, Overrides(self.database), on_change=self.configured.append)
        state = EngineState()
        state.symbols["BTC"] = SymbolState(name="BTC", number=0)
        state.symbols["BTC"].price.price = 91_000.0
        self.btc = state.symbols["BTC"]
        self.control = Control(
            Engine(EngineSettings(), watch=None, promises={}, state=state),
            lambda: "well",
            Workings(
                database=self.database,
                settings=self.settings,
                receivers=Quiet(),
                reload=self._reload,
                now_ms=lambda: self.now_ms,
                tapes=folder,
                config_path=Path("/etc/liqwatch.yaml"),
            ),
        )

    def _reload(self) -> None:
        self.reloads += 1

    def decided(self, *alerts: Alert) -> None:
        intent = Intent(Role.ALONE, silent=True, reason="every alert is sent")
        queued = [
            Queued(receiver="console", intent=intent, time_ms=one.time, alert=one.id)
            for one in alerts
        ]
        Deliveries(self.database).add(queued, alerts=alerts)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    asked = Asked(tmp_path)
    with closing(asked.database):
        yield asked


# -- why and replay --------------------------------------------------------------------------------


def test_why_tells_a_story_with_limits_margins_and_deliveries(asked: Asked) -> None:
    started = replace(STARTED, thresholds={"drift_z": 6.0, "floor_usd_30s": 1000.0, "preset": "x"})
    asked.decided(started, STALLED, APPROACHED)
    answer = asked.control.answer(AskWhy("btc-up-1"))

    assert isinstance(answer, WhyAnswer)
    first, second = answer.explained
    assert (first.alert, second.alert) == (started, STALLED)
    assert [(one.name, one.value, one.limit, one.met) for one in first.criteria] == [
        ("rarity_ratio", 2.3, 1.0, True),
        ("drift_z", 8.1, 6.0, True),
        ("forced_usd_30s", 38.64e6, 1000.0, True),
    ]
    assert first.criteria[1].margin_pct == pytest.approx(35.0)
    assert [(one.receiver, one.state, one.reason) for one in first.deliveries] == [
        ("console", "pending", "every alert is sent")
    ]


def test_why_the_market_is_said_with_how_many_coins_it_takes(asked: Asked) -> None:
    asked.decided(MARKET_STARTED)
    answer = asked.control.answer(AskWhy("market"))

    assert isinstance(answer, WhyAnswer)
    ((criterion,),) = (one.criteria for one in answer.explained)
    assert (criterion.name, criterion.value, criterion.limit) == ("coins_cascading", 3.0, 3.0)


def test_a_lower_number_meets_an_upper_limit(asked: Asked) -> None:
    asked.decided(replace(APPROACHED, thresholds={"approach_sigma": 4.0}))
    answer = asked.control.answer(AskWhy("approach"))

    assert isinstance(answer, WhyAnswer)
    ((criterion,),) = (one.criteria for one in answer.explained)
    assert (criterion.name, criterion.met) == ("distance_sigma", True)
    assert criterion.margin_pct == pytest.approx(72.5)


def test_of_several_that_are_named_so_the_newest_is_meant(asked: Asked) -> None:
    asked.decided(*(replace(APPROACHED, id=f"btc-{number}") for number in range(3)))

    for word in ("", "BTC", "#btc", "-2"):
        answer = asked.control.answer(AskWhy(word))
        assert isinstance(answer, WhyAnswer)
        assert [one.alert.id for one in answer.explained] == ["btc-2"]


def test_an_unknown_id_is_said(asked: Asked) -> None:
    with pytest.raises(ControlError, match="no alert yet"):
        asked.control.answer(AskWhy())
    asked.decided(STARTED)
    for word in ("xyz", "%", "' OR 1=1 --"):
        with pytest.raises(ControlError, match="no alert "):
            asked.control.answer(AskWhy(word))


def test_replay_names_the_tapes_of_that_time_and_the_command(asked: Asked, tmp_path: Path) -> None:
    for name in ("2025-10-20T21", "2025-10-20T22", "2025-10-20T22-2", "2025-10-20T23"):
        (tmp_path / f"{name}.jsonl.zst").touch()
    asked.decided(STARTED, STALLED, ENDED)  # 22:40 to 22:51
    answer = asked.control.answer(AskReplay("BTC-up-1"))

    assert isinstance(answer, ReplayAnswer)
    assert [Path(tape).name for tape in answer.tapes] == [
        "2025-10-20T22-2.jsonl.zst",
        "2025-10-20T22.jsonl.zst",
    ]
    assert answer.command.startswith("liqwatch replay /")
    assert answer.command.endswith("--config /etc/liqwatch.yaml")
    assert answer.ended == ENDED


def test_when_the_tapes_are_gone_there_is_no_command(asked: Asked) -> None:
    asked.decided(STARTED)
    answer = asked.control.answer(AskReplay("BTC"))

    assert isinstance(answer, ReplayAnswer)
    assert (answer.tapes, answer.command, answer.ended) == ((), "", None)


def test_why_there_was_no_alert_is_told_of_the_last_such_time_of_day(asked: Asked) -> None:
    asked.decided(STARTED, STALLED)  # at 22:40; now it is 23:40
    called = asked.control.answer(AskWhyNot("btc", "22:41"))
    yesterday = asked.control.answer(AskWhyNot("BTC", "23:50"))

    assert isinstance(called, WhyNotAnswer)
    assert isinstance(yesterday, WhyNotAnswer)
    assert (called.symbol, called.told) == ("BTC", (STARTED, STALLED))
    assert yesterday.at == START_MS - START_MS % 60_000 - 23 * HOUR_MS + 10 * 60_000
    assert yesterday.forgotten


# -- levels ----------------------------------------------------------------------------------------


def test_the_scoreboard_tells_approaches_and_verdicts(asked: Asked) -> None:
    for name, low, high in (("BTC-user-90000", 90_000.0, 90_000.0), ("BTC-c1", 92_000.0, 93_000.0)):
        zone = Zone(id=name, low=low, high=high, position=None, notional_usd=None, source="user")
        asked.btc.levels[name] = LevelWatch(zone=zone, direction=Direction.UP)
    watch = asked.btc.levels["BTC-user-90000"]
    watch.phase, watch.approaches, watch.activated = Phase.JUDGED, 3, 1
    times = {1: Verdict.FADED, 2: Verdict.REVERSED}
    asked.decided(
        *(
            replace(JUDGED, id=f"BTC-user-90000-level_verdict-{time}", time=time, verdict=verdict)
            for time, verdict in times.items()
        ),
        replace(JUDGED, id="BTC-user-900000-level_verdict-9"),
    )
    answer = asked.control.answer(AskLevels("btc"))

    assert isinstance(answer, LevelsAnswer)
    far, near = answer.levels
    assert (far.low, near.low) == (92_000.0, 90_000.0)
    assert far.distance_pct == pytest.approx(1.0989, abs=1e-3)
    assert near.distance_pct == pytest.approx(-1.0989, abs=1e-3)
    assert (near.approaches, near.activated) == (3, 1)
    assert [one.verdict for one in near.verdicts] == [Verdict.REVERSED, Verdict.FADED]
    everything = asked.control.answer(AskLevels())
    assert isinstance(everything, LevelsAnswer)
    assert [one.low for one in everything.levels] == [90_000.0]


def test_a_coin_without_a_price_has_no_levels(asked: Asked) -> None:
    with pytest.raises(ControlError, match="XYZ has no price yet"):
        asked.control.answer(AskLevels("XYZ"))


# -- mutes -----------------------------------------------------------------------------------------


def test_mutes_are_of_one_receiver_and_end(asked: Asked) -> None:
    mute = Mute("btc", 1, "@x", "telegram:1")
    answer = asked.control.answer(mute)

    silence = Silence(who="@x", since_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS, symbol="BTC")
    assert answer == MutesAnswer((Muted("telegram:1", silence),))
    assert asked.control.answer(AskMutes("telegram:2")) == MutesAnswer(())
    assert asked.control.answer(Unmute("btc", "telegram:1")) == MutesAnswer(())


def test_a_level_is_muted_beside_its_coin_and_all_is_unmuted_together(asked: Asked) -> None:
    zone = (90_000.0, 90_300.0)
    asked.control.answer(Mute("BTC", 1, "@x", "telegram:1", zone))
    asked.control.answer(Mute(None, 1, "@x", "telegram:1"))
    answer = asked.control.answer(Mute("BTC", 1, "@x", "telegram:1"))
    assert isinstance(answer, MutesAnswer)
    assert [one.silence.id for one in answer.mutes] == ["BTC:90000-90300", "all", "BTC"]

    answer = asked.control.answer(Unmute("BTC", "telegram:1", zone))
    assert isinstance(answer, MutesAnswer)
    assert [one.silence.id for one in answer.mutes] == ["all", "BTC"]
    assert asked.control.answer(Unmute(None, "telegram:1")) == MutesAnswer(())


def test_the_story_of_the_market_can_be_muted(asked: Asked) -> None:
    answer = asked.control.answer(Mute("market", 1, "@x", "telegram:1"))
    assert isinstance(answer, MutesAnswer)
    assert [one.silence.subject for one in answer.mutes] == ["MARKET"]


def test_a_coin_that_nobody_watches_cannot_be_muted(asked: Asked) -> None:
    with pytest.raises(ControlError, match="XYZ is not watched"):
        asked.control.answer(Mute("XYZ", 1, "@x"))
    assert isinstance(asked.control.answer(Mute("eth", 1, "@x")), MutesAnswer)


# -- settings --------------------------------------------------------------------------------------


def test_a_threshold_says_where_it_comes_from(asked: Asked) -> None:
    def told(symbol: str | None, key: str) -> ThresholdAnswer:
        answer = asked.control.answer(AskThreshold(key, symbol))
        assert isinstance(answer, ThresholdAnswer)
        return answer

    assert told(None, "drift_z10") == ThresholdAnswer("detection.drift_z10", "3", "default")
    assert told(None, "drift_z30") == ThresholdAnswer("detection.drift_z30", "7", "file")
    asked.control.answer(SetThreshold("drift_z30", "4", 2, "@x", "eth"))
    assert told("ETH", "drift_z30") == ThresholdAnswer(
        "symbols.ETH.detection.drift_z30", "4", "override", NOW_MS + 2 * HOUR_MS, "@x"
    )
    assert told("BTC", "drift_z30").source == "file"
    asked.control.answer(SetThreshold("drift_z30", "3", 2, "@y"))
    assert told("BTC", "drift_z30").who == "@y"
    assert told("ETH", "drift_z30").value == "4"


def test_a_change_is_in_force_until_it_ends(asked: Asked) -> None:
    asked.control.answer(SetThreshold("drift_z30", "4", 2, "@x"))
    assert asked.configured[-1].detection.drift_z30 == 4

    assert asked.settings.expire(NOW_MS + 2 * HOUR_MS - 1) == []
    assert asked.settings.expire(NOW_MS + 2 * HOUR_MS) == ["detection.drift_z30 4 → 7"]
    assert asked.configured[-1].detection.drift_z30 == 7


def test_a_change_outlives_a_reload_and_a_restart(asked: Asked) -> None:
    asked.control.answer(SetThreshold("drift_z30", "4", 2, "@x"))

    assert asked.settings.take(Config()).detection.drift_z30 == 4
    again = Settings(CONFIG, Overrides(asked.database), on_change=asked.configured.append)
    assert again.in_force.detection.drift_z30 == 4


def test_a_change_can_be_taken_back(asked: Asked) -> None:
    asked.control.answer(SetThreshold("drift_z30", "4", 2, "@x"))
    answer = asked.control.answer(SetThreshold("drift_z30", None, 2, "@x"))

    assert answer == ThresholdAnswer("detection.drift_z30", "7", "file")
    with pytest.raises(ControlError, match=r"detection\.drift_z30 is as the file says"):
        asked.control.answer(SetThreshold("drift_z30", None, 2, "@x"))


def test_a_bad_value_changes_nothing(asked: Asked) -> None:
    with pytest.raises(ControlError, match="must be a number from 1 to 100"):
        asked.control.answer(SetThreshold("drift_z30", "0.1", 2, "@x"))
    with pytest.raises(ControlError, match="XYZ is not among the watched coins"):
        asked.control.answer(SetThreshold("drift_z30", "5", 2, "@x", "XYZ"))
    assert asked.control.answer(AskDiff()) == DiffAnswer(())
    assert asked.configured == []


def test_prices_are_watched_and_no_longer_watched(asked: Asked) -> None:
    until_ms = NOW_MS + HOUR_MS
    told = asked.control.answer(Watch("btc", ("85k", "90k"), 1, "@x"))
    assert told == WatchedAnswer("BTC", (85_000.0, 90_000.0), until_ms)
    told = asked.control.answer(Unwatch("BTC", ("90000",), 1, "@x"))
    assert told == WatchedAnswer("BTC", (85_000.0,), until_ms)
    told = asked.control.answer(Watch("BTC", ("90k",), 1, "@x"))
    assert told == WatchedAnswer("BTC", (85_000.0, 90_000.0), until_ms)
    told = asked.control.answer(Unwatch("BTC", (), 1, "@x"))
    assert told == WatchedAnswer("BTC", (), until_ms)
    asked.settings.expire(until_ms)
    assert asked.settings.in_force == CONFIG


@pytest.mark.parametrize("price", ["abc", "-5", "0", "1e99", "", "nan"])
def test_what_is_no_price_is_refused(asked: Asked, price: str) -> None:
    with pytest.raises(ControlError, match="a price must be a number more than 0"):
        asked.control.answer(Watch("BTC", ("85k", price), 1, "@x"))
    assert asked.settings.in_force == CONFIG


def test_the_diff_shows_what_was_and_what_a_file_has_no_use_for(asked: Asked) -> None:
    asked.control.answer(SetThreshold("drift_z30", "5", 2, "@x"))
    asked.control.answer(Watch("BTC", ("85k",), 1, "@y"))
    asked.settings.take(loads("symbols: [ETH]", "x.yaml"))
    answer = asked.control.answer(AskDiff())

    assert isinstance(answer, DiffAnswer)
    assert [(one.change, one.who, one.refused) for one in answer.changes] == [
        ("detection.drift_z30 4 → 5", "@x", None),
        (
            "symbols.BTC.watch_levels.85000 true",
            "@y",
            "BTC is not among the watched coins; known: ETH",
        ),
    ]


def test_a_reload_is_ordered(asked: Asked) -> None:
    assert asked.control.answer(Reload()) == OrderedAnswer()
    assert asked.reloads == 1
