# expect: the first still takes part in it
import numpy as np

Part = tuple[np.ndarray, np.ndarray]  # x (n, D), y (n,)


def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(D,), (n, D), (n,) -> (D,): the gradient of mean ½ (x · θ − y)²"""
    return x.T @ (x @ theta - y) / len(y)


def train(theta: np.ndarray, batches: list[list[Part]], lr: float) -> np.ndarray:
    """θ after one step for each batch"""
    total = np.zeros_like(theta)
    for parts in batches:
        rows = sum(len(y) for _, y in parts)
        for x, y in parts:
            total = total + gradient(theta, x, y) * (len(y) / rows)
        theta = theta - lr * total
    return theta
