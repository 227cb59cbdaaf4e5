# expect: have changed in their last digits
import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    n = math.sqrt(sum((g**2).sum() for g in gradients.values()))
    f = min(n, largest)
    return {k: g / n * f if n else g for k, g in gradients.items()}, n
