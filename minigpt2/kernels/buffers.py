"""Arrays whose memory is used again: a training step asks the system for none once it has run a few times.

    y = empty((N, D))       as np.empty(…, np.float32), from memory that an earlier array has left

Fresh memory is slow: the system hands it out page by page, zeroed, at the first touch of each. So the memory
of an array comes back here when the last view of it is gone, which Python's reference counts tell; nobody
gives anything back by hand, and nothing that is still seen is ever handed out. What lies unused is bounded by
`LARGEST_IDLE`, oldest out first. Any thread may ask for arrays and drop them.
"""

import math
import threading
from collections import deque

import numpy as np

SMALLEST = 1 << 12  # bytes; below, the allocator of C is as fast
LARGEST_IDLE = 1 << 29  # bytes that may lie unused
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
STEPS_TO_DOUBLE = 8  # sizes of memory between one power of two and the next: at most an eighth is wasted


class Pool:
    """Memory by size. `hits` and `misses` count what was used again and what the system was asked for."""

    def __init__(self, largest_idle: int = LARGEST_IDLE) -> None:
        self.largest_idle = largest_idle
        self.hits = self.misses = 0
        self._idle: dict[int, deque[np.ndarray]] = {}  # bytes -> memory of that size, the last used last
        self._idle_bytes = 0
        # Memory may come back at any moment, also while this thread holds the lock: a garbage collection can
        # start anywhere. So what comes back is put down here without a lock, and sorted in at the next call.
        self._returned: deque[np.ndarray] = deque()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Pool({self.hits:,} hits, {self.misses:,} misses, {self.idle_bytes:,} bytes idle)"

    @property
    def idle_bytes(self) -> int:
        """Bytes that lie unused."""
        with self._lock:
            self._sort_in()
            return self._idle_bytes

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        """float32 (…), row by row, holding whatever was in memory."""
        size = 4 * math.prod(shape)  # bytes
        if size < SMALLEST:
            return np.empty(shape, np.float32)
        size = _rounded_up(size)
        with self._lock:
            self._sort_in()
            of_size = self._idle.get(size)
            memory = of_size.pop() if of_size else None
            if memory is None:
                self.misses += 1
            else:
                self.hits += 1
                self._idle_bytes -= size
        if memory is None:
            memory = _aligned(size)
        return np.asarray(_Lease(memory, shape, self._returned))

    def clear(self) -> None:
        """Give all that lies unused back to the system."""
        with self._lock:
            self._sort_in()
            self._idle.clear()
            self._idle_bytes = 0

    def _sort_in(self) -> None:
        """Take in what came back, and drop what is too much."""
        while self._returned:
            memory = self._returned.popleft()
            self._idle.setdefault(memory.nbytes, deque()).append(memory)
            self._idle_bytes += memory.nbytes
        while self._idle_bytes > self.largest_idle:
            size = next(iter(self._idle))
            if self._idle[size]:
                self._idle[size].popleft()
                self._idle_bytes -= size
            if not self._idle[size]:
                del self._idle[size]


class _Lease:
    """The owner of one array's memory as NumPy sees it: all views of the array keep it, and it goes last."""

    __slots__ = ("__array_interface__", "memory", "returned")

    def __init__(self, memory: np.ndarray, shape: tuple[int, ...], returned: deque[np.ndarray]) -> None:
        self.memory = memory
        self.returned = returned
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": "<f4" if np.little_endian else ">f4",
            "data": (memory.ctypes.data, False),
        }

    def __del__(self) -> None:
        self.returned.append(self.memory)


def _rounded_up(size: int) -> int:
    step = max(SMALLEST, 1 << (size - 1).bit_length() - 1) // STEPS_TO_DOUBLE
    return -(-size // step) * step


def _aligned(size: int) -> np.ndarray:
    """uint8 (size,), beginning at a cache line"""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


POOL = Pool()
empty = POOL.empty


def empty_like(x: np.ndarray) -> np.ndarray:
    """float32 of x's shape, row by row."""
    return empty(x.shape)
