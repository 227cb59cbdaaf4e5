"""Matrix products with 16-bit operands and 32-bit results, for the linear layers and the head on a GPU.

    with half_products("bfloat16"):          in forward and in backward alike
        y = factor(x) @ factor(weight)       both rounded to 16 bits, summed up in float32

`factor(x)` is x itself outside such a block, so a layer reads as its mathematics; inside, it is a
`HalfMatrix`, a rounded copy that knows only `.T` and `@`. A layer keeps that copy for its backward: every
array is rounded once, and takes half the memory. Parameters and gradients stay float32, and so does all that
is no product of two matrices: layernorm, softmax, attention's products, pooling, losses. Micikevicius et al.
2018, arXiv:1710.03740, section 3.

    float32    1 sign, 8 exponent, 23 fraction bits
    bfloat16   1 sign, 8 exponent,  7 fraction bits     the range of float32, about 2 to 3 digits
    float16    1 sign, 5 exponent, 10 fraction bits     3 to 4 digits, but 65504 is the largest number and
                                                        6e-8 the smallest: see training.precision.LossScaler

Both round to the nearest, ties to even. bfloat16 is stored as the upper 16 bits of a float32, so nothing
beside NumPy and CuPy is needed for it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .backend import Array, array_module, choose_backend
from .errors import DeviceError, UsageError

KINDS = ("bfloat16", "float16")

# cudaDataType of library_types.h; the products' sums are float32 (CUBLAS_COMPUTE_32F).
CUDA_R_32F = 0
CUDA_TYPES = {"float16": 2, "bfloat16": 14}

# cuBLAS reads the two factors of `1 · A·B + 0 · C` through pointers.
_ONE, _ZERO = np.ones(1, np.float32), np.zeros(1, np.float32)


class _Mode(NamedTuple):
    kind: str
    allow_cpu: bool


_mode: ContextVar[_Mode | None] = ContextVar("half_products", default=None)


@contextlib.contextmanager
def half_products(kind: str, *, allow_cpu: bool = False) -> Iterator[None]:
    """Inside, products of linear layers and the head round their operands to `kind`, in this thread alone.

    kind        "bfloat16" or "float16"
    allow_cpu   round NumPy arrays too and multiply them in float32: the same results, slower than float32;
                for tests, and to see what rounding does

    Raises UsageError for another kind, DeviceError if there is no usable GPU or one too old for bfloat16
    (compute capability below 8.0), and at the first product UsageError for arrays that are on the CPU or not
    float32.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown half precision {kind!r}: use one of {', '.join(KINDS)}")
    if not allow_cpu:
        xp = choose_backend("cupy").xp
        capability = xp.cuda.Device().compute_capability  # "90" for an H100
        if kind == "bfloat16" and int(capability) < 80:
            raise DeviceError(
                f"this GPU (compute capability {capability[:-1]}.{capability[-1]}) has no bfloat16 products, "
                f"which need 8.0: use float16 or float32"
            )
    token = _mode.set(_Mode(kind, allow_cpu))
    try:
        yield
    finally:
        _mode.reset(token)


def kind_in_force() -> str | None:
    """What products round their operands to here and now, "bfloat16" or "float16"; None outside a block."""
    mode = _mode.get()
    return None if mode is None else mode.kind


class HalfMatrix:
    """A matrix (m, k) rounded to 16 bits that can be transposed and multiplied, nothing else."""

    __array_ufunc__ = None  # `array @ half` is ours to answer
    __slots__ = ("kind", "stored", "transposed")

    def __init__(self, stored: Array, kind: str, transposed: bool = False) -> None:
        """stored: row by row, on the GPU uint16 (bfloat16) or float16, on the CPU rounded float32."""
        self.stored = stored
        self.kind = kind
        self.transposed = transposed

    def __repr__(self) -> str:
        return f"HalfMatrix({self.shape[0]} × {self.shape[1]}, {self.kind})"

    @property
    def shape(self) -> tuple[int, int]:
        return self.stored.shape[::-1] if self.transposed else self.stored.shape

    @property
    def T(self) -> "HalfMatrix":
        """The same numbers read the other way; nothing is copied."""
        return HalfMatrix(self.stored, self.kind, not self.transposed)

    def __matmul__(self, other: "Array | HalfMatrix") -> Array:
        """(m, k) @ (k, n) -> (m, n) float32. An array is rounded first, to this matrix's kind."""
        return _multiply(self, other if isinstance(other, HalfMatrix) else _rounded(other, self.kind))

    def __rmatmul__(self, other: Array) -> Array:
        """(m, k) @ (k, n) -> (m, n) float32, where the left one is an array"""
        return _multiply(_rounded(other, self.kind), self)


