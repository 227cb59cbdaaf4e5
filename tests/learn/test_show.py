"""Pictures on a terminal, in a pipe and in a notebook."""

import io
import subprocess
import sys
from types import SimpleNamespace

import pytest

from minigpt2.learn import notebook, show
from minigpt2.views import Bars

VIEW = Bars(["a", "b"], [1.0, 2.0])


@pytest.fixture
def notebook_kernel(monkeypatch):
    """IPython as a kernel has it; what was displayed."""
    displayed = []
    shell = SimpleNamespace(kernel=object())
    fake = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=displayed.append))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", fake.display)
    return displayed


def test_in_a_script(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.delitem(sys.modules, "IPython")
    assert not notebook()
    show(VIEW)
    assert "██" in capsys.readouterr().out


def test_in_a_notebook(notebook_kernel, capsys):
    assert notebook()
    show(VIEW)
    assert notebook_kernel == [VIEW]
    assert capsys.readouterr().out == ""


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not notebook()


def test_where_there_is_only_ascii(monkeypatch):
    monkeypatch.setattr(sys, "stdout", paper := io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    show(VIEW)
    paper.flush()
    assert b"##" in paper.buffer.getvalue()


def test_print_never_fails():
    code = "from minigpt2.learn import show; print('café →')"
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (ran.returncode, ran.stdout) == (0, b"caf\\xe9 \\u2192\n"), ran.stderr
