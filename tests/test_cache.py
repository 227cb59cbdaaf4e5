import re

import numpy as np
import pytest
from arrays import arrays_in, assert_close, freeze
from models import SENTENCES, TINY, random_model

import minigpt2.cache
from minigpt2.backend import to_numpy
from minigpt2.layers import gelu
from minigpt2.ragged import TokenBatch

every_batch = pytest.mark.parametrize("name", [*SENTENCES, "no tokens"])
causal_or_not = pytest.mark.parametrize("attention", ["causal", "bidirectional"])


def run(name, xp, attention="causal"):
    model = random_model(TINY.replace(attention=attention), xp)
    batch = TokenBatch(SENTENCES.get(name, [[], []]), xp)
    return model, batch, *model.run_with_cache(batch)


def documented():
    """Name -> shape, as the table in the module's docstring says, with `i` for the block"""
    table = {}
    for row in re.findall(r"^\| ([a-z].*?) \| (.*?) \|", minigpt2.cache.__doc__, re.MULTILINE):
        names, shape = (cell.strip() for cell in row)
        first, *rest = names.split(", ")
        if first == "name":
            continue
        table[first] = shape
        for suffix in rest:
            table[first.rpartition(".")[0] + suffix] = shape
    return table


@every_batch
@causal_or_not
def test_all_documented_names_are_there_with_their_shapes_and_no_others(name, attention, xp):
    _, batch, _, cache = run(name, xp, attention)
    expected = {}
    for pattern, shape in documented().items():
        for i in range(TINY.L) if ".i." in pattern else [0]:
            expected[pattern.replace(".i.", f".{i}.")] = shape
    assert len(documented()) == 20
    assert sorted(cache) == sorted(expected)
    assert len(cache) == len(expected)
    sizes = {"N": batch.N, "D": TINY.D, "F": TINY.F, "H": TINY.H, "K": TINY.K}
    for key, shape in expected.items():
        value = cache[key]
        if shape.startswith("B arrays"):
            assert [array.shape for array in value] == [(TINY.H, T, T) for T in batch.lengths.tolist()]
        else:
            assert value.shape == tuple(sizes[size] for size in re.findall(r"\w", shape)), key
        assert all(array.dtype == np.float64 for array in arrays_in(value))


@every_batch
def test_hidden_and_stream_are_those_of_forward(name, xp):
    model, batch, hidden, cache = run(name, xp)
    states = model.hidden_states(batch)
    assert_close(hidden, to_numpy(model.forward(batch)[0]), 0.0)
    assert_close(cache["ln_f.out"], to_numpy(hidden), 0.0)
    assert_close(cache["embed"], to_numpy(states[0]), 0.0)
    for i in range(TINY.L - 1):
        assert_close(cache[f"blocks.{i}.resid_post"], to_numpy(states[i + 1]), 0.0)


