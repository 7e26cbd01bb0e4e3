"""The bot beside the chats that alerts go to."""

import asyncio
from contextlib import closing

from bot_chats import Chats
from sample_alerts import STARTED

from liqwatch.alerting.rules import Rules
from liqwatch.alerting.silences import Silence
from liqwatch.control.vocabulary import Answer, AskMutes, Mute, Muted, MutesAnswer, Question
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.sinks.telegram.bot import BotSettings
from liqwatch.sinks.telegram.bot.run import hearing
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.store import Database, MovedChats, Topics

HOME, OTHER, ADMIN = -100, -200, 7
SILENCE = Silence(who="@x", since_ms=0, until_ms=3_600_000, symbol="BTC")


async def test_each_chat_has_its_language_its_mutes_and_its_buttons() -> None:
    people, asked, revived = Chats(), list[Question](), list[str]()
    connection = people.connection()

    def ask(question: Question) -> Answer:
        asked.append(question)
        if isinstance(question, AskMutes) and question.receiver == f"telegram:{OTHER}":
            return MutesAnswer((Muted(question.receiver, SILENCE),))
        return MutesAnswer(())

    with closing(Database(None)) as database:
        moved, topics = MovedChats(database), Topics(database)
        home, other = (
            TelegramSink(ChatSettings(chat=chat, rules=rules), connection, moved, topics)
            for chat, rules in ((HOME, Rules(language="ru")), (OTHER, Rules()))
        )
        moved.moved(HOME, -1001)
        bot = hearing(
            BotSettings(admins=(ADMIN,)),
            [home, other],
            database=database,
            ask=ask,
            waits=lambda _: False,
            revive=revived.append,
            now_ms=lambda: 1_761_000_000_000,
        )
        running = asyncio.create_task(bot.run())
        people.says(ADMIN, -1001, "/mute BTC")
        people.says(ADMIN, OTHER, "/start")
        people.says(ADMIN, HOME, "/mute ETH")  # where nobody is any more
        await people.until("sendMessage", 2)
        await people.heard()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        labels = [
            [one.text for one in markup.inline_keyboard[0]]
            for sink in (home, other)
            if sink.buttons and (markup := sink.buttons.under(sink.chat, "key", STARTED))
        ]

    assert [one for one in asked if isinstance(one, Mute)] == [
        Mute("BTC", 1.0, "@user7", f"telegram:{HOME}")
    ]
    assert revived == [f"telegram:{OTHER}"]
    assert people.texts(-1001) == ["<b>Ничего не заглушено.</b>"]
    assert labels[0][0] == "Без BTC 1 ч"
    assert labels[1][0] == "Muted by @x until 01:00 UTC"
