"""How well a model's cosines follow human scores: Spearman × 100, beside the baselines that everybody has.

    python tests/benchmarks/bench_quality.py [--model DIR] FILE.tsv …

A file has a header and the columns id, sentence1, sentence2, score. Baselines: the same model with fresh
random parameters, and the share of words that the two sentences have in common (Jaccard).
"""

import argparse
from pathlib import Path

import numpy as np

import minigpt2
from minigpt2.pretrained.make_nano import ranks, read_pairs, spearman_of


def jaccard(a: str, b: str) -> float:
    """Common words over all words."""
    words_a, words_b = (set(text.lower().replace(".", " ").replace(",", " ").split()) for text in (a, b))
    return len(words_a & words_b) / max(1, len(words_a | words_b))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()
    encoder = minigpt2.load(args.model)
    random_model = minigpt2.GPT2.initialise(encoder.model.config, seed=0)
    untrained = minigpt2.Encoder(random_model, encoder.tokenizer, encoder.settings)
    print(f"{'file':<20}{'pairs':>7}{'model':>8}{'untrained':>11}{'Jaccard':>9}")
    for file in args.files:
        first, second, scores = read_pairs(file)
        overlap = np.array([jaccard(a, b) for a, b in zip(first, second, strict=True)])
        row = [spearman_of(e, first, second, scores) for e in (encoder, untrained)]
        row.append(float(np.corrcoef(ranks(overlap), ranks(scores))[0, 1]))
        model, fresh, words = (100 * value for value in row)
        print(f"{file.stem:<20}{len(first):>7}{model:>8.2f}{fresh:>11.2f}{words:>9.2f}")


if __name__ == "__main__":
    main()
