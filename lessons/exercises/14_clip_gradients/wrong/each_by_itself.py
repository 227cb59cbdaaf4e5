# expect: one factor for all keeps the direction
import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
    factor = largest / norm if norm > largest else 1.0
    own = {name: np.linalg.norm(g) for name, g in gradients.items()}
    return {name: g * min(1.0, largest / max(own[name], 1e-12)) for name, g in gradients.items()}, norm
