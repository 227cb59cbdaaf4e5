"""float16 to float32, by the whole array at a time.

    float16    1 sign, 5 exponent, 10 fraction bits     (-1)^s · 2^(e − 15) · 1.f
    float32    1 sign, 8 exponent, 23 fraction bits     (-1)^s · 2^(e − 127) · 1.f

With its bits at the places of a float32's, a float16 reads as 2^(15 − 127) times its value; so does a
subnormal one, unless a library has told the processor to take those for 0. NumPy's own conversion takes one
number at a time, and reading a model's weights is little else. IEEE 754-2019, section 3.4.
"""

import numpy as np

SIGN_EXPONENT_FRACTION = np.int32(0x8FFFE000 - (1 << 32))  # of a float16 in a float32's place
SCALE = np.float32(2.0**112)
EXPONENT = np.uint16(0x7C00)  # all ones: infinite or NaN
SMALLEST = np.array([1 << 13], np.int32).view(np.float32)  # of the subnormal numbers
LARGEST = 65504.0


def float32_of(numbers: np.ndarray) -> np.ndarray:
    """The same numbers in float32, infinite ones and NaN included; other floats by `astype`."""
    if numbers.dtype != np.float16 or not (SMALLEST * SCALE).all():
        return numbers.astype(np.float32, copy=False)
    bits = numbers.view(np.int16).astype(np.int32)  # bits 16 to 31 repeat the sign
    bits <<= 13
    bits &= SIGN_EXPONENT_FRACTION
    result = bits.view(np.float32)
    result *= SCALE
    if result.size and not (result.min() >= -LARGEST and result.max() <= LARGEST):
        return numbers.astype(np.float32)
    return result


def count_not_finite(numbers: np.ndarray) -> int:
    """How many are infinite or NaN."""
    if numbers.dtype != np.float16:
        return numbers.size - int(np.count_nonzero(np.isfinite(numbers)))
    return int(np.count_nonzero((numbers.view(np.uint16) & EXPONENT) == EXPONENT))
