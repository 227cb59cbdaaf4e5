"""Cross-entropy: how surprised the model is by what came, on average, in nats.

    loss = − mean_m log softmax(logits_m)[target_m]

exp(loss) is the perplexity. For language modelling, row m's target is the token that follows it.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable


class CrossEntropyContext(NamedTuple):
    """What backward needs: the probabilities, from which 1 is taken at each target."""

    probabilities: Array  # (M, V)
    targets: Array  # (M,)


@replaceable
def cross_entropy(logits: Array, targets: Array) -> tuple[Array, CrossEntropyContext]:
    """(M, V), (M,) -> the mean loss, an array of shape (). M must be at least 1; targets lie in 0 … V−1."""
    xp = array_module(logits)
    shifted = logits - logits.max(axis=1, keepdims=True)  # (M, V)
    e = xp.exp(shifted)  # (M, V)
    total = e.sum(axis=1, keepdims=True)  # (M, 1)
    log_probability = shifted[xp.arange(len(targets)), targets] - xp.log(total[:, 0])  # (M,)
    return -log_probability.mean(), CrossEntropyContext(e / total, targets)


def cross_entropy_backward(dloss: float | Array, ctx: CrossEntropyContext) -> Array:
    """() -> dlogits (M, V)"""
    xp = array_module(ctx.probabilities)
    M = len(ctx.targets)
    dlogits = ctx.probabilities * (dloss / M)  # (M, V)  raising any logit takes from the target …
    dlogits[xp.arange(M), ctx.targets] -= dloss / M  # … and raising its own gives to it
    return dlogits
