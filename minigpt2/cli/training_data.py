"""What `minigpt2 train` learns from and is measured on: the files of the command line, read and checked."""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets import Pairs, Positives, describe, read_pairs, read_positives, read_texts, recognise
from ..errors import DataError, UsageError

# What is learned from each kind of data where no --objective says it.
OBJECTIVE_OF_KIND = {
    "binary": "contrastive",
    "score": "cosent",
    "positives": "info_nce",
    "texts": "language_model",
}
WORDS_OF_KIND = {
    "binary": "pairs labelled 0 or 1",
    "score": "pairs with scores",
    "positives": "texts with one that belongs to each",
    "texts": "single texts",
    "labelled_texts": "texts with classes",
    "beir": "a BEIR folder",
}


@dataclass(frozen=True)
class DataFiles:
    """The contents of one or several files of one kind."""

    data: Pairs | Positives | list[str]
    kind: str  # a key of OBJECTIVE_OF_KIND
    name: str  # the files, for messages
    statistics: list[str]  # lines for people

    def __len__(self) -> int:
        """Examples."""
        if isinstance(self.data, Pairs):
            return len(self.data.ids)
        return len(self.data.anchors if isinstance(self.data, Positives) else self.data)

    def all_texts(self) -> list[str]:
        """Every text, as a tokenizer learns from them."""
        if isinstance(self.data, Pairs):
            return [*self.data.first, *self.data.second]
        if isinstance(self.data, Positives):
            return [*self.data.anchors, *self.data.positives, *filter(None, self.data.negatives)]
        return self.data


def read_data_files(paths: Sequence[str], limit: int | None, objective: str | None) -> DataFiles:
    """Read files that must be of one kind, the first `limit` examples of all together.

    `objective`: where it takes 0/1 labels only, another label is an error that names its line. Raises
    DataError for a file that cannot be used and for files of different kinds.
    """
    for path in filter(os.path.isdir, paths):
        raise DataError(f"{path} is a folder: give the files in it that are meant")
    kinds = {path: recognise(path) for path in paths}
    pairs = {path: kind for path, kind in kinds.items() if kind in ("binary", "score")}
    if len(pairs) == len(kinds) and "score" in pairs.values():
        kinds = dict.fromkeys(kinds, "score")  # a scale may happen to show only its ends in one file
    for path, kind in kinds.items():
        if kind not in OBJECTIVE_OF_KIND:
            raise DataError(
                f"{path} holds {WORDS_OF_KIND[kind]}, which is for `minigpt2 evaluate`: train on pairs, on "
                f"texts with one that belongs to each, or on texts"
            )
        if kind != kinds[paths[0]]:
            raise DataError(
                f"{paths[0]} holds {WORDS_OF_KIND[kinds[paths[0]]]} and {path} {WORDS_OF_KIND[kind]}: train "
                f"on files of one kind"
            )
    kind = kinds[paths[0]]
    name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    if kind in ("binary", "score"):
        wanted = "binary" if objective in ("contrastive", "info_nce", "triplet") else None
        data = _read_pairs(paths, name, wanted, limit)
        return DataFiles(data, data.kind, name, str(describe(data)).splitlines())
    if kind == "positives":
        data = _read_positives(paths, name, limit)
        negatives = sum(negative is not None for negative in data.negatives)
        line = f"{len(data.anchors):,} texts with one that belongs to each, {negatives:,} with a negative"
        return DataFiles(data, kind, name, [line])
    texts: list[str] = []
    for path in paths:
        left = None if limit is None else limit - len(texts)
        if left == 0:
            break
        texts += read_texts(path, limit=left)
    return DataFiles(texts, kind, name, [f"{len(texts):,} texts, {len(set(texts)):,} of them different"])


def read_targets(path: str, texts: int) -> np.ndarray:
    """A teacher's vectors (texts, W) from a .npy file, a row for each of the first `texts` texts.

    Raises DataError for a file that is no array of floats of two dimensions or has too few rows.
    """
    try:
        targets = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"cannot read {path}: {(error.strerror or 'unreadable').lower()}") from error
    except ValueError as error:
        raise DataError(f"{path} is no .npy file of numbers ({error}): write it with numpy.save") from None
    if not isinstance(targets, np.ndarray) or targets.ndim != 2 or targets.dtype.kind != "f":
        raise DataError(f"{path} must hold one array of floats, a vector for each text")
    if len(targets) < texts:
        raise DataError(f"{path} holds {len(targets)} vectors for {texts} texts: give a row for each")
    return targets[:texts]


def _read_up_to(limit: int | None, paths: Sequence[str], read: Callable[..., Any]) -> list[Any]:
    """What `read(path, limit=…)` gives for each file, until there are `limit` examples in all."""
    parts: list[Any] = []
    for path in paths:
        left = (
            None if limit is None else limit - sum(len(part[1]) for part in parts)
        )  # (path, a list of M, …)
        if left == 0:
            break
        parts.append(read(path, limit=left))
    return parts


def _read_pairs(paths: Sequence[str], name: str, kind: str | None, limit: int | None) -> Pairs:
    parts = _read_up_to(limit, paths, functools.partial(read_pairs, kind=kind))
    if len(parts) == 1:
        return parts[0]
    return Pairs(
        Path(name),
        [id for part in parts for id in part.ids],
        [text for part in parts for text in part.first],
        [text for part in parts for text in part.second],
        np.concatenate([part.labels for part in parts]),
        "score" if any(part.kind == "score" for part in parts) else "binary",
    )


def _read_positives(paths: Sequence[str], name: str, limit: int | None) -> Positives:
    parts = _read_up_to(limit, paths, read_positives)
    if len(parts) == 1:
        return parts[0]
    return Positives(
        Path(name),
        [text for part in parts for text in part.anchors],
        [text for part in parts for text in part.positives],
        [text for part in parts for text in part.negatives],
    )


def require_one_kind_of_use(kind: str, objective: str) -> None:
    """Raise UsageError for validation data that the objective cannot be measured on."""
    if objective == "language_model" and kind == "positives":
        raise UsageError("a language model is validated on texts or pairs: give such --validation-data")
    if objective != "language_model" and kind not in ("binary", "score"):
        raise UsageError(
            f"the objective {objective} is validated on pairs with labels, not on {WORDS_OF_KIND[kind]}: "
            f"give such --validation-data, or none"
        )
