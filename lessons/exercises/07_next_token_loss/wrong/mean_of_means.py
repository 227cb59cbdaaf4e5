# expect: this is a mean of means
import numpy as np


def next_token_loss(hidden: np.ndarray, wte: np.ndarray, ids: np.ndarray, offsets: np.ndarray) -> float:
    logits = hidden @ wte.T
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    total = []
    for a, b in zip(offsets[:-1], offsets[1:], strict=False):
        s = [-np.log(p[i, ids[i + 1]]) for i in range(a, b - 1)]
        total.append(np.mean(s) if s else 0)
    return float(np.mean(total))
