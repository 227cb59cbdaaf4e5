"""`/load`: the texts of every kind of file, once each, or one error and nothing kept."""

import json
import lzma
import re

import numpy as np
import pytest
from sentence_sessions import check_drawings, conversation, drawn, say, snapshot, tiny

import minigpt2.inference
from minigpt2.errors import DataError, MiniGPT2Error, UsageError


@pytest.fixture
def session():
    return conversation(tiny())


def texts(session):
    return [s.text for s in session.sentences]


def write(path, content):
    path.write_bytes(content.encode())
    return path


FILES = {
    "lines.txt": ("one\ntwo\n\n one\ntwo\n", ["one", "two", " one"]),
    "windows.txt": ("\ufeffone\r\ntwo\r\n", ["one", "two"]),
    "pairs.tsv": (
        "id\tsentence1\tsentence2\tlabel\na\tone\ttwo\t1\nb\ttwo\tthree\t0\n",
        ["one", "two", "three"],
    ),
    "scores.tsv": (
        "id\tsentence1\tsentence2\tlabel\na\tone\ttwo\t0.25\nb\tone\tfour\t3\n",
        ["one", "two", "four"],
    ),
    "positives.tsv": (
        "anchor\tpositive\tnegative\none\ttwo\tthree\nfour\tone\n",
        ["one", "two", "three", "four"],
    ),
    "plain.tsv": ("one\ttwo\nthree\tone\n", ["one", "two", "three"]),
    "classes.tsv": ("text\tlabel\none\tx\ntwo\ty\none\ty\n", ["one", "two"]),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file(name, session, tmp_path):
    content, expected = FILES[name]
    path = write(tmp_path / name, content)
    data = say(session, f"/load {path}").data
    assert texts(session) == expected
    assert {s.source for s in session.sentences} == {name}
    np.testing.assert_array_equal(session.vectors, session.encoder.encode(expected))
    assert (data["texts"], data["new"], data["first"], data["last"]) == (
        len(expected),
        len(expected),
        1,
        len(expected),
    )
    assert session.current is None


def test_compressed_lines_and_a_name_with_blanks(session, tmp_path):
    path = tmp_path / "some lines.txt.xz"
    path.write_bytes(lzma.compress(b"one\ntwo\n"))
    say(session, f'/load "{path}"')
    assert texts(session) == ["one", "two"]


def test_a_beir_folder(session, tmp_path):
    documents = [{"_id": "d1", "title": "T", "text": "one"}, {"_id": "d2", "title": "", "text": ""}]
    write(tmp_path / "corpus.jsonl", "".join(json.dumps(d) + "\n" for d in documents))
    write(tmp_path / "queries.jsonl", json.dumps({"_id": "q", "text": "what"}) + "\n")
    write(tmp_path / "qrels-test.tsv", "query-id\tcorpus-id\tscore\nq\td1\t1\n")
    say(session, f"/load {tmp_path}")
    assert texts(session) == ["T one", "what"]


def test_what_is_kept_already_stays_as_it_is(session, tmp_path):
    say(session, "two")
    path = write(tmp_path / "a.txt", "one\ntwo\nthree\n")
    reply = say(session, f"/load {path}")
    assert [(s.number, s.text, s.source) for s in session.sentences] == [
        (1, "two", "typed"),
        (2, "one", "a.txt"),
        (3, "three", "a.txt"),
    ]
    assert (reply.data["texts"], reply.data["new"]) == (3, 2)
    assert "1 was kept already" in drawn(reply, 200)
    again = say(session, f"/load {path}")
    assert (again.data["new"], again.data["first"], again.data["last"]) == (0, None, None)
    assert "3 were kept already" in drawn(again, 200)
    assert session.current == "two"
    check_drawings(again)


def test_a_limit_is_of_lines_and_of_texts(session, tmp_path):
    path = write(tmp_path / "a.tsv", "one\ttwo\nthree\tfour\nfive\tsix\nbroken\n")
    reply = say(session, f"/load {path} --limit 3")
    assert texts(session) == ["one", "two", "three"]
    assert "the first 3 different texts" in drawn(reply, 200)


def test_texts_beyond_the_window_are_counted(session, tmp_path, recwarn):
    path = write(tmp_path / "a.txt", "short\n" + "x" * 41 + "\n" + "y" * 40 + "\n")
    reply = say(session, f"/load {path}")
    assert reply.data["cut_at_window"] == 1
    assert "1 was longer than the window of 40 tokens and was cut there" in " ".join(
        drawn(reply, 200).split()
    )
    assert not recwarn.list


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.tsv",
            "id\tsentence1\tsentence2\tlabel\na\tone\ttwo\t1\nb\tone\t\t1\n",
            r"a.tsv: line 3, column 3",
        ),
        ("a.tsv", "id\tsentence1\tsentence2\tlabel\na\tone\ttwo\tyes\n", r"a.tsv: line 2, column 4"),
        ("a.tsv", "one\ttwo\nthree\n", r"a.tsv: line 2 has 1 column"),
        ("a.csv", "one,two\n", r"a.csv: line 1 is 'one,two', no header that is known"),
        ("a.txt", "\n \n", "holds no text"),
        ("a.tsv", "", "is empty"),
        ("a.txt.xz", "no archive", "no whole .xz file"),
    ],
)
def test_a_file_with_a_mistake_is_refused_whole(name, content, message, session, tmp_path):
    say(session, "before")
    before = snapshot(session)
    with pytest.raises(DataError, match=message) as caught:
        say(session, f"/load {write(tmp_path / name, content)}")
    assert "\n" not in str(caught.value)
    assert snapshot(session) == before


