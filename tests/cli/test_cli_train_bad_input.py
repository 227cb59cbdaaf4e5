"""Bad input to `minigpt2 train`: one clear line, the right exit code, and nothing broken left behind."""

import os
import shutil

import numpy as np
import pytest
from test_cli_bad_input import change_tensors, refused
from test_cli_train import QUICK, SENTENCES, TINY, trained, write_pairs, write_texts

import minigpt2
from minigpt2.backend import gpu_problem

HEADER = "id\tsentence1\tsentence2\tlabel\n"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs.tsv")


def start(cli, data, out, *options):
    return cli("train", "--train-data", data, "--output-dir", out, *TINY, *QUICK, *options)


def last_line_refused(result, code, *parts):
    """As `refused`, after the lines that say what has been read."""
    got, stdout, stderr = result
    lines = stderr.splitlines()
    assert not any(line.startswith("minigpt2: error: ") for line in lines[:-1])
    refused((got, stdout, lines[-1] + "\n"), code, *parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (
            HEADER + "1\ta\tb\t1\n2\ta\tb\n",
            ["line 3 has 3 columns", "4 (id sentence1 sentence2 label): put tabs"],
        ),
        (HEADER + "1\ta\tb\t1\textra\n", ["line 2", "5 columns", "must not hold a tab"]),
        (HEADER + "1\ta\tb\tyes\n", ["line 2", "column 4", "'yes'"]),
        (HEADER + "1\ta\tb\tnan\n", ["line 2", "column 4"]),
        (HEADER + "1\ta\tb\t1\n1\tc\td\t0\n", ["line 3", "'1'", "line 2 already"]),
        (HEADER + "1\ta\t\t1\n", ["line 2", "column 3", "empty"]),
        (HEADER, ["nothing below its header"]),
        ("", ["is empty"]),
        ("number\tone\ttwo\tthree\tfour\n", ["line 1", "no header that is known"]),
        ("text\tlabel\nhello\tgreeting\n", ["texts with classes", "minigpt2 evaluate"]),
    ],
)
def test_a_file_that_is_no_training_data(cli, tmp_path, out, content, parts):
    data = tmp_path / "data.tsv"
    data.write_text(content)
    refused(start(cli, data, out), 3, data, *parts)
    assert not out.exists()


def test_labels_of_another_scale(cli, tmp_path, out):
    data = tmp_path / "scores.tsv"
    data.write_text(HEADER + "1\ta\tb\t1\n2\tc\td\t4.5\n")
    result = start(cli, data, out, "--objective", "contrastive")
    refused(result, 3, f"{data}: line 3, column 4", "4.5 is neither 0 nor 1", "cosine or cosent")
    assert not out.exists()


def test_labels_beyond_the_range_that_is_said(cli, tmp_path, out):
    data = write_pairs(tmp_path / "scores.tsv", labels=("0", "5"))
    result = start(cli, data, out, "--objective", "cosine", "--label-range", 0, 4)
    last_line_refused(result, 2, "between 0 and 5", "0 to 4")


def test_windows_line_ends_and_a_byte_order_mark_are_accepted(cli, pairs, tmp_path, out):
    windows = tmp_path / "windows.tsv"
    windows.write_bytes(b"\xef\xbb\xbf" + pairs.read_bytes().replace(b"\n", b"\r\n"))
    trained(start(cli, windows, out))
    trained(start(cli, pairs, tmp_path / "unix"))
    flats = [minigpt2.load(folder / "last").model.parameters.flat for folder in (out, tmp_path / "unix")]
    np.testing.assert_array_equal(*flats)


def test_a_file_that_is_not_there_or_not_utf8(cli, tmp_path, out):
    refused(start(cli, tmp_path / "absent.tsv", out), 3, tmp_path / "absent.tsv")
    latin = tmp_path / "latin.tsv"
    latin.write_bytes((HEADER + "1\tKäfer\tb\t1\n").encode("latin-1"))
    refused(start(cli, latin, out), 3, f"{latin}: line 2", "not UTF-8")


def test_files_of_different_kinds(cli, pairs, tmp_path, out):
    texts = write_texts(tmp_path / "texts.txt")
    result = cli("train", "--train-data", pairs, texts, "--output-dir", out)
    refused(result, 3, pairs, texts, "one kind")


