"""Which coin a venue's name means, and which contract of a coin to listen to.

Cheap coins are listed by the thousand: `1000PEPEUSDT` is quoted per 1,000 PEPE. Everything that
leaves a venue file is per coin: price / multiplier, size × multiplier.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from liqwatch.events import ContractType, Instrument

# Quotes that count as USD. PERP is how Bybit spells its USDC contracts.
_USD_QUOTES = ("USDT", "USDC", "BUSD", "PERP")

_THOUSANDS_FIRST = re.compile(r"(10{3,9})(\D.*)")  # 1000PEPE, but not 1INCH
_MILLIONS_FIRST = re.compile(r"1M(\D{2,})")  # 1MBABYDOGE
_THOUSANDS_LAST = re.compile(r"(.*\D)(10{3,9})")  # Bybit's SHIB1000


def split_multiplier(base: str) -> tuple[str, int]:
    """Split a base asset into its coin and how many coins one unit is."""
    if match := _THOUSANDS_FIRST.fullmatch(base):
        return match[2], int(match[1])
    if match := _MILLIONS_FIRST.fullmatch(base):
        return match[1], 1_000_000
    if match := _THOUSANDS_LAST.fullmatch(base):
        return match[1], int(match[2])
    return base, 1


@lru_cache(maxsize=4096)
def coin_of(name: str) -> tuple[str, int] | None:
    """Coin and multiplier of a name that glues base and quote together (Binance, Bybit).

    None for what is not a perpetual quoted in dollars: dated futures (`BTCUSDT_240927`,
    `BTCUSDT-27DEC24`), coin-margined contracts (`BTCUSD_PERP`), other quotes (`ETHBTC`).
    """
    if "_" in name or "-" in name:
        return None
    for quote in _USD_QUOTES:
        base = name.removesuffix(quote)
        if base and base != name:
            return split_multiplier(base)
    return None


def choose(
    wanted: Collection[str] | None,
    listed: Mapping[str, Instrument],
    *,
    suffix: str,
    trading: str,
    contract_type: ContractType = ContractType.LINEAR,
) -> list[str]:
    """Names of the perpetuals of these coins (None: of all), in order of the coins.

    `suffix` is how the venue spells that market, `trading` the status that means it is open. A
    coin that is not listed is left out; as long as nothing is listed, names are made by the rule.
    Where nothing at all is open, the venue is in maintenance, and what it lists will open again.
    """
    if not listed:
        return [coin + suffix for coin in sorted(wanted or ())]
    perpetuals = [
        instrument
        for name, instrument in listed.items()
        if instrument.contract_type is contract_type and name.endswith(suffix)
    ]
    names: dict[str, str] = {}
    for one in [one for one in perpetuals if one.status == trading] or perpetuals:
        names.setdefault(one.symbol, one.instrument)
    coins: Iterable[str] = names if wanted is None else names.keys() & set(wanted)
    return [names[coin] for coin in sorted(coins)]
