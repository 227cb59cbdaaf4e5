"""How long the random numbers of dropout take: counted ones against those of NumPy's and CuPy's generators.

    python tests/benchmarks/bench_randomness.py [--device cpu|cuda] [--repeats 25]

Each row makes so many float32 in [0, 1). "counted" is `CountedGenerator`, which can make any draw again;
"default_rng" has a hidden state; "fresh" makes a new generator for each draw, which could make it again too.
"""

import argparse
import shlex
import sys
import time

import numpy as np

from minigpt2.backend import choose_backend
from minigpt2.training.randomness import CountedGenerator

COUNTS = (1_000, 30_000, 1_000_000, 12_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=int, default=25)
    args = parser.parse_args()
    xp = choose_backend(device=args.device).xp
    if args.device == "cuda":

        def fresh():
            return xp.random.Generator(xp.random.Philox4x3210(1))

        wait = xp.cuda.Device().synchronize
    else:

        def fresh():
            return np.random.Generator(np.random.SFC64(1))

        def wait():
            return None

    counted, usual = CountedGenerator(xp, 1), xp.random.default_rng(1)
    makers = {"counted": lambda: counted, "default_rng": lambda: usual, "fresh": fresh}
    print("command   python", shlex.join(sys.argv))
    print(f"{xp.__name__} {xp.__version__}; medians of {args.repeats}\n")
    print("| numbers | " + " | ".join(makers) + " |")
    print("|---|" + "---|" * len(makers))
    for count in COUNTS:
        cells = []
        for make in makers.values():
            seconds = []
            for _ in range(args.repeats + 2):
                wait()
                start = time.perf_counter()
                make().random((count,), dtype=np.float32)
                wait()
                seconds.append(time.perf_counter() - start)
            cells.append(f"{1e3 * float(np.median(seconds[2:])):.3f} ms")
        print(f"| {count:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
