"""The trainer: its loop against one written out, its events, what it keeps and what it refuses."""

import errno
import functools
import itertools
import json
import shutil

import numpy as np
import pytest
from tiny_runs import SETTINGS, Events, tiny_encoder, tiny_trainer, word_pairs

import minigpt2
from minigpt2.backend import to_numpy
from minigpt2.errors import DataError, DivergedError, OutputError, UsageError
from minigpt2.model import GPT2
from minigpt2.model_directory import find_model
from minigpt2.training import Trainer, TrainingSet, TrainingSettings, checkpoints, objectives
from minigpt2.training import trainer as trainer_module
from minigpt2.training.checkpoints import newest_checkpoint
from minigpt2.training.divergence import first_bad_tensor
from minigpt2.training.events import (
    CheckpointWritten,
    RunEnded,
    RunStarted,
    StepDone,
    Validated,
    Warned,
    record,
)
from minigpt2.training.gradients import vector_gradients
from minigpt2.training.optimizer import AdamW, clip_gradients
from minigpt2.training.precision import LossScaler, half_products
from minigpt2.training.randomness import CountedGenerator
from minigpt2.training.sampler import batches_of_epoch
from minigpt2.training.schedule import warmup_cosine
from minigpt2.training.validation import Measured, Validation

SHORT = SETTINGS.replace(max_steps=6, validate_every=3, checkpoint_every=2)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def run(output, settings=SHORT, **options):
    events = Events()
    result = tiny_trainer(output, settings, reporters=[events], **options).run()
    return result, events


def test_the_loop_is_the_one_written_out_here(tmp_path, xp):
    encoder = tiny_encoder(xp)
    data = TrainingSet.from_pairs(word_pairs(220), encoder)
    settings = SHORT
    result, events = run(tmp_path / "run", settings, encoder=encoder, data=data)

    config = encoder.model.config.replace(embd_pdrop=0.1, attn_pdrop=0.1, resid_pdrop=0.1)
    model = GPT2(config, encoder.model.parameters.to(xp))
    examples, _ = objectives.prepare(data, settings, config)
    lengths = examples.lengths_of_examples()
    optimizer = AdamW(model.parameters, settings.betas, settings.eps, settings.decay)
    gradients, rng = model.parameters.zeros_like(), CountedGenerator(xp, settings.seed)
    batches = batches_of_epoch(examples.columns, lengths, 6, None, settings.seed, 0, at_least=2)
    losses = []
    for step in range(6):
        gradients.flat[:] = 0.0
        loss = 0.0
        for rows in (batches[2 * step], batches[2 * step + 1]):
            sentences = examples.tokens_of(objectives.texts_of_batch(examples, rows))
            of_batch = objectives.loss_of_batch(examples, rows, settings)
            how = {"rng": rng, "chunk_texts": 5, "scale": 0.5}
            loss += float(vector_gradients(model, sentences, "mean", of_batch, gradients, **how)) / 2
        clip_gradients(gradients, 1.0)
        optimizer.step(gradients, warmup_cosine(step, 6, settings.initial_lr, 0))
        losses.append(loss)
    trained = minigpt2.load(tmp_path / "run/last").model.parameters
    assert [event.loss for event in events.of(StepDone)] == pytest.approx(
        losses, rel=1e-6 if xp is np else 1e-3
    )
    if xp is np:  # a GPU adds up in any order, and Adam makes steps of what is nothing but rounding
        assert np.array_equal(trained.flat, model.parameters.flat)
    assert result.step == 6
    assert np.array_equal(to_numpy(encoder.model.parameters.flat), tiny_encoder().model.parameters.flat)


