"""Config: the settings of every part, assembled and read from YAML with line and column.

Defaults exist once, in the parts; without a file they are the configuration.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, inspect

from liqwatch.alerting.catalogues import Language
from liqwatch.engine.levels import LevelSettings
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.market_story import MarketSettings
from liqwatch.engine.quarantine import QuarantineSettings
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.start import DetectionSettings
from liqwatch.exchanges import EXCHANGES
from liqwatch.imports import CoinGlassSettings, FileImport
from liqwatch.map_view import Theme
from liqwatch.sinks import ConsoleSettings, TelegramSettings, WebhookSettings
from liqwatch.sinks.fallback import FallbackSettings
from liqwatch.sinks.outbox import DeliverySettings
from liqwatch.sources.recorder import RecordingSettings
from liqwatch.yaml import tree
from liqwatch.yaml.reader import Reader, suggestion
from liqwatch.yaml.tree import Node, Problem, Scalar, Sequence, UnreadableError

MAX_BYTES = 1 << 20

# Upper case, and no pair: BTCUSDT is one venue's contract, BTC is what is watched on all of them.
Coin = Annotated[
    str,
    Meta(
        pattern=r"^[^\W_a-z]{1,20}(?<!.USDT)(?<!.USDC)$",
        description="a coin as traders write it, such as BTC",
    ),
]
_HOST = r"([^/\s?#@:\[\]]+|\[[\da-fA-F:.]+\])(:\d{1,5})?(/|$)"
WebsocketAddress = Annotated[
    str, Meta(pattern=f"^wss?://{_HOST}", description="an address such as ws://127.0.0.1:9001")
]
RestAddress = Annotated[
    str, Meta(pattern=f"^https?://{_HOST}", description="an address such as http://127.0.0.1:9001")
]


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a venue is reached, when not at its own addresses.

    Scheme, host and port of each address of the venue are replaced; path and query stay.
    """

    websocket: WebsocketAddress | None = None
    rest: RestAddress | None = None


