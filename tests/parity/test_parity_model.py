"""The model against PyTorch and transformers: the same weights, the same numbers, the same gradients.

Run with `-s` to see the largest difference of every case. Differences are relative to the largest value of
the reference tensor. transformers runs sentence by sentence: it needs padding for more, we have none.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import SENTENCES, TINY, random_parameters
from transformers import GPT2Config as ReferenceConfig
from transformers import GPT2LMHeadModel

from minigpt2 import layers
from minigpt2.config import GPT2Config
from minigpt2.layers import POOLINGS, normalize, normalize_backward, pooling, pooling_backward
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters
from minigpt2.ragged import TokenBatch

torch.set_num_threads(2)

PUBLISHED = GPT2Config.named("124M")
FORWARD_TOLERANCE = {"float32": 5e-6, "float64": 1e-12}
GRADIENT_TOLERANCE = 1e-9


def report(case, actual, reference, tolerance):
    """Print max |actual − reference| / max |reference| and require it to be at most `tolerance`."""
    actual, reference = np.asarray(actual), np.asarray(reference)
    assert actual.shape == reference.shape, f"{case}: shape {actual.shape} is not {reference.shape}"
    assert actual.dtype == reference.dtype, f"{case}: {actual.dtype} is not {reference.dtype}"
    assert np.isfinite(reference).all()
    scale = np.abs(reference).max(initial=0.0)
    assert scale > 0, f"{case}: the reference is all zeros and proves nothing"
    difference = float(np.abs(actual - reference).max() / scale)
    print(f"{case}: {difference:.2e}")
    assert difference <= tolerance, f"{case}: {difference:.2e} is over {tolerance:.0e}"
    return difference


def realistic_parameters(config, seed=0):
    """GPT-2's own initialisation in float64, with gains and biases as uneven as after training"""
    parameters = Parameters.initialise(config, seed, np, np.float64)
    rng = np.random.default_rng(seed + 1)
    for name, view in parameters.items():
        if view.ndim == 1:
            view += (0.2 if "ln_" in name else 0.05) * rng.standard_normal(view.shape)
    return parameters


def reference_of(config, parameters):
    """transformers' GPT2LMHeadModel holding the same numbers in the same precision, dropout off"""
    fields = {**config.to_dict(), "n_inner": config.F, "attn_implementation": "eager"}
    fields |= {"bos_token_id": None, "eos_token_id": None}
    fields.pop("architectures")
    reference = (
        GPT2LMHeadModel(ReferenceConfig(**fields)).to(torch.from_numpy(parameters.flat[:0]).dtype).eval()
    )
    state = {f"transformer.{name}": torch.from_numpy(view.copy()) for name, view in parameters.items()}
    state["lm_head.weight"] = state["transformer.wte.weight"]
    reference.load_state_dict(state, strict=True)
    assert reference.lm_head.weight is reference.transformer.wte.weight
    return reference


def pair(config, parameters):
    return GPT2(config, parameters), reference_of(config, parameters)


def run_reference(reference, sentences):
    """Each sentence by itself, one below the other: L+1 hidden states (N, D) and logits (N, V)"""
    runs = [
        reference(torch.tensor([sentence]), output_hidden_states=True) for sentence in sentences if sentence
    ]
    states = [
        torch.cat([run.hidden_states[layer][0] for run in runs])
        for layer in range(len(runs[0].hidden_states))
    ]
    return states, torch.cat([run.logits[0] for run in runs])


def rows_with_a_next_token(sentences):
    """(N,) bool"""
    return torch.tensor([t < len(sentence) - 1 for sentence in sentences for t in range(len(sentence))])


def reference_loss(logits, sentences):
    """The mean next-token loss in the logits' own precision: transformers' own casts them to float32"""
    targets = torch.tensor([token for sentence in sentences for token in sentence[1:]])
    return F.cross_entropy(logits[rows_with_a_next_token(sentences)], targets)


def reference_pooling(rows, kind):
    """(T, D) -> (D,)"""
    T = len(rows)
    if T == 0:
        return rows.new_zeros(rows.shape[1])
    if kind == "mean":
        return rows.mean(dim=0)
    if kind == "weighted_mean":
        weights = torch.arange(1, T + 1, dtype=rows.dtype)
        return (rows * weights[:, None]).sum(dim=0) / weights.sum()
    return rows[-1] if kind == "last" else rows.max(dim=0).values


