"""The angle between two vectors, also where they nearly coincide.

    angular similarity = 1 − angle / π            1 same direction, ½ at a right angle, 0 opposite

arccos(cosine) is the textbook's angle and a poor one near 0: cos(1e-8) is 1 to all digits of float64, so
the angle 1e-8 comes out as 0. Kahan's formula has no such loss:

    angle = 2 · atan2(‖u − v‖, ‖u + v‖)            u, v of length 1

Write `angle` and `angular`, both (B, D), (B, D) -> (B,), the angle right to nine digits also where it is
1e-9. The rows of a and b have any length. A zero vector has no direction: its angle is π/2, its similarity
½. The package: `minigpt2/similarity.py`.
"""

import numpy as np


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) radians, 0 … π; π/2 where one is zero"""
    raise NotImplementedError("your turn")


def angular(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,) 0 … 1"""
    raise NotImplementedError("your turn")