@every_batch
@causal_or_not
def test_each_activation_follows_from_the_ones_before_it(name, attention, xp):
    model, batch, _, cache = run(name, xp, attention)
    p = {key: to_numpy(view) for key, view in model.parameters.items()}

    def get(key):
        value = cache[key]
        return [to_numpy(array) for array in value] if isinstance(value, list) else to_numpy(value)

    def x_hat(x):
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + TINY.layer_norm_epsilon)

    stream = get("embed")
    rows = [slice(a, b) for a, b in zip(batch.offsets[:-1], batch.offsets[1:], strict=True)]
    for i in range(TINY.L):
        at = f"blocks.{i}."
        w = f"h.{i}."
        assert_close(get(at + "resid_pre"), stream, 0.0)
        for norm, before in (("ln_1", "resid_pre"), ("ln_2", "resid_mid")):
            normalized = get(f"{at}{norm}.normalized")
            assert_close(normalized, x_hat(get(at + before)), 1e-12)
            out = normalized * p[f"{w}{norm}.weight"] + p[f"{w}{norm}.bias"]
            assert_close(get(f"{at}{norm}.out"), out, 1e-12)

        qkv = get(at + "ln_1.out") @ p[w + "attn.c_attn.weight"] + p[w + "attn.c_attn.bias"]
        q, k, v = (get(f"{at}attn.{part}") for part in "qkv")
        joined = np.concatenate([part.reshape(batch.N, TINY.D) for part in (q, k, v)], axis=1)
        assert_close(joined, qkv, 1e-12)

        z = get(at + "attn.z")
        for b, (scores, pattern) in enumerate(
            zip(get(at + "attn.scores"), get(at + "attn.pattern"), strict=True)
        ):
            T = batch.lengths[b]
            expected = np.einsum("thk,uhk->htu", q[rows[b]], k[rows[b]]) / np.sqrt(TINY.K)
            visible = np.tri(T, dtype=bool) if attention == "causal" else np.ones((T, T), dtype=bool)
            assert (scores[:, ~visible] == -np.inf).all()
            assert_close(scores[:, visible], expected[:, visible], 1e-12)
            assert (pattern[:, ~visible] == 0).all()
            assert_close(pattern.sum(-1), np.ones((TINY.H, T)), 1e-14)
            if T:
                powers = np.exp(scores - scores.max(-1, keepdims=True))
                assert_close(pattern, powers / powers.sum(-1, keepdims=True), 1e-14)
            assert_close(z[rows[b]], np.einsum("htu,uhk->thk", pattern, v[rows[b]]), 1e-12)

        attn_out = z.reshape(batch.N, TINY.D) @ p[w + "attn.c_proj.weight"] + p[w + "attn.c_proj.bias"]
        assert_close(get(at + "attn.out"), attn_out, 1e-12)
        assert_close(get(at + "resid_mid"), stream + attn_out, 1e-12)

        pre = get(at + "ln_2.out") @ p[w + "mlp.c_fc.weight"] + p[w + "mlp.c_fc.bias"]
        assert_close(get(at + "mlp.pre"), pre, 1e-12)
        assert_close(get(at + "mlp.post"), gelu(get(at + "mlp.pre"))[0], 1e-12)
        mlp_out = get(at + "mlp.post") @ p[w + "mlp.c_proj.weight"] + p[w + "mlp.c_proj.bias"]
        assert_close(get(at + "mlp.out"), mlp_out, 1e-12)
        stream = get(at + "resid_post")
        assert_close(stream, get(at + "resid_pre") + attn_out + mlp_out, 1e-11)

    assert_close(get("ln_f.normalized"), x_hat(stream), 1e-12)
    assert_close(get("ln_f.out"), get("ln_f.normalized") * p["ln_f.weight"] + p["ln_f.bias"], 1e-12)


def test_looking_changes_nothing(xp):
    model, _, _, cache = run("scattered", xp)
    first = {name: [to_numpy(a).copy() for a in arrays_in(cache[name])] for name in cache}
    freeze([model.parameters.flat, *(a for name in cache for a in arrays_in(cache[name]))])
    for name in reversed(list(cache)):
        for array, expected in zip(arrays_in(cache[name]), first[name], strict=True):
            np.testing.assert_array_equal(to_numpy(array), expected)


def test_it_is_a_read_only_mapping(xp):
    _, batch, _, cache = run("scattered", xp)
    assert cache.batch is batch
    assert "blocks.1.attn.pattern" in cache
    with pytest.raises(TypeError):
        cache["embed"] = 1


@pytest.mark.parametrize("name", ["blocks.3.attn.pattern", "blocks.0.attn", "h.0.attn.pattern", ""])
def test_an_unknown_name_is_a_key_error_that_says_where_names_are(name, xp):
    _, _, _, cache = run("scattered", xp)
    assert name not in cache
    with pytest.raises(KeyError, match=re.escape(f"no activation is called {name!r}: list(cache) gives")):
        cache[name]


def test_repr_says_how_much_there_is():
    model = random_model(TINY)
    _, cache = model.run_with_cache(TokenBatch([[1, 2], [3]]))
    batch = "TokenBatch(2 sentences, 3 tokens, longest 2)"
    assert repr(cache) == f"ActivationCache({len(list(cache))} names of {batch})"
    assert repr(model).startswith("GPT2(GPT2Config(")
