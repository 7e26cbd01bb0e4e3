"""A simulated exchange: a levered market whose cascades are real, and known to its twin.

scenarios → world (outside, market, positions) → frames of three venues → broadcast → tape or
server; beside it truth → score and summary. Only `server` and `simulate` reach outside the process.
"""

from liqwatch.simulator.broadcast import VENUES
from liqwatch.simulator.faults import Faults
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.score import Score, score
from liqwatch.simulator.server import SimulatedExchange
from liqwatch.simulator.simulate import simulate, write_tape
from liqwatch.simulator.summary import summary
from liqwatch.simulator.truth import Truth

__all__ = [
    "SCENARIOS",
    "VENUES",
    "Faults",
    "Score",
    "SimulatedExchange",
    "Truth",
    "score",
    "simulate",
    "summary",
    "write_tape",
]
