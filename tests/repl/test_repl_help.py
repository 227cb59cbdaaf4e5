"""What every command says of itself, and that its examples work."""

import contextlib
import io
import re
from itertools import islice
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from minigpt2.errors import UsageError
from minigpt2.repl import commands
from minigpt2.repl.exchange import run_line
from minigpt2.repl.line import FORMS, Option
from minigpt2.repl.reply import Reply
from minigpt2.repl.script import as_json_line
from minigpt2.repl.session import Session

ROOT = Path(__file__).parents[2]
WIDEST = 110
OWN_FIELDS = {"line", "input", "command", "error", "warnings", "milliseconds"}  # of --json itself


def drawn(reply, width):
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None)
    for view in reply.views:
        console.print(view)
    return file.getvalue()


@pytest.mark.parametrize("name", commands.NAMES)
def test_every_command_declares_what_the_others_do(name):
    command = commands.find(name)
    assert name == command.NAME
    assert command.USAGE.startswith(f"/{name}")
    assert 0 < len(command.SUMMARY) <= WIDEST
    assert not command.SUMMARY.endswith(".")
    assert all(0 < len(line) <= WIDEST for line in command.DETAILS.splitlines())
    assert command.FORM in FORMS
    assert any(example.startswith(f"/{name}") for example in command.EXAMPLES)
    assert all(len(example) <= WIDEST for example in command.EXAMPLES)
    assert isinstance(command.OPTIONS, tuple)
    for option in command.OPTIONS:
        assert isinstance(option, Option)
        assert re.fullmatch(r"--[a-z][a-z-]*", option.name)
        assert option.help
        assert len(option.help) <= WIDEST
    kinds = command.COMPLETES if isinstance(command.COMPLETES, tuple) else (command.COMPLETES,)
    assert all(kind is None or isinstance(kind, str) for kind in kinds)


@pytest.mark.parametrize("name", commands.NAMES)
def test_the_examples_of_a_command_work_from_top_to_bottom(name, nano, tmp_path, monkeypatch):
    """In a folder that is thrown away; its `data_sets` hold the first rows of the real ones."""
    (tmp_path / "data_sets").mkdir()
    for path in (ROOT / "data_sets").glob("*.tsv"):
        with open(path, encoding="utf-8") as stream:
            (tmp_path / "data_sets" / path.name).write_text("".join(islice(stream, 61)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    session = Session(nano, Console(file=io.StringIO(), width=80, color_system=None))
    for example in commands.find(name).EXAMPLES:
        exchange = run_line(session, example)
        session.record(exchange)
        assert isinstance(exchange.reply, Reply)
        assert not {"line", "input", "command", "error", "warnings", "milliseconds"} & set(
            exchange.reply.data
        )
        assert as_json_line(dict(exchange.reply.data))
        for width in (40, 80, 200):
            for line in drawn(exchange.reply, width).splitlines():
                assert cell_len(line) <= width


@pytest.mark.parametrize("name", commands.NAMES)
def test_help_tells_all_about_a_command(session, name):
    command = commands.find(name)
    for typed in (f"/help {name}", f"/help /{name.upper()}"):
        reply = run_line(session, typed).reply
        assert reply.data["usage"] == command.USAGE
        assert reply.data["examples"] == list(command.EXAMPLES)
        for width in (80, 110):
            text = drawn(reply, width)
            told = " ".join(text.split())
            assert max(map(cell_len, text.splitlines())) <= width
            for part in (command.DETAILS, command.SUMMARY, *(option.name for option in command.OPTIONS)):
                assert " ".join(part.split()) in told
            for option in command.OPTIONS:
                for word in option.help.split():
                    assert word in told
        for example in command.EXAMPLES:
            assert example in [line.strip() for line in drawn(reply, 120).splitlines()]


def test_help_lists_every_command_once(session):
    reply = run_line(session, "/help").reply
    listed = [name for group in reply.data["groups"].values() for name in group]
    assert listed == list(commands.NAMES)
    for width in (80, 200):
        told = " ".join(drawn(reply, width).split())
        for name in commands.NAMES:
            assert commands.find(name).USAGE.partition(" [--")[0] in told
    wide = " ".join(drawn(reply, 200).split())
    assert all(commands.find(name).SUMMARY in wide for name in commands.NAMES)


def test_help_about_what_there_is_not(session):
    with pytest.raises(UsageError, match=r"unknown command /smi: did you mean /sim\?"):
        run_line(session, "/help smi")
    with pytest.raises(UsageError, match="takes one command"):
        run_line(session, "/help sim attn")


def test_history_shows_the_last_lines(session):
    for line in ("a", "b \x1b[2J", "two\nlines", "/sim a | b"):
        session.history.add(line)
    reply = run_line(session, "/history 3").reply
    assert reply.data == {"lines": ["b \x1b[2J", "two\nlines", "/sim a | b"], "of": 4, "file": None}
    text = drawn(reply, 80)
    assert "\x1b" not in text
    assert "2  b ‹1b›[2J" in text
    assert "the last 3 of 4" in text
    assert run_line(session, "/history").reply.data["of"] == 4


@pytest.mark.parametrize("words", ["x", "0", "-1", "1.5", "1 2", "²"])
def test_history_wants_a_number(session, words):
    with pytest.raises(UsageError, match=re.escape("/history [N]")):
        run_line(session, f"/history {words}")


def test_quit_ends(session):
    for line in ("/quit", "/exit", "/q"):
        assert run_line(session, line).reply.quits
    with pytest.raises(UsageError, match="takes no argument"):
        run_line(session, "/quit now")
    with contextlib.suppress(UsageError):
        assert not run_line(session, "/help").reply.quits
