"""The gradient of one training step: whole, in chunks that fit in memory, or with activations made anew.

    vectors = normalize(pool(model(sentences)))            M sentences -> (M, D)
    loss    = f(vectors)                                   a contrastive loss sees all of them at once

Three ways to the same gradient, from the fastest to the smallest:

- **At once**: one forward keeps every context, one backward uses them up.
- **Gradient caching** (Gao et al. 2021, arXiv:2101.06983): forward without contexts, chunk by chunk; the loss
  and its gradient for all vectors; then each chunk forward again, with its context, and backward. The loss
  is the only thing that couples the chunks, and it needs no more than the vectors. Half again as much work,
  the memory of one chunk, and as many negatives as the whole batch has.
- **Recomputation** (Chen et al. 2016, arXiv:1604.06174): a block keeps only its input, and backward runs it
  again. It goes together with either of the others.

Dropout: a chunk draws its masks as a batch of its own would, one chunk after the other from one generator;
its second forward draws the very same again. So gradient caching gives the gradient of a step that holds the
contexts of all chunks at the same time, and leaves the generator where that step would.

Accumulation needs no function: gradients are added into what is there, and with `scale=1/k` the sum over k
batches is their mean.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..backend import Array, array_module
from ..errors import DataError, UsageError
from ..kernels import blas
from ..layers import normalize, normalize_backward, pooling_backward
from ..layers import pooling as pool
from ..layers.dropout import Generator
from ..layers.normalize import NormalizeContext
from ..layers.pooling import PoolingContext
from ..model import GPT2, ModelContext
from ..parameters import Parameters
from ..ragged import TokenBatch
from .losses import next_token, next_token_backward
from .randomness import CountedGenerator

Sentences = Sequence[Sequence[int]]
LossOfVectors = Callable[[Array], tuple[Array, Array]]  # vectors (M, D) -> loss (), dvectors (M, D)


class EmbedContext(NamedTuple):
    """The contexts of the three steps, in the order in which they ran, and the model that has to go back."""

    model: GPT2
    forward: ModelContext
    pooling: PoolingContext
    normalize: NormalizeContext | None  # None where the vectors were left as pooled


def embed(
    model: GPT2,
    batch: TokenBatch,
    pooling: str,
    *,
    normalized: bool = True,
    keep: bool = False,
    rng: Generator | None = None,
    recompute: bool = False,
) -> tuple[Array, EmbedContext | None]:
    """B sentences -> vectors (B, D), of length 1 if `normalized`, and with `keep` the context.

    pooling     one of `layers.POOLINGS`
    rng         switches dropout on
    recompute   see `GPT2.forward`; `rng` must then be a CountedGenerator

    A sentence without tokens has the zero vector. Raises UsageError for an unknown pooling and DataError for
    tokens that the model has no row for.
    """
    hidden, forward_ctx = model.forward(batch, keep=keep, rng=rng, recompute=recompute)  # (N, D)
    vectors, pooling_ctx = pool(hidden, batch, pooling)  # (B, D)
    normalize_ctx = None
    if normalized:
        vectors, normalize_ctx = normalize(vectors)  # (B, D)
    return vectors, EmbedContext(model, forward_ctx, pooling_ctx, normalize_ctx) if keep else None


def embed_backward(dvectors: Array, ctx: EmbedContext, gradients: Parameters) -> None:
    """(B, D): add the gradient of every parameter into `gradients`. Consumes `ctx`.

    Raises ValueError for a context that was not kept or has been used, and for a gradient of another shape,
    which broadcasting would let through.
    """
    if ctx is None:
        raise ValueError("there is no context to go back by: run embed with keep=True")
    shape = (ctx.pooling.batch.B, ctx.model.config.D)
    if dvectors.shape != shape:
        raise ValueError(f"the gradient has shape {dvectors.shape}, but the vectors have {shape}")
    if ctx.normalize is not None:
        dvectors = normalize_backward(dvectors, ctx.normalize)  # (B, D)  vectors = normalize(pooled)
    dhidden = pooling_backward(dvectors, ctx.pooling)  # (N, D)  pooled = pool(hidden)
    ctx.model.backward(dhidden, ctx.forward, gradients)  # hidden = model(batch)


def vector_gradients(
    model: GPT2,
    sentences: Sentences,
    pooling: str,
    loss: LossOfVectors,
    gradients: Parameters,
    *,
    rng: CountedGenerator | None = None,
    chunk_texts: int | None = None,
    recompute: bool = False,
    scale: float = 1.0,
    normalized: bool = True,
) -> Array:
    """The loss of the vectors of M sentences, shape (); adds `scale` times its gradient into `gradients`.

    sentences     token ids, M of them; row i of what `loss` is given belongs to sentence i
    loss          called once, with all vectors (M, D): the loss and its gradient (M, D)
    chunk_texts   at most so many sentences in one forward pass, by gradient caching where M is larger;
                  None takes all at once
    scale         multiplies the gradient and not the returned loss: 1/k where k batches are added up, the
                  loss scale with float16 products
    rng           switches dropout on

    Raises UsageError for a `chunk_texts` below 1, and what `embed` and `embed_backward` raise.
    """
    _require_count("chunk_texts", chunk_texts)
    xp = array_module(model.parameters.flat)
    with blas.at_rest(model.parameters.flat):
        how = {"normalized": normalized, "recompute": recompute}
        if chunk_texts is None or len(sentences) <= chunk_texts:
            vectors, ctx = embed(
                model, TokenBatch(sentences, xp), pooling, keep=True, rng=rng, **how
            )  # (M, D)
            value, dvectors = loss(vectors)  # (), (M, D)
            embed_backward(dvectors * scale, ctx, gradients)
            return value

        chunks = [
            (slice(start, start + chunk_texts), TokenBatch(sentences[start : start + chunk_texts], xp))
            for start in range(0, len(sentences), chunk_texts)
        ]
        parts, generators = [], []
        for _, batch in chunks:
            generators.append(None if rng is None else rng.copy())
            parts.append(embed(model, batch, pooling, normalized=normalized, rng=rng)[0])  # (m, D)
        vectors = xp.concatenate(parts)  # (M, D)
        value, dvectors = loss(vectors)  # (), (M, D)
        if dvectors.shape != vectors.shape:
            raise ValueError(f"the gradient has shape {dvectors.shape}, but the vectors have {vectors.shape}")
        for (rows, batch), generator in zip(chunks, generators, strict=True):
            _, ctx = embed(
                model, batch, pooling, keep=True, rng=generator, **how
            )  # (m, D) the same as before
            embed_backward(dvectors[rows] * scale, ctx, gradients)
        return value


def language_model_gradients(
    model: GPT2,
    sentences: Sentences,
    gradients: Parameters,
    *,
    rng: Generator | None = None,
    chunk_tokens: int | None = None,
    recompute: bool = False,
    scale: float = 1.0,
) -> Array:
    """The mean next-token cross-entropy of all sentences, shape (); adds `scale` times its gradient.

    chunk_tokens   at most so many tokens in one forward pass (a longer sentence is one by itself); None takes
                   all at once. Each chunk counts by the tokens it predicts, so the sum is the mean over all
    scale          multiplies the gradient and not the returned loss
    rng            switches dropout on; a CountedGenerator if `recompute`

    Raises DataError if no sentence has two tokens, UsageError for a `chunk_tokens` below 1, and what
    `GPT2.forward` raises.
    """
    _require_count("chunk_tokens", chunk_tokens)
    usable = [sentence for sentence in sentences if len(sentence) > 1]  # one token alone predicts nothing
    if not usable:
        raise DataError("no sentence has two tokens, so there is no next token to predict")
    predicted = sum(map(len, usable)) - len(usable)
    wte, dwte = model.parameters["wte.weight"], gradients["wte.weight"]  # (V, D), (V, D)
    total = 0.0
    for chunk in _chunks_of_tokens(usable, chunk_tokens):
        batch = TokenBatch(chunk, array_module(model.parameters.flat))
        share = (batch.N - batch.B) / predicted
        hidden, ctx = model.forward(batch, keep=True, rng=rng, recompute=recompute)  # (N, D)
        loss, loss_ctx = next_token(hidden, wte, batch)  # ()
        dhidden, dwte_of_head = next_token_backward(scale * share, loss_ctx)  # (N, D), (V, D)
        dwte += dwte_of_head
        del dwte_of_head, loss_ctx  # or they would be held while the blocks go back
        model.backward(dhidden, ctx, gradients)
        total = total + loss * share  # ()
    return total


def _chunks_of_tokens(sentences: Sentences, most: int | None) -> Iterator[Sentences]:
    """Runs of neighbouring sentences of at most `most` tokens together"""
    chunk: list[Sequence[int]] = []
    tokens = 0
    for sentence in sentences:
        if chunk and most is not None and tokens + len(sentence) > most:
            yield chunk
            chunk, tokens = [], 0
        chunk.append(sentence)
        tokens += len(sentence)
    yield chunk


def _require_count(name: str, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")