def reference_pooled(hidden, sentences, kind):
    """(N, D) -> (B, D)"""
    parts = hidden.split([len(sentence) for sentence in sentences])
    return torch.stack([reference_pooling(part, kind) for part in parts])


def compare_forward(case, ours, reference, sentences, dtype):
    """Every hidden state, every pooling, logits, and the loss where there is a next token"""
    tolerance = FORWARD_TOLERANCE[dtype]
    batch = TokenBatch(sentences)
    with torch.no_grad():
        expected, expected_logits = run_reference(reference, sentences)
    states = ours.hidden_states(batch)
    assert len(states) == len(expected) == ours.config.L + 1
    for layer, (state, state_too) in enumerate(zip(states, expected, strict=True)):
        report(f"{case}, {dtype}, hidden state {layer}", state, state_too.numpy(), tolerance)
    for kind in POOLINGS:
        pooled = pooling(states[-1], batch, kind)[0]
        pooled_too = reference_pooled(expected[-1], sentences, kind)
        report(f"{case}, {dtype}, {kind} pooled", pooled, pooled_too.numpy(), tolerance)
        unit, unit_too = normalize(pooled)[0], F.normalize(pooled_too)
        report(f"{case}, {dtype}, {kind} pooled, normalised", unit, unit_too.numpy(), tolerance)
    report(f"{case}, {dtype}, logits", ours.logits(states[-1])[0], expected_logits.numpy(), tolerance)
    if batch.longest > 1:
        loss_too = reference_loss(expected_logits, sentences)
        report(f"{case}, {dtype}, loss", ours.loss(batch)[0], loss_too.numpy(), tolerance)


def compare_gradients(case, gradients, reference):
    worst = max(
        report(f"{case}, gradient of {name}", gradients[name], parameter.grad.numpy(), GRADIENT_TOLERANCE)
        for name, parameter in reference.transformer.named_parameters()
    )
    assert set(gradients) == {name for name, _ in reference.transformer.named_parameters()}
    print(f"{case}: largest of all gradients {worst:.2e}")


dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


# Forward


@dtypes
@pytest.mark.parametrize("name", SENTENCES)
def test_tiny_forward(name, dtype):
    ours, reference = pair(TINY, random_parameters(TINY).to(np, dtype))
    compare_forward(f"tiny, {name}", ours, reference, SENTENCES[name], dtype)


@pytest.fixture(scope="module")
def published_parameters():
    return realistic_parameters(PUBLISHED)


@pytest.fixture(scope="module", params=["float32", "float64"])
def published(request, published_parameters):
    """A model of the 124M's full width, depth and vocabulary, its reference, and their precision"""
    return *pair(PUBLISHED, published_parameters.to(np, request.param)), request.param


def random_sentences(lengths):
    rng = np.random.default_rng(11)
    return [rng.integers(0, PUBLISHED.V, T).tolist() for T in lengths]


def test_124m_forward(published):
    ours, reference, dtype = published
    compare_forward("124M", ours, reference, random_sentences([9, 1, 30, 0, 9, 2]), dtype)


def test_124m_on_1024_tokens(published):
    ours, reference, dtype = published
    compare_forward("124M, 1024 tokens", ours, reference, random_sentences([1024]), dtype)


# Gradients of the whole model


@pytest.mark.parametrize("wants_unit", [False, True], ids=["as pooled", "normalised"])
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("name", SENTENCES)
def test_tiny_gradients_through_pooling(name, kind, wants_unit):
    sentences = SENTENCES[name]
    ours, reference = pair(TINY, random_parameters(TINY))
    batch = TokenBatch(sentences)
    w = np.random.default_rng(4).standard_normal((batch.B, TINY.D))

    pooled_too = reference_pooled(run_reference(reference, sentences)[0][-1], sentences, kind)
    vectors_too = F.normalize(pooled_too) if wants_unit else pooled_too
    (vectors_too * torch.from_numpy(w)).sum().backward()

    hidden, ctx = ours.forward(batch, keep=True)
    pooled, pooling_ctx = pooling(hidden, batch, kind)
    dpooled = normalize_backward(w, normalize(pooled)[1]) if wants_unit else w
    gradients = ours.parameters.zeros_like()
    ours.backward(pooling_backward(dpooled, pooling_ctx), ctx, gradients)
    compare_gradients(f"tiny, {name}, {kind}", gradients, reference)


