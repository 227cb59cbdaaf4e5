"""`/train`: it learns what the trainer learns, shows what that moves, and leaves nothing behind."""

import gc
import json
import os
import resource
import signal
import tempfile
import threading
import weakref

import numpy as np
import pytest
from model_sessions import TYPED, check_drawing, drawn, say, session_with, state_of, tiny_encoder, write_pairs

from minigpt2.cli import main
from minigpt2.datasets import read_pairs
from minigpt2.errors import DataError, DivergedError, OutputError, UsageError
from minigpt2.repl import live_training, measures
from minigpt2.repl.commands import train
from minigpt2.training import Trainer, TrainingSet, TrainingSettings
from minigpt2.training.events import RunStarted, StepDone, Validated
from minigpt2.training.validation import Validation


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder for temporary folders, which must be empty at the end of every test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield folder
    assert list(folder.iterdir()) == []
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs.tsv")


def cosines(vectors):
    """(M, D) -> (M, M) in float64"""
    vectors = np.asarray(vectors, dtype=np.float64)
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T


class Watcher:
    """A reporter that remembers, and does something when an event comes."""

    def __init__(self, when=lambda event: False, action=None):
        self.events, self.when, self.action, self.closed = [], when, action, 0

    def report(self, event):
        self.events.append(event)
        if self.when(event):
            self.action()

    def close(self):
        self.closed += 1


@pytest.fixture
def watch(monkeypatch):
    """Put a watcher into the place of the lines on stderr."""

    def put(when=lambda event: False, action=None):
        watcher = Watcher(when, action)
        monkeypatch.setattr(live_training, "reporter_for", lambda person, interrupts: (watcher, True))
        return watcher

    return put


def press(number=signal.SIGINT):
    return lambda: signal.raise_signal(number)


def at_step(number):
    return lambda event: isinstance(event, StepDone) and event.step >= number


def test_the_model_is_what_the_trainer_makes_of_it(pairs, tmp_path, xp):
    encoder = tiny_encoder(xp)
    session = session_with(encoder=encoder)
    before = session.vectors.copy()
    data = say(session, f"/train {pairs} --steps 7 --batch-size 9 --lr 0.003 --seed 4").data

    settings = TrainingSettings(
        objective="contrastive", epochs=9, max_steps=7, batch_size=9, initial_lr=0.003, seed=4
    )
    training_set = TrainingSet.from_pairs(read_pairs(pairs), encoder)
    trainer = Trainer(encoder, training_set, settings, tmp_path / "run")
    trainer.run()
    expected = trainer.encoder.encode(list(TYPED))  # (M, D)
    exact = {"rtol": 0, "atol": 0} if xp is np else {"rtol": 0, "atol": 1e-5}
    np.testing.assert_allclose(session.vectors, expected, **exact)
    assert np.abs(session.vectors - before).max() > 1e-3

    np.testing.assert_allclose(data["before"], cosines(before), atol=1e-6)
    np.testing.assert_allclose(data["after"], cosines(expected), atol=1e-5)
    assert (data["steps"], data["steps_planned"], data["ended"]) == (7, 7, "max_steps")
    assert data["numbers"] == [1, 2, 3]
    (measure,) = data["measures"]
    for measured_one, shown in ((encoder, measure["before"]), (trainer.encoder, measure["after"])):
        measured = Validation(read_pairs(pairs), measured_one, "contrastive").measure(measured_one)
        assert shown["auc"] == pytest.approx(measured.metrics["auc"], abs=1e-3)
        assert shown["accuracy"] == pytest.approx(measured.metrics["accuracy"], abs=0.02)
        assert shown["mean cosine together"] == pytest.approx(measured.positives.mean(), abs=1e-5)
        assert shown["mean cosine apart"] == pytest.approx(measured.negatives.mean(), abs=1e-5)


