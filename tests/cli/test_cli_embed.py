"""`minigpt2 embed`"""

import io
import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

import minigpt2
from minigpt2.cli import embed
from minigpt2.encoder import PRECISIONS

TEXTS = ["The cat is sleeping", "Ein Käfer 🐞", "", "x" * 30]


@pytest.fixture
def expected(tiny_model):
    return minigpt2.load(tiny_model).encode(TEXTS)


def numbers(objects):
    return np.array([one["embedding"] for one in objects], dtype=np.float32)


def as_stdin(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))


def test_one_text_gives_one_object(cli, tiny_model, expected):
    code, out, err = cli("embed", TEXTS[0], "--model", tiny_model)
    assert (code, err) == (0, "")
    one = json.loads(out)
    assert list(one) == ["sentence", "embedding", "dimensions"]
    assert one["sentence"] == TEXTS[0]
    assert one["dimensions"] == len(one["embedding"]) == 24
    np.testing.assert_array_equal(np.float32(one["embedding"]), minigpt2.load(tiny_model).encode(TEXTS[0]))
    assert out.count("\n") == 1


def test_several_texts_give_a_list_in_order(cli, tiny_model, expected):
    code, out, _ = cli(
        "embed", TEXTS[0], "--sentence", TEXTS[2], TEXTS[1], "--sentence", TEXTS[3], "--model", tiny_model
    )
    assert code == 0
    objects = json.loads(out)
    assert [one["sentence"] for one in objects] == [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3]]
    np.testing.assert_allclose(numbers(objects), expected, atol=1e-6)
    assert "Käfer 🐞" in out  # not escaped


def test_input_file_row_n_is_line_n(cli, tiny_model, expected, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_bytes("\ufeff".encode() + "\r\n".join(TEXTS).encode() + b"\n")
    code, out, _ = cli("embed", "--input", file, "--model", tiny_model)
    objects = json.loads(out)
    assert code == 0
    assert [one["sentence"] for one in objects] == TEXTS
    np.testing.assert_allclose(numbers(objects), expected, atol=1e-6)
    assert not numbers(objects)[2].any()  # the empty line


@pytest.mark.parametrize("argv", [["--input", "-"], ["-"]])
def test_stdin(cli, tiny_model, monkeypatch, argv):
    as_stdin(monkeypatch, "é\n\nb".encode())
    code, out, _ = cli("embed", *argv, "--model", tiny_model)
    assert code == 0
    assert [one["sentence"] for one in json.loads(out)] == ["é", "", "b"]


def test_input_of_one_line_is_still_a_list_and_of_none_an_empty_one(cli, tiny_model, monkeypatch):
    as_stdin(monkeypatch, b"one\n")
    assert len(json.loads(cli("embed", "--input", "-", "--model", tiny_model)[1])) == 1
    as_stdin(monkeypatch, b"")
    assert json.loads(cli("embed", "--input", "-", "--model", tiny_model)[1]) == []
    as_stdin(monkeypatch, b"")
    assert cli("embed", "--input", "-", "--jsonl", "--model", tiny_model)[:2] == (0, "")


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_jsonl(cli, tiny_model, expected, tmp_path, batch_size):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(TEXTS), encoding="utf-8")
    code, out, _ = cli("embed", "--input", file, "--jsonl", "--batch-size", batch_size, "--model", tiny_model)
    objects = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["sentence"] for one in objects] == TEXTS
    np.testing.assert_allclose(numbers(objects), expected, atol=1e-6)


