"""A delivering process that is killed again and again, against a Bot API that lives on."""

import asyncio
import multiprocessing
from collections import Counter
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from random import Random
from typing import NamedTuple

from fake_bot_api import TOKEN, FakeBotApi
from msgspec.structs import replace

from liqwatch.alerting.rules import EVERY_ALERT
from liqwatch.alerts import Alert
from liqwatch.samples import START_MS, STORY
from liqwatch.secret import Secret
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.telegram import ChatSettings, limits, sender
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, MovedChats, Topics

CHAT = 7
PRELOADED = [
    "liqwatch.simulator.bot_api",
    "liqwatch.samples",
    "liqwatch.sinks.outbox",
    "liqwatch.sinks.telegram.sender",
]
LONGEST_LIFE_S = 0.25  # in which a story may go out, or not
OWN_STORIES = replace(EVERY_ALERT, group_after=None)


class Survived(NamedTuple):
    """What the chat got in spite of `kills`, by message: a story's root, or one of its replies."""

    kills: int
    stories: int
    lost: list[str]
    copies: int  # beyond the first of each
    unmarked_copies: int
    out_of_order: list[str]


def story(number: int) -> list[Alert]:
    """Return a story of its own coin, with ids of its own."""
    coin = f"C{number}X"
    return [
        replace(alert, id=f"{coin}-{alert.id}", episode=f"{coin}-up", symbol=coin)
        for alert in STORY
    ]


async def survive(kills: int, folder: Path, seed: int = 1) -> Survived:
    """Kill a process that delivers so often, let the last one finish, and look at the chat."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    random, told = Random(seed), 0
    async with FakeBotApi(CHAT) as api:
        for kill in range(kills + 1):
            ready, ours = context.Pipe(duplex=False)
            child = context.Process(target=deliver, args=(folder / "db", api.base_url, told, ours))
            child.start()
            ours.close()
            await asyncio.to_thread(ready.recv)
            put = asyncio.ensure_future(asyncio.to_thread(_put_by, ready))
            if kill < kills:
                await asyncio.sleep(random.uniform(0.0, LONGEST_LIFE_S))
                child.kill()
            told += await put
            await asyncio.to_thread(child.join)
            child.close()
        return _judged(api, kills, told)


def _put_by(child: Pipe) -> bool:
    """Wait for the end of a child, or for the word that its story was put."""
    try:
        return bool(child.recv())
    except EOFError:
        return False


def deliver(path: Path, base_url: str, first: int, told: Pipe) -> None:
    """Put a story and deliver all there is, in a process of its own."""
    # The limits have tests of their own, and would take hours here.
    limits.PER_CHAT_S = sender.EDIT_GAP_S = 0.0
    limits.IN_ALL = 10_000
    asyncio.run(_deliver(path, base_url, first, told))


async def _deliver(path: Path, base_url: str, first: int, told: Pipe) -> None:
    database = Database(path)
    sink = TelegramSink(
        ChatSettings(chat=CHAT, rules=OWN_STORIES),
        Connection(Secret(TOKEN), base_url),
        MovedChats(database),
        Topics(database),
    )
    outbox = Outbox(database, [sink], timing=Timing(now_ms=lambda: START_MS))
    running = asyncio.ensure_future(outbox.run())
    told.send(False)
    for alert in story(first):
        outbox.put([alert])
        await asyncio.sleep(0)
    told.send(True)
    await outbox.drain(60.0)
    running.cancel()
    await asyncio.wait([running])
    database.close()


def _judged(api: FakeBotApi, kills: int, told: int) -> Survived:
    sent = [(call["text"], call.get("reply_parameters")) for call in api.sent()]
    expected = [
        f"{alerts[0].symbol} {kind}"
        for alerts in map(story, range(told))
        for kind in ("root", "STALLED", "RESUMED", "ENDED")
    ]
    names = [_name(text, reply=reply is not None) for text, reply in sent]
    counts, firsts = Counter(names), {name: names.index(name) for name in set(names)}
    marked = Counter(
        name for name, (text, _) in zip(names, sent, strict=True) if "possible duplicate" in text
    )
    return Survived(
        kills=kills,
        stories=told,
        lost=[name for name in expected if name not in counts],
        copies=sum(count - 1 for count in counts.values()),
        unmarked_copies=sum(max(0, counts[name] - marked[name] - 1) for name in counts),
        out_of_order=[
            later
            for sooner, later in pairwise(expected)
            if sooner.split()[0] == later.split()[0]
            and firsts.get(sooner, 0) > firsts.get(later, len(names))
        ],
    )


def _name(text: str, *, reply: bool) -> str:
    first = text.partition("\n")[0].replace(",", " ").split()
    coin = next(word for word in first if word.startswith("C") and word.endswith("X"))
    kinds = ("STALLED", "RESUMED", "ENDED")
    return f"{coin} {next(one for one in kinds if one in first) if reply else 'root'}"
