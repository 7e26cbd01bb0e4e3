"""One venue, for ever: its instruments first, then all its streams and polls."""

import asyncio
import itertools
from collections.abc import Callable, Collection
from functools import partial
from random import Random

import aiohttp
import structlog

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Exchange
from liqwatch.sources.live import Feed, Ingest, rewrite_url
from liqwatch.sources.poll import Rest
from liqwatch.sources.supervise import Budget, full_jitter, keep_running

REST_PER_S = 10.0


async def watch_venue(
    exchange: Exchange,
    symbols: Collection[str] | None,
    ingest: Ingest,
    *,
    websocket: str | None,
    rest: str | None,
    clock: Clock,
    random: Random,
    fatal: tuple[type[Exception], ...],
) -> None:
    """Listen until cancelled. Lost connections and bugs of the venue's file restart their stream.

    `websocket` and `rest` replace scheme, host and port of the venue's addresses. Exceptions in
    `fatal`, raised by `ingest`, end it.
    """
    log = structlog.get_logger("liqwatch.sources").bind(venue=exchange.venue)
    backoff = partial(full_jitter, random)
    keep = partial(keep_running, log=log, backoff=backoff, fatal=fatal)
    async with aiohttp.ClientSession() as session:
        facts = Rest(
            exchange,
            ingest,
            session=session,
            clock=clock,
            budget=Budget(REST_PER_S),
            backoff=backoff,
            rewrite=_rewriting(rest),
        )
        await keep(lambda _: facts.bootstrap(), name="instruments")
        listed = {instrument.symbol for instrument in exchange.instruments.values()}
        if unlisted := sorted(set(symbols or ()) - listed):
            log.warning("coins that are not listed here", symbols=unlisted)
        names = (f"{exchange.venue}/{number}" for number in itertools.count(1))
        budget = Budget(exchange.connects_per_s)
        async with asyncio.TaskGroup() as tasks:
            for endpoint in exchange.endpoints(symbols):
                feed = Feed(
                    exchange.venue,
                    endpoint,
                    ingest,
                    names=names,
                    clock=clock,
                    budget=budget,
                    rewrite=_rewriting(websocket),
                )
                tasks.create_task(keep(feed.run, name=endpoint.url))
            tasks.create_task(keep(lambda _: facts.poll(exchange.polls(symbols)), name="polls"))


def _rewriting(override: str | None) -> Callable[[str], str]:
    return str if override is None else partial(rewrite_url, override=override)
