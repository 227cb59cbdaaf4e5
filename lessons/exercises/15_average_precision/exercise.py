"""How good is a score at telling 1 from 0, over all thresholds?

Go down the scores from the highest. At each different score, everything at or above it counts as positive:

    precision = true positives / all that count as positive
    recall    = true positives / all positives
    AP        = Σ (recall − recall before) · precision                 0 … 1

Examples with the same score come in together, as one step: no threshold can part them. Scores that know
nothing reach about the share of the positives, not 0 and not ½.

    average_precision(scores, labels)     (M,), (M,) of 0 and 1 -> 0 … 1

The package: `minigpt2/evaluation/metrics.py`.
"""

import numpy as np


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    raise NotImplementedError("your turn")
