"""What README.md says about the files: how many pairs of which kind, and what counting words achieves."""

import itertools
import re
from collections import Counter

SPLITS = ("train", "dev", "test")


def words(sentence: str) -> list[str]:
    """Lower-case words: letters, digits, hyphens and apostrophes."""
    return re.findall(r"[\w'-]+", sentence.lower())


def overlap(a: list, b: list) -> float:
    """Jaccard: what two sets share, as a share of all that is in either."""
    return len(set(a) & set(b)) / max(1, len(set(a) | set(b)))


def word_overlap(first: str, second: str) -> float:
    return overlap(words(first), words(second))


def bigram_overlap(first: str, second: str) -> float:
    """Of the pairs of neighbouring words."""
    a, b = words(first), words(second)
    return overlap(list(itertools.pairwise(a)), list(itertools.pairwise(b)))


def length_difference(first: str, second: str) -> float:
    return -abs(len(words(first)) - len(words(second)))


def negations(first: str, second: str) -> float:
    """How many of the two sentences have "not", "n't" or "no"."""
    return sum(any(w in ("not", "no") or w.endswith("n't") for w in words(text)) for text in (first, second))


BASELINES = {
    "word overlap": word_overlap,
    "bigram overlap": bigram_overlap,
    "difference of length": length_difference,
    "total length": lambda first, second: len(words(first)) + len(words(second)),
    "number of negated sentences": negations,
    "as many negated as not": lambda first, second: -(negations(first, second) % 2),
}


def auc(scores: list[float], labels: list[int]) -> float:
    """The chance that a pair of label 1 scores above one of label 0; a tie counts half."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    rank_sum, start = 0.0, 0
    while start < len(order):
        stop = start
        while stop < len(order) and scores[order[stop]] == scores[order[start]]:
            stop += 1
        rank = (start + stop + 1) / 2  # the mean of the ranks start + 1 … stop
        rank_sum += rank * sum(labels[i] for i in order[start:stop])
        start = stop
    positives = sum(labels)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def markdown(files: dict[str, str]) -> str:
    """The tables of README.md, from the contents of the files."""
    kind_of = dict(line.split("\t")[:2] for line in files["kinds.tsv"].splitlines()[1:])
    rows = {s: [line.split("\t") for line in files[f"{s}.tsv"].splitlines()[1:]] for s in SPLITS}
    templates: dict[str, set[str]] = {split: set() for split in SPLITS}
    for line in files["kinds.tsv"].splitlines()[1:]:
        name, _, used = line.split("\t")
        templates[name.split("-")[0]].update(used.split())
    vocabulary = {s: Counter(w for row in rows[s] for text in row[1:3] for w in words(text)) for s in SPLITS}
    lengths = {s: sorted(len(words(text)) for row in rows[s] for text in row[1:3]) for s in SPLITS}
    lines = ["| | train | dev | test |", "|---|---|---|---|"]

    def add(name: str, cell) -> None:
        lines.append(f"| {name} | {' | '.join(cell(split) for split in SPLITS)} |")

    add("pairs", lambda s: f"{len(rows[s]):,}")
    add("share of label 1", lambda s: f"{sum(row[3] == '1' for row in rows[s]) / len(rows[s]):.1%}")
    add("distinct sentences", lambda s: f"{len({text for row in rows[s] for text in row[1:3]}):,}")
    add("templates", lambda s: f"{len(templates[s])}")
    add("distinct words", lambda s: f"{len(vocabulary[s]):,}")
    add("running words that train does not have",
        lambda s: f"{1 - sum(n for w, n in vocabulary[s].items() if w in vocabulary['train']) / sum(vocabulary[s].values()):.2%}")  # fmt: skip  # noqa: E501
    add(
        "words in a sentence: median, longest",
        lambda s: f"{lengths[s][len(lengths[s]) // 2]}, {lengths[s][-1]}",
    )
    labels = {kind_of[row[0]]: row[3] for row in rows["train"]}
    for kind in sorted(labels, key=lambda kind: (labels[kind] == "0", kind)):
        add(
            f"kind {kind}, label {labels[kind]}",
            lambda s, kind=kind: f"{sum(kind_of[row[0]] == kind for row in rows[s]) / len(rows[s]):.1%}",
        )
    for name, score in BASELINES.items():
        add(
            f"AUC of: {name}",
            lambda s, score=score: (
                f"{auc([score(*row[1:3]) for row in rows[s]], [int(row[3]) for row in rows[s]]):.3f}"
            ),
        )
    return "\n".join(lines) + "\n"
