"""A lesson with a person, whose keys are given."""

import builtins
import io
import os
import signal
import sys
from contextlib import nullcontext

import pytest
from rich.console import Console
from small_lesson import TEXT, write_lesson

from minigpt2.learn import progress
from minigpt2.learn import session as session_module
from minigpt2.learn.editing import edit
from minigpt2.learn.session import Session, steps_of

WIDTHS = (24, 40, 80, 200)


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("VISUAL", "EDITOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def walk(tmp_path, monkeypatch):
    """Walk through the small lesson with these keys; the session, and what was on the screen."""

    def walk(keys, *, width=80, height=40, encoding="utf-8", text=TEXT, **options):
        paper = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
        monkeypatch.setattr(sys, "stdout", paper)
        console = Console(file=paper, width=width, height=height, markup=False, highlight=False)
        waiting = iter(keys)
        session = Session(
            write_lesson(tmp_path, text), console, lambda: nullcontext(lambda: next(waiting, "end"))
        )
        code = session.run(**options)
        assert code == 0
        assert next(waiting, None) is None, "keys are left"
        paper.flush()
        return session, paper.buffer.getvalue().decode(encoding)

    return walk


ENTER = ["enter"]
TO_THE_END = ENTER * 7  # twice for each of three steps with code, once for the text alone


def test_steps(tmp_path):
    steps = steps_of(write_lesson(tmp_path))
    assert [(step.place, step.end) for step in steps] == [(0, 2), (2, 4), (4, 5), (5, 7)]
    assert steps[2].code is None
    assert all(step.text is not None for step in steps)


def test_from_start_to_end(walk):
    session, screen = walk(TO_THE_END)
    for part in ("Small things", "A sum", "Predict: what is it?", "It is 6.", "the total is 6", "finished"):
        assert part in screen
    assert screen.index("claim(") < screen.index("total = 6") < screen.index("It is 6.")
    assert "<!--" not in screen
    assert "claims:" not in screen
    assert progress.progress()[7].finished
    assert "minigpt2 learn start 07_" in screen
    assert session.runner.variables["total"] == 6


def test_code_is_shown_before_it_runs(walk):
    _, screen = walk(["enter", "enter", "q"])
    assert "total = sum(numbers)" in screen
    assert "total = 6" not in screen


def test_the_keys_are_always_on_the_screen(walk):
    _, screen = walk(["enter", "enter", "enter", "q"])
    rows = [row for row in screen.split("\n") if "q quit" in row]
    assert [row.split("\r")[0] for row in rows] == [
        "Enter runs it · e edit · s shell · b back · q quit",
        "done · Enter goes on · e edit · r run again · s shell · b back · q quit",
        "Enter runs it · e edit · s shell · b back · q quit",
        "done · Enter goes on · e edit · r run again · s shell · b back · q quit",
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_at_every_width(walk, width, encoding):
    _, screen = walk(TO_THE_END, width=width, encoding=encoding)
    assert "the total is 6" in screen
    for row in screen.split("\n"):
        for part in row.split("\r"):
            assert len(part) <= width, part
    assert screen.count("Enter") >= 7


def test_a_low_terminal_shows_the_text_first(walk):
    _, screen = walk(["enter", "q"], height=10)
    assert "Enter shows the code" in screen
    assert screen.index("Enter shows the code") < screen.index("numbers = [")


def test_back_and_again(walk):
    session, screen = walk(["enter", "enter", "enter", "enter", "b", "b", "b", "q"])
    assert [screen.count(f"{number} of 4") for number in (1, 2, 3, 4)] == [3, 2, 1, 0]
    session, screen = walk(["enter", "r", "r", "q"])
    assert progress.place_in(session.lesson).cell == 0


def test_leaving_and_coming_back(walk):
    session, screen = walk(["enter", "enter", "enter", "enter", "q"])
    assert "minigpt2 learn 7 goes on here" in screen
    assert progress.place_in(session.lesson).cell == 4
    session, screen = walk(ENTER * 3)
    assert "going on at step 3 of 4" in screen
    assert "Running the 2 cells before it again" in screen
    assert "total = 6" not in screen, "they are run quietly"
    assert "the total is 6" in screen
    assert "A sum" not in screen


def test_restart(walk):
    walk(["enter", "enter", "enter", "enter", "q"])
    _, screen = walk(["q"], from_start=True)
    assert "1 of 4" in screen


def test_a_lesson_that_has_changed_begins_anew(walk):
    walk(["enter", "enter", "enter", "enter", "q"])
    _, screen = walk(["q"], text=TEXT + "y = 1\n")
    assert "1 of 4" in screen


def test_ctrl_c_at_the_keys_leaves(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    paper = io.StringIO()
    lesson = write_lesson(tmp_path)
    assert Session(lesson, Console(file=paper), lambda: nullcontext(interrupted)).run() == 0
    assert "place is kept" in paper.getvalue()


def test_other_keys_do_nothing(walk):
    _, screen = walk(["x", "?", "enter", "7", "é", "enter", "q"])
    assert "2 of 4" in screen


def test_an_error_is_told_and_the_lesson_goes_on(walk):
    text = TEXT.replace("total = sum(numbers)", "total = sum(numbers) / 0")
    _, screen = walk(TO_THE_END, text=text)
    assert "ZeroDivisionError: division by zero" in screen
    assert "failed · Enter goes on" in screen
    assert "NameError: name 'total' is not defined" in screen
    assert "finished" in screen


def test_errors_before_the_place_are_told(walk):
    text = TEXT.replace("total = sum(numbers)", "total = sum(numbers) / 0")
    walk(["enter", "enter", "enter", "enter", "q"], text=text)
    _, screen = walk(["q"], text=text)
    assert "ZeroDivisionError" in screen
    assert "--restart" in screen


def editor(tmp_path, body):
    """A program that rewrites the file that it is given."""
    script = tmp_path / "editor.py"
    script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{body}\n")
    return f"'{sys.executable}' '{script}'"


def test_edit_and_run(walk, tmp_path, monkeypatch):
    body = "path.write_text(path.read_text().replace('1, 2, 3', '10, 20, 30'))"
    monkeypatch.setenv("EDITOR", editor(tmp_path, body))
    session, screen = walk(["e", "enter", "enter", "enter", "b", "r", "q"])
    assert "numbers = [10, 20, 30]" in screen
    assert "total = 60" in screen
    assert "[1, 2, 3]" in session.lesson.path.read_text(), "the lesson itself stays as it is"


def test_an_edit_that_changes_nothing_runs_nothing(walk, tmp_path, monkeypatch):
    monkeypatch.setenv("VISUAL", editor(tmp_path, "pass"))
    session, screen = walk(["e", "q"])
    assert "as it was" in screen
    assert "numbers" not in session.runner.variables


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("no-such-editor", "cannot run the editor 'no-such-editor'"),
        ("'", "cannot run the editor"),
        ("exit 3", "ended with 3"),
        ("latin", "not UTF-8"),
        ("delete", "has left no file: the cell is as it was"),
        ("die", "ended with SIGINT"),
    ],
)
def test_an_editor_that_fails(walk, tmp_path, monkeypatch, program, message):
    bodies = {
        "exit 3": "sys.exit(3)",
        "latin": "path.write_bytes(b'x = \"\\xe9\"')",
        "delete": "path.unlink()",
        "die": "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)",
    }
    command = editor(tmp_path, bodies[program]) if program in bodies else program
    monkeypatch.setenv("EDITOR", command)
    session, screen = walk(["e", "enter", "q"])
    assert message in " ".join(screen.split())
    assert session.runner.variables["numbers"] == [1, 2, 3], "the cell is as it was"


def test_typing_a_cell_anew(walk, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    typed = iter(["numbers = [5]", "print(numbers)", "."])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    session, screen = walk(["e", "q"])
    assert "[5]" in screen
    assert session.runner.variables["numbers"] == [5]


def test_an_empty_cell_typed_is_the_old_one(walk, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("builtins.input", lambda prompt: ".")
    _, screen = walk(["e", "q"])
    assert "as it was" in screen


def test_the_shell_has_the_variables(walk, monkeypatch, capsys):
    typed = iter(["numbers.append(4)", "print(len(numbers))"])

    def read(prompt):
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    session, screen = walk(["enter", "s", "enter", "enter", "q"])
    assert "4\n" in screen
    assert "total = 10" in screen
    assert session.runner.variables["numbers"] == [1, 2, 3, 4]


@pytest.mark.parametrize("typed", ["exit()", "quit()", "raise SystemExit"])
def test_exit_leaves_the_shell_alone(walk, monkeypatch, typed):
    monkeypatch.setattr("builtins.input", lambda prompt: typed)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = builtins.exit, builtins.quit
    _, screen = walk(["s", "enter", "q"])
    assert "done" in screen
    assert not sys.stdin.closed  # the session reads its keys there
    assert (builtins.exit, builtins.quit) == before


def test_a_state_that_cannot_be_written_is_told_once(walk, tmp_path):
    (tmp_path / "state").write_text("a file")
    _, screen = walk(TO_THE_END)
    assert screen.count("your place is not kept") == 1
    assert "finished" in screen


def test_lines_where_keys_cannot_be_read(monkeypatch):
    typed = iter(["", "  Back", "s", "q"])

    def read():
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    monkeypatch.setattr(session_module, "can_read_keys", lambda: False)
    with session_module.keys_of_terminal() as next_key:
        assert [next_key() for _ in range(5)] == ["enter", "b", "s", "q", "end"]


@pytest.mark.parametrize(("keys", "kept"), [("\x1b\r", "x = 12"), ("\x03", "x = 1")])
def test_editing_in_place(monkeypatch, capsys, keys, kept):
    pytest.importorskip("prompt_toolkit")
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    monkeypatch.setenv("TERM", "xterm")
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text("2" + keys)
        assert edit("x = 1") == kept


def test_a_signal_ends_the_shell_and_the_program(walk, monkeypatch):
    def ended(prompt):
        raise SystemExit(128 + signal.SIGTERM)

    monkeypatch.setattr("builtins.input", ended)
    with pytest.raises(SystemExit) as raised:
        walk(["s", "q"])
    assert raised.value.code == 128 + signal.SIGTERM


def test_an_editor_that_writes_a_byte_order_mark(walk, tmp_path, monkeypatch):
    monkeypatch.setenv("EDITOR", editor(tmp_path, "path.write_text('x = 3', encoding='utf-8-sig')"))
    session, _ = walk(["e", "q"])
    assert session.runner.variables["x"] == 3


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_in_an_editor_is_the_editors(walk, tmp_path, monkeypatch):
    body = "import os, signal; os.kill(os.getppid(), signal.SIGINT); path.write_text('x = 4')"
    monkeypatch.setenv("EDITOR", editor(tmp_path, body))
    session, _ = walk(["e", "q"])
    assert session.runner.variables["x"] == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
