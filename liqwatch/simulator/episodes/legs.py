"""What really happened in an episode, in the words of the truth file."""

import numpy as np

from liqwatch.simulator.episodes.course import SECONDS, Episode
from liqwatch.simulator.episodes.worlds import USUAL_VOLATILITY
from liqwatch.simulator.truth import LEG, MINOR_LEG, Seen, Truth, legs_of

SYMBOL = "BTC"
START_MS = 1_791_565_200_000
FIRST_PRICE = 90_000.0


def prices(episode: Episode) -> list[float]:
    """Return the coin's price after each step."""
    moved = episode.sign * episode.course.price[:, episode.number]
    told: list[float] = (FIRST_PRICE * np.exp(moved)).tolist()
    return told


def truth(episode: Episode, seed: int) -> Truth:
    """Return the truth about one episode; how large a leg must be scales with volatility."""
    batch, course, number = episode
    unit = float(batch.volatility_day[number]) / USUAL_VOLATILITY
    forced_usd = course.ahead_usd[:, number] + course.behind_usd[:, number]
    seen = Seen(
        symbol=SYMBOL,
        begin_ms=START_MS,
        displacements=[0.0, *(episode.sign * course.displacement[:, number]).tolist()],
        impulses=[0.0, *np.cumsum(episode.sign * course.impulse[:, number]).tolist()],
        forced_usd=[0.0, *np.cumsum(forced_usd).tolist()],
        prices=[FIRST_PRICE, *prices(episode)],
    )
    return Truth(
        scenario=episode.story.name.lower(),
        seed=seed,
        symbols=[SYMBOL],
        begin_ms=START_MS,
        end_ms=START_MS + SECONDS * 1000,
        legs=legs_of(seen, LEG * unit, MINOR_LEG * unit),
        levels=[],
    )
