from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwatch.config import (
    MAX_BYTES,
    Config,
    ConfigError,
    MapSources,
    NotifySettings,
    VenueSettings,
    describe_changes,
    load,
    loads,
    state_folder,
)
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.start import DetectionSettings
from liqwatch.events import Position
from liqwatch.exchanges import EXCHANGES
from liqwatch.imports import CoinGlassSettings, FileImport
from liqwatch.imports.settings import Scale
from liqwatch.sinks import ConsoleSettings, TelegramSettings, WebhookSettings
from liqwatch.yaml import tree

SHIPPED = Path(__file__).parents[1] / "config" / "liqwatch.yaml"
BTC, ADA = SymbolSettings(), SymbolSettings()


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "c.yaml")
    return caught.value.problems


def setting_names(kind: type[msgspec.Struct], prefix: str = "", **needed: int) -> set[str]:
    """Every setting that has a default, by its full name."""
    names = set()
    for field in msgspec.structs.fields(kind):
        default = getattr(kind(**needed), field.name)
        if isinstance(default, msgspec.Struct):
            names |= setting_names(type(default), f"{prefix}{field.name}.")
        else:
            names.add(f"{prefix}{field.name}")
    return names


def written_names(node: tree.Node, prefix: str = "") -> set[str]:
    names = set()
    for name, value in node.pairs if isinstance(node, tree.Mapping) else []:
        below = written_names(value, f"{prefix}{name.text}.")
        names |= below or {f"{prefix}{name.text}"}
    return names


def test_the_shipped_file_says_the_defaults() -> None:
    assert load(SHIPPED) == Config()


def test_what_the_shipped_file_says_of_a_chat_are_the_defaults() -> None:
    """They stand there as a comment: without a chat there is nobody to tell."""
    lines = SHIPPED.read_text().splitlines()
    first = lines.index("  #   telegram:")
    block = [line[4:] for line in lines[first : lines.index("  telegram: null")]]
    text = "notify:\n" + "\n".join(block)
    node, _ = tree.parse(text)

    shown = loads(text, "c.yaml").notify.telegram
    assert shown == TelegramSettings(
        chat=-100123456789,
        token_file="/home/you/.liqwatch-token",  # noqa: S106 - a path
    )
    of_chat = {name.removeprefix("notify.telegram.") for name in written_names(node)}
    assert of_chat == setting_names(TelegramSettings, chat=1)


def test_the_shipped_file_shows_every_setting() -> None:
    node, _ = tree.parse(SHIPPED.read_text())

    assert written_names(node) == setting_names(Config)


def test_an_empty_file_is_the_defaults() -> None:
    assert loads("", "c.yaml") == Config()
    assert loads("symbols:\nvenues:\ndetection:\nnotify:\nstate:\n", "c.yaml") == Config()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("symbols: [BTC, ADA]", {"BTC": BTC, "ADA": ADA}),
        ("symbols: {BTC: , ADA: {}}", {"BTC": BTC, "ADA": ADA}),
        ("symbols: all", None),
        (
            "symbols: {BTC: {watch_levels: [85k, 90000]}, ADA: {}}",
            {"BTC": SymbolSettings(watch_levels=(85_000.0, 90_000.0)), "ADA": ADA},
        ),
    ],
)
def test_symbols_have_three_forms(text: str, expected: dict[str, SymbolSettings] | None) -> None:
    assert loads(text, "c.yaml").symbols == expected


def test_a_cluster_of_ones_own_is_a_range_an_amount_and_a_side() -> None:
    text = "symbols: {BTC: {clusters: [{low: 84k, high: 100k, notional_usd: 14B, position: %s}]}}"
    cluster = UserCluster(low=84e3, high=100e3, notional_usd=14e9, position=Position.SHORT)

    assert loads(text % "short", "c.yaml").symbols == {"BTC": SymbolSettings(clusters=(cluster,))}
    (problem,) = problems(text % "shorts")
    assert problem.startswith("c.yaml:1:80: symbols.BTC.clusters[0].position must be long or short")


