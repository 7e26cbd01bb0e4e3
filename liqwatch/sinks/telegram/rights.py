"""What a bot may do in a chat, found out without sending anything."""

from typing import NamedTuple

from telegram import (
    Bot,
    ChatFullInfo,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberOwner,
    ChatMemberRestricted,
)
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import ChatMigrated


class Rights(NamedTuple):
    """`refusal` says why the bot cannot send; None where nothing speaks against it."""

    bot: str  # its name
    chat: str  # what kind it is: private, group, supergroup, channel
    refusal: str | None
    may_pin: bool
    may_make_topics: bool


async def rights(bot: Bot, chat: int) -> Rights:
    """Ask who the bot is and what it may do there. Raises telegram.error.TelegramError.

    Whether a person has blocked the bot shows only when it sends.
    """
    me = await bot.get_me()
    try:
        about = await bot.get_chat(chat)
    except ChatMigrated as error:
        about = await bot.get_chat(error.new_chat_id)
    name = f"@{me.username}"
    if about.type == ChatType.PRIVATE:
        return Rights(name, about.type, None, may_pin=True, may_make_topics=False)
    member = await bot.get_chat_member(about.id, me.id)
    # In a channel whoever may edit messages may pin them: core.telegram.org/bots/api#pinchatmessage
    pinning = "can_edit_messages" if about.type == ChatType.CHANNEL else "can_pin_messages"
    return Rights(
        name,
        about.type,
        _refusal(about, member),
        may_pin=_has(member, pinning),
        may_make_topics=bool(about.is_forum) and _has(member, "can_manage_topics"),
    )


def _has(member: ChatMember, right: str) -> bool:
    return isinstance(member, ChatMemberOwner) or bool(getattr(member, right, False))


def _refusal(chat: ChatFullInfo, bot: ChatMember) -> str | None:
    # https://core.telegram.org/bots/api#chatmember and #chatpermissions
    if bot.status in {ChatMemberStatus.LEFT, ChatMemberStatus.BANNED}:
        return "the bot is not in the chat: add it"
    match bot:
        case ChatMemberOwner():
            may_send: bool | None = True
        case ChatMemberAdministrator():
            may_send = chat.type != ChatType.CHANNEL or bot.can_post_messages
        case ChatMemberRestricted():
            may_send = bot.is_member and bot.can_send_messages
        case _:
            may_send = chat.type != ChatType.CHANNEL and (
                chat.permissions is None or chat.permissions.can_send_messages is not False
            )
    return None if may_send else "the bot may not send messages there: give it that right"
