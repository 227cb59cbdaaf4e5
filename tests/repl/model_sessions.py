"""Conversations with a tiny model for the tests of the commands that change it."""

import functools
import io
import json

import numpy as np
from rich.cells import cell_len
from rich.console import Console

import minigpt2
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.model import GPT2
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.parameters import Parameters
from minigpt2.repl.exchange import run_line
from minigpt2.repl.session import Session
from minigpt2.tokenizer import ByteTokenizer

WORDS = ("cat", "dog", "house", "tree", "river", "car", "train", "book", "song", "city", "rain", "sun")
TYPED = ("the cat in the rain", "a dog in the sun", "song of the river")


@functools.cache
def nano():
    return minigpt2.load()


def tiny_encoder(xp=np, dtype=np.float32, **settings):
    """A random model over bytes, all sizes different."""
    tokenizer = ByteTokenizer()
    config = GPT2Config(vocab_size=tokenizer.vocab_size, n_positions=41, n_embd=12, n_layer=2, n_head=3)
    parameters = Parameters.initialise(config, seed=3, xp=xp, dtype=dtype)
    parameters.flat *= 5.0  # far enough from zero that texts differ clearly
    return Encoder(GPT2(config, parameters), tokenizer, EmbeddingSettings(**settings))


def session_with(texts=TYPED, encoder=None):
    """A session in which these texts have been typed."""
    session = Session(encoder or tiny_encoder(), Console(file=io.StringIO()))
    for text in texts:
        say(session, text)
    return session


def say(session, line):
    """Type a line; its reply, remembered as the loop does. What it gives to programs must be plain values."""
    exchange = run_line(session, line)
    json.dumps(exchange.reply.data, allow_nan=False)
    session.record(exchange)
    return exchange.reply


def write_pairs(path, M=60, seed=0, labels=(0, 1)):
    """A file of pairs: the same words in another order, and other words, in turn."""
    rng = np.random.default_rng(seed)
    lines = ["id\tsentence1\tsentence2\tlabel"]
    for m in range(M):
        words = rng.choice(WORDS, 4)
        other = rng.permutation(words) if m % 2 else rng.choice(WORDS, 3)
        lines.append(f"{m}\t{' '.join(words)} {m}\t{' '.join(other)} {m}\t{labels[m % len(labels)]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def drawn(reply, width=80, *, colours=False, encoding="utf-8"):
    """What a terminal of this width shows of a reply."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    colour = {"color_system": "truecolor", "force_terminal": True} if colours else {"color_system": None}
    console = Console(
        file=stream, width=width, height=24, markup=False, emoji=False, highlight=False, **colour
    )
    for view in reply.views:
        console.print(view)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def check_drawing(reply):
    """Nothing wider than the terminal, ASCII where there is no more, nothing that acts on a terminal."""
    assert reply.views
    for width in (40, 80, 200):
        for encoding in ("utf-8", "ascii"):
            text = drawn(reply, width, encoding=encoding)
            assert text.strip()
            for row in text.splitlines():
                assert cell_len(row) <= width, (width, row)
                assert row.isprintable(), row
    for view in reply.views:
        assert view.html().startswith("<")


def state_of(session):
    """All that a command may change, to compare."""
    return (
        id(session.encoder),
        session.encoder.model.parameters.flat.tobytes(),
        [(s.number, s.text, s.source) for s in session.sentences],
        session.vectors.tobytes(),
        session.current,
        [undo.what for undo in session.undos],
    )
