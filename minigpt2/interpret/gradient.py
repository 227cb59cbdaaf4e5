"""Which tokens push two sentences together or apart: gradient × input.

    similarity  = u · v              u, v: the two sentence vectors, of length 1, so this is their cosine
    gradient_n  = ∂ similarity / ∂ x_n          x_n: token n's embedding row, wte[id] + wpe[position]
    score_n     = Σ_d gradient_nd · x_nd

To first order, a score is what the similarity would lose if the token's row shrank to nothing: above 0 the
token pulls the sentences together, below 0 it pushes them apart. Shrikumar et al. 2016, arXiv:1605.01713.
The gradient comes from the hand-written backward, all the way down; both sentences are one ragged batch,
forward once and backward once.
"""

from typing import NamedTuple

from ..backend import Array
from ..encoder import Encoder
from ..layers.normalize import normalize, normalize_backward
from .look import Reading, read
from .pooled import pooled, pooled_backward


class SimilarityGradient(NamedTuple):
    """The cosine of two texts, and what each of their N = T_a + T_b tokens does to it, those of `a` first."""

    similarity: float
    look_a: Reading
    look_b: Reading
    gradient: Array  # (N, D) of the cosine, by the embedding rows
    scores: Array  # (N,) gradient × input

    @property
    def scores_a(self) -> Array:
        """(T_a,)"""
        return self.scores[: len(self.look_a.ids)]

    @property
    def scores_b(self) -> Array:
        """(T_b,)"""
        return self.scores[len(self.look_a.ids) :]


def similarity_gradient(encoder: Encoder, a: str, b: str) -> SimilarityGradient:
    """The cosine of two texts and its gradient. Raises DataError for a text without tokens."""
    (look_a, look_b), batch = read(encoder, [a, b])
    hidden, ctx = encoder.model.forward(batch, keep=True)  # (N, D)
    x = ctx.blocks[0].ln_1.x  # (N, D) the embedding rows
    vectors, pooled_ctx = pooled(encoder, hidden, batch)  # (2, D)
    unit, normalize_ctx = normalize(vectors)  # (2, D)
    similarity = (unit[0] * unit[1]).sum()  # ()

    dunit = unit[::-1]  # (2, D)  similarity = u · v: each hears of the other
    dvectors = normalize_backward(dunit, normalize_ctx)  # (2, D)  unit = normalize(vectors)
    dhidden = pooled_backward(dvectors, pooled_ctx)  # (N, D)  vectors = pooled(hidden)
    gradient = encoder.model.backward_to_embeddings(dhidden, ctx)  # (N, D)  hidden = forward(x)
    scores = (gradient * x).sum(axis=1)  # (N,)
    return SimilarityGradient(float(similarity), look_a, look_b, gradient, scores)
