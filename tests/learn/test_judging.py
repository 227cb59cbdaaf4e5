"""Whatever a learner's file does becomes one clear verdict."""

import os
import sys
import time

import pytest

from minigpt2.learn.judging import check_apart, check_here
from minigpt2.learn.verdict import BROKEN, NOT_DONE, PASSED, STOPPED, WRONG

HANDED_OUT = '"""Task."""\n\n\ndef double(x):\n    raise NotImplementedError("your turn")\n'
CHECK = """
from minigpt2.learn.checking import same_value

def check(exercise):
    same_value(6, exercise.double(3), "double(3)", [(9, "this squares")])
"""


@pytest.fixture
def files(tmp_path):
    """Write an answer; the paths of it and of its check."""
    (tmp_path / "exercise.py").write_text(HANDED_OUT)
    (tmp_path / "check.py").write_text(CHECK)

    def write(text):
        path = tmp_path / "mine.py"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path, tmp_path / "check.py"

    return write


ENDING = {
    "right": ("def double(x):\n    return 2 * x\n", PASSED, ""),
    "not done": (HANDED_OUT, NOT_DONE, "double still raises NotImplementedError in line 5"),
    "wrong": ("def double(x):\n    return x * x\n", WRONG, "this squares"),
    "no return": ("def double(x):\n    2 * x\n", WRONG, "is its `return` missing"),
    "syntax": ("def double(x)\n    return 2 * x\n", BROKEN, "line 1 is not Python: expected ':'"),
    "indentation": ("def double(x):\nreturn 2 * x\n", BROKEN, "line 2 is not Python"),
    "unclosed": ("def double(x):\n    return (2 * x\n", BROKEN, "'(' was never closed"),
    "zero byte": (b"x = 1\0", BROKEN, "null byte"),
    "not text": (b"\xff\xfe\x00", BROKEN, "save it as UTF-8 text"),
    "renamed": ("def doubel(x):\n    return 2 * x\n", BROKEN, "you have doubel: rename it"),
    "empty": ("", BROKEN, "your file does not define double"),
    "byte order mark": (b"\xef\xbb\xbfdef double(x):\n    return 2 * x\n", PASSED, ""),
    "not UTF-8 in line 2": (b"# coding: latin-1\nx = '\xe9'\n", BROKEN, "line 2 is not UTF-8"),
    "an error that cannot be told": (
        "class Odd(Exception):\n    __str__ = None\ndef double(x):\n    raise Odd\n",
        BROKEN,
        "line 4 fails: Odd",
    ),
    "no function": ("double = 6\n", WRONG, "double is a int"),
    "too many arguments": ("def double(x, y):\n    return 2 * x\n", WRONG, "double should take x; yours is"),
    "too few arguments": ("def double():\n    return 2\n", WRONG, "double should take x; yours is double()"),
    "exception": ("def double(x):\n    return y\n", BROKEN, "line 2 fails: NameError"),
    "exit": ("import sys\nsys.exit(3)\n", BROKEN, "take exit() out"),
    "recursion": ("def double(x):\n    return double(x)\n", BROKEN, "calls itself without end"),
    "a function in C": (
        "import numpy as np\ndouble = np.negative\n",
        WRONG,
        "double(3) should be 6, yours is -3",
    ),
    "not the right one in C": ("double = max\n", BROKEN, "the check cannot use what your code gives"),
    "an index that is a float": (
        "import numpy as np\ndef double(x):\n    return np.arange(9)[np.array([2.0 * x])]\n",
        BROKEN,
        "an index is a whole number",
    ),
    "fails in a call": (
        "def half(x):\n    return x / 0\ndef double(x):\n    return half(x)\n",
        BROKEN,
        "line 2",
    ),
}


@pytest.mark.parametrize("case", ENDING)
def test_verdicts(files, case):
    text, kind, message = ENDING[case]
    verdict = check_here(*files(text))
    assert verdict.kind == kind
    assert message in verdict.text()


def test_the_traceback_holds_the_learners_lines_alone(files):
    verdict = check_here(*files(ENDING["fails in a call"][0]))
    assert verdict.code.splitlines() == ["   4  return half(x)    in double", "   2  return x / 0    in half"]


def test_a_long_traceback_is_cut_and_comments_are_left_out(files):
    assert len(check_here(*files(ENDING["recursion"][0])).code.splitlines()) == 6
    verdict = check_here(*files("def double(x):\n    return x / 0  # a comment\n"))
    assert verdict.code == "   2  return x / 0    in double"


def test_warnings_of_other_files_are_not_the_learners(files):
    text = "import warnings\ndef double(x):\n    warnings.warn_explicit('x', RuntimeWarning, 'other.py', 1)\n"
    verdict = check_here(*files(f"{text}    return 2 * x\n"))
    assert verdict.passed
    assert verdict.warned == ()


def test_an_argument_that_has_become_necessary(files, tmp_path):
    path, check = files("def double(x, times):\n    return times * x\n")
    (tmp_path / "exercise.py").write_text(HANDED_OUT.replace("(x)", "(x, times=2)"))
    assert "double should take x, times" in check_here(path, check).text()


