"""`minigpt2 repl` as a command: its options, exit codes, and a program that talks with it."""

import json

import pytest


@pytest.fixture(autouse=True)
def home_of_the_test(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_commands_on_the_command_line(cli, tiny_model):
    code, out, err = cli(
        "repl", "--model", tiny_model, "-c", "a cat", "--command", "/sim #1 | a dog", "--json"
    )
    objects = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [(o["line"], o["command"]) for o in objects] == [(1, "embed"), (2, "sim")]


def test_the_first_error_is_exit_code_1(cli, tiny_model):
    code, out, err = cli("repl", "--model", tiny_model, "-c", "/nope", "-c", "a cat")
    assert (code, out, err) == (1, "", "line 1: error: unknown command /nope: /help lists all commands\n")
    code, out, _ = cli("repl", "--model", tiny_model, "--keep-going", "-c", "/nope", "-c", "a cat")
    assert code == 1
    assert "#1" in out


def test_a_pipe_is_read_without_banner_colour_or_history(process, tiny_model, tmp_path):
    done = process(
        "repl", "--model", tiny_model, stdin=b"a cat\n/quit\n/nope\n", XDG_STATE_HOME=str(tmp_path / "s")
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    assert b"minigpt2" not in done.stdout
    assert b"#1" in done.stdout
    assert not (tmp_path / "s").exists()


def test_colours_can_be_forced(process, tiny_model):
    assert b"\x1b[" in process("repl", "--model", tiny_model, "-c", "a cat", FORCE_COLOR="1").stdout


def test_a_program_asks_and_reads_line_by_line(start, tiny_model):
    child = start("repl", "--model", tiny_model, "--json")
    for number, text in enumerate(("a cat", "a dog", "naïve 🙂"), start=1):
        child.stdin.write(f"{text}\n".encode())
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        assert (answer["line"], answer["input"], answer["number"]) == (number, text, number)
    child.stdin.close()
    assert child.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["--model", "nowhere"], 3, "no model directory 'nowhere'"),
        (["--prompt-name", "nope"], 2, "this model has no prompt called 'nope'"),
        (["--truncate-dim", "3"], 2, "unrecognized arguments: --truncate-dim 3"),
    ],
)
def test_what_is_refused_before_the_first_line(cli, argv, code, message):
    got, out, err = cli("repl", *argv, "-c", "a cat")
    assert (got, out) == (code, "")
    assert message in err


def test_a_prompt_of_the_model_is_put_before_every_text(cli, tiny_model):
    vectors = []
    for argv in (["-c", "query: a cat"], ["--prompt-name", "query", "-c", "a cat"]):
        _, out, _ = cli("repl", "--model", tiny_model, "--json", *argv)
        vectors.append(json.loads(out)["vector"])
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)
