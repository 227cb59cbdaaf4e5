"""Another right way."""

import itertools
from functools import cache


def encode_words(words, ranks):
    @cache
    def one(word):
        return tuple(_e(word, ranks))

    return [list(one(w)) for w in words]


def _e(word, ranks):
    ids = list(word.encode())
    while True:
        c = [(ranks[p][0], i, ranks[p][1]) for i, p in enumerate(itertools.pairwise(ids)) if p in ranks]
        if not c:
            return ids
        _, i, m = min(c)
        ids[i : i + 2] = [m]
