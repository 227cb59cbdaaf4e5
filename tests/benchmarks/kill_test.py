"""Kill a run many times at random moments, also while it writes; then let it end and compare.

    python tests/benchmarks/kill_test.py [--kills 50] [--seed 0]

After every kill the newest checkpoint must be whole and at most one interval behind; at the end the run must
be, bit for bit, the run that nobody killed. Says how many kills hit a write.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from test_resume import assert_same_end, finish, kill_at_random, start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        finish(start(whole))
        kills = hit_a_write = runs = 0
        behind = []
        while kills < args.kills:
            output = Path(folder, f"run{runs}")
            runs += 1
            every = rng.choice([1, 2, 5])
            for _ in range(rng.randint(5, 12)):
                lost = kill_at_random(output, rng, every, at_write=rng.random() < 0.4)
                if lost is None or kills == args.kills:
                    break
                behind.append(lost)
                kills += 1
                hit_a_write += any(path.name != ".lock" for path in output.rglob(".*"))
            finish(start(output, "--resume", "--checkpoint-every", every))
            assert_same_end(output, whole)
    print(
        f"{kills} kills in {runs} runs, {hit_a_write} of them while something was being written; at most "
        f"{max(behind)} steps lost; every run ended as the one that nobody killed"
    )


if __name__ == "__main__":
    main()
