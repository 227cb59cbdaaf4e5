"""One list of everything that has a backward: the generic layer tests run over all of it.

A case names the exported backward that it exercises. Sizes are all different, so that a transposed or
mixed-up axis cannot hide: N=7 tokens, D=6, H=2, K=3, F=10, V=11, and a different B for each batch.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigpt2 import layers
from minigpt2.backend import asarray
from minigpt2.config import GPT2Config
from minigpt2.ragged import TokenBatch
from minigpt2.training.randomness import CountedGenerator

N, D, H, F, V, P = 7, 6, 2, 10, 11, 41

LENGTHS = {
    "scattered": [1, 4, 0, 1, 1],  # equal lengths apart from each other, and an empty sentence
    "adjacent": [3, 3, 1],  # equal lengths together
    "one token": [1],
    "unequal": [1, 2, 40],
    "no tokens": [0, 0],
}

RATE = 0.3


class Problem(NamedTuple):
    """`y, ctx = forward(**inputs)` and `backward(dy, ctx)`, which gives the gradients of all inputs."""

    inputs: dict[str, np.ndarray]  # float64 on the host
    forward: Callable
    backward: Callable


class Case(NamedTuple):
    name: str
    covers: str  # the backward function of minigpt2.layers
    build: Callable[..., Problem]  # (xp) -> Problem


def sentences_of(lengths, vocab_size=V):
    rng = np.random.default_rng(5)
    return [rng.integers(0, vocab_size, T).tolist() for T in lengths]


def batch_of(name, xp):
    return TokenBatch(sentences_of(LENGTHS[name]), xp)


def normal(*shape, seed=1):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def attention_weights():
    return {
        "c_attn.weight": normal(D, 3 * D),
        "c_attn.bias": normal(3 * D),
        "c_proj.weight": normal(D, D),
        "c_proj.bias": normal(D),
    }


def mlp_weights():
    return {
        "c_fc.weight": normal(D, F),
        "c_fc.bias": normal(F),
        "c_proj.weight": normal(F, D),
        "c_proj.bias": normal(D, seed=2),
    }


def block_weights():
    weights = {
        "ln_1.weight": 1 + 0.3 * normal(D, seed=3),
        "ln_1.bias": 0.3 * normal(D, seed=4),
        "ln_2.weight": 1 + 0.3 * normal(D, seed=5),
        "ln_2.bias": 0.3 * normal(D, seed=6),
    }
    weights |= {f"attn.{name}": 0.5 * weight for name, weight in attention_weights().items()}
    return weights | {f"mlp.{name}": 0.5 * weight for name, weight in mlp_weights().items()}


def block_config(attention="causal", rate=0.0):
    return GPT2Config(
        vocab_size=V,
        n_positions=P,
        n_embd=D,
        n_layer=1,
        n_head=H,
        n_inner=F,
        attn_pdrop=rate,
        resid_pdrop=rate,
        attention=attention,
    )


def generator(xp, rate):
    """A fresh generator with the same seed at each call, so that every forward draws the same mask."""
    return xp.random.default_rng(3) if rate else None


def _linear(xp):
    inputs = {"x": normal(N, D), "weight": normal(D, F), "bias": normal(F)}
    return Problem(inputs, layers.linear, layers.linear_backward)


def _layernorm(xp):
    inputs = {"x": normal(N, D), "gain": normal(D), "bias": normal(D, seed=2)}
    return Problem(inputs, layers.layernorm, layers.layernorm_backward)


def _gelu(xp):
    return Problem({"x": 2 * normal(N, F)}, layers.gelu, layers.gelu_backward)


def _softmax(xp):
    return Problem({"x": normal(2, 3, 4, 5)}, layers.softmax, layers.softmax_backward)


def _dropout(rate):
    def build(xp):
        def forward(x):
            return layers.dropout(x, rate, generator(xp, rate))

        return Problem({"x": normal(N, D)}, forward, layers.dropout_backward)

    return build


def _embedding(lengths):
    def build(xp):
        batch = batch_of(lengths, xp)

        def forward(wte, wpe):
            return layers.embedding(batch.ids, batch.positions, wte, wpe)

        return Problem({"wte": normal(V, D), "wpe": normal(P, D)}, forward, layers.embedding_backward)

    return build


def _attend(lengths, causal, rate):
    def build(xp):
        batch = batch_of(lengths, xp)

        def forward(qkv):
            return layers.attend(qkv, batch, H, causal, rate, generator(xp, rate))

        return Problem({"qkv": normal(batch.N, 3 * D)}, forward, layers.attend_backward)

    return build


def _with_weights(backward):
    """A composite's `dx, {name: gradient}` as one mapping by the names of the inputs"""

    def of_all(dy, ctx):
        dx, gradients = backward(dy, ctx)
        return {"x": dx, **gradients}

    return of_all


