"""Search: the means over queries, whatever the order of the documents and the size of a block."""

from pathlib import Path

import numpy as np
import pytest
from test_sparse import as_sparse

from minigpt2.datasets import Retrieval
from minigpt2.evaluation import retrieval
from minigpt2.evaluation.metrics import mrr, ndcg, recall
from minigpt2.evaluation.retrieval import evaluate_retrieval


@pytest.fixture
def data(rng):
    documents = {f"d{i}": "" for i in range(130)}
    queries = {f"q{i}": "" for i in range(7)}
    relevance = {
        query: {f"d{j}": float(rng.integers(1, 4)) for j in rng.permutation(130)[: 1 + i]}
        for i, query in enumerate(queries)
    }
    return Retrieval(Path("set"), documents, queries, relevance)


@pytest.mark.parametrize("block", [1, 300, 1 << 24])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_means_over_queries(data, rng, monkeypatch, block, kind):
    monkeypatch.setattr(retrieval, "_BLOCK", block)
    queries, documents = rng.standard_normal((7, 5)), rng.standard_normal((130, 5))
    lists = []
    for query, row in zip(data.queries, queries, strict=True):
        relevance = [data.relevance[query].get(document, 0.0) for document in data.documents]
        lists.append((documents @ row, relevance))
    if kind == "sparse":
        queries, documents = as_sparse(queries), as_sparse(documents)
    assert evaluate_retrieval(queries, documents, data) == pytest.approx(
        {
            "ndcg@10": np.mean([ndcg(*pair, 10) for pair in lists]),
            "mrr@10": np.mean([mrr(*pair, 10) for pair in lists]),
            "recall@10": np.mean([recall(*pair, 10) for pair in lists]),
            "recall@100": np.mean([recall(*pair, 100) for pair in lists]),
        }
    )


def test_another_way_to_score(data):
    """Whoever gives the relevance itself as score is perfect."""

    def score(queries, documents):
        return np.array(
            [
                [data.relevance[query].get(document, 0.0) for document in data.documents]
                for query in data.queries
            ]
        )

    found = evaluate_retrieval(np.zeros((7, 1)), np.zeros((130, 1)), data, score)
    assert found == pytest.approx({"ndcg@10": 1.0, "mrr@10": 1.0, "recall@10": 1.0, "recall@100": 1.0})
