"""A run that is killed and resumed is the run that was not: real processes, real SIGKILL."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import SETTINGS, Events, tiny_encoder, tiny_trainer, word_pairs

from minigpt2.datasets import Positives
from minigpt2.errors import ModelError
from minigpt2.training import TrainingSet
from minigpt2.training.checkpoints import newest_checkpoint, read_training_checkpoint
from minigpt2.training.events import CheckpointWritten, RunEnded, StepDone, Warned

SCRIPT = Path(__file__).with_name("tiny_runs.py")


def start(output, *options):
    """The tiny run as a process that prints its steps."""
    environment = os.environ | {
        "PYTHONPATH": str(SCRIPT.parents[2]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, str(SCRIPT), str(output), *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def finish(process, code=0):
    """What it printed; checks its exit code."""
    out, _ = process.communicate(timeout=180)  # the first run on a GPU compiles its kernels
    assert process.returncode == code, out
    return out.split("\n")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody disturbs, in a process with the same number of threads: its folder."""
    output = tmp_path_factory.mktemp("runs") / "whole"
    assert finish(start(output))[-2] == "max_steps"
    return output


def assert_same_end(output, whole, steps=40):
    """Everything that a later step could depend on, bit for bit."""
    name = f"checkpoints/step-{steps:08d}"
    ours, theirs = (read_training_checkpoint(o / name) for o in (output, whole))
    for name, array in theirs.arrays.items():
        assert np.array_equal(ours.arrays[name], array), name
    timeless = [vars(checkpoint.progress) | {"seconds": 0} for checkpoint in (ours, theirs)]
    assert timeless[0] == timeless[1]
    for model in ("best", "last"):
        weights = [(o / model / "model.safetensors").read_bytes() for o in (output, whole)]
        assert weights[0] == weights[1]


class Torn(Exception):
    """Ends a run in the middle, from inside a reporter."""


class TearAfter:
    def __init__(self, step):
        self.step = step

    def report(self, event):
        if isinstance(event, StepDone) and event.step == self.step:
            raise Torn

    def close(self):
        pass


OBJECTIVES = {
    "contrastive": {"temperature": 0.05},
    "cosine": {"recompute": True},
    "cosent": {"matryoshka": (4,)},
    "info_nce": {"symmetric": False, "schedule": "linear"},
    "triplet": {"pooling": "max", "accumulate": 1},
    "distillation": {"batch_tokens": 120, "pooling": "last"},
    "language_model": {"chunk_texts": None, "chunk_tokens": 50},
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_goes_on_bit_for_bit(tmp_path, monkeypatch, objective):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    encoder, pairs = tiny_encoder(), word_pairs(90)
    data = TrainingSet.from_pairs(pairs, encoder)
    if objective == "triplet":
        columns = pairs.first[:45], pairs.second[:45], pairs.second[45:]
        data = TrainingSet.from_positives(Positives(Path("x.tsv"), *columns), encoder)
    if objective == "distillation":
        targets = np.random.default_rng(0).standard_normal((90, 16))
        data = TrainingSet.from_texts(pairs.first, encoder, targets=targets)
    settings = SETTINGS.replace(
        objective=objective, max_steps=8, validate_every=3, checkpoint_every=2, **OBJECTIVES[objective]
    )
    given = {"encoder": encoder, "data": data}
    tiny_trainer(tmp_path / "whole", settings, **given).run()
    with pytest.raises(Torn):
        tiny_trainer(tmp_path / "torn", settings, reporters=[TearAfter(5)], **given).run()
    tiny_trainer(tmp_path / "torn", settings, resume=True, **given).run()
    assert_same_end(tmp_path / "torn", tmp_path / "whole", steps=8)


def test_twenty_steps_kill_twenty_steps_are_forty_steps(tmp_path, whole):
    output = tmp_path / "run"
    lines = finish(start(output, "--kill-at-step", 23), -signal.SIGKILL)
    assert lines[-2] == "23"
    lines = finish(start(output, "--resume"))
    assert lines[0] == "21"  # the newest checkpoint is that of step 20
    assert lines[-2] == "max_steps"
    assert_same_end(output, whole)
    logs = [
        [line.split(', "tokens_per_second"')[0] for line in (o / "log.jsonl").read_text().splitlines()]
        for o in (output, whole)
    ]
    steps = [[line for line in log if '"event": "step"' in line] for log in logs]
    assert len(steps[0]) == 40
    assert steps[0] == steps[1]  # each step once, with the same loss to the last digit


def losses_of(output):
    """step -> loss, of the last report of each step"""
    events = map(json.loads, (output / "log.jsonl").read_text().splitlines())
    return {event["step"]: event["loss"] for event in events if event["event"] == "step"}


def test_a_killed_run_goes_on_with_the_same_losses(tmp_path, xp):
    """On a GPU sums are not taken in a fixed order, so the runs agree closely and not to the bit."""
    for name, options in (("whole", [[]]), ("killed", [["--kill-at-step", 20], ["--resume"]])):
        for option in options:
            code = -signal.SIGKILL if "--kill-at-step" in option else 0
            finish(start(tmp_path / name, "--xp", xp.__name__, *option), code)
    whole, killed = losses_of(tmp_path / "whole"), losses_of(tmp_path / "killed")
    assert list(whole) == list(killed) == list(range(1, 41))
    differences = [abs(killed[step] - loss) / abs(loss) for step, loss in whole.items()]
    print(f"largest relative difference of a loss: {max(differences):.2e}")
    assert max(differences) <= 1e-3


def kill_at_random(output, rng, every, at_write):
    """Start or resume the run and kill it somewhere: how many steps are lost, None if it ended before."""
    options = ["--resume", "--checkpoint-every", every]
    if at_write:
        process = start(output, *options, "--kill-at-write", rng.randint(1, 60))
    else:
        process = start(output, *options)
        for _ in range(rng.randint(0, 6)):
            process.stdout.readline()
        time.sleep(rng.random() * 0.02)
        process.kill()
    process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 0)
    checkpoint, warnings = newest_checkpoint(output / "checkpoints")
    assert warnings == []
    done = [0]
    if (output / "log.jsonl").exists():
        lines = (output / "log.jsonl").read_text().split("\n")[:-1]
        done += [json.loads(line)["step"] for line in lines if '"event": "step"' in line]
    behind = max(done) - (checkpoint.progress.step if checkpoint else 0)
    assert behind <= every
    return behind if process.returncode else None


