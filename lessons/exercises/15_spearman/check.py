"""The package's ranks and correlation, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.metrics import pearson, ranks, spearman
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    a = np.array([10.0, 30.0, 20.0, 30.0, -5.0, 30.0, 20.0])
    b = np.array([1.0, 2.0, 2.0, 5.0, 0.0, 3.0, 4.0])
    low = 1.0 + (a[None] < a[:, None]).sum(axis=1)
    dense = np.unique(a, return_inverse=True)[1] + 1.0
    same_array(
        ranks(a),
        exercise.ranks(a),
        "ranks([10, 30, 20, 30, -5, 30, 20])",
        [
            (low, "tied values share their lowest rank: asked is the mean of the ranks that they take up"),
            ((a[None] <= a[:, None]).sum(axis=1), "tied values share their highest rank: asked is the mean"),
            (dense, "ranks after a tie go on without a gap: three tied values take up three ranks"),
            (ranks(a) - 1, "ranks begin at 1"),
            (ranks(-a), "the smallest value has rank 1"),
            (
                np.argsort(a).astype(float),
                "argsort says which value stands at each place, not the place of each value",
            ),
            (
                np.argsort(a) + 1.0,
                "argsort says which value stands at each place, not the place of each value",
            ),
            (
                lambda y: np.array_equal(np.sort(y), np.arange(1, 8)),
                "tied values get different ranks, by their place in the row: they share the mean of "
                "their ranks",
            ),
        ],
    )
    d = ranks(a) - ranks(b)
    same_array(
        np.array(spearman(a, b)),
        exercise.spearman(a, b),
        "spearman(a, b)",
        [
            (
                np.array(1 - 6 * (d @ d) / (7**3 - 7)),
                "the formula with Σd² holds only without ties: take Pearson of the ranks",
            ),
            (np.array(pearson(a, b)), "this is Pearson of the values: ranks first"),
        ],
    )
    for rows in ((np.ones(4), np.arange(4.0)), (np.arange(4.0), np.ones(4))):
        same_array(
            np.array(0.0),
            exercise.spearman(*rows),
            f"spearman({rows[0].tolist()}, {rows[1].tolist()})",
            [(lambda y: np.isnan(y), "0/0: a row with only ties has no order, give 0")],
        )
