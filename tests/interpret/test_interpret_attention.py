import math

import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, encoder_of

from minigpt2.backend import to_numpy
from minigpt2.interpret import attention, attention_summary, look

H, L = CONFIG.H, CONFIG.L

causal_or_not = pytest.mark.parametrize("kind", ["causal", "bidirectional"])


def looked(text, xp, kind):
    return look(encoder_of(xp, config=CONFIG.replace(attention=kind)), text)


@causal_or_not
def test_the_pattern_is_softmax_of_query_times_key(kind, xp):
    seen = looked("a cat sat", xp, kind)
    for layer in range(L):
        q, k = (to_numpy(seen.cache[f"blocks.{layer}.attn.{part}"]) for part in "qk")  # (T, H, K)
        pattern = to_numpy(attention(seen, layer))
        assert pattern.shape == (H, 9, 9)
        for head in range(H):
            for t in range(9):
                visible = range(t + 1 if kind == "causal" else 9)
                powers = [math.exp(q[t, head] @ k[u, head] / math.sqrt(CONFIG.K)) for u in visible]
                expected = [power / sum(powers) for power in powers] + [0.0] * (9 - len(powers))
                assert_close(pattern[head, t], expected, 1e-12)
            assert_close(attention(seen, layer, head), pattern[head], 0.0)


def summary_by_loop(pattern, causal):
    T = len(pattern)
    rows = range(1, T) if T > 1 else [0]
    distance = entropy = even = first = previous = itself = 0.0
    for t in rows:
        for u in range(T):
            p = pattern[t][u]
            distance += p * abs(t - u) / len(rows)
            entropy -= p * math.log(p) / len(rows) if p else 0.0
        even += math.log(t + 1 if causal else T) / len(rows)
        first += pattern[t][0] / len(rows)
        previous += pattern[t][t - 1] / len(rows) if t else 0.0
        itself += pattern[t][t] / len(rows)
    return [distance, entropy, entropy / even if even else 0.0, first, previous, itself]


@causal_or_not
@pytest.mark.parametrize("text", ["a cat sat", "ab", "x"])
def test_the_summary_equals_the_loop(text, kind, xp):
    seen = looked(text, xp, kind)
    summary = [to_numpy(values) for values in attention_summary(seen)]
    assert all(values.shape == (L, H) for values in summary)
    for layer in range(L):
        for head in range(H):
            pattern = to_numpy(attention(seen, layer, head)).tolist()
            expected = summary_by_loop(pattern, kind == "causal")
            assert_close(np.array([values[layer, head] for values in summary]), expected, 1e-12)


@causal_or_not
def test_heads_that_look_evenly_have_spread_one(kind, xp):
    encoder = encoder_of(xp, config=CONFIG.replace(attention=kind))
    for layer in range(L):
        encoder.model.parameters[f"h.{layer}.attn.c_attn.weight"][:, : CONFIG.D] = 0.0
        encoder.model.parameters[f"h.{layer}.attn.c_attn.bias"][: CONFIG.D] = 0.0
    summary = attention_summary(look(encoder, "abcde"))
    assert_close(summary.spread, np.ones((L, H)), 1e-12)
    even = (1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 4 if kind == "causal" else 1 / 5
    for share in (summary.first, summary.previous, summary.itself):
        assert_close(share, np.full((L, H), even), 1e-12)


def test_sharp_heads_in_float32_give_no_nan(xp):
    encoder = encoder_of(xp, "float32")
    for layer in range(L):
        encoder.model.parameters[f"h.{layer}.attn.c_attn.weight"][...] *= 1000.0
    summary = attention_summary(look(encoder, "a cat sat"))
    assert all(values.dtype == np.float32 for values in summary)
    assert all(np.isfinite(to_numpy(values)).all() for values in summary)
    assert float(summary.entropy.min()) >= 0.0