def test_events_come_in_order_and_stand_in_the_log(tmp_path):
    output = tmp_path / "run"
    result, events = run(output)
    kinds = [(type(event), event.step) for event in events]
    of_step = [(StepDone, 1), (StepDone, 2), (CheckpointWritten, 2), (StepDone, 3), (Validated, 3)]
    assert kinds[:3] == [(RunStarted, 0), (Validated, 0), (CheckpointWritten, 0)]
    assert kinds[3:8] == of_step
    assert kinds[-1] == (RunEnded, 6)
    assert events.closed == 1
    logged = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    assert logged == [json.loads(json.dumps(record(event))) for event in events]
    steps = events.of(StepDone)
    assert steps[-1].seconds_left == 0
    assert steps[2].seconds_left > 0
    assert [step.tokens for step in steps] == sorted({step.tokens for step in steps})
    assert all(step.tokens_per_second > 0 for step in steps)
    assert steps[-1].epoch == pytest.approx(12 / len(_first_epoch()))
    assert result.tokens == steps[-1].tokens
    summary = events[0].summary
    assert {"model", "device", "objective", "training data", "steps", "optimizer"} <= set(summary)
    assert "110 pairs with label 1" in summary["note"]


def _first_epoch():
    encoder = tiny_encoder()
    given = TrainingSet.from_pairs(word_pairs(220), encoder)
    data, _ = objectives.prepare(given, SHORT, encoder.model.config)
    return batches_of_epoch(data.columns, data.lengths_of_examples(), 6, None, 0, 0, 2)


def test_reports_can_be_rarer_than_steps(tmp_path):
    _, every = run(tmp_path / "a")
    _, rare = run(tmp_path / "b", SHORT.replace(log_every=4))
    losses = [event.loss for event in every.of(StepDone)]
    assert [event.step for event in rare.of(StepDone)] == [4, 6]
    assert [event.loss for event in rare.of(StepDone)] == pytest.approx(
        [np.mean(losses[:4]), np.mean(losses[4:])]
    )


def test_the_best_model_is_kept_and_found(tmp_path):
    output = tmp_path / "run"
    result, events = run(output, SETTINGS.replace(validate_every=5))
    validated = events.of(Validated)
    assert result.best_metric == max(event.metrics["auc"] for event in validated)
    assert [event.step for event in validated if event.best][-1] == result.best_step
    assert find_model(output) == result.path == output / "best"
    dev = word_pairs(30, seed=1)
    encoder = minigpt2.load(output)
    cosines = encoder.similarity_pairwise(encoder.encode(dev.first), encoder.encode(dev.second))
    above = cosines[dev.labels == 1][:, None] - cosines[dev.labels == 0]
    assert ((above > 0) + 0.5 * (above == 0)).mean() == pytest.approx(result.best_metric, abs=1e-3)
    best = output / f"checkpoints/step-{result.best_step:08d}"
    assert best.exists()
    assert len(list((output / "checkpoints").iterdir())) <= SETTINGS.keep_checkpoints + 1
    for event in validated:
        assert event.positives.shape == event.negatives.shape == (15,)


def test_without_validation_the_last_model_is_the_result(tmp_path):
    settings = SHORT.replace(validate_every=None)
    result, events = run(tmp_path / "run", settings, validation=False)
    assert result.path == tmp_path / "run/last" == find_model(tmp_path / "run")
    assert result.best_step is result.best_metric is None
    assert not events.of(Validated)
    assert [event.step for event in events.of(CheckpointWritten)] == [0, 2, 4, 6]
    with pytest.raises(UsageError, match="patience and validate_every need validation data"):
        tiny_trainer(tmp_path / "x", SHORT, validation=False)


