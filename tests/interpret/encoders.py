"""A tiny encoder whose tokens are bytes, and its forward pass from given embedding rows, as the oracle."""

import naive
import numpy as np
from models import random_model

from minigpt2.backend import choose_backend, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.layers import block, layernorm
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.ragged import TokenBatch
from minigpt2.tokenizer import ByteTokenizer

CONFIG = GPT2Config(vocab_size=258, n_positions=24, n_embd=12, n_layer=4, n_head=3, n_inner=20)

# Every way to a vector: the poolings, a prompt that counts, one that is left out.
SETTINGS = {
    "mean": {"pooling": "mean"},
    "weighted": {"pooling": "weighted_mean"},
    "last": {"pooling": "last"},
    "max": {"pooling": "max"},
    "prompt": {"prompts": {"q": "to:"}, "default_prompt_name": "q"},
    "prompt left out": {
        "pooling": "weighted_mean",
        "prompts": {"q": "to:"},
        "default_prompt_name": "q",
        "include_prompt": False,
    },
    "not normalised": {"normalize": False},
}


def encoder_of(xp=np, dtype="float64", config=CONFIG, **settings):
    model = random_model(config, xp, dtype, scale=0.3)
    return Encoder(model, ByteTokenizer(), EmbeddingSettings(**settings), choose_backend(xp, dtype=dtype))


def prompt_of(encoder):
    return encoder.settings.prompts.get(encoder.settings.default_prompt_name, "")


def ids_of(encoder, text):
    """The bytes of prompt and text, cut"""
    return list((prompt_of(encoder) + text).encode())[: encoder.max_seq_length]


def embedding_rows(encoder, sentences):
    """(N, D) on the host"""
    p = {name: to_numpy(view) for name, view in encoder.model.parameters.items()}
    ids = [i for sentence in sentences for i in sentence]
    places = [t for sentence in sentences for t in range(len(sentence))]
    return p["wte.weight"][ids] + p["wpe.weight"][places]


def vectors_from(encoder, x, sentences):
    """Rows x_0 (N, D) -> (B, D) on the host, by the layers one after the other and the pooling loop"""
    model, xp = encoder.model, encoder.backend.xp
    config, batch = model.config, TokenBatch(sentences, xp)
    x = xp.asarray(x)
    for i in range(config.L):
        x = block(x, model.parameters.subset(f"h.{i}."), batch, config)[0]
    gain, bias = model.parameters["ln_f.weight"], model.parameters["ln_f.bias"]
    return pooled_by_loop(encoder, layernorm(x, gain, bias, config.layer_norm_epsilon)[0], sentences)


def pooled_by_loop(encoder, rows, sentences, kind=None):
    """(N, D) -> (B, D) on the host, not normalised"""
    rows, skipped = to_numpy(rows), 0
    if not encoder.settings.include_prompt:
        skipped = len(prompt_of(encoder).encode())
    vectors, start = [], 0
    for sentence in sentences:
        kept = rows[start : start + len(sentence)][skipped:].tolist()
        start += len(sentence)
        zero = [[0.0] * rows.shape[1]]
        kind = kind or encoder.settings.pooling
        vectors += naive.pooling(kept, [len(kept)], kind, skipped) if kept else zero
    return np.array(vectors)