def test_a_cluster_that_ends_below_its_beginning_is_refused() -> None:
    text = "symbols: {BTC: {clusters: [{low: 2, high: 1, notional_usd: 1, position: long}]}}"

    assert problems(text) == [
        "c.yaml:1:28: symbols.BTC.clusters[0]: high must not be below low",
    ]


def test_maps_of_others_are_files_and_coinglass() -> None:
    config = loads(
        """
map:
  bucket_bp: 5
  imports:
    - {file: a.csv, symbol: BTC, covers: [okx-swap, gate-usdt], scale: relative}
    - {file: b.json, symbol: ETH, covers: [okx-swap]}
  coinglass: {key_file: key, symbols: [BTC], every_s: 10m}
""",
        "c.yaml",
    )

    assert config.map == MapSources(
        bucket_bp=5.0,
        imports=(
            FileImport(
                file=Path("a.csv"),
                symbol="BTC",
                covers=("okx-swap", "gate-usdt"),
                scale=Scale.RELATIVE,
            ),
            FileImport(file=Path("b.json"), symbol="ETH", covers=("okx-swap",)),
        ),
        coinglass=CoinGlassSettings(key_file=Path("key"), symbols=("BTC",), every_s=600),
    )
    assert config.engine.map.bucket_bp == 5.0
    assert describe_changes(loads("map: {bucket_bp: 5}", "c.yaml"), config)[0] == (
        "map.imports none → BTC from a.csv (relative) for okx-swap + gate-usdt,"
        " ETH from b.json (usd) for okx-swap"
    )


def test_a_venue_that_an_import_covers_is_one_that_there_is() -> None:
    text = "map: {imports: [{file: a, symbol: BTC, covers: [okx-swap, binance]}]}"

    assert problems(text) == ["c.yaml:1:59: binance is no venue; did you mean binance-usdm?"]
    assert problems("map: {imports: [{file: a, symbol: BTC, covers: []}]}") == [
        "c.yaml:1:17: map.imports[0]: covers must name the venues that the map speaks of"
    ]


def test_coins_with_names_like_numbers_and_truths_are_coins() -> None:
    assert list(loads("symbols: [4, TRUE, 1INCH, 币安人生]", "c.yaml").symbols or {}) == [
        "4",
        "TRUE",
        "1INCH",
        "币安人生",
    ]


def test_a_coin_overrides_only_what_it_names_wherever_the_general_section_stands() -> None:
    config = loads(
        "symbols: {BTC: {detection: {drift_z30: 5}}, ADA: }\ndetection: {drift_z10: 4}", "c.yaml"
    )

    assert config.symbols == {
        "BTC": SymbolSettings(detection=DetectionSettings(drift_z30=5.0, drift_z10=4.0)),
        "ADA": SymbolSettings(),
    }
    assert config.engine.detection == DetectionSettings(drift_z10=4.0)


def test_venues_are_a_list_or_a_mapping_with_other_addresses() -> None:
    assert loads("venues: [okx-swap]", "c.yaml").venues == {"okx-swap": VenueSettings()}
    assert loads(
        'venues: {bybit-linear: {websocket: "ws://127.0.0.1:9001", rest: "http://127.0.0.1:9001"}}',
        "c.yaml",
    ).venues == {
        "bybit-linear": VenueSettings(websocket="ws://127.0.0.1:9001", rest="http://127.0.0.1:9001")
    }


def test_spot_venues_are_off_until_they_are_named_beside_others() -> None:
    named = loads("venues: [okx-swap, okx-spot, coinbase-spot, binance-spot]", "c.yaml").venues

    assert list(named) == ["okx-swap", "okx-spot", "coinbase-spot", "binance-spot"]
    assert not {"okx-spot", "coinbase-spot", "binance-spot"} & Config().venues.keys()
    assert len(Config().venues) == len(EXCHANGES) - 3


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("ws://localhost", True),
        ("wss://[::1]:9001/", True),
        ("ws://127.0.0.1:port", False),
        ("ws://user:secret@host", False),
        ("ws://", False),
        ("http://127.0.0.1", False),
    ],
)
def test_an_address_has_a_scheme_a_host_and_perhaps_a_port(address: str, fits: bool) -> None:
    text = f'venues: {{okx-swap: {{websocket: "{address}"}}}}'
    if fits:
        assert loads(text, "c.yaml").venues["okx-swap"].websocket == address
    else:
        assert len(problems(text)) == 1


