"""`minigpt2 train` in a pipe: what it reads, chooses, writes and says, and that a run can be resumed."""

import argparse
import json
import lzma
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from programs import D, environment, write_tiny_model

import minigpt2
from minigpt2.cli import train
from minigpt2.config import GPT2Config
from minigpt2.tokenizer import load_tokenizer

SENTENCES = [
    "a red bird sings in the old tree",
    "the dog runs down the long road",
    "two cats sleep beside the river",
    "a new house stands on the hill",
    "children play in the green garden",
    "the train leaves at nine in the morning",
]
TINY = ("--n-layers", 1, "--n-heads", 2, "--d-model", 8, "--vocab-size", 270, "--context-size", 32)
QUICK = ("--epochs", 1, "--batch-size", 6)


def write_pairs(path, n=24, labels=("0", "1"), header="id\tsentence1\tsentence2\tlabel"):
    rows = [header]
    for i in range(n):
        first, second = SENTENCES[i % 6], SENTENCES[(i * 5 + 1) % 6]
        rows.append(f"{path.stem}-{i}\t{first} {i}\t{second} {i * 7 % n}\t{labels[i % len(labels)]}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_texts(path, n=24):
    lines = "".join(f"{SENTENCES[i % 6]} {i}\n" for i in range(n))
    if path.suffix == ".xz":
        path.write_bytes(lzma.compress(lines.encode()))
    else:
        path.write_text(lines, encoding="utf-8")
    return path


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs.tsv")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def trained(result, code=0):
    """The run ended with `code`; its stdout and stderr."""
    got, stdout, stderr = result
    assert got == code, stderr
    assert "this is a bug" not in stderr
    return stdout, stderr


def settings_of(out):
    return json.loads((out / "settings.json").read_text())


def test_the_command_line_of_the_seed(cli, tmp_path, out):
    """Every option of the project that this one grew from, with its spelling."""
    training, validation = write_pairs(tmp_path / "train.tsv"), write_pairs(tmp_path / "dev.tsv")
    vocabulary = tmp_path / "tokenizer.json"
    code, _, err = cli(
        "tokens", "create", "--data-dir", tmp_path, "--output", vocabulary, "--vocab-size", 300
    )
    assert code == 0, err
    code, counted, err = cli("tokens", "count", training, "--tokenizer-path", vocabulary)
    assert code == 0, err
    assert counted.splitlines()[1].startswith(f"{training}\t25\t")
    code, counted, err = cli("tokens", "count", "--tokenizer-path", vocabulary)
    assert (code, counted.splitlines()[0]) == (0, "tokens\t300"), err

    options = ["--train-data", training, "--validation-data", validation, "--tokenizer-path", vocabulary]
    options += ["--output-dir", out, "--epochs", 2, "--batch-size", 8, "--initial-lr", 0.001, "--n-heads", 2]
    options += ["--n-layers", 2, "--d-model", 16, "--context-size", 24, "--limit-train", 20]
    options += ["--limit-validation", 10, "--no-tui", "--margin", 0.4, "--temperature", 0.1]
    _, stderr = trained(cli("train", *options))

    encoder = minigpt2.load(out / "best")
    wanted = {"n_head": 2, "n_layer": 2, "n_embd": 16, "n_positions": 24, "vocab_size": 300}
    assert encoder.model.config == GPT2Config(**wanted)
    assert load_tokenizer(vocabulary).encode("the dog") == encoder.tokenizer.encode("the dog")
    settings = settings_of(out)
    assert settings["training data"]["examples"] == 20
    assert settings["validation data"]["examples"] == 10
    chosen = settings["settings"]
    assert (chosen["objective"], chosen["margin"], chosen["temperature"]) == ("contrastive", 0.4, 0.1)
    assert (chosen["epochs"], chosen["batch_size"], chosen["initial_lr"]) == (2, 8, 0.001)
    assert "objective: contrastive, as usual for pairs labelled 0 or 1 (--objective chooses)" in stderr


def test_what_is_said_before_during_and_after(cli, pairs, out):
    write_pairs(pairs.with_name("test.tsv"))
    stdout, stderr = trained(
        cli("train", "--train-data", pairs, "--validation-data", pairs, "--output-dir", out, *TINY, *QUICK)
    )
    assert "\x1b" not in stdout + stderr
    said = stderr.splitlines()
    assert f"minigpt2: training data: {pairs}: 24 pairs, 50.0% positive; " in stderr
    assert "tokenizer: 270 tokens learned from" in stderr
    summary = dict(re.split(r"  +", line, maxsplit=1) for line in said if re.match(r"\w[\w ]*  ", line))
    parameters = minigpt2.load(out / "best").model.parameters.flat.size
    assert f"{parameters:,} parameters" in summary["model"]
    assert "matrices" in summary["optimizer"]
    assert "on cpu" in summary["device"]
    assert summary["steps"].startswith("4, each of one batch; 4 batches an epoch, of at most 6 examples")
    assert any(re.match(r"step 1/4  epoch 0\.25  loss [\d.]+  lr ", line) for line in said)
    assert any(line.startswith("step 4/4  validation: AUC ") for line in said)
    shown = stdout.splitlines()
    assert re.fullmatch(r"best AUC on the validation data: [\d.]+ at step \d of 4", shown[0])
    assert shown[1].startswith(f"model: {out / 'best'}, after 0:0")
    assert f"  minigpt2 evaluate {out} {pairs.with_name('test.tsv')} --dev {pairs}" in shown
    commands = [line.strip() for line in shown if line.startswith("  minigpt2 ")]
    assert [cli(*shlex.split(command)[1:])[0] for command in commands] == [
        0,
        0,
    ]  # what it tells to type works


@pytest.mark.parametrize(
    ("labels", "options", "objective", "metric"),
    [
        (("0", "1"), [], "contrastive", "auc"),
        (("0.5", "3", "4.5"), [], "cosent", "spearman"),
        (("0.5", "3", "4.5"), ["--objective", "cosine", "--label-range", 0, 5], "cosine", "spearman"),
        (
            ("1", "0", "1"),
            ["--objective", "info_nce", "--no-symmetric", "--temperature", 0.1],
            "info_nce",
            "auc",
        ),
        (("0", "1"), ["--objective", "cosent", "--matryoshka", "2,4"], "cosent", "auc"),
        (("1", "0"), ["--objective", "language_model"], "language_model", "loss"),
    ],
)
def test_objectives_on_pairs(cli, tmp_path, out, labels, options, objective, metric):
    data = write_pairs(tmp_path / "data.tsv", labels=labels)
    arguments = ("--train-data", data, "--validation-data", data, "--output-dir", out)
    stdout, _ = trained(cli("train", *arguments, *TINY, *QUICK, "--json", *options))
    events = [json.loads(line) for line in stdout.splitlines()]
    assert events[0]["settings"]["objective"] == objective
    assert {event["metric"] for event in events if event["event"] == "validated"} == {metric}
    assert events[-1]["event"] == "ended"


def test_an_option_that_the_usual_objective_lacks_is_said_to_change_nothing(cli, tmp_path, out):
    data = write_pairs(tmp_path / "scores.tsv", labels=("1", "2.5"))
    _, stderr = trained(
        cli("train", "--train-data", data, "--output-dir", out, *TINY, *QUICK, "--margin", 0.4)
    )
    assert "note: cosent has no margin, so --margin changes nothing" in stderr
    assert "contrastive, triplet" in stderr


@pytest.mark.parametrize(
    ("rows", "options", "objective"),
    [
        ("{a}\t{b}", [], "info_nce"),
        ("{a}\t{b}\t{c}", ["--objective", "triplet", "--margin", 0.3], "triplet"),
        ("{a}\t{b}\t{c}", ["--chunk-texts", 4, "--accumulate", 2, "--recompute"], "info_nce"),
    ],
)
def test_objectives_on_positives(cli, tmp_path, out, rows, options, objective):
    data = tmp_path / "positives.tsv"
    lines = [
        rows.format(a=f"{SENTENCES[i % 6]} {i}", b=f"{i} {SENTENCES[i % 6]}", c=f"not {i}") for i in range(20)
    ]
    data.write_text("\n".join(lines))
    _, stderr = trained(cli("train", "--train-data", data, "--output-dir", out, *TINY, *QUICK, *options))
    assert settings_of(out)["settings"]["objective"] == objective
    assert (out / "last" / "config.json").exists()
    assert not (out / "best").exists()  # nothing was validated
    assert "20 texts with one that belongs to each" in stderr


@pytest.mark.parametrize("name", ["texts.txt", "texts.txt.xz"])
def test_a_language_model_becomes_an_embedder(cli, tmp_path, out, pairs, name):
    texts = write_texts(tmp_path / name)
    first = ("--train-data", texts, "--validation-data", texts, "--output-dir", out)
    stdout, stderr = trained(cli("train", *first, *TINY, *QUICK))
    assert "objective: language_model, as usual for single texts" in stderr
    assert f"minigpt2 train --model {out} --train-data" in stdout
    second = ("--train-data", pairs, "--model", out, "--output-dir", tmp_path / "tuned")
    trained(cli("train", *second, *QUICK, "--objective", "info_nce", "--pooling", "last"))
    tuned = minigpt2.load(tmp_path / "tuned" / "last")
    assert tuned.model.config == minigpt2.load(out / "best").model.config
    assert tuned.settings.pooling == "last"


def test_simcse_on_texts_needs_dropout(cli, tmp_path, out):
    texts = write_texts(tmp_path / "texts.txt")
    options = ("--train-data", texts, "--output-dir", out, *TINY, *QUICK, "--objective", "info_nce")
    code, _, err = cli("train", *options)
    assert code == 2
    assert "dropout" in err
    trained(cli("train", *options, "--dropout", 0.1))


def test_a_teacher_and_its_vectors_teach_the_same(cli, tmp_path):
    texts = write_texts(tmp_path / "texts.txt")
    teacher = write_tiny_model(tmp_path / "teacher")  # of 40 bytes, which some texts have more of
    options = ("--train-data", texts, *TINY, *QUICK, "--limit-train", 18, "--json")
    by_teacher, _ = trained(cli("train", *options, "--teacher", teacher, "--output-dir", tmp_path / "a"))
    lines = texts.read_text().splitlines()
    encoder = minigpt2.load(teacher)
    with pytest.warns(minigpt2.encoder.TruncationWarning):
        # The 18 texts alone, as the trainer embeds them: beside six others they are rounded otherwise,
        # which the loss multiplies by 20 and more (its temperature is 0.05).
        vectors = np.concatenate([encoder.encode(lines[:18]), encoder.encode(lines[18:])])
    assert vectors.shape == (24, D)
    np.save(tmp_path / "targets.npy", vectors)
    by_file, _ = trained(
        cli("train", *options, "--targets", tmp_path / "targets.npy", "--output-dir", tmp_path / "b")
    )

    def losses(lines):
        return [e["loss"] for e in map(json.loads, lines.splitlines()) if e["event"] == "step"]

    assert settings_of(tmp_path / "a")["settings"]["objective"] == "distillation"
    assert len(losses(by_teacher)) == 3
    assert losses(by_teacher) == pytest.approx(losses(by_file), rel=1e-6)


def test_fine_tuning_the_bundled_model_by_its_name(cli, tmp_path, pairs, out):
    options = ("--train-data", pairs, "--output-dir", out, "--model", "nano", "--initial-lr", 1e-5)
    trained(cli("train", *options, "--max-steps", 1, "--batch-size", 4))
    before, after = minigpt2.load("nano"), minigpt2.load(out / "last")
    assert after.model.config == before.model.config
    moved = np.abs(after.model.parameters.flat - before.model.parameters.flat).max()
    assert 0 < moved < 1e-3


def test_several_files_and_a_limit_over_all(cli, tmp_path, out):
    files = [write_pairs(tmp_path / f"{name}.tsv", n=10) for name in "abc"]
    files[0] = write_pairs(
        files[0], n=10, labels=("0.5", "1")
    )  # scores, among which the others happen to be 0 and 1
    options = ("--output-dir", out, *TINY, *QUICK, "--limit-train", 25)
    _, stderr = trained(cli("train", "--train-data", files[0], files[1], "--train-data", files[2], *options))
    assert settings_of(out)["training data"]["examples"] == 25
    assert settings_of(out)["training data"]["kind"] == "score"
    assert f"training data: {files[0]} and 2 more: 25 pairs" in stderr


def test_named_sizes_and_changes_to_them(cli, pairs, out, monkeypatch):
    monkeypatch.setitem(
        train.NAMED_SIZES,
        "nano",
        {"vocab_size": 16384, "n_positions": 19} | {"n_embd": 12, "n_layer": 3, "n_head": 4},
    )
    options = (
        "--train-data",
        pairs,
        "--output-dir",
        out,
        "--vocab-size",
        260,
        "--size",
        "nano",
        "--n-layers",
        1,
    )
    trained(cli("train", *options, "--max-steps", 1))
    config = minigpt2.load(out / "last").model.config
    assert (config.V, config.n_positions, config.D, config.L, config.H) == (260, 19, 12, 1, 4)


@pytest.mark.parametrize("lowercase", [True, False])
def test_the_tokenizer_that_is_learned_may_ignore_case(cli, pairs, out, lowercase):
    trained(cli("train", "--train-data", pairs, *TINY, *["--lowercase"] * lowercase, "--output-dir", out))
    tokenizer = minigpt2.load(out).tokenizer
    assert (tokenizer.encode("THE cat") == tokenizer.encode("the cat")) == lowercase


def test_every_setting_is_passed_on(cli, pairs, out):
    options = {
        "--accumulate": (2, "accumulate", 2),
        "--batch-tokens": (500, "batch_tokens", 500),
        "--chunk-texts": (7, "chunk_texts", 7),
        "--schedule": ("linear", "schedule", "linear"),
        "--warmup": ("0.25", "warmup", 0.25),
        "--weight-decay": (0.2, "decay", 0.2),
        "--clip": ("none", "clip", None),
        "--dropout": (0.3, "dropout", 0.3),
        "--seed": (5, "seed", 5),
        "--max-steps": (2, "max_steps", 2),
        "--max-seconds": (500, "max_seconds", 500.0),
        "--validate-every": (1, "validate_every", 1),
        "--checkpoint-every": (2, "checkpoint_every", 2),
        "--keep": (3, "keep_checkpoints", 3),
        "--patience": (50, "patience", 50),
        "--log-every": (2, "log_every", 2),
        "--pooling": ("max", "pooling", "max"),
        "--matryoshka": ("4,2", "matryoshka", [2, 4]),
        "--margin": (0.7, "margin", 0.7),
    }
    arguments = [part for name, (value, *_) in options.items() for part in (name, value)]
    data = ("--train-data", pairs, "--validation-data", pairs, "--output-dir", out)
    trained(cli("train", *data, *TINY, *QUICK, "--objective", "contrastive", "--recompute", *arguments))
    stored = settings_of(out)["settings"]
    assert stored["recompute"] is True
    for value, name, expected in options.values():
        assert stored[name] == expected, f"{name} from {value}"


@pytest.mark.parametrize(("text", "value"), [("0.1", 0.1), ("30", 30), ("0", 0), ("0.0", 0.0)])
def test_warmup_is_a_share_or_a_number_of_steps(text, value):
    parsed = train._share_or_steps(text)
    assert (parsed, type(parsed)) == (value, type(value))


def test_json_on_stdout_is_nothing_but_json(cli, pairs, out):
    stdout, stderr = trained(
        cli("train", "--train-data", pairs, "--output-dir", out, *TINY, *QUICK, "--json", "--log-every", 1)
    )
    events = [json.loads(line) for line in stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1], kinds.count("step")) == ("started", "ended", 4)
    assert f"model: {out / 'last'}" in stderr
    logged = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert logged == events