class MapSources(MapSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the map is estimated, and whose maps are taken in place of the estimate."""

    imports: tuple[FileImport, ...] = ()
    """Files of yours with somebody's map."""

    coinglass: CoinGlassSettings | None = None


class NotifySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told."""

    console: ConsoleSettings = ConsoleSettings()
    telegram: TelegramSettings | None = None
    webhook: WebhookSettings | None = None
    fallback: FallbackSettings | None = None
    delivery: DeliverySettings = DeliverySettings()

    pictures: Theme | None = Theme.DARK
    """Pictures of cascades and of the map, where a receiver shows any. null: none."""

    language: Language = "en"
    """Of the text in the alert file."""


Symbols = Annotated[
    dict[Coin, SymbolSettings],
    Meta(min_length=1, description="a list such as [BTC, ETH], a mapping, or all"),
]
Venues = Annotated[
    dict[str, VenueSettings],
    Meta(min_length=1, description="a list such as [bybit-linear], or a mapping"),
]
DEFAULT_SYMBOLS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
SPOT = frozenset(name for name, kind in EXCHANGES.items() if kind.spot)
DEFAULT_VENUES = tuple(name for name in EXCHANGES if name not in SPOT)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a user may set."""

    symbols: Symbols | None = msgspec.field(
        default_factory=lambda: dict.fromkeys(DEFAULT_SYMBOLS, SymbolSettings())
    )
    """By coin. None: every perpetual of the venues."""

    venues: Venues = msgspec.field(
        default_factory=lambda: dict.fromkeys(DEFAULT_VENUES, VenueSettings())
    )
    """By venue id, as in the registry of exchanges; not spot venues alone."""

    detection: DetectionSettings = DetectionSettings()
    market: MarketSettings = MarketSettings()
    levels: LevelSettings = LevelSettings()
    map: MapSources = MapSources()
    quarantine: QuarantineSettings = QuarantineSettings()
    notify: NotifySettings = NotifySettings()
    recording: RecordingSettings = RecordingSettings()
    state: Path | None = None
    """Folder of database, snapshots and recordings. None: see `state_folder`."""

    @property
    def engine(self) -> EngineSettings:
        """The settings of the engine, all coins alike."""
        return EngineSettings(
            detection=self.detection,
            market=self.market,
            levels=self.levels,
            map=self.map,
            quarantine=self.quarantine,
        )


class ConfigError(ValueError):
    """Why a configuration cannot be used: `problems` holds all, as `FILE:LINE:COLUMN: message`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path) -> Config:
    """Read a configuration file. Raises ConfigError, also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError([f"{path}: cannot be read: {why}"]) from None
    if len(content) > MAX_BYTES:
        raise ConfigError([f"{path}: larger than {MAX_BYTES:,} bytes; that is no configuration"])
    try:
        return loads(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ConfigError([f"{path}:{line}:{column}: not UTF-8 text"]) from None


def loads(text: str, name: str) -> Config:
    """Read a configuration from YAML text; `name` stands for the file in messages.

    Raises ConfigError with every problem found.
    """
    try:
        root, problems = tree.parse(text)
    except UnreadableError as error:
        raise ConfigError(_lines(name, [error.problem])) from None
    every_coin = _asks_for_every_coin(root)
    root = _long_form(root, problems)
    general = Reader().read(_section(root, "detection"), inspect.type_info(DetectionSettings), "")
    reader = Reader({DetectionSettings: general} if general is not None else {})
    config: Config = reader.read(root, inspect.type_info(Config), "")
    problems += [
        *reader.problems,
        *_unknown_venues(root),
        *_unknown_covers(root),
        *_misplaced_spot(root, every_coin=every_coin),
    ]
    if problems:
        raise ConfigError(_lines(name, problems))
    return config


def state_folder(config: Config, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the daemon keeps what must survive it: as configured, or where systemd says,
    or the user's own state folder.
    """
    if config.state is not None:
        return config.state
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    home = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "liqwatch"


def describe_changes(old: Config, new: Config) -> list[str]:
    """Say what differs, one setting a line: `detection.drift_z30 6 → 5`.

    Of `notify` only that it differs: chat ids and addresses are nobody else's business.
    """
    before, after = _flat(old), _flat(new)
    return [
        f"{key} changed" if key.startswith("notify.") else f"{key} {was} → {now}"
        for key in before | after
        if (was := before.get(key, "none")) != (now := after.get(key, "none"))
    ]


def _flat(config: Config) -> dict[str, str]:
    """Every setting by its full name; of a coin's thresholds those that are its own."""
    flat = dict(_leaves("", config))
    return {
        key: value
        for key, value in flat.items()
        if value != flat.get("detection." + key.partition(".detection.")[2])
    }


def _leaves(key: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from _leaves(f"{key}.{name}" if key else name, getattr(value, name))
        case dict():
            yield key, ", ".join(value)
            for name, item in value.items():
                yield from _leaves(f"{key}.{name}", item)
        case tuple():
            words = (f"{item:,.10g}" if isinstance(item, float) else str(item) for item in value)
            yield key, ", ".join(words) or "none"
        case float() | int() if not isinstance(value, bool):
            yield key, f"{value:,.10g}"
        case None:
            yield key, "all" if key == "symbols" else "none"
        case _:
            yield key, str(value)


def _lines(name: str, problems: list[Problem]) -> list[str]:
    return [
        f"{name}:{at.line}:{at.column}: " + "".join(c if c.isprintable() else "�" for c in message)
        for at, message in sorted(problems)
    ]


def _long_form(root: Node, problems: list[Problem]) -> Node:
    """Write lists of names as mappings, so that one form is left to read."""
    if not isinstance(root, tree.Mapping):
        return root
    pairs: list[tuple[Scalar, Node]] = []
    for name, value in root.pairs:
        match name.text, value:
            case (("symbols" | "venues"), Scalar(empty=True)):
                pass  # a key without a value asks for the default, not for everything
            case "symbols", Scalar(text="all"):
                pairs.append((name, Scalar(value.at, "")))
            case (("symbols" | "venues"), Sequence()):
                pairs.append((name, _by_name(value, name.text, problems)))
            case _:
                pairs.append((name, value))
    return tree.Mapping(root.at, pairs)


def _by_name(node: Sequence, key: str, problems: list[Problem]) -> tree.Mapping:
    names = [item for item in node.items if isinstance(item, Scalar)]
    problems += [
        Problem(item.at, f"{key}: one word was expected; with settings, write {key} as a mapping")
        for item in node.items
        if not isinstance(item, Scalar)
    ]
    return tree.Mapping(node.at, [(item, Scalar(item.at, "")) for item in names])


def _asks_for_every_coin(root: Node) -> bool:
    symbols = _section(root, "symbols")
    return isinstance(symbols, Scalar) and symbols.text == "all"


def _unknown_venues(root: Node) -> list[Problem]:
    return _no_venues(_venue_names(root))


def _unknown_covers(root: Node) -> list[Problem]:
    covers = (_section(one, "covers") for one in _items(_section(_section(root, "map"), "imports")))
    names = [name for one in covers for name in _items(one) if isinstance(name, Scalar)]
    return [
        *_no_venues(names),
        *(
            Problem(name.at, f"{name.text} trades coins themselves: nothing is liquidated there")
            for name in names
            if name.text in SPOT
        ),
    ]


def _misplaced_spot(root: Node, *, every_coin: bool) -> Iterator[Problem]:
    """Spot venues are context: of coins that are watched, beside venues of perpetuals."""
    names = _venue_names(root)
    spot = [name for name in names if name.text in SPOT]
    if spot and len(spot) == len(names):
        yield Problem(
            spot[0].at,
            "venues: only spot venues are named, where nothing is liquidated;"
            " name venues of perpetuals, too",
        )
    if every_coin:
        for name in spot:
            yield Problem(name.at, f"{name.text} needs its coins by name, not symbols: all")


def _venue_names(root: Node) -> list[Scalar]:
    venues = _section(root, "venues")
    return [name for name, _ in venues.pairs] if isinstance(venues, tree.Mapping) else []


def _no_venues(names: Iterable[Scalar]) -> list[Problem]:
    return [
        Problem(name.at, f"{name.text} is no venue; {suggestion(name.text, EXCHANGES)}")
        for name in names
        if name.text not in EXCHANGES
    ]


def _items(node: Node) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []


def _section(root: Node, key: str) -> Node:
    pairs = root.pairs if isinstance(root, tree.Mapping) else []
    return next((value for name, value in pairs if name.text == key), Scalar(root.at, ""))
