"""`minigpt2 learn 1` on a pseudo-terminal, as a person sees it."""

import contextlib
import os
import signal
import sys
import time

import pytest
from conftest import environment
from terminal import Terminal

from minigpt2.learn.library import find_lesson

ENTER = "\r"


@pytest.fixture
def terminal(tmp_path, request):
    """Start it on a terminal of a size; closed at the end."""
    open_ones = []

    def start(*arguments, width=80, height=24, **changes):
        changes = {"TERM": "xterm", "XDG_STATE_HOME": str(tmp_path), **changes}
        started = Terminal(["learn", *arguments], environment(**changes), width, height)
        open_ones.append(started)
        return started

    yield start
    for started in open_ones:
        started.close()


def press(terminal, keys):
    os.write(terminal.ours, keys.encode())


def press_until(terminal, keys, condition):
    """Again and again: an editor does not hear what is pressed before it begins to wait."""
    for _ in range(15):
        press(terminal, keys)
        with contextlib.suppress(AssertionError):
            return terminal.wait_for(condition, seconds=2.0)
    return terminal.wait_for(condition, seconds=2.0)


def keys_are_shown(screen):
    """True where the last row that is not empty offers keys."""
    rows = [row for row in screen.rows if row]
    return bool(rows) and "Enter" in rows[-1] and rows[-1].rstrip().endswith(("q quit", "q"))


def step_until(terminal, text, most=60):
    """Press Enter, one key at a time, until the text is on the screen and the keys below it."""
    for _ in range(most):
        terminal.wait_for(keys_are_shown)
        if text in terminal.screen.text:
            return
        before = len(terminal.all)
        press(terminal, ENTER)
        terminal.wait_for(lambda screen, before=before: len(terminal.all) > before + 20)
    raise AssertionError(f"{text!r} never came:\n{terminal.screen.text}")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 24), (120, 50)])
def test_the_first_steps(terminal, width, height):
    run = terminal("1", width=width, height=height)
    step_until(run, "bytes of café = 5")
    assert "Enter" in run.screen.text
    for row in run.screen.rows:
        assert len(row) <= width
    press(run, "q")
    assert run.wait() == 0
    assert "minigpt2 learn 1" in " ".join(run.screen.text.split())
    assert run.is_as_before()
    assert run.screen.unknown == []


def test_leaving_and_coming_back(terminal):
    run = terminal("1")
    step_until(run, "bytes of café = 5")
    press(run, ENTER)
    run.wait_for(lambda screen: "3 of" in screen.text and keys_are_shown(screen))
    press(run, "q")
    assert run.wait() == 0
    again = terminal("1")
    again.wait_for(lambda screen: "You were here before" in screen.text and keys_are_shown(screen))
    assert "3 of" in again.screen.text
    press(again, "\x04")  # Ctrl-D
    assert again.wait() == 0
    fresh = terminal("1", "--restart")
    fresh.wait_for(lambda screen: keys_are_shown(screen))
    assert "1 of" in fresh.all
    press(fresh, "q")
    assert fresh.wait() == 0


def test_ctrl_c_stops_a_cell_and_the_lesson_goes_on(terminal, tmp_path):
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys; open(sys.argv[1], 'w').write('print(\"begun\")\\nwhile True:\\n    pass\\n')"
    )
    run = terminal("1", EDITOR=f"{sys.executable} {editor}")
    step_until(run, "import time")
    press(run, "e")
    run.wait_for(lambda screen: "\nbegun" in screen.text)
    time.sleep(0.2)
    press(run, "\x03")
    run.wait_for(lambda screen: "interrupted" in screen.text and keys_are_shown(screen))
    run.wait_for(lambda screen: "stopped · Enter goes on" in screen.text)
    press(run, ENTER)
    run.wait_for(lambda screen: "2 of" in screen.text and keys_are_shown(screen))
    press(run, "\x03")  # where keys are asked for, it leaves
    assert run.wait() == 0
    assert run.is_as_before()


def test_the_shell(terminal):
    run = terminal("1")
    step_until(run, "bytes of café = 5")
    press(run, "s")
    run.wait_for(lambda screen: ">>>" in screen.text)
    press(run, "character * 3\r")
    run.wait_for(lambda screen: "🙂🙂🙂" in screen.text.replace(" ", ""))
    press_until(run, "\x04", keys_are_shown)
    press(run, "q")
    assert run.wait() == 0
    assert run.is_as_before()


@pytest.mark.parametrize("end", ["exit()", "quit()"])
def test_exit_goes_from_the_shell_back_to_the_lesson(terminal, end):
    run = terminal("1")
    step_until(run, "bytes of café = 5")
    press(run, "s")
    run.wait_for(lambda screen: ">>>" in screen.text)
    press(run, f"{end}\r")
    run.wait_for(keys_are_shown)
    press(run, ENTER)
    run.wait_for(lambda screen: "3 of" in screen.text and keys_are_shown(screen))
    press(run, "q")
    assert run.wait() == 0
    assert run.is_as_before()


def test_back(terminal):
    run = terminal("1")
    step_until(run, "2 of")
    press(run, "b")
    run.wait_for(lambda screen: run.all.count("1 of") == 2 and keys_are_shown(screen))
    press(run, "q")
    assert run.wait() == 0


def test_without_colours(terminal):
    run = terminal("1", NO_COLOR="1")
    step_until(run, "bytes of café = 5")
    press(run, "q")
    assert run.wait() == 0
    assert "\x1b[3" not in run.all
    assert "38;" not in run.all


def test_only_ascii(terminal):
    run = terminal("1", LC_ALL="C", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    step_until(run, "A character is a number")
    shown = run.all.split("A character is a number")[0]
    assert shown.isascii(), [character for character in shown if not character.isascii()]
    press(run, "q")
    assert run.wait() == 0


def test_a_terminal_that_goes_away(terminal):
    run = terminal("1")
    run.wait_for(keys_are_shown)
    run.child.send_signal(signal.SIGHUP)
    assert run.wait() == 128 + signal.SIGHUP, run.all
    assert run.is_as_before()


def test_a_terminal_that_is_closed(terminal):
    run = terminal("1")
    run.wait_for(keys_are_shown)
    os.close(run.ours)
    os.close(run.theirs)
    run.ours, run.theirs = os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_RDONLY)
    assert run.child.wait(30) in (0, 128 + signal.SIGHUP)


def test_to_the_very_end(terminal):
    run = terminal("1", width=100, height=50)
    lesson = find_lesson(1)
    step_until(run, lesson.cells[-1].source.split("\n")[0].strip("# "))
    press(run, ENTER)
    assert run.wait() == 0
    assert "You have finished lesson 01" in run.all
    assert run.is_as_before()
