"""Text in, vectors out: tokenize, run the model over length-sorted batches, pool, normalise.

    encoder = minigpt2.load()                       # or a directory; xp=cupy for the GPU
    encoder.encode("one sentence")                  # (D,)
    encoder.encode(["many", "sentences"])           # (B, D), in the order of the input

Method and argument names are sentence-transformers' where a user would expect them. A text's vector does not
depend on what else is in the list: batches are ragged, so there is no padding that could leak in.
"""

import contextlib
import dataclasses
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import kernels
from .backend import Array, Backend, array_module, choose_backend, to_numpy
from .checkpoint import StoredParameters
from .config import GPT2Config
from .errors import DataError, ModelError, UsageError
from .inference import InferencePlan, WeightsPrint
from .layers.normalize import normalize
from .layers.pooling import pooling
from .model import GPT2
from .model_directory import (
    EmbeddingSettings,
    OpenModelDirectory,
    find_model,
    open_model_directory,
    write_model_directory,
)
from .ragged import FlatSentences, TokenBatch, flat_sentences
from .tokenizer import Tokenizer

PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")

# Tokens in one forward pass through the layers. On the CPU the activations of so many stay in the cache; a
# GPU needs many rows to be busy. The inference plan chooses for itself.
BATCH_TOKENS = {"cpu": 2048, "cuda": 65536}

# With fewer batches than this the bar would be gone before it was seen.
BATCHES_WORTH_A_PROGRESS_BAR = 8


class TruncationWarning(UserWarning):
    """Some texts were longer than the model's window and were cut at it."""


def load(
    name_or_path: str | Path | None = None,
    *,
    xp: ModuleType | str | None = None,
    device: str | None = None,
    dtype: Any = None,
) -> "Encoder":
    """Load a model for embedding text.

    name_or_path   a model directory, the name of a bundled model, or None for the model that ships with the
                   package. Nothing is ever downloaded.
    xp, device     numpy or cupy, "cpu", "cuda" or "auto": see `choose_backend`
    dtype          float32 (None) or float64

    Raises ModelError for a directory that is missing or broken, DeviceError for a GPU that is unusable.
    """
    backend = choose_backend(xp, device, dtype)
    opened = open_model_directory(find_model(name_or_path))
    if opened.tokenizer is None:
        raise ModelError(f"{opened.path}: no tokenizer (tokenizer.json, or vocab.json with merges.txt)")
    return Encoder._of_files(opened, backend)


