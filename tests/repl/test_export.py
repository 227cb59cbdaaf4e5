"""`/export`: files that hold what was said, in which no text does anything; whole or not there."""

import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from markdown_it import MarkdownIt
from model_sessions import TYPED, check_drawing, drawn, nano, say, session_with, state_of, tiny_encoder
from safetensors import safe_open

from minigpt2.errors import MiniGPT2Error, OutputError, UsageError
from minigpt2.repl import export
from minigpt2.repl.exchange import Exchange
from minigpt2.views import Table
from minigpt2.visible import visible

NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "</pre></code></style></title><svg onload=alert(3)>",
    "\"' onmouseover='alert(4)' &lt;b&gt; &amp; &#60;",
    "[press](javascript:alert(5)) ![](http://evil.example/x.png) <http://evil.example>",
    "see http://evil.example and www.evil.example and a@evil.example",
    "``` \n# heading\n- list\n> quote\n``````",
    "~~~\n***\n===\n1. one\n12) two\n+ plus",
    "| a | b |\\| c \\\\| `d | e`",
    "**bold** _it_ ~~gone~~ `code` $x$ \\begin{x} :smile: @someone",
    "\x1b[31mred\x1b[0m \x07 \u202e desrever \u200b \x9b1m \x00",
    "    indented\tand\ttabs",
    "猫が眠っている 🐈‍⬛ é",
)


def table_or_prose(text):
    """Text between the marks of HTML, with blanks as one."""
    return " ".join(text.split())


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), set(), []
        self.feed(text)
        self.close()
        self.all_text = table_or_prose("".join(self.text))

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        for name, value in attributes:
            assert name not in ("src", "href") or value.startswith("data:image/png;base64,"), (name, value)

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def nasty_session():
    session = session_with([TYPED[0]], nano())
    for text in NASTY:
        say(session, f"//{text}" if text.startswith("/") else text)
    for line in (
        "/matrix",
        f"/sim {NASTY[0]} | {NASTY[3]}",
        "/list",
        "/model",
        "/time",
        f"/search {NASTY[8]}",
    ):
        say(session, line)
    session.record(Exchange(f"/<b>{NASTY[0]}", "?", None, f"unknown command {NASTY[0]} {NASTY[3]}", 0.0))
    return session


def test_html_has_every_text_and_no_text_acts(nasty_session, tmp_path):
    say(nasty_session, f"/export {tmp_path / 'talk.html'}")
    text = (tmp_path / "talk.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "img", "iframe", "a", "link", "object", "embed", "form", "b"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "http://" not in re.sub(
        r"http://evil\.example", "", text.replace("http://www.w3.org/2000/svg", "")
    )
    for nasty in NASTY:
        assert table_or_prose(visible(" ".join(nasty.split()))) in page.all_text, nasty
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