def test_the_pairs_that_moved_most_come_first(pairs):
    session = session_with([*TYPED, "rain", "a book"])
    before = cosines(session.vectors)
    data = say(session, f"/train {pairs} --steps 5 --lr 0.003").data
    change = cosines(session.vectors) - before
    moved = [pair["change"] for pair in data["moved"]]
    assert moved == sorted(moved, key=abs, reverse=True)
    for pair in data["moved"]:
        a, b = (n - 1 for n in pair["numbers"])
        assert pair["change"] == pytest.approx(change[a, b], abs=1e-5)
        assert pair["after"] - pair["before"] == pytest.approx(pair["change"], abs=1e-12)
        assert pair["texts"] == [session.sentences[a].text, session.sentences[b].text]
    assert abs(moved[0]) == pytest.approx(np.abs(change).max(), abs=1e-5)


def test_another_file_shows_what_carries_over(pairs, tmp_path):
    other = write_pairs(tmp_path / "other.tsv", 40, seed=1)
    session = session_with()
    reply = say(session, f"/train {pairs} --steps 3 --validation {other}")
    assert [measure["file"] for measure in reply.data["measures"]] == [str(pairs), str(other)]
    assert [measure["examples"] for measure in reply.data["measures"]] == [60, 40]
    measured = Validation(read_pairs(other), session.encoder, "contrastive").measure(session.encoder)
    assert reply.data["measures"][1]["after"]["auc"] == pytest.approx(measured.metrics["auc"])
    text = drawn(reply, 200)
    assert "learned from" in text
    assert "not learned from" in text


def test_a_sample_stands_for_a_large_file(pairs, monkeypatch):
    monkeypatch.setattr(measures, "MEASURED", 25)
    data = say(session_with(), f"/train {pairs} --steps 1").data
    assert [measure["examples"] for measure in data["measures"]] == [25]


def test_a_seed_makes_it_repeat(pairs):
    vectors = []
    for seed in (5, 5, 6):
        session = session_with()
        say(session, f"/train {pairs} --steps 4 --seed {seed}")
        vectors.append(session.vectors)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert np.abs(vectors[0] - vectors[2]).max() > 0


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ("--epochs 2 --batch-size 20", 6),
        ("--epochs 1 --steps 99 --batch-size 20", 3),
        ("--steps 8 --batch-size 59", 8),
    ],
)
def test_how_long_it_takes(pairs, options, steps):
    assert say(session_with(), f"/train {pairs} {options}").data["steps"] == steps


def test_the_usual_length_is_the_one_that_help_names(pairs):
    data = say(session_with(), f"/train {pairs}").data
    assert (data["steps"], data["batch_size"], data["learning_rate"]) == (80, 32, 2e-4)
    assert "80 steps of 32 examples" in " ".join(train.DETAILS.split())


@pytest.mark.parametrize(
    ("name", "content", "objective", "measure"),
    [
        (
            "scores.tsv",
            "id\tsentence1\tsentence2\tlabel\n"
            + "".join(f"{i}\ttree {i}\tcar {i}\t{i % 5}\n" for i in range(30)),
            "cosent",
            "spearman",
        ),
        ("positives.tsv", "".join(f"tree {i}\ta tree {i}\n" for i in range(30)), "info_nce", None),
        ("texts.txt", "".join(f"tree {i}\n" for i in range(30)), "language_model", "perplexity"),
    ],
)
def test_every_kind_of_file(tmp_path, name, content, objective, measure):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    session = session_with()
    before = session.vectors.copy()
    reply = say(session, f"/train {path} --steps 3 --lr 0.003 --batch-size 8")
    assert reply.data["objective"] == objective
    assert np.abs(session.vectors - before).max() > 1e-4
    assert [measure in one["after"] for one in reply.data["measures"]] == ([True] if measure else [])
    check_drawing(reply)


@pytest.mark.parametrize("objective", ["contrastive", "language_model"])
def test_a_huge_batch_goes_through_in_parts(pairs, monkeypatch, objective):
    vectors = []
    for texts, tokens in ((512, 16_384), (7, 100)):
        monkeypatch.setattr(train, "CHUNK_TEXTS", texts)
        monkeypatch.setattr(train, "CHUNK_TOKENS", tokens)
        session = session_with()
        say(session, f"/train {pairs} --steps 2 --lr 0.003 --batch-size 1000000000 --objective {objective}")
        vectors.append(session.vectors)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-4)


