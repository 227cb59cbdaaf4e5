"""Among all candidates of the batch, find the one that belongs to you.

    s_ij  = a_i · b_j / τ                          (M, M), row i of a and of b belong together
    there = mean_i − log softmax_j(s_i)[i]         each a looks for its b: over the rows
    back  = mean_j − log softmax_i(s_·j)[j]        each b looks for its a: over the columns
    loss  = (there + back) / 2

A small temperature τ stretches the scores, so that the nearest wrong candidates count most. With τ = 0.01
the scores reach ±100: take maxima away before exp. Radford et al. 2021, arXiv:2103.00020, figure 3. The
package: `minigpt2/training/losses/info_nce.py`.
"""

import numpy as np


def info_nce(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    """(M, D), (M, D) of length 1 -> the loss"""
    raise NotImplementedError("your turn")
