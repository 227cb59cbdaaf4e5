"""What `bench` counts, by counting; what it times has no right answer."""

import numpy as np
import pytest
from models import random_model

from minigpt2 import speed
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.errors import UsageError
from minigpt2.inference import Computed
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.speed import measure, operations
from minigpt2.tokenizer import ByteTokenizer

CONFIG = GPT2Config(vocab_size=258, n_positions=24, n_embd=12, n_layer=2, n_head=3, n_inner=20)


@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_operations_are_those_of_the_products(attention):
    config = CONFIG.replace(attention=attention)
    lengths = [3, 1, 7]
    counted = 0
    for T in lengths:
        for rows, inner, columns in ((T, 12, 36), (T, 12, 12), (T, 12, 20), (T, 20, 12)):
            counted += 2 * rows * inner * columns
        for t in range(T):
            seen = t + 1 if attention == "causal" else T
            counted += 2 * seen * 12 * 2  # scores, and the mean of the values, over all heads
    assert operations(config, lengths) == counted * config.L
    all_but_two = operations(config, lengths, Computed(9, 9))
    assert operations(config, lengths) - all_but_two == 2 * 2 * config.L * 12 * (48 + 2 * 20)
    assert all_but_two - operations(config, lengths, Computed(9, 5)) == 2 * 4 * 12 * 36


def test_every_round_measures_everything(xp):
    encoder = Encoder(random_model(CONFIG, xp, np.float32), ByteTokenizer())
    texts = ["abc", "", "a", "abcdefg", "x" * 40]
    measured = measure(encoder, texts, rounds=3)
    assert (measured.texts, measured.tokens, measured.longest, measured.one_tokens) == (
        5,
        3 + 1 + 7 + 24,
        24,
        7,
    )
    for seconds in (
        measured.text_seconds,
        measured.ids_seconds,
        measured.tokenize_seconds,
        measured.one_seconds,
    ):
        assert len(seconds) == 3
        assert min(seconds) > 0
    assert measured.peak > 0
    assert measured.computed == (35 if xp is not np else 35 - 3 - 1)
    first = measured.computed
    if xp is np:
        first = encoder.plan().computed(encoder.tokenizer.encode_flat(texts).cut(24)).first
    assert measured.operations == operations(CONFIG, [3, 1, 7, 24], Computed(measured.computed, first))
    assert {"embedding", "qkv", "attention", "gelu", "mlp"} <= set(measured.kinds)


@pytest.mark.parametrize(("texts", "rounds"), [([], 1), (["", ""], 1), (["a"], 0)])
def test_what_cannot_be_measured(texts, rounds):
    encoder = Encoder(random_model(CONFIG, np, np.float32), ByteTokenizer())
    with pytest.raises(UsageError):
        measure(encoder, texts, rounds)


def test_memory_is_read_before_the_peak_takes_any(monkeypatch):
    calls = []
    monkeypatch.setattr(speed, "_most_memory", lambda: calls.append("memory") or 7e6)
    monkeypatch.setattr(speed, "_peak", lambda *_: calls.append("peak") or 1e9)
    encoder = Encoder(random_model(CONFIG, np, np.float32), ByteTokenizer())
    assert measure(encoder, ["abc"], rounds=2).memory == 7e6
    assert calls == ["memory", "peak", "peak"]


def test_a_prompt_is_not_measured():
    settings = EmbeddingSettings(prompts={"query": "abcdef"}, default_prompt_name="query")
    encoder = Encoder(random_model(CONFIG, np, np.float32), ByteTokenizer(), settings)
    prompts = set()

    def watched(texts, prompt):
        prompts.add(prompt)
        return flat_ids(texts, prompt)

    flat_ids, encoder._flat_ids = encoder._flat_ids, watched
    assert measure(encoder, ["abc"], rounds=1).tokens == 3
    assert prompts == {""}
