"""Conversations for the tests of commands, and a look at what they draw."""

import functools
import io
import json
import re

import numpy as np
from rich.cells import cell_len
from rich.console import Console

import minigpt2
from minigpt2.backend import choose_backend
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.model import GPT2
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.parameters import Parameters
from minigpt2.repl.exchange import run_line
from minigpt2.repl.session import Session
from minigpt2.tokenizer import ByteTokenizer

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WINDOW = 40
SENTENCES = ("The cat is sleeping", "A feline is resting", "The stock market fell sharply", "Rain is falling")


@functools.cache
def nano():
    return minigpt2.load()


def tiny(xp=np, **settings):
    """A random model over bytes: enough to compare with direct computation, too small to mean anything."""
    config = GPT2Config(vocab_size=256, n_positions=WINDOW, n_embd=18, n_layer=2, n_head=3)
    parameters = Parameters.initialise(config, seed=5)
    parameters.flat *= 5.0  # far enough from zero that texts differ clearly
    backend = choose_backend(xp)
    settings = EmbeddingSettings(**settings)
    return Encoder(GPT2(config, parameters.to(xp)), ByteTokenizer(), settings, backend)


def conversation(encoder=None, lines=(), width=80):
    """A session in which `lines` were typed."""
    session = Session(encoder or nano(), Console(file=io.StringIO(), width=width))
    for line in lines:
        say(session, line)
    return session


def say(session, line):
    """The reply to a line; what it gives to programs must be plain values that JSON can hold."""
    reply = run_line(session, line).reply
    json.dumps(reply.data, allow_nan=False)
    assert not {"line", "input", "command", "error", "milliseconds"} & set(reply.data)  # said of every line
    return reply


def drawn(reply, width=80, colour=None, encoding="utf-8"):
    """What a terminal of this width gets."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=stream,
        width=width,
        height=24,
        color_system=colour,
        force_terminal=colour is not None,
        markup=False,
        highlight=False,
        emoji=False,
    )
    for view in reply.views:
        console.print(view)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def check_drawings(reply, widths=(40, 80, 200)):
    """Nothing is wider than the terminal, ASCII where there is no more, no control character but colours."""
    for width in widths:
        for colour, encoding in (
            (None, "utf-8"),
            (None, "ascii"),
            ("truecolor", "utf-8"),
            ("standard", "ascii"),
        ):
            text = COLOUR.sub("", drawn(reply, width, colour, encoding))
            assert text.strip()
            for row in text.split("\n"):
                assert cell_len(row) <= width, (width, row)
                assert row.isprintable(), row
    for view in reply.views:
        assert view.html().startswith("<")
        assert "\x1b" not in view.html()


def snapshot(session):
    """All that a command may change."""
    numbers = [(s.number, s.text, s.source) for s in session.sentences]
    return numbers, session.vectors.tolist(), session.current, session.numbered


def unit(vectors):
    """(B, D) -> (B, D) in float64 of length 1"""
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