def test_kills_at_any_moment_lose_at_most_one_interval(tmp_path, whole):
    output, rng = tmp_path / "run", random.Random(20261122)
    for kill in range(5):
        kill_at_random(output, rng, 1, at_write=kill % 2)
    assert finish(start(output, "--resume", "--checkpoint-every", 1))[-2] == "max_steps"
    assert_same_end(output, whole)
    assert not [path for path in output.rglob(".*") if path.name != ".lock"]  # nothing half-written is left


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path):
    output = tmp_path / "run"
    finish(start(output, "--kill-at-step", 12), -signal.SIGKILL)
    lines = finish(start(output, "--resume", "--largest-file", 50_000), 1)
    assert lines[-2] == f"OutputError: cannot write {output}/checkpoints/step-00000015: file too large"
    checkpoint, warnings = newest_checkpoint(output / "checkpoints")
    assert checkpoint.progress.step == 10
    assert warnings == []
    assert finish(start(output, "--resume"))[0] == "11"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_step_and_writes_a_checkpoint(tmp_path, number):
    output = tmp_path / "run"
    process = start(output, "--checkpoint-every", 100)
    for _ in range(7):
        process.stdout.readline()
    process.send_signal(number)
    lines = finish(process)
    assert lines[-2] == "interrupted"
    last = int(lines[-3]) if len(lines) > 2 else 7
    checkpoint, _ = newest_checkpoint(output / "checkpoints")
    assert checkpoint.progress.step == last < 40


class _RaiseAt:
    """Stops the run as a second Ctrl-C does."""

    def __init__(self, step):
        self.step = step

    def report(self, event):
        if isinstance(event, StepDone) and event.step == self.step:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    def close(self):
        pass


def test_a_second_signal_stops_at_once_and_the_handlers_come_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        tiny_trainer(tmp_path / "run", reporters=[_RaiseAt(3)]).run()
    assert signal.getsignal(signal.SIGINT) is before
    checkpoint, _ = newest_checkpoint(tmp_path / "run/checkpoints")
    assert checkpoint.progress.step == 0


class _HangUpTwice(_RaiseAt):
    """Both the terminal and its shell say that they are gone; then the session perhaps ends."""

    def __init__(self, step, *more):
        super().__init__(step)
        self.signals = [signal.SIGHUP, signal.SIGHUP, *more]

    def report(self, event):
        if isinstance(event, StepDone) and event.step == self.step:
            for number in self.signals:
                os.kill(os.getpid(), number)


