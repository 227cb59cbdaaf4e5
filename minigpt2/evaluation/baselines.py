"""What a model is compared with: systems that need no training, or hardly any.

    untrained        the model's own shape, tokenizer and pooling with fresh random parameters
    TF-IDF           words weighted by how rare they are
    random words     every word a random vector, a text their mean
    unigrams         common words, Jaccard
    bigrams          common pairs of neighbouring words, Jaccard
    majority         one answer for everything: the same score, the most frequent class (in `tasks`)

All but the overlaps give vectors and serve every task.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..encoder import Encoder
from ..model import GPT2
from .overlap import bigrams, unigrams, words
from .sparse import Rows, SparseRows, products, row_products

UNTRAINED_SEED = 0


class System(NamedTuple):
    """A way to turn texts into rows and to compare rows."""

    name: str
    rows: Callable[[Sequence[str], str], Rows]  # M texts, "query", "document" or "" -> M rows
    compare: Callable[[Rows, Rows], np.ndarray]  # M rows, M rows -> (M,) higher for closer
    compare_all: Callable[[Rows, Rows], np.ndarray]  # M rows, N rows -> (M, N)
    has_vectors: bool  # rows of length 1 that classes can be learned from


def vectors(name: str, rows: Callable[[Sequence[str], str], Rows]) -> System:
    """A system of vectors of length 1, compared by their cosine.

    Cosines are rounded to 12 decimals, so that texts of the same words are exactly as alike as others of the
    same words, and not by chance a little more.
    """

    def compare(a: Rows, b: Rows) -> np.ndarray:
        return np.round(row_products(a, b), 12)

    def compare_all(a: Rows, b: Rows) -> np.ndarray:
        return np.round(products(a, b), 12)

    return System(name, rows, compare, compare_all, has_vectors=True)


def encoder_system(
    name: str, encoder: Encoder, prompt_name: str | None = None, truncate_dim: int | None = None
) -> System:
    """A model. In retrieval it takes its prompts for queries and documents, unless one is named for all."""

    def rows(texts: Sequence[str], role: str) -> np.ndarray:
        encode = {"query": encoder.encode_query, "document": encoder.encode_document}.get(
            role, encoder.encode
        )
        chosen = {} if prompt_name is None else {"prompt_name": prompt_name}
        return encode(list(texts), truncate_dim=truncate_dim, normalize_embeddings=True, **chosen)

    return vectors(name, rows)


def untrained(encoder: Encoder, seed: int = UNTRAINED_SEED) -> Encoder:
    """The same model with fresh random parameters."""
    model = GPT2.initialise(encoder.config, seed, encoder.backend.xp, encoder.backend.dtype)
    return Encoder(model, encoder.tokenizer, encoder.settings, encoder.backend)


class TfIdf:
    """Term frequency times inverse document frequency, as rows of length 1.

        weight(word, text) = count(word in text) · (1 + ln((1 + M) / (1 + texts with the word)))

    over the M texts that it is fitted on; words that none of them holds do not count. Spärck Jones 1972; the
    smoothing is that of scikit-learn.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        found = Counter()
        M = 0
        for text in texts:
            M += 1
            found.update(unigrams(text))
        self.column = {word: i for i, word in enumerate(sorted(found))}
        self.weight = {word: 1.0 + math.log((1 + M) / (1 + count)) for word, count in found.items()}

    def rows(self, texts: Sequence[str], role: str = "") -> SparseRows:
        """M texts -> (M, V)"""
        weighted = (
            {self.column[w]: n * self.weight[w] for w, n in Counter(words(text)).items() if w in self.column}
            for text in texts
        )
        return SparseRows.from_rows(weighted, len(self.column)).normalized()


class RandomWords:
    """Texts as means of random word vectors of `dimensions` signs, scaled to length 1.

    The signs are the bits of SHAKE-256 of the word, so a word has the same vector everywhere.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._known: dict[str, np.ndarray] = {}

    def rows(self, texts: Sequence[str], role: str = "") -> np.ndarray:
        """M texts -> (M, dimensions)"""
        out = np.zeros((len(texts), self.dimensions))
        for row, text in zip(out, texts, strict=True):
            for word in words(text):
                row += self._vector(word)
        lengths = np.sqrt((out * out).sum(axis=1, keepdims=True))  # (M, 1)
        return out / np.where(lengths > 0.0, lengths, 1.0)

    def _vector(self, word: str) -> np.ndarray:
        if word not in self._known:
            digest = hashlib.shake_256(word.encode("utf-8")).digest(-(-self.dimensions // 8))
            bits = np.unpackbits(np.frombuffer(digest, np.uint8))[: self.dimensions]
            self._known[word] = 2.0 * bits - 1.0
        return self._known[word]


class Overlap:
    """Jaccard of the sets that `members` makes of texts, for many pairs at once (see `overlap`)."""

    def __init__(self, members: Callable[[str], set]) -> None:
        self.members = members
        self._column: dict[object, int] = {}

    def rows(self, texts: Sequence[str], role: str = "") -> SparseRows:
        """M texts -> (M, members seen so far), 1 for every member of the text's set"""
        column = self._column
        sets = [{column.setdefault(m, len(column)): 1.0 for m in self.members(text)} for text in texts]
        return SparseRows.from_rows(sets, len(column))

    def compare(self, a: SparseRows, b: SparseRows) -> np.ndarray:
        """Row i with row i -> (M,)"""
        a, b = self._as_wide(a), self._as_wide(b)
        return _shares(row_products(a, b), a.row_sums(), b.row_sums())

    def compare_all(self, a: SparseRows, b: SparseRows) -> np.ndarray:
        """Every row with every row -> (M, N)"""
        a, b = self._as_wide(a), self._as_wide(b)
        return _shares(products(a, b), a.row_sums()[:, None], b.row_sums()[None, :])

    def _as_wide(self, rows: SparseRows) -> SparseRows:
        return SparseRows(rows.indices, rows.values, rows.starts, len(self._column))


def _shares(common: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sizes of intersections and of both sets -> Jaccard; two empty sets give 0"""
    return common / np.maximum(a + b - common, 1.0)


def tf_idf(texts: Iterable[str]) -> System:
    """TF-IDF fitted on these texts."""
    return vectors("TF-IDF", TfIdf(texts).rows)


def random_words(dimensions: int) -> System:
    """Random word vectors."""
    return vectors("random words", RandomWords(dimensions).rows)


def overlaps() -> list[System]:
    """Common words and common pairs of words."""
    found = []
    for name, members in (("unigrams", unigrams), ("bigrams", bigrams)):
        overlap = Overlap(members)
        found.append(System(name, overlap.rows, overlap.compare, overlap.compare_all, has_vectors=False))
    return found
