"""Every lesson that there is, run as a script, through `learn --all` and as a notebook, side by side.

A script and a notebook are processes of their own, so lessons cannot lean on each other; `learn --all` runs
all in one, so they cannot be in each other's way either. All runs that the selected tests need start
together, as many at a time as there are cores.
"""

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from lesson_files import LESSONS, ROOT

from minigpt2.learn.cells import read_lesson

PATIENCE = 300.0  # seconds after which a run is given up, on a busy machine

WHOLE = ["-m", "minigpt2", "learn", "--all"]
NOTEBOOK = """
import json, sys, nbformat, nbclient
from minigpt2.learn.cells import read_lesson
from minigpt2.learn.notebooks import notebook_of
book = nbformat.reads(json.dumps(notebook_of(read_lesson(sys.argv[1]))), as_version=4)
nbformat.validate(book)
nbclient.NotebookClient(book, timeout=100, kernel_name="python3").execute()
for cell in book.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", "") or " ".join(output.get("data", {})))
"""
# Starts a command and says how long it has computed, which does not depend on what else runs.
LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(str(used.ru_utime + used.ru_stime))
sys.exit(code)
"""
COMMANDS = {
    "script": lambda path: [str(path)],
    "all": lambda path: ["-m", "minigpt2", "learn", path.name[:2], "--all"],
    "notebook": lambda path: ["-c", NOTEBOOK, str(path)],
}


class LessonRun(NamedTuple):
    """A process that has run a lesson."""

    code: int
    out: str
    err: str
    seconds: float  # that it computed, on one core


def pytest_generate_tests(metafunc):
    if "lesson_path" in metafunc.fixturenames:
        metafunc.parametrize("lesson_path", LESSONS, ids=[path.stem for path in LESSONS], scope="session")


def pytest_configure(config):
    assert LESSONS, "there are no lessons"


@pytest.fixture
def lesson(lesson_path):
    """The lesson in this file."""
    return read_lesson(lesson_path)


@pytest.fixture(scope="session")
def runs(request, tmp_path_factory):
    """(kind, path) -> a LessonRun to come, for every selected test."""
    wanted = dict.fromkeys(
        (kind, item.callspec.params["lesson_path"])
        for item in request.session.items
        for kind in COMMANDS
        if f"{kind}_run" in getattr(item, "fixturenames", ())
    )
    home = tmp_path_factory.mktemp("home")
    every = [("all", path) for path in LESSONS]
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        found = {}
        if all(
            key in wanted for key in every
        ):  # one run for all of them, begun first since it is the longest
            found = dict.fromkeys(every, pool.submit(_run, WHOLE, home, len(LESSONS) * PATIENCE))
        found |= {
            key: pool.submit(_run, COMMANDS[key[0]](key[1]), home) for key in wanted if key not in found
        }
        yield found
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def script_run(runs, lesson_path):
    """The lesson as `python lessons/05_….py` runs it."""
    return runs["script", lesson_path].result()


@pytest.fixture
def all_run(runs, lesson_path):
    """The lesson as `minigpt2 learn --all` runs it; as `minigpt2 learn 5 --all` where not all are wanted."""
    return runs["all", lesson_path].result()


@pytest.fixture
def notebook_run(runs, lesson_path):
    """The lesson as a Jupyter kernel runs its notebook."""
    return runs["notebook", lesson_path].result()


def _run(arguments, home, patience=PATIENCE):
    own = {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "XDG_STATE_HOME": str(home),
        "HF_HOME": str(home),  # a model that only some machines have makes a lesson longer
        "IPYTHONDIR": str(home),
        "JUPYTER_RUNTIME_DIR": str(home),
        "MPLCONFIGDIR": str(home),
        "MPLBACKEND": "agg" if "-c" not in arguments else "module://matplotlib_inline.backend_inline",
    }
    unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "MINIGPT2_DEVICE", "PYTHONIOENCODING", "HF_HUB_CACHE")
    environment = {name: value for name, value in os.environ.items() if name not in unset} | own
    seconds = Path(tempfile.mkdtemp(dir=home), "seconds")
    child = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(seconds), sys.executable, *arguments],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        out, err = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        pytest.fail(f"{arguments}: not ended in {patience:g} s")
    return LessonRun(child.returncode, out, err, float(seconds.read_text()))
