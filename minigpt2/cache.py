"""Every intermediate of one forward pass, by name, for lessons, the REPL and debugging.

The contexts that a forward pass keeps for its backward pass already hold almost all there is to see, so the
cache is a reading of the contexts: a name is looked up when it is asked for, and what backward would
recompute is recomputed here too. Asking for nothing costs nothing.

| name                       | shape                | what it is                                             |
|----------------------------|----------------------|--------------------------------------------------------|
| embed                      | (N, D)               | token plus position rows                               |
| blocks.i.resid_pre         | (N, D)               | the residual stream as block i finds it                |
| blocks.i.ln_1.normalized   | (N, D)               | x̂, before gain and bias                                |
| blocks.i.ln_1.out          | (N, D)               | what attention reads                                   |
| blocks.i.attn.q, .k, .v    | (N, H, K)            | queries, keys, values                                  |
| blocks.i.attn.scores       | B arrays (H, T, T)   | q·kᵀ/sqrt(K), −inf where hidden                        |
| blocks.i.attn.pattern      | B arrays (H, T, T)   | softmax of the scores: row t is where token t looks    |
| blocks.i.attn.z            | (N, H, K)            | the values that each head gathered                     |
| blocks.i.attn.out          | (N, D)               | what attention adds to the stream                      |
| blocks.i.resid_mid         | (N, D)               | the stream between attention and MLP                   |
| blocks.i.ln_2.normalized   | (N, D)               | x̂, before gain and bias                                |
| blocks.i.ln_2.out          | (N, D)               | what the MLP reads                                     |
| blocks.i.mlp.pre           | (N, F)               | before GELU                                            |
| blocks.i.mlp.post          | (N, F)               | after GELU: the "neurons"                              |
| blocks.i.mlp.out           | (N, D)               | what the MLP adds to the stream                        |
| blocks.i.resid_post        | (N, D)               | the residual stream as block i leaves it               |
| ln_f.normalized            | (N, D)               | x̂ of the last layernorm                                |
| ln_f.out                   | (N, D)               | hidden, what pooling and the head read                 |

`attn.out` and `mlp.out` are differences between two states of the stream, and are rounded as those are.
Sentences differ in length, so scores and patterns come as a list of B arrays, (H, 0, 0) for an empty one.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from .backend import Array, array_module
from .config import GPT2Config
from .half_products import unrounded
from .layers.attention import AttendContext, heads_of_groups, masked_scores
from .layers.block import BlockContext
from .layers.gelu import gelu
from .layers.layernorm import normalized
from .ragged import TokenBatch

if TYPE_CHECKING:
    from .model import ModelContext


class ActivationCache(Mapping[str, "Array | list[Array]"]):
    """A read-only mapping from the names above to arrays; `list(cache)` gives all names."""

    def __init__(self, batch: TokenBatch, ctx: "ModelContext", hidden: Array, config: GPT2Config) -> None:
        self.batch = batch
        self._look_up: dict[str, Callable[[], Array | list[Array]]] = {}
        stream = [block_ctx.ln_1.x for block_ctx in ctx.blocks] + [ctx.ln_f.x]  # L+1 × (N, D)
        self._look_up["embed"] = lambda: stream[0]
        for i, block_ctx in enumerate(ctx.blocks):
            for name, look_up in _of_block(block_ctx, stream[i + 1], config).items():
                self._look_up[f"blocks.{i}.{name}"] = look_up
        self._look_up["ln_f.normalized"] = functools.partial(normalized, ctx.ln_f)
        self._look_up["ln_f.out"] = lambda: hidden

    def __repr__(self) -> str:
        return f"ActivationCache({len(self)} names of {self.batch})"

    def __getitem__(self, name: str) -> Array | list[Array]:
        if name not in self._look_up:
            raise KeyError(f"no activation is called {name!r}: list(cache) gives all names")
        return self._look_up[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._look_up  # Mapping's own would compute the activation

    def __iter__(self) -> Iterator[str]:
        return iter(self._look_up)

    def __len__(self) -> int:
        return len(self._look_up)


def _of_block(
    ctx: BlockContext, resid_post: Array, config: GPT2Config
) -> dict[str, Callable[[], Array | list[Array]]]:
    """Name within the block -> how to read it from the block's contexts"""
    attn = ctx.attn.attend
    return {
        "resid_pre": lambda: ctx.ln_1.x,
        "ln_1.normalized": functools.partial(normalized, ctx.ln_1),
        "ln_1.out": lambda: unrounded(ctx.attn.c_attn.x),
        "attn.q": lambda: _part_of_qkv(attn, 0),
        "attn.k": lambda: _part_of_qkv(attn, 1),
        "attn.v": lambda: _part_of_qkv(attn, 2),
        "attn.scores": lambda: _by_sentence(
            attn, [masked_scores(q, k, config.causal) for _, q, k, _ in heads_of_groups(*attn[:3])]
        ),
        "attn.pattern": lambda: _by_sentence(attn, [softmax_ctx.y for softmax_ctx in attn.softmaxes]),
        "attn.z": lambda: unrounded(ctx.attn.c_proj.x).reshape(-1, config.H, config.K),
        "attn.out": lambda: ctx.ln_2.x - ctx.ln_1.x,
        "resid_mid": lambda: ctx.ln_2.x,
        "ln_2.normalized": functools.partial(normalized, ctx.ln_2),
        "ln_2.out": lambda: unrounded(ctx.mlp.c_fc.x),
        "mlp.pre": lambda: ctx.mlp.gelu.x,
        "mlp.post": lambda: gelu(ctx.mlp.gelu.x)[0],
        "mlp.out": lambda: resid_post - ctx.ln_2.x,
        "resid_post": lambda: resid_post,
    }


def _part_of_qkv(ctx: AttendContext, part: int) -> Array:
    """q, k or v of every token: (N, H, K)"""
    D = ctx.qkv.shape[1] // 3
    return ctx.qkv[:, part * D : (part + 1) * D].reshape(len(ctx.qkv), ctx.heads, D // ctx.heads)


def _by_sentence(ctx: AttendContext, of_groups: list[Array]) -> list[Array]:
    """One (n, H, T, T) for each group -> one (H, T, T) for each sentence of the batch"""
    xp = array_module(ctx.qkv)
    sentences = [xp.zeros((ctx.heads, 0, 0), dtype=ctx.qkv.dtype)] * ctx.batch.B
    for group, stacked in zip(ctx.batch.groups_of_equal_length(), of_groups, strict=True):
        for b, array in zip(xp.arange(ctx.batch.B)[group.sentences].tolist(), stacked, strict=True):
            sentences[b] = array
    return sentences