class Encoder:
    """A model, its tokenizer, and how its token rows become one vector."""

    def __init__(
        self,
        model: GPT2,
        tokenizer: Tokenizer,
        settings: EmbeddingSettings | None = None,
        backend: Backend | None = None,
        path: Path | None = None,
    ) -> None:
        """`backend` must be the one on which the model's parameters lie; None reads it off them."""
        self._set(model.config, tokenizer, settings, path)
        self._model: GPT2 | None = model
        self._stored: StoredParameters | None = None
        flat = model.parameters.flat
        self.backend = backend or choose_backend(array_module(flat), dtype=flat.dtype)

    def _set(
        self,
        config: GPT2Config,
        tokenizer: Tokenizer,
        settings: EmbeddingSettings | None,
        path: Path | None,
    ) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.settings = settings or EmbeddingSettings()
        self.path = path
        self.truncated = 0  # texts that the last call of encode cut at the window
        self._plan: InferencePlan | None = None
        self._plan_is_of: WeightsPrint | None = None  # None: of the files, which nobody changes
        self._lock = threading.Lock()  # of the plan and the model, while one of them is made

    @classmethod
    def _of_files(cls, opened: OpenModelDirectory, backend: Backend) -> "Encoder":
        """An encoder that reads what `encode` needs, and makes the model when it is asked for."""
        encoder = cls.__new__(cls)
        encoder._set(opened.config, opened.tokenizer, opened.settings, opened.path)
        encoder.backend = backend
        encoder._model, encoder._stored = None, opened.parameters
        if encoder._may_plan():
            encoder._plan = InferencePlan.of_files(opened.parameters, opened.config)
            opened.parameters.check_head()
        else:
            encoder.model  # noqa: B018  damaged weights are reported by load, not by the first sentence
        return encoder

    @property
    def model(self) -> GPT2:
        """The model, to look into, to train and to change: `encode` follows what becomes of its parameters.

        After `load` on the CPU it is made when it is first asked for; `encode` alone does not need it, and
        without it neither needs so much memory nor has to look whether a parameter has changed.
        """
        if self._model is None:
            with self._lock:
                if self._model is None:
                    parameters = self._stored.read(self.config, self.backend.dtype.name)
                    if self.backend.device == "cuda":
                        parameters = parameters.to(self.backend.xp)
                    self._model = GPT2(self.config, parameters)
                    self._stored = None  # which closes the files, unless a copy of the encoder has them too
        return self._model

    @model.setter
    def model(self, model: GPT2) -> None:
        self._model, self._stored, self._plan, self.config = model, None, None, model.config

    def __repr__(self) -> str:
        return (
            f"Encoder({self.path or 'in memory'}, D={self.config.D}, L={self.config.L}, H={self.config.H}, "
            f"pooling={self.settings.pooling}, {self.backend.xp.__name__} {self.backend.dtype})"
        )

    @property
    def dimension(self) -> int:
        """The length D of a vector."""
        return self.config.D

    @property
    def max_seq_length(self) -> int:
        """Tokens of a text that are read; what comes after is cut."""
        window = self.config.n_positions
        return min(self.settings.max_seq_length or window, window)

    def encode(
        self,
        sentences: str | Sequence[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int = 1024,
        batch_tokens: int | None = None,
        show_progress_bar: bool | None = None,
        precision: str = "float32",
        truncate_dim: int | None = None,
        normalize_embeddings: bool | None = None,
        convert_to_numpy: bool = True,
    ) -> Array:
        """One string -> (D,); B strings -> (B, D) in their order; an empty list -> (0, D).

        prompt_name           one of the model's prompts, put before every text; `prompt` gives one directly
        batch_size            at most so many texts in one forward pass, and
        batch_tokens          at most so many tokens, whichever is reached first (None: by device)
        show_progress_bar     on stderr; None shows it for long runs on a terminal
        precision             "float32" (the encoder's own dtype); "int8" or "uint8", (D,) bytes by the
                              model's stored calibration; "binary" or "ubinary", (D/8,) bytes of sign bits
        truncate_dim          keep the first so many dimensions, normalised anew if vectors are normalised
        normalize_embeddings  None follows the model's own setting
        convert_to_numpy      False leaves the vectors on the GPU

        A prompt that the model leaves out of its pooling should not end in a space: the tokenizer joins that
        space to the text's first word, which is then left out too, as in sentence-transformers.

        An empty text has no tokens and gives the zero vector. Texts longer than the window are cut, counted
        in `truncated`, and reported in one TruncationWarning. Raises UsageError for arguments that make no
        sense and for a text that is no string, DataError for a token that the model has no row for.
        """
        texts = _as_list(sentences)
        wants_unit = self.settings.normalize if normalize_embeddings is None else normalize_embeddings
        self._check(texts, precision, truncate_dim, batch_size, batch_tokens, wants_unit)
        ids, prompt_length = self._flat_ids(texts, self._prompt(prompt_name, prompt))

        width = truncate_dim or self.dimension
        skipped = 0 if self.settings.include_prompt else prompt_length
        budget = batch_tokens or BATCH_TOKENS[self.backend.device]
        batches = max(len(ids) / batch_size, len(ids.ids) / budget)
        with _progress(len(texts), batches, show_progress_bar) as done:
            vectors = self._vectors(ids, skipped, width, wants_unit, batch_size, batch_tokens, done)

        vectors = self._quantize(vectors, precision)
        if convert_to_numpy:
            vectors = to_numpy(vectors)
        return vectors[0] if isinstance(sentences, str) else vectors

    def encode_ids(
        self,
        sentences: Sequence[Sequence[int]],
        *,
        batch_size: int = 1024,
        batch_tokens: int | None = None,
        normalize_embeddings: bool | None = None,
        convert_to_numpy: bool = True,
    ) -> Array:
        """B lists of token ids -> (B, D), for text that has been tokenized before; options as in `encode`.

        Nothing is put before the ids and nothing is cut. An empty list of ids gives the zero vector. Raises
        DataError for ids that the model has no row for and for more of them than its window holds.
        """
        ids = flat_sentences(sentences)
        TokenBatch(ids).check_fits(self.config.V, self.config.n_positions)
        self._check([], "float32", None, batch_size, batch_tokens, True)
        wants_unit = self.settings.normalize if normalize_embeddings is None else normalize_embeddings
        vectors = self._vectors(ids, 0, self.dimension, wants_unit, batch_size, batch_tokens, None)
        return to_numpy(vectors) if convert_to_numpy else vectors

    def encode_query(self, sentences: str | Sequence[str], **options: Any) -> Array:
        """`encode` with the model's prompt called "query", if it has one and none is given."""
        return self.encode(sentences, **self._with_prompt("query", options))

    def encode_document(self, sentences: str | Sequence[str], **options: Any) -> Array:
        """`encode` with the model's prompt called "document", if it has one and none is given."""
        return self.encode(sentences, **self._with_prompt("document", options))

    def token_ids(self, texts: list[str], prompt: str | None = None) -> tuple[list[list[int]], int]:
        """B texts -> B lists of ids, as `encode` reads them, and how many ids of each belong to the prompt

        prompt   put before every text but an empty one; None is the model's default prompt

        Ids are cut at the window, as in `encode`. Raises DataError for a prompt that fills the window.
        """
        ids, prompt_length = self._flat_ids(texts, self._prompt(None, prompt))
        return [row.tolist() for row in ids], prompt_length

    def _flat_ids(self, texts: list[str], prompt: str) -> tuple[FlatSentences, int]:
        limit = self.max_seq_length
        prompt_length = len(self.tokenizer.encode(prompt)) if prompt else 0
        if prompt_length >= limit:
            raise DataError(f"the prompt alone has {prompt_length} tokens, the window {limit}: shorten it")
        if prompt:
            texts = [prompt + text if text else "" for text in texts]
        ids = self.tokenizer.encode_flat(texts)
        self.truncated = int(np.count_nonzero(ids.lengths > limit))
        if self.truncated:
            verb = "was" if self.truncated == 1 else "were"
            message = (
                f"{self.truncated} of {len(texts)} texts {verb} cut at {limit} tokens, the model's window"
            )
            warnings.warn(message, TruncationWarning, stacklevel=3)
        ids = ids.cut(limit)
        if ids.ids.max(initial=-1) >= self.config.V:  # then say which and where
            TokenBatch(ids).check_fits(self.config.V, self.config.n_positions)
        return ids, prompt_length

    def similarity(self, a: Array, b: Array) -> Array:
        """Cosine of every row of `a` (M, D) with every row of `b` (N, D): (M, N)"""
        from .similarity import matrix

        return matrix(a, b)

    def similarity_pairwise(self, a: Array, b: Array) -> Array:
        """Cosine of row i of `a` (B, D) with row i of `b` (B, D): (B,)"""
        from .similarity import pairwise

        return pairwise(a, b)

    def calibrate(self, sentences: Sequence[str], coverage: float = 0.999) -> None:
        """Set the range of every dimension that "int8" and "uint8" spread over their 256 steps.

        The range holds the share `coverage` of the values that these texts give; what lies outside is
        clipped. `save` stores it with the model.
        """
        texts = _as_list(sentences)
        if len(texts) < 100:
            raise UsageError(f"{len(texts)} texts are too few to calibrate on: give at least 100")
        if not 0.0 < coverage <= 1.0:
            raise UsageError(f"coverage must be a share above 0 and at most 1, not {coverage}")
        vectors = self.encode(texts)  # (B, D)
        tail = (1.0 - coverage) / 2
        ranges = np.quantile(vectors, [tail, 1.0 - tail], axis=0).astype(np.float32)  # (2, D)
        self.settings = dataclasses.replace(self.settings, calibration=ranges)

    def save(
        self,
        path: str | Path,
        *,
        dtype: str = "float32",
        model_card: str | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a model directory that minigpt2, transformers and sentence-transformers load alike."""
        return write_model_directory(
            path,
            self.model.config,
            self.model.parameters.to(np),
            self.tokenizer,
            self.settings,
            dtype=dtype,
            model_card=model_card,
            overwrite=overwrite,
        )

    def _check(
        self,
        texts: list[str],
        precision: str,
        truncate_dim: int | None,
        batch_size: int,
        batch_tokens: int | None,
        wants_unit: bool,
    ) -> None:
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise UsageError(f"text {i} is a {type(text).__name__}, not a string")
        if precision not in PRECISIONS:
            raise UsageError(f"unknown precision {precision!r}: use one of {', '.join(PRECISIONS)}")
        if truncate_dim is not None and not (_is_count(truncate_dim) and truncate_dim <= self.dimension):
            raise UsageError(f"truncate_dim must lie between 1 and {self.dimension}, not {truncate_dim!r}")
        if precision in ("int8", "uint8"):
            if self.settings.calibration is None:
                raise UsageError(
                    f"precision {precision!r} needs the range of every dimension, and this model stores "
                    f"none: call encoder.calibrate(texts) first"
                )
            if truncate_dim not in (None, self.dimension):
                raise UsageError(
                    f"precision {precision!r} is calibrated for whole vectors: drop truncate_dim"
                )
            if wants_unit != self.settings.normalize:
                raise UsageError(
                    f"precision {precision!r} is calibrated for vectors as the model gives them: drop "
                    f"normalize_embeddings"
                )
        for name, value in (("batch_size", batch_size), ("batch_tokens", batch_tokens)):
            if not _is_count(value) and not (name == "batch_tokens" and value is None):
                raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")

    def _prompt(self, prompt_name: str | None, prompt: str | None) -> str:
        prompts = self.settings.prompts
        if prompt is not None:
            if prompt_name is not None:
                raise UsageError("give prompt or prompt_name, not both")
            return prompt
        if prompt_name is None:
            return prompts.get(self.settings.default_prompt_name or "", "")
        if prompt_name not in prompts:
            known = ", ".join(prompts) or "none"
            raise UsageError(f"this model has no prompt called {prompt_name!r} (it has: {known})")
        return prompts[prompt_name]

    def _with_prompt(self, name: str, options: dict[str, Any]) -> dict[str, Any]:
        if "prompt" in options or "prompt_name" in options or name not in self.settings.prompts:
            return options
        return {**options, "prompt_name": name}

    def _vectors(
        self,
        ids: FlatSentences,
        skipped: int,
        width: int,
        wants_unit: bool,
        batch_size: int,
        batch_tokens: int | None,
        done: Callable[[int], None] | None,
    ) -> Array:
        """B lists of ids -> (B, width), by the inference plan where there is one, else by the layers"""
        xp = self.backend.xp
        vectors = xp.zeros((len(ids), width), dtype=self.backend.dtype)  # (B, width)

        def finish(rows: Array, pooled: Array) -> None:
            pooled = pooled[:, :width]  # (b, width)
            vectors[rows] = normalize(pooled)[0] if wants_unit else pooled
            if done is not None:
                done(len(rows))

        plan = self.plan()
        if plan is not None:
            plan.pooled(ids, self.settings.pooling, finish, skipped, batch_size, batch_tokens)
            return vectors
        budget = batch_tokens or BATCH_TOKENS[self.backend.device]
        for rows in batches_by_length(ids.lengths.tolist(), batch_size, budget):
            finish(xp.asarray(rows), self._pool([ids[row] for row in rows], skipped))
        return vectors

    def plan(self) -> InferencePlan | None:
        """The inference plan of the parameters as they are now; None where the explicit layers are to run.

        A model that has been handed out may have been changed since, in place and by anybody, so its weights
        are compared with those that the plan was made of.
        """
        if not self._may_plan():
            return None
        if self._model is None:
            return self._plan
        parameters = self._model.parameters
        now = WeightsPrint.of(parameters, self.config)
        with self._lock:
            if self._plan is None or now != self._plan_is_of:
                self._plan, self._plan_is_of = InferencePlan.of(parameters, self.config), now
            return self._plan

    def _may_plan(self) -> bool:
        return self.backend.device == "cpu" and self.backend.dtype == np.float32 and kernels.wanted()

    def _pool(self, ids: list[Sequence[int]], skipped: int) -> Array:
        """b lists of ids -> (b, D), pooled but not normalised, by the layers as they are written"""
        batch = TokenBatch(ids, self.backend.xp)
        hidden, _ = self.model.forward(batch)  # (N, D)
        if skipped:
            hidden = hidden[batch.positions >= skipped]  # (N', D)
            batch = TokenBatch([i[skipped:] for i in ids], self.backend.xp)
        return pooling(hidden, batch, self.settings.pooling, skipped)[0]

    def _quantize(self, vectors: Array, precision: str) -> Array:
        """(B, D) in the encoder's dtype -> the same, (B, D) bytes, or (B, ceil(D/8)) bytes"""
        xp = self.backend.xp
        if precision == "float32":
            return vectors
        if precision in ("binary", "ubinary"):
            packed = _pack_bits(vectors > 0)  # (B, ceil(D/8))
            return packed if precision == "ubinary" else (packed - 128).view(xp.int8)
        low, high = xp.asarray(self.settings.calibration, dtype=vectors.dtype)  # each (D,)
        steps = xp.where(high > low, high - low, 1.0) / 255  # (D,)
        level = xp.clip(xp.floor((vectors - low) / steps), 0, 255)  # (B, D)
        return level.astype(xp.uint8) if precision == "uint8" else (level - 128).astype(xp.int8)


def _as_list(sentences: str | Iterable[str]) -> list[str]:
    if isinstance(sentences, str):
        return [sentences]
    if isinstance(sentences, (bytes, Mapping)) or not isinstance(sentences, Iterable):
        raise UsageError(f"give one string or a list of strings, not a {type(sentences).__name__}")
    return list(sentences)


def _pack_bits(bits: Array) -> Array:
    """(B, D) bool -> (B, ceil(D/8)) uint8, the first bit highest. CuPy's packbits knows no rows."""
    xp = array_module(bits)
    B, D = bits.shape
    padded = xp.zeros((B, -(-D // 8) * 8), dtype=xp.uint8)
    padded[:, :D] = bits
    places = xp.asarray([128, 64, 32, 16, 8, 4, 2, 1], dtype=xp.uint8)
    return (padded.reshape(B, padded.shape[1] // 8, 8) * places).sum(axis=2, dtype=xp.uint8)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1


def batches_by_length(lengths: Sequence[int], batch_size: int, batch_tokens: int) -> Iterator[list[int]]:
    """Indices of texts, longest first, in batches of at most `batch_size` texts and `batch_tokens` tokens.

    Equal lengths end up together, so attention works on large groups; starting with the longest shows early
    whether memory suffices. A text longer than `batch_tokens` is a batch of its own.
    """
    batch: list[int] = []
    tokens = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) == batch_size or tokens + lengths[i] > batch_tokens):
            yield batch
            batch, tokens = [], 0
        batch.append(i)
        tokens += lengths[i]
    if batch:
        yield batch


@contextlib.contextmanager
def _progress(texts: int, batches: float, show: bool | None) -> Iterator[Callable[[int], None] | None]:
    """A function to tell how many texts more are done, with a bar on stderr that counts them; or None."""
    if show is None:
        person_looks = sys.stderr is not None and sys.stderr.isatty()
        show = person_looks and batches >= BATCHES_WORTH_A_PROGRESS_BAR
    if not show:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("embedding", total=texts)
        yield lambda finished: progress.advance(task, finished)
