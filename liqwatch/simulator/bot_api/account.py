"""What Telegram keeps of a bot: its chats, pictures and updates, and the clock over it all."""

from collections.abc import Callable, Mapping

from liqwatch.simulator.bot_api.chats import Chat, Photo
from liqwatch.simulator.bot_api.photos import measured
from liqwatch.simulator.bot_api.refusals import bad, forbidden, migrated
from liqwatch.simulator.bot_api.updates import Updates

ME = {"id": 123456789, "is_bot": True, "first_name": "liqwatch", "username": "liqwatch_bot"}

Files = Mapping[str, bytes]


class Account:
    """`now_s` is a clock in seconds since the Unix epoch.

    `complaints` are requests that are wrong in themselves, and what Telegram would let pass in
    silence though nobody can mean it.
    """

    def __init__(self, chats: Mapping[int, Chat], now_s: Callable[[], float]) -> None:
        self.chats = dict(chats)
        self.updates = Updates()
        self.complaints: list[str] = []
        self.now_s = now_s
        self._photos: dict[str, Photo] = {}
        self._last_ids: dict[int, int] = {}

    def chat(self, chat_id: int | str) -> Chat:
        """Return a chat. Raises Refused."""
        if chat_id == "":
            raise bad("chat_id is empty")
        chat = self.chats.get(number_of(chat_id))
        if chat is None:
            raise bad("chat not found")
        if chat.moved_to is not None:
            raise migrated(chat.moved_to)
        return chat

    def open_chat(self, chat_id: int | str) -> Chat:
        """Return a chat in which the bot may do something. Raises Refused."""
        chat = self.chat(chat_id)
        if chat.refusal is not None:
            raise chat.refusal
        match chat.member["status"]:
            case "kicked":
                raise forbidden(f"bot was kicked from the {chat.kind} chat")
            case "left":
                raise forbidden(f"bot is not a member of the {chat.kind} chat")
        return chat

    def new_id(self, chat: Chat) -> int:
        """Return the id of the next message there."""
        # Supergroups count for themselves, all other chats of an account together.
        counter = chat.id if chat.kind in {"supergroup", "channel"} else 0
        self._last_ids[counter] = self._last_ids.get(counter, 0) + 1
        return self._last_ids[counter]

    def photo(self, name: str, files: Files) -> Photo:
        """Return a picture that comes with a request, or came with one before. Raises Refused."""
        if name in self._photos:
            return self._photos[name]
        file = files.get(name.removeprefix("attach://"))
        if file is None:
            raise bad("wrong remote file identifier specified: can't unserialize it")
        width, height = measured(file)
        photo = Photo(f"photo{len(self._photos) + 1}", file, width, height)
        self._photos[photo.file_id] = photo
        return photo


def number_of(chat_id: int | str) -> int:
    """Return the number of a chat; a name is that of a public chat, of which there is none here."""
    try:
        return int(chat_id)
    except ValueError:
        return 0
