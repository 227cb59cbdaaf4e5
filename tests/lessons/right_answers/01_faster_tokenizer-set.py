"""Another right way."""

import itertools


def encode_words(words, ranks):
    known = {w: _e(w, ranks) for w in set(words)}
    return [known[w].copy() for w in words]


def _e(word, ranks):
    ids = list(word.encode())
    while True:
        c = [(ranks[p][0], i, ranks[p][1]) for i, p in enumerate(itertools.pairwise(ids)) if p in ranks]
        if not c:
            return ids
        _, i, m = min(c)
        ids[i : i + 2] = [m]
