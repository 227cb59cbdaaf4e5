"""The recipe of the bundled model on a handful of texts: it runs, learns and writes a usable model."""

import json

import numpy as np
import pytest

import minigpt2
from minigpt2.config import NAMED_SIZES
from minigpt2.errors import DataError
from minigpt2.pretrained import make_nano

TEXTS = [f"the {a} {b} in the {c}" for a in ("cat", "dog", "bird") for b in ("sat", "ran") for c in "abcd"]


@pytest.fixture
def small_nano(monkeypatch):
    size = {"vocab_size": 280, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    monkeypatch.setitem(NAMED_SIZES, "nano", size)


@pytest.mark.usefixtures("small_nano")
def test_from_text_to_a_model_directory(tmp_path, monkeypatch, rng, capsys):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("\n".join(TEXTS) + "\n\n", encoding="utf-8")
    vectors = rng.standard_normal((len(TEXTS), 24)).astype(np.float16)
    monkeypatch.setattr(make_nano, "teacher_vectors", lambda lines, directory: vectors[: len(lines)])

    text, tokenizer, data, out = (str(tmp_path / name) for name in ("text", "tokenizer", "data", "out"))
    make_nano.main(["tokenizer", "--text", text, "--output", tokenizer])
    make_nano.main(
        ["targets", "--text", text, "--tokenizer", tokenizer, "--teacher", "none", "--output", data]
    )
    targets = np.load(tmp_path / "data" / "targets.npy")
    assert targets.shape == (len(TEXTS), 16)
    np.testing.assert_allclose(np.linalg.norm(targets.astype(np.float32), axis=1), 1.0, atol=2e-3)

    dev = tmp_path / "dev.tsv"
    dev.write_text(
        "id\tsentence1\tsentence2\tlabel\n1\tthe cat\tthe cat\t5\n2\tthe cat\ta bird ran\t1\n3\tx\ty\t0\n"
    )
    options = ["--steps", "60", "--every", "20", "--device", "cpu", "--dev", str(dev), "--lr", "0.01"]
    monkeypatch.setattr(minigpt2.Encoder, "calibrate", lambda self, texts: None)  # too few texts here
    make_nano.main(["train", "--data", data, "--tokenizer", tokenizer, "--output", out, *options])

    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in log] == [20, 40, 60]
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert all(-100 <= record["dev_spearman"] <= 100 for record in log)
    encoder = minigpt2.load(tmp_path / "out" / "model")
    assert encoder.encode("the cat sat").shape == (16,)
    assert encoder.settings.pooling == "weighted_mean"


def test_batches_hold_one_length_and_no_text_twice():
    lengths = np.array([3] * 50 + [30] * 7 + [0] * 3 + [5])
    batches = make_nano.endless_batches(lengths, most=16, most_tokens=96, seed=0)
    seen = np.zeros(len(lengths), int)
    for _ in range(40):
        rows = next(batches)
        assert len(set(rows.tolist())) == len(rows) > 1
        assert len(rows) <= 16
        assert lengths[rows].max() * len(rows) <= 96
        seen[rows] += 1
    assert (seen[lengths == 0] == 0).all()
    assert (seen[lengths == 30] > 0).all()
    assert seen[lengths == 3].mean() > 1.5 * seen[lengths == 30].mean()  # short texts twice an epoch


@pytest.mark.parametrize(("lengths", "most"), [([3], 16), ([0, 0], 16), ([3, 3, 3], 1)])
def test_texts_that_make_no_batch_are_refused_and_not_searched_for_ever(lengths, most):
    with pytest.raises(DataError, match="no batch has two different texts"):
        next(make_nano.endless_batches(np.array(lengths), most, most_tokens=96, seed=0))


@pytest.mark.parametrize("suffix", [".txt", ".txt.xz"])
def test_sample_takes_a_share_of_the_lines_and_the_same_ones_again(tmp_path, suffix):
    (tmp_path / "all.txt").write_text("".join(f"line {i}\n" for i in range(1000)), encoding="utf-8")
    taken = []
    for name in ("a", "b"):
        output = tmp_path / f"{name}{suffix}"
        options = ["--text", str(tmp_path / "all.txt"), "--share", "0.3", "--output", str(output)]
        make_nano.main(["sample", *options])
        taken.append(list(make_nano.read_lines([output])))
    assert taken[0] == taken[1]
    assert len(set(taken[0])) == 300
    assert taken[0] != sorted(taken[0])
