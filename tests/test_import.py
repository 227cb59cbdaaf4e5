"""What importing the package costs in modules; its cost in time is in benchmarks/bench_import.py."""

import subprocess
import sys

import pytest

import minigpt2

HEAVY = ("rich", "cupy", "safetensors", "regex", "torch", "transformers", "argparse", "ctypes.util")


def loaded_by(code):
    """The names of all modules that a fresh interpreter holds after `code`."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_minigpt2_loads_nothing_heavier_than_numpy():
    loaded = loaded_by("import minigpt2")
    assert "numpy" in loaded
    assert not loaded & {name for name in HEAVY if name not in loaded_by("import numpy")}
    assert not [name for name in loaded if name.startswith("minigpt2.")]


def test_the_check_above_can_fail():
    assert "rich" in loaded_by("import minigpt2, rich")


@pytest.mark.parametrize(
    "module", ["backend", "config", "parameters", "ragged", "similarity", "errors", "model"]
)
def test_computing_modules_load_nothing_heavier_either(module):
    assert not loaded_by(f"import minigpt2.{module}") & {"rich", "cupy", "safetensors", "regex", "torch"}


def test_public_names_are_all_there():
    for name in minigpt2.__all__:
        assert getattr(minigpt2, name) is not None
    assert set(minigpt2.__all__) <= set(dir(minigpt2))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'minigpt2' has no attribute 'lod'"):
        _ = minigpt2.lod
