"""`minigpt2 bench`: what it prints, for whom, and what it refuses. How fast it is, is no matter of a test."""

import json
import re

import pytest

TEXT = "a cat sleeps on the warm windowsill\n\nthe market fell\nyes\n"


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text(TEXT)
    return path


def test_a_table_for_people(cli, texts):
    code, out, _ = cli("bench", texts, "--rounds", "1")
    assert code == 0
    for line in ("sentences a second", "tokenizing alone", "one text", "products", "mlp", "attention"):
        assert line in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_range_is_that_of_several_rounds(cli, texts):
    one, several = (cli("bench", texts, "--texts", "1", "--rounds", rounds)[1] for rounds in (1, 2))
    for out, ranges in ((one, 0), (several, 4)):
        assert sum(" to " in line for line in out.splitlines()) == ranges
        assert re.search(r"^threads +[1-8]$", out, re.MULTILINE)


def test_json_for_programs(cli, texts):
    data = json.loads(cli("bench", texts, "--rounds", "2", "--json")[1])
    assert (data["texts"], data["rounds"], data["model"]) == (4, 2, "nano")
    assert data["tokens"] == sum(len(line) for line in tokens_of(TEXT))
    for name in ("sentences_per_second", "tokens_per_second"):
        assert 0 < data[name]["slowest"] <= data[name]["median"] <= data[name]["fastest"]
    assert 0 < data["share_of_peak"] < 1.5
    assert sum(data["share_by_kind"].values()) == pytest.approx(1.0)
    assert set(data["milliseconds_by_kind"]) >= {"embedding", "qkv", "attention", "mlp", "gelu", "layernorm"}


def tokens_of(text):
    import minigpt2

    return minigpt2.load().tokenizer.encode_batch(text.splitlines())


def test_the_layers_as_they_are_written(cli, texts):
    data = json.loads(cli("bench", texts, "--rounds", "1", "--dtype", "float64", "--json")[1])
    assert "float64" in data["backend"]
    assert "residual" in data["milliseconds_by_kind"]


def test_its_own_texts(cli):
    data = json.loads(cli("bench", "--texts", "7", "--rounds", "1", "--json")[1])
    assert data["texts"] == 7
    assert data["mean_tokens"] > 3


def test_the_model_of_this_folder(cli, texts, tiny_model, monkeypatch):
    monkeypatch.chdir(tiny_model)
    data = json.loads(cli("bench", texts, "--model", ".", "--rounds", "1", "--json")[1])
    assert data["model"] == "tiny"
    assert data["peak_memory_mb"] > 10


def test_stdin_without_text(process):
    result = process("bench", "-", stdin=b"\n\n")
    assert result.returncode == 3
    assert result.stderr == b"minigpt2: error: stdin: no text in it: give some lines of text\n"


def test_stdin(process):
    result = process("bench", "-", "--rounds", "1", "--json", stdin=b"one two\n")
    assert json.loads(result.stdout)["texts"] == 1


@pytest.mark.parametrize(
    ("arguments", "text", "code", "message"),
    [
        (["--rounds", "0"], TEXT, 2, "'0' is not a whole number of at least 1"),
        (["--texts", "x"], TEXT, 2, "'x' is not a whole number of at least 1"),
        ([], "", 3, "no text in it"),
        ([], "\n\n", 3, "no text in it"),
        (["--model", "nowhere"], TEXT, 3, "no model directory 'nowhere'"),
    ],
)
def test_what_is_refused(cli, tmp_path, arguments, text, code, message):
    (tmp_path / "t.txt").write_text(text)
    exit_code, out, err = cli("bench", tmp_path / "t.txt", *arguments)
    assert exit_code == code
    assert message in err
    assert out == ""
    assert len(err.splitlines()) == 1