def test_ctrl_c_in_a_pipe_then_the_command_that_it_tells(start, process, pairs, out):
    arguments = (
        "--train-data",
        pairs,
        "--validation-data",
        pairs,
        "--output-dir",
        out,
        *TINY,
        "--batch-size",
        6,
    )
    child = start("train", *arguments, "--epochs", 3000, "--overwrite", "--checkpoint-every", 50)
    while b"step" not in (line := child.stderr.readline()):
        assert line, "ended too early"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    stdout, stderr = (text.decode() for text in child.communicate(timeout=60))
    assert child.returncode == 130, stderr
    assert "interrupted: everything is saved" in stderr
    command = next(line.strip() for line in stdout.splitlines() if line.startswith("  minigpt2 train"))
    assert "--overwrite" not in command
    told = shlex.split(command)
    assert told[-1] == "--resume"
    step = max(int(path.name[5:]) for path in (out / "checkpoints").iterdir())
    assert step > 0

    done = process(*told[1:], "--max-seconds", 0.1)  # at once past: it resumes and ends
    assert done.returncode == 0, done.stderr.decode()
    assert f"resumed          after step {step:,} of 12,000" in done.stderr.decode()
    assert b"the time is up" in done.stderr


def test_a_run_that_is_resumed_ends_as_one_that_was_not_stopped(cli, tmp_path, pairs):
    options = ("--train-data", pairs, *TINY, "--batch-size", 6, "--seed", 4)
    for name, steps in (("whole", 8), ("parts", 4)):
        trained(
            cli(
                "train",
                *options,
                "--output-dir",
                tmp_path / name,
                "--schedule",
                "constant",
                "--max-steps",
                steps,
                "--warmup",
                "0",
                "--epochs",
                3,
            )
        )
    trained(
        cli(
            "train",
            *options,
            "--output-dir",
            tmp_path / "parts",
            "--schedule",
            "constant",
            "--max-steps",
            8,
            "--warmup",
            "0",
            "--epochs",
            3,
            "--resume",
            "--extend",
        )
    )
    whole, parts = (
        minigpt2.load(tmp_path / name / "last").model.parameters.flat for name in ("whole", "parts")
    )
    np.testing.assert_array_equal(whole, parts)


def test_help_has_groups_and_names_every_default(cli):
    code, out, _ = cli("train", "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 110
    for group in (
        "data:",
        "model:",
        "objective:",
        "how long, and how much at a time:",
        "optimizer:",
        "output:",
    ):
        assert f"\n{group}\n" in out
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    for action in parser._actions:
        takes_a_value = action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction)
        if takes_a_value and not action.required and action.dest not in ("teacher", "targets"):
            assert "default" in action.help, action.option_strings
            assert action.default is None or "(default: " in action.help


def test_help_loads_nothing_heavy():
    code = (
        "import sys, minigpt2.cli as c; c.main(['train', '--help']);"
        "heavy = {'rich', 'safetensors', 'regex', 'cupy', 'minigpt2.encoder', 'minigpt2.training.trainer'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, env=environment())
    assert done.stderr == b"[]\n"
