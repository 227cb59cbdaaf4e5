"""Dispatch, errors and exit codes of the command line."""

import argparse
import importlib
import os
import warnings

import pytest

from minigpt2 import __version__
from minigpt2 import cli as cli_package
from minigpt2.cli import COMMANDS, embed
from minigpt2.errors import DataError, DeviceError, ModelError, UsageError


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command(cli, flag):
    code, out, err = cli(flag)
    assert (code, err) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in out
    assert max(map(len, out.splitlines())) <= 80


def test_version(cli):
    assert cli("--version") == (0, f"minigpt2 {__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command):
    code, out, err = cli(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: minigpt2 {command}")
    assert importlib.import_module(f"minigpt2.cli.{command}").HELP


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], f"which command? One of {', '.join(COMMANDS)} (see minigpt2 --help)"),
        (["embd"], "unknown command 'embd': did you mean embed?"),
        (["xyz"], f"unknown command 'xyz': use one of {', '.join(COMMANDS)}"),
        (["--colour", "embed"], "unrecognized arguments: --colour (see minigpt2 --help)"),
        (["embed"], "nothing to embed: give a text, or --input FILE with one text a line (- is stdin)"),
        (["embed", "a", "--batch"], "unrecognized arguments: --batch (see minigpt2 embed --help)"),
        (["embed", "a", "--device", "tpu"], "argument --device: invalid choice: 'tpu'"),
        (
            ["embed", "a", "--batch-size", "0"],
            "argument --batch-size: '0' is not a whole number of at least 1",
        ),
        (["embed", "a", "--truncate-dim", "x"], "argument --truncate-dim: 'x' is not a whole number"),
        (["embed", "a", "--output", "v.txt"], "--output v.txt: the name must end in .npy, .json or .jsonl"),
        (["embed", "a", "--jsonl", "--output", "v.npy"], "--jsonl contradicts --output v.npy"),
        (["similarity"], "similarity compares at least two sentences, not 0"),
        (["similarity", "a"], "similarity compares at least two sentences, not 1"),
        (["similarity", "--sentence2", "a"], "similarity compares at least two sentences, not 1"),
        (["similarity", "a", "b", "--metric", "x"], "argument --metric: invalid choice: 'x'"),
        (["similarity", "a", "b", "--metric", "dot", "--all-metrics"], "not allowed with argument --metric"),
        (["info", "a", "--model", "b"], "give the model once: as an argument or with --model"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(cli, argv, message):
    code, out, err = cli(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("minigpt2: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("wrong"), 2, "error: wrong"),
        (DataError("line one\nline two"), 3, "error: line one line two"),
        (ModelError("broken"), 3, "error: broken"),
        (DeviceError("no GPU"), 4, "error: no GPU"),
        (PermissionError(13, "Permission denied", "a.txt"), 1, "error: a.txt: Permission denied"),
        (MemoryError(), 1, "error: out of memory: use a smaller --batch-size, or fewer texts at once"),
        (
            ModuleNotFoundError("No module", name="regex"),
            1,
            "error: the package regex is missing: pip install regex",
        ),
        (KeyError("x"), 1, "error: KeyError: 'x'; this is a bug in minigpt2, --debug shows where"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(32, "Broken pipe"), 0, None),
    ],
)
def test_what_a_command_raises_becomes_an_exit_code(cli, monkeypatch, error, code, line):
    def run(args):
        raise error

    monkeypatch.setattr(embed, "run", run)
    monkeypatch.setattr(cli_package, "_discard_stdout", lambda: None)
    got, out, err = cli("embed", "a")
    assert (got, out) == (code, "")
    assert err == (f"minigpt2: {line}\n" if line else "")


@pytest.mark.parametrize("argv", [["--debug", "embed", "a"], ["embed", "a", "--debug"]])
def test_debug_adds_the_traceback(cli, monkeypatch, argv):
    def run(args):
        raise DataError("bad line")

    monkeypatch.setattr(embed, "run", run)
    code, _, err = cli(*argv)
    assert code == 3
    assert "Traceback" in err
    assert "in run" in err
    assert err.endswith("minigpt2: error: bad line\n")


def test_text_after_two_dashes_is_no_option(cli, tiny_model):
    code, out, err = cli("embed", "--model", tiny_model, "--", "--debug")
    assert (code, err) == (0, "")
    assert '"sentence": "--debug"' in out


def test_options_may_stand_between_texts(cli, tiny_model):
    code, out, _ = cli("similarity", "a", "--metric", "dot", "b", "--model", tiny_model)
    assert code == 0
    assert out.startswith("dot ")


def test_warnings_are_single_lines_on_stderr(cli, monkeypatch):
    def run(args):
        warnings.warn("odd\nthing", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(embed, "run", run)
    before = warnings.showwarning
    assert cli("embed", "a") == (0, "", "minigpt2: warning: odd thing\n")
    assert warnings.showwarning is before


@pytest.mark.parametrize("argv", [["--no-color", "embed", "a"], ["embed", "a", "--no-color"]])
def test_no_color_holds_for_one_run(cli, monkeypatch, argv):
    seen = []
    monkeypatch.setattr(embed, "run", lambda args: seen.append(os.environ.get("NO_COLOR")) or 0)
    cli(*argv)
    cli("embed", "a")
    assert seen == ["1", None]


def test_argument_bytes_that_are_utf8_are_understood(cli, tiny_model):
    """Python in an ASCII locale without UTF-8 mode holds "é" as two surrogates."""
    code, out, _ = cli("embed", "caf\udcc3\udca9", "--model", tiny_model)
    assert code == 0
    assert '"sentence": "café"' in out


def test_argument_that_is_not_utf8(cli, tiny_model):
    code, out, err = cli("embed", "caf\udce9", "--model", tiny_model)
    assert (code, out) == (3, "")
    assert err == "minigpt2: error: the argument 'caf\\udce9' is not UTF-8: check the terminal's encoding\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_declare_their_arguments_without_loading_anything(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"minigpt2.cli.{command}").add_arguments(parser)
    assert parser.format_help()
