"""What 1,000 kills of a delivering process cost its chat: lost, doubled and disordered messages.

Run by hand: python tests/benchmarks/bench_kills.py [KILLS] [SEED]
"""

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sinks"))

from kill_loop import survive

if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    kills, seed = [*given, *(1000, 1)[len(given) :]]
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{asyncio.run(survive(kills, Path(folder), seed))}\n")
