"""Whatever is typed: no surprise, nothing raw on the terminal, and a session that is in order."""

import io
import json
import re

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from minigpt2.errors import MiniGPT2Error, explain
from minigpt2.repl import commands
from minigpt2.repl.exchange import run_line
from minigpt2.repl.multiline import Multiline
from minigpt2.repl.script import ScriptLine, as_json_line, as_object, lines_of_stream, run_script
from minigpt2.repl.session import Session
from minigpt2.visible import visible

COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # Rich's own
WIDTH = 80

# An example takes up to a second, so a failing one is shown as it was found.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
AS_FOUND = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": PHASES}


class LongLine(str):
    """A line that a failing test shows by its beginning."""

    __slots__ = ()

    def __repr__(self):
        return f"{self[:40]!r} and so on"


arguments = st.sampled_from(
    [
        *[
            "a cat",
            "#1",
            "#2",
            "#99",
            "#1-#2",
            "all",
            "0",
            "1",
            "-1",
            "3.1",
            "0.0",
            "1e9",
            "9" * 30,
            "nan",
            "|",
        ],
        *[
            "\\|",
            "--",
            "--k",
            "--k=3",
            "--all",
            "--limit",
            "--of",
            "--of=a",
            "--html",
            "--metric dot",
            "--nope",
        ],
        *[
            "--seed=x",
            '"',
            "'",
            '"a b"',
            "it's",
            "=",
            "~",
            "/",
            "..",
            "nowhere.tsv",
            "mean",
            "last",
            "float64",
        ],
        *[
            "cpu",
            "nano",
            "🙂",
            "👨\u200d👩\u200d👧",
            "é\u0301",
            "\x1b[2J",
            "\x1b]0;title\x07",
            "\x9b2J",
            "\x00",
        ],
        *["\u202e", "\udc80", "\t", "\n", "\r", "ﷺ", "漢字", "\u200b", "\ufeff", "\U0010ffff"],
    ]
)
written = st.lists(arguments, max_size=6).map(" ".join)
names = st.sampled_from([*commands.NAMES, *commands.ALIASES, "", "nope", "\x1b[2J", "sim\x00"])
command_lines = st.builds("/{} {}".format, names, written | st.text(max_size=40))
sentences = st.text(st.characters(), max_size=200) | written
long_lines = st.builds(
    lambda start, piece: LongLine(start + piece * (100_000 // len(piece))),
    st.sampled_from(["", "/sim ", "/tokens ", "/load ", "/search ", "/", "/list ", "/export "]),
    st.sampled_from(["a", "a ", "🙂", "\x1b[2J", '"', "'", "\\|", "| ", "--k ", "\\", "\udc80", "#1 ", "\n"]),
)
lines = st.one_of(*[command_lines] * 8, *[sentences] * 4, long_lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where files that a line may write are thrown away."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("random")
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        yield folder


def new_session(encoder):
    """Two sentences are kept, one of which would act on a terminal."""
    console = Console(
        file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor", height=24
    )
    session = Session(encoder, console)
    texts = ["The cat is sleeping", "a bell \x07 and \x1b[31mred\u202e"]
    session.keep_all(texts, session.embed(texts), "typed")
    return session


def check_order(session):
    numbers = [sentence.number for sentence in session.sentences]
    assert session.vectors.shape == (len(session.sentences), session.encoder.dimension)
    assert numbers == sorted(set(numbers))
    assert all(session.find(sentence.text) == sentence for sentence in session.sentences)


def check_drawn(text):
    """Colours and line ends aside every character prints, and no row is wider than the terminal."""
    for row in COLOURS.sub("", text).split("\n"):
        assert row.isprintable(), ascii(row)
        assert cell_len(row) <= WIDTH


@settings(max_examples=200, **AS_FOUND)
@given(typed=lines)
@example(typed="/sim " + "🙂" * 100_000)
@example(typed="/" + "\x1b" * 100_000)
@example(typed='/load "' + "x" * 100_000)
def test_any_line_is_answered_or_refused(nano, folder, typed):
    session = new_session(nano)
    line = ScriptLine(1, typed)
    try:
        exchange = run_line(session, typed)
    except MiniGPT2Error as error:
        told = visible(explain(error))
        assert told.isprintable()
        assert len(told) < 6000
    else:
        for view in exchange.reply.views:
            session.console.print(view)
        check_drawn(session.console.file.getvalue())
        written = as_json_line(as_object(line, exchange))
        assert written.isprintable()
        assert json.loads(written)["command"] == exchange.command
    check_order(session)


@settings(max_examples=15, **AS_FOUND)
@given(script=st.lists(lines, max_size=12), as_json=st.booleans())
def test_any_script_runs_to_its_end(nano, folder, capsys, script, as_json):
    session = new_session(nano)
    stream = io.BytesIO("\n".join(script).encode("utf-8", "surrogatepass"))
    code = run_script(session, lines_of_stream(stream), as_json=as_json, keep_going=True)
    out, err = capsys.readouterr()
    said = [re.fullmatch(r"line \d+: (error|warning): .*", line) for line in err.split("\n")[:-1]]
    assert all(line[0].isprintable() for line in said)
    assert code == any(line[1] == "error" for line in said)
    check_drawn(session.console.file.getvalue())
    assert all(json.loads(line)["line"] and line.isprintable() for line in out.split("\n")[:-1])
    check_order(session)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from('a"\\ \n'), max_size=9), max_size=6))
def test_lines_put_together_lose_no_letter(parts):
    multiline = Multiline()
    texts = [text for text in map(multiline.feed, parts) if text is not None]
    rest = multiline.rest()
    assert (*"".join([*texts, rest]).replace('"', ""),).count("a") == "".join(parts).count("a")
    assert not multiline.waits
