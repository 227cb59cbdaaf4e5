"""How surprised is the model by each token that follows?

    logits_i = hidden_i · wteᵀ                            (N, V)      the head is the token table
    loss     = mean over i of − log softmax(logits_i)[ids_{i+1}]

over all tokens i that have a next one in their own sentence: the last token of a sentence predicts nothing,
least of all the first token of the next. A packed batch: `offsets` (B+1,), sentence b is rows offsets[b] to
offsets[b+1]; a sentence may be empty. Natural logarithm, so the loss is in nats. Logits may be in the
thousands.

The package: `next_tokens` in `minigpt2/model.py` and `minigpt2/layers/cross_entropy.py`.
"""

import numpy as np


def next_token_loss(hidden: np.ndarray, wte: np.ndarray, ids: np.ndarray, offsets: np.ndarray) -> float:
    """(N, D), (V, D), (N,), (B+1,) -> nats"""
    raise NotImplementedError("your turn")
