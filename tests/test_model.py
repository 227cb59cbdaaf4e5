import re
import tracemalloc

import naive
import numpy as np
import pytest
from arrays import arrays_in, assert_close, freeze
from models import SENTENCES, TINY, random_model

import minigpt2.model
from minigpt2.backend import asarray, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.errors import DataError, ModelError
from minigpt2.gradcheck import check_gradient, check_parameters
from minigpt2.layers import POOLINGS, normalize, normalize_backward, pooling, pooling_backward
from minigpt2.model import GPT2, next_tokens
from minigpt2.parameters import Parameters
from minigpt2.ragged import TokenBatch

DROPOUT = TINY.replace(embd_pdrop=0.2, attn_pdrop=0.3, resid_pdrop=0.4)

every_batch = pytest.mark.parametrize("name", SENTENCES)
causal_or_not = pytest.mark.parametrize("attention", ["causal", "bidirectional"])


def generator(xp, seed=7):
    return xp.random.default_rng(seed)


def forward_and_backward(model, batch, dhidden, rng=None):
    gradients = model.parameters.zeros_like()
    hidden, ctx = model.forward(batch, keep=True, rng=rng)
    model.backward(dhidden, ctx, gradients)
    return hidden, gradients


def rows_of(batch, b):
    return slice(int(batch.offsets[b]), int(batch.offsets[b + 1]))


# Forward


@every_batch
@causal_or_not
def test_hidden_states_equal_the_loops(name, attention, xp):
    model = random_model(TINY.replace(attention=attention), xp)
    batch = TokenBatch(SENTENCES[name], xp)
    parameters = {name: view.tolist() for name, view in model.parameters.items()}
    expected = naive.hidden_states(
        SENTENCES[name], parameters, TINY.L, TINY.H, attention == "causal", TINY.layer_norm_epsilon
    )
    states = model.hidden_states(batch)
    hidden, _ = model.forward(batch)
    # transformers' convention: the embeddings, each block but the last, and the last one after ln_f.
    assert len(states) == TINY.L + 1
    for state, loops in zip(states, [*expected[:-2], expected[-1]], strict=True):
        assert_close(state, loops, 1e-12)
    assert_close(hidden, expected[-1], 1e-12)


def test_forward_with_and_without_keeping_gives_the_same(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    kept, ctx = model.forward(batch, keep=True)
    hidden, nothing = model.forward(batch)
    assert nothing is None
    assert len(ctx.blocks) == TINY.L
    assert_close(hidden, to_numpy(kept), 0.0)


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_a_batch_without_tokens_gives_no_rows_and_no_gradient(sentences, xp):
    model, batch = random_model(xp=xp), TokenBatch(sentences, xp)
    hidden, gradients = forward_and_backward(model, batch, xp.zeros((0, TINY.D)))
    assert hidden.shape == (0, TINY.D)
    assert not to_numpy(gradients.flat).any()
    assert len(model.hidden_states(batch)) == TINY.L + 1
    assert model.run_with_cache(batch)[0].shape == (0, TINY.D)


def test_the_whole_window_can_be_used_and_no_more(xp):
    model = random_model(xp=xp)
    hidden, _ = model.forward(TokenBatch([[1] * TINY.n_positions], xp))
    assert hidden.shape == (TINY.n_positions, TINY.D)
    for run in (model.forward, model.loss, model.hidden_states, model.run_with_cache):
        with pytest.raises(DataError, match="sentence 1 has 42 tokens, but the model's window is 41"):
            run(TokenBatch([[1], [1] * 42], xp))


def test_an_id_outside_the_vocabulary_is_refused_with_its_place(xp):
    model = random_model(xp=xp)
    for run in (model.forward, model.loss, model.hidden_states, model.run_with_cache):
        with pytest.raises(
            DataError, match=r"token id 11 at position 2 of sentence 1 is outside the vocabulary \(0 to 10\)"
        ):
            run(TokenBatch([[1], [2, 3, 11], [12]], xp))


def test_logits_are_the_products_with_the_token_table(xp):
    model = random_model(xp=xp)
    hidden = np.random.default_rng(1).standard_normal((7, TINY.D))
    logits, ctx = model.logits(asarray(hidden, xp))
    wte = model.parameters["wte.weight"]
    expected = naive.linear(hidden.tolist(), to_numpy(wte).T.tolist(), [0.0] * TINY.V)
    assert_close(logits, expected, 1e-13)
    assert ctx.wte is wte


@every_batch
def test_loss_equals_the_loops(name, xp):
    model, sentences = random_model(xp=xp), SENTENCES[name]
    if name == "one token":
        with pytest.raises(ValueError, match="no sentence has two tokens"):
            model.loss(TokenBatch(sentences, xp))
        return
    loss, nothing = model.loss(TokenBatch(sentences, xp))
    parameters = {name: view.tolist() for name, view in model.parameters.items()}
    hidden = naive.hidden_states(sentences, parameters, TINY.L, TINY.H)[-1]
    rows, targets, start = [], [], 0
    for sentence in sentences:
        for t in range(len(sentence) - 1):
            rows.append(hidden[start + t])
            targets.append(sentence[t + 1])
        start += len(sentence)
    table = [list(column) for column in zip(*parameters["wte.weight"], strict=True)]
    expected = naive.cross_entropy(naive.linear(rows, table, [0.0] * TINY.V), targets)
    assert nothing is None
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-12)