def test_another_objective(pairs):
    data = say(session_with(), f"/train {pairs} --steps 2 --objective cosine").data
    assert data["objective"] == "cosine"


def test_the_session_trained_before_is_untouched(pairs):
    session = session_with()
    before = session.encoder
    parameters = before.model.parameters.flat.copy()
    say(session, f"/train {pairs} --steps 2")
    np.testing.assert_array_equal(before.model.parameters.flat, parameters)
    assert session.undos[-1].encoder is before
    assert session.undos[-1].what == f"/train {pairs}"


@pytest.mark.parametrize(
    "typed", [(), TYPED[:1], TYPED, [f"{word} {word}" for word in "abcdefghijklmnopqrst"]]
)
def test_the_picture_at_every_size(pairs, typed):
    reply = say(session_with(typed), f"/train {pairs} --steps 2 --lr 0.003")
    check_drawing(reply)
    text = drawn(reply)
    assert "Learned from" in text
    assert ("the pairs whose cosine moved most" in text) == (len(typed) > 1)
    assert ("the last 16 of 20" in text) == (len(typed) == 20)


# stopping


def test_ctrl_c_keeps_what_has_been_learned(pairs, watch):
    watcher = watch(at_step(3), press())
    session = session_with()
    before = session.vectors.copy()
    reply = say(session, f"/train {pairs} --steps 500 --lr 0.003")
    assert (reply.data["steps"], reply.data["ended"]) == (3, "interrupted")
    assert np.abs(session.vectors - before).max() > 1e-4
    assert "Stopped after step 3 of 500" in drawn(reply)
    assert watcher.closed
    (measure,) = reply.data["measures"]
    measured = Validation(read_pairs(pairs), session.encoder, "contrastive").measure(session.encoder)
    assert measure["after"]["auc"] == pytest.approx(measured.metrics["auc"])
    say(session, "/undo")
    np.testing.assert_array_equal(session.vectors, before)


def test_a_second_ctrl_c_drops_it(pairs, watch):
    watcher = watch(at_step(3), lambda: [press()(), press()()])
    session = session_with()
    before = state_of(session)
    with pytest.raises(KeyboardInterrupt):
        say(session, f"/train {pairs} --steps 500")
    assert state_of(session) == before
    assert watcher.closed


@pytest.mark.parametrize("kind", [RunStarted, Validated])
def test_ctrl_c_before_the_first_step_changes_nothing(pairs, watch, kind):
    watch(lambda event: isinstance(event, kind), press())
    session = session_with()
    before = state_of(session)
    reply = say(session, f"/train {pairs} --steps 500")
    assert state_of(session) == before
    assert "as before" in drawn(reply)
    assert reply.data["steps"] == 0


def test_ctrl_c_while_the_folder_is_made_is_handed_to_the_run(pairs, watch, monkeypatch):
    watch()
    make = tempfile.mkdtemp

    def made_late(*args, **options):
        signal.raise_signal(signal.SIGINT)
        return make(*args, **options)

    monkeypatch.setattr(tempfile, "mkdtemp", made_late)
    assert say(session_with(), f"/train {pairs} --steps 500").data["steps"] == 0


def test_ctrl_c_while_the_file_is_read_stops_at_once(pairs, watch, monkeypatch):
    watcher = watch()

    def read(*args, **options):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")

    monkeypatch.setattr("minigpt2.cli.training_data.read_data_files", read)
    session = session_with()
    before = state_of(session)
    with pytest.raises(KeyboardInterrupt):
        say(session, f"/train {pairs}")
    assert state_of(session) == before
    assert watcher.events == []


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_after_the_run(pairs, watch, monkeypatch, presses):
    """The first one finds nothing to stop and what was learned is kept; the second one drops it."""
    watch()
    session = session_with()
    before = state_of(session)
    use = session.use

    def pressed(*args, **options):
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        use(*args, **options)

    monkeypatch.setattr(session, "use", pressed)
    if presses == 1:
        assert say(session, f"/train {pairs} --steps 2").data["steps"] == 2
        assert state_of(session) != before
    else:
        with pytest.raises(KeyboardInterrupt):
            say(session, f"/train {pairs} --steps 2")
        assert state_of(session) == before


