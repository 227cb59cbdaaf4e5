"""Pairs for InfoNCE out of plain text: two views of one sentence, and sentences that stand side by side.

    python tests/benchmarks/make_views.py --sentences DIR --passages DIR --output views.tsv

A sentence gives two spans of it, each drawn by itself (Izacard et al. 2022, Contriever, arXiv:2112.09118,
section 3.1: independent cropping). Where they overlap the model learns which words matter, where they do not
it learns which words belong together. In a file that keeps the order of its documents, and within a passage,
a sentence also gives its neighbour (Logeswaran, Lee 2018, arXiv:1803.02893: quick thoughts). The output is
`anchor<TAB>positive` for `minigpt2 train --objective info_nce`; the same input gives the same output.
"""

import argparse
import random
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from minigpt2.datasets import read_texts

IN_ORDER = ("openstax_ccby", "gsm8k_questions", "opentrivia_questions", "topical_chat", "wordnet_glosses")
SHORTEST = 5  # words; of less there are no two views worth comparing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=Path, nargs="+", required=True)
    parser.add_argument("--passages", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    rng = random.Random(0)
    counts = {"spans": 0, "neighbours": 0, "within passages": 0}
    with args.output.open("w", encoding="utf-8") as file:

        def write(kind: str, anchor: str, positive: str) -> None:
            if anchor.lower() != positive.lower():
                file.write(f"{anchor}\t{positive}\n")
                counts[kind] += 1

        for path in files_of(args.sentences):
            texts = [" ".join(text.split()) for text in read_texts(path)]
            for text in texts:
                words = text.split(" ")
                if len(words) >= SHORTEST:
                    write("spans", span(words, rng), span(words, rng))
            if path.name.startswith(IN_ORDER):
                for first, second in pairwise(texts):
                    write("neighbours", first, second)
        for path in files_of(args.passages):
            for passage in read_texts(path):
                sentences = [s for s in re.split(r"(?<=[.!?]) +", passage) if s.count(" ") >= SHORTEST]
                rng.shuffle(sentences)
                for first, second in zip(sentences[::2], sentences[1::2], strict=False):
                    write("within passages", first, second)
    print(", ".join(f"{count:,} {kind}" for kind, count in counts.items()))


def span(words: list[str], rng: random.Random) -> str:
    """A run of 40 to 100 % of the words, drawn anew at each call"""
    length = max(2, round(len(words) * rng.uniform(0.4, 1.0)))
    start = rng.randint(0, len(words) - length)
    return " ".join(words[start : start + length])


def files_of(paths: list[Path]) -> Iterator[Path]:
    """The text files themselves, and those in the folders"""
    for path in paths:
        yield from sorted(path.glob("*.txt*")) if path.is_dir() else [path]


if __name__ == "__main__":
    main()
