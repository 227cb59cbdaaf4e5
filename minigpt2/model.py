"""GPT-2: embeddings, L blocks, a last layernorm, and the whole way back by hand.

    x_0     = dropout(wte[ids] + wpe[positions])
    x_{i+1} = block_i(x_i)                                i = 0 … L−1
    hidden  = layernorm(x_L)
    logits  = hidden · wteᵀ                               the language-model head shares the token table

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". For sentence embeddings `hidden`
goes to pooling; for language modelling to the head. A batch is ragged: N rows for the tokens of all its
sentences.
"""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .backend import Array, array_module, asarray, choose_backend
from .cache import ActivationCache
from .config import GPT2Config
from .half_products import HalfMatrix, factor
from .kernels import replaceable
from .layers.block import BlockContext, block, block_backward
from .layers.cross_entropy import CrossEntropyContext, cross_entropy, cross_entropy_backward
from .layers.dropout import DropoutContext, Generator, dropout, dropout_backward
from .layers.embedding import EmbeddingContext, embedding, embedding_backward
from .layers.layernorm import LayerNormContext, layernorm, layernorm_backward
from .layers.recomputed_block import (
    RecomputedBlockContext,
    recomputed_block,
    recomputed_block_backward,
)
from .parameters import Parameters, require_fit
from .ragged import TokenBatch


class ModelContext(NamedTuple):
    """What backward needs, layer by layer. `backward` pops `blocks`, so memory falls as it proceeds."""

    embedding: EmbeddingContext
    dropout: DropoutContext
    blocks: list[BlockContext] | list[RecomputedBlockContext]
    ln_f: LayerNormContext


class LogitsContext(NamedTuple):
    """What backward needs of the tied head: both operands of its product."""

    hidden: Array | HalfMatrix  # (M, D)
    wte: Array | HalfMatrix  # (V, D) a view of the parameters; rounded in half_products


class LossContext(NamedTuple):
    """The contexts of a language-model loss, in the order in which they ran."""

    model: ModelContext
    rows: Array  # (M,) the rows of `hidden` that have a next token
    logits: LogitsContext
    cross_entropy: CrossEntropyContext


