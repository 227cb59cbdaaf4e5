"""Where the milliseconds of a forward pass go, by kind of layer.

One forward pass keeps its contexts, and these hold the input of every step. Then each step runs again on the
input that it had, in the same order, with a clock before and after it. So what is timed are the very functions
that the model calls, and no copy of the model with clocks in it exists that could drift from it.

Whole passes are timed in turn with the steps. `other` is what a whole pass takes beyond its steps: Python
between them. On a GPU the clock waits for the device after each step, which hides less of the launch times
than a pass without clocks does.
"""

import operator
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from ..backend import Array
from ..encoder import Encoder
from ..half_products import unrounded
from ..layers.attention import attend
from ..layers.embedding import embedding
from ..layers.gelu import gelu
from ..layers.layernorm import layernorm
from ..layers.linear import linear
from ..layers.normalize import normalize
from ..ragged import TokenBatch
from .checks import require_count
from .pooled import pooled

KINDS = ("embedding", "layernorm", "qkv", "attention", "projection", "mlp", "gelu", "residual", "pooling")


def forward_times(encoder: Encoder, batch: TokenBatch, repeats: int = 5) -> dict[str, float]:
    """Kind of layer -> seconds in one pass from ids to vectors, all layers of that kind together.

    The keys are KINDS in their order and then "other"; the values sum to the time of a whole pass (to more,
    if noise made the steps slower than the pass). Each is the median over `repeats`, after one run to warm
    up. Raises UsageError for `repeats` below 1, DataError for a batch that does not fit the model.
    """
    require_count("repeats", repeats)
    wait = _wait_for(encoder.backend.xp)
    steps = list(_steps(encoder, batch))
    wholes: list[float] = []
    rounds: list[dict[str, float]] = []
    for _ in range(1 + repeats):
        wholes.append(_seconds(partial(_whole, encoder, batch), wait))
        times = dict.fromkeys(KINDS, 0.0)
        for kind, step in steps:
            times[kind] += _seconds(step, wait)
        rounds.append(times)
    parts = {kind: statistics.median(times[kind] for times in rounds[1:]) for kind in KINDS}
    return parts | {"other": max(0.0, statistics.median(wholes[1:]) - sum(parts.values()))}


def _steps(encoder: Encoder, batch: TokenBatch) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every step of a forward pass in its order: its kind, and the call with the input it had"""
    model, config = encoder.model, encoder.model.config
    weights, eps = model.parameters, config.layer_norm_epsilon
    hidden, ctx = model.forward(batch, keep=True)  # (N, D)

    def norm(name: str, x: Array) -> tuple[str, Callable[[], Any]]:
        return "layernorm", partial(layernorm, x, weights[f"{name}.weight"], weights[f"{name}.bias"], eps)

    def product(kind: str, name: str, x: Any) -> tuple[str, Callable[[], Any]]:
        return kind, partial(linear, unrounded(x), weights[f"{name}.weight"], weights[f"{name}.bias"])

    tables = weights["wte.weight"], weights["wpe.weight"]
    yield "embedding", partial(embedding, batch.ids, batch.positions, *tables)
    for i, of in enumerate(ctx.blocks):
        yield norm(f"h.{i}.ln_1", of.ln_1.x)
        yield product("qkv", f"h.{i}.attn.c_attn", of.attn.c_attn.x)
        yield "attention", partial(attend, of.attn.attend.qkv, batch, config.H, config.causal)
        yield product("projection", f"h.{i}.attn.c_proj", of.attn.c_proj.x)
        yield "residual", partial(operator.add, of.ln_1.x, of.ln_2.x)
        yield norm(f"h.{i}.ln_2", of.ln_2.x)
        yield product("mlp", f"h.{i}.mlp.c_fc", of.mlp.c_fc.x)
        yield "gelu", partial(gelu, of.mlp.gelu.x)
        yield product("mlp", f"h.{i}.mlp.c_proj", of.mlp.c_proj.x)
        yield "residual", partial(operator.add, of.ln_2.x, of.ln_2.x)
    yield norm("ln_f", ctx.ln_f.x)
    yield "pooling", partial(_pool, encoder, hidden, batch)


def _whole(encoder: Encoder, batch: TokenBatch) -> None:
    _pool(encoder, encoder.model.forward(batch)[0], batch)


def _pool(encoder: Encoder, hidden: Array, batch: TokenBatch) -> None:
    normalize(pooled(encoder, hidden, batch)[0])  # (B, D)


def _seconds(run: Callable[[], Any], wait: Callable[[], Any]) -> float:
    wait()
    start = perf_counter()
    run()
    wait()
    return perf_counter() - start


def _wait_for(xp: ModuleType) -> Callable[[], Any]:
    """What to call until the device has done all that was asked of it; NumPy has when it returns."""
    return (lambda: None) if xp is np else xp.cuda.get_current_stream().synchronize
