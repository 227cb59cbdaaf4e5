"""The measures against sentence-transformers, SciPy and NumPy's corrcoef."""

import numpy as np
import pytest
import torch
from scipy.spatial import distance
from sentence_transformers import util

from minigpt2.similarity import matrix, nearest, pairwise

# name here -> matrix and pairs there, and their sign: a distance is negated there
THEIRS = {
    "cosine": (util.cos_sim, util.pairwise_cos_sim, 1.0),
    "dot": (util.dot_score, util.pairwise_dot_score, 1.0),
    "euclidean": (util.euclidean_sim, util.pairwise_euclidean_sim, -1.0),
    "manhattan": (util.manhattan_sim, util.pairwise_manhattan_sim, -1.0),
}


@pytest.fixture(params=["float32", "float64"])
def vectors(request):
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((41, 48)), rng.standard_normal((41, 48))
    return a.astype(request.param), b.astype(request.param)


@pytest.mark.parametrize("metric", THEIRS)
def test_sentence_transformers(vectors, metric):
    a, b = vectors
    their_matrix, their_pairs, sign = THEIRS[metric]
    bound = 2e-5 if a.dtype == "float32" else 1e-12
    expected = sign * their_matrix(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(matrix(a, b, metric), expected, rtol=bound, atol=bound)
    pairs = sign * their_pairs(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(pairwise(a, b, metric), pairs, rtol=bound, atol=bound)


@pytest.mark.parametrize(
    ("metric", "name", "turn"),
    [
        ("cosine", "cosine", lambda d: 1.0 - d),
        ("pearson", "correlation", lambda d: 1.0 - d),
        ("euclidean", "euclidean", lambda d: d),
        ("manhattan", "cityblock", lambda d: d),
        ("angular", "cosine", lambda d: 1.0 - np.arccos(1.0 - d) / np.pi),
    ],
)
def test_scipy(vectors, metric, name, turn):
    a, b = vectors
    expected = turn(distance.cdist(a.astype("float64"), b.astype("float64"), name))
    bound = 2e-6 if a.dtype == "float32" else 1e-13
    np.testing.assert_allclose(matrix(a, b, metric), expected, rtol=bound, atol=bound)


def test_corrcoef(vectors):
    a, b = vectors
    expected = np.corrcoef(a.astype("float64"), b.astype("float64"))[:41, 41:]
    np.testing.assert_allclose(
        matrix(a, b, "pearson"), expected, atol=2e-6 if a.dtype == "float32" else 1e-13
    )


def test_hamming_against_scipy():
    rng = np.random.default_rng(4)
    bits_a, bits_b = rng.integers(0, 2, (12, 72), np.uint8), rng.integers(0, 2, (9, 72), np.uint8)
    expected = distance.cdist(bits_a, bits_b, "hamming") * 72
    ours = matrix(np.packbits(bits_a, axis=1), np.packbits(bits_b, axis=1), "hamming")
    np.testing.assert_allclose(ours, expected, atol=1e-9)


@pytest.mark.parametrize(("metric", "score"), [("cosine", util.cos_sim), ("dot", util.dot_score)])
def test_semantic_search(vectors, metric, score):
    queries, corpus = vectors
    theirs = util.semantic_search(
        torch.from_numpy(queries),
        torch.from_numpy(corpus),
        top_k=7,
        corpus_chunk_size=11,
        score_function=score,
    )
    scores, indices = nearest(queries, corpus, 7, metric)
    assert indices.tolist() == [[hit["corpus_id"] for hit in hits] for hits in theirs]
    np.testing.assert_allclose(
        scores, [[hit["score"] for hit in hits] for hits in theirs], rtol=1e-5, atol=1e-6
    )
