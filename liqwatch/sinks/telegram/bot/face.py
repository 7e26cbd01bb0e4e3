"""What people write and press, held against who they are, and answered."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import structlog
from telegram import CallbackQuery, MaybeInaccessibleMessage, Message, Update, User

from liqwatch.alerting.catalogues import LANGUAGES, Language, phrase
from liqwatch.alerting.numbers import clean
from liqwatch.control.vocabulary import (
    Answer,
    AskStatus,
    ControlError,
    Mute,
    Question,
    Unmute,
)
from liqwatch.sinks.telegram.bot import answers
from liqwatch.sinks.telegram.bot.answers import Reply, said
from liqwatch.sinks.telegram.bot.callbacks import ROLES, Buttons, Pressed
from liqwatch.sinks.telegram.bot.commands import (
    COMMANDS,
    Caller,
    Meant,
    Own,
    Typed,
    UsageError,
    meaning,
    role_for,
    typed,
    usage,
)
from liqwatch.sinks.telegram.bot.floods import Floodgate
from liqwatch.sinks.telegram.bot.roles import Role, Roles
from liqwatch.sinks.telegram.bot.voice import Place, Voice
from liqwatch.store.buttons import Panel

STALE_S = 600.0  # a command that waited longer, as while nobody ran, is not obeyed
NAME_LENGTH = 32
TELL_EVERY_S = 600.0

log = structlog.get_logger("liqwatch.telegram")


class Chats(NamedTuple):
    """What the bot needs to know of the chats that alerts go to.

    `receiver` names the queue of a chat's alerts, None of one that gets none: what is muted there
    is muted everywhere. `started` makes a chat that was given up count again.
    """

    language: Callable[[int], Language]
    receiver: Callable[[int], str | None]
    started: Callable[[int], None]


class Tally:
    """Says how often something happened, seldom."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._tell_at_s = 0.0

    def count(self, now_s: float) -> None:
        """Count one more; the first is said at once, those after it together."""
        self._count += 1
        if now_s >= self._tell_at_s:
            log.info(self._what, times=self._count)
            self._count = 0
            self._tell_at_s = now_s + TELL_EVERY_S


