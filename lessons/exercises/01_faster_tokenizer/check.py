"""The same tokens as before, with a tenth of the look-ups, which a counting dictionary counts."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import WrongAnswer, require, same_value
from minigpt2.tokenizer.bpe import merge_by_scan
from minigpt2.tokenizer.train import train_bpe

VOCABULARY = (
    "the of and to lower lowest newest wider tokenizer embedding sentence meaning vectors attention "
    "lowestof newestof zzz zzz zzz".split()
)  # the last ones come out otherwise where ranks or places are taken in another order


class Pair(tuple):
    """A key that counts how often it is found, also in a copy of the dictionary."""

    found = 0
    __hash__ = tuple.__hash__

    def __eq__(self, other):
        Pair.found += 1
        return tuple.__eq__(self, other)


class Counting(dict):
    """A dictionary that counts how often it is asked, and a walk through it as a question for every entry."""

    asked = 0

    def __iter__(self):
        self.asked += len(self)
        return super().__iter__()

    def keys(self):
        self.asked += len(self)
        return super().keys()

    def items(self):
        self.asked += len(self)
        return super().items()

    def get(self, key, default=None):
        self.asked += 1
        return super().get(key, default)

    def __getitem__(self, key):
        self.asked += 1
        return super().__getitem__(key)

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(3)
    words = [VOCABULARY[i] for i in rng.integers(0, len(VOCABULARY), 3000)]
    for merges in (40, 12):
        ranks = trained(merges)
        right = {word: merge_by_scan(list(word.encode()), ranks) for word in VOCABULARY}
        once = {word: questions(word, ranks) for word in VOCABULARY}
        before, hits_before = (sum(once[word][i] for word in words) for i in (0, 1))
        counting = Counting({Pair(pair): found for pair, found in ranks.items()})
        Pair.found = 0
        yours = exercise.encode_words(list(words), counting)
        hits = Pair.found
        same_value(
            [right[word] for word in words],
            yours,
            f"encode_words(words, {merges} ranks)",
            [
                (
                    lambda yours: merges == 12 and len(yours) == len(words),
                    "these are the tokens of the ranks of an earlier call: forget them, or remember the "
                    "ranks with them",
                ),
                (
                    lambda yours: len(yours) < len(words),
                    "every word needs its tokens, also one that has come before",
                ),
            ],
        )
        if counting.asked > before / 10:
            raise WrongAnswer(
                f"{counting.asked:,} look-ups for {len(words)} words; a tenth of {before:,} is the most",
                reason=f"there are only {len(set(words))} different words, but each is merged anew "
                f"whenever it comes"
                if counting.asked > before / 2
                else "better, and still too many: each different word needs merging only once",
            )
        require(
            hits <= hits_before / 10,
            f"the ranks are copied, and a pair is found {hits:,} times in the copy for {len(words)} words",
            "a faster dictionary is not the point: each different word needs merging only once",
        )
        lists = [id(tokens) for tokens in yours]
        require(
            len(set(lists)) == len(lists),
            "two words got the same list object",
            "whoever changes one changes the other: hand out a copy, list(…)",
        )


def trained(merges: int) -> dict:
    tokenizer = train_bpe(VOCABULARY * 3, 256 + merges, special_tokens=())
    byte_of = {tokenizer.byte_ids(chr(b))[0]: b for b in range(128)}
    return {(byte_of.get(a, a), byte_of.get(b, b)): found for (a, b), found in tokenizer.rank_of.items()}


def questions(word: str, ranks: dict) -> tuple[int, int]:
    """How many look-ups the version that was handed out needs, and how many of them find something."""
    ids, asked, hits = list(word.encode()), 0, 0
    while True:
        found = [(*ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:], strict=False)) if pair in ranks]
        asked, hits = asked + len(ids) - 1, hits + len(found)
        if not found:
            return asked, hits
        _, merged, place = min(found)
        ids[place : place + 2] = [merged]
