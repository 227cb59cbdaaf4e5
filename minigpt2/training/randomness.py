"""Random numbers that can be drawn again: draw k of seed s is the same wherever and whenever it is made.

    z      = key_k + (i + 1) · γ   mod 2⁶⁴                 word i of draw k, counted, not drawn
    z      = (z ⊕ z >> 30) · 0xBF58476D1CE4E5B9
    z      = (z ⊕ z >> 27) · 0x94D049BB133111EB
    word_i = z ⊕ z >> 31
    key_k  = word_k of the draw whose key is word_0 of the draw whose key is s

SplitMix64: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", OOPSLA, figure 16 with
the constants of Vigna's splitmix64.c; γ = 0x9E3779B97F4A7C15 is 2⁶⁴ divided by the golden ratio. A word gives
two float32 (24 bits of each half, the low half first) or one float64 (its upper 53 bits), at least 0 and
below 1.

Why not `default_rng`: gradient caching and recomputation draw a dropout mask a second time, and a checkpoint
must say where the random numbers stand. A generator with a hidden state would have to be saved and restored,
which CuPy's cannot. Here the position is one whole number. Because word i follows from i alone, all words are
made at once by plain array arithmetic, on the CPU in the time of NumPy's own generators, on the GPU in
one pass without a table of states; and CPU and GPU drop the same values. Keys are random numbers of 64 bits,
so the chance that two draws of 2³⁰ words have any in common is 2⁻³³.
"""

import functools
import math
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ..backend import Array, array_module
from ..errors import UsageError

GAMMA = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)

# Words made at a time on the CPU: three arrays of this size (64 KiB each) stay in the L2 cache.
BLOCK = 8192


class CountedGenerator:
    """Stands where a layer takes `rng`. `seed` and `position`, two whole numbers, are its whole state."""

    def __init__(self, xp: ModuleType, seed: int, position: int = 0) -> None:
        """xp: numpy or cupy, where the numbers are made; seed: 0 … 2⁶⁴ − 1; position: draws made so far.

        Raises UsageError for a seed or a position out of range.
        """
        self.xp = xp
        self.seed = _whole("seed", seed)
        self.position = position

    def __repr__(self) -> str:
        return f"CountedGenerator({self.xp.__name__}, seed={self.seed}, position={self.position})"

    @property
    def position(self) -> int:
        """How many draws were made; set it to make a draw again."""
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = _whole("position", position)

    def copy(self) -> "CountedGenerator":
        """One that stands at the same place and goes on by itself: it will make the same draws."""
        return CountedGenerator(self.xp, self.seed, self.position)

    def random(self, size: int | tuple[int, ...], dtype: Any = np.float64) -> Array:
        """(…) uniform in [0, 1), float32 or float64: the next draw. Raises UsageError for another dtype."""
        dtype = np.dtype(dtype)
        if dtype.name not in ("float32", "float64"):
            raise UsageError(f"random numbers are float32 or float64, not {dtype}")
        key = _mix(_mix(self.seed + GAMMA) + (self.position + 1) * GAMMA)
        self.position += 1
        if self.xp is np:
            count = size if isinstance(size, int) else math.prod(size)
            return _uniform(key, count, dtype).reshape(size)  # (…)
        y = self.xp.empty(size, dtype=dtype)  # (…)
        return _kernel(self.xp, dtype.name)(np.uint64(key), y) if y.size else y


def words(key: int, start: int, stop: int, xp: ModuleType = np) -> Array:
    """Words `start` to `stop` of the draw with this key: (stop − start,) uint64"""
    z = xp.arange(start + 1, stop + 1, dtype=np.uint64)  # (n,)
    z *= np.uint64(GAMMA)
    z += np.uint64(key)
    _scramble(z, xp.empty_like(z))
    return z


def _scramble(z: Array, scratch: Array) -> None:
    """Counters (n,) become words (n,), in place; scratch (n,) is overwritten"""
    xp = array_module(z)
    for shift, multiplier in zip(SHIFTS, MULTIPLIERS, strict=False):
        xp.right_shift(z, np.uint64(shift), out=scratch)
        z ^= scratch
        z *= np.uint64(multiplier)
    xp.right_shift(z, np.uint64(SHIFTS[2]), out=scratch)
    z ^= scratch


def _uniform(key: int, count: int, dtype: np.dtype) -> np.ndarray:
    """(count,) in [0, 1) on the CPU, block by block"""
    y = np.empty(count, dtype=dtype)  # (count,)
    each = 2 if dtype == np.float32 else 1  # numbers from one word
    counters = np.arange(1, min(BLOCK, -(-count // each)) + 1, dtype=np.uint64)  # (block,)
    counters *= np.uint64(GAMMA)
    all_words, scratch = np.empty_like(counters), np.empty_like(counters)  # (block,), (block,)
    for start in range(0, count, each * BLOCK):
        part = y[start : start + each * BLOCK]  # (n,)
        m = -(-len(part) // each)
        first = np.uint64((key + start // each * GAMMA) % 2**64)
        word = np.add(counters[:m], first, out=all_words[:m])  # (m,)
        _scramble(word, scratch[:m])
        if each == 1:
            word >>= np.uint64(11)
            np.multiply(word, 2.0**-53, out=part)
        else:
            half = word.view(np.uint32)[: len(part)]  # (n,)
            half >>= np.uint32(8)  # below 2²⁴: exact in float32
            # As signed numbers, since processors convert those to floats faster.
            np.multiply(
                half.view(np.int32), np.float32(2.0**-24), out=part, dtype=np.float32, casting="unsafe"
            )
    return y


@functools.cache
def _kernel(xp: ModuleType, dtype: str) -> Callable[..., Array]:
    """The same numbers on the GPU, one thread for each: (key, y) fills y and returns it"""
    word = """
        unsigned long long z = key + (unsigned long long)(WHICH + 1) * GAMMA;
        z = (z ^ (z >> 30)) * FIRST;
        z = (z ^ (z >> 27)) * SECOND;
        z ^= z >> 31;
    """
    for name, value in (("GAMMA", GAMMA), ("FIRST", MULTIPLIERS[0]), ("SECOND", MULTIPLIERS[1])):
        word = word.replace(name, f"{value:#x}ULL")
    if dtype == "float32":
        body = (
            word.replace("WHICH", "i / 2") + f"y = ((unsigned int)(z >> (32 * (i % 2))) >> 8) * {2.0**-24}f;"
        )
    else:
        body = word.replace("WHICH", "i") + f"y = (z >> 11) * {2.0**-53};"
    return xp.ElementwiseKernel("uint64 key", f"{dtype} y", body, f"counted_random_{dtype}")


def _mix(z: int) -> int:
    """One word from its counter: `words` for a Python number"""
    z %= 2**64
    z = (z ^ z >> SHIFTS[0]) * MULTIPLIERS[0] % 2**64
    z = (z ^ z >> SHIFTS[1]) * MULTIPLIERS[1] % 2**64
    return z ^ z >> SHIFTS[2]


def _whole(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < 2**64:
        raise UsageError(
            f"the {name} of a random generator must be a whole number of 0 to 2**64 - 1, not {value!r}"
        )
    return number
