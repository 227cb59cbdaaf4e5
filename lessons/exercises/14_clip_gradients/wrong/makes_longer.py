# expect: short gradients are made LONGER
import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
    factor = largest / max(norm, 1e-12)
    return {name: g * factor for name, g in gradients.items()}, norm
