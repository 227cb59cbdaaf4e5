"""A whole training step on kernels: the explicit numbers, no new memory, and many threads at once."""

import threading
import tracemalloc

import numpy as np
import pytest
from models import random_model

from minigpt2.config import GPT2Config
from minigpt2.kernels import rows, use_kernels
from minigpt2.kernels.buffers import POOL
from minigpt2.training.gradients import vector_gradients
from minigpt2.training.losses import info_nce, info_nce_backward
from minigpt2.training.optimizer import AdamW

CONFIG = GPT2Config(vocab_size=307, n_positions=48, n_embd=64, n_layer=3, n_head=4)


def sentences(seed, count=64):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, CONFIG.V, int(T)).tolist() for T in rng.integers(3, 41, count)]


def pairs_loss(vectors):
    """InfoNCE of the first half of the vectors with the second"""
    M = len(vectors) // 2
    loss, ctx = info_nce(vectors[:M], vectors[M:])
    danchors, dpositives, _ = info_nce_backward(1.0, ctx)
    return loss, np.concatenate([danchors, dpositives])


class Run:
    def __init__(self):
        self.model = random_model(CONFIG, np, np.float32, scale=0.05)
        self.gradients = self.model.parameters.zeros_like()
        self.optimizer = AdamW(self.model.parameters)

    def step(self, batch, mode="fused"):
        with use_kernels(mode):  # here, since a new thread begins with the mode of the environment
            return self._step(batch)

    def _step(self, batch):
        self.gradients.flat[:] = 0.0
        loss = vector_gradients(self.model, batch, "mean", pairs_loss, self.gradients)
        self.optimizer.step(self.gradients, 1e-3)
        return float(loss)


def test_training_goes_the_explicit_way():
    batches = [sentences(seed, 24) for seed in range(3)]
    losses = {}
    for mode in ("explicit", "fused"):
        run = Run()
        losses[mode] = [run.step(batch, mode) for batch in batches]
    np.testing.assert_allclose(losses["fused"], losses["explicit"], rtol=1e-5)


def test_a_step_takes_no_new_memory(monkeypatch):
    # With several threads it is up to chance how many have scratch at the same time: see the next test.
    monkeypatch.setattr(rows, "threads", lambda: 1)
    run = Run()
    batch = sentences(0)
    for _ in range(3):
        run.step(batch)
    N = sum(map(len, batch))
    one_array = 4 * N * CONFIG.F  # bytes; a step makes more than 20 of this size
    misses = POOL.misses
    tracemalloc.start()
    try:
        run.step(batch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert POOL.misses == misses
    assert peak < one_array / 2, "something large does not come from the pool"
    POOL.clear()
    run.step(batch)
    assert POOL.misses > misses + 20, "the count of misses does not count"


def test_steps_of_other_batches_soon_need_no_new_memory_either():
    run = Run()
    misses = []
    for seed in range(30):
        before = POOL.misses
        run.step(sentences(seed))
        misses.append(POOL.misses - before)
    assert sum(misses[-10:]) <= 20, misses


@pytest.mark.parametrize("threads", [8])
def test_threads_do_not_disturb_each_other(threads):
    batches = [sentences(seed, 24) for seed in range(threads)]
    alone = [Run().step(batch) for batch in batches]
    hidden = {}

    def work(number):
        run = Run()
        losses = [run.step(batches[number])]
        hidden[number] = losses[0], run.gradients.flat.copy()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number, batch in enumerate(batches):
        run = Run()
        assert run.step(batch) == alone[number] == hidden[number][0]
        np.testing.assert_array_equal(run.gradients.flat, hidden[number][1])
