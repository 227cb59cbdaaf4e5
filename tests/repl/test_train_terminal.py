"""A person at a terminal trains the bundled model, stops it, saves it, and takes it back."""

import os
import re

import numpy as np
import pytest
from model_sessions import tiny_encoder, write_pairs
from programs import ROOT
from terminal import Terminal

import minigpt2

DEV = ROOT / "data_sets" / "dev.tsv"
SENTENCES = ("The cat is sleeping", "The cat is not sleeping")
PATIENCE = 120.0  # seconds, for a machine that has much else to do
STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def repl(tmp_path):
    """Start the REPL of the bundled model on a terminal of a given size, and talk with it."""
    started = []
    (tmp_path / "temporary").mkdir()

    def start(width, height, *options):
        values = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
        values |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path / "temporary")}
        values |= {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "2", "NO_COLOR": "1"}
        values["MINIGPT2_REPL_INPUT"] = "readline"
        started.append(Terminal(("repl", "--no-history", *options), values, width, height))
        return Talk(started[-1])

    yield start
    for one in started:
        one.close()
    assert list((tmp_path / "temporary").iterdir()) == []


class Talk:
    """Lines typed, and what comes back."""

    def __init__(self, terminal):
        self.terminal = terminal
        self._answered = 0
        self.wait_for_prompt()

    def wait_for_prompt(self):
        """Until there is a prompt with nothing behind it; what was shown since the last one."""
        self.terminal.wait_for(
            lambda screen: STYLES.sub("", self.terminal.all[self._answered :]).endswith("› "), PATIENCE
        )
        said = STYLES.sub("", self.terminal.all[self._answered :])
        self._answered = len(self.terminal.all)
        return said

    def type(self, line):
        os.write(self.terminal.ours, line.encode() + b"\r")

    def say(self, line):
        self.type(line)
        return self.wait_for_prompt()

    def cosine(self):
        return float(re.search(r"cosine\s+(-?\d\.\d+)", self.say("/sim #1 | #2"))[1])


def at_step(least):
    """Whether the dashboard shows this step or a later one."""

    def reached(screen):
        step = re.search(r"step (\d+) of", screen.text)
        return screen.alternate and step and int(step[1]) >= least and "Ctrl-C stops and keeps" in screen.text

    return reached


@pytest.fixture
def tiny(tmp_path):
    """The option that takes a model whose steps are quick, and pairs to train it on."""
    return ("--model", tiny_encoder().save(tmp_path / "tiny")), write_pairs(tmp_path / "pairs.tsv")


def test_train_stop_save_undo(repl, tmp_path):
    talk = repl(80, 24)
    for sentence in SENTENCES:
        talk.say(sentence)
    before = talk.cosine()
    talk.type(f"/train {DEV} --batch-size 8 --steps 60 --lr 0.001")
    talk.terminal.wait_for(at_step(4), PATIENCE)
    os.write(talk.terminal.ours, b"\x03")
    said = talk.wait_for_prompt()
    assert "what was learned until then is kept" in " ".join(said.split())
    assert "the pairs whose cosine moved most" in said
    assert not talk.terminal.screen.alternate
    assert talk.terminal.screen.cursor_shown

    trained = talk.cosine()
    assert abs(trained - before) > 0.01
    assert "Wrote the model" in talk.say(f"/save {tmp_path / 'model'}")
    assert "Taken back: /train" in talk.say("/undo")
    assert talk.cosine() == before
    talk.type("/quit")
    assert talk.terminal.wait() == 0
    assert talk.terminal.is_as_before()

    for model, cosine in (("nano", before), (tmp_path / "model", trained)):
        a, b = minigpt2.load(model).encode(list(SENTENCES)).astype(np.float64)
        assert a @ b == pytest.approx(cosine, abs=1e-4)


def test_the_whole_run_at_the_large_size(repl, tiny):
    options, pairs = tiny
    talk = repl(160, 50, *options)
    talk.say(SENTENCES[0])
    talk.say(SENTENCES[1])
    talk.type(f"/train {pairs} --batch-size 8 --steps 40")
    talk.terminal.wait_for(lambda screen: screen.alternate and "── learning rate" in screen.text, PATIENCE)
    said = talk.wait_for_prompt()
    assert f"Learned from {pairs}: 40 steps" in " ".join(said.split())
    assert not talk.terminal.screen.alternate
    assert talk.terminal.screen.cursor_shown


@pytest.mark.parametrize("presses", [b"\x03", b"\x03\x03", b"\x03\x03\x03\x03"])
def test_ctrl_c_as_soon_as_the_dashboard_is_there(repl, tiny, presses):
    """Perhaps while the model is validated for the first time, or while the folder is written."""
    options, pairs = tiny
    talk = repl(80, 24, *options)
    for sentence in SENTENCES:
        talk.say(sentence)
    before = talk.cosine()
    talk.type(f"/train {pairs} --batch-size 8 --steps 500000 --lr 1e-7")
    talk.terminal.wait_for(lambda screen: screen.alternate, PATIENCE)
    os.write(talk.terminal.ours, presses)
    said = talk.wait_for_prompt()
    assert "interrupted" in said or "Stopped" in said
    assert "Traceback" not in talk.terminal.all
    assert not talk.terminal.screen.alternate
    assert talk.terminal.screen.cursor_shown
    assert talk.cosine() == pytest.approx(before, abs=1e-3)
    os.write(talk.terminal.ours, b"\x04")
    assert talk.terminal.wait() == 0
    assert talk.terminal.is_as_before()
