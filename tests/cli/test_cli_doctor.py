"""`minigpt2 doctor`"""

import importlib
import json
import sys

import pytest

from minigpt2 import encoder
from minigpt2.backend import gpu_problem
from minigpt2.cli import doctor
from minigpt2.encoder import load


@pytest.fixture(autouse=True)
def model_and_environment(tiny_model, monkeypatch):
    """The tiny model stands for the bundled one; no variable that doctor would talk about is set."""
    monkeypatch.setattr(encoder, "load", lambda: load(tiny_model))
    for name in (*doctor.SLOWING, *doctor.THREADS):
        monkeypatch.delenv(name, raising=False)


def findings(out):
    return {one["topic"]: one for one in json.loads(out)["findings"]}


def test_a_sound_installation(cli):
    code, out, err = cli("doctor", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["ok"]
    found = findings(out)
    assert list(found) == ["python", "minigpt2", *doctor.REQUIRED, "blas", "speed", "gpu", "model"]
    for name in doctor.REQUIRED:
        assert found[name]["facts"]["version"]
    assert found["speed"]["facts"]["gflops"] > 0
    assert found["model"]["facts"]["length"] == pytest.approx(1.0)
    assert found["model"]["facts"]["embed_ms"] > 0
    assert found["gpu"]["facts"]["usable"] == (gpu_problem() is None)
    if gpu_problem():
        assert found["gpu"]["state"] == "note"


def test_plain_lines(cli):
    code, out, _ = cli("doctor")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()].count("ok") >= 9
    assert "pip install 'minigpt2[gpu]'" in out or gpu_problem() is None


def test_terminal(cli, monkeypatch):
    monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    _, out, _ = cli("doctor")
    assert "→ unset OPENBLAS_CORETYPE" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("OPENBLAS_CORETYPE", "Haswell", "warning"),
        ("OPENBLAS_L2_SIZE", "512", "warning"),
        ("NPY_DISABLE_CPU_FEATURES", "AVX2", "warning"),
        ("OMP_NUM_THREADS", "1", "note"),
        ("MINIGPT2_DEVICE", "cpu", "ok"),
        ("MINIGPT2_DEVICE", "abacus", "failure"),
    ],
)
def test_environment_variables(cli, monkeypatch, name, value, state):
    monkeypatch.setattr(doctor, "_cores", lambda: 2)
    monkeypatch.setenv(name, value)
    code, out, _ = cli("doctor", "--json")
    found = findings(out)["environment"]
    assert found["state"] == state
    assert f"{name}={value}" in found["text"]
    assert code == (1 if state == "failure" else 0)
    if state != "ok":
        assert found["remedy"] == f"unset {name}"


def test_enough_threads_are_not_worth_a_word(cli, monkeypatch):
    monkeypatch.setattr(doctor, "_cores", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert "environment" not in findings(cli("doctor", "--json")[1])


def test_a_missing_requirement_fails_with_the_pip_line(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "regex", None)  # makes `import regex` raise
    code, out, _ = cli("doctor", "--json")
    found = findings(out)["regex"]
    assert code == 1
    assert found["state"] == "failure"
    assert found["remedy"] == "pip install --force-reinstall regex"


def test_without_rich_it_still_speaks(cli, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rich" else real(name))
    monkeypatch.setitem(sys.modules, "rich", None)
    code, out, _ = cli("doctor")
    assert code == 1
    assert "FAIL rich" in out
    assert "pip install --force-reinstall rich" in out


def test_a_broken_model_fails(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(encoder, "load", lambda: load(tmp_path))
    code, out, _ = cli("doctor", "--json")
    assert code == 1
    assert findings(out)["model"]["state"] == "failure"
    assert "config.json is missing" in findings(out)["model"]["text"]


def test_kernel_is_found_without_threadpoolctl(monkeypatch):
    """Both ways must agree where both work."""
    asked = doctor.ask_bundled_openblas()
    with_or_without = doctor.blas_facts()
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    without = doctor.blas_facts()
    assert without == {key: asked.get(key, value) for key, value in without.items()}
    assert without["name"] == with_or_without["name"]
    if asked:
        assert without["kernel"]
        assert without == with_or_without
