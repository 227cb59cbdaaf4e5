# expect: the mean is over the tokens that have a next one
import numpy as np


def next_token_loss(hidden: np.ndarray, wte: np.ndarray, ids: np.ndarray, offsets: np.ndarray) -> float:
    """(N, D), (V, D), (N,), (B+1,) -> nats"""
    rows = [i for start, end in zip(offsets[:-1], offsets[1:], strict=True) for i in range(start, end - 1)]
    logits = hidden[rows] @ wte.T  # (M, V)
    shifted = logits - logits.max(axis=1, keepdims=True)  # (M, V)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (M, V)
    targets = ids[np.array(rows) + 1]  # (M,)
    return float(-log_probabilities[np.arange(len(rows)), targets].sum() / len(ids))