def _attention(lengths, causal, rate):
    def build(xp):
        batch = batch_of(lengths, xp)

        def forward(x, **weights):
            return layers.attention(x, weights, batch, H, causal, rate, generator(xp, rate))

        inputs = {"x": normal(batch.N, D), **attention_weights()}
        return Problem(inputs, forward, _with_weights(layers.attention_backward))

    return build


def _mlp(xp):
    def forward(x, **weights):
        return layers.mlp(x, weights)

    return Problem({"x": normal(N, D), **mlp_weights()}, forward, _with_weights(layers.mlp_backward))


def _block(run, backward, lengths, attention, rate):
    def build(xp):
        batch = batch_of(lengths, xp)
        config = block_config(attention, rate)

        def forward(x, **weights):
            return run(x, weights, batch, config, CountedGenerator(xp, 3) if rate else None)

        inputs = {"x": normal(batch.N, D), **block_weights()}
        return Problem(inputs, forward, _with_weights(backward))

    return build


def _pooling(lengths, kind, skipped=0):
    def build(xp):
        batch = batch_of(lengths, xp)

        def forward(x):
            return layers.pooling(x, batch, kind, skipped)

        return Problem({"x": normal(batch.N, D)}, forward, layers.pooling_backward)

    return build


def _normalize(xp):
    return Problem({"x": normal(5, D)}, layers.normalize, layers.normalize_backward)


def _cross_entropy(xp):
    targets = asarray(np.random.default_rng(2).integers(0, V, N), xp)

    def forward(logits):
        return layers.cross_entropy(logits, targets)

    return Problem({"logits": 2 * normal(N, V)}, forward, layers.cross_entropy_backward)


CASES = [
    Case("linear", "linear_backward", _linear),
    Case("layernorm", "layernorm_backward", _layernorm),
    Case("gelu", "gelu_backward", _gelu),
    Case("softmax", "softmax_backward", _softmax),
    Case("dropout", "dropout_backward", _dropout(RATE)),
    Case("dropout at rate 0", "dropout_backward", _dropout(0.0)),
    *(Case(f"embedding, {name}", "embedding_backward", _embedding(name)) for name in LENGTHS),
    *(
        Case(
            f"{layer}, {name}, {kind}, dropout {rate}",
            f"{layer}_backward",
            make(name, kind == "causal", rate),
        )
        for layer, make in (("attend", _attend), ("attention", _attention))
        for name in LENGTHS
        for kind in ("causal", "bidirectional")
        for rate in (0.0, RATE)
    ),
    Case("mlp", "mlp_backward", _mlp),
    *(
        Case(
            f"{run.__name__}, {name}, {kind}, dropout {rate}",
            backward.__name__,
            _block(run, backward, name, kind, rate),
        )
        for run, backward in (
            (layers.block, layers.block_backward),
            (layers.recomputed_block, layers.recomputed_block_backward),
        )
        for name in LENGTHS
        for kind in ("causal", "bidirectional")
        for rate in (0.0, RATE)
    ),
    *(
        Case(f"pooling, {kind}, {name}", "pooling_backward", _pooling(name, kind))
        for kind in layers.POOLINGS
        for name in LENGTHS
    ),
    *(
        Case(f"pooling, {kind}, after a prompt", "pooling_backward", _pooling("scattered", kind, skipped=2))
        for kind in layers.POOLINGS
    ),
    Case("normalize", "normalize_backward", _normalize),
    Case("cross_entropy", "cross_entropy_backward", _cross_entropy),
]
