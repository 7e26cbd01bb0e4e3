"""Everything that is looked at, at once."""

import asyncio
from collections.abc import Coroutine, Iterator
from random import Random

from liqwatch import __version__
from liqwatch.clock import Clock, WallClock
from liqwatch.config import Config, VenueSettings
from liqwatch.doctor import surroundings
from liqwatch.doctor.clocks import compare
from liqwatch.doctor.judging import judge
from liqwatch.doctor.report import Check, Finding, Report, VenueReport, Verdict, worst
from liqwatch.doctor.visit import Visit
from liqwatch.exchanges import EXCHANGES


async def diagnose(
    config: Config,
    *,
    name: str,
    seconds: float,
    clock: Clock | None = None,
    random: Random | None = None,
) -> Report:
    """Visit every venue of `config` for at most `seconds`, look at all else, and report.

    `name` stands for the configuration. Nothing is recorded, decided or sent to anybody.
    """
    clock = clock or WallClock()
    random = random or Random()  # noqa: S311 - spreads retries, guards nothing

    async def visit(venue: str, settings: VenueSettings) -> VenueReport:
        coins = None if config.symbols is None else tuple(config.symbols)
        one = Visit(
            EXCHANGES[venue](), settings, coins, clock=clock, random=random, seconds=seconds
        )
        await one.make()
        return judge(one)

    async with asyncio.TaskGroup() as tasks:
        visits = [tasks.create_task(visit(*one)) for one in config.venues.items()]
        around = [tasks.create_task(one) for one in _receivers(config)]
    clocks, venues = compare([one.result() for one in visits])
    checks = [
        _configuration(config, name),
        surroundings.state(config),
        surroundings.disk(config),
        _network(venues),
        *(one.result() for one in around),
        *clocks,
    ]
    return Report(
        version=__version__,
        time=clock.now_ns() // 1_000_000,
        verdict=worst([*(one.finding.verdict for one in checks), *(one.verdict for one in venues)]),
        checks=checks,
        venues=venues,
    )


def _network(venues: list[VenueReport]) -> Check:
    reached = sum(any(one.problem is None for one in venue.reach) for venue in venues)
    says = f"{reached} of {len(venues)} venues can be reached"
    if reached:
        return Check("network", Finding(Verdict.OK, says))
    advice = "check that this machine has a way to the internet, and its DNS"
    return Check("network", Finding(Verdict.FAILED, says, advice))


def _receivers(config: Config) -> Iterator[Coroutine[None, None, Check]]:
    notify = config.notify
    if notify.telegram is not None:
        yield surroundings.telegram(notify.telegram)
    if notify.webhook is not None:
        yield surroundings.webhook(notify.webhook)


def _configuration(config: Config, name: str) -> Check:
    coins = "every coin" if config.symbols is None else ", ".join(config.symbols)
    says = f"{name}: {coins} on {len(config.venues)} venues"
    return Check("configuration", Finding(Verdict.OK, says))
