"""Whether a model's weights are still those that a plan was folded from.

Anybody may write into the parameters of a model, and NumPy tells nobody. So two sums of all numbers are kept:
one of their bits, which a change of any single number changes, and one where each number counts by its place,
which shows numbers that have changed places. Both stay the same only if numbers change places that differ by
less than the rounding of the second sum. Reading all weights takes about as long as a short sentence.
"""

import functools

import numpy as np

from ..config import GPT2Config
from ..kernels import blas
from ..parameters import Parameters

ROW = 4096


class WeightsPrint:
    """The array of all parameters, and the sums of those that a plan copies: all but the embeddings."""

    def __init__(self, flat: np.ndarray, bits: int, sums: np.ndarray) -> None:
        self.flat, self.bits, self.sums = flat, bits, sums

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WeightsPrint):
            return NotImplemented
        same_array = self.flat is other.flat  # plans look the embeddings up where they are
        return same_array and self.bits == other.bits and self.sums.tobytes() == other.sums.tobytes()

    __hash__ = None  # made to be compared

    @classmethod
    def of(cls, parameters: Parameters, config: GPT2Config) -> "WeightsPrint":
        """The print of float32 parameters as they are now."""
        flat = parameters.flat[(config.V + config.n_positions) * config.D :]  # (P,)
        odd = flat[len(flat) // 2 * 2 :]  # () or (1,)
        halves = flat[: len(flat) - len(odd)]
        bits = int(np.add.reduce(_as_integers(halves))) + sum(odd.view(np.uint32).tolist())
        rows = len(flat) // ROW
        rest = flat[rows * ROW :]  # (R,)
        factors = _factors()
        with blas.one_thread(), np.errstate(all="ignore"):  # the same sums whatever the number of threads
            sums = flat[: rows * ROW].reshape(rows, ROW) @ factors  # (rows,)
            return cls(parameters.flat, bits, np.append(sums, rest @ factors[: len(rest)]))


def _as_integers(x: np.ndarray) -> np.ndarray:
    """(2·n,) float32 -> (n,) uint64, the same bits"""
    if x.ctypes.data % 8:
        return x.copy().view(np.uint64)
    return x.view(np.uint64)


@functools.cache
def _factors() -> np.ndarray:
    """(ROW,) all different, none small"""
    return (1.0 + np.random.default_rng(0).random(ROW)).astype(np.float32)