def test_receivers_are_set_as_the_contract_says() -> None:
    text = """
notify:
  console: {enabled: false}
  telegram: {base_url: "http://127.0.0.1:9002/bot", token_file: path, chat: -1001}
  webhook: {url: "https://example.org/hook"}
state: /srv/liqwatch
"""
    assert loads(text, "c.yaml") == Config(
        notify=NotifySettings(
            console=ConsoleSettings(enabled=False),
            telegram=TelegramSettings(
                base_url="http://127.0.0.1:9002/bot",
                token_file="path",  # noqa: S106 - a path
                chat=-1001,
            ),
            webhook=WebhookSettings(url="https://example.org/hook"),
        ),
        state=Path("/srv/liqwatch"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("symbls: [BTC]", "c.yaml:1:1: symbls is no setting; did you mean symbols?"),
        (
            "symbols: BTC",
            "c.yaml:1:10: symbols must be a list such as [BTC, ETH], a mapping, or all",
        ),
        ("symbols: []", "c.yaml:1:10: symbols must not be empty"),
        ("symbols: [btc]", "c.yaml:1:11: a name in symbols must be a coin as traders write it"),
        ("symbols: [BTCUSDT]", "c.yaml:1:11: a name in symbols must be a coin"),
        ("symbols: [A, {BTC: }]", "c.yaml:1:14: symbols: one word was expected"),
        (
            "symbols:\n  BTC: {watch_level: [1]}",
            "c.yaml:2:9: symbols.BTC.watch_level is no setting; did you mean watch_levels?",
        ),
        (
            "symbols: {BTC: {watch_levels: 85k}}",
            "c.yaml:1:31: symbols.BTC.watch_levels must be a list",
        ),
        ("venues: [binance]", "c.yaml:1:10: binance is no venue; did you mean binance-usdm?"),
        ("venues: {mtgox: }", "c.yaml:1:10: mtgox is no venue; known: binance-usdm, "),
        (
            "venues: [binance-spot, okx-spot]",
            "c.yaml:1:10: venues: only spot venues are named, where nothing is liquidated; name",
        ),
        (
            "symbols: all\nvenues:\n  okx-swap:\n  coinbase-spot:",
            "c.yaml:4:3: coinbase-spot needs its coins by name, not symbols: all",
        ),
        (
            "map: {imports: [{file: f, symbol: BTC, covers: [okx-swap, okx-spot]}]}",
            "c.yaml:1:59: okx-spot trades coins themselves: nothing is liquidated there",
        ),
        ("venues: 7", "c.yaml:1:9: venues must be a list such as [bybit-linear], or a mapping"),
        (
            "venues: {okx-swap: {rest: ws://x}}",
            "c.yaml:1:27: venues.okx-swap.rest must be an address such as http://",
        ),
        ("detection: {drift_z30: 900}", "c.yaml:1:24: detection.drift_z30 must be a number from 1"),
        ("detection: {preset: erly}", "c.yaml:1:21: detection.preset must be early or normal, not"),
        ("levels: {rearm_s: 2 h}", "c.yaml:1:19: levels.rearm_s must be a whole number of seconds"),
        ("map: {bucket_bp: 2}", "c.yaml:1:18: map.bucket_bp must be a number from 5 to 25"),
        ("notify: {telegram: {}}", "c.yaml:1:20: notify.telegram: name a chat"),
        (
            "notify: {telegram: {chat: me, token_file: t}}",
            "c.yaml:1:27: notify.telegram.chat must be a chat's id",
        ),
        ("notify: {webhook: {url: 'ftp://x'}}", "c.yaml:1:25: notify.webhook.url must be an https"),
        ("state: [a]", "c.yaml:1:8: state must be text, not a list"),
        ("state: a\nstate: b", "c.yaml:2:1: state stands twice; first in line 1"),
        ("symbols: [BTC\nstate: x", "c.yaml:2:6: not YAML: "),
        ("- BTC", "c.yaml:1:1: the file must be a mapping (key: value), not a list"),
        ('"a\\nb": 1', "c.yaml:1:1: a�b is no setting"),
    ],
)
def test_each_mistake_has_its_place_and_its_remedy(text: str, says: str) -> None:
    (problem,) = problems(text)

    assert problem.startswith(says)
    assert "\n" not in problem


