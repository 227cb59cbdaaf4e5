"""The training loop: batch → gradient → clip → learning rate → AdamW, and what surrounds it.

    data = TrainingSet.from_pairs(pairs, encoder)
    result = Trainer(encoder, data, TrainingSettings(epochs=5), "run", validation=dev).run()
    encoder = minigpt2.load(result.path)

What a step does is a pure function of the state in a checkpoint: the parameters and both moments, and the
numbers in `Progress`. So a run that was killed and resumed takes on the CPU, bit for bit, the steps that it
would have taken, and loses at most what lies between two checkpoints.

Nothing moves on numbers that are not finite: loss and gradient are looked at before the parameters are
touched, the parameters before they are stored. The first signal (Ctrl-C, SIGTERM, or SIGHUP of a terminal
that has gone) lets the step finish and writes a checkpoint; a second Ctrl-C or SIGTERM stops at once.
"""

import contextlib
import dataclasses
import math
import signal
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import numpy as np

from ..backend import Array, array_module, asarray
from ..datasets import Pairs
from ..encoder import Encoder
from ..errors import DivergedError, ModelError, UsageError
from ..evaluation.collapse import Collapse, collapse_warning
from ..model import GPT2
from ..parameters import Parameters
from . import checkpoints, objectives
from .checkpoints import Progress
from .divergence import first_bad_tensor, is_finite
from .events import CheckpointWritten, Event, Reporter, RunEnded, RunStarted, StepDone, Validated, Warned
from .examples import TrainingSet
from .gradients import language_model_gradients, vector_gradients
from .optimizer import AdamW, clip_gradients, gradient_norm
from .precision import LossScaler, half_products
from .randomness import CountedGenerator
from .run_folder import Log, RunFolder
from .sampler import batches_of_epoch, size_for_the_most_frequent
from .schedule import SCHEDULES
from .settings import TrainingSettings
from .validation import Validation

# Validations in a run, where `validate_every` leaves it open.
VALIDATIONS = 20


class TrainingResult(NamedTuple):
    """How a run ended."""

    path: Path  # the model directory to load: the best one, or the last one where nothing was validated
    reason: str  # one of events.REASONS
    step: int
    best_step: int | None
    best_metric: float | None
    metrics: dict[str, float]  # of the last validation
    seconds: float
    tokens: int


