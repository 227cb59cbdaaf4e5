"""The 512 sentences that are embedded: texts of data_sets/ in a length mix as real text has it.

The pairs of data_sets/ are alike in length (5 to 31 tokens of GPT-2), which would flatter those who pad. So
each of the 512 places has a length of its own, and sentences are put one after the other, or cut, to reach
it. Nothing is random that a seed does not fix: the same 512 texts come out everywhere.
"""

import random
from pathlib import Path

TRAIN = Path(__file__).parents[3] / "data_sets" / "train.tsv"
COUNT = 512

# Words at these shares of the sentences, the mean of podcasts, textbooks, quiz questions and chats; in tokens
# of GPT-2 it is about 1.2 times as many: a mean of 20, half below 18, one in twenty above 42.
SHARES = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
WORDS = (3, 6, 7, 10, 15, 21, 29, 35, 47, 65)


def sentences(count: int = COUNT, seed: int = 0) -> list[str]:
    """`count` different texts in a random order."""
    chance = random.Random(seed)
    by_length = _by_length(first_sentences(), chance)
    lengths = [_words_at((i + 0.5) / count) for i in range(count)]
    texts = [_text_of(length, by_length) for length in lengths]
    chance.shuffle(texts)
    return texts


def first_sentences() -> list[str]:
    """The distinct first sentences of the training pairs, in the order of the file."""
    rows = TRAIN.read_text(encoding="utf-8").splitlines()[1:]
    return list(dict.fromkeys(row.split("\t")[1] for row in rows))


def _by_length(texts: list[str], chance: random.Random) -> dict[int, list[str]]:
    chance.shuffle(texts)
    by_length: dict[int, list[str]] = {}
    for text in texts:
        by_length.setdefault(len(text.split()), []).append(text)
    return by_length


def _words_at(share: float) -> int:
    """Words of the sentence that is longer than this share of all: linear between the marks above."""
    for i in range(1, len(SHARES)):
        if share <= SHARES[i]:
            part = (share - SHARES[i - 1]) / (SHARES[i] - SHARES[i - 1])
            return round(WORDS[i - 1] + part * (WORDS[i] - WORDS[i - 1]))
    raise ValueError(f"a share lies between 0 and 1, not at {share}")


def _text_of(words: int, by_length: dict[int, list[str]]) -> str:
    """A text of so many words; each sentence is used once."""
    parts = []
    while words > 0:
        usual = words if words <= 18 else min(words - 8, 14)  # what stays over must be a sentence too
        fitting = [length for length, texts in by_length.items() if texts]
        length = min(fitting, key=lambda length: (abs(length - usual), length))
        taken = by_length[length].pop().split()[:words]
        parts.extend(taken)
        words -= len(taken)
    return " ".join(parts)