OBJECTIVES = {
    "contrastive": {},
    "cosine": {"recompute": True},
    "cosent": {"matryoshka": (4,)},
    "info_nce": {"schedule": "linear", "clip": None},
    "distillation": {"batch_tokens": 200, "pooling": "last"},
    "language_model": {"chunk_texts": None, "chunk_tokens": 50},
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns(tmp_path, xp, objective):
    encoder = tiny_encoder(xp)
    pairs = word_pairs(120)
    data = TrainingSet.from_pairs(pairs, encoder)
    if objective == "distillation":
        targets = np.random.default_rng(0).standard_normal((120, 16))
        data = TrainingSet.from_texts(pairs.first, encoder, targets=targets)
    settings = SETTINGS.replace(
        objective=objective, max_steps=30, accumulate=1, dropout=0.0, **OBJECTIVES[objective]
    )
    result, events = run(tmp_path / "run", settings, encoder=encoder, data=data)
    losses = [event.loss for event in events.of(StepDone)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    assert result.step == 30
    assert minigpt2.load(result.path).settings.pooling == (settings.pooling or "mean")
    if objective == "language_model":
        assert result.best_metric < events.of(Validated)[0].metrics["loss"]
        assert result.metrics["perplexity"] == pytest.approx(np.exp(result.metrics["loss"]))


def test_a_language_model_becomes_an_embedder(tmp_path):
    pairs = word_pairs(60)
    settings = SETTINGS.replace(
        objective="language_model", chunk_texts=None, max_steps=5, initial_lr=0.01, validate_every=None
    )
    encoder = tiny_encoder()
    texts = TrainingSet.from_texts(pairs.first, encoder)
    first = Trainer(encoder, texts, settings, tmp_path / "lm", validation=["the cat", "a dog"]).run()
    start = minigpt2.load(first.path)
    second, _ = run(tmp_path / "embedder", SHORT, encoder=start)
    assert second.step == 6
    assert not np.array_equal(start.model.parameters.flat, tiny_encoder().model.parameters.flat)


# when it ends


@pytest.mark.parametrize("metric", ["auc", "loss"])
def test_it_ends_after_as_many_validations_without_a_better_one_as_it_has_patience(
    tmp_path, monkeypatch, metric
):
    """As good is not better, but of two that are as good the later one is kept."""
    values = iter([0.5, 0.6, 0.6, 0.4, 0.7, 0.7, 0.65, 0.7, 0.9])
    sign = -1.0 if metric == "loss" else 1.0

    def measure(self, encoder):
        return Measured({metric: sign * next(values)}, None, None, None)

    monkeypatch.setattr(Validation, "measure", measure)
    settings = SETTINGS.replace(validate_every=2, patience=3)
    validation = True
    if metric == "loss":
        settings = settings.replace(objective="language_model", chunk_texts=None)
        validation = ["the cat", "a dog"]
    result, events = run(tmp_path / "run", settings, validation=validation)
    best = [event.best for event in events.of(Validated)]
    assert best == [True, True, True, False, True, True, False, True]
    assert (result.reason, result.step, result.best_step) == ("patience", 14, 14)
    assert result.best_metric == sign * 0.7
    assert next(values) == 0.9  # never asked for


def test_a_frequent_text_is_named_where_it_makes_batches_smaller(tmp_path):
    pairs = word_pairs(220)
    frequent = pairs._replace(first=["the same"] * 44 + pairs.first[44:])
    data = TrainingSet.from_pairs(frequent, tiny_encoder())
    settings = SHORT.replace(objective="contrastive", chunk_texts=None)
    assert tiny_trainer(tmp_path / "run", settings.replace(batch_size=4), data=data).notes == []
    (note,) = tiny_trainer(tmp_path / "run", settings.replace(batch_size=32), data=data).notes
    assert note.startswith("one text stands in 44 of 220 examples")
    assert "at most 4 examples instead of 32" in note


def test_there_are_twenty_validations_where_nothing_is_said(tmp_path):
    settings = SETTINGS.replace(validate_every=None, checkpoint_every=None, max_seconds=1e-3)
    for steps, every in ((3, 1), (20, 1), (40, 2), (59, 2)):
        trainer = tiny_trainer(tmp_path / "run", settings.replace(max_steps=steps, epochs=9))
        assert trainer.steps == steps
        assert trainer.validate_every == trainer.checkpoint_every == every


def test_speed_and_time_left_are_those_of_the_clock(tmp_path, monkeypatch):
    """A clock that goes on by a second whenever it is looked at, which a step does first and last."""
    monkeypatch.setattr("time.perf_counter", itertools.count(100.0).__next__)
    _, events = run(tmp_path / "run", SHORT.replace(max_seconds=1000.0))
    steps = events.of(StepDone)
    tokens = [0, *(event.tokens for event in steps)]
    assert [event.tokens_per_second for event in steps] == list(np.diff(tokens))
    for event in steps:
        assert event.seconds_left == pytest.approx(event.seconds / event.step * (6 - event.step))
    _, events = run(tmp_path / "short", SHORT.replace(max_seconds=9.0, validate_every=None), validation=False)
    first = events.of(StepDone)[0]
    assert 0 < first.seconds_left == 9.0 - first.seconds < first.seconds * 5


def test_it_ends_when_the_time_is_up_with_a_checkpoint(tmp_path):
    result, _ = run(tmp_path / "run", SETTINGS.replace(max_seconds=1e-3, epochs=9))
    assert result.reason == "max_seconds"
    assert result.step == 0
    settings = SETTINGS.replace(max_seconds=1000, epochs=9)
    result, _ = run(tmp_path / "run", settings, resume=True)  # more time may be given
    assert result.reason == "max_steps"


def test_it_ends_after_all_epochs(tmp_path):
    data = TrainingSet.from_pairs(word_pairs(48), tiny_encoder())
    result, events = run(tmp_path / "run", SHORT.replace(max_steps=None, epochs=3), data=data)
    assert result.reason == "finished"
    assert result.step == 6  # 24 anchors in 4 batches of 6, two a step, three times
    assert events.of(StepDone)[-1].epoch == 3.0


# numbers that are not finite


def test_a_learning_rate_that_is_too_high_stops_with_names(tmp_path):
    output = tmp_path / "run"
    events = Events()
    with pytest.raises(DivergedError) as caught:
        tiny_trainer(output, SHORT.replace(initial_lr=1e30), reporters=[events]).run()
    text = str(caught.value)
    assert text.startswith("step 2: the loss is nan")
    assert "the first tensor that is not finite is the activation blocks.0." in text
    assert "Lower --initial-lr (it is 1e+30)" in text
    assert "the checkpoint of step 0 is kept" in text
    assert events.closed == 1
    checkpoint, _ = newest_checkpoint(output / "checkpoints")
    assert checkpoint.progress.step == 0
    assert np.isfinite(minigpt2.load(output).model.parameters.flat).all()


def test_parameters_that_become_infinite_are_never_stored(tmp_path):
    settings = SHORT.replace(initial_lr=3e38, checkpoint_every=1)
    with pytest.raises(
        DivergedError, match=r"step 1: parameters have become infinite or NaN.*parameter wte.weight"
    ):
        run(tmp_path / "run", settings)
    assert newest_checkpoint(tmp_path / "run/checkpoints")[0].progress.step == 0


def test_nothing_moves_on_a_gradient_that_is_not_finite(tmp_path, monkeypatch):
    before = []

    def gradients(model, sentences, pooling, loss, gradients, **how):
        before.append(model.parameters.flat.copy())
        value = vector_gradients(model, sentences, pooling, loss, gradients, **how)
        if len(before) == 4:
            gradients["h.1.ln_1.bias"][3] = np.inf
        return value

    monkeypatch.setattr(trainer_module, "vector_gradients", gradients)
    trainer = tiny_trainer(tmp_path / "run", SHORT)
    with pytest.raises(
        DivergedError, match=r"step 2: .* gradient has length inf.*the gradient h.1.ln_1.bias"
    ):
        trainer.run()
    assert np.array_equal(trainer.model.parameters.flat, before[-1])


def test_the_first_bad_tensor_in_forward_order():
    encoder = tiny_encoder()
    sentences = [[1, 2, 3], [4, 5]]
    model, parameters = encoder.model, encoder.model.parameters
    gradients = parameters.zeros_like()
    assert first_bad_tensor(model, sentences, gradients) is None
    gradients["h.0.mlp.c_fc.weight"][1, 2] = np.nan
    gradients["ln_f.bias"][0] = np.nan
    assert first_bad_tensor(model, sentences, gradients) == "gradient h.0.mlp.c_fc.weight"
    parameters["h.1.mlp.c_fc.weight"][:] = 3e38
    with np.errstate(all="ignore"):
        assert first_bad_tensor(model, sentences, gradients) == "activation blocks.1.mlp.pre"
    parameters["h.1.attn.c_proj.bias"][0] = np.inf
    parameters["ln_f.bias"][0] = np.nan
    assert first_bad_tensor(model, sentences) == "parameter h.1.attn.c_proj.bias"


def test_float16_leaves_out_a_step_that_overflows(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module, "half_products", functools.partial(half_products, allow_cpu=True))
    monkeypatch.setattr(trainer_module, "LossScaler", functools.partial(LossScaler, 2.0**24))
    settings = SETTINGS.replace(precision="float16", max_steps=12, checkpoint_every=1, keep_checkpoints=50)
    result, _ = run(tmp_path / "run", settings)
    states = [
        checkpoints.read_training_checkpoint(path)
        for path in checkpoints.checkpoints_in(tmp_path / "run/checkpoints")
    ]
    moved = 0
    for before, after in itertools.pairwise(states):
        scale = [state.progress.loss_scale["scale"] for state in (before, after)]
        same = all(np.array_equal(after.arrays[name], before.arrays[name]) for name in before.arrays)
        assert same == (scale[1] < scale[0])
        moved += not same
        assert after.progress.optimizer_steps == moved
    assert 0 < moved < 12
    assert result.step == 12


# collapse


def test_a_run_that_collapses_is_told_so_once(tmp_path):
    pairs = word_pairs(220)
    together = pairs._replace(labels=np.ones(220))  # nothing pushes apart
    data = TrainingSet.from_pairs(together, tiny_encoder())
    settings = SETTINGS.replace(objective="contrastive", dropout=0.0, initial_lr=0.02, accumulate=1)
    encoder = tiny_encoder()
    encoder.model.parameters.flat[:] *= 6.0  # far enough from zero that texts differ clearly
    _, events = run(tmp_path / "run", settings.replace(validate_every=5), encoder=encoder, data=data)
    (warning,) = events.of(Warned)
    assert "the vectors are collapsing" in warning.message
    assert "Remedies" in warning.message
    assert warning.step >= 10
    _, events = run(tmp_path / "healthy", SETTINGS.replace(validate_every=5))
    assert not events.of(Warned)


# the output folder


def test_an_output_folder_with_a_run_is_refused(tmp_path):
    output = tmp_path / "run"
    run(output)
    with pytest.raises(UsageError, match=r"holds a run already: resume it \(--resume\), overwrite it"):
        run(output)
    (output / "notes.txt").write_text("mine")
    (output / "checkpoints/notes.txt").write_text("mine too")
    result, events = run(output, SHORT.replace(max_steps=2), overwrite=True)
    assert result.step == 2
    assert (output / "notes.txt").read_text() == "mine"
    assert (output / "checkpoints/notes.txt").read_text() == "mine too"
    assert sorted(path.name for path in output.iterdir()) == [
        ".lock", "best", "checkpoints", "last", "log.jsonl", "notes.txt", "settings.json"
    ]  # fmt: skip
    assert len((output / "log.jsonl").read_text().splitlines()) == len(events)
    with pytest.raises(UsageError, match="give one of the two"):
        run(output, resume=True, overwrite=True)


def test_files_of_other_origin_are_never_replaced(tmp_path):
    output = tmp_path / "run"
    (output / "best").mkdir(parents=True)
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(UsageError, match="best was not made by a training run"):
            run(output, **options)
    assert list((output / "best").iterdir()) == []


def test_one_run_at_a_time(tmp_path):
    output = tmp_path / "run"
    trainer = tiny_trainer(output, SHORT)
    with (
        trainer.folder.locked(),
        pytest.raises(UsageError, match=r"another run \(process \d+\) is training in"),
    ):
        run(output)
    run(output)


def test_an_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*file/run: not a directory"):
        run(tmp_path / "file/run")


def test_what_a_killed_process_left_is_removed(tmp_path):
    output = tmp_path / "run"
    run(output, SHORT)
    left = [output / ".best.0123456789ab.tmp", output / "checkpoints/.step-00000006.0123456789ab.tmp"]
    for path in left:
        path.mkdir()
    run(output, resume=True)
    assert not any(path.exists() for path in left)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 5}, "batch_size was 6 and is 5 now: give what it was"),
        ({"temperature": 0.1}, "temperature was null and is 0.1 now"),
        ({"max_steps": 9}, r"max_steps was 6 and is 9 now: to make the run longer, say so \(--extend\)"),
        ({"patience": 9}, "patience was null and is 9 now: to make the run longer"),
    ],
)
def test_resuming_under_other_settings_names_the_first_difference(tmp_path, changes, message):
    run(tmp_path / "run")
    with pytest.raises(UsageError, match=message):
        run(tmp_path / "run", SHORT.replace(**changes), resume=True)