def test_bytes_that_are_no_text(session, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntw\xff\n")
    with pytest.raises(DataError, match=r"a.txt: line 2, byte 3 \(0xff\) is not UTF-8"):
        say(session, f"/load {path}")


@pytest.mark.parametrize(
    "line",
    [
        "/load",
        "/load a b",
        "/load nothing.txt",
        "/load nothing.tsv",
        "/load .",
        "/load x --limit 0",
        '/load "x',
    ],
)
def test_what_is_refused(line, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MiniGPT2Error) as caught:
        say(session, line)
    assert re.match(r"[^\n]{10,300}$", str(caught.value))
    assert snapshot(session) == ([], [], None, 0)


def test_two_names_say_how_to_give_one(session):
    with pytest.raises(UsageError, match="quotation marks"):
        say(session, "/load my file.txt")


def test_an_interruption_keeps_nothing(session, tmp_path, monkeypatch):
    path = write(tmp_path / "a.txt", "".join(f"text {i}\n" for i in range(600)))
    say(session, "before")
    before = snapshot(session)
    run_chunk, calls = minigpt2.inference.run_chunk, []

    def interrupted(chunk, *rest):
        calls.append(chunk)
        if len(calls) == 2:
            raise KeyboardInterrupt
        run_chunk(chunk, *rest)

    monkeypatch.setattr("minigpt2.inference.run_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        say(session, f"/load {path}")
    assert len(calls) >= 2
    assert snapshot(session) == before
    monkeypatch.undo()
    assert say(session, f"/load {path}").data["new"] == 600


def test_drawings(session, tmp_path):
    path = write(tmp_path / "a.txt", "\x1b[2J one\n犬が寝ている\n" + "long " * 50 + "\nfour\nfive\n")
    reply = say(session, f"/load {path}")
    check_drawings(reply, widths=(20, 40, 80, 200))
    assert "2 more" in drawn(reply)


def test_a_name_that_no_file_can_have_is_one_short_line(session):
    with pytest.raises(UsageError) as error:
        say(session, f"/load {'x' * 100_000}")
    assert "is no name that a file can have" in str(error.value)
    assert len(str(error.value)) < 200