def test_markdown_has_every_text_and_no_text_acts(nasty_session, tmp_path):
    say(nasty_session, f"/export {tmp_path / 'talk.md'}")
    text = (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert all(c.isprintable() or c == "\n" for c in text)
    page = Page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    assert page.tags <= {
        "h1",
        "h2",
        "h3",
        "p",
        "br",
        "pre",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    for nasty in NASTY:
        assert table_or_prose(visible(" ".join(nasty.split()))) in page.all_text, nasty
    assert not re.search(r"(?<!\\)(https?|ftp):(?=//)|(?<![\w.])www\.(?!\\)", outside_of_blocks(text))


def outside_of_blocks(text):
    """Markdown without its fenced blocks."""
    return re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", NASTY)
def test_what_is_escaped_for_markdown_comes_back_as_it_was(text):
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(export._escaped(text))
    page = Page(rendered)
    assert page.tags == {"p"}
    assert page.all_text == table_or_prose(visible(" ".join(text.split())))


@pytest.mark.parametrize("text", NASTY)
def test_what_stands_in_a_table_comes_back_as_it_was(text):
    table = export._table(Table(("a", text), [(text, 0.25), (text, 12.5)]))
    page = Page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(table))
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    expected = table_or_prose(visible(" ".join(text.split())))
    assert page.all_text == table_or_prose(f"a {expected} {expected} 0.25 {expected} 12.50")


def test_a_block_ends_where_it_ends():
    for content in ("```", "a\n````\nb", "~~~", "`", ""):
        (token,) = MarkdownIt("commonmark").parse(export._fenced(content))
        assert (token.type, token.content) == ("fence", content + "\n")


def test_both_hold_the_conversation_in_its_order(tmp_path):
    session = session_with()
    say(session, "/sim #1 | #2")
    session.record(Exchange("/nonsense", "nonsense", None, "unknown command /nonsense", 0.0))
    reply = say(session, f"/export {tmp_path / 'talk.html'}")
    check_drawing(reply)
    assert reply.data["holds"] == "5 lines of the conversation"
    assert reply.data["bytes"] == (tmp_path / "talk.html").stat().st_size
    say(session, f"/export {tmp_path / 'talk.MD'}")
    page = Page((tmp_path / "talk.html").read_text(encoding="utf-8")).all_text
    rendered = (
        MarkdownIt("commonmark").enable("table").render((tmp_path / "talk.MD").read_text(encoding="utf-8"))
    )
    for text in (page, Page(rendered).all_text):
        places = [text.index(f"› {typed}") for typed in (*TYPED, "/sim #1 | #2", "/nonsense")]
        assert places == sorted(places)
        assert "error: unknown command /nonsense" in text
        cosine = session.exchanges[3].reply.data["pairs"][0]["scores"]["cosine"]
        assert f"{cosine:.4f}" in text


def test_a_line_of_100_000_characters_is_cut(tmp_path):
    session = session_with(["word " * 20_000])
    say(session, f"/export {tmp_path / 'talk.md'}")
    assert "more characters" in (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert (tmp_path / "talk.md").stat().st_size < 60_000


def test_lines_that_are_no_longer_kept_are_counted(tmp_path):
    session = session_with()
    session.exchanges_dropped = 7
    reply = say(session, f"/export {tmp_path / 'talk.html'}")
    assert "the first 7 lines are left out" in reply.data["holds"]
    assert "the first 7 lines are left out" in (tmp_path / "talk.html").read_text(encoding="utf-8")


def test_npy_holds_the_vectors(tmp_path, xp):
    session = session_with(encoder=tiny_encoder(xp))
    reply = say(session, f"/export {tmp_path / 'vectors.NPY'}")
    vectors = np.load(tmp_path / "vectors.NPY", allow_pickle=False)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, session.vectors)
    assert reply.data["holds"] == "3 vectors of 12 numbers"


def test_safetensors_holds_the_vectors_their_texts_and_how_they_were_made(tmp_path):
    session = session_with([*TYPED, *NASTY], tiny_encoder(pooling="max"))
    say(session, "/forget #2")
    say(session, f"/export {tmp_path / 'vectors.safetensors'}")
    with safe_open(tmp_path / "vectors.safetensors", "np") as file:
        assert sorted(file.keys()) == ["numbers", "vectors"]
        np.testing.assert_array_equal(file.get_tensor("vectors"), session.vectors)
        np.testing.assert_array_equal(file.get_tensor("numbers"), [s.number for s in session.sentences])
        metadata = file.metadata()
    assert json.loads(metadata["texts"]) == [s.text for s in session.sentences]
    assert json.loads(metadata["sources"]) == ["typed"] * len(session.sentences)
    assert (metadata["pooling"], metadata["normalize"]) == ("max", "true")


@pytest.mark.parametrize("name", ["talk.html", "talk.md", "vectors.npy", "vectors.safetensors"])
def test_nothing_is_overwritten_unasked(tmp_path, name):
    session = session_with()
    (tmp_path / name).write_text("precious", encoding="utf-8")
    with pytest.raises(UsageError, match="--overwrite"):
        say(session, f"/export {tmp_path / name}")
    assert (tmp_path / name).read_text(encoding="utf-8") == "precious"
    say(session, f"/export {tmp_path / name} --overwrite")
    assert (tmp_path / name).read_bytes() != b"precious"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["talk.html", "talk.md", "vectors.npy", "vectors.safetensors"])
def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch, name):
    def fail(session, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    session = session_with()
    before = state_of(session)
    monkeypatch.setitem(export.WRITERS, f".{name.partition('.')[2]}", fail)
    with pytest.raises(KeyboardInterrupt):
        say(session, f"/export {tmp_path / name}")
    assert list(tmp_path.iterdir()) == []
    assert state_of(session) == before


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX's")
@pytest.mark.parametrize("name", ["talk.html", "talk.md", "vectors.npy", "vectors.safetensors"])
def test_a_disk_that_takes_no_more_is_told(tmp_path, name):
    import resource

    session = session_with()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150, limits[1]))
    try:
        with pytest.raises(OutputError, match=f"cannot write .*{name}: file too large"):
            say(session, f"/export {tmp_path / name}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("/export", UsageError, "one file"),
        ("/export HERE/a.html HERE/b.html", UsageError, "one file"),
        ("/export HERE/talk.pdf", UsageError, ".html, .md, .npy or .safetensors"),
        ("/export HERE/talk", UsageError, ".html"),
        ("/export HERE/none/talk.html", OutputError, "does not exist"),
        ("/export HERE/a\0b.html", UsageError, "no name"),
        ("/export HERE/talk.html --force", UsageError, "--force"),
    ],
)
def test_wrong_use_writes_nothing(tmp_path, line, error, message):
    with pytest.raises(error, match=re.escape(message)) as raised:
        say(session_with(), line.replace("HERE", str(tmp_path)))
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["talk.html", "talk.md", "vectors.npy", "vectors.safetensors"])
def test_an_empty_conversation_has_nothing_to_export(tmp_path, name):
    with pytest.raises(MiniGPT2Error, match="type") as raised:
        say(session_with(()), f"/export {tmp_path / name}")
    assert isinstance(raised.value, UsageError)
    assert list(tmp_path.iterdir()) == []


def test_the_reply_names_the_file():
    assert "{" not in drawn(say(session_with(), "/time"))  # a format string that was never filled
