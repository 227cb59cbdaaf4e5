"""The package's GELU, and the memory that the learner's takes."""

import tracemalloc
from types import ModuleType

import numpy as np

from minigpt2.layers import gelu
from minigpt2.learn.checking import WrongAnswer, require, same_array
from minigpt2.learn.no_powers import NoPowers

IN_PLACE = ("gelu_",)


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(52)
    for N, block in ((8, 4), (7, 3), (2, 5)):
        x = rng.standard_normal((N, 6))
        right, _ = gelu(x)
        given = x.copy().view(NoPowers)
        result = exercise.gelu_(given, block)
        require(
            result is None or not np.array_equal(given, x),
            "gelu_ leaves x as it is and returns something",
            "it is to work in place: write the result into x, rows[...] = … or out=rows",
        )
        done = N - N % block
        partly = np.vstack([right[:done], x[done:]])
        same_array(
            right,
            given,
            f"x after gelu_(x, {block}) of {N} rows",
            [
                (
                    partly,
                    "the last, smaller block is left out: range(0, N, block) and a slice that may be shorter",
                ),
                (np.vstack([right[:block], x[block:]]), "only the first block is done"),
                (
                    x,
                    "x is unchanged: `rows = …` makes a new array and binds a name; write into it, "
                    "rows[...] = …",
                ),
                (gelu(right)[0], "GELU is applied twice: do blocks overlap?"),
                (2.0 * right, "the factor ½ is missing"),
            ],
        )
    N, F, block = 2048, 64, 32
    x = rng.standard_normal((N, F)).astype(np.float32)
    one = block * F * 4
    exercise.gelu_(x[:64].copy(), block)
    tracemalloc.start()
    exercise.gelu_(x, block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if peak > 8 * one:
        raise WrongAnswer(
            f"gelu_ of {N} rows in blocks of {block} takes {peak / one:.0f} blocks of memory at once; 8 "
            f"are the most",
            reason="a temporary array of x's size is made: work on rows of one block alone"
            if peak > N // block * one / 2
            else "some temporaries of a block too many: write with out= into one scratch array",
        )
