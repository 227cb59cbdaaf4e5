"""Where the milliseconds of a forward pass go, by kind of layer.

One forward pass keeps everything (`cache.py`). Then each step runs again on the input that it had, in the
same order, with a clock before and after it. So what is timed are the very functions that the model calls,
and there is no second model with clocks in it that could drift from the first.

Whole passes are timed in turn with the steps. `other` is what a whole pass takes beyond its steps: Python
between them. On a GPU the clock waits for the device after each step, so launches that a pass without clocks
hides behind the step before them count here.
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

# What the steps of a block read.
INPUTS = ("resid_pre", "ln_1.out", "attn.q", "attn.k", "attn.v", "attn.z", "attn.out")
INPUTS += ("resid_mid", "ln_2.out", "mlp.pre", "mlp.post", "mlp.out")

Step = tuple[str, Callable[[], Any]]  # a kind, and the call to time


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


def _steps(encoder: Encoder, batch: TokenBatch) -> Iterator[Step]:
    """Every step of a forward pass in its order: its kind, and the call with the input it had"""
    model, config = encoder.model, encoder.model.config
    weights, eps = model.parameters, config.layer_norm_epsilon
    hidden, cache = model.run_with_cache(batch)  # (N, D)

    def norm(name: str, x: Array) -> Step:
        return "layernorm", partial(layernorm, x, weights[f"{name}.weight"], weights[f"{name}.bias"], eps)

    def product(kind: str, name: str, x: Array) -> Step:
        return kind, partial(linear, x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    tables = weights["wte.weight"], weights["wpe.weight"]
    yield "embedding", partial(embedding, batch.ids, batch.positions, *tables)
    for i in range(config.L):
        of = {name: cache[f"blocks.{i}.{name}"] for name in INPUTS}
        heads = [of[f"attn.{part}"].reshape(batch.N, config.D) for part in "qkv"]  # 3 × (N, D)
        qkv = encoder.backend.xp.concatenate(heads, axis=1)  # (N, 3·D)
        z = of["attn.z"].reshape(batch.N, config.D)  # (N, D)
        yield norm(f"h.{i}.ln_1", of["resid_pre"])
        yield product("qkv", f"h.{i}.attn.c_attn", of["ln_1.out"])
        yield "attention", partial(attend, qkv, batch, config.H, config.causal)
        yield product("projection", f"h.{i}.attn.c_proj", z)
        yield "residual", partial(operator.add, of["resid_pre"], of["attn.out"])
        yield norm(f"h.{i}.ln_2", of["resid_mid"])
        yield product("mlp", f"h.{i}.mlp.c_fc", of["ln_2.out"])
        yield "gelu", partial(gelu, of["mlp.pre"])
        yield product("mlp", f"h.{i}.mlp.c_proj", of["mlp.post"])
        yield "residual", partial(operator.add, of["resid_mid"], of["mlp.out"])
    yield norm("ln_f", cache[f"blocks.{config.L - 1}.resid_post"])
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
