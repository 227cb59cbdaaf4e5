# expect: are u and v of length 1 before they are added
import math

import numpy as np


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) radians, 0 … π; π/2 where one is zero"""
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))


def angular(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) 0 … 1"""
    return 1 - angle(a, b) / math.pi
