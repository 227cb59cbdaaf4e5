"""The gradient of any function, without calculus.

    ∂f/∂x_i ≈ ( f(x + h·e_i) − f(x − h·e_i) ) / 2h              central difference, wrong by O(h²)

Move one entry up by h, ask f, move it down, ask f, put it back exactly. f takes an array of any shape and
gives one number. Moving one way only (f(x + h) − f(x)) / h is wrong by O(h), a hundred thousand times more.

    numeric_gradient(f, x, h=1e-5)      -> an array of the shape of x, float64

x must be afterwards what it was before, bit for bit, and may hold whole numbers: compute in float64.
The package has a faster way, along random directions: `minigpt2/gradcheck.py`.
"""

from collections.abc import Callable

import numpy as np


def numeric_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The gradient of f at x, of the shape of x"""
    raise NotImplementedError("your turn")