class GPT2:
    """A configuration and its parameters. Holds no state between calls: contexts belong to the caller."""

    def __init__(self, config: GPT2Config, parameters: Parameters) -> None:
        """`parameters` as laid out by `Parameters.initialise(config)` or read from a model directory.

        Raises ModelError, naming the tensor, for parameters that are not those of `config`.
        """
        require_fit(parameters, config)
        self.config = config
        self.parameters = parameters
        self._weights_of_block = [parameters.subset(f"h.{i}.") for i in range(config.L)]

    def __repr__(self) -> str:
        return f"GPT2({self.config}, {self.parameters})"

    @classmethod
    def initialise(
        cls, config: GPT2Config, seed: int = 0, xp: ModuleType | str | None = None, dtype: Any = None
    ) -> "GPT2":
        """A model with fresh random parameters; `xp` and `dtype` as in `choose_backend`."""
        backend = choose_backend(xp, dtype=dtype)
        return cls(config, Parameters.initialise(config, seed, backend.xp, backend.dtype))

    def forward(
        self,
        batch: TokenBatch,
        *,
        keep: bool = False,
        rng: Generator | None = None,
        recompute: bool = False,
    ) -> tuple[Array, ModelContext | None]:
        """B sentences of N tokens -> hidden (N, D), and with `keep` the context for `backward`.

        `rng` (from `xp.random.default_rng(seed)`) switches dropout on. Without `keep` nothing is held: a
        block's intermediates are gone when the next block runs. With `keep` and `recompute` a block keeps
        its input alone, and backward runs it again; `rng` must then be one whose draws can be repeated
        (`training.randomness.CountedGenerator`), or UsageError is raised. Raises DataError for an id outside
        the vocabulary or a sentence longer than the window.
        """
        x, embedding_ctx, dropout_ctx = self._embed(batch, rng)  # (N, D)
        run = recomputed_block if keep and recompute else block
        blocks = []
        for weights in self._weights_of_block:
            x, ctx = run(x, weights, batch, self.config, rng)  # (N, D)
            if keep:
                blocks.append(ctx)
            del ctx  # or it would be held until the next block has made its own
        hidden, ln_f = self._last_layernorm(x)  # (N, D)
        return hidden, ModelContext(embedding_ctx, dropout_ctx, blocks, ln_f) if keep else None

    def backward(self, dhidden: Array, ctx: ModelContext, gradients: Parameters) -> None:
        """(N, D): add the gradient of every parameter into `gradients`, laid out like the parameters.

        Consumes `ctx`: each block's context is dropped as soon as it has been used. Raises ValueError for a
        context that was not kept or has been used, or a gradient of another shape, which broadcasting would
        let through.
        """
        dx = self.backward_to_embeddings(dhidden, ctx, gradients)  # (N, D)
        add_embedding_gradient(dx, ctx.embedding, gradients["wte.weight"], gradients["wpe.weight"])

    def backward_to_embeddings(
        self, dhidden: Array, ctx: ModelContext, gradients: Parameters | None = None
    ) -> Array:
        """(N, D) -> the gradient of each token's embedding row, wte[id] + wpe[position]: (N, D)

        The way back as far as the rows that were looked up, for asking what each token does. Adds the
        gradients of the layers into `gradients` if there are any; the two tables are left to `backward`.
        Consumes `ctx` and raises as `backward` does.
        """
        self._require_fresh(ctx)
        if dhidden.shape != ctx.ln_f.x.shape:
            raise ValueError(f"the gradient has shape {dhidden.shape}, but hidden has {ctx.ln_f.x.shape}")
        dx, dgain, dbias = layernorm_backward(dhidden, ctx.ln_f)  # (N, D)  hidden = layernorm(x_L)
        _add(gradients, "ln_f.", {"weight": dgain, "bias": dbias})
        for i in reversed(range(self.config.L)):
            dx, of_block = _block_backward(dx, ctx.blocks.pop())  # (N, D)  x_{i+1} = block_i(x_i)
            _add(gradients, f"h.{i}.", of_block)
        return dropout_backward(dx, ctx.dropout)  # (N, D)  x_0 = dropout(…)

    def forward_from(self, x: Array, batch: TokenBatch, layer: int = 0) -> Array:
        """x (N, D), the residual stream as block `layer` finds it, -> hidden (N, D)

        The rest of a forward pass, to see what becomes of a stream that was changed on the way: with layer 0
        of other embedding rows, with layer L of the last layernorm's input. `batch` says where the sentences
        begin; its ids are not read. Nothing is kept and there is no dropout. Raises ValueError for a layer
        outside 0 … L.
        """
        if not 0 <= layer <= self.config.L:
            raise ValueError(f"a stream stands before layer 0 to {self.config.L}, not before {layer}")
        for weights in self._weights_of_block[layer:]:
            x = block(x, weights, batch, self.config)[0]  # (N, D)
        return self._last_layernorm(x)[0]

    def hidden_states(self, batch: TokenBatch) -> list[Array]:
        """L+1 arrays (N, D): the embeddings, then what leaves each block, the last one after ln_f.

        The same list as transformers' `output_hidden_states=True`.
        """
        states = list(self.residual_stream(batch))  # L+1 × (N, D)
        states[-1], _ = self._last_layernorm(states[-1])
        return states

    def logits(self, hidden: Array) -> tuple[Array, LogitsContext]:
        """(M, D) -> (M, V): a score for each token that might come next"""
        hidden, wte = factor(hidden), factor(self.parameters["wte.weight"])
        return hidden @ wte.T, LogitsContext(hidden, wte)

    def logits_backward(self, dlogits: Array, ctx: LogitsContext, gradients: Parameters) -> Array:
        """(M, V) -> dhidden (M, D); adds the token table's share into `gradients`"""
        dlogits = factor(dlogits)  # (M, V)  as both operands of the forward product
        _add(gradients, "", {"wte.weight": dlogits.T @ ctx.hidden})  # (V, D)  logits = hidden @ wteᵀ
        return dlogits @ ctx.wte  # (M, D)  logits = hidden @ wteᵀ

    def loss(
        self,
        batch: TokenBatch,
        *,
        keep: bool = False,
        rng: Generator | None = None,
        recompute: bool = False,
    ) -> tuple[Array, LossContext | None]:
        """The mean next-token cross-entropy in nats over all tokens that have a next one, shape ().

        `keep`, `rng` and `recompute` as in `forward`. Raises ValueError if no sentence has two tokens.
        """
        rows, targets = next_tokens(batch)  # (M,), (M,)
        hidden, model_ctx = self.forward(batch, keep=keep, rng=rng, recompute=recompute)  # (N, D)
        logits, logits_ctx = self.logits(hidden[rows])  # (M, V)
        loss, cross_entropy_ctx = cross_entropy(logits, targets)  # ()
        return loss, LossContext(model_ctx, rows, logits_ctx, cross_entropy_ctx) if keep else None

    def loss_backward(self, ctx: LossContext, gradients: Parameters, dloss: float = 1.0) -> None:
        """Add the gradient of the loss, times `dloss`, into `gradients`. Consumes `ctx.model`."""
        self._require_fresh(None if ctx is None else ctx.model)
        dlogits = cross_entropy_backward(dloss, ctx.cross_entropy)  # (M, V)
        drows = self.logits_backward(dlogits, ctx.logits, gradients)  # (M, D)
        del dlogits  # with a large vocabulary it is the largest array of all
        xp = array_module(drows)
        dhidden = xp.zeros_like(ctx.model.ln_f.x)  # (N, D)
        dhidden[ctx.rows] = drows  # logits(hidden[rows]); each row stands there once
        self.backward(dhidden, ctx.model, gradients)

    def run_with_cache(self, batch: TokenBatch) -> tuple[Array, ActivationCache]:
        """hidden (N, D), and every intermediate by name: `cache["blocks.3.attn.pattern"]`. See `cache.py`."""
        hidden, ctx = self.forward(batch, keep=True)
        return hidden, ActivationCache(batch, ctx, hidden, self.config)

    def _require_fresh(self, ctx: ModelContext | None) -> None:
        if ctx is None:
            raise ValueError("there is no context to go back by: run forward or loss with keep=True")
        if len(ctx.blocks) != self.config.L:
            raise ValueError("this context has been used by an earlier backward: run forward again")

    def _embed(
        self, batch: TokenBatch, rng: Generator | None
    ) -> tuple[Array, EmbeddingContext, DropoutContext]:
        """x_0 (N, D)"""
        batch.check_fits(self.config.V, self.config.n_positions)
        wte, wpe = self.parameters["wte.weight"], self.parameters["wpe.weight"]
        x, embedding_ctx = embedding(batch.ids, batch.positions, wte, wpe)  # (N, D)
        x, dropout_ctx = dropout(x, self.config.embd_pdrop, rng)  # (N, D)
        return x, embedding_ctx, dropout_ctx

    def residual_stream(self, batch: TokenBatch) -> Iterator[Array]:
        """x_0 … x_L, each (N, D): the stream as each block finds it, then as the last one leaves it.

        A block runs when its result is asked for. No dropout.
        """
        x, _, _ = self._embed(batch, None)
        yield x
        for weights in self._weights_of_block:
            x = block(x, weights, batch, self.config)[0]  # (N, D)
            yield x

    def _last_layernorm(self, x: Array) -> tuple[Array, LayerNormContext]:
        """(N, D) -> (N, D)"""
        gain, bias = self.parameters["ln_f.weight"], self.parameters["ln_f.bias"]
        return layernorm(x, gain, bias, self.config.layer_norm_epsilon)


