"""A person at a terminal: typing, Tab, Ctrl-C, Ctrl-D, signals, and what is left behind."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="pseudo-terminals are POSIX's")
pytest.importorskip("readline")

from talking import ALT_ENTER, CTRL_C, CTRL_D, CTRL_R, ENTER, TAB, Talk

with_prompt_toolkit = pytest.mark.skipif(
    importlib.util.find_spec("prompt_toolkit") is None, reason="prompt_toolkit is not installed"
)
EDITORS = ["readline", pytest.param("prompt_toolkit", marks=with_prompt_toolkit)]


@pytest.fixture
def talk(tmp_path):
    """Start conversations, ended at the end of the test."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, home=tmp_path / "state", **options):
            talk = Talk(*arguments, home=home, **options)
            stack.callback(talk.close)
            return talk

        yield start


def history(tmp_path):
    lines = (tmp_path / "state" / "minigpt2" / "history").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("editor", EDITORS)
def test_a_conversation(talk, tmp_path, editor):
    t = talk(MINIGPT2_REPL_INPUT=editor)
    t.wait_for_prompt()
    assert "nano: 6 layers, 4 heads, 256 dimensions" in t.rows[0]
    assert "/help" in t.rows[1]
    t.type("The cat is sleeping" + ENTER)
    t.wait_for("#1")
    t.wait_for_prompt()

    t.type("/hist" + TAB)
    t.wait_for_prompt("/history")
    t.type(ENTER)
    t.wait_for("the last 2 of 2")
    t.wait_for_prompt()

    t.type("half a sen")
    t.wait_for_prompt("half a sen")
    t.drop_line()
    t.type("two lines \\" + ENTER)
    t.wait_for("…")
    t.type("and more" + ENTER)
    t.wait_for("#2")
    t.wait_for_prompt()

    # Nothing comes of the line that was dropped, and an unknown command is one line.
    t.type("/lisst" + ENTER)
    t.wait_for("error: unknown command /lisst: did you mean /list?")
    t.wait_for_prompt()

    t.type("x")
    t.wait_for_prompt("x")
    t.drop_line()
    t.type(CTRL_D)
    assert t.wait() == 0
    assert t.is_as_before()
    assert history(tmp_path) == ["The cat is sleeping", "/history ", "two lines and more", "/lisst"]


@pytest.mark.parametrize("editor", EDITORS)
def test_ctrl_c_stops_what_is_running(talk, tmp_path, editor):
    t = talk("--no-history", MINIGPT2_REPL_INPUT=editor, HOME=str(tmp_path))
    (tmp_path / "texts.txt").write_text(
        "".join(f"a long sentence of many words number {i}\n" for i in range(50_000))
    )
    t.wait_for_prompt()
    t.type("a cat" + ENTER)
    t.wait_for("#1")
    t.wait_for_prompt()
    t.type("/load ~/texts.txt" + ENTER)
    t.wait_for("/load ~/texts.txt")
    time.sleep(0.7)
    for _ in range(3):  # an impatient person
        t.type(CTRL_C)
    t.wait_until(lambda: b"interrupted" in t.raw)  # the bar that it follows may break it into two rows
    t.wait_for_empty_line()
    t.type("/list" + ENTER)
    t.wait_for("a cat     typed")
    assert "a long sentence" not in t.text
    t.wait_for_empty_line()
    t.type(CTRL_D)
    assert t.wait() == 0
    assert t.is_as_before()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_the_terminal_and_the_history_in_order(talk, tmp_path, editor, name):
    t = talk(MINIGPT2_REPL_INPUT=editor)
    t.wait_for_prompt()
    t.type("a cat" + ENTER)
    t.wait_for("#1")
    t.wait_for_prompt()
    t.type("half")
    t.wait_for("half")
    number = getattr(signal, name)
    t.child.send_signal(number)
    assert t.wait() == 128 + number
    assert t.is_as_before()
    assert history(tmp_path) == ["a cat"]