@pytest.mark.parametrize("lr", ["1e20", "1e38"])
def test_a_learning_rate_that_makes_nan(cli, pairs, out, lr):
    options = ("--initial-lr", lr, "--warmup", 0, "--clip", "none", "--schedule", "constant", "--epochs", 30)
    code, _, stderr = start(cli, pairs, out, "--validation-data", pairs, *options)
    error = stderr.splitlines()[-1]
    assert code == 1
    assert error.startswith("minigpt2: error: step ")
    assert "the first tensor that is not finite is the " in error
    assert "Lower --initial-lr (it is 1e+" in error
    assert "the checkpoint of step 0 is kept" in error
    assert np.isfinite(minigpt2.load(out / "best").model.parameters.flat).all()


def test_an_output_folder_with_another_run_in_it(cli, pairs, out):
    trained(start(cli, pairs, out))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != ".lock"}
    refused(start(cli, pairs, out), 2, f"{out} holds a run already", "--resume", "--overwrite")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != ".lock"} == before
    last_line_refused(start(cli, pairs, out, "--resume", "--seed", 9), 2, "seed was 0 and is 9 now")
    result = start(cli, pairs, out, "--resume", "--initial-lr", 0.5)
    last_line_refused(result, 2, "--initial-lr was 0.001 and is 0.5 now")
    refused(start(cli, pairs, out, "--resume", "--overwrite"), 2, "--overwrite: not allowed with")
    trained(start(cli, pairs, out, "--overwrite", "--seed", 9))


def test_an_output_folder_that_is_something_else(cli, pairs, out, tmp_path):
    (out / "best").mkdir(parents=True)
    refused(start(cli, pairs, out), 2, out / "best", "was not made by a training run")
    refused(start(cli, pairs, pairs), 2, f"{pairs} is a file, not a folder")
    refused(start(cli, pairs, pairs / "deeper"), 2, f"{pairs} is a file, not a folder")


def test_an_output_folder_that_cannot_be_written(cli, pairs, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.access(locked, os.W_OK):  # root may write anywhere but here
        result = start(cli, pairs, "/proc/minigpt2-run")
        code, _, stderr = result
        assert code == 1
        assert "cannot write /proc/minigpt2-run: " in stderr.splitlines()[-1]
    else:
        refused(start(cli, pairs, locked / "run"), 1, locked / "run", "no permission")


def test_a_tokenizer_larger_than_the_vocabulary_of_the_model(cli, pairs, tiny_model, tmp_path, out):
    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    config = (broken / "config.json").read_text()
    (broken / "config.json").write_text(config.replace('"vocab_size": 258', '"vocab_size": 200'))
    change_tensors(broken, lambda t: t.update({"wte.weight": t["wte.weight"][:200]}))
    result = cli("train", "--train-data", pairs, "--model", broken, "--output-dir", out)
    last_line_refused(result, 3, "258", "200")
    assert not out.exists()


@pytest.mark.parametrize(("width", "heads", "near"), [(10, 4, "8 or 12"), (3, 4, "4")])
def test_heads_that_do_not_divide_the_width(cli, pairs, out, width, heads, near):
    result = start(cli, pairs, out, "--d-model", width, "--n-heads", heads)
    last_line_refused(result, 2, f"--d-model {width}", f"--n-heads {heads}", f"width of {near}")


@pytest.mark.skipif(gpu_problem() is None, reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(cli, pairs, out):
    refused(start(cli, pairs, out, "--device", "cuda"), 4, "pip install 'minigpt2[gpu]'")
    refused(start(cli, pairs, out, "--precision", "bfloat16"), 4, "--precision bfloat16 needs a GPU")
    refused(start(cli, pairs, out, "--precision", "float16", "--device", "cpu"), 4, "the CPU was asked for")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            ["--model", "nano"],
            ["--n-layers, --n-heads, --d-model, --context-size and --vocab-size", "--model"],
        ),
        (["--tokenizer-path", "x"], ["--tokenizer-path", "--vocab-size"]),
        (["--tokenizer-path", "x", "--lowercase"], ["--vocab-size and --lowercase"]),
        (["--teacher", "nano", "--targets", "x.npy"], ["--teacher and --targets"]),
        (["--objective", "info_nce", "--teacher", "nano"], ["belong to distillation", "info_nce"]),
        (["--objective", "distillation"], ["--teacher DIR or --targets"]),
        (["--teacher", "nano"], ["each text of a .txt file", "pairs labelled 0 or 1"]),
        (["--extend"], ["--resume"]),
        (["--objective", "info_nce", "--margin", "0.2"], ["info_nce has no margin", "contrastive, triplet"]),
        (["--objective", "info_nce", "--batch-size", "1"], ["--batch-size 1 is too small"]),
        (["--matryoshka", "4,4"], ["names a width twice"]),
        (["--matryoshka", "4,x"], ["'x' is not a whole number"]),
        (["--matryoshka", "99"], ["99", "beyond the model's width 8"]),
        (["--warmup", "soon"], ["'soon' is neither"]),
        (["--vocab-size", "100"], ["vocab_size 100 is too small"]),
        (["--objective", "language_model", "--pooling", "last"], ["no pooling"]),
        (["--epochs", "0"], ["whole number of at least 1"]),
        (["--label-range", "5", "1"], ["label range"]),
    ],
)
def test_options_that_make_no_sense(cli, pairs, out, options, parts):
    last_line_refused(start(cli, pairs, out, *options), 2, *parts)
    assert not (out / "settings.json").exists()


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--clip", "-1"], ["clip must be a number above 0"]),
        (["--dropout", "1"], ["dropout must be a number"]),
        (["--initial-lr", "0"], ["--initial-lr must be a number above 0"]),
        (["--weight-decay", "-1"], ["--weight-decay must be a number"]),
        (["--max-seconds", "0"], ["--max-seconds must be a number above 0"]),
        (["--seed", "-1"], ["seed must be"]),
        (["--patience", "3"], ["--patience", "--validation-data"]),
        (["--output-dir", ""], ["--output-dir is empty", ". for this one"]),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_the_data_is_read(cli, pairs, out, options, parts):
    refused(start(cli, pairs, out, *options), 2, *parts)
    assert not out.exists()


