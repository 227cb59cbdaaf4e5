"""A tiny random model and ways to run the command line."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from minigpt2.cli import main
from minigpt2.config import GPT2Config
from minigpt2.model_directory import EmbeddingSettings, write_model_directory
from minigpt2.parameters import Parameters
from minigpt2.tokenizer import ByteTokenizer

D, WINDOW = 24, 40


def write_tiny_model(path, **settings):
    """A random GPT-2 of two blocks over bytes: enough to run everything, too small to mean anything."""
    tokenizer = ByteTokenizer()
    config = GPT2Config(vocab_size=tokenizer.vocab_size, n_positions=WINDOW, n_embd=D, n_layer=2, n_head=3)
    parameters = Parameters.initialise(config, seed=3)
    parameters.flat *= 5.0  # far enough from zero that texts differ clearly
    return write_model_directory(path, config, parameters, tokenizer, EmbeddingSettings(**settings))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Path of the tiny model, with a prompt called "query"."""
    return str(write_tiny_model(tmp_path_factory.mktemp("models") / "tiny", prompts={"query": "query: "}))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("MINIGPT2_DEVICE", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cli(capsys):
    """Run the program in this process: `code, out, err = cli("embed", "a")`."""

    def run(*argv):
        code = main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def environment(**changes):
    """The environment of a real run: this package first, no colours forced, as few threads as it takes."""
    root = str(Path(__file__).parents[2])
    values = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONIO"))
    }
    return values | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | changes


@pytest.fixture
def process():
    """Run the program as a process of its own: a CompletedProcess with bytes."""

    def run(*argv, stdin=b"", **changes):
        command = [sys.executable, "-m", "minigpt2", *map(str, argv)]
        return subprocess.run(
            command, input=stdin, capture_output=True, env=environment(**changes), timeout=60
        )

    return run


@pytest.fixture
def start():
    """Start the program and leave it running: a Popen, killed at the end of the test if it still runs."""
    running = []

    def run(*argv, stdout=subprocess.PIPE, **changes):
        command = [sys.executable, "-m", "minigpt2", *map(str, argv)]
        pipes = {"stdin": subprocess.PIPE, "stdout": stdout, "stderr": subprocess.PIPE}
        running.append(subprocess.Popen(command, env=environment(**changes), **pipes))
        return running[-1]

    yield run
    for child in running:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def on_a_terminal():
    """Run the program with a terminal for stdout and return what it drew."""

    def run(*argv, **changes):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "minigpt2", *map(str, argv)]
        child = subprocess.Popen(
            command, stdout=theirs, stderr=subprocess.PIPE, env=environment(TERM="xterm", **changes)
        )
        os.close(theirs)
        out = b""
        with contextlib.suppress(OSError):  # raised when the other end is closed
            while some := os.read(ours, 65536):
                out += some
        os.close(ours)
        with child.stderr:
            assert (child.wait(timeout=60), child.stderr.read()) == (0, b"")
        return out.decode("utf-8")

    return run
