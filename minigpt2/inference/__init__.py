"""Embedding text fast on the CPU: the plan that `Encoder.encode` follows.

    folding.py     weights with everything folded in that does not depend on the input
    chunks.py      sentences in chunks for one thread, what they share computed once
    workspace.py   the memory in which a chunk is computed
    plan.py        the forward pass of one chunk
    short.py       the forward pass of a few tokens
    stream.py      its residual stream: embedding, layernorms
    first.py       the first block's products, of tokens and positions apart
    attention.py   attention over a chunk's sentences
    weights_print.py   whether the model is still the one that was folded

The explicit layers say what is computed; this package computes the same, and tests compare the two.
"""

import math
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import NamedTuple

import numpy as np

from ..checkpoint import StoredParameters
from ..config import GPT2Config
from ..kernels import blas
from ..kernels.rows import for_each
from ..ragged import FlatSentences
from .chunks import SHORTEST_IN_RUN, TOKENS_PER_ROW, Chunk, make_chunks
from .first import first_rows
from .folding import FoldedWeights, fold
from .plan import run_chunk
from .short import ShortPlan, parts_of
from .weights_print import WeightsPrint
from .workspace import Workspace

__all__ = ["Computed", "InferencePlan", "WeightsPrint"]

# Rows of a chunk: enough that sentences which begin alike come into the same one, and tokens come again.
CHUNK_ROWS = 2560

# Up to so many tokens a product spends its time reading weights, and columns that lie together are read
# faster. The copy is made when so many short calls have shown that it is worth its memory.
SHORT = 24
SHORT_CALLS = 4

# Up to so many tokens a product is too small for two threads: they would wait for each other.
ONE_THREAD_TOKENS = 48

Finish = Callable[[np.ndarray, np.ndarray], None]  # which sentences (b,), their pooled vectors (b, D)


class Computed(NamedTuple):
    """Rows that the weights' products have in one pass: where sentences begin alike, fewer than tokens."""

    rows: int  # in all blocks; a beginning that sentences of a chunk share counts once
    first: int  # in the first block's q, k and v: the different tokens of a chunk, and its positions


class InferencePlan:
    """Folded weights and workspaces of one model. Any number of threads may use it at the same time."""

    def __init__(self, weights: FoldedWeights) -> None:
        self.weights = weights
        self.config = weights.config
        self._short: ShortPlan | None = None
        self._short_calls = 0
        self._making_short = threading.Lock()
        self._spaces: list[Workspace] = []  # that nobody uses just now

    @classmethod
    def of(cls, parameters: Mapping[str, np.ndarray], config: GPT2Config) -> "InferencePlan":
        """The plan of a model, its weights copied; wte and wpe are looked up where they are."""
        return cls(fold(parameters, config, parameters["wte.weight"], parameters["wpe.weight"]))

    @classmethod
    def of_files(cls, stored: StoredParameters, config: GPT2Config) -> "InferencePlan":
        """The plan of a model that is read block by block; the token table stays in its file.

        Raises ModelError for numbers that are not finite.
        """
        return cls(fold(stored, config, stored.mapped("wte.weight"), stored["wpe.weight"]))

    def pooled(
        self,
        sentences: FlatSentences,
        pooling: str,
        finish: Finish,
        skipped: int = 0,
        batch_size: int = 1 << 30,
        batch_tokens: int | None = None,
    ) -> None:
        """Compute the pooled vector of each of B sentences, whose ids must fit the model.

        finish         is given each chunk's sentences and vectors, perhaps from several threads at a time;
                       sentences without tokens are in no chunk
        skipped        tokens at the beginning of each sentence that pooling leaves out
        batch_size, batch_tokens   bounds of a chunk
        """
        most, causal = int(batch_tokens or CHUNK_ROWS), self.config.causal
        most_tokens = None if batch_tokens is None else most
        chunks = make_chunks(sentences, most, int(batch_size), blas.threads(), causal, most_tokens)

        def work(chunk: Chunk) -> None:
            vectors = np.zeros((len(chunk.sentences), self.config.D), np.float32)  # (b, D)
            short = self._short_plan(chunk)
            if short is None:
                space = self._take_space(chunk)
                run_chunk(chunk, self.weights, space, pooling, skipped, vectors)
                self._give_back(space)
            else:
                spaces = [self._take_space(chunk) for _ in range(short.parts)]
                short.run_chunk(chunk, spaces, pooling, skipped, vectors)
                self._give_back(*spaces)
            finish(chunk.sentences, vectors)

        with _overflow_expected():
            if len(chunks) == 1 and len(chunks[0].ids) > ONE_THREAD_TOKENS:
                work(chunks[0])  # one long sentence: BLAS splits its products
            else:
                for_each(work, chunks)

    def computed(self, sentences: FlatSentences) -> Computed:
        """How much of B sentences goes through the products."""
        chunks = make_chunks(sentences, CHUNK_ROWS, len(sentences), blas.threads(), self.config.causal)
        return Computed(sum(len(chunk.ids) for chunk in chunks), sum(map(first_rows, chunks)))

    def seconds_by_kind(self, sentences: FlatSentences, pooling: str) -> dict[str, float]:
        """Kind of layer -> seconds, for one pass over B sentences on one thread, chunk by chunk."""
        seconds: dict[str, float] = {}
        before = perf_counter()

        def lap(kind: str) -> None:
            nonlocal before
            now = perf_counter()
            seconds[kind] = seconds.get(kind, 0.0) + now - before
            before = now

        with blas.one_thread(), _overflow_expected():
            for chunk in make_chunks(sentences, CHUNK_ROWS, len(sentences), 1, self.config.causal):
                vectors = np.zeros((len(chunk.sentences), self.config.D), np.float32)  # (b, D)
                space = self._take_space(chunk)
                before = perf_counter()
                run_chunk(chunk, self.weights, space, pooling, 0, vectors, lap)
                self._give_back(space)
        return seconds

    def _take_space(self, chunk: Chunk) -> Workspace:
        """A workspace for this chunk, new or one that was given back."""
        while self._spaces:
            try:
                space = self._spaces.pop()
            except IndexError:  # another thread was faster
                break
            if space.rows >= len(chunk.ids) and space.places >= chunk.P:
                return space
        rows, places = self._usual
        return Workspace(self.config, max(len(chunk.ids), rows), max(chunk.P, places))

    def _give_back(self, *spaces: Workspace) -> None:
        """Keep them for the next chunks, but for those that only an unusual `batch_tokens` needs."""
        rows, places = self._usual
        self._spaces += [space for space in spaces if space.rows <= rows and space.places <= places]

    @property
    def _usual(self) -> tuple[int, int]:
        """Rows and places that suffice where `batch_tokens` is not given"""
        rows = max(CHUNK_ROWS, self.config.n_positions)
        return rows, math.ceil(TOKENS_PER_ROW * rows / SHORTEST_IN_RUN)

    def _short_plan(self, chunk: Chunk) -> ShortPlan | None:
        if len(chunk.ids) > SHORT:
            return None
        if self._short is None and parts_of(self.config, self.weights.nbytes):
            self._short_calls += 1
            if self._short_calls > SHORT_CALLS and self._making_short.acquire(blocking=False):
                try:  # other threads do without it meanwhile
                    self._short = self._short or ShortPlan(self.weights)
                finally:
                    self._making_short.release()
        return self._short


def _overflow_expected() -> np.errstate:
    """Scores too large for exp are no reason for a warning, nor is their sum: attention.py looks for them."""
    return np.errstate(over="ignore", invalid="ignore")
