"""What is known of chats: where they moved, how long they want nothing, which topics they have."""

from liqwatch.store.database import Database


class MovedChats:
    """Where chats moved to: a group that becomes a supergroup gets a new id.

    Kept over restarts.
    """

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


class Freezes:
    """Until when receivers want nothing, in seconds of the wall clock: kept over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def until_s(self, receiver: str) -> float:
        """Return when the freeze of this receiver ends; 0 where there is none."""
        rows = self._database.read("SELECT until_s FROM freezes WHERE receiver = ?", receiver)
        return float(rows[0][0]) if rows else 0.0

    def freeze(self, receiver: str, until_s: float) -> None:
        """Remember a freeze, instead of what was said before."""
        row = (receiver, until_s)
        self._database.write(lambda db: db.execute("REPLACE INTO freezes VALUES (?, ?)", row))


class Topics:
    """The topics that were made in forum groups, by name: kept over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def thread(self, chat: int, name: str) -> int | None:
        """Return the id of a topic."""
        query = "SELECT thread FROM topics WHERE chat = ? AND name = ?"
        rows = self._database.read(query, chat, name)
        return int(rows[0][0]) if rows else None

    def made(self, chat: int, name: str, thread: int) -> None:
        """Remember a topic."""
        row = (chat, name, thread)
        self._database.write(lambda db: db.execute("REPLACE INTO topics VALUES (?, ?, ?)", row))

    def gone(self, chat: int, name: str) -> None:
        """Forget a topic that somebody deleted."""
        query = "DELETE FROM topics WHERE chat = ? AND name = ?"
        self._database.write(lambda db: db.execute(query, (chat, name)))
