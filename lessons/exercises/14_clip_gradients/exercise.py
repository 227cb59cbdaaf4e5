"""Scale gradients so that their joint length is at most `largest`.

    norm = sqrt( Σ over all arrays, all entries, of g² )
    g ← g · min(1, largest / norm)              the same factor for all

One bad batch can have a gradient a thousand times as long as others; clipping keeps the step's direction
and bounds its length. Gradients that are short enough stay as they are, bit for bit, and zeros stay zeros.

    clip(gradients, largest)     a dictionary of arrays -> (a new dictionary, the norm before)

Pascanu et al. 2013, arXiv:1211.5063, algorithm 1. The package: `minigpt2/training/optimizer.py`.
"""

import math

import numpy as np


def clip(gradients: dict[str, np.ndarray], largest: float) -> tuple[dict[str, np.ndarray], float]:
    """Arrays of any shapes by name -> the clipped ones, and the joint length that they had"""
    raise NotImplementedError("your turn")
