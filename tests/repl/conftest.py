"""A conversation with the bundled model, and a home of its own for every test."""

import io

import pytest
from rich.console import Console

import minigpt2
from minigpt2.repl.session import Session


@pytest.fixture(autouse=True)
def home_of_the_test(tmp_path_factory, monkeypatch):
    """No test reads or writes what belongs to the person who runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    for name in ("MINIGPT2_DEVICE", "MINIGPT2_REPL_INPUT", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def nano():
    """The bundled model, loaded once; a session that goes on with another leaves it alone."""
    return minigpt2.load()


@pytest.fixture
def session(nano):
    """A new conversation that draws 80 cells wide on a file of its own, without colours."""
    return Session(nano, Console(file=io.StringIO(), width=80, color_system=None))
