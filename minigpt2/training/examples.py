"""What a run learns from: distinct texts as flat runs of tokens, and examples that point at them.

    ids       [5, 9, 2 | 7 | 4, 4 | …]        all tokens, text after text
    offsets   [0, 3, 4, 6, …]                 text i is ids[offsets[i] : offsets[i+1]]
    columns   [[0, 2], [1, 0], …]             (M, C) example m is made of these texts; −1: none
    labels    [1, 0, …]                       (M,) or None
    targets   (texts, W) or None              a teacher's vector for each text

Two texts are the same if their tokens are: the model could not tell them apart, and as negatives of each
other they would teach nonsense. Flat arrays hold millions of sentences in a few bytes a token, and their
fingerprint says whether a run is resumed on the same data.
"""

import dataclasses
import hashlib
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..datasets import Pairs, Positives
from ..encoder import Encoder
from ..errors import DataError, UsageError
from ..files import shorten
from ..ragged import FlatSentences
from ..tokenizer import Tokenizer

# Texts that are tokenized at a time: enough that sending them to another process costs little.
CHUNK = 5000


@dataclass(frozen=True, eq=False, repr=False)
class TrainingSet:
    """M examples of C columns over distinct texts.

    kind     "binary" or "score": two columns and a label; "positives": anchor, positive and possibly
             negatives; "texts": one column
    """

    kind: str
    ids: np.ndarray  # (tokens,) uint16 or uint32
    offsets: np.ndarray  # (texts + 1,) int64
    columns: np.ndarray  # (M, C) int32 text numbers, −1 where there is none
    labels: np.ndarray | None = None  # (M,) float64
    label_range: tuple[float, float] | None = None  # the ends of the labels' scale
    targets: np.ndarray | None = None  # (texts, W) floats
    truncated: int = 0  # texts that were cut at the window

    def __repr__(self) -> str:
        return f"TrainingSet({self.kind}, {self.summary()})"

    def __len__(self) -> int:
        """M, the number of examples."""
        return len(self.columns)

    @property
    def texts(self) -> int:
        """Distinct texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(texts,) tokens of each text"""
        return np.diff(self.offsets)

    def lengths_of_examples(self) -> np.ndarray:
        """(M, C) tokens of each text of each example, 0 where there is none"""
        return np.append(self.lengths, 0)[self.columns]  # the 0 is what −1 finds

    def tokens_of(self, texts: np.ndarray) -> FlatSentences:
        """(n,) text numbers -> the ids of each"""
        starts, lengths = self.offsets[texts], self.offsets[texts + 1] - self.offsets[texts]  # (n,)
        before = np.cumsum(lengths) - lengths  # (n,) tokens of the texts before
        places = np.repeat(starts - before, lengths) + np.arange(lengths.sum())  # (N,)
        return FlatSentences(self.ids[places], lengths)

    def replace(self, **changes: Any) -> "TrainingSet":
        """The same texts with something about the examples changed."""
        return dataclasses.replace(self, **changes)

    def summary(self) -> str:
        """Sizes in one line, for people."""
        if not len(self):
            return "no examples"
        tokens = self.lengths_of_examples().sum(axis=1)  # (M,)
        parts = [
            f"{len(self):,} examples",
            f"{self.texts:,} distinct texts",
            f"{len(self.ids):,} tokens",
            f"{tokens.mean():.1f} an example (median {np.median(tokens):.0f}, longest {tokens.max()})",
        ]
        if self.truncated:
            parts.append(f"{self.truncated:,} texts cut at the window")
        if self.kind == "binary":
            parts.append(f"{(self.labels > 0.5).mean():.1%} with label 1")
        elif self.kind == "score":
            parts.append("labels from {:g} to {:g}".format(*self.label_range))
        return ", ".join(parts)

    def fingerprint(self) -> dict[str, Any]:
        """Sizes and checksums of everything that a step can see; equal for equal data."""
        return {
            "kind": self.kind,
            "examples": len(self),
            "texts": self.texts,
            "tokens": len(self.ids),
            "sha256 of ids": _sha256(self.ids, self.offsets),
            "sha256 of columns": _sha256(self.columns),
            "sha256 of labels": _sha256(self.labels),
            "label range": list(self.label_range) if self.label_range else None,
            "sha256 of targets": _sha256(self.targets),
        }

    @classmethod
    def from_pairs(
        cls,
        pairs: Pairs,
        encoder: Encoder,
        *,
        label_range: tuple[float, float] | None = None,
        processes: int = 1,
    ) -> "TrainingSet":
        """Pairs with labels, as `read_pairs` gives them.

        label_range   the ends of the scale of the labels, for objectives that need them in 0 … 1; None takes
                      0 and 1 for binary labels, and the smallest and largest label of this data for scores
        processes     tokenize in so many processes

        Raises DataError for an empty text or data, UsageError for a range that does not hold the labels.
        """
        labels = np.asarray(pairs.labels, np.float64)  # (M,)
        if label_range is None and len(labels):
            label_range = (0.0, 1.0) if pairs.kind == "binary" else (float(labels.min()), float(labels.max()))
        columns = {"sentence1": pairs.first, "sentence2": pairs.second}
        data = _build(cls, pairs.kind, columns, encoder, processes, str(pairs.path), labels=labels)
        low, high = label_range
        if not low < high or labels.min() < low or labels.max() > high:
            raise UsageError(
                f"the labels of {pairs.path} lie between {labels.min():g} and {labels.max():g}, which the "
                f"label range {low:g} to {high:g} does not hold: give the ends of their scale"
            )
        return data.replace(label_range=(float(low), float(high)))

    @classmethod
    def from_positives(cls, positives: Positives, encoder: Encoder, *, processes: int = 1) -> "TrainingSet":
        """Texts that belong together, as `read_positives` gives them. Raises as `from_pairs`."""
        columns: dict[str, Sequence[str | None]] = {
            "anchor": positives.anchors,
            "positive": positives.positives,
        }
        if any(negative is not None for negative in positives.negatives):
            columns["negative"] = positives.negatives
        return _build(cls, "positives", columns, encoder, processes, str(positives.path))

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str],
        encoder: Encoder,
        *,
        targets: np.ndarray | None = None,
        processes: int = 1,
        name: str = "the texts",
    ) -> "TrainingSet":
        """Single texts: for a language model, for a teacher, or each as its own positive.

        targets   (texts, W) a teacher's vector for each text; of texts that are the same the first one counts
        name      stands for the data in messages

        Raises as `from_pairs`, and UsageError for targets that are not one finite vector for each text.
        """
        if targets is not None:
            targets = np.asarray(targets)
            if targets.ndim != 2 or targets.dtype.kind != "f" or len(targets) != len(texts):
                raise UsageError(
                    f"targets must be floats of shape ({len(texts)}, W), a vector for each text, not "
                    f"{targets.dtype} of shape {targets.shape}"
                )
        data = _build(cls, "texts", {"text": texts}, encoder, processes, name)
        first = np.unique(data.columns[:, 0], return_index=True)[1]  # (texts,) where each stands first
        columns = np.arange(data.texts, dtype=np.int32)[:, None]  # (texts, 1): an example for each text
        if targets is not None:
            targets = targets[first]  # (texts, W)
            for start in range(0, len(targets), 1 << 16):
                part = targets[start : start + (1 << 16)]
                good = np.isfinite(part).all(axis=1) & part.any(axis=1)  # (n,)
                if not good.all():
                    row = int(first[start + int(np.argmin(good))])
                    raise UsageError(f"the target of text {row} of {name} is zero or not finite")
        return data.replace(columns=columns, targets=targets)

    @classmethod
    def of(cls, data: "Pairs | Positives | Sequence[str]", encoder: Encoder, **options: Any) -> "TrainingSet":
        """From whatever a reader of `minigpt2.datasets` gave; options as those of the three above."""
        if isinstance(data, Pairs):
            return cls.from_pairs(data, encoder, **options)
        if isinstance(data, Positives):
            return cls.from_positives(data, encoder, **options)
        if isinstance(data, Sequence) and not isinstance(data, (str, tuple)):
            return cls.from_texts(data, encoder, **options)
        raise UsageError(f"cannot train on a {type(data).__name__}: give pairs, positives or a list of texts")


