"""Search: does the document that answers a query stand among the first?"""

from collections.abc import Callable

import numpy as np

from ..datasets import Retrieval
from .metrics import mrr, ndcg, recall
from .sparse import Rows, products

DEPTH = 10  # documents that a reader looks at
RECALL_DEPTH = 100  # documents that a second, slower model could still reorder

_BLOCK = 1 << 24  # scores in memory at once


def evaluate_retrieval(
    queries: Rows,
    documents: Rows,
    data: Retrieval,
    score: Callable[[Rows, Rows], np.ndarray] = products,
) -> dict[str, float]:
    """ndcg@10, mrr@10, recall@10 and recall@100, each the mean over the queries that a document answers.

    queries, documents   (Q, D), (N, D) in the order of `data.queries` and `data.documents`
    score                (q, D), (N, D) -> (q, N), higher for closer; the cosine of rows of length 1
    """
    number = {id: i for i, id in enumerate(data.documents)}
    ids = list(data.queries)
    step = max(1, _BLOCK // len(number))
    totals = np.zeros(4)
    for start in range(0, len(ids), step):
        scores = score(queries[start : start + step], documents)  # (q, N)
        for row, id in zip(scores, ids[start : start + step], strict=True):
            relevance = np.zeros(len(number))  # (N,)
            for document, grade in data.relevance[id].items():
                relevance[number[document]] = grade
            totals += (
                ndcg(row, relevance, DEPTH),
                mrr(row, relevance, DEPTH),
                recall(row, relevance, DEPTH),
                recall(row, relevance, RECALL_DEPTH),
            )
    names = (f"ndcg@{DEPTH}", f"mrr@{DEPTH}", f"recall@{DEPTH}", f"recall@{RECALL_DEPTH}")
    return {name: float(total) / len(ids) for name, total in zip(names, totals, strict=True)}