def test_resuming_on_other_data_or_another_model_is_refused(tmp_path):
    output = tmp_path / "run"
    run(output)
    more = TrainingSet.from_pairs(word_pairs(222), tiny_encoder())
    with pytest.raises(UsageError, match="examples of the training data was 220 and is 222 now"):
        run(output, data=more, resume=True)
    other = TrainingSet.from_pairs(word_pairs(220, seed=9), tiny_encoder())
    with pytest.raises(UsageError, match="of the training data was"):
        run(output, data=other, resume=True)
    with pytest.raises(UsageError, match="n_embd of the model was 12 and is 24 now"):
        run(output, encoder=tiny_encoder(n_embd=24), resume=True)
    with pytest.raises(UsageError, match="of the validation data was"):
        run(output, validation=word_pairs(32, seed=1), resume=True)
    with pytest.raises(UsageError, match=r"but this model has .* of float64"):
        run(output, encoder=tiny_encoder(dtype=np.float64), resume=True)


def test_a_run_can_be_made_longer(tmp_path):
    output = tmp_path / "run"
    run(output)
    result, events = run(output, SHORT.replace(max_steps=9, keep_checkpoints=3), resume=True, extend=True)
    assert [event.step for event in events.of(StepDone)] == [7, 8, 9]
    assert result.step == 9
    with pytest.raises(UsageError, match="give resume too"):
        run(output, extend=True)