@pytest.mark.parametrize("editor", EDITORS)
def test_lines_of_earlier_conversations_come_back(talk, tmp_path, editor):
    folder = tmp_path / "state" / "minigpt2"
    folder.mkdir(parents=True)
    lines = ["the first line", "bad \x1b[2J line", "/list"]
    (folder / "history").write_text("".join(json.dumps(line) + "\n" for line in lines))
    t = talk(MINIGPT2_REPL_INPUT=editor)
    t.wait_for_prompt()
    t.type("\x1b[A")
    t.wait_for_prompt("/list")
    t.type("\x1b[A")
    t.wait_for_prompt("the first line")
    t.type(ENTER)
    t.wait_for("#1")
    t.wait_for_prompt()
    assert b"bad" not in t.raw
    t.type(CTRL_R + "lis")
    t.wait_for("/list")
    t.type(ENTER)  # with prompt_toolkit it ends the search
    t.type(ENTER)
    t.wait_for("the first line  typed")
    t.wait_for_empty_line()
    t.type(CTRL_D)
    assert t.wait() == 0
    assert t.is_as_before()


@pytest.mark.parametrize("editor", EDITORS)
def test_tab_completes_what_has_blanks_and_lists_what_is_open(talk, tmp_path, editor):
    (tmp_path / "my texts.txt").write_text("a cat\na dog\n")
    t = talk(MINIGPT2_REPL_INPUT=editor, HOME=str(tmp_path), width=100)
    t.wait_for_prompt()
    t.type("/load ~/my" + TAB)
    t.wait_until(lambda: t.line == '› /load "~/my texts.txt"')
    t.type(ENTER)
    t.wait_for("a dog")
    t.wait_for_empty_line()
    t.type("/sim a c" + TAB)
    t.wait_until(lambda: t.line == "› /sim a cat")
    t.drop_line()
    t.type("/sa" + TAB)
    t.wait_until(lambda: t.line == "› /save")
    t.drop_line()
    t.screen.erase_in_display(2)  # what is seen from here on is a list of completions
    t.type("#" + TAB + TAB)
    t.wait_for("a dog")
    t.drop_line()
    t.type("/quit" + ENTER)
    assert t.wait() == 0
    assert t.is_as_before()


def test_the_next_picture_has_the_new_size(talk):
    t = talk("--no-history", MINIGPT2_REPL_INPUT="readline", width=120, height=30)
    t.wait_for_prompt()
    t.type("The cat is sleeping" + ENTER)
    t.wait_for("#1")
    t.wait_for_prompt()
    wide = max(map(len, t.rows))
    t.resize(60, 30)
    t.type("A feline is resting" + ENTER)
    t.wait_for("#2")
    t.wait_for_empty_line()
    below = t.rows[next(i for i, row in enumerate(t.rows) if row.endswith("A feline is resting")) :]
    assert wide > 60
    assert 40 < max(map(len, below)) <= 60


@with_prompt_toolkit
def test_several_lines_with_prompt_toolkit(talk, tmp_path):
    t = talk(MINIGPT2_REPL_INPUT="prompt_toolkit")
    t.wait_for_prompt()
    t.type("one" + ALT_ENTER + "two" + ENTER)
    t.wait_for("#1")
    t.wait_for_empty_line()
    t.type("\x1b[200~three\r\nfour\x1b[201~")
    t.wait_for("four")
    t.type(ENTER)
    t.wait_for("#2 ·")
    t.wait_for_empty_line()
    t.type('"""five' + ENTER + 'six"""' + ENTER)
    t.wait_for("#3 ·")
    t.wait_for_empty_line()
    t.type(CTRL_D)
    assert t.wait() == 0
    assert t.is_as_before()
    assert history(tmp_path) == ["one\ntwo", "three\nfour", "five\nsix"]


