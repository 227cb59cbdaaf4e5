"""Which version of a function runs: by the switch, the environment and the arrays."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from programs import environment

import minigpt2
from minigpt2 import kernels
from minigpt2.errors import UsageError
from minigpt2.half_products import half_products
from minigpt2.kernels import kernel, mode, replaceable, use_kernels


@pytest.fixture
def pair():
    """A replaceable function and its kernel; both say who they are."""

    @replaceable
    def who(x, only=None):
        return "explicit"

    @kernel(who, np.ndarray)
    def who_kernel(x, only=None):
        return NotImplemented if only == "explicit" else "fused"

    yield who
    kernels._replaceable.remove(who)


X = np.ones((2, 3), np.float32)


def test_the_switch(pair):
    with use_kernels("fused"):
        assert pair(X) == pair(x=X) == "fused"
        with use_kernels("explicit"):
            assert pair(X) == "explicit"
            assert mode() == "explicit"
        assert pair(X) == "fused"
    assert pair.explicit(X) == "explicit"
    assert minigpt2.use_kernels is use_kernels


def test_the_switch_holds_after_an_error(pair):
    before = mode()
    with pytest.raises(ZeroDivisionError), use_kernels("explicit"):
        raise ZeroDivisionError
    assert mode() == before


def test_the_switch_is_for_one_thread(pair):
    seen = []
    default = pair(X)
    other = "explicit" if mode() == "fused" else "fused"
    with use_kernels(other):
        thread = threading.Thread(target=lambda: seen.append(pair(X)))
        thread.start()
        thread.join()
        assert pair(X) == other
    assert seen == [default]


def test_what_a_kernel_is_not_for(pair):
    with use_kernels("fused"):
        assert pair(X.astype(np.float64)) == "explicit"
        assert pair([1.0]) == "explicit"
        assert pair(X, only="explicit") == "explicit"
        assert pair(X.view(type("Other", (np.ndarray,), {}))) == "explicit"
        with half_products("bfloat16", allow_cpu=True):
            assert pair(X) == "explicit"


def test_another_mode_is_refused():
    with (
        pytest.raises(UsageError, match="kernels is 'fast': use one of explicit, fused"),
        use_kernels("fast"),
    ):
        pass


def test_what_is_registered(pair):
    entries = {entry.explicit: entry for entry in kernels.registered(np.ndarray)}
    entry = entries[pair.explicit]
    assert entry.array_type is np.ndarray
    assert entry.kernel(X) == "fused"
    assert minigpt2.layers.layernorm.explicit in entries
    assert minigpt2.layers.layernorm.__name__ == "layernorm"


def run(code, **variables):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True)


@pytest.mark.parametrize("value", ["", "explicit", "fused"])
def test_the_environment_decides(value):
    done = run("from minigpt2 import kernels; print(kernels.mode())", MINIGPT2_KERNELS=value)
    assert done.stdout.strip() == (value or "fused")


def test_a_wrong_environment_is_told_in_one_line():
    done = run("import minigpt2, minigpt2.layers", MINIGPT2_KERNELS="fast")
    assert done.returncode == 0, "importing asks for no kernel"
    code = "from minigpt2.cli import main; import sys; sys.exit(main(['similarity', 'a cat', 'a dog']))"
    done = run(code, MINIGPT2_KERNELS="fast")
    assert done.returncode == 2
    assert "MINIGPT2_KERNELS is 'fast': use one of explicit, fused" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_layers_imports_no_kernel():
    code = "import minigpt2.layers, minigpt2.model, sys; print([m for m in sys.modules if 'kernels.' in m])"
    assert run(code).stdout.strip() == "[]"
