"""`minigpt2 tokens`: show, create and count."""

import argparse
import io
import json
import sys

import pytest

from minigpt2.cli import main, tokens
from minigpt2.errors import DataError, ModelError, UsageError
from minigpt2.tokenizer import BPETokenizer, load_tokenizer


@pytest.fixture
def path(tmp_path):
    """A saved tokenizer: 256 bytes, four merges, one special token."""
    merges = [(b"l", b"o"), (b"lo", b"w"), (b"e", b"r"), (b" ", b"low")]
    vocabulary = {bytes([b]): b for b in range(256)}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    return str(BPETokenizer(vocabulary, merges, {"<|endoftext|>": 260}).save(tmp_path / "tokenizer"))


@pytest.fixture
def run(capsys):
    """Run a command line; gives stdout."""

    def run(*argv):
        parser = argparse.ArgumentParser()
        tokens.add_arguments(parser)
        args = parser.parse_args([str(arg) for arg in argv])
        assert tokens.run(args) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def terminal(monkeypatch):
    """stdout as a terminal of 60 columns without colours."""
    monkeypatch.setattr("minigpt2.cli.console.stdout_is_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")


def give_stdin(monkeypatch, data: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_show_for_a_pipe_is_one_token_a_line(run, path):
    shown = run("show", "low lower\té", "--tokenizer-path", path)
    assert shown == "257\tlow\n259\t␣low\n258\ter\n9\t‹09›\n195\t‹c3›\n169\t‹a9›\n"
    assert run("show", "", "--tokenizer-path", path) == ""


@pytest.mark.parametrize("where", [0, 1, 2])
def test_through_main_with_a_common_option_anywhere(path, capsys, where):
    command = ["tokens", "show", "low"]
    command.insert(where + 1 if where else 0, "--no-color")
    assert main([*command, "--tokenizer-path", path]) == 0
    assert capsys.readouterr().out == "257\tlow\n"


def test_through_main_errors_have_their_exit_codes(path, capsys, tmp_path):
    for argv, code in (
        (["tokens"], 2),
        (["tokens", "show", "low", "--tokenizer-path", str(tmp_path / "absent")], 3),
        (["tokens", "count", str(tmp_path / "absent.txt"), "--tokenizer-path", path], 3),
    ):
        assert main(argv) == code
        assert capsys.readouterr().err.startswith("minigpt2: error: ")


def test_show_for_a_person(run, path, terminal):
    shown = run("show", "low lower", "--tokenizer-path", path)
    chips, ids, summary = shown.splitlines()
    assert chips.split() == ["low", "␣low", "er"]
    assert ids.split() == ["257", "259", "258"]
    assert summary == "3 tokens, 9 characters, 9 bytes, 3.00 bytes a token"
    assert run("show", "", "--tokenizer-path", path) == "0 tokens, 0 characters, 0 bytes\n"


def test_show_prints_markup_as_it_is(run, path, terminal):
    assert "[" in run("show", "[bold]", "--tokenizer-path", path).split()


def test_show_json(run, path):
    shown = json.loads(run("show", "low é", "--tokenizer-path", path, "--json"))
    assert shown == {
        "text": "low é",
        "count": 4,
        "tokens": [
            {"id": 257, "text": "low", "bytes": "6c6f77", "special": False},
            {"id": 32, "text": " ", "bytes": "20", "special": False},
            {"id": 195, "text": None, "bytes": "c3", "special": False},
            {"id": 169, "text": None, "bytes": "a9", "special": False},
        ],
    }


def test_show_trace(run, path):
    assert run("show", "low lower", "--tokenizer-path", path, "--trace").splitlines() == [
        "low",
        "  bytes       l o w",
        "  rank 0      lo w   l + o = 256",
        "  rank 1      low   lo + w = 257",
        "  ids         257",
        "␣lower",
        "  bytes       ␣ l o w e r",
        "  rank 0      ␣ lo w e r   l + o = 256",
        "  rank 1      ␣ low e r   lo + w = 257",
        "  rank 2      ␣ low er   e + r = 258",
        "  rank 3      ␣low er   ␣ + low = 259",
        "  ids         259 258",
    ]


def test_show_trace_json(run, path):
    (word,) = json.loads(run("show", "lo", "--tokenizer-path", path, "--trace", "--json"))["trace"]
    assert word == {
        "word": "lo",
        "pieces": [{"text": "l", "bytes": "6c"}, {"text": "o", "bytes": "6f"}],
        "steps": [
            {
                "rank": 0,
                "position": 0,
                "left": {"text": "l", "bytes": "6c"},
                "right": {"text": "o", "bytes": "6f"},
                "token": 256,
                "ids": [256],
                "pieces": [{"text": "lo", "bytes": "6c6f"}],
            }
        ],
        "ids": [256],
    }


def test_show_special_tokens(run, path):
    text = "low<|endoftext|>"
    plain = json.loads(run("show", text, "--tokenizer-path", path, "--json"))
    assert plain["count"] == 14
    allowed = json.loads(run("show", text, "--tokenizer-path", path, "--json", "--allow-special"))
    assert allowed["tokens"][1] == {
        "id": 260,
        "text": "<|endoftext|>",
        "bytes": b"<|endoftext|>".hex(),
        "special": True,
    }
    with pytest.raises(UsageError, match="--trace shows merges"):
        run("show", text, "--tokenizer-path", path, "--trace", "--allow-special")


def test_show_reads_stdin(run, path, monkeypatch):
    give_stdin(monkeypatch, b"low\nlow\n")
    assert run("show", "-", "--tokenizer-path", path) == "257\tlow\n10\t‹0a›\n257\tlow\n"


def test_show_without_a_tokenizer(run, tmp_path):
    with pytest.raises(ModelError, match="no tokenizer at"):
        run("show", "a", "--tokenizer-path", tmp_path / "absent")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("low lower\r\n\nlow LOW\n", encoding="utf-8")
    (folder / "b.tsv").write_text(
        "id\tsentence1\tsentence2\tscore\n7\tfirst\tsecond\t2.5\n", encoding="utf-8"
    )
    (folder / "c.tsv").write_text("anchor one\tpositive one\t3\n", encoding="utf-8")
    (folder / "d.csv").write_text("never read", encoding="utf-8")
    return folder


def test_texts_of_files(data):
    files = tokens.find_text_files([str(data), str(data / "a.txt")])
    assert [file.name for file in files] == ["a.txt", "b.tsv", "c.tsv", "a.txt"]
    assert [list(tokens.read_texts(file)) for file in files[:3]] == [
        ["low lower", "low LOW"],
        ["first", "second"],
        ["anchor one", "positive one"],
    ]


def test_create_a_folder_and_a_file(run, data, tmp_path):
    output = tmp_path / "made"
    said = run("create", "--data-dir", data, "--vocab-size", 261, "--output", output, "--min-frequency", 3)
    assert said.startswith(f"{output}: 261 tokens learned from ")
    # low, lower, low: (l,o) and (o,w) 3 times; second, one, one: (o,n) 3 times. Smaller ids first.
    assert load_tokenizer(output).merges == [(b"l", b"o"), (b"o", b"n"), (b"lo", b"w")]
    assert sorted(p.name for p in output.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    file = tmp_path / "made.json"
    run("create", "--data-dir", data, "--vocab-size", 260, "--output", file, "--lowercase")
    assert load_tokenizer(file).lowercase
    assert load_tokenizer(file).vocab_size == 260


def test_create_stops_at_the_limit(run, data, tmp_path):
    run("create", "--data-dir", data, "--vocab-size", 300, "--output", tmp_path / "one", "--limit", 1)
    assert load_tokenizer(tmp_path / "one").merges == [(b"l", b"o"), (b"lo", b"w")]


def test_create_says_when_the_text_is_too_little(data, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    tokens.add_arguments(parser)
    command = [
        "create",
        "--data-dir",
        str(data),
        "--vocab-size",
        "9000",
        "--output",
        str(tmp_path / "t.json"),
    ]
    assert tokens.run(parser.parse_args(command)) == 0
    size = load_tokenizer(tmp_path / "t.json").vocab_size
    assert f"warning: the vocabulary has {size} tokens, not 9000" in capsys.readouterr().err


def test_create_replaces_only_when_told(run, data, tmp_path):
    command = ["create", "--data-dir", data, "--vocab-size", 259, "--output", tmp_path / "made"]
    run(*command)
    with pytest.raises(UsageError, match=r"tokenizer\.json exists: .* --overwrite"):
        run(*command)
    run(*command, "--overwrite")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("data/a.txt", "is a file: --output must be a folder"),
        ("absent/made", "absent of --output does not exist"),
    ],
)
def test_create_checks_the_output_first(run, data, tmp_path, output, message):
    with pytest.raises(UsageError, match=message):
        run("create", "--data-dir", data, "--vocab-size", 259, "--output", tmp_path / output)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"good\nbad \xff\n", r"x\.txt: line 2, byte 5 .* is not UTF-8"),
        ("x.tsv", b"sentence1\tsentence2\nonly one\n", r"x\.tsv: line 2 has 1 columns, .* in column 2"),
        ("x.csv", b"a,b", "is neither .txt nor .tsv"),
    ],
)
def test_create_names_the_bad_line(run, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        run("create", "--data-dir", tmp_path / name, "--vocab-size", 300, "--output", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_create_without_data(run, tmp_path):
    for given, message in ((tmp_path, "holds no .txt or .tsv file"), (tmp_path / "absent", "does not exist")):
        with pytest.raises(DataError, match=message):
            run("create", "--data-dir", given, "--vocab-size", 300, "--output", tmp_path / "made")


def test_create_with_too_small_a_vocabulary(run, data, tmp_path):
    with pytest.raises(UsageError, match="vocab_size 100 is too small"):
        run("create", "--data-dir", data, "--vocab-size", 100, "--output", tmp_path / "made")


@pytest.fixture
def counted(tmp_path):
    file = tmp_path / "some.txt"
    file.write_text("low lower\n\nhé\n", encoding="utf-8")
    return file


COUNTS = {
    "lines": 3,
    "tokens": 6,  # low, ␣low, er; h and the two bytes of é
    "words": 3,
    "characters": 11,
    "bytes": 12,
    "exact_lines": 3,
    "longest_line": 1,
    "longest_line_tokens": 3,
    "bytes_per_token": 2.0,
    "tokens_per_word": 2.0,
    "coverage": 1.0,
}


def test_count_json(run, path, counted, monkeypatch):
    give_stdin(monkeypatch, counted.read_bytes())
    rows = json.loads(run("count", counted, "-", "--tokenizer-path", path, "--json"))
    assert rows == [{"file": str(counted), **COUNTS}, {"file": "stdin", **COUNTS}]


def test_count_for_a_pipe(run, path, counted):
    header, row = run("count", counted, "--tokenizer-path", path).splitlines()
    assert header.split("\t") == ["file", *COUNTS]
    assert row == f"{counted}\t3\t6\t3\t11\t12\t3\t1\t3\t2.0000\t2.0000\t1.0000"


def test_count_for_a_person(run, path, counted, terminal, monkeypatch):
    monkeypatch.chdir(counted.parent)
    table = run("count", "some.txt", "--tokenizer-path", path)
    assert "some.txt" in table
    assert "coverage" in table
    assert "100.00%" in table


def test_count_of_nothing(run, path, tmp_path):
    (tmp_path / "empty.txt").write_bytes(b"")
    (row,) = json.loads(run("count", tmp_path / "empty.txt", "--tokenizer-path", path, "--json"))
    assert row == {"file": str(tmp_path / "empty.txt"), **dict.fromkeys(COUNTS, 0)}


def test_count_with_normalizers_covers_what_is_normalized(run, tmp_path, path):
    plain = load_tokenizer(path)
    vocabulary = {plain.token_bytes(id): id for id in range(260)}
    BPETokenizer(vocabulary, plain.merges, {}, lowercase=True, add_prefix_space=True).save(tmp_path / "n")
    (tmp_path / "x.txt").write_text("LOW\n low ΣΑΣ\n\n", encoding="utf-8")
    (row,) = json.loads(run("count", tmp_path / "x.txt", "--tokenizer-path", tmp_path / "n", "--json"))
    assert (row["coverage"], row["exact_lines"]) == (1.0, 3)


def test_count_without_a_file_counts_the_vocabulary(run, path):
    assert run("count", "--tokenizer-path", path) == (
        "tokens\t261\nspecial_tokens\t1\nsingle_bytes\t256\nlongest_in_bytes\t4\n"
    )
    assert json.loads(run("count", "--tokenizer-path", path, "--json"))["tokens"] == 261


def test_count_names_the_bad_line(run, path, tmp_path):
    (tmp_path / "x.txt").write_bytes(b"good\n\xe9\n")
    with pytest.raises(DataError, match=r"x\.txt: line 2, byte 1 \(0xe9\) is not UTF-8"):
        run("count", tmp_path / "x.txt", "--tokenizer-path", path)
    with pytest.raises(DataError, match="cannot read"):
        run("count", tmp_path / "absent.txt", "--tokenizer-path", path)
