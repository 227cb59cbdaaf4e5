"""Cells as code that runs, whatever they do."""

import errno
import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from small_lesson import write_lesson

from minigpt2.learn.claims import claims
from minigpt2.learn.running import Runner


@pytest.fixture
def runner(tmp_path):
    return Runner(write_lesson(tmp_path))


def test_cells_share_their_variables(runner, capsys):
    assert [runner.run(place).problem for place in runner.code_before(7)] == ["", "", ""]
    assert capsys.readouterr().out == "total = 6\nthe total is 6\n"
    assert runner.variables["total"] == 6
    assert runner.code_before(4) == [1, 3]


def test_two_lessons_share_nothing(tmp_path, runner, capsys):
    runner.run_quietly([1, 3])
    assert claims() == {"total": 6}
    other = Runner(write_lesson(tmp_path))
    assert claims() == {}
    assert "NameError" in other.run(6).problem


def test_quiet_is_quiet(runner, capfd):
    assert runner.run_quietly([1, 3, 6]).problem == ""
    assert capfd.readouterr() == ("", "")
    assert "NameError" in Runner(runner.lesson).run_quietly([6, 1]).problem


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("1 + 1", "2\n"),
        ("x = 1\nx", "1\n"),
        ("None", ""),
        ("x = 1", ""),
        ("print(3)", "3\n"),
        ("'a'", "'a'\n"),
    ],
)
def test_the_last_value_is_shown(runner, source, printed, capsys):
    assert runner.run(1, source).problem == ""
    assert capsys.readouterr().out == printed


def test_a_picture_is_drawn(runner, capsys):
    source = "from minigpt2.views import Bars\nBars(['a', 'b'], [1.0, 2.0])"
    assert runner.run(1, source).problem == ""
    assert "█" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1\nraise ValueError('no')", "ValueError: no\n  line 2:  raise ValueError('no')"),
        ("1 / 0", "ZeroDivisionError: division by zero\n  line 1:  1 / 0"),
        (
            "def f():\n    return y\n\n\nf()",
            "NameError: name 'y' is not defined\n  line 5:  f()\n  line 2 of f:  return y",
        ),
        ("x = (", "this is not Python: '(' was never closed\n  line 1:  x = ("),
        ("import sys\nsys.exit(3)", "the cell has called exit: the lesson goes on"),
        ("raise GeneratorExit", "GeneratorExit\n  line 1:  raise GeneratorExit"),
        (
            "assert 1 == 2, 'not the same'",
            "AssertionError: not the same\n  line 1:  assert 1 == 2, 'not the same'",
        ),
    ],
)
def test_errors_are_told_shortly(runner, source, problem):
    ran = runner.run(1, source)
    assert ran.problem == problem
    assert not ran.interrupted
    assert runner.run(1).problem == ""  # and the lesson goes on


def test_an_error_inside_the_package_names_the_place(runner):
    ran = runner.run(1, "from minigpt2.learn import claim\n\nclaim('x', 'y')")
    first, cell, inside = ran.problem.splitlines()
    assert first.startswith("minigpt2.errors.UsageError: ")
    assert cell == "  line 3:  claim('x', 'y')"
    assert inside.startswith("  in minigpt2/learn/claims.py, line ")


def test_an_endless_recursion_is_short(runner):
    ran = runner.run(1, "def f(n):\n    return f(n + 1)\n\n\nf(0)")
    assert ran.problem.startswith("RecursionError: ")
    assert len(ran.problem.splitlines()) < 8


def test_ctrl_c_stops_the_cell_alone(runner):
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    ran = runner.run(1, "kept = 1\nwhile True:\n    pass")
    timer.join()
    assert ran.interrupted
    assert 0.1 < ran.seconds < 20.0
    assert runner.variables["kept"] == 1


def test_a_signal_that_ends_the_program_is_no_error_of_the_cell(runner, monkeypatch):
    def stop(number, frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit) as ended:
            runner.run(1, "import signal\nsignal.raise_signal(signal.SIGTERM)\nwhile True:\n    pass")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 128 + signal.SIGTERM


