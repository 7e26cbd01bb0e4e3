"""Episodes whose cascades end in every way: the plain ones nearly all run until they are spent."""

import numpy as np

from liqwatch.simulator.episodes.worlds import USUAL_VOLATILITY, Batch, Story, World, draw

WALL_BP = (30.0, 150.0)  # behind the edge, of a usual market
TAKEN_BACK_BP = (60.0, 250.0)
TAKEN_BACK_S = (15.0, 60.0)


def draw_endings(seed: int, count: int, world: World) -> Batch:
    """Draw episodes as `draw` does; then let every plain cascade run into a wall, and where price
    would have turned before the cluster, let news jump into it and be taken back.
    """
    batch = draw(seed, count, world)
    rng = np.random.default_rng([seed, 6])
    unit = batch.volatility_day / USUAL_VOLATILITY * 1e-4
    wall = batch.edge + rng.uniform(*WALL_BP, count) * unit
    taken_back = batch.is_in(Story.REJECTED, Story.REPEATED)
    jump = np.maximum(rng.uniform(*TAKEN_BACK_BP, count) * unit, batch.edge + batch.beyond)
    return batch._replace(
        story=np.where(taken_back, Story.SPIKE, batch.story),
        wall=np.where(batch.is_in(Story.CASCADE), wall, batch.wall),
        jump=np.where(taken_back, jump, batch.jump),
        jump_s=np.where(taken_back, rng.uniform(*TAKEN_BACK_S, count), batch.jump_s),
    )
