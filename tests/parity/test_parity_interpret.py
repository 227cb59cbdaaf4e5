"""Looking inside against PyTorch, transformers and scikit-learn. Run with `-s` to see the differences.

A tiny encoder is saved, and transformers' GPT2Model loads the same directory in float64. Differences are
relative to the largest value of the reference.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import random_model
from sklearn.decomposition import PCA
from transformers import GPT2Model

import minigpt2
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.interpret import (
    attention,
    layer_vectors,
    look,
    next_tokens,
    principal_components,
    read,
    similarity_gradient,
    surprise,
)
from minigpt2.layers import POOLINGS
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.tokenizer import ByteTokenizer

torch.set_num_threads(2)

CONFIG = GPT2Config(vocab_size=258, n_positions=24, n_embd=12, n_layer=4, n_head=3, n_inner=20)
TEXTS = ["a cat sat", "x", "the market fell"]
TOLERANCE = 1e-9


def pair(tmp_path, **settings):
    """Our encoder in float64, and transformers' model from the directory that the encoder was saved to"""
    model = random_model(CONFIG, dtype="float32", scale=0.3)
    Encoder(model, ByteTokenizer(), EmbeddingSettings(**settings)).save(tmp_path / "model")
    reference = GPT2Model.from_pretrained(tmp_path / "model", attn_implementation="eager").double().eval()
    return minigpt2.load(tmp_path / "model", dtype="float64"), reference


def compare(case, actual, reference):
    actual, reference = np.asarray(actual), np.asarray(reference)
    assert actual.shape == reference.shape
    scale = np.abs(reference).max()
    assert scale > 0
    difference = float(np.abs(actual - reference).max() / scale)
    print(f"{case}: {difference:.2e}")
    assert difference <= TOLERANCE, f"{case}: {difference:.2e}"


def pooled(rows, kind):
    """(T, D) -> (D,)"""
    if kind == "mean":
        return rows.mean(dim=0)
    if kind == "last":
        return rows[-1]
    if kind == "max":
        return rows.max(dim=0).values
    weights = torch.arange(1, len(rows) + 1, dtype=rows.dtype)
    return (rows * weights[:, None]).sum(dim=0) / weights.sum()


@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize(("a", "b"), [("a cat sat", "the dog"), ("x", "market fell"), ("x", "y")])
def test_similarity_gradient_is_that_of_autograd(a, b, kind, tmp_path):
    encoder, reference = pair(tmp_path, pooling=kind)
    ours = similarity_gradient(encoder, a, b)
    rows, vectors = [], []
    for text in (a, b):
        # GPT2Model adds the position rows to `inputs_embeds`, so its gradient is that of their sum.
        rows.append(reference.wte(torch.tensor([list(text.encode())])).detach().requires_grad_())
        vectors.append(pooled(reference(inputs_embeds=rows[-1]).last_hidden_state[0], kind))
    similarity = F.cosine_similarity(vectors[0], vectors[1], dim=0)
    similarity.backward()
    assert ours.similarity == pytest.approx(similarity.item(), abs=1e-12)
    expected = torch.cat([row.grad[0] for row in rows]).numpy()
    compare(f"gradient, {kind}, {a!r} and {b!r}", ours.gradient, expected)


@pytest.mark.parametrize("kind", POOLINGS)
def test_layer_vectors_are_the_pooled_hidden_states(kind, tmp_path):
    encoder, reference = pair(tmp_path, pooling=kind)
    _, batch = read(encoder, TEXTS)
    ours = layer_vectors(encoder, batch)
    for b, text in enumerate(TEXTS):
        with torch.no_grad():
            states = reference(torch.tensor([list(text.encode())]), output_hidden_states=True).hidden_states
        expected = [F.normalize(pooled(state[0], kind), dim=0).numpy() for state in states]
        compare(f"layer vectors, {kind}, {text!r}", ours[:, b], expected)


def test_attention_and_guesses_are_those_of_transformers(tmp_path):
    encoder, reference = pair(tmp_path)
    for text in TEXTS:
        seen = look(encoder, text)
        ids = torch.tensor([seen.ids])
        with torch.no_grad():
            out = reference(ids, output_attentions=True)
            logits = out.last_hidden_state[0] @ reference.wte.weight.T
        for layer, pattern in enumerate(out.attentions):
            compare(f"attention {layer}, {text!r}", attention(seen, layer), pattern[0].numpy())
        best = logits[-1].softmax(dim=0).topk(5)
        guesses = next_tokens(encoder.model, seen, 5)
        assert guesses.ids.tolist() == best.indices.tolist()
        compare(f"guesses, {text!r}", guesses.probabilities, best.values.numpy())
        if len(seen.ids) > 1:
            losses = F.cross_entropy(logits[:-1], ids[0, 1:], reduction="none")
            compare(f"surprise, {text!r}", surprise(seen).each, losses.numpy())


@pytest.mark.parametrize(("M", "D", "k"), [(9, 5, 2), (4, 7, 3), (40, 30, 4)])
def test_principal_components_are_those_of_scikit_learn(M, D, k):
    vectors = np.random.default_rng(5).standard_normal((M, D)) * np.linspace(1, 4, D) + 2.0
    reference = PCA(k, svd_solver="full")
    points = reference.fit_transform(vectors)
    ours = principal_components(vectors, k)
    compare("mean", ours.mean, reference.mean_)
    compare("explained", ours.explained, reference.explained_variance_ratio_)
    signs = np.sign((ours.axes * reference.components_).sum(axis=1))
    compare("axes", ours.axes, reference.components_ * signs[:, None])
    compare("points", ours.points, points * signs)