@pytest.mark.parametrize("name", ["scattered", "adjacent", "unequal"])
def test_tiny_gradients_of_the_language_model_loss(name):
    ours, reference = pair(TINY, random_parameters(TINY))
    reference_loss(run_reference(reference, SENTENCES[name])[1], SENTENCES[name]).backward()
    _, ctx = ours.loss(TokenBatch(SENTENCES[name]), keep=True)
    gradients = ours.parameters.zeros_like()
    ours.loss_backward(ctx, gradients)
    compare_gradients(f"tiny, {name}, loss", gradients, reference)


def test_124m_gradients_of_both_heads(published_parameters):
    """Language-model loss and mean-pooled unit vectors in one backward each, added up, at full size"""
    sentences = random_sentences([9, 1, 30, 0, 9, 2])
    ours, reference = pair(PUBLISHED, published_parameters)
    batch = TokenBatch(sentences)
    w = np.random.default_rng(4).standard_normal((batch.B, PUBLISHED.D))

    states_too, logits_too = run_reference(reference, sentences)
    vectors_too = F.normalize(reference_pooled(states_too[-1], sentences, "mean"))
    (reference_loss(logits_too, sentences) + (vectors_too * torch.from_numpy(w)).sum()).backward()

    gradients = ours.parameters.zeros_like()
    ours.loss_backward(ours.loss(batch, keep=True)[1], gradients)
    hidden, ctx = ours.forward(batch, keep=True)
    pooled, pooling_ctx = pooling(hidden, batch, "mean")
    dpooled = normalize_backward(w, normalize(pooled)[1])
    ours.backward(pooling_backward(dpooled, pooling_ctx), ctx, gradients)
    compare_gradients("124M, loss and mean", gradients, reference)


# Single layers


def leaf(*shape, seed=0, scale=1.0):
    """float64 (…) requiring a gradient, and the same numbers for us"""
    x = scale * np.random.default_rng([seed, *shape]).standard_normal(shape)
    return torch.from_numpy(x.copy()).requires_grad_(), x


def compare_layer(case, y, y_too, gradients, leaves, dy):
    """Outputs, then the gradient of Σ y · dy for every leaf"""
    report(case, y, y_too.detach().numpy(), 1e-12)
    (y_too * torch.from_numpy(dy)).sum().backward()
    for i, (gradient, tensor) in enumerate(zip(gradients, leaves, strict=True)):
        report(f"{case}, gradient {i}", gradient, tensor.grad.numpy(), GRADIENT_TOLERANCE)


def test_block():
    """One block by itself: its output, and the gradients of its input and of every weight"""
    ours, reference = pair(TINY, random_parameters(TINY))
    weights = ours.parameters.subset("h.1.")
    module = reference.transformer.h[1]
    for name, sentences in SENTENCES.items():
        batch = TokenBatch(sentences)
        x_too, x = leaf(batch.N, TINY.D)
        dy = np.random.default_rng(1).standard_normal(x.shape)
        y, ctx = layers.block(x, weights, batch, TINY)
        dx, gradients = layers.block_backward(dy, ctx)

        module.zero_grad()
        parts = [part for part in x_too.split(batch.lengths.tolist()) if len(part)]
        y_too = torch.cat([reference_block(module, part) for part in parts])
        compare_layer(f"block, {name}", y, y_too, [dx], [x_too], dy)
        expected = dict(module.named_parameters())
        assert set(gradients) == set(expected)
        for weight, gradient in gradients.items():
            reference_gradient = expected[weight].grad.numpy()
            report(f"block, {name}, gradient of {weight}", gradient, reference_gradient, GRADIENT_TOLERANCE)


