"""One training step of InfoNCE on pairs: zero the gradient, forward, loss, backward, clip, AdamW.

Text 2i and text 2i + 1 are a pair. Both sides compute the same step from the same weights, which `first_step`
shows: temperature 0.05, both directions, weight decay on matrices only, the pooling of the model directory.

    minigpt2   both sentences of all pairs as one ragged batch
    sorted     PyTorch, all texts sorted by length in sub-batches of 32, their vectors joined for the loss
    padded     PyTorch, all texts in their order as one batch, padded to the longest
"""

import time
from pathlib import Path

import numpy as np

from . import models
from .rivals import THREADS, padded, sorted_batches

LR = 1e-4
TEMPERATURE = 0.05
BETAS, EPS, DECAY, CLIP = (0.9, 0.98), 1e-8, 0.01, 1.0


class MiniGPT2Step:
    """The functions that the trainer calls."""

    label = "minigpt2"

    def __init__(self, path, ids):
        self.path, self.ids = path, ids[0::2] + ids[1::2]

    def load(self):
        import minigpt2
        from minigpt2.training.optimizer import AdamW

        encoder = minigpt2.load(self.path)
        self.model, self.pooling = encoder.model, encoder.settings.pooling
        self.gradients = self.model.parameters.zeros_like()
        self.optimizer = AdamW(self.model.parameters, BETAS, EPS, DECAY)
        self.first = self.step()

    def measure(self, task):
        started = time.perf_counter()
        self.step()
        return time.perf_counter() - started

    def first_step(self):
        """Loss and length of the gradient of the step that `load` took."""
        return self.first

    def step(self):
        from minigpt2.training.gradients import vector_gradients
        from minigpt2.training.optimizer import clip_gradients

        self.gradients.flat[:] = 0.0
        loss = vector_gradients(self.model, self.ids, self.pooling, _info_nce, self.gradients)
        norm = clip_gradients(self.gradients, CLIP)
        self.optimizer.step(self.gradients, LR)
        return float(loss), float(norm)


def _info_nce(vectors):
    """(M, D) -> loss (), dvectors (M, D)"""
    from minigpt2.training.losses import info_nce, info_nce_backward

    loss, ctx = info_nce(*np.split(vectors, 2), None, TEMPERATURE, symmetric=True)
    danchors, dpositives, _ = info_nce_backward(1.0, ctx)
    return loss, np.concatenate([danchors, dpositives])


class TorchStep:
    """transformers' GPT2Model, autograd and torch.optim.AdamW."""

    label = "PyTorch"

    def __init__(self, path, ids):
        self.path, self.ids = Path(path), ids[0::2] + ids[1::2]

    def load(self):
        import torch

        torch.set_num_threads(THREADS)
        self.torch = torch
        self.module = models.pooling_module(self.path).train()
        self.parameters = list(self.module.parameters())
        groups = [
            {"params": [p for p in self.parameters if p.ndim > 1], "weight_decay": DECAY},
            {"params": [p for p in self.parameters if p.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=LR, betas=BETAS, eps=EPS, fused=True)
        batches = {"sorted": sorted_batches([len(i) for i in self.ids]), "padded": [range(len(self.ids))]}
        self.batches = {
            name: [tuple(map(torch.from_numpy, padded([self.ids[row] for row in rows]))) for rows in parts]
            for name, parts in batches.items()
        }
        order = np.concatenate(batches["sorted"])
        self.back = {"sorted": torch.from_numpy(np.argsort(order)), "padded": slice(None)}
        self.first = self.step("sorted")

    def measure(self, task):
        started = time.perf_counter()
        self.step(task)
        return time.perf_counter() - started

    def first_step(self):
        return self.first

    def step(self, task):
        import torch.nn.functional as F

        self.optimizer.zero_grad()
        vectors = self.torch.cat([self.module(ids, mask) for ids, mask in self.batches[task]])[
            self.back[task]
        ]
        anchors, positives = F.normalize(vectors, dim=1).chunk(2)
        scores = anchors @ positives.T / TEMPERATURE
        right = self.torch.arange(len(scores))
        loss = (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2
        loss.backward()
        norm = self.torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimizer.step()
        return float(loss), float(norm)
