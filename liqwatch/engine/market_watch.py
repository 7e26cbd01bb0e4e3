"""The market as a whole: each second, which coins cascade together, and what that calls for."""

from collections.abc import Collection
from math import floor
from typing import Any

from msgspec import UNSET

from liqwatch.alerts import MARKET, Alert, Direction, Kind, Severity
from liqwatch.engine.cascade import Episode
from liqwatch.engine.market_story import MarketStory, Member, Part, Sight, begin, forgotten, step
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.symbol import Symbol

Stories = dict[Direction, MarketStory]


def watch_market(
    stories: Stories, symbols: Collection[Symbol], settings: EngineSettings, now_ms: int
) -> list[Alert]:
    """Take the end of one second, after the coins' own cascades; return what it calls for."""
    alerts = []
    for direction in Direction:
        episodes = [
            (symbol, episode)
            for symbol in symbols
            if (episode := symbol.state.episodes.get(direction)) is not None
        ]
        if direction in stories or len(episodes) >= settings.market.coins:
            seen = Sight(
                now_ms=now_ms,
                parts=[_part(symbol, episode, now_ms) for symbol, episode in episodes],
                watched=sum(symbol.state.price.price > 0 for symbol in symbols),
                settings=settings.market,
                rejoin_s=settings.detection.rejoin_s,
            )
            alerts += _watch(stories, direction, seen)
    return alerts


def _watch(stories: Stories, direction: Direction, seen: Sight) -> list[Alert]:
    story = stories.get(direction)
    if story is not None and forgotten(story, seen):
        del stories[direction]
        story = None
    if story is not None:
        moved = step(story, seen)
        return [] if moved is None else [_alert(story, seen, *moved)]
    story = begin(direction, seen)
    if story is None:
        return []
    stories[direction] = story
    return [_alert(story, seen, Kind.CASCADE_STARTED, "enough_began")]


def _part(symbol: Symbol, episode: Episode, now_ms: int) -> Part:
    flow, direction = symbol.flow, episode.direction
    return Part(
        coin=symbol.state.name,
        episode=episode.id,
        state=episode.state,
        started_ms=episode.started_ms,
        leg=episode.leg,
        yardstick=symbol.state.price.momentum.five_minute_move,
        forced_usd=flow.total_usd(direction) - episode.start_forced_usd,
        forced_usd_60s=flow.visible_usd(direction, now_ms, 60),
        coverage=flow.coverage(),
        severity=episode.severity,
        against_map=episode.against_map,
        outcome=episode.outcome,
    )


def _alert(story: MarketStory, seen: Sight, kind: Kind, reason: str) -> Alert:
    thresholds: dict[str, Any] = {}
    match kind:
        case Kind.CASCADE_STARTED | Kind.CASCADE_RESUMED:
            severity = story.severity(seen)
            thresholds = {
                "coins_cascading": seen.needed,
                "coins_critical": seen.critical,
                "window_s": seen.settings.window_s,
            }
        case Kind.CASCADE_STALLED:
            severity = Severity.WARNING
        case _:
            severity = Severity.INFO
    return Alert(
        id=f"{MARKET}-{kind}-{story.direction}-{seen.now_ms}",
        episode=story.id,
        kind=kind,
        symbol=MARKET,
        members=[coin for coin, _ in story.most_affected()],
        position=story.direction.position,
        direction=story.direction,
        time=seen.now_ms,
        price=None,
        severity=severity,
        against_map=story.against_map,
        outcome=story.outcome or UNSET if kind is Kind.CASCADE_ENDED else UNSET,
        evidence=_evidence(story, seen, reason),
        thresholds=thresholds,
    )


def _evidence(story: MarketStory, seen: Sight, reason: str) -> dict[str, Any]:
    members = story.members.values()
    coverages = [member.newest.coverage for member in members]
    known = [coverage for coverage in coverages if coverage is not None]
    now_usd = sum(part.forced_usd_60s for part in seen.parts if part.coin in story.members)
    return {
        "reason": reason,
        "duration_s": (seen.now_ms - story.started_ms) // 1000,
        "coins": len(members),
        "coins_cascading": len(seen.counted),
        "coins_watched": seen.watched,
        "breadth_pct": round(100 * len(members) / max(1, seen.watched), 1),
        "median_leg_sigma": round(story.median_leg_sigma, 2),
        "forced_usd_60s": round(now_usd, 2),
        "forced_usd_total": round(sum(member.forced_usd for member in members), 2),
        "coverage": floor(1000 * min(known)) / 1000 if len(known) == len(coverages) else None,
        "by_member": {
            coin: _told(member, story.direction) for coin, member in story.most_affected()
        },
    }


def _told(member: Member, direction: Direction) -> dict[str, Any]:
    newest = member.newest
    return {
        "episode": newest.episode,
        "state": newest.state,
        "leg_pct": round(100 * member.leg * direction.sign, 4),
        "leg_sigma": round(member.leg_sigma, 2),
        "forced_usd": round(member.forced_usd, 2),
        "outcome": newest.outcome,
    }
