# expect: the factor 2 before atan2 is missing
import numpy as np


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) radians, 0 … π; π/2 where one is zero"""
    na, nb = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)  # (B, 1)
    u, v = a / np.where(na > 0.0, na, 1.0), b / np.where(nb > 0.0, nb, 1.0)  # (B, D)
    angles = np.arctan2(np.linalg.norm(u - v, axis=1), np.linalg.norm(u + v, axis=1))  # (B,)
    return np.where((na * nb)[:, 0] > 0.0, angles, np.pi / 2)  # (B,)


def angular(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) 0 … 1"""
    return 1.0 - angle(a, b) / np.pi  # (B,)