def factor(x: Array) -> "Array | HalfMatrix":
    """x (m, k) as an operand of `@`: itself, or inside `half_products` a copy rounded to 16 bits."""
    mode = _mode.get()
    if mode is None:
        return x
    if array_module(x) is np and not mode.allow_cpu:
        raise UsageError(
            f"{mode.kind} products run on a GPU, but these arrays are on the CPU: use float32 there"
        )
    return _rounded(x, mode.kind)


def unrounded(x: "Array | HalfMatrix") -> Array:
    """The numbers that a factor stands for (m, k), as a float32 array where it is a HalfMatrix."""
    if not isinstance(x, HalfMatrix):
        return x
    stored = x.stored
    if stored.dtype == np.uint16:
        stored = from_bfloat16(stored)
    stored = stored.astype(np.float32, copy=False)
    return stored.T if x.transposed else stored


def to_bfloat16(x: Array) -> Array:
    """float32 (…) -> uint16 (…): the upper halves, rounded to nearest, ties to even; NaN stays NaN."""
    xp = array_module(x)
    if xp is not np:
        return _round_kernel(xp)(x, xp.empty(x.shape, dtype=np.uint16))
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).reshape(x.shape)  # (…)
    # Adding half of the last kept place carries into it where the rest is more than half; a tie does so only
    # where the last kept bit is 1. The same carry takes the largest numbers to infinity.
    nearest = (bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))) >> np.uint32(16)
    # A NaN could lose all its fraction bits and become infinite: set the highest of them.
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
    is_nan = (bits & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
    return np.where(is_nan, quiet, nearest).astype(np.uint16)  # (…)


def from_bfloat16(bits: Array) -> Array:
    """uint16 (…) -> float32 (…), exactly"""
    wide = bits.astype(np.uint32) << np.uint32(16)  # (…)
    return wide.view(np.float32)


@functools.cache
def _round_kernel(xp: ModuleType) -> Callable[[Array, Array], Array]:
    """`to_bfloat16` in one pass: (x, y) fills y, row by row, whatever the strides of x, and returns it"""
    body = """
        unsigned int bits = __float_as_uint(x);
        bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
        y = is_nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    """
    return xp.ElementwiseKernel("float32 x", "uint16 y", body, "round_to_bfloat16")


def _rounded(x: Array, kind: str) -> HalfMatrix:
    """(m, k) float32 -> the same, rounded and stored row by row"""
    if x.dtype != np.float32:
        raise UsageError(f"{kind} products round float32 arrays, but this one is {x.dtype}")
    if array_module(x) is np:
        if kind == "bfloat16":
            return HalfMatrix(from_bfloat16(to_bfloat16(x)), kind)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, as on the GPU
            return HalfMatrix(np.ascontiguousarray(x).astype(np.float16).astype(np.float32), kind)
    if kind == "bfloat16":
        return HalfMatrix(to_bfloat16(x), kind)
    return HalfMatrix(x.astype(np.float16, order="C"), kind)


def _multiply(a: HalfMatrix, b: HalfMatrix) -> Array:
    """(m, k), (k, n) -> (m, n) float32"""
    if a.kind != b.kind:
        raise UsageError(
            f"a {a.kind} matrix meets a {b.kind} one: use one precision for a forward and its backward"
        )
    (m, k), (inner, n) = a.shape, b.shape
    if k != inner:
        raise ValueError(f"a matrix of shape {a.shape} cannot be multiplied with one of {b.shape}")
    xp = array_module(a.stored)
    if xp is np:
        with np.errstate(invalid="ignore"):  # an infinite operand makes NaN, as on the GPU
            return unrounded(a) @ unrounded(b)
    if m == 0 or n == 0 or k == 0:
        return xp.zeros((m, n), dtype=np.float32)
    y = xp.empty((m, n), dtype=np.float32)
    # cuBLAS reads column by column, where our y is yᵀ and y = a·b reads yᵀ = bᵀ·aᵀ: the operands change
    # places, and one stored as it is multiplied needs no transposition.
    cublas, type_ = xp.cuda.cublas, CUDA_TYPES[a.kind]
    cublas.gemmEx(
        xp.cuda.get_cublas_handle(),
        cublas.CUBLAS_OP_T if b.transposed else cublas.CUBLAS_OP_N,
        cublas.CUBLAS_OP_T if a.transposed else cublas.CUBLAS_OP_N,
        n,
        m,
        k,
        _ONE.ctypes.data,
        b.stored.data.ptr,
        type_,
        b.stored.shape[1],  # numbers from one stored row to the next
        a.stored.data.ptr,
        type_,
        a.stored.shape[1],
        _ZERO.ctypes.data,
        y.data.ptr,
        CUDA_R_32F,
        n,
        cublas.CUBLAS_COMPUTE_32F,
        cublas.CUBLAS_GEMM_DEFAULT,
    )
    return y