class Face:
    """Takes updates; `ask` asks the daemon, `samples` are what `/test` sends, as HTML.

    `now_s` is the wall clock in seconds. `username` is the bot's own, known once it was heard.
    """

    def __init__(
        self,
        voice: Voice,
        ask: Callable[[Question], Answer],
        roles: Roles,
        buttons: Buttons,
        chats: Chats,
        samples: Callable[[Language], Iterable[str]],
        *,
        now_s: Callable[[], float],
    ) -> None:
        self.username = ""
        self._voice = voice
        self._ask = ask
        self._roles = roles
        self._buttons = buttons
        self._chats = chats
        self._samples = samples
        self._now_s = now_s
        self._gate = Floodgate()
        self._testing = set[int]()
        self._strangers = Tally("strangers wrote to the bot, they get no answer")
        self._floods = Tally("more commands than anybody types, they are let go")

    async def take(self, update: Update) -> None:
        """Act on one update, or let it go."""
        if update.callback_query is not None:
            await self._pressed(update.callback_query)
        elif update.message is not None:
            await self._written(update.message)

    def _is_heard(self, user: User, role: Role) -> bool:
        now_s = self._now_s()
        if role is Role.STRANGER:
            self._strangers.count(now_s)
            return False
        if not self._gate.admits(user.id, now_s):
            self._floods.count(now_s)
            return False
        return True

    # -- commands ----------------------------------------------------------------------------------

    async def _written(self, message: Message) -> None:
        user, text, chat = message.from_user, message.text or "", message.chat.id
        one = typed(text, self.username)
        if one is None or user is None or not _by_hand(message):
            return
        if self._now_s() - message.date.timestamp() > STALE_S:
            return
        role = self._roles.of(user.id, chat)
        if one.name == "id":  # how an admin learns the id of a chat to be added
            role = max(role, self._roles.of_person(user.id))
        if not self._is_heard(user, role):
            return
        if one.name not in COMMANDS and chat != user.id and f"@{self.username}" not in text:
            return  # in a group it may be for another bot
        caller = self._caller(user, chat, _topic(message))
        await self._command(one, caller, role, Place(chat, caller.topic, message.message_id))

    async def _command(self, one: Typed, caller: Caller, role: Role, place: Place) -> None:
        language = self._chats.language(caller.chat)
        if one.name not in COMMANDS:
            await self._voice.say(place, said("bot-no-command", language))
            return
        try:
            meant = meaning(one, caller)
        except UsageError:
            await self._voice.say(place, said("bot-usage", language, usage=usage(one.name)))
            return
        if role < role_for(one.name, meant):
            await self._voice.say(place, said("bot-admins-only", language))
        elif meant is Own.TEST:
            await self._test(place, language)
        else:
            await self._voice.say(place, self._answer(meant, caller, language))
            if isinstance(meant, Mute | Unmute):
                await self._mirror(caller.chat, meant.symbol)

    def _answer(self, meant: Meant, caller: Caller, language: Language) -> Reply:
        match meant:
            case Own.HELP:
                return answers.help_reply(language)
            case Own.ID:
                return answers.id_reply(caller, language)
            case Own.START:
                self._chats.started(caller.chat)
                return said("bot-start", language)
            case Own.FEEDS:
                return self._told(AskStatus(), language, answers.feeds_reply)
            case Own.TEST:
                return said("bot-test", language)
            case _:
                return self._told(meant, language, answers.reply)

    def _told(
        self, asked: Question, language: Language, word: Callable[[Any, Language], Reply]
    ) -> Reply:
        try:
            return word(self._ask(asked), language)
        except ControlError as error:
            return said("bot-refused", language, reason=str(error))

    async def _test(self, place: Place, language: Language) -> None:
        """Send a sample of every message, in both languages, this chat's own first."""
        if place.chat in self._testing:
            await self._voice.say(place, said("bot-busy", language))
            return
        self._testing.add(place.chat)
        try:
            await self._voice.say(place, said("bot-test", language))
            for each in sorted(LANGUAGES, key=lambda one: one != language):
                for sample in self._samples(each):
                    await self._voice.tell(Place(place.chat, place.topic), sample)
            await self._voice.say(place, said("bot-test-done", language))
        finally:
            self._testing.discard(place.chat)

    # -- buttons -----------------------------------------------------------------------------------

    async def _pressed(self, query: CallbackQuery) -> None:
        user, message = query.from_user, query.message
        if message is None or query.data is None or user.is_bot:
            return
        chat = message.chat.id
        role = self._roles.of(user.id, chat)
        if not self._is_heard(user, role):
            return
        language = self._chats.language(chat)
        pressed = self._buttons.pressed(query.data, chat, message.message_id)
        if pressed is None:
            await self._voice.heed(query.id, phrase("bot-old-button", language))
        elif role < ROLES[pressed.verb]:
            await self._voice.heed(query.id, phrase("bot-admins-only", language))
        elif await self._voice.heed(query.id):  # what was pressed long ago is not obeyed
            await self._obey(pressed, self._caller(user, chat, _topic(message)), language)

    async def _obey(self, pressed: Pressed, caller: Caller, language: Language) -> None:
        panel = pressed.panel
        asked = self._buttons.question(pressed, caller)
        if asked is None:
            await self._show(self._buttons.acked(panel, caller.name))
            return
        answer = self._told(asked, language, answers.reply)
        if isinstance(asked, Mute | Unmute):
            await self._show(panel)
            await self._mirror(caller.chat, panel.symbol, without=panel.key)
        else:
            await self._voice.say(Place(caller.chat, caller.topic, panel.message_id), answer)

    async def _mirror(self, chat: int, symbol: str | None, without: str = "") -> None:
        """Let the buttons of the newest messages say what is muted."""
        for panel in self._buttons.about(chat, symbol):
            if panel.key != without:
                await self._show(panel)

    async def _show(self, panel: Panel) -> None:
        if panel.message_id is not None:
            markup = self._buttons.markup(panel)
            await self._voice.show(panel.chat, panel.message_id, markup)

    def _caller(self, user: User, chat: int, topic: int | None) -> Caller:
        known_as = f"@{user.username}" if user.username else user.full_name
        name = clean(known_as)[:NAME_LENGTH] or "?"
        return Caller(user.id, name, chat, topic, self._chats.receiver(chat))


def _by_hand(message: Message) -> bool:
    """Return whether its sender typed it: it was not forwarded, nor written by another bot or in a
    group's own name.
    """
    by_bot = message.via_bot is not None or (message.from_user and message.from_user.is_bot)
    return not by_bot and message.forward_origin is None and message.sender_chat is None


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    if isinstance(message, Message) and message.is_topic_message:
        return message.message_thread_id
    return None
