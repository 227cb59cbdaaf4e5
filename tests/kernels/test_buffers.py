"""The pool: memory comes back when the last view is gone, never before, and what lies idle is bounded."""

import gc
import os
import signal
import threading

import numpy as np
import pytest

from minigpt2.kernels.buffers import ALIGNMENT, POOL, SMALLEST, Pool, _Memory, empty


def address(array):
    return array.__array_interface__["data"][0]


def test_what_is_handed_out():
    pool = Pool()
    for shape in [(3, 1000), (1025,), (2, 5, 700), (64, 1, 16)]:
        x = pool.empty(shape)
        assert (x.shape, x.dtype) == (shape, np.float32)
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert address(x) % ALIGNMENT == 0
        x[...] = 1.0


def test_memory_is_used_again_when_the_last_view_is_gone():
    pool = Pool()
    x = pool.empty((100, 60))
    where = address(x)
    views = [x[3:].T[2:7, ::2], x.reshape(-1)[5:], np.asarray(memoryview(x))[1:2]]
    del x
    while views:
        other = pool.empty((100, 60))
        assert address(other) != where, "a view still shows this memory"
        views.pop()
    again = pool.empty((100, 60))
    assert address(again) in (where, address(other))
    del other
    assert {address(pool.empty((100, 60))) for _ in range(3)} != set()
    assert pool.misses <= 3


def test_an_array_that_is_held_keeps_its_numbers():
    pool = Pool()
    rng = np.random.default_rng(0)
    held = []
    for i in range(400):
        shape = (int(rng.integers(20, 60)), int(rng.integers(60, 70)))
        x = pool.empty(shape)
        x[...] = i
        if i % 3 == 0:
            held.append((i, x[2:, 1:]))
        if len(held) > 20:
            del held[int(rng.integers(20))]
        assert all((view == number).all() for number, view in held)
    assert pool.hits > 250


def test_nearly_equal_sizes_share_memory():
    pool = Pool()
    for N in range(2000, 2100):
        pool.empty((N, 64))
    assert pool.misses <= 2


def test_what_lies_idle_is_bounded():
    pool = Pool(largest_idle=1 << 20)
    arrays = [pool.empty((n, 1024)) for n in range(1, 200)]
    del arrays
    assert 0 < pool.idle_bytes <= 1 << 20
    pool.clear()
    assert pool.idle_bytes == 0


def test_the_sizes_not_met_for_longest_go_first():
    one, two, four = SMALLEST // 4, SMALLEST // 2, SMALLEST  # numbers; of 4 bytes each
    pool = Pool(largest_idle=6 * SMALLEST)
    for numbers in (two, one, two, four):
        pool.empty((numbers,))
    assert pool.idle_bytes == 6 * SMALLEST
    misses = pool.misses
    held = [pool.empty((two,)), pool.empty((four,))]
    assert pool.misses == misses
    held.append(pool.empty((one,)))
    assert pool.misses == misses + 1


def test_small_arrays_are_left_to_numpy():
    pool = Pool()
    pool.empty((SMALLEST // 4 - 1,))
    pool.empty((0, 7))
    assert (pool.hits, pool.misses) == (0, 0)


def test_arrays_in_a_reference_cycle_come_back_with_the_garbage_collection():
    pool = Pool()
    cycle = [pool.empty((64, 64))]
    cycle.append(cycle)
    where = address(cycle[0])
    del cycle
    gc.collect()
    assert address(pool.empty((64, 64))) == where


def test_threads_never_share_memory():
    pool = Pool()
    problems = []

    def work(number):
        rng = np.random.default_rng(number)
        held = []
        for i in range(300):
            x = pool.empty((int(rng.integers(30, 40)), 50))
            x[...] = number * 1000 + i
            held.append((number * 1000 + i, x))
            if len(held) > 5:
                value, old = held.pop(0)
                if not (old == value).all():
                    problems.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert pool.hits > 2000


def test_what_came_back_while_the_pool_was_busy_is_found_again():
    pool = Pool()
    x = pool.empty((64, 64))
    where = address(x)
    with pool._lock:  # as when a garbage collection starts in the middle of `empty`
        del x
    assert address(pool.empty((64, 64))) == where


def test_an_interrupt_leaves_the_pool_open(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    pool = Pool()
    monkeypatch.setattr(pool, "_sort_in", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.take_back(_Memory(SMALLEST, pool.take_back))
    monkeypatch.undo()
    assert not pool._lock.locked()
    pool.empty((SMALLEST // 4,))
    assert pool.hits == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_that_is_not_there():
    with POOL._lock:  # as if another thread had it
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            x = empty((64, 64))
            del x
            os._exit(0 if POOL.idle_bytes == 64 * 64 * 4 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
