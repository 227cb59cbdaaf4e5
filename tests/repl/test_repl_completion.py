"""What Tab offers."""

import os

import numpy as np
import pytest
from work import lines_run

from minigpt2.repl import commands
from minigpt2.repl.completion import MOST, complete
from minigpt2.repl.line import parse_arguments, parse_line

TEXTS = ("The cat is sleeping", "the dog | a hound", "A bird", "bell \x07", "#1 is best")


@pytest.fixture
def session(session):
    session.keep_all(TEXTS, np.zeros((len(TEXTS), session.encoder.dimension)), "typed")
    return session


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with names that need care."""
    for name in (
        "plain.txt",
        "with blank.txt",
        "it's.txt",
        "both \"'.txt",
        ".hidden",
        "-dash",
        "bad\x1b.txt",
    ):
        (tmp_path / name).write_text("")
    for name in ("folder", "my folder", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("")
    (tmp_path / "my folder" / "deep file").write_text("")
    (tmp_path / "model" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def lines(session, before):
    """The whole lines that the completions make."""
    return [before[: completion.start] + completion.text for completion in complete(session, before)]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/he", ["/help "]),
        ("/HE", ["/help "]),
        ("  /he", ["  /help "]),
        ("/l", ["/load ", "/list ", "/layers ", "/logits "]),
        ("/nope", []),
        ("/nope x", []),
        ("//he", []),
        ("/help s", ["/help sim ", "/help search ", "/help save "]),
        ("/help /si", ["/help /sim "]),
        ("/quit ", []),
        ("the", ["The cat is sleeping", "the dog | a hound"]),
        ("  a b", ["  A bird"]),
        ("bell", []),
        ("#", ["#5", "#4", "#3", "#2", "#1"]),
        ("#3", ["#3"]),
        ("#9", []),
        ("/sim The c", ["/sim The cat is sleeping"]),
        ("/sim x | the d", ["/sim x | the dog \\| a hound"]),
        ("/sim x \\| the d", []),
        ("/sim x |#2", ["/sim x |#2"]),
        ("/search the d", ["/search the dog | a hound"]),
        ("/search --", ["/search --k "]),
        ("/search --k 3 the d", ["/search --k 3 the dog | a hound"]),
        ("/forget #4", ["/forget #4 "]),
        ("/forget #4 #1", ["/forget #4 #1 "]),
        ("/attn ", [f"/attn {i} " for i in range(6)]),
        ("/attn 2 ", [f"/attn 2 {i} " for i in range(4)]),
        ("/attn 2 1 ", ["/attn 2 1 --of "]),
        ('/attn --of "the d', ['/attn --of "the dog | a hound" ']),
        ("/ablate 5.", [f"/ablate 5.{i} " for i in range(4)]),
        ("/ablate 5.1 the d", ["/ablate 5.1 the dog | a hound"]),
        ("/matrix --metric c", ["/matrix --metric cosine "]),
        ("/matrix --metric=eu", ["/matrix --metric=euclidean "]),
        ("/matrix --nope x", []),
        ("/pool w", ["/pool weighted_mean "]),
        ("/device c", ["/device cpu ", "/device cuda "]),
        ("/dtype float6", ["/dtype float64 "]),
        ("/train x --objective cosi", ["/train x --objective cosine "]),
    ],
)
def test_what_is_offered(session, before, expected):
    assert lines(session, before) == expected


def test_an_empty_line_offers_the_commands_with_their_summaries(session):
    for before in ("", "  ", "/"):
        offered = complete(session, before)
        assert [c.text for c in offered] == [f"/{name} " for name in commands.NAMES]
        assert all(c.label == commands.find(c.text[1:-1]).SUMMARY for c in offered)


def test_labels_say_what_a_number_or_text_stands_for(session):
    assert complete(session, "#1")[0].label == "The cat is sleeping"
    assert complete(session, "The c")[0].label == "#1"
    assert complete(session, "/search --")[0].label == commands.find("search").OPTIONS[0].help


@pytest.mark.skipif(os.name != "posix", reason="names that other systems do not allow")
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/load p", ["/load plain.txt "]),
        ("/load w", ['/load "with blank.txt" ']),
        ('/load "w', ['/load "with blank.txt" ']),
        ("/load 'p", ["/load 'plain.txt' "]),
        ("/load it", ["/load it's.txt "]),
        ("/load 'it", ['/load "it\'s.txt" ']),
        ("/load bo", ['/load "both "\'"\'"\'.txt" ']),
        ("/load .h", ["/load .hidden "]),
        ("/load fo", ["/load folder/"]),
        ("/load folder/", ["/load folder/inner.txt "]),
        ("/load my", ['/load "my folder/']),
        ('/load "my folder/', ['/load "my folder/deep file" ']),
        ("/load -- -d", ['/load -- "-dash" ']),
        ("/load bad", []),
        ("/load nowhere/", []),
        ("/load a\0b/", []),
        ("/load ~", ["/load ~/"]),
        ("/load ~/p", ["/load ~/plain.txt "]),
        ("/map --html p", ["/map --html plain.txt "]),
        ("/map --html=w", ['/map --html="with blank.txt" ']),
        ('/map --html="my', ['/map --html="my folder/']),
        ("/save ", ["/save folder/", "/save model/", '/save "my folder/']),
        ("/model m", ["/model model/", '/model "my folder/']),
        ("/model n", ["/model nano "]),
    ],
)
def test_files_and_folders(session, folder, before, expected):
    assert lines(session, before) == expected


@pytest.mark.parametrize("name", ["plain.txt", "with blank.txt", "it's.txt", "both \"'.txt", "-dash"])
def test_what_is_offered_reads_back_as_the_name(session, folder, name):
    offered = [line for line in lines(session, "/load ") if line.endswith(" ")]
    words = [parse_arguments("load", parse_line(line).rest, "words", ()).words for line in offered]
    assert [name] in words


def test_a_model_directory_is_named_as_one(session, folder):
    assert [c.label for c in complete(session, "/model mo")] == ["model"]


@pytest.mark.parametrize(
    "before", ["", "#", "s", "sentence 99", "/sim a | sentence 5", "/forget #77", '/attn --of "s']
)
def test_completion_looks_at_each_of_many_sentences_once(session, before):
    texts = [f"Sentence {i} of a long list" for i in range(10_000)]
    session.keep_all(texts, np.zeros((10_000, session.encoder.dimension), dtype=np.float32), "list.txt")
    assert 1 <= len(complete(session, before)) <= MOST
    assert lines_run(lambda: complete(session, before)) < 4 * len(texts)  # a look or two at each


def test_nothing_typed_makes_it_fail(session, rng):
    pieces = [
        "/",
        "sim",
        "load",
        "attn",
        " ",
        " | ",
        "--",
        "--of",
        "=",
        '"',
        "'",
        "#",
        "~",
        "\x1b",
        "é",
        "\udc80",
        "\\",
    ]
    for _ in range(2000):
        line = "".join(rng.choice(pieces, size=rng.integers(1, 9)))
        for completion in complete(session, line):
            assert 0 <= completion.start <= len(line)
