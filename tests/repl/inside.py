"""A conversation about a tiny model or the bundled one, for the tests of the commands that look inside it."""

import functools
import io
import json

import numpy as np
import pytest
from models import random_model
from rich.cells import cell_len
from rich.console import Console

import minigpt2
from minigpt2.backend import choose_backend, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.errors import MiniGPT2Error
from minigpt2.layers import layernorm, pooling
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.ragged import TokenBatch
from minigpt2.repl.exchange import run_line
from minigpt2.repl.session import Session
from minigpt2.tokenizer import ByteTokenizer

CONFIG = GPT2Config(vocab_size=258, n_positions=64, n_embd=12, n_layer=4, n_head=3, n_inner=20)

SENTENCE = "The little cat is sleeping on a warm sofa near the window."


def encoder_of(xp=np, config=CONFIG, **settings):
    """Random weights; the tokens are bytes."""
    model = random_model(config, xp, np.float64, scale=0.3)
    backend = choose_backend(xp, dtype="float64")
    return Encoder(model, ByteTokenizer(), EmbeddingSettings(**settings), backend)


@functools.cache
def nano():
    return minigpt2.load()


def session_of(encoder, *texts):
    """A conversation in which these sentences have been typed."""
    session = Session(encoder, Console(file=io.StringIO(), width=80))
    for text in texts:
        session.keep(text, session.embed([text])[0])
        session.current = text
    return session


def ask(session, line):
    """The reply to a line. What --json prints of it is JSON."""
    reply = run_line(session, line).reply
    json.dumps(dict(reply.data), allow_nan=False)
    return reply


def refused(session, line):
    """The message of a line that is refused; the session is as before."""
    before = (session.encoder, list(session.sentences), session.current)
    with pytest.raises(MiniGPT2Error) as caught:
        run_line(session, line)
    assert (session.encoder, list(session.sentences), session.current) == before
    return str(caught.value)


def drawn(reply, width=80, *, encoding="utf-8", color_system=None):
    """What a terminal of that width shows, checked to be inside it."""
    paper = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(
        file=paper,
        width=width,
        height=24,
        force_terminal=True,
        color_system=color_system,
        legacy_windows=False,
    )
    for view in reply.views:
        console.print(view)
    paper.flush()
    text = paper.buffer.getvalue().decode(encoding)
    if color_system is None:
        assert "\x1b" not in text
        assert max(map(cell_len, text.splitlines()), default=0) <= width
    return text


def check_drawings(reply):
    """It draws on every kind of terminal and as HTML; the text at 80 columns."""
    for width in (40, 80, 200):
        assert drawn(reply, width).strip()
        assert drawn(reply, width, encoding="ascii").strip()
        assert drawn(reply, width, color_system="truecolor").strip()
    for view in reply.views:
        assert view.html().startswith("<")
    return drawn(reply)


def ids_of(encoder, text):
    return encoder.tokenizer.encode(text)


def cached(encoder, text):
    """hidden (T, D) and every intermediate of one text, from the model itself"""
    return encoder.model.run_with_cache(TokenBatch([ids_of(encoder, text)], encoder.backend.xp))


def layers_of(encoder, text):
    """L+1 pooled vectors (D,), not normalised, by the layers called one after the other"""
    _, cache = cached(encoder, text)
    model, batch = encoder.model, TokenBatch([ids_of(encoder, text)], encoder.backend.xp)
    L = model.config.L
    states = [cache["embed"], *(cache[f"blocks.{i}.resid_post"] for i in range(L))]
    gain, bias = model.parameters["ln_f.weight"], model.parameters["ln_f.bias"]
    states[-1] = layernorm(states[-1], gain, bias, model.config.layer_norm_epsilon)[0]
    return [to_numpy(pooling(state, batch, encoder.settings.pooling)[0][0]) for state in states]


def cosine(a, b):
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))
