"""Chats that moved: a group that becomes a supergroup gets a new id, and messages must follow."""

from liqwatch.store.database import Database


class MovedChats:
    """Where chats moved to, kept over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moves: dict[int, int] = dict(database.read("SELECT old, new FROM moved_chats"))

    def current(self, chat: int) -> int:
        """Return the id under which `chat` is reached now."""
        return self._moves.get(chat, chat)

    def moved(self, chat: int, new: int) -> None:
        """Remember that the configured `chat` is reached under `new` from now on."""
        self._moves[chat] = new
        self._database.write(
            lambda db: db.execute("REPLACE INTO moved_chats VALUES (?, ?)", (chat, new))
        )
