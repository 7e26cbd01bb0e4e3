"""Commands and buttons in a Telegram chat: a face of `control`.

The settings live here, the rest is imported when it is used.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

User = Annotated[int, Meta(ge=1, le=(1 << 52) - 1, description="a person's id, as /id shows it")]


class BotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands and buttons, and who may use them."""

    commands: bool = True
    """Answer commands and buttons. Of all liqwatch that share a bot only one may do so."""

    admins: tuple[User, ...] = ()
    """May ask and change. With nobody named here the owner of a private chat may, in a group
    nobody.
    """

    viewers: tuple[User, ...] = ()
    """May only ask."""
