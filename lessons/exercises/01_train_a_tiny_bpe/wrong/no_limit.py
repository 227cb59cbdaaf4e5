# expect: there are merges too many
from collections import Counter

Word = tuple[int, ...]
Pair = tuple[int, int]


def train(words: dict[Word, int], merges: int) -> list[tuple[Pair, int]]:
    """At most so many merges, in the order in which they are found; of equal counts the smallest pair."""
    found = []
    for n in range(20):
        c = _c(words)
        if not c:
            break
        best = min(c, key=lambda p: (-c[p], p))
        if c[best] < 2:
            break
        words = {_m(w, best, 256 + n): t for w, t in words.items()}
        found.append((best, 256 + n))
    return found


def _c(words):
    c = Counter()
    for w, t in words.items():
        for p in zip(w, w[1:], strict=False):
            c[p] += t
    return c


def _m(w, p, new):
    out, i = [], 0
    while i < len(w):
        if w[i : i + 2] == p:
            out.append(new)
            i += 2
        else:
            out.append(w[i])
            i += 1
    return tuple(out)
