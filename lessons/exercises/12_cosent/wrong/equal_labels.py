# expect: pairs of equal label are compared
import numpy as np


def cosent(cosines: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """(M,), (M,) -> the loss"""
    c = cosines / temperature  # (M,)
    compared = labels[:, None] >= labels[None, :]  # (M, M) row i, column j
    terms = (c[None, :] - c[:, None])[compared]  # (n,) c_j − c_i
    terms = np.append(terms, 0.0)  # (n+1,) the 1
    top = terms.max()
    return float(top + np.log(np.exp(terms - top).sum()))
