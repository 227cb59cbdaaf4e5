"""No sentence, no template and no pair of entities crosses a split.

Found anew from the sentences and the hand-written lists, without the generator's own code: names of the lists
are looked up in each sentence from left to right, the longest that fits.
"""

import itertools
import re

import pytest

SPLITS = ("train", "dev", "test")


class Names:
    """The names in `material/`: which mean entities, and which only when or where."""

    def __init__(self, folder):
        self.entity: dict[str, frozenset[str]] = {}  # a name -> all names of the same entity
        circumstances: set[str] = set()
        for path in (folder / "material").glob("*.txt"):
            for line in path.read_text(encoding="utf-8").splitlines():
                found = re.match(r"(\w+)(?:#\d+-\d+)?: (.*)", line)
                if not found:
                    continue
                for thing in re.sub(r" \[\w+\]", "", found[2]).lower().split(";"):
                    names = {name.strip(" +!") for name in thing.split("~")}
                    if found[1] in ("places", "past", "future", "habit"):
                        circumstances |= names
                    else:
                        self._same(names)
        longest_first = sorted({*self.entity, *circumstances}, key=lambda name: (-len(name), name))
        self.pattern = re.compile(rf"\b(?:{'|'.join(re.escape(name) for name in longest_first)})(?!\w)")

    def _same(self, names):
        together = frozenset(names.union(*(self.entity[name] for name in names if name in self.entity)))
        self.entity |= dict.fromkeys(together, together)

    def in_sentence(self, text):
        return {self.entity[m[0]] for m in self.pattern.finditer(text.lower()) if m[0] in self.entity}

    def skeleton(self, text):
        """The sentence without entities, times, places and numbers."""
        bare = self.pattern.sub("_", text.lower())
        return re.sub(NUMBER, "_", bare)


ONES = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen"
TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
NUMBER = rf"\b(?:\d+|a dozen|(?:{TENS})(?:-\w+)?|{ONES})\b"


@pytest.fixture(scope="module")
def names(folder):
    return Names(folder)


@pytest.fixture(scope="module")
def sentences(splits):
    return {
        split: {text for row in rows for text in (row.first, row.second)} for split, rows in splits.items()
    }


def crossing(found):
    """What is in more than one split."""
    return set().union(*(found[a] & found[b] for a, b in itertools.combinations(SPLITS, 2)))


def test_names_are_found(names):
    assert names.skeleton("On Friday, two loaves of bread were given to Tom by my mum for the garden.") == (
        "_, _ _ were given to _ by _ for the garden."
    )
    mother = names.entity["my mother"]
    assert names.in_sentence("Tom met my mum in the garden.") == {names.entity["tom"], mother}


def test_no_sentence_crosses_a_split(sentences):
    assert not crossing(sentences)


def test_no_template_crosses_a_split(splits, folder):
    used = {split: {name for row in rows for name in row.templates} for split, rows in splits.items()}
    assert not crossing(used)


def test_no_skeleton_crosses_a_split(sentences, names):
    skeletons = {split: {names.skeleton(text) for text in texts} for split, texts in sentences.items()}
    assert len(skeletons["train"]) > 1_000
    assert not crossing(skeletons)


def test_no_pair_of_entities_crosses_a_split(sentences, names):
    pairs = {}
    for split, texts in sentences.items():
        named = [sorted(names.in_sentence(text), key=sorted) for text in texts]
        pairs[split] = {frozenset(pair) for found in named for pair in itertools.combinations(found, 2)}
        assert sum(len(found) > 1 for found in named) > 0.5 * len(texts)
    assert not crossing(pairs)


def test_words_of_dev_and_test_are_known_from_train(splits):
    def words(split):
        return [w for row in splits[split] for text in row[1:3] for w in re.findall(r"[\w'-]+", text.lower())]

    known = set(words("train"))
    for split in ("dev", "test"):
        assert sum(word not in known for word in words(split)) < 0.01 * len(words(split))
