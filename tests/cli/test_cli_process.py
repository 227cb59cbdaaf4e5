"""The program as a process: what only a real one shows."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
from programs import environment


def test_module_and_script_are_the_same_program(process):
    done = process("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"minigpt2 ")


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["embed", "--help"], ["tokens", "--help"]])
def test_help_and_version_load_nothing_heavy(argv):
    code = (
        "import sys, minigpt2.cli as c; code = c.main(sys.argv[1:]);"
        "heavy = {'rich', 'safetensors', 'regex', 'cupy', 'torch', 'minigpt2.encoder', 'minigpt2.model'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr.decode().strip()) == (0, "[]")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_silent(start, tiny_model, unbuffered):
    """As in `minigpt2 embed … | head -1`: the reader leaves after one line, far more is to come."""
    options = {"PYTHONUNBUFFERED": unbuffered}
    child = start("embed", "--jsonl", "--input", "-", "--model", tiny_model, "--batch-size", 50, **options)
    child.stdin.write(b"some text\n" * 3000)
    child.stdin.close()
    assert json.loads(child.stdout.readline())["sentence"] == "some text"
    child.stdout.close()
    assert child.wait(timeout=60) == 0
    assert child.stderr.read() == b""


def test_nobody_who_reads_the_progress_changes_nothing(start, tmp_path):
    """As in `minigpt2 train … 2>&1 | head -1`, or where a logger dies: the training ends as it would have."""
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"the cat number {i} is sleeping\n" for i in range(40)))
    sizes = ("--n-layers", 1, "--n-heads", 2, "--d-model", 8, "--epochs", 2, "--vocab-size", 270)
    child = start("train", "--train-data", texts, "--output-dir", tmp_path / "out", *sizes)
    child.stderr.readline()
    child.stderr.close()
    assert b"next:" in child.stdout.read()
    assert child.wait(timeout=60) == 0


def test_a_pipe_closed_before_the_first_byte_is_silent(start, tiny_model):
    child = start("embed", "a", "--model", tiny_model)
    child.stdout.close()
    assert child.wait(timeout=60) == 0
    assert child.stderr.read() == b""


@pytest.mark.parametrize("argv", [["embed", "a"], ["similarity", "a", "b"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_an_error(tiny_model, start, argv, unbuffered):
    with open("/dev/full", "wb") as full:
        child = start(*argv, "--model", tiny_model, stdout=full, PYTHONUNBUFFERED=unbuffered)
        assert child.wait(timeout=60) == 1
        assert child.stderr.read() == b"minigpt2: error: No space left on device\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_table_into_a_closed_pipe_is_silent(start, tiny_model, unbuffered):
    child = start("info", "--model", tiny_model, PYTHONUNBUFFERED=unbuffered)
    child.stdout.close()
    assert child.wait(timeout=60) == 0
    assert child.stderr.read() == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_stderr_does_not_change_the_exit_code(unbuffered):
    command = f"{shlex.quote(sys.executable)} -m minigpt2 bogus 2>/dev/full"
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    assert subprocess.run(["sh", "-c", command], env=environment, timeout=60).returncode == 2


@pytest.mark.parametrize("argv", ["embed -", "embed --input -", "tokens show -", "tokens count -"])
def test_a_closed_stdin_is_an_error(argv):
    command = f"{shlex.quote(sys.executable)} -m minigpt2 {argv} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"minigpt2: error: - reads stdin, which is closed: give a file\n"


def test_a_closed_stdout_is_an_error():
    command = f"{shlex.quote(sys.executable)} -m minigpt2 --version >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr == b"minigpt2: error: stdout is closed: redirect it to a file or to /dev/null\n"


def test_interrupt_prints_one_line(start, tiny_model):
    child = start("embed", "--jsonl", "--input", "-", "--model", tiny_model, "--batch-size", 1)
    child.stdin.write(b"first\n")
    child.stdin.flush()
    assert b"first" in child.stdout.readline()  # it is running, and waits for more
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) == 130
    assert child.stderr.read() == b"minigpt2: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_write_leaves_no_half_file(start, tiny_model, tmp_path, number):
    target = tmp_path / "vectors.jsonl"
    child = start("embed", "--input", "-", "--output", target, "--model", tiny_model, "--batch-size", 1)
    child.stdin.write(b"first\nsecond\n")
    child.stdin.flush()
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in tmp_path.iterdir()):  # the temporary file grows
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not target.exists()
    child.send_signal(number)
    assert child.wait(timeout=60) == 128 + number
    assert list(tmp_path.iterdir()) == []


TOLD_TO_END_WHILE_ENDING = """
import os, signal, sys
from minigpt2 import cli

def fail(argv):
    print("what cannot be written")
    raise OSError("the terminal has gone")

def discard():
    cli._discard_unwritable_stdout = as_it_is
    os.kill(os.getpid(), signal.SIGTERM)

as_it_is = cli._discard_unwritable_stdout
cli._run, cli._discard_unwritable_stdout = fail, discard
cli.entry_point()
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a file that refuses what is written")
def test_a_signal_while_the_program_ends_leaves_nothing_to_complain_of():
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-c", TOLD_TO_END_WHILE_ENDING]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED=""), timeout=60
        )
    assert (
        done.returncode == 128 + signal.SIGTERM
    )  # 120 is the interpreter's own, with an "Exception ignored"
    assert done.stderr == b""


STDOUT_IS_FULL = """
import os, signal, sys
from minigpt2 import cli

def fail(argv):
    os.set_blocking(1, False)
    try:
        while True:
            os.write(1, bytes(4096))
    except BlockingIOError:
        os.set_blocking(1, True)
    print("what nobody reads")
    print("full", file=sys.stderr, flush=True)
    raise OSError("and now main empties stdout")

cli._run = fail
cli.entry_point()
"""


def test_whoever_reads_nothing_does_not_keep_the_program_from_ending():
    command = [sys.executable, "-c", STDOUT_IS_FULL]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(PYTHONUNBUFFERED=""), **options) as child:
        try:
            assert child.stderr.readline() == b"full\n"
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=60) == 128 + signal.SIGTERM
        finally:
            child.kill()


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
    ],
)
def test_utf8_in_any_locale(process, tiny_model, locale):
    done = process(
        "embed", "--input", "-", "--jsonl", "--model", tiny_model, stdin="Käfer 🐞\n".encode(), **locale
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout.decode("utf-8"))["sentence"] == "Käfer 🐞"
    done = process("embed", "Käfer 🐞", "--model", tiny_model, **locale)
    assert json.loads(done.stdout.decode("utf-8"))["sentence"] == "Käfer 🐞"
    done = process("similarity", "é", "ü", "--all-metrics", "--no-normalize", "--model", tiny_model, **locale)
    assert "∞" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_colours_only_where_they_are_wanted(on_a_terminal, tiny_model, columns):
    argv = ("similarity", "a cat", "a dog", "--all-metrics", "--model", tiny_model)
    coloured = on_a_terminal(*argv, COLUMNS=columns)
    assert "\x1b[" in coloured
    for plain in (
        on_a_terminal(*argv, COLUMNS=columns, NO_COLOR="1"),
        on_a_terminal(*argv, "--no-color", COLUMNS=columns),
    ):
        assert "\x1b" not in plain
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
        assert max(map(len, plain.splitlines())) <= int(columns)
        assert "what it says" in plain
