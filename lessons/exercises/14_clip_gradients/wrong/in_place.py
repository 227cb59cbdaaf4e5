# expect: changes its input gradients['w']
import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    n = math.sqrt(sum((g**2).sum() for g in gradients.values()))
    if n > largest:
        for g in gradients.values():
            g *= largest / n
    return gradients, n
