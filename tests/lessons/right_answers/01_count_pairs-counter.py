"""Another right way."""

from collections import Counter


def count_pairs(words):
    c = Counter()
    for w, n in words.items():
        for i in range(len(w) - 1):
            c[w[i : i + 2]] += n
    return c


def commonest(counts):
    return sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[0][0]
