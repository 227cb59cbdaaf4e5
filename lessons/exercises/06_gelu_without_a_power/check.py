"""The package's GELU; the array handed in refuses powers."""

import math
from types import ModuleType

import numpy as np

from minigpt2.layers import gelu, gelu_backward
from minigpt2.layers.gelu import GeluContext
from minigpt2.learn.checking import same_array
from minigpt2.learn.no_powers import NoPowers


def check(exercise: ModuleType) -> None:
    x = np.linspace(-4.0, 4.0, 21).reshape(3, 7)
    root, cubic = math.sqrt(2.0 / math.pi), 0.044715

    def form(c=root, k=cubic, half=0.5):
        return half * x * (1.0 + np.tanh(c * (x + k * x * x * x)))

    right = gelu(x)[0]
    erf = np.vectorize(math.erf)
    same_array(
        right,
        exercise.gelu(x.view(NoPowers)),
        "gelu(x)",
        [
            (form(half=1.0), "the factor ½ is missing"),
            (form(c=math.sqrt(2.0 * math.pi)), "the root is of 2/π, not of 2π"),
            (form(c=2.0 / math.pi), "2/π stands under a root"),
            (form(k=0.0), "the cubic term 0.044715 · x³ is missing"),
            (
                0.5 * x * (1.0 + np.tanh(root * (x + cubic * x * x))),
                "this is 0.044715 · x²: the power is three",
            ),
            (
                0.5 * x * (1.0 + erf(x / math.sqrt(2.0))),
                "this is the exact form with erf; GPT-2 was trained with the tanh form",
            ),
            (
                x / (1.0 + np.exp(-1.702 * x)),
                "this is the sigmoid approximation; GPT-2 was trained with the tanh form",
            ),
            (np.maximum(x, 0.0), "this is ReLU"),
        ],
    )
    t = np.tanh(root * (x + cubic * x * x * x))
    du = root * (1.0 + 3.0 * cubic * x * x)
    same_array(
        gelu_backward(np.ones_like(x), GeluContext(x)),
        exercise.gelu_slope(x.view(NoPowers)),
        "gelu_slope(x)",
        [
            (
                0.5 * (1.0 + t),
                "x stands twice in the product: the term ½ · x · (derivative of tanh) is missing",
            ),
            (
                0.5 * x * (1.0 - t * t) * du,
                "x stands twice in the product: the term ½ · (1 + tanh(u)) is missing",
            ),
            (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t), "the inner derivative du/dx is missing"),
            (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t) * du, "the derivative of tanh is 1 − tanh², not 1 − tanh"),
            (
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + cubic * x * x),
                "the derivative of x³ is 3·x²: the 3 is missing",
            ),
        ],
    )
    for f in (exercise.gelu, exercise.gelu_slope):
        yours = f(x.astype(np.float32))
        same_array(f(x), yours, f"{f.__name__}(x) in float32", tolerance=1e-5, dtype=np.float32)