def test_a_terminal_that_goes_costs_no_step_and_nohup_none_at_all(tmp_path):
    for name, more in (("gone", []), ("end", [signal.SIGTERM])):
        result = tiny_trainer(tmp_path / name, reporters=[_HangUpTwice(3, *more)]).run()
        assert (result.reason, result.step) == ("interrupted", 3)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        settings = SETTINGS.replace(max_steps=5)
        assert tiny_trainer(tmp_path / "nohup", settings, reporters=[_HangUpTwice(3)]).run().step == 5
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_best_model_that_has_been_removed_comes_back_from_its_checkpoint(tmp_path, whole):
    output = shutil.copytree(whole, tmp_path / "run")
    state = json.loads((output / "checkpoints/step-00000040/state.json").read_text())
    best = output / f"checkpoints/step-{state['best_step']:08d}"
    shutil.rmtree(output / "best")
    events = Events()
    result = tiny_trainer(output, resume=True, reporters=[events]).run()
    assert result.path == output / "best"
    assert_same_end(output, whole)
    assert "made again from the checkpoint" in events.of(Warned)[0].message

    shutil.rmtree(output / "best")
    (best / "manifest.json").unlink()
    shutil.rmtree(output / "checkpoints/step-00000040")
    events = Events()
    result = tiny_trainer(output, resume=True, reporters=[events]).run()
    assert any("the next validation counts as the best" in event.message for event in events.of(Warned))
    assert result.path == output / "best"


class _StopAfter(_RaiseAt):
    def report(self, event):
        if isinstance(event, StepDone) and event.step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    settings = SETTINGS.replace(keep_checkpoints=9, max_seconds=1e9)
    assert tiny_trainer(output, settings, reporters=[_StopAfter(12)]).run().reason == "interrupted"
    return output


@pytest.fixture
def stopped(interrupted, tmp_path, monkeypatch):
    """A run that ended after 12 of 40 steps, with checkpoints of the steps 0, 5, 10 and 12."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # most of the time, and no part of these tests
    return shutil.copytree(interrupted, tmp_path / "run")


def resume(output, settings=SETTINGS, **options):
    events = Events()
    result = tiny_trainer(output, settings, resume=True, reporters=[events], **options).run()
    return result, events


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), r"state.safetensors has \d+ bytes, but"),
        (lambda path: flip(path, 2000), "state.safetensors is damaged: its SHA-256 is not the one"),
        (lambda path: path.unlink(), "state.safetensors cannot be read: no such file"),
        (lambda path: flip(path.with_name("state.json"), 12), "state.json is damaged"),
        (
            lambda path: path.with_name("manifest.json").unlink(),
            "has no manifest.json, so it is not complete",
        ),
        (lambda path: path.with_name("manifest.json").write_text("{"), "manifest.json: line 1, column 2"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_with_the_reason(stopped, damage, why):
    damage(stopped / "checkpoints/step-00000012/state.safetensors")
    settings = SETTINGS.replace(keep_checkpoints=9)
    result, events = resume(stopped, settings)
    assert events.of(StepDone)[0].step == 11
    (warning,) = events.of(Warned)
    assert warning.message.startswith("checkpoint step-00000012 is passed over")
    assert re.search(why, warning.message), warning.message
    assert result.step == 40
    assert newest_checkpoint(stopped / "checkpoints")[1] == []


def flip(path, byte):
    content = bytearray(path.read_bytes())
    content[byte] ^= 4
    path.write_bytes(content)


def test_without_any_whole_checkpoint_nothing_is_removed(stopped):
    for path in (stopped / "checkpoints").iterdir():
        (path / "manifest.json").unlink()
    with pytest.raises(
        ModelError, match=r"none of the 4 checkpoints of .* is whole \(checkpoint step-00000012"
    ):
        resume(stopped)
    assert len(list((stopped / "checkpoints").iterdir())) == 4
    result = tiny_trainer(stopped, overwrite=True).run()
    assert result.step == 40


def test_the_log_is_cut_back_to_the_resumed_step(stopped):
    (stopped / "log.jsonl").open("a").write('{"event": "step", "step": 13}\n{"event": "st')
    resume(stopped)
    records = [json.loads(line) for line in (stopped / "log.jsonl").read_text().splitlines()]
    steps = [record["step"] for record in records if record["event"] == "step"]
    assert steps == list(range(1, 41))


def test_resuming_a_finished_run_does_nothing_but_say_so(stopped):
    resume(stopped)
    result, events = resume(stopped)
    assert result.reason == "max_steps"
    assert result.metrics["auc"] > 0
    assert not events.of(StepDone) + events.of(CheckpointWritten)
    assert len(events.of(RunEnded)) == 1