@replaceable
def add_embedding_gradient(dx: Array, ctx: EmbeddingContext, dwte: Array, dwpe: Array) -> None:
    """(N, D): add the gradients of both tables into dwte (V, D) and dwpe (P, D)."""
    of_tokens, of_positions = embedding_backward(dx, ctx)  # (V, D), (P, D)  x_0 = wte[ids] + wpe[positions]
    dwte += of_tokens
    dwpe += of_positions


def next_tokens(batch: TokenBatch) -> tuple[Array, Array]:
    """rows (M,) that have a next token in their sentence, and targets (M,): the ids of those next tokens"""
    is_last = np.zeros(batch.N, dtype=bool)  # (N,)
    is_last[batch.offsets[1:][batch.lengths > 0] - 1] = True
    rows = np.flatnonzero(~is_last)  # (M,)
    if rows.size == 0:
        raise ValueError("no sentence has two tokens, so there is no next token to predict")
    rows = asarray(rows, batch.xp)
    return rows, batch.ids[rows + 1]


def _block_backward(dy: Array, ctx: BlockContext | RecomputedBlockContext) -> tuple[Array, dict[str, Array]]:
    """(N, D) -> dx (N, D), gradients under the names of the weights"""
    go_back = recomputed_block_backward if isinstance(ctx, RecomputedBlockContext) else block_backward
    return go_back(dy, ctx)  # (N, D)


def _add(gradients: Parameters | None, prefix: str, values: dict[str, Array]) -> None:
    if gradients is None:
        return
    for name, value in values.items():
        view = gradients[prefix + name]
        view += value
