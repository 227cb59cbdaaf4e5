"""The package's loss, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import cross_entropy, normalize
from minigpt2.learn.checking import same_array
from minigpt2.training.losses import info_nce


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(31)
    a = normalize(rng.standard_normal((5, 4)))[0]
    b = normalize(a + 0.8 * rng.standard_normal((5, 4)))[0]
    diagonal = np.arange(5)
    one_sided = normalize(np.eye(5, 4) * 0.1 + np.array([1.0, 0.0, 0.0, 0.0]))[0]
    turned = one_sided * np.array([[-1.0], [1.0], [1.0], [1.0], [1.0]])  # far from all others
    cases = ((a, b, 0.5), (a, b, 0.01), (a, b, 0.001), (turned, one_sided, 0.001))
    for a, b, tau in cases:
        scores = a @ b.T / tau
        there, back = cross_entropy(scores, diagonal)[0], cross_entropy(scores.T, diagonal)[0]
        off = np.where(np.eye(5, dtype=bool), -np.inf, scores)
        within = cross_entropy(a @ a.T / tau, diagonal)[0]
        same_array(
            info_nce(a, b, temperature=tau)[0],
            exercise.info_nce(a, b, tau),
            f"info_nce(a, b, {tau})",
            [
                (there, "only one way: the b look for their a, too, over the columns"),
                (back, "only one way back: the a look for their b, too, over the rows"),
                (there + back, "half of the sum is asked for"),
                (
                    sum(cross_entropy(s, diagonal)[0] for s in (a @ b.T * tau, b @ a.T * tau)) / 2,
                    "you multiply by the temperature: divide, a small τ makes scores large",
                ),
                (
                    sum(cross_entropy(s, diagonal)[0] for s in (a @ b.T, b @ a.T)) / 2,
                    "the temperature is missing",
                ),
                (within, "a is compared with itself: the candidates are b"),
                (
                    np.array((np.log(np.exp(off).sum(1)) - np.diag(scores)).mean()),
                    "the right candidate belongs into the sum, too",
                ),
                (5 * (there + back) / 2, "the mean over the rows is asked for"),
                (
                    lambda y: not np.isfinite(y),
                    "exp of a score in the hundreds overflows, or a sum is 0 and has no log: take each "
                    "row's maximum away first",
                ),
            ],
        )
