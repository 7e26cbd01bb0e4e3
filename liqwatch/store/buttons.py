"""The buttons under messages: what each message's are about, until they expire."""

import msgspec
from msgspec.structs import replace

from liqwatch.store.database import Database


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """The buttons of one message in a chat; `token` is random, and stands in what they send.

    `key` is the story or the alert that the message shows, `level` the prices of its level.
    """

    token: str
    chat: int
    key: str
    symbol: str
    level: tuple[float, float] | None
    expires_ms: int
    message_id: int | None = None  # None until it is sent
    acked_by: str | None = None


class Panels:
    """The panels of all chats, kept over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, chat: int, key: str) -> Panel | None:
        """Return the panel of a message, by what it shows."""
        return self._one("SELECT json FROM buttons WHERE chat = ? AND key = ?", chat, key)

    def by_token(self, token: str) -> Panel | None:
        """Return the panel that has the token."""
        return self._one("SELECT json FROM buttons WHERE token = ?", token)

    def newest(self, chat: int, symbol: str | None, now_ms: int, most: int) -> list[Panel]:
        """Return the panels of a coin (None: any) in a chat that still count, newest first."""
        query = (
            "SELECT json FROM buttons WHERE chat = ? AND expires_ms > ? ORDER BY expires_ms DESC"
        )
        panels = (_decode(json) for (json,) in self._database.read(query, chat, now_ms))
        about = (one for one in panels if symbol is None or symbol.lower() == one.symbol.lower())
        return [one for one in about if one.message_id is not None][:most]

    def put(self, panel: Panel) -> None:
        """Keep a panel in the place of the key's earlier one."""
        row = (
            panel.token,
            panel.chat,
            panel.key,
            panel.message_id,
            msgspec.json.encode(panel),
            panel.expires_ms,
        )
        self._database.write(
            lambda db: db.execute("REPLACE INTO buttons VALUES (?, ?, ?, ?, ?, ?)", row)
        )

    def sent(self, chat: int, key: str, message_id: int) -> None:
        """Note which message shows the key."""
        panel = self.of(chat, key)
        if panel is not None and panel.message_id != message_id:
            self.put(replace(panel, message_id=message_id))

    def drop_expired(self, now_ms: int) -> None:
        """Forget what can no longer be pressed."""
        self._database.write(
            lambda db: db.execute("DELETE FROM buttons WHERE expires_ms <= ?", (now_ms,))
        )

    def _one(self, query: str, *values: object) -> Panel | None:
        rows = self._database.read(query, *values)
        return _decode(rows[0][0]) if rows else None


_decode = msgspec.json.Decoder(Panel).decode