def _build(
    cls: type[TrainingSet],
    kind: str,
    columns: dict[str, Sequence[str | None]],
    encoder: Encoder,
    processes: int,
    name: str,
    labels: np.ndarray | None = None,
) -> TrainingSet:
    """C columns of M texts -> the set; None is a text that is not there"""
    if type(processes) is not int or processes < 1:
        raise UsageError(f"processes must be a whole number of at least 1, not {processes!r}")
    sizes = {len(column) for column in columns.values()}
    if sizes == {0}:
        raise DataError(f"{name}: no examples to train on")
    if len(sizes) > 1 or (labels is not None and labels.shape != (min(sizes),)):
        raise UsageError(f"{name}: columns and labels must be equally long")

    number_of: dict[str, int] = {}
    numbers = np.full((min(sizes), len(columns)), -1, np.int32)  # (M, C)
    for c, (column_name, column) in enumerate(columns.items()):
        for m, text in enumerate(column):
            if text is None:
                continue
            if not isinstance(text, str):
                raise UsageError(f"{name}: {column_name} of example {m + 1} is a {type(text).__name__}")
            if not text or text.isspace():
                raise DataError(
                    f"{name}: {column_name} of example {m + 1} is empty: remove the example or fill it in"
                )
            numbers[m, c] = number_of.setdefault(text, len(number_of))

    ids, lengths, truncated = _tokenize(list(number_of), encoder, processes)
    ids, offsets, merged = _merge_equal(ids, lengths)
    numbers = np.where(numbers < 0, -1, merged[numbers]).astype(np.int32)  # (M, C)
    return cls(kind, ids, offsets, numbers, labels, truncated=truncated)