class Trainer:
    """One run: an encoder, what it learns from, how, and where everything is written."""

    def __init__(
        self,
        encoder: Encoder,
        training_set: TrainingSet,
        settings: TrainingSettings,
        output: str | Path,
        *,
        validation: Pairs | Sequence[str] | None = None,
        reporters: Sequence[Reporter] = (),
        resume: bool = False,
        overwrite: bool = False,
        extend: bool = False,
    ) -> None:
        """`encoder` stays as it is: a copy of its model is trained.

        training_set   tokenized with this encoder: see `TrainingSet`
        output         a folder for the run: see `run_folder.py`
        validation     pairs with labels, for a language model also texts; None validates nothing
        reporters      are told what happens, and are closed at the end
        resume         go on with the run that is in `output`, or begin it if there is none
        overwrite      remove the run that is in `output`
        extend         when resuming, epochs, max_steps and patience may have changed

        Raises UsageError for settings, data and model that do not fit together.
        """
        if resume and overwrite:
            raise UsageError("resume goes on with a run and overwrite removes it: give one of the two")
        if extend and not resume:
            raise UsageError("extend makes a run longer that is resumed: give resume too")
        self.settings = settings
        self.folder = RunFolder(output)
        self.reporters = list(reporters)
        self.resume, self.overwrite, self.extend = resume, overwrite, extend
        self.encoder = _encoder_to_train(encoder, settings)
        self.model = self.encoder.model
        self.given_data = training_set
        self.data, self.notes = objectives.prepare(training_set, settings, self.model.config)
        self.objective = objectives.OBJECTIVES[settings.objective]
        self._note_small_batches()
        self.lengths = self.data.lengths_of_examples()  # (M, C)
        self.tokens = self.lengths.sum(axis=1)  # (M,)
        self.validation = None
        if validation is not None:
            self.validation = Validation(validation, self.encoder, settings.objective)
        elif settings.patience is not None or settings.validate_every is not None:
            raise UsageError("patience and validate_every need validation data: give some or leave them out")

        self._epoch_batches: tuple[int, list[np.ndarray]] = (-1, [])
        self.batches_per_epoch = len(self._batches_of_epoch(0))
        self.steps = max(1, settings.epochs * self.batches_per_epoch // settings.accumulate)
        if settings.max_steps is not None:
            self.steps = min(self.steps, settings.max_steps)
        self._lr(0)  # refuses a warm-up that does not fit
        self.validate_every = settings.validate_every or max(1, self.steps // VALIDATIONS)
        self.checkpoint_every = settings.checkpoint_every or self.validate_every

        self.progress = Progress()
        parameters = self.model.parameters
        self.optimizer = AdamW(parameters, settings.betas, settings.eps, settings.decay)
        self.gradients = parameters.zeros_like()
        self.rng = None
        if objectives.drops(self.model.config):
            self.rng = CountedGenerator(self.encoder.backend.xp, settings.seed)
        self.scaler = LossScaler() if settings.precision == "float16" else None

    def run(self) -> TrainingResult:
        """Train to the end.

        Raises DivergedError for numbers that are not finite, OutputError for a full disk, UsageError for an
        output folder that is in use or holds another run, ModelError where all checkpoints to resume from are
        damaged. The last checkpoint is whole then.
        """
        try:
            with self._precision():  # refuses a device that cannot
                pass
            with self.folder.locked(), _Signals() as self._signals, np.errstate(all="ignore"):
                return self._run()
        finally:
            for reporter in self.reporters:
                reporter.close()

    def _run(self) -> TrainingResult:
        self._begin()
        if self.progress.step == 0 and not self._resumed:
            self._validate()
            self._checkpoint()
        while (reason := self._reason_to_end()) is None:
            self._one_step()
            step = self.progress.step
            best = step % self.validate_every == 0 and self._validate()
            if best or step % self.checkpoint_every == 0:
                self._checkpoint()
        return self._end(reason)

    # the steps

    def _one_step(self) -> None:
        """One optimizer step, from the next batch to the moved parameters."""
        settings, progress = self.settings, self.progress
        started = time.perf_counter()
        k = settings.accumulate
        scale = 1.0 if self.scaler is None else self.scaler.scale

        self.gradients.flat[:] = 0.0
        batches, total = [], 0.0
        for _ in range(k):
            batches.append(self._next_batch())
            total = total + self._add_gradient(batches[-1], scale / k)  # ()
        if self.scaler is not None:
            self.gradients.flat *= 1.0 / scale
        norm = float(gradient_norm(self.gradients))
        loss = float(total) / k

        lr = self._lr(progress.step)
        finite = math.isfinite(loss) and math.isfinite(norm)
        if not finite and (self.scaler is None or self.scaler.exhausted or not math.isfinite(loss)):
            texts = np.concatenate([objectives.texts_of_batch(self.data, rows) for rows in batches])
            what = f"the loss is {loss:g} and the gradient has length {norm:g}"
            self._raise_diverged(progress.step + 1, what, self.data.tokens_of(texts), self.gradients)
        if finite:
            if settings.clip is not None and norm > settings.clip:
                clip_gradients(self.gradients, settings.clip)
            self.optimizer.step(self.gradients, lr)
        if self.scaler is not None:
            self.scaler.update(finite)
        progress.step += 1
        self._report_step(loss, lr, norm, sum(int(self.tokens[rows].sum()) for rows in batches), started)

    def _add_gradient(self, rows: np.ndarray, scale: float) -> Array:
        """Add `scale` times the gradient of a batch of examples (m,) to `gradients`; its loss, shape ()"""
        settings = self.settings
        texts = objectives.texts_of_batch(self.data, rows)  # (M,)
        sentences = self.data.tokens_of(texts)
        how = {"rng": self.rng, "recompute": settings.recompute, "scale": scale}
        with self._precision():
            if settings.objective == "language_model":
                how["chunk_tokens"] = settings.chunk_tokens
                return language_model_gradients(self.model, sentences, self.gradients, **how)
            loss = objectives.loss_of_batch(self.data, rows, settings)
            how["chunk_texts"] = settings.chunk_texts
            pooling = self.encoder.settings.pooling
            return vector_gradients(self.model, sentences, pooling, loss, self.gradients, **how)

    def _next_batch(self) -> np.ndarray:
        """The examples (m,) of the next batch; moves the place in the data on"""
        progress = self.progress
        batches = self._batches_of_epoch(progress.epoch)
        rows = batches[progress.batch]
        progress.batch += 1
        if progress.batch == len(batches):
            progress.epoch, progress.batch = progress.epoch + 1, 0
        return rows

    def _note_small_batches(self) -> None:
        given = self.settings.batch_size
        size, most = size_for_the_most_frequent(self.data.columns, given, self.objective.at_least)
        if size < min(given, len(self.data)):
            self.notes.append(
                f"one text stands in {most:,} of {len(self.data):,} examples and may stand in a batch once, "
                f"so batches have at most {size} examples instead of {given}: leave some out for larger ones"
            )

    def _batches_of_epoch(self, epoch: int) -> list[np.ndarray]:
        if self._epoch_batches[0] != epoch:
            settings = self.settings
            bounds = (
                settings.batch_size,
                settings.batch_tokens,
                settings.seed,
                epoch,
                self.objective.at_least,
            )
            self._epoch_batches = (epoch, batches_of_epoch(self.data.columns, self.lengths, *bounds))
        return self._epoch_batches[1]

    def _lr(self, step: int) -> float:
        settings = self.settings
        schedule = SCHEDULES[settings.schedule]
        return schedule(step, self.steps, settings.initial_lr, settings.warmup_steps(self.steps))

    def _precision(self) -> contextlib.AbstractContextManager[None]:
        if self.settings.precision == "full":
            return contextlib.nullcontext()
        return half_products(self.settings.precision)

    def _reason_to_end(self) -> str | None:
        settings, progress = self.settings, self.progress
        if progress.step >= self.steps:
            return "max_steps" if self.steps == settings.max_steps else "finished"
        if settings.patience is not None and progress.not_better >= settings.patience:
            return "patience"
        if settings.max_seconds is not None and self._seconds() >= settings.max_seconds:
            return "max_seconds"
        return "interrupted" if self._signals.received else None

    # what is measured and kept

    def _validate(self) -> bool:
        """Measure the model, and keep it if it is the best so far; True if it is."""
        if self.validation is None:
            return False
        progress = self.progress
        self._require_finite_parameters()
        measured = self.validation.measure(self.encoder)
        metric = measured.metrics[self.validation.metric]
        if not math.isfinite(metric):
            texts = self.validation.texts
            what = f"the {self.validation.metric} of the validation data is {metric:g}"
            self._raise_diverged(progress.step, what, texts.tokens_of(np.arange(texts.texts)))
        gain = self.validation.compare(metric, progress.best_metric)
        best = gain >= 0  # of two that measure the same the later one has learned more
        progress.not_better = 0 if gain > 0 else progress.not_better + 1
        progress.validated_step = progress.step
        progress.metrics = measured.metrics
        if best:
            progress.best_metric, progress.best_step = metric, progress.step
            self.encoder.save(self.folder.best, overwrite=True)
        name = self.validation.metric
        self._tell(Validated(progress.step, measured.metrics, name, best, *measured[1:]))
        if measured.collapse is not None:
            self._watch_for_collapse(measured.collapse)
        return best

    def _watch_for_collapse(self, measured: Collapse) -> None:
        progress = self.progress
        progress.collapse_history.append(measured._asdict())
        message = collapse_warning([Collapse(**fields) for fields in progress.collapse_history])
        if message is not None and not progress.warned_of_collapse:
            self._tell(Warned(progress.step, message))
        progress.warned_of_collapse = message is not None

    def _checkpoint(self) -> None:
        """Write the state, unless this step's is written; then remove checkpoints that are too many."""
        progress, folder = self.progress, self.folder.checkpoints
        if self._checkpoint_step == progress.step:
            return
        self._require_finite_parameters()
        progress.seconds = self._seconds()
        progress.optimizer_steps = self.optimizer.t
        progress.random_position = 0 if self.rng is None else self.rng.position
        progress.loss_scale = None if self.scaler is None else self.scaler.state_dict()
        arrays = {"parameters": self.model.parameters, "m": self.optimizer.m, "v": self.optimizer.v}
        path = checkpoints.write_training_checkpoint(
            folder, progress, {name: parameters.flat for name, parameters in arrays.items()}
        )
        self._checkpoint_step = progress.step
        best = progress.step == progress.best_step
        keep = self.settings.keep_checkpoints
        checkpoints.remove_old_checkpoints(folder, keep, progress.best_step, progress.step)
        self._tell(CheckpointWritten(progress.step, path, best))

    def _require_finite_parameters(self) -> None:
        if not is_finite(self.model.parameters.flat):
            self._raise_diverged(self.progress.step, "parameters have become infinite or NaN")

    def _raise_diverged(
        self,
        step: int,
        what: str,
        sentences: Sequence[Sequence[int]] = (),
        gradients: Parameters | None = None,
    ) -> NoReturn:
        """Say in which step, where the numbers went wrong first, what to do, and what is left."""
        bad = first_bad_tensor(self.model, sentences, gradients)
        first = f"the first tensor that is not finite is the {bad}" if bad else "every tensor alone is finite"
        kept = "no checkpoint had been written"
        if self._checkpoint_step is not None:
            kept = f"the checkpoint of step {self._checkpoint_step} is kept"
        raise DivergedError(
            f"step {step}: {what}; {first}. Lower --initial-lr (it is {self.settings.initial_lr:g}) or use a "
            f"longer warm-up; {kept}"
        )

    # beginning and end

    def _begin(self) -> None:
        """Take the folder, load the checkpoint to resume if there is one, and say what is going to happen."""
        self._checkpoint_step: int | None = None
        fields = {
            "settings": self.settings.to_dict(),
            "model": self.model.config.to_dict() | {"pooling": self.encoder.settings.pooling},
            "training data": self.given_data.fingerprint(),
            "validation data": None if self.validation is None else self.validation.texts.fingerprint(),
        }
        there = self.folder.begin(fields, resume=self.resume, overwrite=self.overwrite, extend=self.extend)
        checkpoint, warnings = checkpoints.newest_checkpoint(self.folder.checkpoints) if there else (None, [])
        self._resumed = checkpoint is not None
        if warnings and checkpoint is None:  # to begin anew would remove them
            raise ModelError(
                f"none of the {len(warnings)} checkpoints of {self.folder.path} is whole ({warnings[0]}): "
                f"overwrite the run (--overwrite) or choose another output directory"
            )
        if checkpoint is not None:
            self._restore(checkpoint)
            if self.progress.best_step is not None and not self.folder.best.exists():
                warnings.append(self._restore_best())
        if there:
            self.folder.cut_log(self.progress.step if self._resumed else -1)
        self.reporters.append(Log(self.folder.log))
        self._started = time.perf_counter() - self.progress.seconds
        self._steps_before = self.progress.step
        self._seconds_before = self.progress.seconds
        self._losses: list[float] = []
        self._recent_tokens, self._recent_seconds = 0, 0.0
        self._tell(RunStarted(self.settings, self._summary(), self.steps, self.progress.step))
        for warning in warnings:
            self._tell(Warned(self.progress.step, warning))
        if self.resume and not self._resumed:
            self._tell(Warned(0, f"{self.folder.path} holds no checkpoint to resume: the run begins anew"))

    def _restore(self, checkpoint: checkpoints.Checkpoint) -> None:
        self.progress = progress = checkpoint.progress
        for name, parameters in (
            ("parameters", self.model.parameters),
            ("m", self.optimizer.m),
            ("v", self.optimizer.v),
        ):
            stored, flat = checkpoint.arrays[name], parameters.flat
            if stored.shape != flat.shape or stored.dtype != flat.dtype:
                raise UsageError(
                    f"cannot resume {self.folder.path}: its {name} are {stored.size} numbers of "
                    f"{stored.dtype}, but this model has {flat.size} of {flat.dtype}"
                )
            flat[:] = asarray(stored, array_module(flat))
        self.optimizer.t = progress.optimizer_steps
        if self.rng is not None:
            self.rng.position = progress.random_position
        if self.scaler is not None:
            self.scaler.load_state_dict(progress.loss_scale)
        self._checkpoint_step = progress.step

    def _restore_best(self) -> str:
        """Make the best model, which someone has removed, again from its checkpoint; what to say about it."""
        progress, step = self.progress, self.progress.best_step
        try:
            stored = checkpoints.checkpoint_of(self.folder.checkpoints, step).arrays["parameters"]  # (P,)
        except ModelError as error:
            progress.best_step = progress.best_metric = None
            progress.validated_step = None  # so that one comes, also where the run is at its end
            return f"{self.folder.best} is missing, so the next validation counts as the best: {error}"
        flat = self.model.parameters.flat
        now = flat.copy()
        flat[:] = asarray(stored, array_module(flat))
        self.encoder.save(self.folder.best)
        flat[:] = now
        return f"{self.folder.best} was missing: made again from the checkpoint of step {step}"

    def _end(self, reason: str) -> TrainingResult:
        progress = self.progress
        validated = self.validation is None or progress.validated_step == progress.step
        if reason != "interrupted" and not validated:
            self._validate()
            self._checkpoint_step = None  # the one of this step does not know of the validation
        self._checkpoint()
        self.encoder.save(self.folder.last, overwrite=True)
        path = self.folder.best if self.folder.best.exists() else self.folder.last
        seconds = self._seconds()
        best = progress.best_step, progress.best_metric
        self._tell(RunEnded(progress.step, reason, *best, seconds, path))
        return TrainingResult(path, reason, progress.step, *best, progress.metrics, seconds, progress.tokens)

    # what is told

    def _tell(self, event: Event) -> None:
        for reporter in self.reporters:
            reporter.report(event)

    def _report_step(self, loss: float, lr: float, norm: float, tokens: int, started: float) -> None:
        progress = self.progress
        progress.tokens += tokens
        self._losses.append(loss)
        self._recent_tokens += tokens
        self._recent_seconds += time.perf_counter() - started
        if progress.step % self.settings.log_every and progress.step < self.steps:
            return
        batches = len(self._batches_of_epoch(progress.epoch)) if progress.batch else 1
        seconds = self._seconds()
        a_step = (seconds - self._seconds_before) / (progress.step - self._steps_before)
        left = a_step * (self.steps - progress.step)
        if self.settings.max_seconds is not None:
            left = min(left, max(0.0, self.settings.max_seconds - seconds))
        self._tell(
            StepDone(
                step=progress.step,
                steps=self.steps,
                epoch=progress.epoch + progress.batch / batches,
                loss=sum(self._losses) / len(self._losses),
                lr=lr,
                gradient_norm=norm,
                tokens=progress.tokens,
                tokens_per_second=self._recent_tokens / max(self._recent_seconds, 1e-9),
                seconds=seconds,
                seconds_left=left,
            )
        )
        self._losses, self._recent_tokens, self._recent_seconds = [], 0, 0.0

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _summary(self) -> dict[str, str]:
        config, settings = self.model.config, self.settings
        summary = {
            "model": f"D={config.D}, L={config.L}, H={config.H}, V={config.V}, window {config.n_positions}, "
            f"{self.model.parameters.flat.size:,} parameters, {config.attention}",
            "device": str(self.encoder.backend),
            "objective": settings.objective,
            "training data": self.given_data.summary(),
        }
        if self.data is not self.given_data and len(self.data) != len(self.given_data):
            summary["examples"] = self.data.summary()
        for number, note in enumerate(self.notes, 1):
            summary["note" if len(self.notes) == 1 else f"note {number}"] = note
        if self.validation is not None:
            summary["validation data"] = self.validation.texts.summary()
        k = settings.accumulate
        of_a_step = "one batch" if k == 1 else f"{k} batches"
        summary["steps"] = (
            f"{self.steps:,}, each of {of_a_step}; {self.batches_per_epoch:,} batches an epoch, "
            f"of at most {settings.batch_size} examples, on average "
            f"{len(self.data) / self.batches_per_epoch:.1f}"
        )
        summary["optimizer"] = f"AdamW, {self.optimizer.decay_counts}"
        summary["output"] = str(self.folder.path)
        return summary


class _Signals:
    """Inside, a signal sets `received`, a second SIGINT or SIGTERM raises KeyboardInterrupt.

    A SIGHUP often comes twice, from the terminal and from its shell, or before the SIGTERM that ends
    a session; and under nohup it stays ignored.
    """

    NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last one is unknown to Windows

    def __init__(self) -> None:
        self.received = False
        self._asked = False  # by SIGINT or SIGTERM
        self._before: dict[int, object] = {}

    def __enter__(self) -> "_Signals":
        if threading.current_thread() is threading.main_thread():
            for name in filter(partial(hasattr, signal), self.NAMES):
                number = getattr(signal, name)
                if name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set outside Python

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number in (signal.SIGINT, signal.SIGTERM):
            if self._asked:
                raise KeyboardInterrupt
            self._asked = True
        self.received = True


def _encoder_to_train(encoder: Encoder, settings: TrainingSettings) -> Encoder:
    """A copy of the encoder with the dropout and the pooling of the run"""
    config = encoder.model.config
    if settings.dropout is not None:
        rates = ("embd_pdrop", "attn_pdrop", "resid_pdrop")
        config = config.replace(**dict.fromkeys(rates, float(settings.dropout)))
    parameters = encoder.model.parameters
    model = GPT2(config, parameters.to(array_module(parameters.flat)))
    changes = {"calibration": None}  # of the vectors before training
    if settings.objective != "language_model":
        changes["normalize"] = True  # losses compare directions
        changes["pooling"] = settings.pooling or encoder.settings.pooling
    embedding_settings = dataclasses.replace(encoder.settings, **changes)
    return Encoder(model, encoder.tokenizer, embedding_settings, encoder.backend)