def test_jsonl_prints_what_it_had_before_a_bad_line_and_json_prints_nothing(cli, tiny_model, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_bytes(b"one\ntwo\nthr\xe9e\n")
    options = ["--input", file, "--model", tiny_model, "--batch-size", 1]
    code, out, err = cli("embed", *options, "--jsonl")
    assert (code, out.count("\n")) == (3, 2)
    assert f"{file}: line 3" in err
    code, out, err = cli("embed", *options)
    assert (code, out) == (3, "")


def test_output_npy(cli, tiny_model, expected, tmp_path):
    target = tmp_path / "vectors.npy"
    code, out, err = cli("embed", *TEXTS, "--output", target, "--model", tiny_model)
    assert (code, out) == (0, "")
    assert err == f"minigpt2: wrote 4 vectors to {target}\n"
    stored = np.load(target)
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored, expected, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.npy"]


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_output_file_holds_what_stdout_would(cli, tiny_model, tmp_path, suffix):
    target = tmp_path / f"vectors{suffix}"
    flags = ["--jsonl"] if suffix == ".jsonl" else []
    code, out, _ = cli("embed", *TEXTS, "--output", target, "--model", tiny_model)
    assert (code, out) == (0, "")
    assert target.read_text(encoding="utf-8") == cli("embed", *TEXTS, *flags, "--model", tiny_model)[1]


def test_output_replaces_a_file_only_when_it_succeeds(cli, tiny_model, tmp_path):
    target, file = tmp_path / "v.jsonl", tmp_path / "texts.txt"
    target.write_text("old")
    file.write_bytes(b"one\n\xff\n")
    code, _, _ = cli("embed", "--input", file, "--output", target, "--batch-size", 1, "--model", tiny_model)
    assert code == 3
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.txt", "v.jsonl"]
    assert cli("embed", "a", "--output", target, "--model", tiny_model)[0] == 0
    assert json.loads(target.read_text())["sentence"] == "a"


def test_output_that_cannot_be_written_is_found_before_any_work(cli, tmp_path):
    target = tmp_path / "missing" / "v.npy"
    code, out, err = cli("embed", "a", "--output", target, "--model", tmp_path / "no such model")
    assert (code, out) == (1, "")
    assert err.startswith(f"minigpt2: error: cannot write {target}: the folder ")
    assert err.count("\n") == 1


def test_options_reach_the_encoder(cli, tiny_model):
    encoder = minigpt2.load(tiny_model, dtype="float64")

    def embedded(*options):
        code, out, _ = cli("embed", "a cat", "--model", tiny_model, "--dtype", "float64", *options)
        assert code == 0
        return np.array(json.loads(out)["embedding"])

    np.testing.assert_array_equal(embedded(), encoder.encode("a cat"))
    np.testing.assert_array_equal(embedded("--prompt-name", "query"), encoder.encode("query: a cat"))
    np.testing.assert_array_equal(embedded("--truncate-dim", 5), encoder.encode("a cat", truncate_dim=5))
    raw = encoder.encode("a cat", normalize_embeddings=False)
    assert abs(np.linalg.norm(raw) - 1.0) > 0.1
    np.testing.assert_array_equal(embedded("--no-normalize"), raw)
    bits = encoder.encode("a cat", precision="ubinary")
    np.testing.assert_array_equal(embedded("--precision", "ubinary"), bits)


def test_precisions_are_those_of_the_encoder():
    assert embed.PRECISIONS == PRECISIONS


def test_float32_is_written_with_the_digits_it_needs(cli, tiny_model):
    _, out, _ = cli("embed", "a cat", "--model", tiny_model)
    digits = [number.strip() for number in out[out.index("[") + 1 : out.index("]")].split(",")]
    assert max(len(number.lstrip("-0.").partition("e")[0].replace(".", "")) for number in digits) <= 9


def test_texts_cut_at_the_window_are_counted_once(cli, tiny_model, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("short\n" + ("y" * 41 + "\n") * 3)
    message = "3 of 4 texts were longer than the model's window of 40 tokens and were cut there"
    for flags in ([], ["--jsonl", "--batch-size", 2]):
        code, _, err = cli("embed", "--input", file, "--model", tiny_model, *flags)
        assert (code, err) == (0, f"minigpt2: warning: {message}\n")
    code, _, err = cli("embed", "z" * 41, "--model", tiny_model)
    assert "1 of 1 texts was longer than the model's window of 40 tokens and was cut there" in err


def test_device_of_the_environment(cli, tiny_model, monkeypatch):
    monkeypatch.setenv("MINIGPT2_DEVICE", "abacus")
    code, out, err = cli("embed", "a", "--model", tiny_model)
    assert (code, out) == (2, "")
    assert (
        err == "minigpt2: error: MINIGPT2_DEVICE is 'abacus': set it to one of cpu, cuda, auto, or unset it\n"
    )
    assert cli("embed", "a", "--model", tiny_model, "--device", "cpu")[0] == 0  # the option wins
    monkeypatch.setenv("MINIGPT2_DEVICE", "auto")
    assert cli("embed", "a", "--model", tiny_model)[0] == 0


@pytest.mark.parametrize("name", ["x.npy", "X.NPY"])
@pytest.mark.parametrize("texts", [["a", "b"], []])
def test_a_numpy_file_has_the_name_that_was_given(cli, tiny_model, tmp_path, name, texts):
    (tmp_path / "texts").write_text("".join(f"{text}\n" for text in texts))
    argv = ("embed", "--input", tmp_path / "texts", "--output", tmp_path / name, "--model", tiny_model)
    assert cli(*argv)[0] == 0
    vectors = np.load(tmp_path / name)
    assert (vectors.shape, vectors.dtype) == ((len(texts), 24), np.float32)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "texts"])


def test_a_numpy_file_larger_than_the_space_for_it(tiny_model, tmp_path):
    """The limit on a file's size stands for a full disk."""
    output = tmp_path / "x.npy"
    command = f"ulimit -f 1; yes | head -500 | {shlex.quote(sys.executable)} -m minigpt2 embed - "
    command += f"--output {shlex.quote(str(output))} --model {shlex.quote(tiny_model)}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.decode() == f"minigpt2: error: cannot write {output}: file too large\n"
    assert list(tmp_path.iterdir()) == []
