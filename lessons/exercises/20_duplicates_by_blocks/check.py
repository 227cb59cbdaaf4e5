"""A double loop, and the memory that the learner's function takes."""

import tracemalloc
from types import ModuleType

import numpy as np

from minigpt2.layers import normalize
from minigpt2.learn.checking import require, same_value


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(61)
    x = normalize(rng.standard_normal((11, 4)))[0]
    x[7], x[9], x[4] = x[2], -x[0], normalize(x[3:4] + 0.05)[0][0]
    x[10] = x[2]
    for threshold, block in ((0.99, 4), (0.5, 3), (0.99, 20)):
        pairs = [(i, j) for i in range(11) for j in range(11) if x[i] @ x[j] >= threshold]
        right = [(i, j) for i, j in pairs if i < j]
        inside = [(i, j) for i, j in right if i // block == j // block]
        moved = sorted((i % block, j) for i, j in right)
        last = 11 - 11 % block
        same_value(
            right,
            exercise.duplicates(x.copy(), threshold, block),
            f"duplicates(x, {threshold}, {block})",
            [
                (pairs, "each pair is found twice, and every text with itself: keep i < j"),
                ([(i, j) for i, j in pairs if i != j], "each pair is found twice: keep i < j"),
                ([(i, j) for i, j in pairs if i <= j], "a text is no duplicate of itself: i < j"),
                (inside, "only pairs within one block are found: a block is compared with ALL texts"),
                (moved, "row numbers count from the beginning of the block: add `start`"),
                (
                    lambda yours: yours == [(i, j) for i, j in right if i < last],
                    "the last, smaller block is left out",
                ),
                (lambda yours: sorted(yours) == right, "the pairs are to be sorted"),
                (
                    lambda yours: len(yours) < len(right) and any(i // block != j // block for i, j in yours),
                    "some pairs are lost: is i < j asked with row numbers of the block?",
                ),
                (
                    [(i, j) for i, j in right if x[i] @ x[j] > threshold],
                    "a cosine of exactly the threshold counts: at least",
                ),
                (
                    lambda yours: len(yours) > len(right) and all(i < j for i, j in yours),
                    "pairs that are not alike: negative cosines are far apart, not near",
                ),
            ],
        )
    N, block = 1500, 50
    many = normalize(rng.standard_normal((N, 32)))[0]
    tracemalloc.start()
    exercise.duplicates(many, 0.999, block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    require(
        peak < N * N * 8 / 4,
        f"{N} texts in blocks of {block} take {peak / 1e6:.0f} MB at once; a block of cosines has "
        f"{N * block * 8 / 1e6:.1f} MB",
        "the whole (N, N) matrix is made: multiply one block of rows at a time",
    )
