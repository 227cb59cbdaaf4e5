"""Commands from a pipe or `--command`."""

import io
import json

import pytest

from minigpt2.repl import script
from minigpt2.repl.commands import sim
from minigpt2.repl.reply import Reply
from minigpt2.repl.script import as_json_line, lines_of_commands, lines_of_stream, run_script


def texts(content):
    return [(line.number, line.text) for line in lines_of_stream(io.BytesIO(content))]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a\nb", [(1, "a"), (2, "b")]),
        (b"a\r\nb\r\n", [(1, "a"), (2, "b")]),
        (b"\xef\xbb\xbfa\n", [(1, "a")]),
        (b"# a comment\n#\n\n  \n#3\n#comment\n", [(5, "#3"), (6, "#comment")]),
        (b"a \\\nb\nc\n", [(1, "a b"), (3, "c")]),
        (b'x\n"""\n# no comment\n\nb\n"""\nc', [(1, "x"), (2, "# no comment\n\nb"), (7, "c")]),
        ("é\n".encode(), [(1, "é")]),
    ],
)
def test_lines_with_their_numbers(content, expected):
    assert texts(content) == expected


def test_a_command_may_have_several_lines():
    lines = lines_of_commands(["a", "# no", '"""b\nc"""', "d\ne"])
    assert [(line.number, line.text) for line in lines] == [(1, "a"), (3, "b\nc"), (4, "d"), (4, "e")]


@pytest.mark.parametrize(
    ("content", "number", "message"),
    [
        (b"a\nb\xe9\nc\n", 2, "byte 2 (0xe9) is not UTF-8: save the script as UTF-8"),
        (b'a\n"""\nb\n', 2, "the text that begins here never ends"),
        (b"a\nb \\", 2, "the text that begins here never ends"),
        (b"a\nb \\\nc\xff", 2, "byte 2 (0xff) is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_line(content, number, message):
    wrong = [line for line in lines_of_stream(io.BytesIO(content)) if line.error]
    assert [line.number for line in wrong] == [number]
    assert str(wrong[0].error).startswith(message)


def run(session, content, **options):
    session.console.file.truncate(0)
    session.console.file.seek(0)
    return run_script(session, lines_of_stream(io.BytesIO(content)), **options)


def test_the_first_error_ends_it(session, capsys):
    assert run(session, b"The cat is sleeping\n\n/smi a | b\nA dog\n") == 1
    out, err = session.console.file.getvalue(), capsys.readouterr().err
    assert err == "line 3: error: unknown command /smi: did you mean /sim?\n"
    assert "sleeping" in out
    assert [sentence.text for sentence in session.sentences] == ["The cat is sleeping"]
    assert [exchange.error for exchange in session.exchanges] == [None, err[15:-1]]


def test_keep_going_goes_on_and_tells_it_at_the_end(session, capsys):
    assert run(session, b"a\n/nope\nb\xff\nc\n", keep_going=True) == 1
    assert capsys.readouterr().err.splitlines() == [
        "line 2: error: unknown command /nope: /help lists all commands",
        "line 3: error: byte 2 (0xff) is not UTF-8: save the script as UTF-8",
    ]
    assert [sentence.text for sentence in session.sentences] == ["a", "c"]


def test_quit_ends_it(session, capsys):
    assert run(session, b"a\n/quit\n/nope\n") == 0
    assert capsys.readouterr().err == ""
    assert run(session, b"/nope\n/quit\na\n", keep_going=True) == 1


def test_json_is_one_object_for_each_command(session, capsys):
    assert run(session, b"a cat\n\n/sim #1 | a dog\n/nope\n\xff\n/quit\n", as_json=True, keep_going=True) == 1
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    assert [(o["line"], o["input"], o["command"]) for o in objects] == [
        (1, "a cat", "embed"),
        (3, "/sim #1 | a dog", "sim"),
        (4, "/nope", "nope"),
        (5, "\ufffd", "embed"),
        (6, "/quit", "quit"),
    ]
    assert objects[0]["tokens"] == ["a", " cat"]
    assert objects[1]["texts"] == ["a cat", "a dog"]
    assert objects[2]["error"] == "unknown command /nope: /help lists all commands"
    assert all(("error" in o) != ("milliseconds" in o) for o in objects)
    assert err.count("\n") == 2
    assert session.console.file.getvalue() == ""


def test_json_draws_nothing(session, capsys, monkeypatch):
    class Broken:
        def __rich_console__(self, console, options):
            raise AssertionError("drawn")

    monkeypatch.setattr(sim, "run", lambda session, arguments: Reply((Broken(),), {"x": 1}))
    assert run(session, b"/sim\n", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["x"] == 1


def test_every_character_of_json_prints():
    value = {
        "\x1b[2J": "\x07\x7f\x9b\u202e\u2028\ud800 é🙂",
        "n": [float("nan"), float("inf"), 1.5, (2, None)],
    }
    line = as_json_line(value)
    assert line.isprintable()
    assert "é🙂" in line
    read = json.loads(line)
    assert read == {"\x1b[2J": value["\x1b[2J"], "n": [None, None, 1.5, [2, None]]}


def test_json_takes_numpy(rng):
    x = rng.standard_normal((2, 3)).astype("float32")
    assert json.loads(as_json_line({"x": x, "y": x[0, 0], "z": x.argmax()})) == {
        "x": x.tolist(),
        "y": float(x[0, 0]),
        "z": int(x.argmax()),
    }


def test_nothing_raw_reaches_stderr(session, capsys):
    run(session, "/\x1b[2J\x07\u202e x\n".encode())
    err = capsys.readouterr().err
    assert err.removesuffix("\n").isprintable()
    assert "/‹1b›[2j‹07›‹e2 80 ae›" in err


def test_a_bug_is_told_and_shown_on_request(session, capsys, monkeypatch):
    def broken(session, arguments):
        raise KeyError("x")

    monkeypatch.setattr(sim, "run", broken)
    assert run(session, b"/sim a | b\n") == 1
    told = "line 1: error: KeyError: 'x'; this is a bug in minigpt2, --debug shows where\n"
    assert capsys.readouterr().err == told
    assert run(session, b"/sim a | b\n", debug=True) == 1
    err = capsys.readouterr().err
    assert "in broken" in err
    assert err.endswith(told)


def test_ctrl_c_ends_the_script(session, monkeypatch):
    def interrupted(session, arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(sim, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(session, b"/sim a | b\n", keep_going=True)


def test_a_reader_that_leaves_ends_the_script(session, monkeypatch):
    class Left(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(script.sys, "stdout", Left())
    with pytest.raises(BrokenPipeError):
        run(session, b"a\nb\n", as_json=True, keep_going=True)


def test_every_answer_is_flushed_before_the_next_line_is_read(session, monkeypatch):
    """So that a program can write a line, read the answer, and decide what to ask next."""
    seen = []

    class Out(io.StringIO):
        def flush(self):
            seen.append(self.getvalue().count("\n"))

    class In(io.BytesIO):
        def readline(self):
            seen.append("read")
            return super().readline()

    monkeypatch.setattr(script.sys, "stdout", Out())
    run_script(session, lines_of_stream(In(b"a\nb\n")), as_json=True)
    assert seen == ["read", 1, "read", 2, "read"]
