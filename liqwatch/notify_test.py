"""Sends a sample of every message to every receiver, for who wants to see them arrive."""

import asyncio
import sys
from contextlib import closing

from liqwatch.alerting.catalogues import LANGUAGES
from liqwatch.config import Config
from liqwatch.samples import messages
from liqwatch.sinks import build
from liqwatch.sinks.base import Delivery, DeliveryError, RetryLater, Sink
from liqwatch.store import Database

TRIES = 3
LONGEST_WAIT_S = 60.0


def send_samples(config: Config) -> int:
    """Send them, say what came of it, and return the exit code. Raises SinkError."""
    with closing(Database(None)) as database:
        return asyncio.run(_send_all(build(config.notify, database)))


async def _send_all(sinks: list[Sink]) -> int:
    troubles = await asyncio.gather(*(_send_each(sink) for sink in sinks))
    for sink, trouble in zip(sinks, troubles, strict=True):
        sys.stderr.write(f"{sink.name}: {trouble or 'all samples were sent'}\n")
        await sink.close()
    return 1 if any(troubles) else 0


async def _send_each(sink: Sink) -> str | None:
    """Send all to one receiver, its own language first; return why that failed."""
    deliveries = [
        Delivery(text=text, alert=alert, silent=True)
        for language in sorted(LANGUAGES, key=lambda one: one != sink.rules.language)
        for alert, text in messages(language)
    ]
    for delivery in deliveries:
        try:
            await _send(sink, delivery)
        except DeliveryError as error:
            return error.reason
    return None


async def _send(sink: Sink, delivery: Delivery) -> None:
    for left in reversed(range(TRIES)):
        await asyncio.sleep(sink.wait_s(urgent=False))
        try:
            await sink.send(delivery)
        except RetryLater as error:
            if not left or (error.seconds or 0.0) > LONGEST_WAIT_S:
                raise
            await asyncio.sleep(error.seconds or 1.0)
        else:
            return
