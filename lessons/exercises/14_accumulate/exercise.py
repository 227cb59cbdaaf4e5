"""Mend a training loop that accumulates gradients.

A batch that does not fit into memory is taken in parts; the step is made with the gradient of all of them.
Done right, the parameters after the step are the same as with the whole batch at once, also where the last
part is smaller. The loop below forgets two things, and nothing complains: it only learns worse.

The model is y = x · θ with the mean squared error, `gradient(theta, x, y)` is the gradient of the MEAN over
the rows that it is given. `train` goes through `batches`; each is a list of parts (x, y); one step of plain
gradient descent a batch. The package: `scale` in `minigpt2/training/gradients.py`.
"""

import numpy as np

Part = tuple[np.ndarray, np.ndarray]  # x (n, D), y (n,)


def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(D,), (n, D), (n,) -> (D,): the gradient of mean ½ (x · θ − y)²"""
    return x.T @ (x @ theta - y) / len(y)


def train(theta: np.ndarray, batches: list[list[Part]], lr: float) -> np.ndarray:
    """θ after one step for each batch"""
    total = np.zeros_like(theta)
    for parts in batches:
        for x, y in parts:
            total = total + gradient(theta, x, y)
        theta = theta - lr * total
    return theta
