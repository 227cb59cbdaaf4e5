"""One list of all losses: the generic tests of test_every_loss.py run over all of it.

A case names the exported backward that it exercises. Sizes are all different: M=7 examples, D=6, K=4 hard
negatives, V=11 tokens.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigpt2.backend import array_module, asarray
from minigpt2.ragged import TokenBatch
from minigpt2.training import losses

M, D, K, V = 7, 6, 4, 11

SENTENCES = [[3], [1, 7, 1, 10], [], [0, 2], [9, 2, 2, 8, 4, 6]]  # 13 tokens, 9 of which have a next one

BINARY = [1, 0, 0, 1, 1, 0, 0]
GRADED = [2.5, 0.0, 5.0, 2.5, 1.0, 0.0, 3.75]
DISTINCT = [-3.0, 10.0, 4.0, 0.5, 2.0, 1e6, -7.0]
EQUAL = [2.5] * M
DIMS, WEIGHTS = [2, 5, 6], [0.3, 1.0, 0.7]


class Problem(NamedTuple):
    """`loss, ctx = forward(**inputs)` and `backward(dloss, ctx)`, which gives the gradients of all inputs."""

    inputs: dict[str, np.ndarray]  # float64 on the host
    forward: Callable
    backward: Callable


class Case(NamedTuple):
    name: str
    covers: str  # the backward function of minigpt2.training.losses
    build: Callable[..., Problem]  # (xp) -> Problem


def unit_rows(*shape, seed=0):
    """Rows of length 1, leaning to one side, so that some cosines are above a margin and some below"""
    x = np.random.default_rng([seed, *shape]).standard_normal(shape) + 0.7
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def vectors(*names, rows=M):
    return {name: unit_rows(rows, D, seed=seed) for seed, name in enumerate(names)}


def without_none(backward):
    """The gradients of the inputs that were given: info_nce's negatives may be None"""

    def of_given(dloss, ctx):
        return tuple(gradient for gradient in backward(dloss, ctx) if gradient is not None)

    return of_given


def with_labels(name, labels, rows=M, **settings):
    """A loss of two vectors and labels"""
    function, backward = getattr(losses, name), getattr(losses, f"{name}_backward")

    def build(xp):
        def forward(a, b):
            return function(a, b, asarray(np.array(labels[:rows], np.float64), xp), **settings)

        return Problem(vectors("a", "b", rows=rows), forward, backward)

    return build


def _triplet(margin):
    def build(xp):
        inputs = vectors("anchors", "positives", "negatives")
        return Problem(inputs, functools.partial(losses.triplet, margin=margin), losses.triplet_backward)

    return build


def _info_nce(negatives, symmetric, rows=M):
    def build(xp):
        inputs = vectors("anchors", "positives", rows=rows)
        if negatives is not None:
            inputs["negatives"] = unit_rows(negatives, D, seed=2)
        forward = functools.partial(losses.info_nce, temperature=0.2, symmetric=symmetric)
        return Problem(inputs, forward, without_none(losses.info_nce_backward))

    return build


def _distillation(xp):
    targets = unit_rows(M, D, seed=5)

    def forward(students):
        return losses.distillation(students, asarray(targets, xp, students.dtype), temperature=0.1)

    return Problem(vectors("students"), forward, losses.distillation_backward)


def _next_token(chunk_rows):
    def build(xp):
        batch = TokenBatch(SENTENCES, xp)
        inputs = {"hidden": 2 * unit_rows(batch.N, D), "wte": 2 * unit_rows(V, D)}

        def forward(hidden, wte):
            return losses.next_token(hidden, wte, batch, chunk_rows)

        return Problem(inputs, forward, losses.next_token_backward)

    return build


def _spread(xp):
    """The mean of the squared column means: a loss of one vector input, for the wrapper's sake"""

    def forward(x):
        return (x.mean(axis=0) * x.mean(axis=0)).mean(), x

    def backward(dloss, x):
        return array_module(x).broadcast_to(x.mean(axis=0) * (2.0 * dloss / x.size), x.shape)

    return Problem(vectors("x"), forward, backward)


def _matryoshka(build_inner, weights=WEIGHTS):
    def build(xp):
        inputs, forward, backward = build_inner(xp)

        def on_prefixes(**inputs):
            return losses.matryoshka(forward_of_rows, backward, tuple(inputs.values()), DIMS, weights)

        def forward_of_rows(*rows):
            return forward(**dict(zip(inputs, rows, strict=True)))

        return Problem(inputs, on_prefixes, losses.matryoshka_backward)

    return build


CASES = [
    Case("contrastive", "contrastive_backward", with_labels("contrastive", BINARY)),
    Case("contrastive, wide margin", "contrastive_backward", with_labels("contrastive", BINARY, margin=1.5)),
    Case("contrastive, soft", "contrastive_backward", with_labels("contrastive", BINARY, temperature=0.2)),
    Case("contrastive, one pair", "contrastive_backward", with_labels("contrastive", BINARY, rows=1)),
    Case("cosine_regression", "cosine_regression_backward", with_labels("cosine_regression", GRADED)),
    *(Case(f"triplet, margin {m}", "triplet_backward", _triplet(m)) for m in (0.2, 1.0, -3.0)),
    *(
        Case(
            f"info_nce, {K_} negatives, {'symmetric' if symmetric else 'one way'}",
            "info_nce_backward",
            _info_nce(K_, symmetric),
        )
        for K_ in (None, 0, K)
        for symmetric in (True, False)
    ),
    Case("info_nce, one pair", "info_nce_backward", _info_nce(None, True, rows=1)),
    Case("info_nce, one pair and negatives", "info_nce_backward", _info_nce(K, True, rows=1)),
    *(
        Case(f"cosent, {kind} labels", "cosent_backward", with_labels("cosent", labels, temperature=0.2))
        for kind, labels in {
            "binary": BINARY,
            "graded": GRADED,
            "distinct": DISTINCT,
            "equal": EQUAL,
        }.items()
    ),
    Case("cosent, one pair", "cosent_backward", with_labels("cosent", GRADED, rows=1)),
    Case("distillation", "distillation_backward", _distillation),
    *(Case(f"next_token, chunks of {c}", "next_token_backward", _next_token(c)) for c in (1, 4, 9, 1024)),
    *(
        Case(f"matryoshka of {name}, weights {weights}", "matryoshka_backward", _matryoshka(inner, weights))
        for name, inner in {
            "contrastive": with_labels("contrastive", BINARY),
            "cosent": with_labels("cosent", GRADED, temperature=0.2),
            "triplet": _triplet(0.3),
            "info_nce with negatives": _info_nce(K, True),
            "info_nce": _info_nce(None, True),
            "one vector": _spread,
        }.items()
        for weights in (None, WEIGHTS)
    ),
]
