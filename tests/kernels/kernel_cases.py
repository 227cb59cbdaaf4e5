"""Something to compute for everything that may have a kernel: arguments of several sizes, shapes and layouts.

A case is named after the function of `layers/` (or elsewhere) that it is for, without `_backward`. Sizes are
all different. The large ones are cut into several tasks and several blocks of a task.
"""

import functools
from typing import NamedTuple

import numpy as np

from minigpt2 import layers, model
from minigpt2.config import GPT2Config
from minigpt2.ragged import TokenBatch
from minigpt2.training.randomness import CountedGenerator

V, P = 53, 47
RATE = 0.3


class Case(NamedTuple):
    name: str
    function: str  # forward; its backward, if it has one, is `{function}_backward`
    inputs: dict  # float32 arrays by name
    arguments: tuple  # names of inputs, or (name, …) for a mapping of weights, or a value
    options: dict


class Sizes(NamedTuple):
    lengths: tuple[int, ...]
    D: int
    H: int
    F: int

    @property
    def N(self):
        return sum(self.lengths)


def many(seed, sentences, longest):
    rng = np.random.default_rng(seed)
    return tuple(int(T) for T in rng.integers(0, longest + 1, sentences))


SIZES = {
    "no tokens": Sizes((0, 0), 6, 2, 10),
    "one token": Sizes((1,), 6, 2, 10),
    "scattered": Sizes((1, 4, 0, 1, 5, 4), 12, 3, 20),
    "adjacent": Sizes((3, 3, 3, 1, 7, 7), 12, 4, 44),
    "large, scattered": Sizes(many(1, 57, 41), 68, 4, 260),
    "large, adjacent": Sizes(tuple(sorted(many(2, 61, 40))), 60, 3, 236),
    "one length": Sizes((23,) * 59, 36, 4, 148),
}

MLP = ("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias")


def normal(*shape, seed=1, scale=1.0):
    return (scale * np.random.default_rng([seed, *shape]).standard_normal(shape)).astype(np.float32)


def strided(x):
    """The same values with other numbers between them: every second column of a wider array."""
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


LAYOUTS = {"row by row": np.ascontiguousarray, "column by column": np.asfortranarray, "strided": strided}


@functools.cache
def batch_of(lengths):
    rng = np.random.default_rng(7)
    return TokenBatch([rng.integers(0, V, T).tolist() for T in lengths])


def mlp_weights(D, F):
    return {
        "c_fc.weight": normal(D, F, scale=D**-0.5),
        "c_fc.bias": normal(F),
        "c_proj.weight": normal(F, D, scale=F**-0.5),
        "c_proj.bias": normal(D, seed=2),
    }


def block_weights(D, F):
    weights = {
        "ln_1.weight": 1 + normal(D, seed=3, scale=0.3),
        "ln_1.bias": normal(D, seed=4, scale=0.3),
        "ln_2.weight": 1 + normal(D, seed=5, scale=0.3),
        "ln_2.bias": normal(D, seed=6, scale=0.3),
        "attn.c_attn.weight": normal(D, 3 * D, scale=D**-0.5),
        "attn.c_attn.bias": normal(3 * D),
        "attn.c_proj.weight": normal(D, D, scale=D**-0.5),
        "attn.c_proj.bias": normal(D),
    }
    return weights | {f"mlp.{name}": weight for name, weight in mlp_weights(D, F).items()}


def cases_of(size):
    """Every case of one of the SIZES"""
    lengths, D, H, F = sizes = SIZES[size]
    N, batch = sizes.N, batch_of(lengths)
    x = normal(N, D)
    yield Case(
        "linear",
        "linear",
        {"x": x, "weight": normal(D, F), "bias": normal(F)},
        ("x", "weight", "bias"),
        {},
    )
    yield Case("gelu", "gelu", {"x": 2 * normal(N, F)}, ("x",), {})
    far = {"x": 3 + 2 * normal(N, D), "gain": normal(D), "bias": normal(D, seed=2)}
    yield Case("layernorm", "layernorm", far, ("x", "gain", "bias"), {"eps": 1e-4})
    if N:
        yield Case("softmax", "softmax", {"x": 3 * normal(N, 3, F)}, ("x",), {})
        longest = 3 * normal(70_001 if size.startswith("large") else F)
        yield Case("softmax of one row", "softmax", {"x": longest}, ("x",), {})
        targets = np.random.default_rng(2).integers(0, F, N)
        yield Case("cross_entropy", "cross_entropy", {"logits": 2 * normal(N, F)}, ("logits", targets), {})
    tables = {"wte": normal(V, D), "wpe": normal(P, D)}
    yield Case("embedding", "embedding", tables, (batch.ids, batch.positions, "wte", "wpe"), {})
    for kind in ("mean", "weighted_mean"):
        yield Case(f"pooling, {kind}", "pooling", {"x": x}, ("x", batch, kind, 2), {})
    yield Case("mlp", "mlp", {"x": x, **mlp_weights(D, F)}, ("x", MLP), {})
    for causal in (True, False):
        kind = "causal" if causal else "bidirectional"
        for rate in (0.0, RATE):
            rng = {"rng": CountedGenerator(np, 3)} if rate else {}
            arguments = ("qkv", batch, H, causal, rate)
            qkv = {"qkv": normal(N, 3 * D)}
            yield Case(f"attend, {kind}, dropout {rate}", "attend", qkv, arguments, rng)
            config = GPT2Config(
                vocab_size=V,
                n_positions=P,
                n_embd=D,
                n_layer=1,
                n_head=H,
                n_inner=F,
                attn_pdrop=rate,
                resid_pdrop=0.0,
                attention=kind,
            )
            weights = block_weights(D, F)
            arguments = ("x", tuple(weights), batch, config)
            yield Case(f"block, {kind}, dropout {rate}", "block", {"x": x, **weights}, arguments, rng)


CASES = {(size, case.name): case for size in SIZES for case in cases_of(size)}

# Kernels that have no `y, ctx` and no backward: each has a test of its own in test_other_kernels.py.
WITHOUT_BACKWARD = ("add_embedding_gradient",)


def function(name):
    """The replaceable function of this name."""
    return getattr(layers, name, None) or getattr(model, name)


def forward(run, case, inputs):
    """run(…) on the case's arguments, taken from `inputs`, with generators that stand where the case's do."""
    arguments = []
    for argument in case.arguments:
        if isinstance(argument, str) and argument in inputs:
            arguments.append(inputs[argument])
        elif isinstance(argument, tuple):
            arguments.append({name: inputs[name] for name in argument})
        else:
            arguments.append(argument)
    options = {name: value.copy() if name == "rng" else value for name, value in case.options.items()}
    return run(*arguments, **options)


def flat(gradients):
    """What a backward returns -> a list of arrays"""
    if isinstance(gradients, dict):
        return list(gradients.values())
    if isinstance(gradients, tuple):
        return [array for part in gradients for array in flat(part)]
    return [gradients]
