"""`/trace`: its steps are the forward pass, each made of what it says it reads; and keys at a terminal."""

import io
import os
import pty
import re
import sys
import termios
import threading
import time

import numpy as np
import pytest
from inside import (
    CONFIG,
    SENTENCE,
    ask,
    cached,
    check_drawings,
    drawn,
    encoder_of,
    layers_of,
    nano,
    refused,
    session_of,
)
from rich.console import Console

from minigpt2.backend import to_numpy
from minigpt2.repl import keys
from minigpt2.repl.commands import trace
from minigpt2.repl.exchange import run_line

TEXT = "cats purr"


def steps_of(encoder, text=TEXT):
    return {step["name"]: step for step in ask(session_of(encoder, text), "/trace").data["steps"]}


def arrays_of(encoder):
    """Name of a step or parameter -> array on the host"""
    arrays = {name: to_numpy(view) for name, view in encoder.model.parameters.items()}
    _, cache = cached(encoder, TEXT)
    for name in cache:
        found = cache[name]
        arrays[name] = to_numpy(found[0] if isinstance(found, list) else found)
    p, ids = arrays, np.array(encoder.tokenizer.encode(TEXT))
    arrays |= {"ids": ids, "tokens": p["wte.weight"][ids], "positions": p["wpe.weight"][: len(ids)]}
    arrays["pooled"] = layers_of(encoder, TEXT)[-1]
    arrays["vector"] = arrays["pooled"] / np.linalg.norm(arrays["pooled"])
    return arrays


def test_every_step_is_what_the_model_computes(xp):
    encoder = encoder_of(xp)
    arrays = arrays_of(encoder)
    for name, step in steps_of(encoder).items():
        array = arrays[name]
        assert step["shape"] == list(array.shape)
        assert step["makes"].endswith(f" = {array.shape}")
        finite = array[np.isfinite(array)]
        assert step["hidden"] == array.size - finite.size
        for measure in ("mean", "std", "min", "max"):
            assert step[measure] == pytest.approx(getattr(np, measure)(finite), rel=1e-9, abs=1e-12)


def test_the_first_numbers_are_a_corner_of_the_array():
    encoder = encoder_of()
    arrays, steps = arrays_of(encoder), steps_of(encoder)
    np.testing.assert_allclose(steps["embed"]["first"], arrays["embed"][:8, :12])
    np.testing.assert_allclose(steps["blocks.1.mlp.pre"]["first"], arrays["blocks.1.mlp.pre"][:8, :12])
    np.testing.assert_allclose(steps["blocks.2.attn.v"]["first"], arrays["blocks.2.attn.v"][:8, 0, :12])
    np.testing.assert_allclose(steps["vector"]["first"], arrays["vector"])
    for t, row in enumerate(steps["blocks.0.attn.scores"]["first"]):
        assert row[t + 1 :] == [None] * (len(row) - t - 1)
        np.testing.assert_allclose(row[: t + 1], arrays["blocks.0.attn.scores"][0, t, : t + 1])


