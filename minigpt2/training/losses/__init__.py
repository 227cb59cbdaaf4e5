"""Losses on embeddings, one file each: `loss, ctx = f(…)` and `gradient = f_backward(dloss, ctx)`.

Each is a pure function of vectors whose rows have length 1, so that a dot product is a cosine. It keeps their
precision and gives one gradient for each vector input: one array, or a tuple. Which one to take:

    pairs labelled 0 or 1               contrastive
    pairs with scores                   cosine_regression for their values, cosent for their order
    pairs that belong together          info_nce, also with hard negatives
    anchor, positive, negative          triplet, or info_nce
    a teacher's vectors                 distillation
    plain text                          next_token, on hidden rows instead of sentence vectors
    vectors that may be cut short       matryoshka, around any of the others
"""

from .contrastive import contrastive, contrastive_backward
from .cosent import cosent, cosent_backward
from .cosine_regression import cosine_regression, cosine_regression_backward
from .distillation import distillation, distillation_backward
from .info_nce import info_nce, info_nce_backward
from .matryoshka import matryoshka, matryoshka_backward
from .next_token import next_token, next_token_backward
from .triplet import triplet, triplet_backward

__all__ = [
    "contrastive",
    "contrastive_backward",
    "cosent",
    "cosent_backward",
    "cosine_regression",
    "cosine_regression_backward",
    "distillation",
    "distillation_backward",
    "info_nce",
    "info_nce_backward",
    "matryoshka",
    "matryoshka_backward",
    "next_token",
    "next_token_backward",
    "triplet",
    "triplet_backward",
]
