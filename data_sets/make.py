"""Make train.tsv, dev.tsv, test.tsv and kinds.tsv from `material/`: always the same bytes.

    python data_sets/make.py            # write the files and print the table of README.md
    python data_sets/make.py --check    # compare the files with what would be written: exit code 1 if stale

Pairs are made four at a time from two meanings, m and its altered twin m*, each said in two ways:

    label 1    (s, s')    (n', n)      s and s' mean m, n and n' mean m*
    label 0    (s, n)     (n', s')

So every sentence stands in one pair of each label, always on the same side, and no single sentence can give
the label away. Mostly s and n are said the same way, and so are s' and n': then a negative pair shares almost
all words. In a part of the quads it is s and n' instead, and negative pairs differ in meaning and in words.
"""

import argparse
import itertools
import random
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from entities import Entities
from material import SPLITS, Material, read_material
from meanings import Meanings
from sentences import Style, render, ways_between
from statistics_table import markdown

FOLDER = Path(__file__).parent
SEED = 20261122
QUADS = {"train": 3200, "dev": 350, "test": 350}  # four pairs each
CROSSED = 0.4  # share of the quads whose negative pairs also differ in their words

# The kinds of pairs and their shares among those of label 1 and of label 0.
POSITIVE = {"synonym": 20, "voice": 17, "order": 18, "perspective": 10, "opposite": 10, "combination": 25}
NEGATIVE = {
    "negation": 19,
    "roles": 9,
    "number": 13,
    "time": 13,
    "place": 12,
    "participant": 13,
    "topic": 11,
    "unrelated": 10,
}
# There is more to learn from swapped roles, and less from pairs that a batch of other pairs has anyway.
NEGATIVE_IN_TRAIN = NEGATIVE | {"negation": 14, "roles": 20, "topic": 9, "unrelated": 9}

# Rounds of draws for one quad before giving up: most draws fail, because their entities do not go together.
TRIES = 100

# In which ways the second sentence may differ from the first, to get a pair of a kind; "wording" chooses
# among the wordings of a `say` template, of which each names its own ways.
REDRAWN = {
    "synonym": {"synonym", "wording"},
    "voice": {"voice", "wording"},
    "order": {"order", "wording"},
    "perspective": {"perspective", "wording", "synonym", "order"},
    "opposite": {"opposite", "wording", "synonym", "order"},
    "combination": {"synonym", "voice", "order"},
}


class Pair(NamedTuple):
    first: str
    second: str
    label: int
    kind: str
    templates: tuple[str, str]


def kind_of(ways: set[str]) -> str | None:
    """The kind of a paraphrase that differs in these ways; None where it does not differ."""
    for way in ("opposite", "perspective"):
        if way in ways:
            return way
    return next(iter(ways), None) if len(ways) < 2 else "combination"


def pairs_of_split(material: Material, entities: Entities, split: str) -> list[Pair]:
    """All pairs of a split in random order. The kind that is furthest behind its share is made next."""
    rng = random.Random(f"{SEED} {split}")
    meanings = Meanings(material, entities, split, rng)
    pairs: list[Pair] = []
    used: set[str] = set()
    counts: Counter = Counter()
    negatives = NEGATIVE_IN_TRAIN if split == "train" else NEGATIVE
    while len(pairs) < 4 * QUADS[split]:
        negative = min(negatives, key=lambda kind: counts[kind] / negatives[kind])
        wanted = sorted(POSITIVE, key=lambda kind: counts[kind] / POSITIVE[kind])
        tries = ([kind] * 40 for _ in range(TRIES) for kind in wanted)
        for positive in itertools.chain.from_iterable(tries):
            if quad := make_quad(meanings, entities, negative, positive, used):
                break
        else:
            raise RuntimeError(f"{split}: no pair of the kind {negative} comes out of the material")
        pairs += quad
        counts.update(pair.kind for pair in quad)
        used.update(text for pair in quad for text in (pair.first, pair.second))
    rng.shuffle(pairs)
    return pairs


def make_quad(
    meanings: Meanings, entities: Entities, negative: str, positive: str, used: set[str]
) -> list[Pair] | None:
    """Four pairs, the first of the kind `positive`, the last two of `negative`; None if a draw failed."""
    rng = meanings.rng
    m = meanings.any()
    twin = meanings.altered(m, negative) if m else None
    if twin is None:
        return None

    one = Style(rng)
    s = render(m, one)
    two = one.redrawn(REDRAWN[positive])
    s2 = render(m, two)
    if kind_of(ways_between(one, two)) != positive:
        return None
    if negative == "unrelated":
        one, two = Style(rng), Style(rng)
    n, n2 = render(twin, one), render(twin, two)
    twin_kind = kind_of(ways_between(one, two))

    sentences = {s, s2, n, n2}
    if twin_kind is None or len(sentences) < 4 or used & sentences:
        return None
    if not all(entities.belong(sentence, meanings.split) for sentence in sentences):
        return None
    if rng.random() < 0.5:
        s, s2, n, n2 = s2, s, n2, n
    if rng.random() < CROSSED:
        n, n2 = n2, n
    a, b = m.template.name, twin.template.name
    return [
        Pair(s, s2, 1, positive, (a, a)),
        Pair(n2, n, 1, twin_kind, (b, b)),
        Pair(s, n, 0, negative, (a, b)),
        Pair(n2, s2, 0, negative, (b, a)),
    ]


def make() -> dict[str, str]:
    """File name -> content."""
    material = read_material()
    entities = Entities(material)
    files, kinds = {}, ["id\tkind\ttemplates"]
    for split in SPLITS:
        lines = ["id\tsentence1\tsentence2\tlabel"]
        for number, pair in enumerate(pairs_of_split(material, entities, split), start=1):
            name = f"{split}-{number:05}"
            lines.append(f"{name}\t{pair.first}\t{pair.second}\t{pair.label}")
            kinds.append(f"{name}\t{pair.kind}\t{' '.join(dict.fromkeys(pair.templates))}")
        files[f"{split}.tsv"] = "\n".join(lines) + "\n"
    files["kinds.tsv"] = "\n".join(kinds) + "\n"
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the files that are there, write nothing"
    )
    args = parser.parse_args()
    files = make()
    if args.check:
        stale = [name for name, text in files.items() if (FOLDER / name).read_bytes() != text.encode()]
        print(f"differ: {', '.join(stale)}" if stale else "the files are what make.py makes")
        return 1 if stale else 0
    for name, text in files.items():
        (FOLDER / name).write_bytes(text.encode())
    print(markdown(files), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