def test_the_time_limit(runner):
    start = time.perf_counter()
    ran = runner.run(1, "while True:\n    pass", limit=0.2)
    assert "stopped after 0.2 s" in ran.problem
    assert not ran.interrupted
    assert time.perf_counter() - start < 20.0
    assert runner.run(1, "x = 1", limit=30.0).problem == ""


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_the_time_limit_whatever_becomes_of_ctrl_c(runner, handler):
    """A shell without job control starts what runs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        assert "stopped after 0.2 s" in runner.run(1, "while True:\n    pass", limit=0.2).problem
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_time_limit_leaves_no_handler(runner):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    runner.run(1, "while True:\n    pass", limit=0.2)
    runner.run(1, "x = 1", limit=30.0)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)] == before


def test_what_was_shown_may_be_an_array(runner, capsys):
    runner.variables["x"] = np.arange(3)
    assert runner.run(1, "x").problem == ""
    assert capsys.readouterr().out == "array([0, 1, 2])\n"


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    try:\n        pass\n    except Exception:\n        pass",
        "while True:\n    try:\n        pass\n    except KeyboardInterrupt:\n        pass",
        "try:\n    while True:\n        pass\nexcept:\n    pass\nwhile True:\n    pass",
        "import time\ntime.sleep(60)",
    ],
)
def test_the_time_limit_is_hard_to_escape(runner, source):
    start = time.perf_counter()
    assert runner.run(1, source, limit=0.2).problem.startswith("stopped after 0.2 s: ")
    assert time.perf_counter() - start < 20.0


def test_the_time_limit_where_ctrl_c_is_ignored(runner):
    """As in a program that a shell has put into the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ran = runner.run(
            1, "import time\nend = time.time() + 20\nwhile time.time() < end:\n    pass", limit=0.2
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert "stopped after 0.2 s" in ran.problem


def test_the_time_limit_is_over_with_the_cell(runner):
    assert runner.run(1, "x = 1", limit=0.2).problem == ""
    time.sleep(0.4)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


@pytest.mark.parametrize("call", ["exit()", "quit()"])
def test_a_cell_that_calls_exit_leaves_stdin_open(runner, monkeypatch, call):
    with open(os.devnull, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "called exit" in runner.run(1, call).problem
        assert (stdin.closed, sys.stdin.closed) == (True, False)
        assert (sys.stdin.fileno(), sys.stdin.encoding) == (0, "utf-8")


class Gone(io.StringIO):
    """A stdout that nobody reads any more."""

    def write(self, text):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    flush = write


def test_a_stdout_that_is_gone_is_no_error_of_the_cell(runner, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(Gone, "flush", lambda self: self.write(""))
    with pytest.raises(BrokenPipeError):
        runner.run(1, "print(3)")


def test_another_error_of_a_file_is_one(runner):
    assert runner.run(1, "open('/no/such/file')").problem.startswith("FileNotFoundError: ")


STUBBORN = """
import os, signal, sys, threading, time
from minigpt2.learn.cells import CODE, Cell, Lesson
from minigpt2.learn.running import Runner

def press():
    for _ in range(3):
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

rows = ("while True:", " try:", "  time.sleep(10)", " except BaseException:", "  print('caught', flush=True)")
source = "\\n".join(rows)
lesson = Lesson("x", 7, "x", "beginner", 10, (), (Cell(CODE, source, 1),), "x")
runner = Runner(lesson)
runner.variables["time"] = time
threading.Thread(target=press, daemon=True).start()
runner.run(0)
print("not reached")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_the_third_ctrl_c_ends_a_cell_that_catches_the_others():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", STUBBORN], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (-signal.SIGINT, "caught\ncaught\n")
    assert ran.stderr == "\nthe cell catches Ctrl-C and goes on: once more ends minigpt2\n"


def test_ctrl_c_is_pythons_own_again_after_a_cell(runner):
    runner.run(1, "x = 1")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
