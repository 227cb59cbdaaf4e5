"""k-means: groups of vectors that lie together, to be compared with the classes of their texts.

Lloyd 1982; the first centres by k-means++, Arthur, Vassilvitskii 2007: each next one is drawn with a chance
that grows with its squared distance from those already there.
"""

import numpy as np

from ..errors import UsageError
from .metrics import v_measure
from .sparse import Rows, squared_lengths, toarray

SEEDS = (0, 1, 2)
MOST_ROUNDS = 100


def k_means(x: Rows, k: int, seed: int = 0) -> np.ndarray:
    """(M, D) -> (M,) cluster numbers from 0 to k−1. Ends when no row changes, or after 100 rounds.

    A cluster that loses all its rows takes the row that is farthest from its own centre.
    """
    M = x.shape[0]
    if not 1 <= k <= M:
        raise UsageError(f"k must lie between 1 and the {M} rows, not {k}")
    transposed = x.T
    squares = squared_lengths(x)  # (M,)
    centres = _first_centres(x, squares, k, np.random.default_rng(seed))  # (k, D)
    assigned = np.full(M, -1)
    for _ in range(MOST_ROUNDS):
        distances = (centres * centres).sum(axis=1) - 2.0 * (x @ centres.T)  # (M, k) less ‖x‖²
        nearest = distances.argmin(axis=1)  # (M,)
        sizes = np.bincount(nearest, minlength=k)  # (k,)
        if not sizes.all():
            far = np.argsort(-(distances.min(axis=1) + squares), kind="stable")
            for cluster in np.flatnonzero(sizes == 0):
                row = next(r for r in far if sizes[nearest[r]] > 1)
                sizes[nearest[row]] -= 1
                nearest[row], sizes[cluster] = cluster, 1
        if (nearest == assigned).all():
            break
        assigned = nearest
        members = np.zeros((M, k))
        members[np.arange(M), assigned] = 1.0
        centres = (transposed @ members).T / sizes[:, None]  # (k, D)
    return assigned


def _first_centres(x: Rows, squares: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    M = x.shape[0]
    chosen = [int(rng.integers(M))]
    nearest = np.full(M, np.inf)  # squared distance to the nearest centre
    while len(chosen) < k:
        centre = toarray(x[np.array(chosen[-1:])])[0]  # (D,)
        nearest = np.minimum(nearest, np.maximum(squares - 2.0 * (x @ centre) + centre @ centre, 0.0))
        nearest[chosen[-1]] = 0.0
        total = nearest.sum()
        if total > 0.0:
            chosen.append(int(rng.choice(M, p=nearest / total)))
        else:  # fewer different rows than clusters
            chosen.append(int(rng.integers(M)))
    return toarray(x[np.array(chosen)]).astype(np.float64)


def clustering_score(x: Rows, classes: np.ndarray, seeds: tuple[int, ...] = SEEDS) -> float:
    """The mean v-measure of k-means over several seeds, with as many clusters as there are classes."""
    k = len(np.unique(classes))
    return float(np.mean([v_measure(k_means(x, k, seed), classes) for seed in seeds]))
