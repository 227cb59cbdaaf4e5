"""Kernels that are no pair of forward and backward."""

import numpy as np
from kernel_cases import batch_of, normal

from minigpt2.kernels import use_kernels
from minigpt2.layers import embedding
from minigpt2.model import add_embedding_gradient

V, P, D = 53, 47, 20


def test_the_embedding_gradient_is_added_to_what_is_there():
    for lengths in [(0, 0), (1,), (1, 4, 0, 1, 5, 4), (41,) * 30]:
        batch = batch_of(lengths)
        _, ctx = embedding(batch.ids, batch.positions, normal(V, D), normal(P, D))
        dx = normal(batch.N, D, seed=3)
        results = []
        for mode in ("explicit", "fused"):
            dwte, dwpe = normal(V, D, seed=4), normal(P, D, seed=5)
            with use_kernels(mode):
                assert add_embedding_gradient(dx, ctx, dwte, dwpe) is None
            results.append((dwte, dwpe))
        for explicit, fused in zip(*results, strict=True):
            np.testing.assert_allclose(fused, explicit, rtol=0, atol=1e-6 * np.abs(explicit).max())