def _tokenize(texts: list[str], encoder: Encoder, processes: int) -> tuple[np.ndarray, np.ndarray, int]:
    """n texts -> all ids in one run, (n,) lengths, and how many were cut at the window"""
    settings = encoder.settings
    prompt = settings.prompts.get(settings.default_prompt_name or "", "")
    if prompt and not settings.include_prompt:
        raise UsageError(
            f"this model leaves its prompt {shorten(prompt)} out of the pooling, which training does not: "
            f"take a model without a default prompt"
        )
    window = encoder.max_seq_length
    dtype = np.uint16 if encoder.tokenizer.vocab_size <= 1 << 16 else np.uint32
    work = (
        ([prompt + text for text in texts[start : start + CHUNK]], window, dtype)
        for start in range(0, len(texts), CHUNK)
    )
    parts = list(_in_processes(work, encoder.tokenizer, min(processes, -(-len(texts) // CHUNK))))
    ids = np.concatenate([ids for ids, _, _ in parts])  # (tokens,)
    lengths = np.concatenate([lengths for _, lengths, _ in parts])  # (n,)
    return ids, lengths, sum(truncated for _, _, truncated in parts)


def _in_processes(work: Iterable[Any], tokenizer: Tokenizer, processes: int) -> Iterator[Any]:
    if processes == 1:
        for texts, window, dtype in work:
            yield _encode_chunk(tokenizer, texts, window, dtype)
        return
    # Started afresh and not forked: a fork would copy locks that other threads hold at that moment.
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_start_process, initargs=(tokenizer,)) as pool:
        yield from pool.imap(_encode_in_process, work)


def _start_process(tokenizer: Tokenizer) -> None:
    global _tokenizer_of_process
    _tokenizer_of_process = tokenizer


def _encode_in_process(work: tuple[list[str], int, Any]) -> tuple[np.ndarray, np.ndarray, int]:
    return _encode_chunk(_tokenizer_of_process, *work)


def _encode_chunk(
    tokenizer: Tokenizer, texts: list[str], window: int, dtype: Any
) -> tuple[np.ndarray, np.ndarray, int]:
    """n texts -> their ids in one run, (n,) lengths, and how many were cut"""
    sentences = tokenizer.encode_flat(texts)
    kept = sentences.cut(window)
    return kept.ids.astype(dtype), kept.lengths, int((sentences.lengths > window).sum())


def _merge_equal(ids: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n texts, some of them equal -> ids and offsets of the distinct ones, and (n,) the new number of each"""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)  # (n + 1,)
    number_of: dict[bytes, int] = {}
    run, stops = ids.tobytes(), (offsets * ids.itemsize).tolist()
    numbers = np.array(
        [number_of.setdefault(run[start:stop], len(number_of)) for start, stop in pairwise(stops)],
        np.int32,
    )  # (n,)
    if len(number_of) == len(lengths):
        return ids, offsets, numbers
    first = np.unique(numbers, return_index=True)[1]  # (texts,) in the order in which they came
    is_first = np.zeros(len(lengths), bool)  # (n,)
    is_first[first] = True
    kept = np.repeat(is_first, lengths)  # (tokens,)
    return ids[kept], np.concatenate([[0], np.cumsum(lengths[first])]).astype(np.int64), numbers


def _sha256(*arrays: np.ndarray | None) -> str | None:
    if arrays[0] is None:
        return None
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(memoryview(np.ascontiguousarray(array)).cast("B"))
    return digest.hexdigest()
