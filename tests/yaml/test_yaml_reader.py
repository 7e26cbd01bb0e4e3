from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from liqwatch.yaml import tree
from liqwatch.yaml.reader import Reader


class Loudness(StrEnum):
    LOUD = "loud"
    SILENT = "silent"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    sigma: Annotated[float, Meta(gt=0, le=50)] = 4.0
    share: Annotated[float, Meta(ge=0, lt=1)] = 0.4
    orders: Annotated[int, Meta(ge=1, le=100)] = 3
    floor_usd_30s: Annotated[float, Meta(ge=0)] = 1000.0
    quiet_s: Annotated[int, Meta(ge=1, le=7200)] = 3
    return_hours: Annotated[float, Meta(ge=1, le=8760)] | None = 168.0
    half_life_days: float = 5.0
    memory_hours: int = 24
    retreat_pct: float = 0.5

    def __post_init__(self) -> None:
        if self.share > self.sigma:
            raise ValueError("share must stay below sigma")


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    part: Part = Part()
    preset: Literal["normal", "early"] = "normal"
    loudness: Loudness = Loudness.LOUD
    levels: tuple[float, ...] = ()
    chat: int | str | None = None
    enabled: bool = True
    folder: Path | None = None
    url: Annotated[str, Meta(pattern="^https?://", description="a web address")] | None = None
    coins: Annotated[
        dict[Annotated[str, Meta(pattern="^[A-Z0-9]+$")], Part], Meta(min_length=1)
    ] = {}


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    chat: int


TIMES = " (also written 45s, 10m, 2h, 7d)"