def test_a_step_reads_what_is_there_before_it_and_its_sizes_are_right():
    """Shapes as the step tells them, `(T, D) · (D, F) + (F,)`, are those of the arrays that it names."""
    encoder = encoder_of()
    arrays = arrays_of(encoder)
    seen = {"the text"}
    for name, step in steps_of(encoder).items():
        for read in step["reads"]:
            assert read in seen or read in encoder.model.parameters, (name, read)
        told = [
            tuple(map(int, re.findall(r"\d+", part)))
            for part in re.findall(r"\([^)]*\)", step["reads_shapes"])
        ]
        read_sizes = [arrays[read].size for read in step["reads"] if read in arrays]
        if name == "tokens":  # the ids say which rows
            read_sizes = read_sizes[:1]
        elif name.endswith(("attn.q", "attn.k", "attn.v")):  # a third of c_attn
            read_sizes[1:] = [size // 3 for size in read_sizes[1:]]
        if name != "ids":
            assert [np.prod(shape) for shape in told] == read_sizes, name
        seen.add(name)
    assert len(seen) == 4 + 14 * CONFIG.L + 3 + 1


def test_what_is_added_is_what_was_read():
    encoder = encoder_of()
    arrays, steps = arrays_of(encoder), steps_of(encoder)
    for name in (
        "embed",
        *(f"blocks.{i}.{end}" for i in range(CONFIG.L) for end in ("resid_mid", "resid_post")),
    ):
        first, second = steps[name]["reads"]
        np.testing.assert_allclose(arrays[first] + arrays[second], arrays[name], rtol=1e-9, atol=1e-12)


def test_the_layers_are_counted_from_0():
    layers = [step["layer"] for step in steps_of(encoder_of()).values()]
    assert layers == [None] * 4 + [i for i in range(CONFIG.L) for _ in range(14)] + [None] * 3


@pytest.mark.parametrize("text", [SENTENCE, "x", "日本語 🙂"])
def test_it_draws_everywhere(text):
    check_drawings(ask(session_of(nano()), f"/trace {text}"))


def test_a_text_without_steps_is_refused():
    assert "type a sentence" in refused(session_of(nano()), "/trace")
    assert "#2" in refused(session_of(nano(), SENTENCE), "/trace #2")


STEPS = [{"layer": layer} for layer in (None, None, 0, 0, 0, 1, 1, None)]


@pytest.mark.parametrize(
    ("key", "at", "leads_to"),
    [
        ("enter", 3, 4),
        ("right", 0, 1),
        ("enter", 7, None),
        ("b", 3, 2),
        ("b", 0, 0),
        ("left", 7, 6),
        ("n", 0, 2),
        ("n", 3, 5),
        ("n", 6, 7),
        ("n", 7, None),
        ("q", 2, None),
        ("escape", 2, None),
        ("end", 2, None),
        ("x", 5, 5),
    ],
)
def test_where_a_key_leads(key, at, leads_to):
    assert trace.destination(key, at, STEPS) == leads_to


class Keyboard:
    """The end of a pseudo-terminal that types; the other one is stdin."""

    def __init__(self, end, settings):
        self.end, self.settings = end, settings  # as they were before

    def type_when_asked(self, keys):
        """Type as soon as keys are read one by one: a line that is being edited would take some of them."""

        def wait():
            while termios.tcgetattr(sys.stdin.fileno()) == self.settings:
                time.sleep(0.001)
            os.write(self.end, keys)

        threading.Thread(target=wait, daemon=True).start()

    def is_as_before(self):
        return termios.tcgetattr(sys.stdin.fileno()) == self.settings


@pytest.fixture
def keyboard(monkeypatch):
    ours, theirs = pty.openpty()
    stdin = os.fdopen(theirs, "r")
    monkeypatch.setattr(sys, "stdin", stdin)
    yield Keyboard(ours, termios.tcgetattr(theirs))
    os.close(ours)
    stdin.close()


def stepped(text=TEXT):
    """A conversation with a person, after /trace: the reply, and the names of the steps that were drawn"""
    session = session_of(encoder_of(), text)
    paper = io.StringIO()
    session.console = Console(file=paper, width=80, force_terminal=True, color_system=None)
    session.interactive = True
    reply = run_line(session, "/trace").reply
    return reply, re.findall(r"Step \d+ of \d+  (?:layer \d, )?(\S+)", paper.getvalue()), paper.getvalue()


def test_keys_walk_through_the_steps(keyboard):
    keyboard.type_when_asked(b"\n\x1b[C bx\x7fnnq")
    reply, names, screen = stepped()
    assert names == [
        "ids",
        "tokens",
        "positions",
        "embed",
        "positions",
        "tokens",
        "blocks.0.ln_1.out",
        "blocks.1.ln_1.out",
    ]
    assert screen.count(trace.KEYS) == len(names)
    assert "Left at step 19 of 63: blocks.1.ln_1.out" in drawn(reply)
    assert len(reply.data["steps"]) == 63
    assert keyboard.is_as_before()


def test_the_last_step_leads_out(keyboard):
    keyboard.type_when_asked(b"nnnnn\n\n\n")
    _, names, _ = stepped()
    assert names[-3:] == ["ln_f.out", "pooled", "vector"]
    assert keyboard.is_as_before()


def test_ctrl_c_is_the_way_out(keyboard, monkeypatch):
    keyboard.type_when_asked(b"\n")
    read, reads = os.read, []

    def interrupted(*arguments):
        reads.append(arguments)
        if len(reads) == 2:
            raise KeyboardInterrupt
        return read(*arguments)

    monkeypatch.setattr(keys.os, "read", interrupted)
    reply, names, _ = stepped()
    assert names == ["ids", "tokens"]
    assert "Left at step 2" in drawn(reply)
    assert keyboard.is_as_before()


def test_whatever_happens_the_terminal_is_as_before(keyboard, monkeypatch):
    monkeypatch.setattr(trace, "_view", None)
    with pytest.raises(TypeError):
        stepped()
    assert keyboard.is_as_before()


def test_keys_have_names(keyboard):
    with keys.single_keys() as next_key:
        assert not keyboard.is_as_before()
        os.write(keyboard.end, "a\r\x1b[D\x1bOB\x7fé".encode())
        assert [next_key() for _ in range(6)] == ["a", "enter", "left", "down", "backspace", "é"]
        os.write(keyboard.end, b"\x1b")
        assert next_key() == "escape"
        os.write(keyboard.end, b"\x04")
        assert next_key() == "end"
    assert keyboard.is_as_before()


def test_a_system_without_termios_has_no_keys(keyboard, monkeypatch):
    assert keys.can_read_keys()
    monkeypatch.setitem(sys.modules, "termios", None)
    assert not keys.can_read_keys()


def test_where_no_keys_can_be_read_all_steps_follow_one_another(monkeypatch):
    for stdin in (io.StringIO("\n"), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert not keys.can_read_keys()
        reply, names, _ = stepped()
        assert names == []
        assert drawn(reply).count("Step ") == 63
