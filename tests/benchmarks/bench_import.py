"""Time `import minigpt2` against `import numpy`, each in a fresh interpreter, and list what it loads.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python tests/benchmarks/bench_import.py [--rounds 25]

The two take turns, so that a busy machine slows both. Exits with 1 if the difference of the medians exceeds
the budget of 50 ms or a forbidden package is loaded.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy

import minigpt2

BUDGET_MS = 50.0
FORBIDDEN = ("rich", "cupy", "safetensors", "regex", "torch")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(minigpt2.__file__).parents[1])}


def seconds(statement: str) -> float:
    """A whole interpreter that runs one statement: start, import and end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def describe(name: str, times: list[float]) -> str:
    low, middle, high = (1e3 * q for q in statistics.quantiles(times, n=4))
    least = 1e3 * min(times)
    return f"{name:<18} median {middle:6.1f} ms   quartiles {low:.1f} to {high:.1f}   lowest {least:.1f}"


def packages_loaded() -> set[str]:
    """Top-level packages in the report of `python -X importtime -c "import minigpt2"`."""
    command = [sys.executable, "-X", "importtime", "-c", "import minigpt2"]
    done = subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True, text=True)
    modules = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    return {module.partition(".")[0] for module in modules}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    statements = {"nothing": "pass", "numpy": "import numpy", "minigpt2": "import minigpt2"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for statement in statements.values():
        seconds(statement)  # files into the page cache, byte code written
    for _ in range(rounds):
        for name, statement in statements.items():
            times[name].append(seconds(statement))

    print(f"machine   {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    python = platform.python_version()
    print(f"versions  Python {python}, NumPy {numpy.__version__}, minigpt2 {minigpt2.__version__}")
    slowing = [name for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ]
    print(f"set       {', '.join(slowing) or 'neither OPENBLAS_CORETYPE nor OPENBLAS_L2_SIZE'}")
    print(f"rounds    {rounds}, interleaved")
    for name, values in times.items():
        print(describe(name, values))
    extra = 1e3 * (statistics.median(times["minigpt2"]) - statistics.median(times["numpy"]))
    pairs = [1e3 * (a - b) for a, b in zip(times["minigpt2"], times["numpy"], strict=True)]
    low, middle, high = statistics.quantiles(pairs, n=4)
    print(f"minigpt2 - numpy   {extra:+.1f} ms of medians (budget {BUDGET_MS:.0f})")
    print(f"                   {middle:+.1f} ms median of the pairs, quartiles {low:+.1f} to {high:+.1f}")
    loaded = packages_loaded()
    found = sorted(loaded & set(FORBIDDEN))
    print(
        f"importtime         {len(loaded)} packages, of {', '.join(FORBIDDEN)}: {', '.join(found) or 'none'}"
    )
    return 1 if extra > BUDGET_MS or found or not {"numpy", "minigpt2"} <= loaded else 0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


if __name__ == "__main__":
    sys.exit(main())