def reference_block(module, rows):
    """(T, D) -> (T, D) with an explicit causal mask: the model, not the block, makes transformers' mask"""
    mask = torch.full((len(rows), len(rows)), -torch.inf, dtype=rows.dtype).triu(diagonal=1)
    output = module(rows[None], attention_mask=mask[None, None])
    return (output[0] if isinstance(output, tuple) else output)[0]  # a tuple before transformers 5


def test_linear():
    (x_too, x), (weight_too, weight), (bias_too, bias) = leaf(7, 6), leaf(6, 10), leaf(10)
    dy = leaf(7, 10, seed=1)[1]
    y, ctx = layers.linear(x, weight, bias)
    y_too = F.linear(x_too, weight_too.T, bias_too)
    compare_layer("linear", y, y_too, layers.linear_backward(dy, ctx), (x_too, weight_too, bias_too), dy)


@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layernorm(eps):
    (x_too, x), (gain_too, gain), (bias_too, bias) = leaf(7, 6), leaf(6), leaf(6, seed=2)
    dy = leaf(7, 6, seed=1)[1]
    y, ctx = layers.layernorm(x, gain, bias, eps)
    y_too = F.layer_norm(x_too, (6,), gain_too, bias_too, eps)
    compare_layer("layernorm", y, y_too, layers.layernorm_backward(dy, ctx), (x_too, gain_too, bias_too), dy)


def test_gelu():
    (x_too, x), dy = leaf(7, 10, scale=3.0), leaf(7, 10, seed=1)[1]
    y, ctx = layers.gelu(x)
    y_too = F.gelu(x_too, approximate="tanh")
    compare_layer("gelu", y, y_too, (layers.gelu_backward(dy, ctx),), (x_too,), dy)


def test_softmax():
    (x_too, x), dy = leaf(2, 3, 4, 5), leaf(2, 3, 4, 5, seed=1)[1]
    y, ctx = layers.softmax(x)
    compare_layer("softmax", y, x_too.softmax(-1), (layers.softmax_backward(dy, ctx),), (x_too,), dy)


def test_embedding():
    batch = TokenBatch([[4, 4, 2], [], [4]])
    (wte_too, wte), (wpe_too, wpe), dy = leaf(11, 6), leaf(8, 6), leaf(4, 6, seed=1)[1]
    y, ctx = layers.embedding(batch.ids, batch.positions, wte, wpe)
    y_too = F.embedding(torch.from_numpy(batch.ids), wte_too)
    y_too = y_too + F.embedding(torch.from_numpy(batch.positions), wpe_too)
    compare_layer("embedding", y, y_too, layers.embedding_backward(dy, ctx), (wte_too, wpe_too), dy)


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "bidirectional"])
@pytest.mark.parametrize("name", SENTENCES)
def test_attend(name, causal):
    H, D = 2, 6
    batch = TokenBatch(SENTENCES[name])
    (qkv_too, qkv), dz = leaf(batch.N, 3 * D), leaf(batch.N, D, seed=1)[1]
    z, ctx = layers.attend(qkv, batch, H, causal)
    parts = []
    for rows in qkv_too.split(batch.lengths.tolist()):
        q, k, v = (part.reshape(len(rows), H, D // H).transpose(0, 1) for part in rows.split(D, dim=1))
        if len(rows):
            out = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)[0]
            parts.append(out.transpose(0, 1).reshape(len(rows), D))
    case = f"attend, {name}, {'causal' if causal else 'bidirectional'}"
    compare_layer(case, z, torch.cat(parts), (layers.attend_backward(dz, ctx),), (qkv_too,), dz)


def test_normalize():
    (x_too, x), dy = leaf(5, 6), leaf(5, 6, seed=1)[1]
    y, ctx = layers.normalize(x)
    compare_layer("normalize", y, F.normalize(x_too), (layers.normalize_backward(dy, ctx),), (x_too,), dy)


def test_cross_entropy():
    (logits_too, logits), targets = leaf(7, 11, scale=3.0), np.array([3, 0, 10, 3, 7, 1, 9])
    loss, ctx = layers.cross_entropy(logits, targets)
    loss_too = F.cross_entropy(logits_too, torch.from_numpy(targets))
    gradients = (layers.cross_entropy_backward(2.5, ctx),)
    compare_layer("cross_entropy", loss, loss_too, gradients, (logits_too,), np.asarray(2.5))
