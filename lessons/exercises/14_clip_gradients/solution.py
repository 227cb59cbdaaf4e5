"""Clip the joint length: one way to do it."""

import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
    factor = largest / norm if norm > largest else 1.0
    return {name: g * factor for name, g in gradients.items()}, norm