def test_a_history_that_cannot_be_kept_is_one_warning(talk, tmp_path):
    (tmp_path / "file").write_text("")
    t = talk(home=tmp_path / "file", MINIGPT2_REPL_INPUT="readline", width=200)
    t.wait_for_prompt()
    assert len(re.findall("warning: cannot write .*lines are not kept", t.text)) == 1
    t.type("a cat" + ENTER)
    t.wait_for("#1")
    t.type("/quit" + ENTER)
    assert t.wait() == 0


def test_a_terminal_that_vanishes_ends_it_quietly(talk):
    t = talk("--no-history", MINIGPT2_REPL_INPUT="readline")
    t.wait_for_prompt()
    os.close(t.theirs)
    os.close(t.ours)
    t.ours, t.theirs = os.pipe()
    assert t.child.wait(timeout=30) in (0, 128 + signal.SIGHUP)


def test_a_terminal_without_unicode(talk):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    t = talk("--no-history", MINIGPT2_REPL_INPUT="readline", **ascii_only)
    t.wait_until(lambda: t.line == ">")
    t.type("The cat is sleeping" + ENTER)
    t.wait_for("#1")
    t.type("/quit" + ENTER)
    assert t.wait() == 0
    assert t.raw.isascii()


@pytest.mark.parametrize("value", ["vi", "prompt-toolkit"])
def test_an_unknown_line_editor_is_refused(talk, value):
    t = talk("--no-history", MINIGPT2_REPL_INPUT=value, width=120)
    assert t.wait() == 2
    assert f"MINIGPT2_REPL_INPUT is '{value}': use prompt_toolkit, readline or plain" in t.text


@with_prompt_toolkit
def test_a_prompt_toolkit_that_does_not_load_is_done_without(talk, tmp_path):
    """Another version of it, or a dependency of it that is missing."""
    (tmp_path / "prompt_toolkit").mkdir()
    (tmp_path / "prompt_toolkit" / "__init__.py").write_text("from wcwidth import no_such_name")
    here = Path(__file__).parents[2]
    t = talk("--no-history", PYTHONPATH=f"{tmp_path}{os.pathsep}{here}")
    t.wait_for_prompt()
    t.type("/hel" + TAB)
    t.wait_for_prompt("/help")
    t.drop_line()
    t.type(CTRL_D)
    assert t.wait() == 0


@with_prompt_toolkit
def test_a_colour_that_is_pasted_is_no_mouse(talk):
    """prompt_toolkit takes `ESC[31m` for a mouse of rxvt, and showed a traceback."""
    t = talk("--no-history", MINIGPT2_REPL_INPUT="prompt_toolkit")
    t.wait_for_prompt()
    t.type("a \x1b[31mred\x1b[0m cat \x1b[<0m\x1b[1;2;3M")
    t.wait_for_prompt("a red cat")
    t.type(ENTER)
    t.wait_for("#1")
    assert t.leave() == 0
    assert b"Exception" not in t.raw


def test_the_plain_editor_reads_lines(talk):
    t = talk("--no-history", MINIGPT2_REPL_INPUT="plain", NO_COLOR="1")
    t.wait_for_prompt()
    t.type("a cat" + ENTER)
    t.wait_for("#1")
    t.drop_line()
    t.type(CTRL_D)
    assert t.wait() == 0
    assert t.is_as_before()
    assert b"\x1b[3" not in t.raw


def test_a_locale_without_the_letters_that_are_typed(talk, tmp_path):
    t = talk(LC_ALL="C", MINIGPT2_REPL_INPUT="readline")
    t.wait_for("Ctrl-D leaves")
    t.type("A naïve café." + ENTER)
    t.wait_for("#1 ")
    t.type("A na" + TAB)  # completes to the sentence that is kept
    t.type(ENTER)
    t.wait_for("#1, kept before")
    t.wait_until(lambda: t.line == ">", what="an empty line")
    t.type(CTRL_D)
    assert t.wait() == 0
    assert set(history(tmp_path)) == {"A naïve café."}
