"""Every choice of a training run, checked before anything starts, and its JSON.

A setting that an objective does not use is None; giving it to such an objective is an error, so that no
choice is silently ignored. The settings are stored with the run, and a run is only resumed under the same.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from ..embedding_settings import POOLINGS
from ..errors import UsageError
from ..files import shorten
from ..half_products import KINDS as HALF_KINDS
from .schedule import SCHEDULES

# Objective -> the settings of its own and what they are where none is given.
OBJECTIVE_OPTIONS: dict[str, dict[str, Any]] = {
    "contrastive": {"margin": 0.5, "temperature": 0.0},
    "cosine": {},
    "cosent": {"temperature": 0.05},
    "info_nce": {"temperature": 0.05, "symmetric": True},
    "triplet": {"margin": 0.2},
    "distillation": {"temperature": 0.05, "alpha": 5.0},
    "language_model": {},
}
OBJECTIVES = tuple(OBJECTIVE_OPTIONS)
PRECISIONS = ("full", *HALF_KINDS)

# What may differ when a run is resumed, because the steps come out the same, and what may besides when it is
# extended: with another number of steps the learning rate falls differently from then on.
FREE_ON_RESUME = ("max_seconds", "checkpoint_every", "keep_checkpoints", "log_every")
FREE_ON_EXTEND = ("epochs", "max_steps", "patience")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How to train. Raises UsageError naming the setting for a value that makes no sense."""

    objective: str = "info_nce"  # one of OBJECTIVES

    # how long
    epochs: int = 1  # passes over the data
    max_steps: int | None = None  # stop after so many optimizer steps; the learning rate falls towards them
    max_seconds: float | None = None  # stop after so much time, wherever the learning rate is

    # what one step sees
    batch_size: int = 64  # examples in a batch, at most
    batch_tokens: int | None = None  # and tokens, at most
    accumulate: int = 1  # batches whose gradients are averaged into one step
    chunk_texts: int | None = None  # texts in one forward pass; a larger batch goes through in parts
    chunk_tokens: int | None = None  # the same for a language model, in tokens
    recompute: bool = False  # keep each block's input only and compute it again on the way back

    # how far one step goes
    initial_lr: float = 1e-3  # the peak learning rate
    schedule: str = "cosine"  # one of schedule.SCHEDULES: how it falls from there
    warmup: float | int = 0.05  # before the peak: a share of all steps (float below 1), or steps (int)
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-8
    decay: float = 0.01  # of matrices only
    clip: float | None = 1.0  # longest gradient; None clips nothing

    # the model while it trains
    dropout: float | None = None  # all three rates of the model; None keeps those of its configuration
    pooling: str | None = None  # one of POOLINGS; None keeps the model's own
    precision: str = "full"  # of the large products: the parameters' own, or half precision on a GPU

    # the objective's own; None is its usual value in OBJECTIVE_OPTIONS
    margin: float | None = None
    temperature: float | None = None
    symmetric: bool | None = None
    alpha: float | None = None
    matryoshka: tuple[int, ...] | None = None  # widths that must serve alone; the whole width is always one

    seed: int = 0  # of the order of the data and of dropout

    # what is measured and kept; None: twenty validations in a run, and a checkpoint with each
    validate_every: int | None = None  # steps
    checkpoint_every: int | None = None  # steps
    keep_checkpoints: int = 2  # the newest so many, beside the best
    patience: int | None = None  # stop after so many validations without a better one
    log_every: int = 1  # steps between two reports

    def __post_init__(self) -> None:
        for name, values in (
            ("objective", OBJECTIVES),
            ("schedule", tuple(SCHEDULES)),
            ("precision", PRECISIONS),
            ("pooling", (None, *POOLINGS)),
        ):
            _check_one_of(name, getattr(self, name), values)
        for name in ("epochs", "batch_size", "accumulate", "keep_checkpoints", "log_every"):
            _check_count(name, getattr(self, name))
        for name in ("max_steps", "batch_tokens", "chunk_texts", "chunk_tokens"):
            _check_count(name, getattr(self, name), or_none=True)
        for name in ("validate_every", "checkpoint_every", "patience"):
            _check_count(name, getattr(self, name), or_none=True)
        _check_count("seed", self.seed, least=0)
        _check_flag("recompute", self.recompute)

        for name in ("initial_lr", "eps"):
            _check_number(name, getattr(self, name), above=0.0)
        for name in ("max_seconds", "clip", "alpha"):
            _check_number(name, getattr(self, name), above=0.0, or_none=True)
        _check_number("decay", self.decay, least=0.0)
        _check_number("temperature", self.temperature, least=0.0, or_none=True)
        if self.temperature == 0 and self.objective != "contrastive":
            raise UsageError(f"temperature must be above 0 for the objective {self.objective}, not 0")
        _check_number("margin", self.margin, least=0.0, or_none=True)
        _check_number("dropout", self.dropout, least=0.0, below=1.0, or_none=True)
        if type(self.warmup) is int:
            _check_count("warmup", self.warmup, least=0)
        else:
            _check_number("warmup", self.warmup, least=0.0, below=1.0, hint=", or a whole number of steps")
        self._check_betas()
        self._check_matryoshka()
        if self.symmetric is not None:
            _check_flag("symmetric", self.symmetric)
        self._check_objective_uses_all()

    def _check_betas(self) -> None:
        betas = self.betas
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise UsageError(f"betas must be two numbers, not {shorten(betas)}")
        for beta in betas:
            _check_number("betas", beta, least=0.0, below=1.0)
        object.__setattr__(self, "betas", (float(betas[0]), float(betas[1])))

    def _check_matryoshka(self) -> None:
        if self.matryoshka is None:
            return
        dims = self.matryoshka
        if not isinstance(dims, (tuple, list)) or not dims:
            raise UsageError(f"matryoshka must be a list of widths, not {shorten(dims)}")
        for dim in dims:
            _check_count("matryoshka", dim)
        if len(set(dims)) < len(dims):
            raise UsageError(f"matryoshka names a width twice: {', '.join(map(str, dims))}")
        object.__setattr__(self, "matryoshka", tuple(sorted(dims)))

    def _check_objective_uses_all(self) -> None:
        for name in ("margin", "temperature", "symmetric", "alpha"):
            if getattr(self, name) is not None and name not in OBJECTIVE_OPTIONS[self.objective]:
                users = [other for other, options in OBJECTIVE_OPTIONS.items() if name in options]
                raise UsageError(
                    f"the objective {self.objective} has no {name} (it belongs to {', '.join(users)}): "
                    f"leave it out or choose another objective"
                )
        if self.objective == "language_model":
            for name, instead in (("chunk_texts", ": use chunk_tokens"), ("matryoshka", ""), ("pooling", "")):
                if getattr(self, name) is not None:
                    raise UsageError(f"a language model makes no vectors, so it has no {name}{instead}")
        elif self.chunk_tokens is not None:
            raise UsageError("chunk_tokens belongs to the objective language_model: use chunk_texts")

    def option(self, name: str) -> Any:
        """A setting of the objective's own, as given or its usual value; KeyError for another's setting."""
        given = getattr(self, name)
        return OBJECTIVE_OPTIONS[self.objective][name] if given is None else given

    def warmup_steps(self, steps: int) -> int:
        """Steps before the peak in a run of `steps`."""
        return self.warmup if type(self.warmup) is int else int(self.warmup * steps)

    def replace(self, **changes: Any) -> "TrainingSettings":
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """All settings as JSON can hold them."""
        fields = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TrainingSettings":
        """What `to_dict` gave; settings left out take their defaults. UsageError for an unknown one."""
        if not isinstance(fields, dict):
            raise UsageError(f"the settings must be names with values, not {shorten(fields)}")
        known = [field.name for field in dataclasses.fields(cls)]
        for name in fields:
            if name not in known:
                raise UsageError(f"unknown setting {shorten(name)}: use some of {', '.join(known)}")
        return cls(**fields)


def _check_one_of(name: str, value: Any, values: tuple[Any, ...]) -> None:
    if not (value is None or isinstance(value, str)) or value not in values:
        known = ", ".join(v for v in values if v is not None)
        raise UsageError(f"unknown {name} {shorten(value)}: use one of {known}")


def _check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false, not {shorten(value)}")


def _check_count(name: str, value: Any, *, least: int = 1, or_none: bool = False) -> None:
    if value is None and or_none:
        return
    if type(value) is not int or value < least:
        raise UsageError(f"{name} must be a whole number of at least {least}, not {shorten(value)}")


def _check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float = math.inf,
    or_none: bool = False,
    hint: str = "",
) -> None:
    if value is None and or_none:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    low = f"above {above:g}" if above is not None else f"of at least {least:g}"
    high = "" if below == math.inf else f" and below {below:g}"
    fits = is_number and value < below and (value > above if above is not None else value >= least)
    if not fits:
        raise UsageError(f"{name} must be a number {low}{high}{hint}, not {shorten(value)}")
