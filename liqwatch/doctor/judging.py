"""From what a visit left to the report on a venue."""

import re
from collections.abc import Iterator

from liqwatch.doctor.findings import findings
from liqwatch.doctor.headroom import headroom
from liqwatch.doctor.report import ChannelHeard, Heard, Route, VenueReport, gravest_first, worst
from liqwatch.doctor.visit import MUST_DELIVER, Visit
from liqwatch.exchanges.base import Channel

MAY_BE_QUIET = frozenset({Channel.LIQUIDATIONS, Channel.POSITIONS})
BUDGET_S = 300  # venues count connections by five minutes
_FORCED = re.compile("liq|force|userfills", re.IGNORECASE)  # in topics, as venues name them


def judge(visit: Visit) -> VenueReport:
    """Say how a venue is."""
    exchange, hearing = visit.exchange, visit.hearing
    routes, channels = _routes(visit), _channels(visit)
    headroom_pct = headroom(visit.limits)
    listed = {one.symbol for one in exchange.instruments.values()}
    wanted = listed if visit.coins is None else set(visit.coins)
    found = gravest_first(findings(visit, routes, channels, headroom_pct))
    return VenueReport(
        venue=exchange.venue,
        title=exchange.title,
        verdict=worst(one.verdict for one in found),
        findings=found,
        listened_s=round(visit.listened_s, 1),
        reach=visit.reach,
        instruments=len(exchange.instruments),
        coins_listed=len(wanted & listed),
        coins_missing=sorted(wanted - listed) if listed else [],
        contract_sizes={
            name: one.contract_size
            for name, one in exchange.instruments.items()
            if visit.coins is not None and one.symbol in wanted
        },
        routes=routes,
        channels=channels,
        unreadable=dict(hearing.unreadable),
        clock_offset_ms=_rounded(hearing.clock_offset_ms),
        clock_trades=hearing.clock_trades,
        limit_headers=visit.limits,
        headroom_pct=headroom_pct,
        connects=visit.connects,
        connects_allowed=round(exchange.connects_per_s * BUDGET_S),
        open_questions=list(exchange.open_questions()),
    )


def _routes(visit: Visit) -> list[Route]:
    silent = [one.url for one in visit.without_data() if visit.had_its_time(one)]
    urls = [one.url for one in visit.hearing.streams.values()]
    urls += [one.url for one in visit.subscriptions]
    urls += [url for url in visit.lost if url.startswith("ws")]
    return [_route(visit, url, silent.count(url)) for url in dict.fromkeys(urls)]


def _route(visit: Visit, url: str, silent: int) -> Route:
    streams = [one for one in visit.hearing.streams.values() if one.url == url]
    asked = [one for one in visit.subscriptions if one.url == url]
    lost = visit.lost.get(url)
    return Route(
        url=url,
        opened=len(streams),
        delivered=sum(one.first_data_ns is not None for one in streams),
        silent=silent,
        lost=None if lost is None else lost.reason,
        wanted=sum(len(one.wanted) for one in asked),
        acknowledged=sum(len(one.acknowledged) for one in asked),
        refused=[topic for one in asked for topic in one.refused],
        unanswered=[topic for one in asked for topic in one.unanswered],
    )


def _channels(visit: Visit) -> list[ChannelHeard]:
    return [_channel(visit, one) for one in Channel if one in visit.exchange.channels]


def _channel(visit: Visit, channel: Channel) -> ChannelHeard:
    told = visit.hearing.channels.get(channel)
    if told is None:
        silence = _silence(visit, channel)
        return ChannelHeard(
            channel=channel, heard=silence, events=0, first_after_s=None, newest_age_s=None
        )
    return ChannelHeard(
        channel=channel,
        heard=Heard.YES,
        events=told.events,
        first_after_s=round(told.first_after_s, 1),
        newest_age_s=round((visit.ended_ns - told.newest_ns) / 1e9, 1),
    )


def _silence(visit: Visit, channel: Channel) -> Heard:
    if channel in MUST_DELIVER or not visit.has_all:
        return Heard.MISSING  # where the others are silent, too, no quiet market explains it
    if channel is Channel.LIQUIDATIONS and any(map(_FORCED.search, _not_acknowledged(visit))):
        return Heard.MISSING
    if channel in MAY_BE_QUIET:
        return Heard.NOT_YET
    return Heard.NOT_ASKED if visit.has_unasked() else Heard.MISSING


def _not_acknowledged(visit: Visit) -> Iterator[str]:
    for one in visit.subscriptions:
        yield from set(one.wanted).difference(one.acknowledged)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
