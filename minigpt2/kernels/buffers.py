"""Arrays whose memory is used again: a training step asks the system for none once it has run a few times.

    y = empty((N, D))       as np.empty(…, np.float32), from memory that an earlier array has left

Fresh memory is slow: the system hands it out page by page, zeroed, at the first touch of each. So the memory
of an array comes back here when the last view of it is gone, which Python's reference counts tell; nobody
gives anything back by hand, and nothing that is still seen is ever handed out. What lies unused is bounded by
`LARGEST_IDLE`, oldest out first. Any thread may ask for arrays and drop them.
"""

import ctypes
import functools
import math
import os
import threading
from collections import deque
from collections.abc import Callable

import numpy as np

SMALLEST = 1 << 12  # bytes; below, the allocator of C is as fast
LARGEST_IDLE = 1 << 29  # bytes that may lie unused
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
LARGE = 1 << 20  # bytes; above, at most an eighth of the memory is wasted, below at most a half


class Pool:
    """Memory by size. `hits` and `misses` count what was used again and what the system was asked for."""

    def __init__(self, largest_idle: int = LARGEST_IDLE) -> None:
        self.largest_idle = largest_idle
        self.hits = self.misses = 0
        self._idle: dict[int, list[_Memory]] = {}  # bytes -> memory of that size, the last used last
        self._idle_bytes = 0
        # Memory may come back at any moment, also while this thread holds the lock: a garbage collection can
        # start anywhere. So what comes back is put down here, and sorted in by whoever next has the lock.
        self._returned: deque[_Memory] = deque()
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
        size = _bytes_for(shape)
        if size < SMALLEST:
            return np.empty(shape, np.float32)
        with self._lock:
            self._sort_in()
            of_size = self._idle.get(size)
            if of_size:
                memory = of_size.pop()
                self.hits += 1
                self._idle_bytes -= size
            else:
                memory = None
                self.misses += 1
        if memory is None:
            memory = _Memory(size, self.take_back)
        return memory.array(shape)

    def clear(self) -> None:
        """Give all that lies unused back to the system."""
        with self._lock:
            self._sort_in()
            self._idle.clear()
            self._idle_bytes = 0

    def take_back(self, memory: "_Memory") -> None:
        """Memory that no array holds any more; called by Python, never by hand."""
        self._returned.append(memory)
        if not self._lock.locked():  # else this very thread may hold it
            with self._lock:
                self._sort_in()

    def forget(self) -> None:
        """In a forked child: begin anew, since a thread that is not there any more may hold the lock."""
        self._lock = threading.Lock()
        self._returned, self._idle, self._idle_bytes = deque(), {}, 0

    def _sort_in(self) -> None:
        """Take in what came back, and let go what is too much: first the sizes not met for longest."""
        while self._returned:
            memory = self._returned.popleft()
            of_size = self._idle.pop(memory.nbytes, [])
            of_size.append(memory)
            self._idle[memory.nbytes] = of_size
            self._idle_bytes += memory.nbytes
        while self._idle_bytes > self.largest_idle:
            size = next(iter(self._idle))
            of_size = self._idle[size]
            if of_size:
                of_size.pop()
                self._idle_bytes -= size
            else:
                del self._idle[size]


class _Memory:
    """So many bytes beginning at a cache line, and what lends them out."""

    __slots__ = ("address", "bytes", "lease", "nbytes")

    def __init__(self, nbytes: int, take_back: Callable[["_Memory"], None]) -> None:
        self.nbytes = nbytes
        self.bytes = np.empty(nbytes + ALIGNMENT, np.uint8)
        self.address = -(-self.bytes.ctypes.data // ALIGNMENT) * ALIGNMENT
        self.lease = _lease_type(nbytes, take_back)

    def array(self, shape: tuple[int, ...]) -> np.ndarray:
        """A float32 array in this memory. What it and its views hold is a lease, and that ends with them."""
        lease = self.lease.from_address(self.address)
        lease.memory = self
        return np.ndarray(shape, np.float32, lease)


@functools.cache
def _lease_type(nbytes: int, take_back: Callable[[_Memory], None]) -> type:
    # NumPy keeps the object whose buffer it was given, but looks through views of arrays for the oldest one:
    # so the owner must be no array. A ctypes array is the one built-in buffer that may lie anywhere.
    class Lease(ctypes.Array):
        _type_ = ctypes.c_char
        _length_ = nbytes

        def __del__(self) -> None:
            take_back(self.memory)

    return Lease


@functools.lru_cache(maxsize=4096)
def _bytes_for(shape: tuple[int, ...]) -> int:
    """Bytes of memory for a float32 array, rounded up so that arrays of nearly equal size can share it"""
    size = 4 * math.prod(shape)
    if size < SMALLEST:
        return size
    step = (1 << size.bit_length() - 1) // (2 if size < LARGE else 8)
    return -(-size // step) * step


POOL = Pool()
empty = POOL.empty

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
