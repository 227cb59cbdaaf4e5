"""How long training and encoding take, in one thread.

    python tests/benchmarks/bench_tokenizer.py FILE.txt [--vocab-size 16384] [--lines 500000] [--lowercase]
                                               [--repeats 3]

FILE.txt is UTF-8 with one sentence a line. Training is timed from the open list of lines to the finished
tokenizer; encoding over the first 20 000 lines, cold (an empty word cache) and warm (the second pass).
Prints the command, the machine and the versions, then one row a measurement with the best and the spread.
"""

import argparse
import itertools
import os
import platform
import shlex
import sys
import tempfile
import time
from pathlib import Path

import regex

import minigpt2
from minigpt2.tokenizer import load_tokenizer, train_bpe

ENCODED_LINES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--vocab-size", type=int, default=16_384)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--lowercase", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    with open(args.file, encoding="utf-8") as stream:
        texts = [line.rstrip("\n") for line in itertools.islice(stream, args.lines)]
    print("command   python", shlex.join(sys.argv))
    print(f"machine   {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    versions = (
        f"Python {platform.python_version()}, regex {regex.__version__}, minigpt2 {minigpt2.__version__}"
    )
    print("versions ", versions)
    size = (
        f"{len(texts)} lines, {sum(len(t.split()) for t in texts)} words, {sum(map(len, texts))} characters"
    )
    print("text     ", size)

    seconds = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        tokenizer = train_bpe(texts, args.vocab_size, lowercase=args.lowercase)
        seconds.append(time.perf_counter() - start)
    _report(f"train {tokenizer.vocab_size} tokens", seconds, "s")

    sample = texts[:ENCODED_LINES]
    tokens = sum(map(len, tokenizer.encode_batch(sample)))
    words = sum(len(text.split()) for text in sample)
    average = f"{words / len(sample):.1f} words and {tokens / len(sample):.1f} tokens"
    print(f"encoded   {len(sample)} lines of {average}")
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(folder)
        for _ in range(args.repeats):
            fresh = load_tokenizer(folder)
            for times in (cold, warm):
                start = time.perf_counter()
                fresh.encode_batch(sample)
                times.append((time.perf_counter() - start) / len(sample) * 1e6)
    _report("encode, cold cache", cold, "µs a line")
    _report("encode, warm cache", warm, "µs a line")
    for length in (1_000, 10_000, 100_000):
        start = time.perf_counter()
        tokenizer.encode("a" * length)
        _report(f"encode one word of {length}", [(time.perf_counter() - start) * 1e3], "ms")


def _report(what: str, values: list[float], unit: str) -> None:
    print(f"{what:<28} best {min(values):8.2f}  worst {max(values):8.2f}  {unit}  ({len(values)} runs)")


def _processor() -> str:
    """The processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
