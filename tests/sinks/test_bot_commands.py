"""What people type: parsed without any Telegram."""

import pytest

from liqwatch.control.vocabulary import (
    AskLevels,
    AskLog,
    AskMap,
    AskMutes,
    AskThreshold,
    AskWhy,
    AskWhyNot,
    Mute,
    Question,
    SetThreshold,
    Unmute,
    Unwatch,
    Watch,
)
from liqwatch.sinks.telegram.bot import BotSettings
from liqwatch.sinks.telegram.bot.commands import (
    COMMANDS,
    Caller,
    Own,
    Typed,
    UsageError,
    meaning,
    role_for,
    typed,
    usage,
)
from liqwatch.sinks.telegram.bot.floods import IN_ALL, PER_USER, Floodgate
from liqwatch.sinks.telegram.bot.roles import Role, Roles

CALLER = Caller(user=7, name="@x", chat=-100, topic=None, receiver="telegram:-100")


def meant(text: str) -> Question | Own:
    one = typed(text, "liqwatch_bot")
    assert one is not None
    return meaning(one, CALLER)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("/map BTC", AskMap("BTC")),
        ("/map@liqwatch_bot btc", AskMap("btc")),
        ("/levels", AskLevels(None)),
        ("/levels BTC", AskLevels("BTC")),
        ("/why", AskWhy("")),
        ("/why BTC-up-1", AskWhy("BTC-up-1")),
        ("/why BTC 14:05", AskWhyNot("BTC", "14:05")),
        ("/why btc 14:05+03:00", AskWhyNot("btc", "14:05+03:00")),
        ("/why BTC 2026-11-22 14:05", AskWhyNot("BTC", "2026-11-22T14:05")),
        ("/log", AskLog(20)),
        ("/log 200", AskLog(200)),
        ("/mute BTC", Mute("BTC", 1.0, "@x", "telegram:-100")),
        ("/mute BTC 45m", Mute("BTC", 0.75, "@x", "telegram:-100")),
        ("/mute all 2d", Mute(None, 48.0, "@x", "telegram:-100")),
        ("/mutes", AskMutes("telegram:-100")),
        ("/unmute", Unmute(None, "telegram:-100")),
        ("/unmute BTC", Unmute("BTC", "telegram:-100")),
        ("/watch BTC 85k 90k 95k", Watch("BTC", ("85k", "90k", "95k"), 720.0, "@x")),
        ("/watch  BTC\n85k 7d", Watch("BTC", ("85k",), 168.0, "@x")),
        ("/unwatch BTC", Unwatch("BTC", (), 720.0, "@x")),
        ("/threshold drift_z30", AskThreshold("drift_z30", None)),
        ("/threshold BTC drift_z30", AskThreshold("drift_z30", "BTC")),
        ("/threshold drift_z30 5", SetThreshold("drift_z30", "5", 24.0, "@x", None)),
        ("/threshold drift_z30 5 2h", SetThreshold("drift_z30", "5", 2.0, "@x", None)),
        ("/threshold BTC drift_z30 5 2h", SetThreshold("drift_z30", "5", 2.0, "@x", "BTC")),
        ("/threshold retreat_s 2m", SetThreshold("retreat_s", "2m", 24.0, "@x", None)),
        ("/threshold drift_z30 file", SetThreshold("drift_z30", None, 24.0, "@x", None)),
        ("/feeds", Own.FEEDS),
        ("/start xyz", Own.START),
    ],
)
def test_a_command_is_a_question(text: str, question: Question | Own) -> None:
    assert meant(text) == question


@pytest.mark.parametrize(
    "text",
    [
        *(
            "/map",
            "/map BTC ETH",
            "/levels a b",
            "/why a b",
            "/why BTC 25:00",
            "/log 0",
            "/log 201",
            "/log -1",
        ),
        *("/log ²", "/log x", "/mute", "/mute 1h", "/mute BTC 1h 2h", "/mute BTC 0m"),
        *("/mute BTC 9999d", "/unmute a b", "/watch BTC", "/watch", "/watch BTC 7d", "/unwatch"),
        *("/threshold", "/threshold a b c d e", "/threshold drift_z30 5 soon"),
    ],
)
def test_what_says_nothing_gets_the_usage(text: str) -> None:
    with pytest.raises(UsageError):
        meant(text)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "map BTC", "/map@other_bot BTC", "/", "/Map BTC", "//map", "/карта", "/a" * 99],
)
def test_what_is_no_command_of_ours_is_nothing(text: str) -> None:
    assert typed(text, "liqwatch_bot") is None


def test_what_is_too_long_is_cut() -> None:
    one = typed("/map " + "x" * 100_000, "liqwatch_bot")

    assert one is not None
    assert len(one.words[0]) < 300


def test_every_usage_names_its_command() -> None:
    for name in COMMANDS:
        assert usage(name).startswith(f"/{name}")


def test_who_may_ask_may_not_change() -> None:
    for text in ("/mute BTC", "/unmute", "/watch BTC 1", "/unwatch BTC", "/reload", "/log"):
        one = typed(text, "")
        assert one is not None
        assert role_for(one.name, meaning(one, CALLER)) is Role.ADMIN
    shown, changed = Typed("threshold", ["drift_z30"]), Typed("threshold", ["drift_z30", "5"])
    assert role_for("threshold", meaning(shown, CALLER)) is Role.VIEWER
    assert role_for("threshold", meaning(changed, CALLER)) is Role.ADMIN


# -- roles -----------------------------------------------------------------------------------------


def roles(*chats: int, admins: tuple[int, ...] = (), viewers: tuple[int, ...] = ()) -> Roles:
    return Roles(BotSettings(admins=admins, viewers=viewers), lambda: chats)


def test_the_owner_of_a_private_chat_needs_no_list() -> None:
    assert roles(7).of(7, 7) is Role.ADMIN
    assert roles(7).of(8, 8) is Role.STRANGER
    assert roles(7, admins=(9,)).of(7, 7) is Role.STRANGER


def test_in_a_group_nobody_acts_unless_he_is_listed() -> None:
    assert roles(-100).of(7, -100) is Role.STRANGER
    assert roles(-100, admins=(7,)).of(7, -100) is Role.ADMIN
    assert roles(-100, viewers=(7,)).of(7, -100) is Role.VIEWER


def test_who_is_listed_is_heard_in_private_but_in_no_foreign_group() -> None:
    listed = roles(-100, admins=(7,))

    assert listed.of(7, 7) is Role.ADMIN
    assert listed.of(7, -200) is Role.STRANGER
    assert listed.of(8, 7) is Role.STRANGER


# -- floods ----------------------------------------------------------------------------------------


def test_one_person_cannot_use_up_what_is_there_for_all() -> None:
    gate = Floodgate()
    admitted = [gate.admits(1, 0.0) for _ in range(1000)]

    assert sum(admitted) == PER_USER
    assert gate.admits(2, 0.0)
    assert not gate.admits(1, 59.9)
    assert gate.admits(1, 60.0)


def test_all_together_have_a_limit() -> None:
    gate = Floodgate()

    assert sum(gate.admits(user, 0.0) for user in range(1000)) == IN_ALL
