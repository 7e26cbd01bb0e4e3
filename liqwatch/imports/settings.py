"""Which maps of others are taken into ours."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Coin = Annotated[
    str,
    Meta(pattern=r"^[^\W_a-z]{1,20}$", description="a coin as traders write it, such as BTC"),
]
# TLS, or this machine itself: the key goes with every request.
BaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)$",
        description="an https:// address without a path, or http:// on this machine",
    ),
]


class Scale(StrEnum):
    """What the amounts of a map are: dollars, or only larger and smaller."""

    RELATIVE = "relative"
    USD = "usd"


class FileImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A map of one coin in a file of yours, CSV or JSON; read again when it changes."""

    file: Path
    """Where it is. A file of several coins (column `symbol`) may be named once for each."""

    symbol: Coin
    """Whose map it is."""

    covers: tuple[str, ...]
    """The venues it speaks of, by id. It replaces what is estimated of them."""

    scale: Scale = Scale.USD
    """What its amounts are, where the file does not say: usd, or relative (larger and smaller)."""

    def __post_init__(self) -> None:
        """Refuse a map of no venue: it could only be counted twice."""
        if not self.covers:
            raise ValueError("covers must name the venues that the map speaks of")

    def __str__(self) -> str:
        return f"{self.symbol} from {self.file} ({self.scale}) for {' + '.join(self.covers)}"


class CoinGlassSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The liquidation map of CoinGlass; it needs a key of their Professional plan."""

    key_file: Path
    """The file with your API key; nobody but its owner may read it (chmod 600)."""

    symbols: tuple[Coin, ...] = ("BTC", "ETH")
    """The coins to ask for."""

    product: Literal["map", "heatmap"] = "map"
    """Their liquidation map, or the newest column of their heatmap (model 1)."""

    days: Literal[1, 7, 30] = 7
    """How far back the positions reach that it is made of."""

    every_s: Annotated[float, Meta(ge=60, le=86_400)] = 300
    """How often each coin is asked for. A coin is two requests."""

    base_url: BaseUrl = "https://open-api-v4.coinglass.com"
    """Where the API answers."""
