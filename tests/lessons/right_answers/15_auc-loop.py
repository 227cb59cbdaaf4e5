"""Another right way."""


def auc(scores, labels):
    P = [s for s, l in zip(scores, labels, strict=False) if l]
    N = [s for s, l in zip(scores, labels, strict=False) if not l]
    return sum((p > n) + 0.5 * (p == n) for p in P for n in N) / len(P) / len(N)
