"""A tiny random model and ways to run the command line."""

import contextlib
import os
import pty
import subprocess
import sys

import pytest
from programs import environment, write_tiny_model

from minigpt2.cli import main


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
