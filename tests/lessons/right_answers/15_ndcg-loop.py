"""Another right way."""

import math


def ndcg(scores, relevance, k):
    order = sorted(range(len(scores)), key=lambda i: -scores[i])

    def f(rel):
        return sum(r / math.log2(i + 2) for i, r in enumerate(list(rel)[:k]))

    return f([relevance[i] for i in order]) / f(sorted(relevance, reverse=True))
