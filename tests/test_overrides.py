"""Settings changed for a while: the bounds of the file, and the file itself untouched."""

import pytest
from msgspec.structs import replace

from liqwatch.config import Config, loads
from liqwatch.overrides import (
    OverrideError,
    apply,
    full_key,
    keys,
    level_key,
    value_of,
    with_override,
)
from liqwatch.store.overrides import Override

CONFIG = loads(
    """
symbols:
  BTC: {watch_levels: [85k, 90k]}
  ETH: {detection: {drift_z10: 5}}
detection: {drift_z30: 7}
""",
    "liqwatch.yaml",
)


def override(key: str, value: str, symbol: str | None = None) -> Override:
    return Override(symbol=symbol, key=key, value=value, until_ms=0, who="@x")


def test_a_setting_of_everything_is_changed_and_the_coins_that_follow_it_follow() -> None:
    changed = with_override(CONFIG, override("detection.drift_z30", "5"))

    assert changed.detection.drift_z30 == 5
    assert value_of(changed, "BTC", "detection.drift_z30") == "5"
    assert value_of(changed, "ETH", "detection.drift_z30") == "5"
    assert value_of(changed, "ETH", "detection.drift_z10") == "5"
    assert CONFIG.detection.drift_z30 == 7


def test_a_coins_own_threshold_leaves_the_others_alone() -> None:
    changed = with_override(CONFIG, override("detection.drift_z30", "4.5", "BTC"))

    assert value_of(changed, "BTC", "detection.drift_z30") == "4.5"
    assert value_of(changed, None, "detection.drift_z30") == "7"


def test_a_coins_own_prevails_whatever_the_order() -> None:
    general, own = (
        override("detection.drift_z30", "3"),
        override("detection.drift_z30", "9", "BTC"),
    )

    for overrides in ([general, own], [own, general]):
        config = apply(CONFIG, overrides).config
        assert value_of(config, "BTC", "detection.drift_z30") == "9"
        assert value_of(config, None, "detection.drift_z30") == "3"


def test_numbers_are_written_as_in_the_file() -> None:
    changed = with_override(CONFIG, override("levels.retreat_s", "2m"))
    changed = with_override(changed, override("map.min_cluster_usd", "15M"))
    changed = with_override(changed, override("detection.return_hours", "null"))

    assert changed.levels.retreat_s == 120
    assert changed.map.min_cluster_usd == 15e6
    assert changed.detection.return_hours is None


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("detection.drift_z30", "abc", 'must be a number from 1 to 100, not "abc"'),
        ("detection.drift_z30", "1000", "must be a number from 1 to 100"),
        ("detection.drift_z30", "", "must be a number from 1 to 100, not empty"),
        ("detection.drift_z30", "[1, 2]", "not a list"),
        ("detection.drift_z30", "!!python/object:os.system x", "tags such as"),
        ("detection.drift_z30", "{a: *b", "detection.drift_z30: "),
        ("detection.preset", "erly", "did you mean early?"),
        ("map.asymmetry.ratio", "1.5", "back_ratio must be below ratio"),
        ("notify.telegram.chat", "1", "is no setting that can be changed"),
        ("map.imports", "[]", "is no setting that can be changed"),
        ("detection.__class__", "1", "is no setting that can be changed"),
        ("symbols", "[BTC]", "is no setting that can be changed"),
    ],
)
def test_what_the_file_would_refuse_is_refused_in_the_same_words(
    key: str, value: str, why: str
) -> None:
    with pytest.raises(OverrideError) as refused:
        with_override(CONFIG, override(key, value))

    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_prices_are_watched_and_no_longer_watched_each_for_itself() -> None:
    more = with_override(CONFIG, override(level_key(95_000.0), "true", "BTC"))
    fewer = with_override(more, override(level_key(90_000.0), "false", "BTC"))

    assert fewer.symbols is not None
    assert fewer.symbols["BTC"].watch_levels == (85_000.0, 95_000.0)


def test_a_coin_watches_no_more_prices_than_anybody_could_mean() -> None:
    many = [override(level_key(price), "true", "BTC") for price in range(1, 60)]
    config, refused = apply(CONFIG, many)

    assert config.symbols is not None
    assert len(config.symbols["BTC"].watch_levels) == 50
    assert {why for _, why in refused} == {"more than 50 prices of BTC are too many"}


def test_a_coin_that_is_not_watched_has_no_settings() -> None:
    with pytest.raises(OverrideError, match="DOGE is not among the watched coins"):
        with_override(CONFIG, override("detection.drift_z30", "5", "DOGE"))
    with pytest.raises(OverrideError, match="symbols: all"):
        with_override(replace(CONFIG, symbols=None), override("watch_levels.1", "true", "BTC"))


def test_what_a_new_file_has_no_use_for_is_told_and_stops_nothing_else() -> None:
    config, refused = apply(
        Config(),
        [override("detection.drift_z30", "5", "GONE"), override("detection.drift_z30", "4")],
    )

    assert config.detection.drift_z30 == 4
    assert [(one.symbol, why.split(";")[0]) for one, why in refused] == [
        ("GONE", "GONE is not among the watched coins")
    ]


def test_the_end_of_a_name_is_enough_where_it_is_clear() -> None:
    assert full_key("drift_z30", of_symbol=False) == "detection.drift_z30"
    assert full_key("levels.rearm_s", of_symbol=False) == "levels.rearm_s"
    assert full_key("ratio", of_symbol=False) == "map.asymmetry.ratio"
    with pytest.raises(OverrideError, match=r"did you mean drift_z30\?"):
        full_key("drfit_z30", of_symbol=False)
    with pytest.raises(OverrideError, match="no setting"):
        full_key("rearm_s", of_symbol=True)


def test_every_setting_that_can_be_changed_can_be_read() -> None:
    for key in keys(of_symbol=False):
        assert value_of(Config(), None, key)