def test_next_tokens_never_cross_a_sentence(xp):
    rows, targets = next_tokens(TokenBatch([[5], [], [1, 2, 3], [4, 6], []], xp))
    assert rows.tolist() == [1, 2, 4]
    assert targets.tolist() == [2, 3, 6]


# Invariants


@causal_or_not
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-13)])
def test_a_sentence_is_the_same_alone_in_any_batch_and_in_any_order(attention, dtype, tolerance, xp):
    model = random_model(TINY.replace(attention=attention), xp, dtype)
    rng = np.random.default_rng(3)
    sentences = [rng.integers(0, TINY.V, T).tolist() for T in (5, 1, 40, 0, 5, 2, 3, 1, 5, 17)]
    alone = [to_numpy(model.forward(TokenBatch([sentence], xp))[0]) for sentence in sentences]
    scale = max(np.abs(hidden).max(initial=0.0) for hidden in alone)
    for _ in range(5):
        order = rng.permutation(len(sentences))[: rng.integers(2, len(sentences) + 1)].tolist()
        batch = TokenBatch([sentences[i] for i in order], xp)
        hidden, _ = model.forward(batch)
        for b, i in enumerate(order):
            assert_close(hidden[rows_of(batch, b)], alone[i], tolerance * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_causal_changing_a_token_leaves_every_earlier_row_untouched_to_the_bit(dtype, xp):
    model = random_model(xp=xp, dtype=dtype)
    sentence = SENTENCES["unequal"][2][:9]
    before = [to_numpy(state) for state in model.hidden_states(TokenBatch([sentence], xp))]
    for t in range(9):
        changed = [*sentence[:t], (sentence[t] + 1) % TINY.V, *sentence[t + 1 :]]
        after = [to_numpy(state) for state in model.hidden_states(TokenBatch([changed], xp))]
        for layer in range(TINY.L + 1):
            np.testing.assert_array_equal(after[layer][:t], before[layer][:t])
        assert (after[-1][t:] != before[-1][t:]).any(axis=1).all(), (
            "a row from t on did not hear of the change"
        )


def test_bidirectional_changing_a_token_changes_every_row(xp):
    model = random_model(TINY.replace(attention="bidirectional"), xp)
    sentence = SENTENCES["unequal"][2][:9]
    before, _ = model.forward(TokenBatch([sentence], xp))
    for t in range(9):
        changed = [*sentence[:t], (sentence[t] + 1) % TINY.V, *sentence[t + 1 :]]
        after, _ = model.forward(TokenBatch([changed], xp))
        assert (to_numpy(after) != to_numpy(before)).any(axis=1).all()


def padded_hidden(sentences, parameters, config):
    """The same model computed the padded way: (B, T) ids with a mask, the rows of padding thrown away."""
    B, T = len(sentences), max(map(len, sentences))
    ids = np.full((B, T), config.V - 1)
    mask = np.zeros((B, T), dtype=bool)
    for b, sentence in enumerate(sentences):
        ids[b, : len(sentence)] = sentence
        mask[b, : len(sentence)] = True
    visible = np.broadcast_to(mask[:, None, None, :], (B, 1, T, T))
    if config.causal:
        visible = visible & np.tri(T, dtype=bool)
    # An empty sentence sees nothing: let it see itself, its rows are thrown away.
    visible = visible | np.eye(T, dtype=bool)

    def norm(x, name):
        x_hat = (x - x.mean(-1, keepdims=True)) / np.sqrt(
            x.var(-1, keepdims=True) + config.layer_norm_epsilon
        )
        return x_hat * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]

    def project(x, name):
        return x @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"]

    x = parameters["wte.weight"][ids] + parameters["wpe.weight"][:T]
    for i in range(config.L):
        qkv = project(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn")
        q, k, v = (
            part.reshape(B, T, config.H, config.K).transpose(0, 2, 1, 3) for part in np.split(qkv, 3, axis=-1)
        )
        scores = np.where(visible, q @ k.transpose(0, 1, 3, 2) / np.sqrt(config.K), -1e300)
        pattern = np.exp(scores - scores.max(-1, keepdims=True))
        pattern /= pattern.sum(-1, keepdims=True)
        x = x + project((pattern @ v).transpose(0, 2, 1, 3).reshape(B, T, config.D), f"h.{i}.attn.c_proj")
        wide = project(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")
        bent = 0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))
        x = x + project(bent, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f")[mask]


@every_batch
@causal_or_not
def test_the_ragged_batch_equals_the_padded_one(name, attention, xp):
    config = TINY.replace(attention=attention)
    model = random_model(config, xp)
    hidden, _ = model.forward(TokenBatch(SENTENCES[name], xp))
    on_host = {name: to_numpy(view) for name, view in model.parameters.items()}
    assert_close(hidden, padded_hidden(SENTENCES[name], on_host, config), 1e-12)


# Dropout


def test_without_a_generator_the_rates_do_nothing(xp):
    batch = TokenBatch(SENTENCES["unequal"], xp)
    plain, _ = random_model(TINY, xp).forward(batch)
    with_rates, _ = random_model(DROPOUT, xp).forward(batch)
    assert_close(with_rates, to_numpy(plain), 0.0)


def test_the_seed_decides_what_dropout_drops(xp):
    model, batch = random_model(DROPOUT, xp), TokenBatch(SENTENCES["unequal"], xp)
    first, again, other, none = (
        to_numpy(model.forward(batch, rng=rng)[0])
        for rng in (generator(xp, 1), generator(xp, 1), generator(xp, 2), None)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != none).any()


def test_each_rate_drops_its_own_place(xp):
    batch = TokenBatch(SENTENCES["unequal"], xp)
    for field in ("embd_pdrop", "attn_pdrop", "resid_pdrop"):
        model = random_model(TINY.replace(**{field: 0.3}), xp)
        _, ctx = model.forward(batch, keep=True, rng=generator(xp))
        first = ctx.blocks[0]
        dropped = {
            "embd_pdrop": ctx.dropout.keep is not None,
            "attn_pdrop": first.attn.attend.dropouts[0].keep is not None,
            "resid_pdrop": first.attn_dropout.keep is not None and first.mlp_dropout.keep is not None,
        }
        assert [name for name, is_on in dropped.items() if is_on] == [field]


# Backward


@every_batch
@causal_or_not
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_gradients_through_pooling_are_what_the_model_does(name, attention, kind, rate, xp):
    config = TINY.replace(attention=attention, embd_pdrop=rate, attn_pdrop=rate, resid_pdrop=rate)
    model, batch = random_model(config, xp), TokenBatch(SENTENCES[name], xp)
    w = asarray(np.random.default_rng(4).standard_normal((batch.B, TINY.D)), xp)

    def loss():
        hidden, _ = model.forward(batch, rng=generator(xp))
        return (normalize(pooling(hidden, batch, kind)[0])[0] * w).sum()

    hidden, ctx = model.forward(batch, keep=True, rng=generator(xp))
    pooled, pooling_ctx = pooling(hidden, batch, kind)
    _, normalize_ctx = normalize(pooled)
    gradients = model.parameters.zeros_like()
    model.backward(pooling_backward(normalize_backward(w, normalize_ctx), pooling_ctx), ctx, gradients)
    checks = check_parameters(f"model, {kind}", loss, gradients, model.parameters)
    assert {check.input for check in checks} == set(model.parameters)


@causal_or_not
@pytest.mark.parametrize("name", ["scattered", "adjacent", "unequal"])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_gradients_of_the_language_model_loss_are_what_the_model_does(name, attention, rate, xp):
    config = TINY.replace(attention=attention, embd_pdrop=rate, attn_pdrop=rate, resid_pdrop=rate)
    model, batch = random_model(config, xp), TokenBatch(SENTENCES[name], xp)
    _, ctx = model.loss(batch, keep=True, rng=generator(xp))
    gradients = model.parameters.zeros_like()
    model.loss_backward(ctx, gradients)
    check_parameters(
        "language model", lambda: model.loss(batch, rng=generator(xp))[0], gradients, model.parameters
    )


def test_gradients_of_the_tied_logits(xp):
    model = random_model(xp=xp)

    def forward(hidden, wte):
        model.parameters["wte.weight"][...] = wte
        logits, ctx = model.logits(hidden)
        return logits, ctx

    def backward(dlogits, ctx):
        gradients = model.parameters.zeros_like()
        return model.logits_backward(dlogits, ctx, gradients), gradients["wte.weight"]

    rng = np.random.default_rng(1)
    inputs = {
        "hidden": asarray(rng.standard_normal((7, TINY.D)), xp),
        "wte": asarray(rng.standard_normal((TINY.V, TINY.D)), xp),
    }
    check_gradient("logits", forward, backward, inputs)


def test_backward_adds_into_what_is_there(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    rng = np.random.default_rng(1)
    gradients = model.parameters.zeros_like()
    total = np.zeros(gradients.flat.shape)
    for _ in range(2):
        dhidden = asarray(rng.standard_normal((batch.N, TINY.D)), xp)
        total += to_numpy(forward_and_backward(model, batch, dhidden)[1].flat)
        _, ctx = model.forward(batch, keep=True)
        model.backward(dhidden, ctx, gradients)
    assert_close(gradients.flat, total, 1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_the_gradient_of_the_embedding_rows_is_what_both_tables_receive(rate, xp):
    config = TINY.replace(embd_pdrop=rate, attn_pdrop=rate, resid_pdrop=rate)
    model, batch = random_model(config, xp), TokenBatch(SENTENCES["scattered"], xp)
    dhidden = asarray(np.random.default_rng(1).standard_normal((batch.N, TINY.D)), xp)
    _, ctx = model.forward(batch, keep=True, rng=generator(xp))
    of_layers = model.parameters.zeros_like()
    dx = to_numpy(model.backward_to_embeddings(dhidden, ctx, of_layers))
    _, whole = forward_and_backward(model, batch, dhidden, generator(xp))
    dwte, dwpe = np.zeros((TINY.V, TINY.D)), np.zeros((TINY.n_positions, TINY.D))
    for row, id, position in zip(dx, batch.ids.tolist(), batch.positions.tolist(), strict=True):
        dwte[id] += row
        dwpe[position] += row
    assert_close(whole["wte.weight"], dwte, 1e-13)
    assert_close(whole["wpe.weight"], dwpe, 1e-13)
    for name, gradient in of_layers.items():
        expected = to_numpy(whole[name])
        assert_close(gradient, np.zeros_like(expected) if name.startswith("w") else expected, 1e-13)


def test_the_way_back_to_the_embedding_rows_needs_no_gradients_and_consumes_the_context(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    dhidden = asarray(np.random.default_rng(1).standard_normal((batch.N, TINY.D)), xp)
    _, ctx = model.forward(batch, keep=True)
    _, again = model.forward(batch, keep=True)
    dx = model.backward_to_embeddings(dhidden, ctx)
    assert_close(
        dx, to_numpy(model.backward_to_embeddings(dhidden, again, model.parameters.zeros_like())), 0.0
    )
    with pytest.raises(ValueError, match="used by an earlier backward: run forward again"):
        model.backward_to_embeddings(dhidden, ctx)
    with pytest.raises(ValueError, match="run forward or loss with keep=True"):
        model.backward_to_embeddings(dhidden, None)


def test_two_sentences_backward_together_equal_each_backward_alone(xp):
    model = random_model(xp=xp)
    batch = TokenBatch(SENTENCES["unequal"], xp)
    dhidden = np.random.default_rng(1).standard_normal((batch.N, TINY.D))
    _, together = forward_and_backward(model, batch, asarray(dhidden, xp))
    total = np.zeros(together.flat.shape)
    for b, sentence in enumerate(SENTENCES["unequal"]):
        part = asarray(dhidden[rows_of(batch, b)], xp)
        total += to_numpy(forward_and_backward(model, TokenBatch([sentence], xp), part)[1].flat)
    assert_close(together.flat, total, 1e-11)


def test_two_forwards_in_flight_do_not_disturb_each_other(xp):
    model = random_model(xp=xp)
    batches = [TokenBatch(SENTENCES[name], xp) for name in ("scattered", "unequal")]
    ups = [asarray(np.random.default_rng(1).standard_normal((b.N, TINY.D)), xp) for b in batches]
    contexts = [model.forward(batch, keep=True)[1] for batch in batches]
    for batch, dhidden, ctx in zip(batches, ups, contexts, strict=True):
        gradients = model.parameters.zeros_like()
        model.backward(dhidden, ctx, gradients)
        expected = forward_and_backward(model, batch, dhidden)[1]
        assert_close(gradients.flat, to_numpy(expected.flat), 1e-13)


def test_a_used_context_is_refused(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    _, ctx = model.forward(batch, keep=True)
    dhidden, gradients = xp.ones((batch.N, TINY.D)), model.parameters.zeros_like()
    model.backward(dhidden, ctx, gradients)
    before = to_numpy(gradients.flat).copy()
    with pytest.raises(ValueError, match="used by an earlier backward: run forward again"):
        model.backward(dhidden, ctx, gradients)
    np.testing.assert_array_equal(to_numpy(gradients.flat), before)


@pytest.mark.parametrize("shape", [(7, 1), (1, TINY.D), (TINY.D,), (8, TINY.D)])
def test_a_gradient_of_another_shape_is_refused_before_anything_is_added(shape, xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    _, ctx = model.forward(batch, keep=True)
    gradients = model.parameters.zeros_like()
    with pytest.raises(ValueError, match=re.escape(f"shape {shape}, but hidden has (7, {TINY.D})")):
        model.backward(xp.ones(shape), ctx, gradients)
    assert not to_numpy(gradients.flat).any()


def test_a_context_that_was_not_kept_is_refused_with_what_to_do(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    gradients = model.parameters.zeros_like()
    _, ctx = model.loss(batch)
    with pytest.raises(ValueError, match="run forward or loss with keep=True"):
        model.loss_backward(ctx, gradients)
    hidden, ctx = model.forward(batch)
    with pytest.raises(ValueError, match="run forward or loss with keep=True"):
        model.backward(hidden, ctx, gradients)


def test_a_used_context_of_the_loss_is_refused_before_anything_is_added(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    _, ctx = model.loss(batch, keep=True)
    model.loss_backward(ctx, model.parameters.zeros_like())
    gradients = model.parameters.zeros_like()
    with pytest.raises(ValueError, match="used by an earlier backward: run forward again"):
        model.loss_backward(ctx, gradients)
    assert not to_numpy(gradients.flat).any()


def test_backward_writes_into_neither_dhidden_nor_context_nor_parameters(xp):
    model, batch = random_model(DROPOUT, xp), TokenBatch(SENTENCES["scattered"], xp)
    _, ctx = model.loss(batch, keep=True, rng=generator(xp))
    kept = [model.parameters.flat, *model.parameters.values(), *arrays_in(ctx)]
    before = [to_numpy(array).copy() for array in kept]
    freeze(kept)
    model.loss_backward(ctx, model.parameters.zeros_like())
    for array, copy in zip(kept, before, strict=True):
        np.testing.assert_array_equal(to_numpy(array), copy)


def test_dloss_scales_the_gradient(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    once, half = model.parameters.zeros_like(), model.parameters.zeros_like()
    model.loss_backward(model.loss(batch, keep=True)[1], once)
    model.loss_backward(model.loss(batch, keep=True)[1], half, dloss=0.5)
    assert_close(half.flat, 0.5 * to_numpy(once.flat), 1e-13)


def test_float32_stays_float32(xp):
    model, batch = random_model(DROPOUT, xp, np.float32), TokenBatch(SENTENCES["unequal"], xp)
    loss, ctx = model.loss(batch, keep=True, rng=generator(xp))
    floats = [array for array in arrays_in(ctx) if array.dtype.kind == "f"]
    assert loss.dtype == np.float32
    assert len(floats) > 10 * TINY.L
    assert all(array.dtype == np.float32 for array in floats)
    gradients = model.parameters.zeros_like()
    model.loss_backward(ctx, gradients)
    assert gradients.flat.dtype == np.float32
    assert all(state.dtype == np.float32 for state in model.hidden_states(batch))


# Going on from the middle


@every_batch
@causal_or_not
def test_going_on_from_any_state_of_the_stream_ends_at_hidden(name, attention, xp):
    model, batch = random_model(TINY.replace(attention=attention), xp), TokenBatch(SENTENCES[name], xp)
    hidden = to_numpy(model.forward(batch)[0])
    stream = list(model.residual_stream(batch))
    assert len(stream) == TINY.L + 1
    for layer, x in enumerate(stream):
        assert_close(model.forward_from(x, batch, layer), hidden, 0.0)
    for layer in (-1, TINY.L + 1):
        with pytest.raises(ValueError, match=f"before layer 0 to 3, not before {layer}"):
            model.forward_from(stream[0], batch, layer)


# Memory

DEEP = GPT2Config(vocab_size=11, n_positions=64, n_embd=32, n_layer=8, n_head=4)


def bytes_in(ctx):
    """Memory of the distinct buffers that a context holds, but for those of the parameters"""
    buffers = {}
    for array in arrays_in(ctx):
        while isinstance(array.base, np.ndarray):
            array = array.base
        buffers[id(array)] = array
    return buffers


@pytest.mark.usefixtures("nothing_lies_idle")
def test_contexts_are_freed_one_block_at_a_time_as_backward_pops_them(monkeypatch):
    model = random_model(DEEP, np, np.float32)
    batch = TokenBatch([[1] * 64] * 8)
    gradients = model.parameters.zeros_like()
    batch.groups_of_equal_length()

    readings = []
    block_backward = minigpt2.model.block_backward

    def measured(dy, ctx):
        readings.append(tracemalloc.get_traced_memory()[0])
        return block_backward(dy, ctx)

    monkeypatch.setattr(minigpt2.model, "block_backward", measured)
    _, probe = model.forward(batch, keep=True)
    flat = model.parameters.flat
    of_blocks = [
        sum(buffer.nbytes for key, buffer in bytes_in(ctx).items() if buffer is not flat)
        for ctx in probe.blocks
    ]
    one_block = min(of_blocks)
    del probe

    tracemalloc.start()
    try:
        _, ctx = model.forward(batch, keep=True)
        dhidden = np.ones((batch.N, DEEP.D), np.float32)
        model.backward(dhidden, ctx, gradients)
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    falls = -np.diff(readings)
    print(f"memory when each block's backward begins: {readings}, one block's context: {one_block}")
    assert len(readings) == DEEP.L
    # The residual stream between two blocks belongs to both contexts, so 0.9 of one is freed at least.
    assert (falls >= 0.9 * one_block).all()
    assert left < one_block, "backward left a context behind"


@pytest.mark.usefixtures("nothing_lies_idle")
def test_without_keeping_memory_does_not_grow_with_the_number_of_layers():
    batch = TokenBatch([[1] * 64] * 8)
    batch.groups_of_equal_length()
    peaks = {}
    for L in (2, 8):
        for keep in (False, True):
            model = random_model(DEEP.replace(n_layer=L), np, np.float32)
            tracemalloc.start()
            try:
                model.forward(batch, keep=keep)
                peaks[L, keep] = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    print(f"peak memory of forward by (layers, keep): {peaks}")
    assert peaks[8, False] < 1.02 * peaks[2, False]
    assert peaks[8, True] > 3 * peaks[2, True], "the measurement does not see contexts at all"


@pytest.mark.usefixtures("nothing_lies_idle")
def test_the_gradient_of_the_logits_is_gone_when_the_blocks_begin(monkeypatch):
    config = DEEP.replace(vocab_size=5000)
    model = random_model(config, np, np.float32)
    batch = TokenBatch([[1] * 64] * 8)
    gradients = model.parameters.zeros_like()
    block_backward, readings = minigpt2.model.block_backward, []

    def measured(dy, ctx):
        readings.append(tracemalloc.get_traced_memory()[0])
        return block_backward(dy, ctx)

    monkeypatch.setattr(minigpt2.model, "block_backward", measured)
    _, ctx = model.loss(batch, keep=True)
    tracemalloc.start()
    try:
        model.loss_backward(ctx, gradients)
    finally:
        tracemalloc.stop()
    assert readings[0] < 0.5 * ctx.cross_entropy.probabilities.nbytes


@pytest.mark.usefixtures("nothing_lies_idle")
def test_hidden_states_hold_one_context_at_a_time():
    batch = TokenBatch([[1] * 64] * 8)
    batch.groups_of_equal_length()
    peaks = []
    for run in ("forward", "hidden_states"):
        model = random_model(DEEP, np, np.float32)
        tracemalloc.start()
        try:
            getattr(model, run)(batch)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    states = (DEEP.L + 1) * batch.N * DEEP.D * 4
    assert peaks[1] < 1.02 * peaks[0] + states


# Construction


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 12}, "wte.weight is (11, 6), but the configuration needs (12, 6)"),
        ({"n_embd": 8}, "wte.weight is (11, 6), but the configuration needs (11, 8)"),
        ({"n_inner": 9}, "h.0.mlp.c_fc.weight is (6, 10), but the configuration needs (6, 9)"),
        ({"n_layer": 4}, "h.3.ln_1.weight is missing, but the configuration needs (6,)"),
        ({"n_layer": 2}, "h.2.ln_1.weight is (6,), but the configuration needs none"),
    ],
)
def test_parameters_of_another_configuration_are_refused_by_name(changes, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        GPT2(TINY.replace(**changes), Parameters.initialise(TINY))


def test_initialise_decides_module_and_precision(xp):
    model = GPT2.initialise(TINY, seed=3, xp=xp, dtype="float64")
    expected = Parameters.initialise(TINY, 3, np, np.float64)
    assert model.parameters.flat.dtype == np.float64
    assert type(model.parameters.flat) is xp.ndarray
    np.testing.assert_array_equal(to_numpy(model.parameters.flat), expected.flat)
    assert GPT2.initialise(TINY, xp=xp).parameters.flat.dtype == np.float32


def test_the_model_reads_its_parameters_anew_at_each_call(xp):
    model, batch = random_model(xp=xp), TokenBatch([[1, 2]], xp)
    before = to_numpy(model.forward(batch)[0])
    model.parameters["h.2.mlp.c_proj.bias"][...] += 1.0 * xp.arange(TINY.D)
    assert (to_numpy(model.forward(batch)[0]) != before).any()