@pytest.mark.skipif(os.name != "posix", reason="process groups as POSIX has them")
def test_what_the_code_has_started_ends_with_the_check(files, tmp_path):
    beats = tmp_path / "beats"
    loop = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('x')\n    time.sleep(0.05)\n"
    text = (
        f"import subprocess, sys, os, time\nsubprocess.Popen([sys.executable, '-c', {loop!r}])\n"
        f"while not os.path.exists({str(beats)!r}):\n    time.sleep(0.05)\n"
        "def double(x):\n    return 2 * x\n"
    )
    assert check_apart(*files(text)).passed
    time.sleep(0.3)
    counted = beats.stat().st_size
    time.sleep(0.5)
    assert beats.stat().st_size == counted > 0


def test_a_file_that_is_not_there(files, tmp_path):
    _, check = files("")
    assert "start the exercise again" in check_here(tmp_path / "gone.py", check).text()


def test_what_is_printed_and_warned_is_kept(files):
    text = (
        "import numpy as np\nprint('at import')\ndef double(x):\n    np.log(np.zeros(1))\n    return 2 * x\n"
    )
    verdict = check_here(*files(text))
    assert verdict.passed
    assert verdict.printed == "at import\n"
    assert verdict.warned == ("line 4: divide by zero encountered in log",)


def test_a_dataclass_in_the_file_works(files):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\n"
        "class Two:\n    n: int = 2\ndef double(x):\n    return Two().n * x\n"
    )
    assert check_here(*files(text)).passed


def test_apart_gives_the_same_verdicts(files):
    text = "print('hello')\ndef double(x):\n    return x * x\n"
    apart, here = check_apart(*files(text)), check_here(*files(text))
    assert apart == here
    assert apart.printed == "hello\n"


def test_an_endless_loop_is_stopped_at_its_line(files):
    text = "def double(x):\n    n = 0\n    while True:\n        n += 1\n"
    verdict = check_apart(*files(text), limit=1.0)
    assert verdict.kind == STOPPED
    assert "stopped after 1 seconds, the time limit of a check; it was in line" in verdict.message
    assert verdict.code.strip()[0] in "34"


def test_a_loop_in_a_folder_that_ascii_cannot_spell(files, tmp_path):
    path, check = files("")
    there = tmp_path / "Übung für José 🙂"
    there.mkdir()
    mine = there / path.name
    mine.write_text("def double(x):\n    while True:\n        pass\n", encoding="utf-8")
    assert "it was in line" in check_apart(mine, check, limit=1.0).message


def test_a_loop_in_a_file_that_has_deleted_itself(files):
    verdict = check_apart(*files("import os\nos.unlink(__file__)\nwhile True:\n    pass\n"), limit=1.0)
    assert verdict.kind == STOPPED
    assert "the time limit of a check" in verdict.message


def test_code_that_deletes_the_folder_it_runs_in(files):
    text = "import os, shutil\nprint('here')\nshutil.rmtree(os.getcwd())\ndef double(x):\n    return 2 * x\n"
    verdict = check_apart(*files(text))
    assert (verdict.kind, verdict.printed) == (PASSED, "here\n")


def test_what_is_left_running_is_not_waited_for(files):
    text = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\n"
        "def double(x):\n    return 2 * x\n"
    )
    start = time.perf_counter()
    assert check_apart(*files(text)).passed
    assert time.perf_counter() - start < 25.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_copy_of_the_process_changes_nothing(files):
    verdict = check_apart(*files("import os\nos.fork()\ndef double(x):\n    return 2 * x\n"))
    assert (verdict.kind, verdict.printed) == (PASSED, "")


def test_a_folder_in_the_place_of_the_file(files, tmp_path):
    _, check = files("")
    (tmp_path / "folder.py").mkdir()
    verdict = check_here(tmp_path / "folder.py", check)
    assert (verdict.kind, verdict.text()) == (BROKEN, "folder.py cannot be read: is a directory")


def test_an_end_without_a_result(files):
    verdict = check_apart(*files("import os\ndef double(x):\n    os._exit(7)\n"))
    assert verdict.kind == STOPPED
    assert "exit code 7" in verdict.message


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_killed_process(files):
    verdict = check_apart(
        *files("import os, signal\ndef double(x):\n    os.kill(os.getpid(), signal.SIGSEGV)\n")
    )
    assert verdict.kind == STOPPED
    assert "SIGSEGV" in verdict.message


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_printing_without_end(files):
    verdict = check_apart(*files("def double(x):\n    while True:\n        print('x' * 10_000)\n"), limit=5.0)
    assert verdict.kind == BROKEN
    assert "prints or writes without end" in verdict.text()
    assert len(verdict.printed) < 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts what NumPy allocates on Linux")
def test_more_memory_than_there_is_to_have(files):
    verdict = check_apart(*files("import numpy as np\ndef double(x):\n    return np.zeros(10**9)\n"))
    assert verdict.kind == BROKEN
    assert "more memory than an exercise needs" in verdict.text()


def test_input_is_refused(files):
    verdict = check_apart(*files("def double(x):\n    return int(input())\n"))
    assert verdict.kind == BROKEN
    assert "input() has nobody to ask" in verdict.text()


def test_files_beside_it_do_not_hide_the_library(files, tmp_path):
    path, check = files("import random\ndef double(x):\n    return 2 * x + 0 * random.randrange(1)\n")
    (tmp_path / "random.py").write_text("raise RuntimeError('not this one')\n")
    assert check_apart(path, check).passed