def test_resume_with_nothing_to_resume_begins_and_says_so(tmp_path):
    result, events = run(tmp_path / "run", resume=True)
    assert result.step == 6
    assert "holds no checkpoint to resume: the run begins anew" in events.of(Warned)[0].message


def test_a_run_killed_before_its_first_checkpoint_leaves_nothing_in_the_log(tmp_path):
    run(tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints")
    _, events = run(tmp_path / "run", resume=True)
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    assert len(lines) == len(events)
    assert events.of(Warned)


def test_a_finished_run_without_its_best_model_and_checkpoint_validates_once_more(tmp_path, monkeypatch):
    values = iter([0.5, 0.9, 0.4, 0.4])
    monkeypatch.setattr(Validation, "measure", lambda *_: Measured({"auc": next(values)}, None, None, None))
    result, _ = run(tmp_path / "run")
    assert (result.step, result.best_step) == (6, 3)
    shutil.rmtree(tmp_path / "run/best")
    shutil.rmtree(tmp_path / "run/checkpoints/step-00000003")
    result, events = run(tmp_path / "run", resume=True)
    assert "the next validation counts as the best" in events.of(Warned)[0].message
    assert (result.path, result.best_step, result.best_metric) == (tmp_path / "run/best", 6, 0.4)
    assert result.path.is_dir()


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "_write_arrays", full)
    with pytest.raises(OutputError, match=r"cannot write .*step-00000000: no space left on device"):
        run(tmp_path / "run")
    assert [p.name for p in (tmp_path / "run/checkpoints").iterdir()] == []


