"""A whole training step against PyTorch: transformers' GPT2Model, mean pooling, normalisation and InfoNCE.

Every way to the gradient must give every parameter the one that autograd does: at once, by gradient caching,
with recomputation, accumulated over two batches, and through the chunked next-token head. Run with `-s` to
see the differences, relative to the largest entry of autograd's gradient of that parameter.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import TINY, random_parameters
from transformers import GPT2Config as ReferenceConfig
from transformers import GPT2Model

from minigpt2.model import GPT2
from minigpt2.training.gradients import language_model_gradients, vector_gradients
from minigpt2.training.losses import info_nce, info_nce_backward

torch.set_num_threads(2)

TOLERANCE = 1e-9
TEMPERATURE = 0.1

ANCHORS = [[3, 1, 4], [1], [5, 9, 2, 6, 5], [3, 5, 8, 9], [7, 9, 3]]
POSITIVES = [[2, 7, 1, 8], [2, 8, 1], [8], [4, 5, 9, 0, 4, 5], [(7 * t) % 11 for t in range(40)]]


def pair():
    """Our model and transformers' GPT2Model with the same float64 numbers, dropout off"""
    parameters = random_parameters(TINY)
    fields = {**TINY.to_dict(), "n_inner": TINY.F, "attn_implementation": "eager"}
    fields |= {"bos_token_id": None, "eos_token_id": None}
    fields.pop("architectures")
    reference = GPT2Model(ReferenceConfig(**fields)).double().eval()
    state = {name: torch.from_numpy(view.copy()) for name, view in parameters.items()}
    reference.load_state_dict(state, strict=True)
    return GPT2(TINY, parameters), reference


def reference_vectors(reference, sentences):
    """(M, D) of length 1: each sentence runs by itself, so nothing is padded"""
    hidden = [reference(torch.tensor([sentence])).last_hidden_state[0] for sentence in sentences]
    return F.normalize(torch.stack([rows.mean(dim=0) for rows in hidden]))


def reference_info_nce(anchors, positives):
    scores = anchors @ positives.T / TEMPERATURE
    diagonal = torch.arange(len(scores))
    return 0.5 * (F.cross_entropy(scores, diagonal) + F.cross_entropy(scores.T, diagonal))


def our_info_nce(vectors):
    M = len(vectors) // 2
    loss, ctx = info_nce(vectors[:M], vectors[M:], temperature=TEMPERATURE)
    danchors, dpositives, _ = info_nce_backward(1.0, ctx)
    return loss, np.concatenate([danchors, dpositives])


def compare(case, loss, gradients, reference_loss, reference):
    assert float(loss) == pytest.approx(reference_loss.item(), rel=1e-12)
    assert set(gradients) == {name for name, _ in reference.named_parameters()}
    for name, parameter in reference.named_parameters():
        expected = parameter.grad.numpy()
        # Attention's key bias has no gradient but for rounding.
        scale = max(np.abs(expected).max(), 1e-3)
        difference = float(np.abs(gradients[name] - expected).max() / scale)
        print(f"{case}, {name}: {difference:.2e}")
        assert difference <= TOLERANCE, f"{case}, {name}: {difference:.2e}"


@pytest.mark.parametrize("chunk_texts", [None, 1, 3, 4])
@pytest.mark.parametrize("recompute", [False, True])
def test_info_nce_step(chunk_texts, recompute):
    ours, reference = pair()
    gradients = ours.parameters.zeros_like()
    sentences, how = ANCHORS + POSITIVES, {"chunk_texts": chunk_texts, "recompute": recompute}
    loss = vector_gradients(ours, sentences, "mean", our_info_nce, gradients, **how)
    vectors = reference_vectors(reference, sentences)
    reference_loss = reference_info_nce(vectors[: len(ANCHORS)], vectors[len(ANCHORS) :])
    reference_loss.backward()
    compare(f"InfoNCE, {how}", loss, gradients, reference_loss, reference)


def test_accumulated_step():
    ours, reference = pair()
    gradients, total, reference_total = ours.parameters.zeros_like(), 0.0, 0.0
    for rows in (slice(0, 3), slice(3, 5)):
        sentences = ANCHORS[rows] + POSITIVES[rows]
        loss = vector_gradients(
            ours, sentences, "mean", our_info_nce, gradients, chunk_texts=2, scale=0.5, recompute=True
        )
        total += 0.5 * float(loss)
        vectors = reference_vectors(reference, sentences)
        half = len(sentences) // 2
        reference_total = reference_total + 0.5 * reference_info_nce(vectors[:half], vectors[half:])
    reference_total.backward()
    compare("accumulated", total, gradients, reference_total, reference)


@pytest.mark.parametrize("chunk_tokens", [None, 8])
@pytest.mark.parametrize("recompute", [False, True])
def test_language_model_step(chunk_tokens, recompute):
    ours, reference = pair()
    gradients = ours.parameters.zeros_like()
    how = {"chunk_tokens": chunk_tokens, "recompute": recompute}
    loss = language_model_gradients(ours, ANCHORS + POSITIVES, gradients, **how)
    rows, targets = [], []
    for sentence in ANCHORS + POSITIVES:
        rows.append(reference(torch.tensor([sentence])).last_hidden_state[0, :-1])
        targets += sentence[1:]
    logits = torch.cat(rows) @ reference.wte.weight.T
    reference_loss = F.cross_entropy(logits, torch.tensor(targets))
    reference_loss.backward()
    compare(f"language model, {how}", loss, gradients, reference_loss, reference)
