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


async def rights(bot: Bot, chat: int) -> Rights:
    """Ask who the bot is and what it may do there. Raises telegram.error.TelegramError.

    Whether a person has blocked the bot shows only when it sends.
    """
    me = await bot.get_me()
    try:
        about = await bot.get_chat(chat)
    except ChatMigrated as error:
        about = await bot.get_chat(error.new_chat_id)
    refusal = None
    if about.type != ChatType.PRIVATE:
        refusal = _refusal(about, await bot.get_chat_member(about.id, me.id))
    return Rights(f"@{me.username}", about.type, refusal)


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