# what does not fit together


def test_refusals_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="is validated on pairs with labels, not on a list"):
        tiny_trainer(tmp_path / "run", validation=["a", "b"])
    with pytest.raises(UsageError, match="a warm-up of 100 steps does not fit into 6 steps"):
        tiny_trainer(tmp_path / "run", SHORT.replace(warmup=100))
    with pytest.raises(UsageError, match="batch_size 2 is too small"):
        tiny_trainer(tmp_path / "run", SHORT.replace(batch_size=2))
    one_label = word_pairs(40)._replace(labels=np.ones(40))
    with pytest.raises(DataError, match=r"words.tsv: every label is 1"):
        tiny_trainer(tmp_path / "run", validation=one_label)
    language_model = SHORT.replace(objective="language_model", chunk_texts=None)
    with pytest.raises(DataError, match="no validation text has two tokens"):
        tiny_trainer(tmp_path / "run", language_model, validation=["a", "b"])
    assert not (tmp_path / "run").exists()


def test_the_settings_of_the_run_stand_in_its_folder(tmp_path):
    run(tmp_path / "run")
    fields = json.loads((tmp_path / "run/settings.json").read_text())
    assert TrainingSettings.from_dict(fields["settings"]) == SHORT
    assert fields["model"]["resid_pdrop"] == 0.1