def test_every_mistake_is_told_in_the_order_of_the_file() -> None:
    text = "venues: [okx]\ndetection: {drift_z30: fast, drift: 1}\nsymbols: {BTC: {watch: 1}}\na: 1"

    assert [problem.split(" ")[0] for problem in problems(text)] == [
        "c.yaml:1:10:",
        "c.yaml:2:24:",
        "c.yaml:2:30:",
        "c.yaml:3:17:",
        "c.yaml:4:1:",
    ]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    big, binary = tmp_path / "big.yaml", tmp_path / "binary.yaml"
    big.write_bytes(b"#" * (MAX_BYTES + 1))
    binary.write_bytes(b"state: a\nmap: \xff\n")

    for path, says in (
        (tmp_path / "gone.yaml", "gone.yaml: cannot be read: No such file or directory"),
        (tmp_path, f"{tmp_path.name}: cannot be read: Is a directory"),
        (tmp_path / "a\0b", "cannot be read: embedded null byte"),
        (big, "big.yaml: larger than 1,048,576 bytes"),
        (binary, "binary.yaml:2:6: not UTF-8 text"),
    ):
        with pytest.raises(ConfigError, match=says.replace("(", r"\(")):
            load(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfsymbols: [ADA]")

    assert list(load(path).symbols or {}) == ["ADA"]


PIECES = st.sampled_from(
    [*"{}[]:,-&*!|>'\"%#? \n\t~", "\x00", "é", "&a ", "*a", "!!python/object:os ", "1e999", "null"]
)


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_file_is_a_configuration_or_a_config_error(data: st.DataObject) -> None:
    text = SHIPPED.read_text() + "symbols: {BTC: {watch_levels: [85k]}}\n"
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    lines = data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=20))
    text = "\n".join(lines)
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 5))
        text = text[:at] + data.draw(PIECES) + text[at + cut :]
    try:
        assert isinstance(loads(text, "c.yaml"), Config)
    except ConfigError as error:
        assert all(problem.startswith("c.yaml:") for problem in error.problems)  # noqa: PT017 - both ends are right


def test_the_state_folder_is_the_configured_one_else_systemds_else_the_users() -> None:
    environment = {"STATE_DIRECTORY": "/var/lib/liqwatch", "XDG_STATE_HOME": "/x"}

    assert state_folder(Config(state=Path("here")), environment) == Path("here")
    assert state_folder(Config(), environment) == Path("/var/lib/liqwatch")
    assert state_folder(Config(), {"XDG_STATE_HOME": "/x"}) == Path("/x/liqwatch")
    assert state_folder(Config(), {}) == Path.home() / ".local" / "state" / "liqwatch"


def test_changes_are_told_by_full_name() -> None:
    old = loads("symbols: [BTC, ETH]", "c.yaml")
    new = loads(
        """
symbols:
  BTC:
    watch_levels: [85k]
    clusters: [{low: 84k, high: 100k, notional_usd: 14B, position: short}]
    detection: {drift_z30: 5}
  ADA:
detection: {preset: early, floor_usd_30s: 2M}
notify: {webhook: {url: "https://example.org/hook?token=abc"}}
state: kept
""",
        "c.yaml",
    )

    assert describe_changes(old, old) == []
    assert sorted(describe_changes(old, new)) == [
        "detection.floor_usd_30s 1,000 → 2,000,000",
        "detection.preset normal → early",
        "notify.webhook.url changed",
        "state none → kept",
        "symbols BTC, ETH → BTC, ADA",
        "symbols.BTC.clusters none → 84,000-100,000: 14,000,000,000 short",
        "symbols.BTC.detection.drift_z30 none → 5",
        "symbols.BTC.watch_levels none → 85,000",
    ]
    assert describe_changes(old, loads("symbols: all", "c.yaml")) == ["symbols BTC, ETH → all"]
