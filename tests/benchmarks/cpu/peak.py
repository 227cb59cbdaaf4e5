"""The share of the machine's matrix-product peak that minigpt2 reaches in one thread.

    peak    the best float32 product over SHAPES in the same process, straight before and after the encoding
    FLOPs   2 · (numbers in the four matrices of each block) · rows + 4 · L · D · scores, less
            2 · 3·D² · (rows − first)
    rows    different beginnings of sentences: minigpt2 computes the tokens of a common beginning once, and
            what is not computed must not count
    first   rows of the first block's queries, keys and values, for which minigpt2 multiplies each different
            token of a chunk once, and each position once; it says itself how many
    scores  of one head: those that attention's two products have to do with, for each sentence of its own

Embedding, layernorm, softmax, GELU, bias and pooling count nothing, so a share of 100 % is out of reach.
The process is held on one core, so that neither BLAS nor the package has a second thread.
"""

import time

import numpy as np

SHAPES = ((2048, 768, 3072), (2048, 3072, 768), (1536, 1536, 1536), (2048, 2048, 2048), (4096, 1024, 4096))
REPEATS = 3


def flops(sentences, first: int, L: int, D: int, F: int) -> float:
    """Of the products of one forward pass over lists of ids."""
    matrices = L * (3 * D * D + D * D + 2 * D * F)
    rows = len(beginnings(sentences))
    products = 2.0 * (matrices * rows - 3 * D * D * (rows - first))
    return products + 4.0 * L * D * sum(scores(len(ids)) for ids in sentences)


def scores(T: int) -> int:
    """Of a causal sentence of T tokens, one head: those that are computed."""
    from minigpt2.inference.attention import products_of

    return sum((queries.stop - queries.start) * keys.stop for queries, keys in products_of(T, True))


def beginnings(sentences):
    """Every different beginning of some sentences, as a tuple of ids."""
    return {tuple(ids[:t]) for ids in sentences for t in range(1, len(ids) + 1)}


class PeakShare:
    """minigpt2 in one thread."""

    label = "minigpt2, one thread"

    def __init__(self, path, ids):
        from .rivals import MiniGPT2

        self.engine, self.ids = MiniGPT2(path), ids

    def load(self):
        from minigpt2.ragged import flat_sentences

        self.engine.load()
        config = self.engine.encoder.config
        first = self.engine.encoder.plan().computed(flat_sentences(self.ids)).first
        self.flops = flops(self.ids, first, config.L, config.D, config.F)
        rng = np.random.default_rng(0)
        self.products = []
        for m, k, n in SHAPES:
            a = rng.standard_normal((m, k), dtype=np.float32)
            b = rng.standard_normal((k, n), dtype=np.float32)
            self.products.append((a, b, np.empty((m, n), np.float32)))
        self.engine.encode_ids(self.ids[::8])

    def measure(self, task):
        before = self.peak()
        rate = self.rate()
        return rate / max(before, self.peak())

    def rate(self):
        """FLOP/s of the encoding; a short one is repeated for a second and the median taken."""
        times = []
        while not times or sum(times) < 1.0:
            started = time.perf_counter()
            self.engine.encode_ids(self.ids)
            times.append(time.perf_counter() - started)
        return self.flops / float(np.median(times))

    def peak(self):
        """FLOP/s of the fastest product."""
        best = 0.0
        for a, b, out in self.products:
            for _ in range(REPEATS):
                started = time.perf_counter()
                np.matmul(a, b, out=out)
                best = max(best, 2.0 * a.shape[0] * b.size / (time.perf_counter() - started))
        return best