def test_ctrl_c_while_the_run_ends_removes_the_folder_all_the_same(pairs, watch, monkeypatch):
    watcher = watch()
    remove = live_training.shutil.rmtree

    def removed_late(*args, **options):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        remove(*args, **options)

    monkeypatch.setattr(live_training.shutil, "rmtree", removed_late)
    session = session_with()
    before = state_of(session)
    with pytest.raises(KeyboardInterrupt):
        say(session, f"/train {pairs} --steps 2")
    assert state_of(session) == before
    assert watcher.closed


def test_sigterm_ends_the_program_and_not_only_the_run(pairs, watch):
    watch(at_step(2), press(signal.SIGTERM))

    def stop(number, frame):
        raise SystemExit(128 + number)

    usual = signal.signal(signal.SIGTERM, stop)
    try:
        session = session_with()
        before = state_of(session)
        with pytest.raises(SystemExit, match="143"):
            say(session, f"/train {pairs} --steps 500")
        assert state_of(session) == before
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_in_a_thread_there_are_no_signals_and_it_trains(pairs):
    session, replies = session_with(), []
    thread = threading.Thread(target=lambda: replies.append(say(session, f"/train {pairs} --steps 2")))
    thread.start()
    thread.join()
    assert replies[0].data["steps"] == 2


# what is refused


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("/train", UsageError, "one file"),
        ("/train a.tsv b.tsv", UsageError, "one file"),
        ("/train no-such-file.tsv", DataError, "no-such-file.tsv"),
        ("/train ''", UsageError, "no name that a file can have"),
        ("/train a\0b", UsageError, "no name that a file can have"),
        ("/train .", DataError, "folder"),
        ("/train PAIRS --steps 0", UsageError, "--steps"),
        ("/train PAIRS --steps many", UsageError, "--steps"),
        ("/train PAIRS --epochs -1", UsageError, "--epochs"),
        ("/train PAIRS --lr nan", UsageError, "--lr"),
        ("/train PAIRS --lr inf", UsageError, "--lr"),
        ("/train PAIRS --lr -1", UsageError, "--lr"),
        ("/train PAIRS --seed -1", UsageError, "--seed"),
        ("/train PAIRS --batch-size 0", UsageError, "--batch-size"),
        ("/train PAIRS --objective magic", UsageError, "contrastive"),
        ("/train PAIRS --objective distillation", UsageError, "teacher"),
        ("/train PAIRS --validation no-such-file.tsv", DataError, "no-such-file.tsv"),
        ("/train PAIRS --validation TEXTS", UsageError, "--validation"),
        ("/train PAIRS --validation ALIKE", UsageError, "label"),
        ("/train PAIRS --validation", UsageError, "--validation"),
        ("/train SCORES --objective contrastive", DataError, "line 3"),
        ("/train TEXTS --objective contrastive", UsageError, "contrastive"),
        ("/train PAIRS --initial-lr 1", UsageError, "--initial-lr"),
    ],
)
def test_wrong_use_is_one_line_and_changes_nothing(pairs, tmp_path, line, error, message):
    files = {
        "PAIRS": pairs,
        "TEXTS": tmp_path / "t.txt",
        "SCORES": tmp_path / "s.tsv",
        "ALIKE": tmp_path / "a.tsv",
    }
    files["TEXTS"].write_text("one\ntwo\n", encoding="utf-8")
    write_pairs(files["SCORES"], 9, labels=(1, 3))
    write_pairs(files["ALIKE"], 9, labels=(1,))
    for name, path in files.items():
        line = line.replace(name, str(path))
    session = session_with()
    before = state_of(session)
    with pytest.raises(error) as raised:
        say(session, line)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "validation-data" not in str(raised.value)
    assert state_of(session) == before


