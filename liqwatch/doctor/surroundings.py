"""Everything around the venues: the state folder and its disk, Telegram, the webhook."""

import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from liqwatch.config import Config, state_folder
from liqwatch.doctor.reach import reach
from liqwatch.doctor.report import Check, Finding, Verdict
from liqwatch.memory import is_somebody_in
from liqwatch.sinks import SinkError, TelegramSettings, WebhookSettings, telegram_sinks
from liqwatch.sinks.base import DeliveryError, RetryLater
from liqwatch.store import Database

if TYPE_CHECKING:
    from liqwatch.sinks.telegram.sender import TelegramSink

_GB = 1e9
_AS_THE_DAEMON = "run liqwatch as a user who may write there, or set another state folder"


def state(config: Config) -> Check:
    """Say whether the daemon's folder can be used, and whether one works there."""
    return Check("state folder", _state(state_folder(config)))


def disk(config: Config) -> Check:
    """Say whether there is room for recordings."""
    free_gb = shutil.disk_usage(_existing(state_folder(config))).free / _GB
    keep_gb = config.recording.min_free_gb
    says = f"{free_gb:,.1f} GB free, {keep_gb:g} GB are kept free"
    if free_gb > keep_gb:
        return Check("disk", Finding(Verdict.OK, says))
    advice = "make room, or tapes are deleted and then no longer written"
    return Check("disk", Finding(Verdict.ATTENTION, says, advice))


async def telegram(settings: TelegramSettings) -> Check:
    """Say whether the bot may send to its chat. Nothing is sent."""
    return Check("telegram", await _telegram(settings))


async def webhook(settings: WebhookSettings) -> Check:
    """Say whether the program that takes the alerts can be reached. Nothing is sent."""
    found = await reach(settings.url)
    if found.problem is None:
        return Check("webhook", Finding(Verdict.OK, f"{found.host} can be reached"))
    advice = "check notify.webhook.url, and that the program runs"
    return Check("webhook", Finding(Verdict.FAILED, f"{found.host}: {found.problem}", advice))


def _state(folder: Path) -> Finding:
    try:
        if not folder.exists():
            if os.access(_existing(folder), os.W_OK | os.X_OK):
                return Finding(Verdict.OK, f"{folder} will be made")
            return Finding(Verdict.FAILED, f"{folder} cannot be made", _AS_THE_DAEMON)
        tempfile.TemporaryFile(dir=folder).close()
        if is_somebody_in(folder):
            return Finding(Verdict.OK, f"{folder} can be written; a daemon is at work in it")
    except OSError as error:
        return Finding(Verdict.FAILED, f"{folder}: {error.strerror}", _AS_THE_DAEMON)
    return Finding(Verdict.OK, f"{folder} can be written; no daemon is at work in it")


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


async def _telegram(settings: TelegramSettings) -> Finding:
    with closing(Database(None)) as database:
        try:
            sinks = telegram_sinks(settings, database)
        except SinkError as error:
            return Finding(Verdict.FAILED, str(error))
        try:
            found = [await _chat(sink) for sink in sinks]
        finally:
            await sinks[0].close()
    return next((one for one in found if one.verdict is not Verdict.OK), found[0])


async def _chat(sink: "TelegramSink") -> Finding:
    try:
        found = await sink.rights()
    except DeliveryError as error:
        return Finding(Verdict.FAILED, error.reason, _advice(error))
    if found.refusal is None:
        return Finding(Verdict.OK, f"{found.bot} may send to its chat ({found.chat})")
    what, _, advice = found.refusal.partition(": ")
    return Finding(Verdict.FAILED, f"{found.bot}, chat ({found.chat}): {what}", advice)


def _advice(error: DeliveryError) -> str:
    match error:
        case RetryLater(seconds=None):
            return "check the network of this machine"
        case RetryLater():
            return "try again later"
        case _:
            return (
                "check notify.telegram.chat; a person must have started the bot, a group added it"
            )
