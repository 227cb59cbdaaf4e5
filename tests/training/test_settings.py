"""Settings: what is refused, and that JSON brings all of them back."""

import dataclasses
import json
import math

import pytest

from minigpt2.errors import UsageError
from minigpt2.training.settings import OBJECTIVE_OPTIONS, OBJECTIVES, TrainingSettings

# A value for every setting that is not its default, so that nothing is lost on the way unseen.
OTHER = {
    "objective": "distillation",
    "epochs": 3,
    "max_steps": 7,
    "max_seconds": 1.5,
    "batch_size": 9,
    "batch_tokens": 100,
    "accumulate": 2,
    "chunk_texts": 4,
    "recompute": True,
    "initial_lr": 0.5,
    "schedule": "linear",
    "warmup": 12,
    "betas": (0.5, 0.6),
    "eps": 1e-6,
    "decay": 0.0,
    "clip": None,
    "dropout": 0.25,
    "pooling": "last",
    "precision": "bfloat16",
    "temperature": 0.5,
    "alpha": 2.0,
    "matryoshka": (4, 8),
    "seed": 5,
    "validate_every": 11,
    "checkpoint_every": 12,
    "keep_checkpoints": 4,
    "patience": 2,
    "log_every": 6,
}
OF_OTHER_OBJECTIVES = {"margin", "symmetric", "chunk_tokens"}


def test_json_brings_every_setting_back():
    settings = TrainingSettings(**OTHER)
    names = {field.name for field in dataclasses.fields(settings)}
    assert set(OTHER) | OF_OTHER_OBJECTIVES == names
    default = TrainingSettings()
    assert all(getattr(settings, name) != getattr(default, name) for name in OTHER)
    again = TrainingSettings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert again == settings
    assert again.betas == OTHER["betas"]
    assert TrainingSettings.from_dict({}) == default


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "simcse"}, "unknown objective 'simcse': use one of contrastive, cosine"),
        ({"objective": None}, "unknown objective None"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"epochs": 2.0}, "epochs must be a whole number of at least 1, not 2.0"),
        ({"epochs": True}, "epochs must be a whole number of at least 1, not True"),
        ({"max_steps": 0}, "max_steps must be a whole number of at least 1"),
        ({"max_seconds": 0}, "max_seconds must be a number above 0, not 0"),
        ({"batch_size": "64"}, "batch_size must be a whole number of at least 1, not '64'"),
        ({"accumulate": 0}, "accumulate must be"),
        ({"recompute": 1}, "recompute must be true or false, not 1"),
        ({"initial_lr": 0.0}, "initial_lr must be a number above 0, not 0.0"),
        ({"initial_lr": math.nan}, "initial_lr must be a number above 0, not nan"),
        ({"initial_lr": math.inf}, "initial_lr must be a number above 0, not inf"),
        ({"schedule": "step"}, "unknown schedule 'step': use one of cosine, linear, constant"),
        ({"warmup": 1.0}, "warmup must be a number of at least 0 and below 1, or a whole number of steps"),
        ({"warmup": -1}, "warmup must be a whole number of at least 0"),
        ({"betas": 0.9}, "betas must be two numbers, not 0.9"),
        ({"betas": (0.9, 1.0)}, "betas must be a number of at least 0 and below 1, not 1.0"),
        ({"eps": 0}, "eps must be a number above 0"),
        ({"decay": -0.1}, "decay must be a number of at least 0"),
        ({"clip": 0}, "clip must be a number above 0"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"pooling": "cls"}, "unknown pooling 'cls': use one of mean, weighted_mean, last, max"),
        ({"precision": "int8"}, "unknown precision 'int8': use one of full, bfloat16, float16"),
        ({"temperature": -0.1}, "temperature must be a number of at least 0, not -0.1"),
        ({"temperature": 0.0}, "temperature must be above 0 for the objective info_nce"),
        ({"objective": "triplet", "margin": -1}, "margin must be a number of at least 0"),
        ({"symmetric": 1}, "symmetric must be true or false"),
        ({"matryoshka": 8}, "matryoshka must be a list of widths, not 8"),
        ({"matryoshka": []}, "matryoshka must be a list of widths"),
        ({"matryoshka": [8, 0]}, "matryoshka must be a whole number of at least 1, not 0"),
        ({"matryoshka": [8, 8]}, "matryoshka names a width twice: 8, 8"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"patience": 0}, "patience must be"),
        ({"margin": 0.5}, "info_nce has no margin (it belongs to contrastive, triplet)"),
        ({"objective": "cosine", "temperature": 0.1}, "cosine has no temperature"),
        ({"objective": "language_model", "chunk_texts": 3}, "has no chunk_texts: use chunk_tokens"),
        ({"objective": "language_model", "matryoshka": [3]}, "has no matryoshka"),
        ({"objective": "language_model", "pooling": "mean"}, "has no pooling"),
        ({"chunk_tokens": 3}, "chunk_tokens belongs to the objective language_model: use chunk_texts"),
        ({"learning_rate": 1e-3}, "unknown setting 'learning_rate': use some of objective, epochs"),
    ],
)
def test_refusals_name_the_setting(changes, message):
    with pytest.raises(UsageError) as caught:
        TrainingSettings.from_dict(changes)
    assert message in str(caught.value)


def test_settings_of_the_objectives_own():
    assert set(OBJECTIVE_OPTIONS) == set(OBJECTIVES)
    assert TrainingSettings(objective="triplet").option("margin") == 0.2
    assert TrainingSettings(objective="contrastive", margin=0.0).option("margin") == 0.0
    assert TrainingSettings(symmetric=False).option("symmetric") is False
    with pytest.raises(KeyError):
        TrainingSettings().option("margin")


def test_warmup_is_a_share_or_a_number_of_steps():
    assert TrainingSettings(warmup=0.1).warmup_steps(200) == 20
    assert TrainingSettings(warmup=30).warmup_steps(200) == 30
    assert TrainingSettings(warmup=0).warmup_steps(200) == 0


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingSettings().epochs = 3
    assert TrainingSettings().replace(epochs=3).epochs == 3
