"""The Bot API's ways to say no, in its own words."""

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
SECOND_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is"
    " running"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The API answers that it will not: HTTP status, description, parameters of the error."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    @property
    def body(self) -> dict[str, object]:
        """The JSON body."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        return body | ({"parameters": self.parameters} if self.parameters else {})


class Misused(Refused):
    """A request that no version of our code may send: an unknown, missing or mistyped field."""


def bad(reason: str) -> Refused:
    """400."""
    return Refused(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> Refused:
    """403."""
    return Refused(403, f"Forbidden: {reason}")


def flooded(seconds: int) -> Refused:
    """429: come back after so many seconds."""
    return Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def migrated(chat: int) -> Refused:
    """400: the group has become the supergroup `chat`."""
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refused(400, description, migrate_to_chat_id=chat)


def blocked() -> Refused:
    """The user has blocked the bot."""
    return forbidden("bot was blocked by the user")


def deactivated() -> Refused:
    """The user's account is gone."""
    return forbidden("user is deactivated")