def test_a_path_keeps_its_name_in_a_message(cli, pairs, tmp_path):
    """Settings are called as on the command line there: batch_size is --batch-size."""
    for name in ("batch_size", "initial_lr.1"):
        out = tmp_path / name
        out.mkdir()
        (out / "best").mkdir()
        refused(start(cli, pairs, out), 2, f"{out / 'best'} was not made by a training run")


def test_a_folder_as_training_data(cli, tmp_path, out):
    refused(start(cli, tmp_path, out), 3, f"{tmp_path} is a folder", "give the files in it")


def test_validation_data_with_one_label_only(cli, pairs, tmp_path, out):
    same = tmp_path / "same.tsv"
    same.write_text(HEADER + "1\ta\tb\t1\n2\tc\td\t1\n")
    result = start(cli, pairs, out, "--validation-data", same)
    last_line_refused(result, 3, same, "every label is 1", "several labels")


def test_validation_data_of_the_wrong_kind(cli, pairs, tmp_path, out):
    texts = write_texts(tmp_path / "texts.txt")
    result = start(cli, pairs, out, "--validation-data", texts)
    last_line_refused(result, 2, "contrastive is validated on pairs", "single texts")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (np.zeros((3, 8), np.float32), ["3 vectors for 24 texts"]),
        (np.zeros(24, np.float32), ["a vector for each text"]),
        (np.zeros((24, 8), np.int64), ["floats"]),
        (b"not numpy", ["no .npy file"]),
        (None, ["cannot read"]),
    ],
)
def test_targets_that_cannot_be_used(cli, tmp_path, out, content, parts):
    texts, targets = write_texts(tmp_path / "texts.txt"), tmp_path / "targets.npy"
    if isinstance(content, bytes):
        targets.write_bytes(content)
    elif content is not None:
        np.save(targets, content)
    last_line_refused(start(cli, texts, out, "--targets", targets), 3, targets, *parts)


def test_control_characters_of_a_file_do_not_reach_the_terminal(cli, tmp_path, out):
    data = tmp_path / "bad\x1b[31m.tsv"
    data.write_text(HEADER + "1\ta\tb\t\x1b[2Jx\n")
    code, stdout, stderr = start(cli, data, out)
    assert code == 3
    assert "\x1b" not in stdout + stderr
    good = write_pairs(tmp_path / "good\x1b[31m.tsv")
    good.write_text(HEADER + "".join(f"{i}\t{SENTENCES[i % 6]}\x1b[2J {i}\tx\t{i % 2}\n" for i in range(12)))
    stdout, stderr = trained(start(cli, good, out))
    assert "\x1b" not in stdout + stderr