def read(text: str, kind: type = Whole, **defaults: Any) -> tuple[Any, list[str]]:
    reader = Reader(**defaults)
    value = reader.read(tree.parse(text)[0], msgspec.inspect.type_info(kind), "")
    return value, [f"{at.line}:{at.column} {message}" for at, message in reader.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("part: {floor_usd_30s: 15M}", 15e6),
        ("part: {floor_usd_30s: 85k}", 85_000.0),
        ("part: {floor_usd_30s: 85.1K}", 85_100.0),
        ("part: {floor_usd_30s: 2B}", 2e9),
        ("part: {floor_usd_30s: 2e9}", 2e9),
        ("part: {floor_usd_30s: 1_000}", 1000.0),
        ("part: {floor_usd_30s: '15M'}", 15e6),
        ("part: {quiet_s: 45}", 45),
        ("part: {quiet_s: 45s}", 45),
        ("part: {quiet_s: 10m}", 600),
        ("part: {quiet_s: 2h}", 7200),
        ("part: {return_hours: 7d}", 168.0),
        ("part: {return_hours: 90m}", 1.5),
        ("part: {return_hours: }", None),
        ("part: {half_life_days: 36h}", 1.5),
        ("part: {memory_hours: 60m}", 1),
        ("part: {retreat_pct: 0.25%}", 0.25),
        ("part: {retreat_pct: -0.25}", -0.25),
        ("part: {orders: 1e1}", 10),
    ],
)
def test_numbers_are_written_as_people_say_them(text: str, expected: float | None) -> None:
    value, problems = read(text)
    key = text.partition("{")[2].partition(":")[0]

    assert problems == []
    assert getattr(value.part, key) == expected
    assert type(getattr(value.part, key)) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("preset: early", Whole(preset="early")),
        ("loudness: silent", Whole(loudness=Loudness.SILENT)),
        ("levels: [85k, 90_000, 9.5e4]", Whole(levels=(85e3, 90e3, 95e3))),
        ("chat: -100123", Whole(chat=-100123)),
        ("chat: '@liquidations'", Whole(chat="@liquidations")),
        ("enabled: False", Whole(enabled=False)),
        ("folder: ~/liq", Whole(folder=Path("~/liq").expanduser())),
        ("url: http://127.0.0.1:9002/bot", Whole(url="http://127.0.0.1:9002/bot")),
        ("coins: {BTC: , 4: {orders: 7}}", Whole(coins={"BTC": Part(), "4": Part(orders=7)})),
        ("part:\nchat:\n", Whole()),
        ("", Whole()),
    ],
)
def test_every_type_of_setting_is_read(text: str, expected: Whole) -> None:
    assert read(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5", '1:1 the file must be a mapping (key: value), not "5"'),
        ("prset: early", "1:1 prset is no setting; did you mean preset?"),
        ("part: {quiet: 3}", "1:8 part.quiet is no setting; did you mean quiet_s?"),
        ("part: fast", '1:7 part must be a mapping (key: value), not "fast"'),
        (
            "part: {sigma: 90}",
            '1:15 part.sigma must be a number more than 0 and at most 50, not "90"',
        ),
        (
            "part: {share: -1}",
            '1:15 part.share must be a number at least 0 and less than 1, not "-1"',
        ),
        ("part: {orders: 2.5}", '1:16 part.orders must be a whole number from 1 to 100, not "2.5"'),
        ("part: {orders: []}", "1:16 part.orders must be a whole number from 1 to 100, not a list"),
        ("part: {orders: }", "1:15 part.orders must be a whole number from 1 to 100, not empty"),
        (
            "part: {floor_usd_30s: 15 M}",
            '1:23 part.floor_usd_30s must be a number at least 0, not "15 M"; did you mean 15M?',
        ),
        (
            "part: {floor_usd_30s: $15m}",
            '1:23 part.floor_usd_30s must be a number at least 0, not "$15m"; did you mean 15M?',
        ),
        (
            "part: {floor_usd_30s: .inf}",
            '1:23 part.floor_usd_30s must be a number at least 0, not ".inf"',
        ),
        (
            "part: {quiet_s: 3h}",
            f'1:17 part.quiet_s must be a whole number of seconds from 1 to 7,200{TIMES}, not "3h"',
        ),
        ("part: {half_life_days: 1e999}", None),
        ("part: {share: 0.9, sigma: 0.5}", "1:7 part: share must stay below sigma"),
        ("preset: erly", '1:9 preset must be early or normal, not "erly"; did you mean early?'),
        ("loudness: mute", '1:11 loudness must be loud or silent, not "mute"'),
        ("levels: 85k", '1:9 levels must be a list, each a number, not "85k"'),
        ("levels: [85k, high]", '1:15 levels[1] must be a number, not "high"'),
        ("chat: [1]", "1:7 chat must be a whole number or text, not a list"),
        ("enabled: yes", '1:10 enabled must be true or false, not "yes"'),
        ("folder: 5", '1:9 folder must be text, not "5"'),
        ("folder: ~nobody-of-that-name/x", None),
        ('folder: "a\\0b"', "1:9 folder must be text, not unprintable characters"),
        ("url: ftp://x", '1:6 url must be a web address, not "ftp://x"'),
        ("coins: {}", "1:8 coins must not be empty"),
        ("coins: [BTC]", "1:8 coins must be a mapping (key: value), not a list"),
        ("coins: {b-c: }", '1:9 a name in coins must be text, not "b-c"'),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(
    text: str, problem: str | None
) -> None:
    _, problems = read(text)

    assert len(problems) == 1
    assert problem is None or problems == [problem]


def test_a_number_where_text_belongs_wants_quotes() -> None:
    _, problems = read("{url: 5, chat: 5}", Hook)

    assert problems == ['1:7 url must be text, not "5"; put it in quotes']


def test_what_a_section_cannot_do_without_is_asked_for() -> None:
    _, problems = read("chat: 5", Hook)

    assert problems == ["1:1 the file needs url"]


def test_every_mistake_is_told_not_only_the_first() -> None:
    _, problems = read("preset: x\nlevels: [a, b]\nnothing: 1\n")

    assert [problem.split()[0] for problem in problems] == ["1:9", "2:10", "2:13", "3:1"]


def test_keys_left_out_come_from_the_given_defaults() -> None:
    value, problems = read("coins: {BTC: {orders: 7}}", defaults={Part: Part(sigma=9.0)})

    assert problems == []
    assert value.coins["BTC"] == Part(sigma=9.0, orders=7)