def test_numbers_that_are_not_finite_are_one_line(pairs):
    session = session_with()
    before = state_of(session)
    with pytest.raises(DivergedError) as raised:
        say(session, f"/train {pairs} --lr 1e30 --steps 50")
    assert state_of(session) == before
    message = str(raised.value)
    assert message.endswith("; the model is as before")
    assert "Lower --lr" in message
    assert "checkpoint" not in message
    assert "warm-up" not in message  # there is no such option here
    assert "\n" not in message


def test_a_full_disk_is_one_line(pairs, temporary):
    session = session_with()
    before = state_of(session)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OutputError) as raised:
            say(session, f"/train {pairs} --steps 3")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert state_of(session) == before
    assert "TMPDIR" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_temporary_folder_at_all_is_one_line(pairs, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(OutputError, match="TMPDIR"):
        say(session_with(), f"/train {pairs} --steps 3")


def test_a_model_that_leaves_its_prompt_out_is_refused(pairs):
    settings = {"prompts": {"q": "q: "}, "default_prompt_name": "q", "include_prompt": False}
    with pytest.raises(UsageError, match="prompt"):
        say(session_with(encoder=tiny_encoder(**settings)), f"/train {pairs}")


# what is left


def test_what_the_run_needed_is_freed(pairs):
    session = session_with()
    say(session, f"/train {pairs} --steps 2")
    trained = weakref.ref(session.encoder.model)
    gc.collect()
    assert not any(isinstance(thing, Trainer) for thing in gc.get_objects())
    say(session, "/undo")
    gc.collect()
    assert trained() is None


def test_pooling_and_prompts_stay_and_the_calibration_goes(pairs):
    """The losses compare directions, so vectors are normalised from then on, as after `minigpt2 train`."""
    ranges = np.stack([np.full(12, -1.0), np.full(12, 1.0)]).astype(np.float32)
    before = {"pooling": "max", "prompts": {"query": "q: "}, "normalize": False, "calibration": ranges}
    session = session_with(encoder=tiny_encoder(**before))
    say(session, f"/train {pairs} --steps 1")
    after = session.encoder.settings
    assert (after.pooling, after.prompts, after.normalize) == ("max", {"query": "q: "}, True)
    assert after.calibration is None


def test_json_has_nothing_else_on_stdout(pairs, tmp_path, capsys):
    model = tiny_encoder().save(tmp_path / "model")
    commands = ["the cat", "the dog", f"/train {pairs} --steps 2", "/undo"]
    code = main(
        ["repl", "--json", "--model", str(model), *(part for line in commands for part in ("-c", line))]
    )
    out, err = capsys.readouterr()
    assert code == 0, err
    objects = [json.loads(line) for line in out.splitlines()]
    assert [one["command"] for one in objects] == ["embed", "embed", "train", "undo"]
    assert objects[2]["steps"] == 2
    assert "step 2/2" in err
    assert str(os.path.realpath(tempfile.tempdir)) not in err


def test_losses_of_single_batches_are_told_only_where_nothing_is_measured(pairs, tmp_path):
    session = session_with()
    assert "the loss" not in drawn(say(session, f"/train {pairs} --steps 2"), 200)
    (tmp_path / "positives.tsv").write_text("".join(f"tree {i}\ta tree {i}\n" for i in range(12)))
    reply = say(session, f"/train {tmp_path / 'positives.tsv'} --steps 2 --batch-size 4")
    assert reply.data["measures"] == []
    assert " on the first batch and " in drawn(reply, 200)


def test_texts_without_labels_are_said_to_make_no_good_vectors(pairs, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"tree {i}\n" for i in range(30)))
    shown = drawn(say(session_with(), f"/train {path} --steps 2"), 200)
    assert "learned to guess the next token" in shown
    assert "guess the next token" not in drawn(say(session_with(), f"/train {pairs} --steps 1"), 200)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2334, "0.233"), (9.746, "9.75"), (-9.512, "-9.51"), (97.31, "97.3"), (17076.2, "17,076")],
)
def test_a_measure_has_three_digits(value, text):
    assert train._measure(value) == text
