"""Telling BLAS how many threads to use, with a BLAS that only counts."""

import threading

import pytest

from minigpt2.kernels import blas


@pytest.fixture
def counting(monkeypatch):
    """A BLAS with 3 threads: a list of all numbers it was set to"""
    numbers = [3]
    monkeypatch.setattr(blas, "_control", blas._Control(lambda: numbers[-1], numbers.append))
    monkeypatch.setattr(blas.os, "sched_getaffinity", lambda _: range(64), raising=False)
    return numbers


def test_overlapping_blocks_set_it_once_and_back(counting):
    with blas.one_thread():
        with blas.one_thread():
            assert blas.threads() == 3
        assert counting == [3, 1]
    assert counting == [3, 1, 3]
    with pytest.raises(ZeroDivisionError), blas.one_thread():
        raise ZeroDivisionError
    assert counting == [3, 1, 3, 1, 3]


def test_whoever_asks_at_the_moment_of_setting_hears_the_usual_number(counting, monkeypatch):
    heard, asking = [], []

    def set_to(number):
        counting.append(number)
        asking.append(threading.Thread(target=lambda: heard.append(blas.threads())))
        asking[-1].start()
        asking[-1].join(0.2)

    monkeypatch.setattr(blas, "_control", blas._Control(lambda: counting[-1], set_to))
    with blas.one_thread():
        pass
    for thread in asking:
        thread.join()
    assert heard == [3, 3]


def test_no_more_threads_than_cores_or_than_the_most(counting, monkeypatch):
    counting.append(64)
    assert blas.threads() == blas.MOST_THREADS
    monkeypatch.setattr(blas.os, "sched_getaffinity", lambda _: {5, 7}, raising=False)
    assert blas.threads() == 2
    counting.append(0)
    assert blas.threads() == 1
